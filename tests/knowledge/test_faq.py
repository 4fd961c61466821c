"""Curated answers: the same question in any spelling, a paraphrase on two signals only, and never the wrong day."""

import json
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from configs.home import current
from configs.language import Lang
from knowledge.alike import Sense, plain
from knowledge.documents import Curated, QuestionAnswer
from knowledge.faq import Answers

DATA = Path(__file__).parents[1] / "data"
TODAY = date(2026, 3, 4)
DAY = timedelta(days=1)


def curated(
    name: str, *questions: str, lang: Lang = "zh", since: date | None = None, until: date | None = None
) -> Curated:
    return Curated(name, QuestionAnswer(questions, f"answer {name}", since=since, until=until), lang)


def answers(*entries: Curated) -> Answers:
    result = Answers()
    for entry in entries:
        result.put(entry)
    return result


def asked(base: Answers, question: str, cosines: dict[str, float], today: date = TODAY) -> str | None:
    """`cosines` by the wordings' texts."""
    named = {text: name for name, text in base.wordings().items()}
    found = base.paraphrase(question, {named[text]: cosine for text, cosine in cosines.items()}, today)
    return found and found.id


@pytest.mark.parametrize(
    ("kept", "said"),
    [
        ("周一开门吗？", "周一开门吗"),
        ("周一开门吗？", "你好，请问周一开门嗎"),
        ("周一开门吗？", " 周一 开门 呢？？ "),
        ("退票收手续费吗", "退票收手續費嗎？"),
        ("您们的电话是多少", "你们的电话是多少啊"),
        ("几点关门", "请问一下，几点关门？谢谢"),
        ("停车１小时多少钱", "停车1小时多少钱"),
        ("WiFi密码是什么", "wifi 密码是什么"),
        ("What's the Wi-Fi password?", "what is the wifi password"),
        ("When do you open?", "Hello! Could you please tell me: when do you open"),
        ("Can't I bring my dog?", "can not I bring my dog"),
        ("How much is 1,000 yuan?", "how much is 1000 yuan, please?"),
    ],
)
def test_spelling_and_politeness_do_not_matter(kept: str, said: str) -> None:
    found = answers(curated("a", kept)).exact(said, TODAY)
    assert found is not None and found.entry.answer == "answer a"


@pytest.mark.parametrize(
    ("kept", "said"),
    [
        ("周一开门吗", "周日开门吗"),
        ("周一开门吗", "周一几点开门"),
        ("9:30开门吗", "930开门吗"),
        ("3.5折吗", "35折吗"),
        ("Are you open on Mondays?", "Are you closed on Mondays?"),
        ("Do you use C++?", "Do you use C?"),
        ("请", "你好"),
    ],
)
def test_another_question_is_not_the_same(kept: str, said: str) -> None:
    assert answers(curated("a", kept)).exact(said, TODAY) is None


@given(st.text())
def test_a_spelling_is_spelt_as_itself(text: str) -> None:
    once = plain(text)
    assert plain(plain(once)) == plain(once)
    Sense.of(text)


def test_an_entry_holds_on_its_days_both_included() -> None:
    base = answers(curated("gate", "西门开吗", since=TODAY, until=TODAY + DAY))
    days = [base.exact("西门开吗", TODAY + n * DAY) is not None for n in (-1, 0, 1, 2)]
    assert days == [False, True, True, False]


def test_of_several_in_force_the_one_that_holds_shortest_answers() -> None:
    base = answers(
        curated("until friday", "西门开吗？", until=TODAY + 2 * DAY),
        curated("always", "西门开吗"),
        curated("today", "西门开吗", since=TODAY, until=TODAY),
        curated("later", "西门开吗", since=TODAY + 9 * DAY),
    )
    by_day = {}
    for n in (0, 1, 3, 9):
        found = base.exact("西门开吗", TODAY + n * DAY)
        by_day[n] = found and found.id
    assert by_day == {0: "today", 1: "until friday", 3: "always", 9: "later"}


def test_of_two_that_hold_alike_the_last_put_answers() -> None:
    base = answers(curated("old", "几点开门"), curated("new", "几点开门"))
    assert base.exact("几点开门", TODAY) == curated("new", "几点开门")
    base.put(curated("old", "几点开门"))
    assert base.exact("几点开门", TODAY) == curated("old", "几点开门")


def test_entries_are_edited_while_hot() -> None:
    base = answers(curated("a", "几点开门", "几点营业"), curated("b", "几点营业"))
    assert sorted(base.wordings().values()) == ["几点开门", "几点营业"]
    kept = {text: name for name, text in base.wordings().items()}
    base.put(curated("a", "几点关门", "几点营业"))
    assert base.exact("几点开门", TODAY) is None and base.exact("几点关门", TODAY) is not None
    assert {text: name for name, text in base.wordings().items()}["几点营业"] == kept["几点营业"]
    assert base.remove("a") and not base.remove("a")
    assert base.wordings() == {kept["几点营业"]: "几点营业"} and len(base) == 1
    assert base.remove("b") and base.wordings() == {} and base.exact("几点营业", TODAY) is None


