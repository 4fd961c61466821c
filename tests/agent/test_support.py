"""More of the question in the passages is more support; a figure or a name that is not there is less."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.asked import Asked
from agent.evidence import candidates, leaves_of
from agent.support import BY_WORDS, SCALES, WITH_VECTORS, measures, support
from configs.language import Lang
from knowledge.documents import Hit, Passage, Place, Retrieval
from knowledge.retrieve import Wording
from tests.agent.test_grounding import SHELVES

ABOUT: dict[Lang, tuple[str, str]] = {
    "zh": ("成人票多少钱？", "馆长林若海哪一年创建科学馆？"),
    "en": ("How much is an adult ticket?", "In which year was the museum founded by Lin Ruohai?"),
}

E5 = "multilingual-e5-small-q4"


def found(question: str, lang: Lang) -> Retrieval:
    ranking = SHELVES[lang].search([Wording(question)], 6)
    return Retrieval(question, ranking.hits, ranking.timings, None, ranking.weights)


def near(retrieval: Retrieval, *similarities: float) -> Retrieval:
    """With similarities for the first hits, and less and less for the others."""
    values = [*similarities, *(similarities[-1] - 0.001 * at for at in range(9))]
    hits = tuple(replace(hit, dense=value) for hit, value in zip(retrieval.hits, values, strict=False))
    return replace(retrieval, hits=hits, embedder=E5)


def supported(retrieval: Retrieval, lang: Lang) -> float:
    asked = Asked.of(retrieval.question, lang, retrieval.weights)
    leaves = leaves_of(asked, retrieval)
    return support(asked, leaves, candidates(asked, leaves)[0], SCALES.get(retrieval.embedder))


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_what_stands_there_has_more_support_than_what_does_not(lang: Lang) -> None:
    absent = {"zh": "成人票能用外币付吗？", "en": "Can an adult ticket be paid in foreign money?"}
    for question in ABOUT[lang]:
        assert supported(found(question, lang), lang) > supported(found(absent[lang], lang), lang)


@pytest.mark.parametrize(
    ("lang", "told", "other"),
    [
        ("zh", "1987年是谁创建科学馆的？", "1955年是谁创建科学馆的？"),
        ("en", "Who founded the museum in 1987?", "Who founded the museum in 1955?"),
    ],
)
def test_a_year_that_is_not_there_costs_support(lang: Lang, told: str, other: str) -> None:
    assert supported(found(told, lang), lang) > supported(found(other, lang), lang) + 0.2


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_a_passage_that_stands_out_has_more_support_than_one_among_likes(lang: Lang) -> None:
    retrieval = found(ABOUT[lang][0], lang)
    assert supported(near(retrieval, 0.91, 0.84), lang) > supported(near(retrieval, 0.84, 0.84), lang)


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_vectors_are_weighed_only_where_every_passage_has_one(lang: Lang) -> None:
    words = found(ABOUT[lang][1], lang)
    some = near(words, 0.9)
    half = replace(some, hits=(some.hits[0], *(replace(hit, dense=None) for hit in some.hits[1:])))
    assert supported(half, lang) == supported(words, lang) != supported(some, lang)


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_similarities_of_another_embedder_are_not_weighed(lang: Lang) -> None:
    words = found(ABOUT[lang][0], lang)
    assert supported(replace(near(words, 0.2, 0.1), embedder="another"), lang) == supported(words, lang)


def test_every_weight_is_of_a_measure() -> None:
    retrieval = near(found(ABOUT["en"][0], "en"), 0.9)
    asked = Asked.of(retrieval.question, "en", retrieval.weights)
    leaves = leaves_of(asked, retrieval)
    told = measures(asked, leaves, candidates(asked, leaves)[0], SCALES[E5])
    assert set(told) == set(WITH_VECTORS) >= set(BY_WORDS)


@given(
    st.text(min_size=1, max_size=60),
    st.text(min_size=1, max_size=200),
    st.floats(-1, 1) | st.none(),
    st.floats(0, 100),
    st.sampled_from(["zh", "en"]),
)
def test_support_is_a_chance_whatever_is_asked_of_whatever(
    question: str, text: str, dense: float | None, lexical: float, lang: Lang
) -> None:
    passage = Passage("p", "d", "参观指南 Guide", text, Place((), None, 0, len(text)))
    retrieval = Retrieval(question, (Hit(passage, 1.0, lexical, 0.5, dense),), {})
    asked = Asked.of(question, lang, {})
    leaves = leaves_of(asked, retrieval)
    for candidate in candidates(asked, leaves)[:1]:
        assert 0 <= support(asked, leaves, candidate, SCALES[E5]) <= 1
