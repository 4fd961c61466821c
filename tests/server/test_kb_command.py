"""`zhubo kb`, as an editor uses it: every action in both languages, as text and as JSON."""

import json
from pathlib import Path
from typing import Any

import pytest

from knowledge.database import Database
from server.__main__ import main

GUIDES = {
    "参观指南.md": "# 参观指南\n\n## 票价\n\n成人票每张60元，儿童票每张30元。\n",
    "Visitor guide.md": "# Visitor guide\n\n## Tickets\n\nAn adult ticket costs 60 yuan, a child ticket 30 yuan.\n",
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ZHUBO_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("ZHUBO_PROFILE", "test")
    (tmp_path / "docs").mkdir()
    for name, text in GUIDES.items():
        (tmp_path / "docs" / name).write_text(text, "utf-8")
    return tmp_path


class Said:
    """What the command prints."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def text(self, *arguments: object) -> str:
        assert main(["kb", *map(str, arguments)]) == 0, self._capsys.readouterr().err
        return self._capsys.readouterr().out

    def json(self, *arguments: object) -> Any:
        return json.loads(self.text(*arguments, "--json"))

    def error(self, *arguments: object, code: int = 1) -> str:
        assert main(["kb", *map(str, arguments)]) == code
        captured = self._capsys.readouterr()
        assert captured.out == ""
        return captured.err


@pytest.fixture
def said(capsys: pytest.CaptureFixture[str]) -> Said:
    return Said(capsys)


def test_documents_are_put_in_listed_found_labelled_and_removed(folder: Path, said: Said) -> None:
    taken = said.json("ingest", folder / "docs")
    assert {one["source"]: one["document"]["passages"] for one in taken} == dict.fromkeys(GUIDES, 1)
    assert said.json("list")[0]["edition"]["documents"] == 2
    assert len(said.json("versions")) == 1, "a folder is one edition"
    for name, question in (("参观指南.md", "成人票多少钱？"), ("Visitor guide.md", "How much is an adult ticket?")):
        found = said.json("search", question, "--count", 1, "--explain")
        (best,) = found["passages"]
        assert best["source"] == name and "60" in best["text"] and best["explanation"]["coverage"] > 0
        text = said.text("search", question, "--explain")
        assert text.startswith("1. ") and "60" in text and "coverage" in text and "ms: " in text
        assert "60" not in said.text("search", question)[:3]
        labelled = said.json(
            "label", best["document"], "--tag", "票务", "--summary", "价目 prices", "--dated", "2026-11-01"
        )
        assert (labelled["tags"], labelled["summary"], labelled["dated"]) == (["票务"], "价目 prices", "2026-11-01")
        assert [one["id"] for one in said.json("documents", "--tag", "票务")] == [best["document"]]
        assert "[票务]" in said.text("documents", "--text", name[:3])
        assert said.json("search", question, "--since", "2026-11-02")["passages"] == []
        said.text("remove", best["document"])
        assert "unknown_document" in said.error("remove", best["document"])
        assert "unknown_document" in said.error("label", best["document"], "--summary", "x")
    assert said.json("documents") == []


def test_a_publication_is_whole_and_can_be_taken_back(folder: Path, said: Said) -> None:
    said.text("ingest", folder / "docs")
    new = folder / "新版.md"
    new.write_text("# 新版\n\n成人票每张80元。\n", "utf-8")
    edition = said.json("publish", new, "--replace", "--note", "涨价 new prices")
    assert edition["documents"] == 1 and edition["note"] == "涨价 new prices" and edition["current"]
    empty = folder / "空.md"
    empty.touch()
    assert "empty: 空.md" in said.error("publish", new, empty)
    assert [one["number"] for one in said.json("versions") if one["current"]] == [edition["number"]]
    assert "涨价 new prices" in said.text("versions")
    assert said.json("rollback")["documents"] == 2
    assert said.json("rollback", edition["number"])["documents"] == 1
    assert "no_edition" in said.error("rollback", 999)
    assert said.json("rebuild")["documents"] == 1


def test_curated_answers_are_added_imported_and_removed(folder: Path, said: Said) -> None:
    asked = ["--question", "西门开吗？", "--question", "Is the west gate open?"]
    added = said.json("faq", "add", *asked, "--answer", "西门关闭。", "--until", "2099-01-01", "--gesture", "present")
    assert added["questions"] == ["西门开吗？", "Is the west gate open?"] and added["until"] == "2099-01-01"
    assert said.json("search", "西门开吗？")["curated"]["id"] == added["id"]
    sheet = folder / "常见问题.csv"
    sheet.write_text('question,answer\n有停车场吗？,有。\nIs there a cafe?,"Yes, on floor 2."\n', "utf-8")
    imported = said.json("faq", "import", sheet)
    assert [one["answer"] for one in imported] == ["有。", "Yes, on floor 2."]
    assert len(said.json("faq", "list")) == 3 and "有停车场吗？ → 有。" in said.text("faq", "list")
    said.text("faq", "remove", *(one["id"] for one in imported))
    assert [one["id"] for one in said.json("faq", "list")] == [added["id"]]
    assert "unknown_answer" in said.error("faq", "remove", imported[0]["id"])
    assert "emotion" in said.error("faq", "add", *asked, "--answer", "x", "--emotion", "bored", code=2)
    assert "there is no question" in said.error("faq", "import", folder / "docs" / "参观指南.md")


def test_bases_stand_side_by_side_and_are_carried(folder: Path, said: Said) -> None:
    assert said.json("create", "east", "--title", "东馆")["title"] == "东馆"
    said.text("ingest", folder / "docs" / "参观指南.md", "--base", "east")
    assert {one["name"]: one["documents"] for one in said.json("list")} == {"east": 1, "main": 0}
    assert "east (东馆): 1 documents" in said.text("list")
    archive = folder / "东馆.zhubo"
    said.text("export", archive, "--base", "east")
    assert "is there already" in said.error("export", archive, "--base", "east")
    assert said.json("import", archive, "--base", "west")["title"] == "东馆"
    assert said.json("documents", "--base", "west") == said.json("documents", "--base", "east")
    assert "name_taken" in said.error("import", archive, "--base", "east")
    assert "not_an_archive" in said.error("import", folder / "docs" / "参观指南.md", "--base", "north")
    assert "--yes" in said.error("delete", "east")
    said.text("delete", "east", "--yes")
    assert [one["name"] for one in said.json("list")] == ["main", "west"]
    assert "'east'" in said.error("documents", "--base", "east")
    assert "name_taken" in said.error("create", "west") and "name" in said.error("create", "东馆", code=2)
    assert sorted(path.name for path in folder.iterdir()) == ["data", "docs", "东馆.zhubo"]


def test_no_page_is_fetched_that_is_not_public(folder: Path, said: Said) -> None:
    assert "private: " in said.error("add-page", "http://127.0.0.1/")
    assert "private: " in said.error("add-page", "--sitemap", "http://10.0.0.1/sitemap.xml")


def test_a_base_that_another_process_holds_is_told(folder: Path, said: Said) -> None:
    said.text("ingest", folder / "docs" / "参观指南.md")
    held = Database(folder / "data" / "knowledge" / "main")
    try:
        assert "another process is using this knowledge base" in said.error("publish", folder / "docs")
        assert len(said.json("documents")) == 1, "reading goes on"
    finally:
        held.close()


def test_what_is_not_there_is_told(folder: Path, said: Said) -> None:
    assert "no document in these paths" in said.error("ingest", folder / "data")
    assert "there is no knowledge base 'none'" in said.error("search", "问", "--base", "none")
    assert "is no folder" in said.error("watch", folder / "absent")
    assert "Cannot" not in said.error("import", folder / "absent.zhubo", "--base", "new")
