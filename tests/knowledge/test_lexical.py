"""BM25 against its formula, and the terms of both languages."""

import math
import random
import unicodedata
from typing import Literal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from knowledge.lexical import Counts, LexicalIndex, counted, question_terms, stem, terms
from knowledge.postings import freeze, key, keys

TEXTS = st.text(alphabet="海港馆票价open ticket 6", max_size=20)


def test_terms_fold_width_case_accents_and_digit_groups() -> None:
    assert terms("ＣＡＦÉ １，２８０元") == ["caf", "1280", "元"]
    assert terms("球幕") == ["球", "幕", "球幕"]
    assert terms("9:30–17:00") == ["9:30", "17:00"]


@given(st.text(max_size=12), st.sampled_from(["NFC", "NFD", "NFKC"]))
def test_terms_do_not_depend_on_how_a_text_is_composed(text: str, form: Literal["NFC", "NFD", "NFKC"]) -> None:
    assert terms(unicodedata.normalize(form, text)) == terms(text)


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
    scores = index.measure(set(terms(question)), list(slots)).scores
    expected = bm25([text for _, text in corpus], question) if any(map(terms, texts)) else [0.0] * len(corpus)
    np.testing.assert_allclose(scores, expected, rtol=1e-4, atol=1e-6)


def test_coverage_is_the_share_of_what_the_question_asks() -> None:
    index = LexicalIndex()
    both, half, none = (
        index.add(counted("whale skeleton")),
        index.add(counted("whale song")),
        index.add(counted("robot arm")),
    )
    wanted = question_terms("Where is the whale skeleton?")
    full, part, nothing = index.measure(wanted, [both, half, none]).coverages
    assert full == pytest.approx(1)
    assert 0.1 < part < 0.5
    assert nothing == 0
    assert index.search(wanted, 5).slots.tolist() == [both, half]
    idfs = index.idfs(terms("whale skeleton wifi"))
    assert sorted(idfs.values()) == list(idfs.values()), "the rarer the more"
    assert idfs == {term: index.idf(term) for term in idfs}
    [unknown] = index.measure(question_terms("whale wifi password"), [both]).coverages
    assert unknown < 0.25, "words that no passage has weigh most"


WORDS = st.sampled_from(
    ["海", "港", "馆", "票", "海港", "open", "ticket", "tickets", "门票价格", "6", "9:30", "planetarium"]
)
CORPUS = st.lists(st.lists(WORDS, max_size=8).map(" ".join), max_size=30)


def exact(corpus: dict[int, Counts], wanted: set[str]) -> dict[int, float]:
    """BM25 of every text, by the formula."""
    average = sum(counts.total() for counts in corpus.values()) / max(len(corpus), 1)
    scores = dict.fromkeys(corpus, 0.0)
    for term in wanted:
        having = [slot for slot, counts in corpus.items() if term in counts]
        idf = math.log(1 + (len(corpus) - len(having) + 0.5) / (len(having) + 0.5))
        for slot in having:
            frequency, length = corpus[slot][term], corpus[slot].total()
            scores[slot] += idf * frequency * 2.2 / (frequency + 1.2 * (0.25 + 0.75 * length / average))
    return scores


def check(index: LexicalIndex, corpus: dict[int, Counts], wanted: set[str], allowed: NDArray[np.bool_] | None) -> None:
    """Both doors of the index against the formula."""
    scores = exact(corpus, wanted)
    slots = list(corpus)
    np.testing.assert_allclose(index.measure(wanted, slots).scores, [scores[s] for s in slots], rtol=1e-4, atol=1e-6)
    found = index.search(wanted, 10, allowed)
    best = sorted((s for slot, s in scores.items() if s > 0 and (allowed is None or allowed[slot])), reverse=True)[:10]
    np.testing.assert_allclose(found.scores, best, rtol=1e-4)
    np.testing.assert_allclose(found.scores, [scores[slot] for slot in found.slots.tolist()], rtol=1e-4)
    assert len(set(found.slots.tolist())) == len(found.slots)
    assert allowed is None or allowed[found.slots].all()


@settings(max_examples=80, deadline=None)
@given(CORPUS, CORPUS, st.sets(st.integers(0, 59)), st.sets(st.integers(0, 59)), st.lists(WORDS, max_size=4), st.data())
def test_frozen_texts_and_single_ones_score_by_the_formula(
    first: list[str], later: list[str], gone: set[int], shut: set[int], question: list[str], data: st.DataObject
) -> None:
    index = LexicalIndex(freeze(map(counted, first)))
    corpus = dict(enumerate(map(counted, first)))
    for text in later:
        corpus[index.add(counted(text))] = counted(text)
    for slot in gone & corpus.keys():
        index.remove(slot)
        del corpus[slot]
    for text in data.draw(st.lists(st.sampled_from([*first, *later, "new 海港"]), max_size=5)):
        corpus[index.add(counted(text))] = counted(text)
    allowed = np.array([slot not in shut for slot in range(index.capacity)], np.bool_)
    wanted = set(terms(" ".join(question)))
    check(index, corpus, wanted, None)
    check(index, corpus, wanted, allowed)
    again = LexicalIndex(index.frozen())
    for slot in set(range(index.capacity)) - corpus.keys():
        again.remove(slot)
    check(again, corpus, wanted, allowed)


def test_terms_that_most_texts_have_score_by_the_formula_too() -> None:
    chance = random.Random(5)
    words = ["海港", "馆", "whale", "ticket", "星空", *(f"word{number}" for number in range(200))]

    def text() -> Counts:
        return counted(" ".join(chance.choices(words, [900, 700, 500, 300, 60, *[1] * 200], k=chance.randint(3, 30))))

    first = [text() for _ in range(4000)]
    index, corpus = LexicalIndex(freeze(first)), dict(enumerate(first))
    allowed = np.ones(8000, np.bool_)
    allowed[::3] = False
    questions = [set(terms(question)) for question in ("海港馆", "whale ticket 馆", "星空 word7", "word1 word2", "海")]
    for keep in (2500, 3200, 300):
        for wanted in questions:
            check(index, corpus, wanted, None)
            check(index, corpus, wanted, allowed)
        for slot in chance.sample(sorted(corpus), len(corpus) - keep):
            index.remove(slot)
            del corpus[slot]
        for _ in range(1000):
            counts = text()
            corpus[index.add(counts)] = counts
    check(LexicalIndex(freeze([])), {}, questions[0], None)


def test_a_term_that_has_as_many_characters_as_fit_its_key_and_more() -> None:
    names = ["a", "ab", "abc", "abcd", "abce", "馆", "馆海", "𠀀", "𠀀𪜀", "ａbcdefghijklmnopqrstuvwxyz"]
    assert len(set(keys(names).tolist())) == len(names)
    assert keys(names).tolist() == [key(name) for name in names]


def test_words_inside_chinese_are_terms_of_their_own() -> None:
    assert {"wifi", "密码", "密", "码"} <= set(terms("WiFi密码是什么")) and "x光" not in terms("X光片")
