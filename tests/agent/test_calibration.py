"""A base's threshold comes from its own sentences, asked with their passages there and hidden."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.calibration import (
    HIGHEST,
    LOWEST,
    MOST,
    THROUGH,
    Calibration,
    calibrate,
    choose,
    clozes,
    recalibrate,
    recall,
)
from agent.grounding import ENOUGH, Grounding
from configs.language import Lang
from knowledge.documents import ANYTHING, Filter, Passage, Retrieval
from knowledge.retrieve import Wording
from tests import virtual
from tests.agent.test_grounding import SHELVES


@pytest.mark.parametrize(("lang", "asks"), [("zh", "多少"), ("en", "how many")])
def test_a_sentence_becomes_a_question_that_does_not_tell_its_answer(lang: Lang, asks: str) -> None:
    passages = SHELVES[lang].passages()
    asked = clozes(passages)
    assert {one.passage for one in asked} <= {passage.id for passage in passages}
    assert any(asks in one.question for one in asked)
    for one in asked:
        text = next(passage.text for passage in passages if passage.id == one.passage)
        assert one.answer in text and one.answer not in one.question and one.lang == lang


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_questions_are_the_same_in_every_run_and_bounded(lang: Lang) -> None:
    passages = SHELVES[lang].passages()
    assert clozes(passages) == clozes(passages[::-1])
    assert clozes(passages, 1) == clozes(passages)[:1]
    assert MOST <= 200


@pytest.mark.parametrize("lang", ["zh", "en"])
async def test_every_question_is_asked_with_its_passage_there_and_hidden(lang: Lang) -> None:
    asked: list[tuple[str, Filter]] = []

    async def search(question: str, only: Filter) -> Retrieval:
        asked.append((question, only))
        found = SHELVES[lang].search([Wording(question)], 6, only)
        return Retrieval(question, found.hits, found.timings, None, found.weights)

    passages = SHELVES[lang].passages()
    calibration = await calibrate(search, passages, Grounding())
    hidden = {one.passage for one in clozes(passages)}
    assert {identifier for _, only in asked for identifier in only.without} == hidden
    assert sum(not only.without for _, only in asked) == len(hidden)
    assert calibration.kept > calibration.through
    assert Calibration.read(calibration.note()) == calibration


class Base:
    """A base that is the museum's shelf."""

    embedder = "letters"

    def __init__(self, lang: Lang) -> None:
        self.lang: Lang = lang
        self.notes: dict[str, str] = {}
        self.enough: float | None = None

    async def search(self, question: str, count: int, *, only: Filter = ANYTHING) -> Retrieval:
        found = SHELVES[self.lang].search([Wording(question)], count, only)
        return Retrieval(question, found.hits, found.timings, None, found.weights)

    async def passages(self) -> list[Passage]:
        return SHELVES[self.lang].passages()

    async def note(self, key: str) -> str | None:
        return self.notes.get(key)

    async def set_note(self, key: str, value: str) -> None:
        self.notes[key] = value

    def calibrate(self, enough: float, embedder: str) -> None:
        assert embedder == self.embedder
        self.enough = enough


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_what_was_fitted_is_kept_with_the_base_and_found_again(lang: Lang) -> None:
    async def go() -> None:
        base = Base(lang)
        assert await recall(base) is None and base.enough is None
        fitted = await recalibrate(base, Grounding(), 6)
        assert base.enough == fitted.enough
        base.enough = None
        assert await recall(base) == fitted and base.enough == fitted.enough

    virtual.run(go())


async def test_what_was_kept_before_embedders_were_told_apart_holds_for_the_one_that_answers() -> None:
    base = Base("zh")
    base.notes["calibration"] = '{"enough":0.44,"asked":90,"kept":0.9,"through":0.1}'
    assert await recall(base) is not None and base.enough == 0.44


async def test_an_empty_base_keeps_the_shipped_threshold() -> None:
    async def search(question: str, only: Filter) -> Retrieval:
        raise AssertionError("there is nothing to ask")

    assert (await calibrate(search, [], Grounding())).enough == ENOUGH


@pytest.mark.parametrize("note", [None, "", "{", "[]", '{"enough": 0.5}', '"text"'])
def test_a_note_that_cannot_be_read_is_no_calibration(note: str | None) -> None:
    assert Calibration.read(note) is None


@given(st.lists(st.floats(0, 1), max_size=300), st.lists(st.floats(0, 1), max_size=300))
def test_the_threshold_stays_within_its_bounds(answerable: list[float], left_out: list[float]) -> None:
    count = min(len(answerable), len(left_out))
    assert LOWEST <= choose(answerable[:count], left_out[:count]).enough <= HIGHEST


def test_the_more_is_let_through_the_stricter_and_the_more_is_asked_the_more_it_counts() -> None:
    answerable, harder, easier = [0.9] * 100, [0.5] * 100, [0.2] * 100
    assert choose(answerable, easier).enough < ENOUGH < choose(answerable, harder).enough
    assert choose(answerable, harder).enough < choose(answerable * 9, harder * 9).enough
    many = choose([0.9] * 1000, [0.1] * 950 + [0.6] * 50)
    assert many.through <= THROUGH and many.kept == 1.0
