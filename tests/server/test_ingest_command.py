"""`zhubo ingest`: a folder in, a second run that does nothing, and bad files named."""

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
    empty.touch()
    with huge.open("wb") as file:
        file.truncate(100_000_000)
    assert main(["ingest", str(good), str(empty), str(huge), str(data / "absent.md")]) == 1
    captured = capsys.readouterr()
    assert "good.md: 1 passages" in captured.out
    assert "empty.md: empty:" in captured.err
    assert "huge.txt: too_large: huge.txt has 100 MB; the limit is 20 MB" in captured.err
    assert "absent.md: unreadable:" in captured.err


def test_a_folder_without_documents_is_an_error(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ingest", str(data)]) == 1
    assert "no document" in capsys.readouterr().err
