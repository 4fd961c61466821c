"""Measures of rankings and decisions, and their intervals."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.evaluation.bootstrap import estimates
from knowledge.evaluation.measures import auroc, curve, keeping, ndcg, percentile, ranks, recall, reciprocal_rank

SUPPORTS = st.lists(st.integers(0, 8).map(float), min_size=1, max_size=30)


def test_a_tie_counts_against_us() -> None:
    assert ranks({"a": 3.0, "gold": 3.0, "b": 3.0, "c": 1.0}, {"gold"}) == [3]
    assert ranks({"gold": 3.0, "a": 2.0}, {"gold"}) == [1]
    assert ranks({"a": 2.0}, {"gold"}) == []


def test_several_right_passages_do_not_stand_in_each_others_way() -> None:
    assert ranks({"a": 9.0, "x": 8.0, "y": 8.0, "b": 7.0}, {"x", "y"}) == [2, 3]


@given(st.dictionaries(st.text(max_size=3), st.integers(0, 4).map(float), max_size=12), st.sets(st.text(max_size=3)))
def test_ranks_ascend_and_no_ranking_that_prefers_us_is_better(scores: dict[str, float], gold: set[str]) -> None:
    found = ranks(scores, gold)
    assert found == sorted(set(found)) and len(found) == len(gold & scores.keys())
    ordered = sorted(scores, key=lambda name: (-scores[name], name not in gold))
    assert all(rank > ordered.index(name) for rank, name in zip(found, filter(gold.__contains__, ordered), strict=True))


def test_measures_of_one_question() -> None:
    assert (recall([2], 1), recall([2], 5), recall([], 5)) == (0, 1, 0)
    assert (reciprocal_rank([4, 5]), reciprocal_rank([11]), reciprocal_rank([])) == (0.25, 0, 0)
    assert ndcg([1], 1) == 1 and ndcg([3], 1) == pytest.approx(0.5) and ndcg([], 1) == 0 and ndcg([11], 1) == 0
    assert ndcg([1, 2], 2) == 1 and ndcg([1], 2) == pytest.approx(1 / (1 + 1 / math.log2(3)))


@given(SUPPORTS, SUPPORTS)
def test_auroc_is_the_share_of_pairs_in_the_right_order(known: list[float], unknown: list[float]) -> None:
    pairs = [(a > b) + 0.5 * (a == b) for a in known for b in unknown]
    assert auroc(known, unknown) == pytest.approx(sum(pairs) / len(pairs))
    assert math.isnan(auroc(known, []))


@given(SUPPORTS, SUPPORTS)
def test_each_point_of_the_curve_does_what_it_says(known: list[float], unknown: list[float]) -> None:
    points = curve(known, unknown)
    for point in points:
        assert point.kept == pytest.approx(sum(one >= point.threshold for one in known) / len(known))
        assert point.through == pytest.approx(sum(one >= point.threshold for one in unknown) / len(unknown))
    strictest = keeping(points, 0.9)
    assert strictest is not None and strictest.kept >= 0.9
    assert all(point.kept < 0.9 for point in points if point.threshold > strictest.threshold)


def test_an_interval_narrows_with_more_questions_and_holds_the_mean() -> None:
    few, many = (np.tile([[1.0], [0.0], [1.0], [1.0]], (count, 1)) for count in (5, 100))
    (wide,), (narrow,) = estimates(few), estimates(many)
    assert wide.mean == narrow.mean == 0.75
    assert wide.low < narrow.low < 0.75 < narrow.high < wide.high
    # the normal approximation of a share's interval
    assert narrow.high - narrow.low == pytest.approx(2 * 1.96 * math.sqrt(0.75 * 0.25 / 400), rel=0.1)


def test_a_paired_difference_is_clear_where_unpaired_means_overlap() -> None:
    chance = np.random.default_rng(1)
    before = chance.integers(0, 2, 300).astype(float)
    after = before.copy()
    after[np.flatnonzero(before == 0)[:12]] = 1
    gain, one, other = estimates(np.column_stack([after - before, after, before]))
    assert gain.clear and gain.low > 0 and one.low < other.high
    (same,) = estimates((after - after).reshape(-1, 1))
    assert not same.clear


def test_nothing_to_count_is_not_a_number() -> None:
    (none,) = estimates(np.zeros((0, 1)))
    assert math.isnan(none.mean) and not none.clear and math.isnan(percentile([], 0.5))
