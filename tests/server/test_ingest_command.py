"""`zhubo ingest`: a folder in, a second run that does nothing, and bad files named."""

import os
from pathlib import Path

import pytest

from server.__main__ import main


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ZHUBO_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("ZHUBO_PROFILE", "test")
    return tmp_path


def test_a_folder_is_taken_in_once(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = data / "docs"
    (folder / "sub").mkdir(parents=True)
    (folder / ".hidden").mkdir()
    (folder / "馆.md").write_text("# 海港科学馆\n\n周一闭馆。\n", "utf-8")
    (folder / "sub" / "guide.txt").write_bytes("Closed on Mondays.".encode("utf-16"))
    (folder / ".hidden" / "secret.md").write_text("no", "utf-8")
    (folder / "photo.png").write_bytes(b"\x89PNG")
    assert main(["ingest", str(folder)]) == 0
    output = capsys.readouterr().out
    assert "馆.md: 1 passages (海港科学馆)" in output and "sub/guide.txt: 1 passages" in output
    assert "2 documents, 2 passages" in output
    assert main(["ingest", str(folder)]) == 0
    assert capsys.readouterr().out.count("unchanged") == 2


def test_a_bad_file_is_named_and_the_others_are_taken(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    good, empty, huge = data / "good.md", data / "empty.md", data / "huge.txt"
    good.write_text("周一闭馆。", "utf-8")
    (odd := data / "说明.pdf").write_text("其实是文字。", "utf-8")
    empty.touch()
    with huge.open("wb") as file:
        file.truncate(100_000_000)
    assert main(["ingest", str(good), str(odd), str(empty), str(huge), str(data / "absent.md")]) == 1
    captured = capsys.readouterr()
    assert "good.md: 1 passages" in captured.out
    assert "说明.pdf: 1 passages" in captured.out and "说明.pdf is not what its name says" in captured.err
    assert "empty.md: empty:" in captured.err
    assert "huge.txt: too_large: huge.txt has 100 MB; the limit is 20 MB" in captured.err
    assert "absent.md: unreadable:" in captured.err


def test_files_of_one_name_in_two_folders_are_two_documents(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for folder, text in (("x", "周一闭馆。"), ("y", "Closed on Mondays."), ("z/y", "成人票六十元。")):
        (data / folder).mkdir(parents=True)
        (data / folder / "guide.md").write_text(text, "utf-8")
    assert main(["ingest", str(data / "x"), str(data / "y"), str(data / "x" / "guide.md")]) == 0
    output = capsys.readouterr().out
    assert "x/guide.md: 1 passages" in output and "y/guide.md: 1 passages" in output
    assert "2 documents, 2 passages" in output
    assert main(["ingest", str(data / "y"), str(data / "z" / "y")]) == 0
    assert f"{(data / 'z' / 'y' / 'guide.md').resolve().as_posix()}: 1 passages" in capsys.readouterr().out


def test_a_file_name_in_no_encoding_of_the_system_is_read(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    name = os.path.join(os.fsencode(data), "参观指南.md".encode("gbk"))
    try:
        with open(name, "wb") as file:
            file.write("周一闭馆。".encode())
    except OSError:
        pytest.skip("this file system takes UTF-8 names only")
    assert main(["ingest", os.fsdecode(name)]) == 0
    assert "参观指南.md: 1 passages" in capsys.readouterr().out


def test_a_library_that_cannot_be_opened_ends_the_command(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (data / "data").mkdir()
    (data / "data" / "library.sqlite").write_bytes(b"garbage" * 1000)
    (data / "guide.md").write_text("周一闭馆。", "utf-8")
    assert main(["ingest", str(data / "guide.md")]) == 1
    assert "cannot be opened" in capsys.readouterr().err


def test_a_folder_without_documents_is_an_error(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ingest", str(data)]) == 1
    assert "no document" in capsys.readouterr().err
