"""The lexical index on disk: read back as it was, and not at all when in doubt."""

import inspect
import os
from importlib import metadata
from pathlib import Path

import pytest

from configs import characters
from knowledge import lexical_cache
from knowledge.lexical import LexicalIndex, counted, question_terms

TEXTS = ("海港科学馆的门票多少钱", "A ticket for the dome theatre", "球幕影院周一闭馆", "The whale skeleton")
IDS = ["a.1", "", "b.1", "b.2"]


def index() -> LexicalIndex:
    made = LexicalIndex()
    for text in TEXTS:
        made.add(counted(text))
    made.remove(1)
    return made


def test_what_was_saved_is_found_again_and_can_be_changed(tmp_path: Path) -> None:
    before = index()
    assert lexical_cache.save(tmp_path / "words", before, IDS)
    loaded = lexical_cache.load(tmp_path / "words")
    assert loaded is not None
    after, ids = loaded
    assert ids == IDS
    assert len(after) == len(before) == 3
    for question in ("门票", "whale", "ticket", "球幕影院"):
        wanted = question_terms(question)
        assert after.search(wanted, 5).slots.tolist() == before.search(wanted, 5).slots.tolist()
        assert after.idf(question) == before.idf(question)
    assert after.add(counted("ticket")) == 1, "a free slot is given again"
    assert os.listdir(tmp_path) == ["words"]
    empty = LexicalIndex()
    assert lexical_cache.save(tmp_path / "words", empty, [])
    loaded = lexical_cache.load(tmp_path / "words")
    assert loaded is not None
    assert (len(loaded[0]), loaded[1]) == (0, [])


def test_a_file_with_any_byte_changed_or_missing_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "words"
    assert lexical_cache.load(path) is None
    lexical_cache.save(path, index(), IDS)
    whole = path.read_bytes()
    for at in range(0, len(whole), 7):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 0x11]) + whole[at + 1 :])
        assert lexical_cache.load(path) is None
        path.write_bytes(whole[:at])
        assert lexical_cache.load(path) is None
    path.write_bytes(whole)
    assert lexical_cache.load(path) is not None


def test_a_file_that_was_written_with_other_simplified_characters_is_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "words"
    lexical_cache.save(path, index(), IDS)
    assert lexical_cache.load(path) is not None
    with monkeypatch.context() as other:
        other.setattr(metadata, "version", lambda name: f"{name} of tomorrow")
        assert lexical_cache.load(path) is None
    with monkeypatch.context() as other:
        source = inspect.getsource
        other.setattr(inspect, "getsource", lambda of: source(of) + "# changed\n" * (of is characters))
        assert lexical_cache.load(path) is None
    assert lexical_cache.load(path) is not None


def test_a_disk_that_refuses_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "words"
    lexical_cache.save(path, index(), IDS)
    whole = path.read_bytes()

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    assert not lexical_cache.save(path, LexicalIndex(), [])
    assert path.read_bytes() == whole
    assert os.listdir(tmp_path) == ["words"]
