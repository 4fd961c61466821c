"""What is printed and written of a measurement, and what an earlier one is compared with."""

from pathlib import Path

import numpy as np
import orjson
import pytest

from knowledge.evaluation import answers, comparison, refusal, retrieval
from knowledge.evaluation.answers import Given, borne_out, clauses
from knowledge.evaluation.datasets import Case, DataError, Dataset, load, passage
from knowledge.evaluation.index import MODES
from knowledge.evaluation.refusal import Judged, Told, half
from knowledge.evaluation.retrieval import Outcome, Ranked
from knowledge.evaluation.tables import table
from tests.knowledge.evaluation.cases import squad
from tests.knowledge.evaluation.test_index import Counting, index_of


def outcome(name: str, *firsts: int, lang: str = "zh") -> Outcome:
    """Hybrid found the right passages at these ranks; the others at twice as much."""
    ranked = [
        Ranked(f"{name}{at}", 1, {"words": [2 * rank], "vectors": [2 * rank], "hybrid": [rank]})
        for at, rank in enumerate(firsts)
    ]
    return Outcome(name, "en" if lang == "en" else "zh", 240, tuple(ranked), {"hybrid: search": [1.0, 3.0]})


def cells(text: str, label: str) -> list[str]:
    """The cells of the line that begins so."""
    (line,) = [line for line in text.splitlines() if line.startswith(f"| {label} ")]
    return [cell.strip() for cell in line.strip("|").split("|")][1:]


def test_retrieval_is_measured_in_three_modes(tmp_path: Path) -> None:
    dataset = load(squad(tmp_path / "a.json", impossible="馆长的生日？"))
    found = retrieval.measure(dataset, index_of(dataset), lambda texts: Counting().embed(texts, "question"))
    assert found.passages == 4 and len(found.questions) == 6, "one that cannot be answered has no right passage"
    assert all(set(one.ranks) == set(MODES) and one.gold == 1 for one in found.questions)
    assert found.values("words").shape == (6, 5)
    assert {stage.split(":")[0] for stage in found.cpu} == set(MODES)


def test_a_report_tells_sets_languages_and_all_with_what_hybrid_adds() -> None:
    text = retrieval.report([outcome("甲", 1, 1, 1, 2), outcome("b", 1, 6, lang="en")], [20.0, 22.0])
    assert "甲 (zh): 4 questions, 240 passages" in text and "all: 6 questions, 240 + 240 passages" in text
    assert "all zh" not in text, "one set of a language is not told twice"
    first = text.split("\n\n")[0]
    assert [cell.split()[0] for cell in cells(first, "hybrid")] == [".7500", "1.0000", "1.0000", ".8750", ".9077"]
    assert cells(text.split("\n\n")[1], "hybrid - words")[0].endswith("*")
    assert cells(text, "embedding the question") == ["21.00", "21.90"]


def test_an_earlier_run_is_compared_question_by_question(tmp_path: Path) -> None:
    file = tmp_path / "早.json"
    before, now = outcome("甲", 2, 2, 2, 2, 1, 1), outcome("甲", 1, 1, 1, 1, 1)
    file.write_bytes(orjson.dumps(retrieval.as_json([before], [1.0], "e5")))
    known = comparison.earlier(file, "retrieval", retrieval.grouped)
    text = comparison.report(retrieval.MEASURES, retrieval.grouped(retrieval.as_json([now], [1.0], "e5")), known)
    change = cells(text, "甲, hybrid: 5")
    assert change[0].startswith("+0.8000 [") and change[0].endswith("*")
    assert change[1] == "+0.0000 [+0.0000, +0.0000]"
    with pytest.raises(DataError, match="none of these questions"):
        comparison.report(retrieval.MEASURES, {"乙, hybrid": {"1": [1.0] * 5}}, known)


def test_decisions_and_answers_are_compared_by_language_and_kind() -> None:
    strict = [Judged(one.id, one.group, one.lang, one.known, one.support, one.support >= 0.8) for one in judged()]
    now, before = (refusal.grouped(refusal.as_json(ones, [])) for ones in (strict, judged()))
    text = comparison.report(refusal.MEASURES, now, before)
    assert cells(text, "zh answerable: 10")[0].startswith("-0.3000 [")
    assert cells(text, "zh unanswerable: 10") == ["-0.1000 [-0.3000, +0.0000]", "+0.0000 [+0.0000, +0.0000]"]
    wrong, right = (Given("1", "en", False, False, good, False, (), {}) for good in (False, True))
    now, before = (answers.grouped(answers.as_json([one])) for one in (right, wrong))
    assert cells(comparison.report(answers.MEASURES, now, before), "en answerable: 1")[0].startswith("+1.0000")


