"""Fusion of two rankings, and the shelf that serves it."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from knowledge.documents import Entry, Filter, Passage, Place
from knowledge.ingest import indexed
from knowledge.lexical import counted
from knowledge.retrieve import VECTORS, WORDS, Nearest, Ranking, Shelf, Wording, fuse

NUMBERS = st.lists(st.floats(-50, 50), min_size=1, max_size=30)


def passage(name: str, text: str, section: tuple[str, ...] = ()) -> Passage:
    return Passage(name, "d", "馆", text, Place(section, None, 0, len(text)))


def entry(document: str, passages: int) -> Entry:
    return Entry(document, "馆", f"{document}.md", "markdown", "zh", "", 0, passages)


def put(stand: Shelf, *passages: Passage, document: str = "d") -> None:
    stand.stock((one, counted(indexed(one))) for one in passages)
    stand.swap([], [(entry(document, len(passages)), passages)])


def shelf(**texts: str) -> Shelf:
    result = Shelf()
    put(result, *(passage(name, text) for name, text in texts.items()))
    return result


def search(stand: Shelf, question: str, count: int, nearest: Nearest | None = None) -> Ranking:
    return stand.search([Wording(question, nearest)], count)


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
    stand = shelf(bicycle="自行车停在东门外。", café="Coffee and noodles.")
    nearest = Nearest({"bicycle": 0.9, "café": 0.7}, lambda _: False)
    ranking = search(stand, "Where can I leave my bike?", 2, nearest)
    assert [(hit.passage.id, hit.lexical, hit.coverage, hit.dense) for hit in ranking.hits] == [
        ("bicycle", 0, 0, 0.9),
        ("café", 0, 0, 0.7),
    ]
    assert set(ranking.timings) == {"lexical", "fusion"}
    assert ranking.weights.keys() == {"leav", "bik"} and min(ranking.weights.values()) > 0


def test_a_passage_that_has_no_vector_yet_competes_by_its_words() -> None:
    stand = shelf(old="停车场有车位。", new="停车场收费每小时 8 元，停车一天最多 50 元。")
    found = search(stand, "停车收费", 2, Nearest({"old": 0.8}, lambda name: name == "new")).hits
    assert found[0].passage.id == "new" and found[0].dense is None
    assert found[1].dense == 0.8


def test_a_nearest_passage_that_was_just_removed_is_no_hit() -> None:
    stand = shelf(a="whale", b="robot")
    put(stand, passage("b", "robot"))
    found = search(stand, "whale", 5, Nearest({"a": 0.9, "b": 0.5}, lambda _: False)).hits
    assert [hit.passage.id for hit in found] == ["b"]
    stand.discard(["a", "b", "never there"])
    assert [hit.passage.id for hit in search(stand, "whale robot", 5).hits] == ["b"] and len(stand) == 1


def test_what_is_stocked_is_hidden_until_it_is_shown() -> None:
    stand = shelf(old="成人票 60 元。")
    new = passage("new", "成人票 80 元。")
    stand.stock([(new, counted(indexed(new)))])
    assert [hit.passage.id for hit in search(stand, "成人票", 5, Nearest({"new": 0.9, "old": 0.5}, bool)).hits] == [
        "old"
    ]
    stand.swap([], [(entry("d", 1), [new])])
    assert [hit.passage.id for hit in search(stand, "成人票", 5).hits] == ["new"] and len(stand) == 1
    stand.swap(["d"], [])
    assert search(stand, "成人票", 5).hits == () and len(stand) == 0


def test_the_heading_is_searched_with_the_text() -> None:
    stand = Shelf()
    put(stand, passage("p", "8 yuan an hour.", ("Parking",)), passage("t", "60 yuan for adults.", ("Tickets",)))
    assert search(stand, "parking", 1).hits[0].passage.id == "p"


def test_each_search_can_be_asked_alone() -> None:
    stand = shelf(words="whale whale whale", near="a large animal of the sea")
    nearest = Nearest({"near": 0.9, "words": 0.1}, lambda _: False)
    first = {
        name: stand.search([Wording("whale", nearest)], 1, mix=mix).hits[0].passage.id
        for name, mix in {"words": WORDS, "vectors": VECTORS}.items()
    }
    assert first == {"words": "words", "vectors": "near"}


def test_of_several_wordings_the_one_counts_that_suits_best() -> None:
    stand = shelf(a="成人票 60 元。", b="停车场有 240 个车位。", c="Coffee and noodles.")
    ranking = stand.search([Wording("那里呢？"), Wording("停车场 车位")], 2)
    assert ranking.hits[0].passage.id == "b" and {"停车", "车位"} <= ranking.weights.keys()


def test_a_passage_is_as_near_as_its_nearest_sentence() -> None:
    stand = shelf(long="A. B. C.", short="D.")
    told = {"long": np.array([0.1, 0.95, 0.2], np.float32), "short": np.array([0.8], np.float32)}
    whole = {"long": 0.5, "short": 0.8}
    first = search(stand, "x", 2, Nearest(whole, lambda _: False, lambda ids: {name: told[name] for name in ids})).hits
    assert [hit.passage.id for hit in first] == ["long", "short"]
    assert np.allclose(first[0].sentences, told["long"]) and first[0].dense == max(first[0].sentences)
    lacking = search(stand, "x", 2, Nearest(whole, lambda _: False, lambda ids: {"long": told["long"]})).hits
    assert [hit.passage.id for hit in lacking] == ["short", "long"] and lacking[1].dense == 0.5
    assert lacking[0].sentences == () and len(lacking[1].sentences) == 3


def test_what_says_the_same_is_told_once_unless_a_fact_differs() -> None:
    text = (
        "海港科学馆位于海港市东区，周二至周日开放，馆内设有六个展厅和一座球幕影院，成人票每张 60 元，儿童票每张 30 元。"
    )
    stand = shelf(a=text, b=text.replace("，", ", "), c=text.replace("60", "80"), d=text.replace("东区", "西区"))
    found = [hit.passage.id for hit in search(stand, "成人票", 9).hits]
    assert {"c", "d"} < set(found) and len({"a", "b"} & set(found)) == 1 and len(found) == 3


def test_a_filter_leaves_out_what_it_does_not_name() -> None:
    stand = shelf(a="whale one", b="whale two")
    put(stand, passage("other", "whale three"), document="e")
    only = Filter(documents=frozenset({"d"}), without=frozenset({"a", "never there"}))
    assert stand.allowed(only) == {"b"} and stand.allowed(Filter()) == {"a", "b", "other"}
    nearest = Nearest({"a": 0.9, "b": 0.8, "other": 0.95}, lambda _: False)
    assert [hit.passage.id for hit in stand.search([Wording("whale", nearest)], 9, only).hits] == ["b"]
