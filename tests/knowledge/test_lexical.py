"""BM25 against its formula, and the terms of both languages."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from knowledge.lexical import LexicalIndex, counted, question_terms, stem, terms

TEXTS = st.text(alphabet="海港馆票价open ticket 6", max_size=20)


def test_terms_fold_width_case_accents_and_digit_groups() -> None:
    assert terms("ＣＡＦÉ １，２８０元") == ["caf", "1280", "元"]
    assert terms("球幕") == ["球", "幕", "球幕"]
    assert terms("9:30–17:00") == ["9:30", "17:00"]


@pytest.mark.parametrize(
    "family",
    [
        ("open", "opens", "opened", "opening"),
        ("ticket", "tickets", "ticket's"),
        ("price", "prices", "priced", "pricing"),
        ("stop", "stopped", "stopping"),
        ("gallery", "galleries"),
        ("bus", "buses"),
        ("lunch", "lunches"),
        ("glass", "glasses"),
    ],
)
def test_forms_of_a_word_share_their_stem(family: tuple[str, ...]) -> None:
    assert len({stem(word) for word in family}) == 1


@pytest.mark.parametrize(
    ("question", "about"),
    [
        ("请问停车场的收费是多少？", {"停", "车", "场", "停车", "车场", "收", "费", "收费"}),
        ("How much does the parking cost, please?", {"park", "cost"}),
        ("你是谁？", set(terms("你是谁"))),
        ("Who are you?", set(terms("who are you"))),
        ("🙂", set()),
    ],
)
def test_question_words_are_left_out_unless_nothing_else_is_left(question: str, about: set[str]) -> None:
    assert question_terms(question) == about


def bm25(corpus: list[str], question: str) -> list[float]:
    counts = [terms(text) for text in corpus]
    average = sum(map(len, counts)) / len(corpus)

    def one(document: list[str]) -> float:
        total = 0.0
        for term in set(terms(question)):
            having = sum(term in other for other in counts)
            idf = math.log(1 + (len(corpus) - having + 0.5) / (having + 0.5))
            frequency = document.count(term)
            total += idf * frequency * 2.2 / (frequency + 1.2 * (0.25 + 0.75 * len(document) / average))
        return total

    return [one(document) for document in counts]


@settings(max_examples=60, deadline=None)
@given(st.lists(TEXTS, min_size=1, max_size=12), st.lists(st.integers(0, 11), max_size=6), TEXTS)
def test_scores_after_additions_and_removals_are_those_of_a_fresh_index(
    texts: list[str], removed: list[int], question: str
) -> None:
    index = LexicalIndex()
    slots = {index.add(counted(text)): text for text in texts}
    for number in removed:
        if number in slots and len(slots) > 1:
            index.remove(number)
            del slots[number]
            slots[index.add(counted("馆 tickets"))] = "馆 tickets"
    corpus = list(slots.items())
    assert len(index) == len(corpus)
    scores = index.score(set(terms(question)))
    expected = bm25([text for _, text in corpus], question) if any(map(terms, texts)) else [0.0] * len(corpus)
    np.testing.assert_allclose([scores.slots[slot] for slot, _ in corpus], expected, rtol=1e-4, atol=1e-6)


def test_coverage_is_the_share_of_what_the_question_asks() -> None:
    index = LexicalIndex()
    both, half, none = (
        index.add(counted("whale skeleton")),
        index.add(counted("whale song")),
        index.add(counted("robot arm")),
    )
    scores = index.score(question_terms("Where is the whale skeleton?"))
    assert scores.shares[both] == pytest.approx(1)
    assert 0.1 < scores.shares[half] < 0.5
    assert scores.shares[none] == 0
    assert scores.best(5) == [both, half]
    unknown = index.score(question_terms("whale wifi password"))
    assert unknown.shares[both] < 0.25, "words that no passage has weigh most"