@pytest.mark.parametrize("text", ["", "[]", '{"kind": "retrieval", "sets": [{"name": "a"}]}', '{"kind": "refusal"}'])
def test_what_is_no_earlier_run_is_told(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(DataError, match="not the --json of an earlier|the --json of another command"):
        comparison.earlier(tmp_path / "a.json", "retrieval", retrieval.grouped)
    with pytest.raises(DataError, match="cannot be read"):
        comparison.earlier(tmp_path / "b.json", "retrieval", retrieval.grouped)


@pytest.mark.parametrize(
    ("case", "told"),
    [
        (Case("7", "馆长？", "", "王敏"), "no passage contains the evidence of question 7"),
        (Case("1", "?", ""), "no evidence"),
    ],
)
def test_questions_without_a_right_passage_are_told(case: Case, told: str) -> None:
    dataset = Dataset("问题.jsonl", "zh", (case,), (passage("", "开馆时间。"),))
    with pytest.raises(DataError, match=told.replace("no evidence", "has an evidence")):
        retrieval.measure(dataset, index_of(dataset), lambda texts: Counting().embed(texts, "question"))


def judged(lang: str = "zh", group: str = "a") -> list[Judged]:
    """Ten answerable of support .1 to 1, and ten others of half as much; .5 is enough."""
    spoken = "en" if lang == "en" else "zh"
    return [
        Judged(f"{lang} {group}{at}", group, spoken, known, support, support >= 0.5)
        for known in (True, False)
        for at, support in enumerate((np.arange(10) + 1) / (10 if known else 20))
    ]


def test_refusal_is_reported_as_decided_and_at_the_fitted_threshold() -> None:
    text = refusal.report(judged() + judged("en"), split=False)
    for name, count in (("zh", "10"), ("en", "10"), ("all", "20")):
        assert cells(text, name) == [count, count, "60.0 %", "10.0 %", ".7750", "0.100", "100.0 %", "90.0 %"]
    assert "| 0.500" in refusal.curves(judged()) or "| 0.300" in refusal.curves(judged())


def test_a_threshold_is_fitted_on_one_half_and_applied_to_the_other() -> None:
    names = [next(f"{n}" for n in range(99) if half(f"{n}") == side) for side in (0, 1)]
    weak = [Judged(one.id, names[1], "zh", one.known, one.support / 2, one.answered) for one in judged()]
    strong = [Judged(one.id, names[0], "zh", one.known, one.support, one.answered) for one in judged()]
    kept, through = cells(refusal.report(strong + weak, split=True), "zh")[-2:]
    assert cells(refusal.report(strong + weak, split=True), "zh")[-3] == "0.100 / 0.050"
    assert (kept, through) == ("95.0 %", "85.0 %")


def test_the_contribution_of_each_stage() -> None:
    known, unknown = judged()[:10], judged()[10:]
    told = [Told(one, refused=not one.answered, right=one.answered, failed=False, answer="") for one in known]
    told += [Told(one, refused=True, right=False, failed=one.support < 0.1, answer="") for one in unknown]
    assert cells(refusal.stages(told), "zh: 10 + 9") == ["60.0 %", "60.0 %", "60.0 %", "11.1 %", "0.0 %", "1"]


def test_a_sample_is_the_same_in_every_run_and_half_of_it_answerable() -> None:
    chosen = refusal.sample(judged(), 3)
    assert chosen == refusal.sample(judged()[::-1], 3)
    assert [one.known for one in chosen] == [True] * 3 + [False] * 3


def test_clauses_end_where_something_else_is_said() -> None:
    assert clauses("成人票 1,000 元，儿童票半价。周一闭馆！") == ["成人票 1,000 元", "儿童票半价", "周一闭馆"]
    assert clauses("It opens at 9:30. A ticket costs 3.5 yuan, a tour is free.") == [
        *("It opens at 9:30", "A ticket costs 3.5 yuan", "a tour is free")
    ]
    assert clauses("……") == []


def test_a_clause_is_borne_out_by_its_words_and_all_its_numbers() -> None:
    assert borne_out("成人票每张60元，儿童票每张20元，馆长是王敏。", ["成人票每张60元，儿童票每张30元。"]) == (
        True,
        False,
        False,
    )
    assert borne_out("The tour costs forty yuan. It lasts two days.", ["A guided tour costs forty yuan."]) == (
        True,
        False,
    )
    assert borne_out("随便说说。", []) == (False,)


def test_answers_are_counted_right_wrong_and_refused() -> None:
    def one(name: str, lang: str, unanswerable: bool, refused: bool, right: bool, failed: bool = False) -> Given:
        spoken = "en" if lang == "en" else "zh"
        said = () if refused else (True, right)
        return Given(name, spoken, unanswerable, refused, right, failed, said, {"total": 100.0})

    given = [one("1", "zh", False, False, True), one("2", "zh", False, True, False), one("3", "zh", True, True, False)]
    given += [one("4", "en", False, False, False), one("5", "en", True, False, False, failed=True)]
    text = answers.report(given).split("\n\n")[0]
    shares = [cell.split(" [")[0] for cell in cells(text, "zh")]
    assert shares == ["2", ".5000", ".0000", ".5000", "1", "1.0000", "1.0000", "0"]
    assert [cell.split(" [")[0] for cell in cells(text, "en")] == [
        "1",
        ".0000",
        "1.0000",
        ".0000",
        "0",
        "-",
        ".5000",
        "1",
    ]
    assert cells(answers.report(given).split("\n\n")[1], "all") == ["100 / 100"]
    assert [row["id"] for row in answers.as_json(given)["questions"]] == ["1", "2", "3", "4", "5"]


def test_columns_line_up_though_chinese_is_wide() -> None:
    rows = table(["名称", "R@1"], [["中文", ".9"], ["English", "1.0000"]]).splitlines()
    assert rows == ["| 名称    |    R@1 |", "|---------|-------:|", "| 中文    |     .9 |", "| English | 1.0000 |"]
