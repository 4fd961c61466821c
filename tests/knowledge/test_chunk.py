"""Passages: complete, small, whole sentences, under the right headings."""

from hypothesis import given
from hypothesis import strategies as st

from knowledge.chunk import Sizes, passages, tokens
from knowledge.sentences import sentences
from knowledge.structure import Draft, Kind, Parsed

SENTENCES = st.sampled_from(
    [
        "海港科学馆周二至周日开放。",
        "成人票六十元，学生票三十元，七十岁以上的老人和六岁以下的儿童凭证件免费入馆。",
        "The last entry is at 16:30.",
        "Children under twelve must be with an adult, and one adult may bring at most three of them to the halls.",
        "停车前 30 分钟免费！",
    ]
)
BLOCKS = st.lists(
    st.tuples(
        st.sampled_from(["heading", "paragraph", "item", "row", "code"]),
        st.lists(SENTENCES, min_size=1, max_size=12),
        st.integers(1, 4),
    ),
    max_size=25,
)


def draft(blocks: list[tuple[Kind, list[str], int]]) -> Parsed:
    result = Draft()
    for kind, content, level in blocks:
        result.add(kind, " ".join(content[:1] if kind == "heading" else content), level if kind == "heading" else 0)
    return result.parsed("title")


@given(BLOCKS)
def test_every_sentence_is_whole_in_one_small_passage(blocks: list[tuple[Kind, list[str], int]]) -> None:
    parsed = draft(blocks)
    places = passages(parsed)
    texts = [parsed.text[place.start : place.end] for place in places]
    assert all(tokens(text) <= Sizes().most for text in texts)
    assert all(left.end <= right.start for left, right in zip(places, places[1:], strict=False))
    body = [s for kind, content, _ in blocks if kind != "heading" for s in sentences(" ".join(content))]
    headings = {block.start for block in parsed.blocks if block.kind == "heading"}
    inside = [parsed.text[place.start : place.end] for place in places if place.start not in headings]
    assert [sentence for text in inside for sentence in sentences(text)] == body


@given(BLOCKS)
def test_no_heading_is_lost(blocks: list[tuple[Kind, list[str], int]]) -> None:
    parsed = draft(blocks)
    places = passages(parsed)
    known = {name for place in places for name in place.section} | {parsed.text[p.start : p.end] for p in places}
    assert {parsed.text[b.start : b.end] for b in parsed.blocks if b.kind == "heading"} <= known


def test_the_section_is_the_path_of_headings() -> None:
    blocks: list[tuple[Kind, list[str], int]] = [
        *(("heading", ["馆"], 1), ("heading", ["门票"], 2), ("paragraph", ["A."], 0), ("heading", ["Hours"], 2)),
        *(("heading", ["Summer"], 3), ("row", ["B."], 0), ("heading", ["Contact"], 1), ("paragraph", ["C."], 0)),
    ]
    parsed = draft(blocks)
    assert [place.section for place in passages(parsed)] == [("馆", "门票"), ("馆", "Hours", "Summer"), ("Contact",)]


def test_an_endless_sentence_is_cut_at_a_comma() -> None:
    clause = "这一句话没有句号，"
    parsed = draft([("paragraph", [clause * 200], 0)])
    texts = [parsed.text[place.start : place.end] for place in passages(parsed)]
    assert "".join(texts) == clause * 200
    assert all(text.endswith("，") and tokens(text) <= Sizes().most for text in texts)
