"""Fusion of two rankings, and the shelf that serves it."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from knowledge.documents import Passage, Place
from knowledge.retrieve import Nearest, Shelf, fuse, prepared

NUMBERS = st.lists(st.floats(-50, 50), min_size=1, max_size=30)


def passage(name: str, text: str, section: tuple[str, ...] = ()) -> Passage:
    return Passage(name, "d", "馆", text, Place(section, None, 0, len(text)))


def shelf(**texts: str) -> Shelf:
    result = Shelf()
    result.replace([], prepared(passage(name, text) for name, text in texts.items()))
    return result


@given(NUMBERS, st.floats(0.1, 9), st.floats(-9, 9))
def test_fusion_ignores_scale_and_offset(values: list[float], scale: float, offset: float) -> None:
    lexical = np.array(values)
    dense = lexical[::-1].copy()
    np.testing.assert_allclose(fuse(lexical, dense), fuse(lexical * scale + offset, dense), atol=1e-4)


@given(NUMBERS)
def test_without_vectors_the_words_decide(values: list[float]) -> None:
    lexical = np.array(values)
    fused = fuse(lexical, np.full(len(values), np.nan))
    assert np.isfinite(fused).all()
    order = np.argsort(lexical)
    assert (np.diff(fused[order]) >= -1e-9).all()


def test_what_has_no_vector_counts_its_words_twice() -> None:
    lexical = np.array([3.0, 2.0, 1.0])
    words = (lexical - 2) / lexical.std()
    np.testing.assert_allclose(fuse(lexical, np.array([np.nan, 0.2, 0.4])), [words[0], -0.5, 0.5 * words[2] + 0.5])


def test_a_meaning_that_shares_no_word_is_found() -> None:
    ranking = shelf(bicycle="自行车停在东门外。", café="Coffee and noodles.").search(
        "Where can I leave my bike?", 2, Nearest({"bicycle": 0.9, "café": 0.7}, lambda _: False)
    )
    assert [(hit.passage.id, hit.lexical, hit.coverage, hit.dense) for hit in ranking.hits] == [
        ("bicycle", 0, 0, 0.9),
        ("café", 0, 0, 0.7),
    ]
    assert set(ranking.timings) == {"lexical", "fusion"}
    assert ranking.weights.keys() == {"leav", "bik"} and min(ranking.weights.values()) > 0


def test_a_passage_that_has_no_vector_yet_competes_by_its_words() -> None:
    stand = shelf(old="停车场有车位。", new="停车场收费每小时 8 元，停车一天最多 50 元。")
    found = stand.search("停车收费", 2, Nearest({"old": 0.8}, lambda name: name == "new")).hits
    assert found[0].passage.id == "new" and found[0].dense is None
    assert found[1].dense == 0.8


def test_a_nearest_passage_that_was_just_removed_is_no_hit() -> None:
    stand = shelf(a="whale", b="robot")
    stand.replace(["a"], [])
    found = stand.search("whale", 5, Nearest({"a": 0.9, "b": 0.5}, lambda _: False)).hits
    assert [hit.passage.id for hit in found] == ["b"]


def test_the_heading_is_searched_with_the_text() -> None:
    stand = Shelf()
    stand.replace(
        [],
        prepared([passage("p", "8 yuan an hour.", ("Parking",)), passage("t", "60 yuan for adults.", ("Tickets",))]),
    )
    found = stand.search("parking", 1, None).hits
    assert found[0].passage.id == "p"
