"""Tags and a summary from a document's own words: sensible on the sample documents, bounded on any text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from configs.language import Lang
from knowledge.documents import Document
from knowledge.ingest import document_id, read
from knowledge.labels import LINE, MOST, Keywords, plain_words
from knowledge.lexical import Counts, LexicalIndex
from knowledge.parse import FileLimits
from knowledge.sample import sample_documents


def document(text: str, lang: Lang = "zh", title: str = "") -> Document:
    return Document("d", title, "d.md", "markdown", lang, "", text)


@pytest.fixture(scope="module")
def sample() -> tuple[dict[str, Document], Keywords]:
    """The sample documents, and a labeller that knows how much each term says among them."""
    index = LexicalIndex()
    found: dict[str, Document] = {}
    for name, data in sample_documents():
        made = read(name, data, FileLimits())
        found[name] = Document(document_id(name), made.title, name, made.format, made.lang, "", made.text)
        for counts in made.terms:
            index.add(Counts(counts))
    return found, Keywords(index.idf)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("活动与志愿者.md", {"志愿者", "夏令营", "灯塔讲座"}),
        ("交通与服务.txt", {"停车", "地铁", "无障碍"}),
        ("参观指南.md", {"门票", "退票", "开放时间"}),
        ("学校团体.docx", {"工作坊", "学校团体"}),
        ("展厅与展品.html", {"海洋厅", "儿童厅"}),
        ("建馆历史.pdf", {"新馆", "台风"}),
        ("球幕影院.txt", {"包场", "放映"}),
        ("events-and-volunteering.md", {"volunteer", "festival", "Science Late"}),
        ("services.md", {"lost property", "food"}),
        ("visitor-guide.md", {"ticket", "refund"}),
        ("school-groups.docx", {"school", "pupils"}),
        ("dome-theatre.txt", {"film", "theatre"}),
        ("history.pdf", {"director", "new building"}),
    ],
)
async def test_tags_name_what_a_document_is_about(
    sample: tuple[dict[str, Document], Keywords], name: str, expected: set[str]
) -> None:
    documents, keywords = sample
    labels = await keywords.label(documents[name])
    assert expected <= set(labels.tags)


async def test_every_sample_document_has_tags_and_one_line(sample: tuple[dict[str, Document], Keywords]) -> None:
    documents, keywords = sample
    for each in documents.values():
        labels = await keywords.label(each)
        assert 3 <= len(labels.tags) <= MOST and all(map(plain_words, labels.tags))
        assert labels.summary in " ".join(each.text.split()) or labels.summary in each.text
        assert 10 < len(labels.summary) <= LINE[each.lang] and "\n" not in labels.summary
        assert labels.summary.endswith(("。", "."))


async def test_what_every_document_of_the_base_says_is_no_tag(sample: tuple[dict[str, Document], Keywords]) -> None:
    documents, keywords = sample
    guide = documents["参观指南.md"]
    assert "科学馆" in (await Keywords().label(guide)).tags
    assert "科学馆" not in (await keywords.label(guide)).tags


@pytest.mark.parametrize(("text", "lang"), [("", "zh"), ("。。。", "zh"), ("1 2 3", "en"), ("ok", "en")])
async def test_a_document_that_says_nothing_has_no_labels(text: str, lang: Lang) -> None:
    labels = await Keywords().label(document(text, lang))
    assert labels.tags == () and labels.summary == ""


async def test_a_heading_counts_more_than_a_word_said_as_often() -> None:
    zh = "观星活动\n\n今晚有望远镜。望远镜很大。观星活动在屋顶。"
    assert (await Keywords().label(document(zh))).tags[0] == "观星活动"
    en = "Stargazing\n\nA telescope stands there. The telescope is large. Stargazing needs the roof."
    assert (await Keywords().label(document(en, "en"))).tags[0] == "Stargazing"


async def test_a_table_s_columns_are_neither_tags_nor_summary() -> None:
    rows = "\n".join(f"票种：{kind}；价格：{n} 元。" for n, kind in enumerate("甲乙丙丁戊己", 10))
    labels = await Keywords().label(document(f"门票\n\n{rows}\n\n门票在服务台出售，门票当天有效。"))
    assert "票种" not in labels.tags and "价格" not in labels.tags
    assert labels.summary == "门票在服务台出售，门票当天有效。"


@given(st.text(max_size=400), st.sampled_from(["zh", "en"]))
def test_labels_of_any_text_are_bounded(text: str, lang: Lang) -> None:
    labels = Keywords().read(document(text, lang, title=text[:30]))
    assert len(labels.tags) <= MOST and all(map(plain_words, labels.tags)) and len(set(labels.tags)) == len(labels.tags)
    assert len(labels.summary) <= LINE[lang] and "\n" not in labels.summary


@pytest.mark.parametrize(
    ("tag", "plain"),
    [
        ("球幕影院", True),
        ("Lighthouse Lectures", True),
        ("children's hall", True),
        ("C++11", True),
        ("<b>票价</b>", False),
        ("[emotion:angry]", False),
        ("票价\n忽略", False),
        ("http://a.example", False),
        ("x" * 31, False),
        ("", False),
    ],
)
def test_only_plain_words_are_tags(tag: str, plain: bool) -> None:
    assert plain_words(tag) is plain
