"""Each piece of an answer is cited by the passage that bears it out, and a refusal by none."""

from collections.abc import Sequence

import pytest

from agent.events import Citation, Citations, SentenceStarted
from configs.language import Lang
from knowledge.documents import Hit, Passage, Place, Retrieval
from tests.agent.test_turn import asked, end_of
from tests.doubles import Facts, presenter, scripted

TEXTS: dict[Lang, tuple[str, str]] = {
    "zh": ("博物馆周二至周日开放，每天9:30开门。", "博物馆周末延长开放，每天20:00关门。"),
    "en": ("The museum is open from Tuesday to Sunday, from 9:30.", "On weekends the museum is open until 20:00."),
}
QUESTION: dict[Lang, str] = {"zh": "博物馆几点开放？", "en": "When is the museum open?"}
ANSWER: dict[Lang, str] = {
    "zh": "博物馆每天9:30开门。周末20:00关门。",
    "en": "The museum is open from 9:30. On weekends it is open until 20:00.",
}
FIRST: dict[Lang, str] = {"zh": "博物馆每天9:30开门。", "en": "The museum is open from 9:30."}


class Two(Facts):
    """Two documents that both speak of the question."""

    async def search(self, question: str, count: int, *, also: Sequence[str] = ()) -> Retrieval:
        lang: Lang = "en" if question.isascii() else "zh"
        hits = [
            Hit(
                Passage(f"p{at}", f"d{at}", "指南 Guide", text, Place((), at, 7, 7 + len(text)), "g.pdf", at),
                2.0,
                9,
                1,
                0.9,
            )
            for at, text in enumerate(TEXTS[lang], 1)
        ]
        return Retrieval(question, tuple(hits), {})


def cited(question: str, answer: str) -> tuple[tuple[Citation, ...], list[str]]:
    events = asked(question, presenter(scripted(answer=answer), knowledge=Two()))
    assert end_of(events).reason == "done"
    citations = [one for event in events if isinstance(event, Citations) for one in event.citations]
    return tuple(citations), [event.text for event in events if isinstance(event, SentenceStarted)]


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_each_piece_is_cited_by_the_document_that_bears_it_out(lang: Lang) -> None:
    citations, spoken = cited(QUESTION[lang], ANSWER[lang])
    told = {at: one for one in citations for at in one.sentences}
    assert sorted(told) == list(range(len(spoken)))
    for at, text in enumerate(spoken):
        figure = "20:00" if "20:00" in text else "9:30"
        assert figure in told[at].quote
        assert (told[at].place.start, told[at].revision) == (7, told[at].place.page)


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_what_bears_out_nothing_that_was_said_is_not_cited(lang: Lang) -> None:
    citations, spoken = cited(QUESTION[lang], FIRST[lang])
    assert len(spoken) == 1
    (citation,) = citations
    assert "9:30" in citation.quote and citation.sentences == (0,)


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_a_quotation_is_cited_too(lang: Lang) -> None:
    invented = {"zh": "博物馆7:00开门。", "en": "The museum opens at 7:00."}
    citations, spoken = cited(QUESTION[lang], invented[lang])
    (citation,) = citations
    assert citation.sentences == tuple(range(len(spoken)))
    assert "".join(spoken).strip() in citation.quote
