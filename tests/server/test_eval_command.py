"""`zhubo eval` end to end, on small data of both languages and engines without weights."""

import json
from pathlib import Path

import pytest

from server.__main__ import main
from tests.knowledge.evaluation.cases import lines, squad

GUIDE = """# 参观指南

## 票价

成人票每张60元，儿童票每张30元。

## 开放时间

周二至周日上午9:30开馆，下午17:00闭馆。
"""
QUESTIONS: tuple[dict[str, object], ...] = (
    {"question": "成人票多少钱？", "evidence": "成人票每张60元", "answer_any": ["60元"]},
    {"question": "周日几点闭馆？", "evidence": "下午17:00闭馆", "answer_any": ["17:00"]},
    {"question": "馆长的工资是多少？", "unanswerable": True},
)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ZHUBO_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("ZHUBO_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("ZHUBO_PROFILE", "test")
    return tmp_path


@pytest.fixture
def corpus(home: Path) -> Path:
    (home / "参观指南.md").write_text(GUIDE, "utf-8")
    return home / "参观指南.md"


def test_retrieval_of_two_languages_and_beside_an_earlier_run(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    zh, en = squad(home / "zh.json", "海港科学馆"), squad(home / "en.json", "Observatory")
    (home / "others.txt").write_text("月球没有大气。\nThe moon has no air.\n", "utf-8")
    command = ["eval", "retrieval", "--data", str(zh), str(en), "--distractors", str(home / "others.txt")]
    assert main([*command, "--json", str(home / "first.json")]) == 0
    printed = capsys.readouterr()
    assert "zh.json (zh): 3 questions, 4 passages" in printed.out and "all: 6 questions" in printed.out
    assert "zh.json: 3 questions, 4 passages" in printed.err
    first = json.loads((home / "first.json").read_text())
    assert [one["name"] for one in first["sets"]] == ["zh.json", "en.json"]
    assert first["sets"][0]["measures"]["hybrid"]["R@5"][0] == 1
    assert list((home / "cache" / "evaluation").glob("*.vectors")), "the next run need not embed again"
    assert main([*command, "--compare", str(home / "first.json"), "--index", str(home / "elsewhere")]) == 0
    assert "| zh.json, hybrid: 3 " in capsys.readouterr().out
    assert (home / "elsewhere").is_dir()


def test_retrieval_from_documents(home: Path, corpus: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = lines(home / "问题.jsonl", *QUESTIONS)
    assert main(["eval", "retrieval", "--data", str(data), "--corpus", str(corpus)]) == 0
    assert "问题.jsonl (zh): 2 questions, 2 passages" in capsys.readouterr().out


def test_refusal_with_the_judge_alone_and_with_the_whole_presenter(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    zh, en = (
        squad(home / "zh.json", "海港科学馆", impossible="馆长的生日是哪天？"),
        squad(home / "en.json", "Observatory"),
    )
    command = ["eval", "refusal", "--data", str(zh), str(en), "--split", "half", "--model", "--sample", "2"]
    assert main([*command, "--json", str(home / "out.json")]) == 0
    printed = capsys.readouterr().out
    assert "AUROC" in printed and "| zh: 2 + 2 " in printed and "| all: 4 + 4 " in printed
    out = json.loads((home / "out.json").read_text())
    asked = [(one["known"], one["id"]) for one in out["questions"]]
    assert asked.count((True, "zh.json 成人票多少钱？")) == asked.count((False, "zh.json 成人票多少钱？")) == 1
    assert asked.count((False, "zh.json 馆长的生日是哪天？")) == 1 and (True, "zh.json 馆长的生日是哪天？") not in asked
    assert len(out["told"]) == 8 and out["curves"]["zh"]


def test_answers_from_a_corpus_alone(home: Path, corpus: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = lines(home / "问题.jsonl", *QUESTIONS, {"question": "What does a ticket cost?", "evidence": "x"})
    command = ["eval", "answers", "--data", str(data), "--corpus", str(corpus), "--json", str(home / "out.json")]
    assert main(command) == 0
    out = json.loads((home / "out.json").read_text())
    assert [(one["unanswerable"], one["refused"], one["right"]) for one in out["questions"]] == [
        (False, False, True),
        (False, False, True),
        (True, True, False),
    ]
    assert all(out["questions"][0]["clauses"]) and out["questions"][0]["timings"]["total"] > 0
    assert "refused rightly" in capsys.readouterr().out
    assert main([*command[:-2], "--compare", str(home / "out.json")]) == 0
    assert "| zh answerable: 2 " in capsys.readouterr().out
    assert not (home / "data").exists(), "the instance's own documents are left alone"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["retrieval", "--data", "a.jsonl"], "these questions are about documents: name them with --corpus PATH"),
        (["retrieval", "--data", "no.json"], "no.json: cannot be read"),
        (["retrieval", "--data", "a.json", "--compare", "a.json"], "not the --json of an earlier"),
        (["retrieval", "--data", "a.json", "--json", "/nonexistent/a.json"], "there is no such folder"),
        (["retrieval", "--data", "a.jsonl", "--corpus", "a.json"], "no passage contains the evidence of question 1"),
        (["refusal", "--data", "bad.jsonl"], "bad.jsonl, line 1: not JSON"),
        (["answers", "--data", "a.json"], "a.json: whole answers need documents: name them with --corpus PATH"),
        (["answers", "--data", "a.jsonl", "--corpus", "empty"], "there is no document in the paths of --corpus"),
    ],
)
def test_a_wrong_use_is_told_in_one_line(
    home: Path,
    arguments: list[str],
    told: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(home)
    squad(home / "a.json")
    lines(home / "a.jsonl", {"question": "馆长是谁？", "evidence": "馆长是王敏", "answer_any": ["王敏"]})
    (home / "bad.jsonl").write_text("{")
    (home / "empty").mkdir()
    assert main(["eval", *arguments]) == 2
    *progress, last = capsys.readouterr().err.splitlines()
    assert last.startswith("zhubo: ") and told in last and all(":" in line for line in progress)