def test_edits_leave_what_building_anew_would() -> None:
    entries = [curated(str(n), f"第{n}个门在哪里", "门在哪里") for n in range(6)]
    edited = answers(*entries, curated("x", "票多少钱"))
    for name in ("1", "x", "4"):
        edited.remove(name)
    fresh = answers(*(entry for entry in entries if entry.id not in ("1", "4")))
    assert edited.wordings() == fresh.wordings()
    near = dict.fromkeys(fresh.wordings(), 0.99)
    for question in ("门在哪里", "票多少钱", "哪里有门", "第3个门在什么位置"):
        assert edited.exact(question, TODAY) == fresh.exact(question, TODAY)
        assert edited.paraphrase(question, near, TODAY) == fresh.paraphrase(question, near, TODAY)


@pytest.mark.parametrize(
    ("kept", "said"),
    [("停车场在哪里", "停车场在什么位置"), ("Is there a fee for refunds?", "Is there a refund fee?")],
)
def test_a_paraphrase_needs_words_and_vectors(kept: str, said: str) -> None:
    other = "球幕影院几点放映" if not kept.isascii() else "When does the film start?"
    base = answers(curated("a", kept), curated("b", other))
    assert asked(base, said, {kept: 0.98, other: 0.85}) == "a"
    assert asked(base, said, {kept: 0.9, other: 0.8}) is None, "too far"
    assert asked(base, said, {kept: 0.98, other: 0.975}) is None, "no lead"
    assert asked(base, said, {other: 0.99, kept: 0.9}) is None, "the two disagree"
    assert base.paraphrase(said, None, TODAY) is None and base.paraphrase(said, {}, TODAY) is None
    assert base.paraphrase(said, {"unknown": 1.0}, TODAY) is None


@pytest.mark.parametrize(
    ("kept", "said"),
    [
        ("周一开门吗", "周日开门吗"),
        ("周一开门吗", "周一几点开门"),
        ("周一开门吗", "周一不开门吗"),
        ("60岁以上老人免费吗", "70岁以上老人免费吗"),
        ("60岁以上老人免费吗", "60岁以下老人免费吗"),
        ("张医生什么时候出诊", "李医生什么时候出诊"),
        ("办理借书证要带什么", "补办借书证要带什么"),
        ("停车场在哪里", "停车场多少钱"),
        ("电话几点有人接", "PDF电话几点有人接"),
        ("Are you open on Mondays?", "Are you open on Sundays?"),
        ("Are you open on Mondays?", "Are you not open on Mondays?"),
        ("Is entry free for people over 60?", "Is entry free for people over seventy?"),
        ("When is Dr Zhang available?", "When is Dr Li available?"),
        ("Where is the car park?", "How much is the car park?"),
        ("Are you open in July?", "Are you open in August?"),
    ],
)
def test_what_contradicts_is_no_paraphrase_however_near(kept: str, said: str) -> None:
    assert asked(answers(curated("a", kept)), said, {kept: 0.999}) is None


def test_a_paraphrase_of_an_entry_past_its_day_is_left_to_retrieval() -> None:
    base = answers(curated("a", "西门今天开吗", until=TODAY - DAY), curated("b", "东门在哪里"))
    cosines = {"西门今天开吗": 0.99, "东门在哪里": 0.8}
    assert asked(base, "今天西门开吗", cosines, TODAY - DAY) == "a"
    assert asked(base, "今天西门开吗", cosines) is None


def test_entries_that_share_a_question_are_no_rivals() -> None:
    base = answers(curated("always", "西门今天开吗"), curated("now", "西门今天开吗？", "西门开吗", until=TODAY))
    cosines = {"西门今天开吗": 0.99, "西门今天开吗？": 0.985, "西门开吗": 0.98}
    assert asked(base, "今天西门开吗", cosines) == "now"
    assert asked(base, "今天西门开吗", cosines, TODAY + DAY) == "always"


@pytest.mark.packaged
@pytest.mark.parametrize(("lang", "recall"), [("zh", 0.65), ("en", 0.75)])
def test_of_our_own_pairs_no_near_miss_is_answered(lang: Lang, recall: float) -> None:
    """Each file: entries with wordings that ask the same and some that only look like it."""
    from knowledge.engines.e5 import E5

    rows = [json.loads(line) for line in (DATA / f"faq.{lang}.jsonl").read_text("utf-8").splitlines()]
    base = answers(*(curated(str(n), row["question"], lang=lang) for n, row in enumerate(rows)))
    embedder = E5(E5.Options(), current())
    names = list(base.wordings())
    vectors = embedder.embed(list(base.wordings().values()), "question")
    found: dict[str, list[tuple[str, bool]]] = {"same": [], "other": []}
    for n, row in enumerate(rows):
        for kind, outcomes in found.items():
            for question, vector in zip(row[kind], embedder.embed(row[kind], "question"), strict=True):
                near = dict(zip(names, map(float, vectors @ vector), strict=True))
                entry = base.exact(question, TODAY) or base.paraphrase(question, near, TODAY)
                outcomes.append((question, entry is not None))
                assert entry is None or (kind == "same" and entry.id == str(n)), question
    assert len(found["same"]) >= 60 and len(found["other"]) >= 60
    assert sum(answered for _, answered in found["same"]) >= recall * len(found["same"])
