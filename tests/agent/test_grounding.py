"""Refuse before the model, check after it."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.asked import Asked
from agent.evidence import candidates, gather, leaves_of
from agent.grounding import Checker, Evidence, Grounding, Supported, Unsupported
from configs.language import Lang, detect
from knowledge.documents import Entry, Hit, Passage, Place, Retrieval
from knowledge.ingest import indexed
from knowledge.lexical import counted
from knowledge.retrieve import Shelf, Wording
from tests.doubles import Facts

MUSEUM: dict[Lang, list[tuple[str, str]]] = {
    "zh": [
        ("门票", "成人票每张60元，儿童票每张30元。70岁及以上老人免费。团体票须提前三天预约。"),
        ("开放时间", "科学馆周二至周日开放，9:30 开门，17:30 闭馆。周一闭馆维护。"),
        ("参观须知", "宠物不能入馆，导盲犬除外。展厅内不能饮食。"),
        ("人员", "首任馆长林若海1987年创建科学馆。现任馆长许静2016年上任。"),
    ],
    "en": [
        (
            "Tickets",
            "An adult ticket costs 60 yuan and a child ticket costs 30 yuan. People aged 70 and over enter free.",
        ),
        ("Opening hours", "We open at 9:30 and close at 17:30, Tuesday to Sunday. The museum is closed on Mondays."),
        ("House rules", "Pets stay outside; guide dogs are welcome. Please do not eat in the halls."),
        ("People", "Lin Ruohai, the first director, founded the museum in 1987. Xu Jing has been director since 2016."),
    ],
}


def shelved(passages: Sequence[tuple[str, str]]) -> Shelf:
    shelf = Shelf()
    made = [_passage(number, *one) for number, one in enumerate(passages)]
    shelf.stock((passage, counted(indexed(passage))) for passage in made)
    entry = Entry("guide", "参观指南 Visitor guide", "guide.md", "markdown", "zh", "", 0, len(made))
    shelf.swap([], [(entry, made)])
    return shelf


def _passage(number: int, section: str, text: str) -> Passage:
    place = Place((section,), None, 100, 100 + len(text))
    return Passage(f"p{number}", "guide", "参观指南 Visitor guide", text, place, "guide.md")


SHELVES = {lang: shelved(passages) for lang, passages in MUSEUM.items()}


def retrieved(question: str) -> Retrieval:
    found = SHELVES[detect(question) or "en"].search([Wording(question)], 6)
    return Retrieval(question, found.hits, found.timings, None, found.weights)


def judged(question: str) -> Supported | Unsupported:
    return Grounding().judge(question, detect(question) or "en", retrieved(question))


def checker(question: str) -> Checker:
    verdict = judged(question)
    assert isinstance(verdict, Supported)
    return Checker(verdict.evidence, question, detect(question) or "en")


def answered(question: str, *pieces: str) -> str:
    check = checker(question)
    said = [text for piece in pieces if (text := check.feed(piece)) is not None]
    return "".join([*said, check.finish() or ""])


@pytest.mark.parametrize(
    ("question", "quoted"),
    [
        ("成人票多少钱？", "成人票每张60元"),
        ("星期一开门吗？", "周一闭馆维护"),
        ("你们几点关门？", "17:30 闭馆"),
        ("可以带宠物进去吗？", "宠物不能入馆"),
        ("我奶奶75岁，要买票吗？", "70岁及以上老人免费"),
        ("馆长叫什么名字？", "许静"),
        ("How much is an adult ticket?", "60 yuan"),
        ("Are you open on Mondays?", "closed on Mondays"),
        ("What time do you close?", "17:30"),
        ("Are pets welcome?", "Pets stay outside"),
        ("My father is 75, does he need a ticket?", "aged 70 and over"),
        ("Who is the director of the museum?", "Xu Jing"),
    ],
)
def test_what_the_documents_say_is_supported_and_quoted(question: str, quoted: str) -> None:
    verdict = judged(question)
    assert isinstance(verdict, Supported)
    assert quoted in verdict.evidence.quotation
    assert quoted in verdict.evidence.text


@pytest.mark.parametrize(
    "question",
    [
        "无线网络的密码是什么？",
        "馆长的工资是多少？",
        "附近有什么酒店？",
        "恐龙展厅在几楼？",
        "澳大利亚的首都是哪里？",
        "What is the Wi-Fi password?",
        "What is the director's salary?",
        "Can you recommend a hotel nearby?",
        "On which floor is the dinosaur hall?",
        "What is the capital of Australia?",
    ],
)
def test_what_they_do_not_say_is_refused(question: str) -> None:
    assert isinstance(judged(question), Unsupported)


def test_without_passages_every_question_is_refused() -> None:
    assert isinstance(Grounding().judge("成人票多少钱？", "zh", Retrieval("", (), {})), Unsupported)


def test_citations_are_the_passages_own_words_in_their_place() -> None:
    verdict = judged("成人票多少钱？")
    assert isinstance(verdict, Supported)
    (citation, *_) = verdict.evidence.citations
    text = MUSEUM["zh"][0][1]
    assert text[citation.place.start - 100 : citation.place.end - 100] == citation.quote
    assert (citation.document, citation.source) == ("guide", "guide.md")


@pytest.mark.parametrize(
    ("question", "piece"),
    [
        ("成人票多少钱？", "成人票的价格是60元。"),
        ("成人票多少钱？", "60元"),
        ("你们几点关门？", "我们下午五点半闭馆。"),
        ("How much is an adult ticket?", "An adult ticket costs sixty yuan."),
        ("What time do you close?", "The museum closes at 5:30 p.m."),
        ("Who is the director of the museum?", "The director is Xu Jing."),
    ],
)
def test_what_the_evidence_bears_out_is_said_as_the_model_put_it(question: str, piece: str) -> None:
    assert answered(question, piece) == piece


@pytest.mark.parametrize(
    ("question", "pieces"),
    [
        ("成人票多少钱？", ["成人票每张80元。"]),
        ("成人票多少钱？", ["儿童票每张30元。"]),
        ("成人票多少钱？", ["30元"]),
        ("成人票多少钱？", ["资料中没有提到。"]),
        ("成人票多少钱？", ["成人票多少钱？"]),
        ("成人票多少钱？", ["成人票由 Ticketmaster 出售。"]),
        ("可以带宠物进去吗？", ["可以"]),
        ("可以带宠物进去吗？", ["可以，", "带宠物可以进去。"]),
        ("星期一开门吗？", ["是的，", "星期一 9:30 开门。"]),
        ("馆长叫什么名字？", ["馆长叫张伟。"]),
        ("How much is an adult ticket?", ["An adult ticket costs 80 yuan."]),
        ("How much is an adult ticket?", ["30 yuan"]),
        ("How much is an adult ticket?", ["The text does not mention it."]),
        ("Are pets welcome?", ["Yes, pets are welcome."]),
        ("Are you open on Mondays?", ["Yes, we are open on Mondays."]),
        ("Who is the director of the museum?", ["The director is Lin Ruohai."]),
        ("Who is the director of the museum?", ["The director is John Smith."]),
    ],
)
def test_what_it_does_not_bear_out_gives_way_to_a_quotation(question: str, pieces: list[str]) -> None:
    verdict = judged(question)
    assert isinstance(verdict, Supported)
    assert answered(question, *pieces) == verdict.evidence.quotation


def test_a_silent_model_gives_way_to_a_quotation() -> None:
    assert answered("成人票多少钱？") == "成人票每张60元，儿童票每张30元。"


def test_the_answer_ends_where_invention_begins() -> None:
    said = answered("成人票多少钱？", "成人票每张60元。", "馆内还有一座游泳池，", "水温28度。")
    assert said == "成人票每张60元。"


def test_preambles_and_list_marks_are_dropped() -> None:
    assert answered("成人票多少钱？", "根据资料，", "成人票每张60元。") == "成人票每张60元。"
    assert answered("How much is an adult ticket?", "- According to the text, an adult ticket costs 60 yuan.").endswith(
        "an adult ticket costs 60 yuan."
    )


def test_a_model_that_repeats_itself_is_heard_once() -> None:
    assert answered("成人票多少钱？", *["成人票每张60元。"] * 4) == "成人票每张60元。"


@pytest.mark.parametrize("question", ["成人票多少钱？", "How much is an adult ticket?"])
def test_a_base_answers_from_its_own_threshold(question: str) -> None:
    found = retrieved(question)
    lang = detect(question) or "en"
    support = Grounding().judge(question, lang, found).support
    assert isinstance(Grounding().judge(question, lang, replace(found, enough=support - 0.01)), Supported)
    assert isinstance(Grounding().judge(question, lang, replace(found, enough=support + 0.01)), Unsupported)


@pytest.mark.parametrize("question", ["成人票多少钱？", "How much is an adult ticket?"])
def test_the_evidence_is_sure_only_well_above_the_threshold(question: str) -> None:
    lang = detect(question) or "en"
    support = Grounding().judge(question, lang, retrieved(question)).support
    sure, unsure = Grounding(support / 3), Grounding(support - 0.01)
    for grounding, expected in ((sure, True), (unsure, False)):
        verdict = grounding.judge(question, lang, retrieved(question))
        assert isinstance(verdict, Supported) and verdict.sure is expected


@pytest.mark.parametrize(
    ("question", "invented", "said"),
    [
        ("成人票多少钱？", "成人票每张80元。", "成人票每张60元。"),
        ("How much is an adult ticket?", "An adult ticket costs 80 yuan.", "An adult ticket costs 60 yuan."),
    ],
)
def test_where_the_evidence_is_not_sure_an_unfounded_answer_is_a_refusal(
    question: str, invented: str, said: str
) -> None:
    def check(*pieces: str) -> tuple[Checker, str]:
        verdict = judged(question)
        assert isinstance(verdict, Supported)
        checker = Checker(verdict.evidence, question, detect(question) or "en", "(refused)")
        taken = [checker.feed(piece) or "" for piece in pieces]
        return checker, "".join([*taken, checker.finish() or ""])

    for pieces in ([invented], []):
        checker, answer = check(*pieces)
        assert (answer, checker.refused, checker.origin) == ("(refused)", True, None)
    for pieces in ([said], [said, invented]):
        checker, answer = check(*pieces)
        assert (answer, checker.refused, checker.origin) == (said, False, 0)


@given(st.lists(st.text(max_size=30), max_size=6), st.sampled_from(["成人票多少钱？", "How much is an adult ticket?"]))
def test_no_figure_is_ever_said_that_the_evidence_does_not_have(pieces: list[str], question: str) -> None:
    said = answered(question, *pieces, "9999")
    assert "9999" not in said
    assert said.strip()


@pytest.mark.parametrize(
    ("lang", "question", "learnt", "true", "false"),
    [
        ("zh", "成人票多少钱？", "今天海港市晴，气温25度。", "今天气温25度。", "成人票每张25元。"),
        ("en", "How much is an adult ticket?", "It is 25 degrees and sunny.", "It is 25 degrees.", "It costs 25 yuan."),
    ],
)
def test_a_figure_that_a_tool_gave_is_not_what_the_documents_tell_another_of(
    lang: Lang, question: str, learnt: str, true: str, false: str
) -> None:
    asked, text = Asked.of(question, lang, {}), Facts.TEXT[lang]
    passage = Passage("p", "d", "T", text, Place((), None, 0, len(text)))
    leaves = leaves_of(asked, Retrieval(question, (Hit(passage, 1.0, 1.0, 1.0, 0.9),), {}))
    evidence = gather(asked, leaves, candidates(asked, leaves))
    for said, kept in ((true, True), (false, False)):
        check = Checker(evidence, question, lang)
        check.learn([learnt])
        assert (check.feed(said) == said) == kept


@pytest.mark.parametrize(
    ("lang", "question", "learnt"),
    [("zh", "请把灯打开", "灯打开了。"), ("en", "Turn the light on.", "The light is on.")],
)
def test_what_a_tool_says_it_did_may_be_said_though_it_repeats_the_question(
    lang: Lang, question: str, learnt: str
) -> None:
    asked = Asked.of(question, lang, {})
    for told in ((), (learnt,)):
        check = Checker(Evidence.nothing(asked), question, lang, "refused")
        check.learn(told)
        assert check.feed(learnt) == (learnt if told else None)
        assert check.finish() == (None if told else "refused")
