"""Data files are read whole and rightly, or refused with a place and a remedy."""

from pathlib import Path

import pytest

from knowledge.evaluation.datasets import Case, DataError, contains, distinct, distractors, golden, load, passage
from tests.knowledge.evaluation.cases import lines, squad


def test_a_squad_paragraph_is_one_passage_under_its_articles_title(tmp_path: Path) -> None:
    found = load(squad(tmp_path / "馆.json", "海港科学馆"))
    assert found.lang == "zh" and [one.question for one in found.cases] == [
        "科学馆几点开馆？",
        "下午几点闭馆？",
        "成人票多少钱？",
    ]
    assert [(one.title, one.text) for one in found.passages] == [
        ("海港科学馆", "周二至周日上午九点半开馆，下午五点闭馆。"),
        ("海港科学馆", "成人票每张六十元，儿童票每张三十元。"),
    ]
    assert len({one.document for one in found.passages}) == 1
    assert found.cases[0].accepted == ("九点半",) and not found.cases[0].unanswerable
    first, _, last = golden(found.cases, found.passages)
    assert first == {found.passages[0].id} and last == {found.passages[1].id}


def test_what_squad_2_calls_impossible_is_unanswerable(tmp_path: Path) -> None:
    found = load(squad(tmp_path / "dome.json", "Observatory", impossible="Who built the dome?"))
    assert [one.question for one in found.cases if one.unanswerable] == ["Who built the dome?"]
    assert found.lang == "en"


def test_our_own_lines(tmp_path: Path) -> None:
    file = lines(
        tmp_path / "问题.jsonl",
        {"question": "几点开馆？", "evidence": "九点半开馆", "answer_any": ["九点半", "9:30"]},
        {"question": "馆长是谁？", "unanswerable": True},
        {"question": "票价？", "answer_any": ["六十元"], "document": "票.md", "remark": "ignored"},
    )
    file.write_bytes(b"\xef\xbb\xbf" + file.read_bytes() + b"\n\n")
    found = load(file)
    assert found.passages == () and found.cases == (
        Case("1", "几点开馆？", "1", "九点半开馆", ("九点半", "9:30")),
        Case("2", "馆长是谁？", "2", unanswerable=True),
        Case("3", "票价？", "票.md", None, ("六十元",)),
    )


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("a.jsonl", b'{"question": "a"}\n{"question": ', "a.jsonl, line 2: not JSON"),
        ("a.jsonl", b'{"question": "a"}\n\n{"answer": 1}', "a.jsonl, line 3: question: Field required"),
        ("a.jsonl", b'{"question": "a", "answer_any": "b"}', "line 1: answer_any: Input should be a valid list"),
        ("a.jsonl", b'{"question": "a", "unanswerable": true, "answer_any": ["b"]}', "line 1: unanswerable, and yet"),
        ("a.jsonl", b"\n", "there is no question in it"),
        ("a.jsonl", "问".encode("gb18030"), "not UTF-8; save it as UTF-8"),
        ("a.json", b'{"data": [\n{"title": "t",]}', "a.json, line 2: not JSON"),
        ("a.json", b'{"data": [{"paragraphs": [{"qas": []}]}]}', "data.0.paragraphs.0.context: Field required"),
        ("a.json", b'{"data": []}', "there is no question in it"),
        ("a.csv", b"a,b", "name it .json (SQuAD format) or .jsonl"),
    ],
)
def test_a_bad_file_is_told_with_its_place(tmp_path: Path, name: str, text: bytes, told: str) -> None:
    (tmp_path / name).write_bytes(text)
    with pytest.raises(DataError) as caught:
        load(tmp_path / name)
    assert told in str(caught.value) and "\n" not in str(caught.value)


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot be read: No such file"):
        load(tmp_path / "没有.json")


def test_passages_in_the_way_come_in_three_forms(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("一行一段。\n\nOne a line.\n", "utf-8")
    lines(tmp_path / "a.jsonl", {"text": "正文", "title": "题"})
    squad(tmp_path / "a.json")
    assert [one.text for one in distractors(tmp_path / "a.txt")] == ["一行一段。", "One a line."]
    assert [(one.title, one.text) for one in distractors(tmp_path / "a.jsonl")] == [("题", "正文")]
    assert len(distractors(tmp_path / "a.json")) == 4
    (tmp_path / "b.txt").write_text("\n")
    with pytest.raises(DataError, match="there is no passage in it"):
        distractors(tmp_path / "b.txt")


def test_the_same_passage_counts_once_and_evidence_is_found_in_all_that_contain_it() -> None:
    passages = distinct(
        [passage("甲", "馆长 是王敏。"), passage("乙", "前言。馆长是王敏。后记。"), passage("甲", "馆长 是王敏。")]
    )
    assert [one.title for one in passages] == ["甲", "乙"]
    cases = [Case("1", "?", "", "馆长是王敏。"), Case("2", "?", "", "OPENS at  nine"), Case("3", "?", "")]
    both, none, unknown = golden(cases, passages)
    assert both == {one.id for one in passages} and none == unknown == frozenset()


def test_accepted_answers_are_found_whatever_the_blanks_and_the_case() -> None:
    assert contains("票价是 60 元。", ["六十元", "60元"]) and contains("At Half  Past Four.", ["half past four"])
    assert not contains("票价是 600 元。", ["60元"]) and not contains("anything", [])
