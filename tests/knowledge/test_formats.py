"""Every format and encoding gives up its facts, where they stand (`python -m tests.knowledge.format_table`)."""

from datetime import date

import orjson
import pytest

from knowledge.documents import Document, DocumentError, QuestionAnswer
from knowledge.formats.xlsx import shown_number
from knowledge.ingest import Reading, document_id, indexed, passages, read
from knowledge.lexical import counted
from knowledge.limits import FileLimits
from knowledge.ocr import Picture, Written
from tests.knowledge.format_table import outcome, stands
from tests.knowledge.hostile import pdf, png
from tests.knowledge.specimens import ASKED, ROWS, WORDS, Specimen, comma, scan, specimens, workbook

LIMITS = FileLimits()


def reading(name: str, content: str | bytes, limits: FileLimits = LIMITS) -> Reading:
    return read(name, content.encode() if isinstance(content, str) else content, limits)


def code(name: str, content: str | bytes, limits: FileLimits = LIMITS) -> str:
    with pytest.raises(DocumentError) as caught:
        reading(name, content, limits)
    return caught.value.code


@pytest.mark.parametrize(
    "specimen", list(specimens()), ids=lambda one: f"{one.format}-{one.encoding}-{one.lang}-{one.name}"
)
def test_every_fact_is_found_where_it_stands(specimen: Specimen) -> None:
    done = outcome(specimen)
    missing = [fact for fact in specimen.facts if not stands(fact, done.reading)]
    assert not missing
    assert (done.reading.format, done.reading.lang) == (specimen.format, specimen.lang)
    assert done.reading.warnings == (("1 hidden sheets were left out",) if specimen.name == "a.xlsx" else ())


def test_a_reading_counts_what_its_passages_are_indexed_by() -> None:
    done = reading("a.md", "# Museum\n\n## Tickets\n\nAdults pay sixty.\n\n## Hours\n\nOpen daily.\n")
    document = Document(document_id("a.md"), done.title, "a.md", done.format, done.lang, "", done.text, revision=3)
    cut = passages(document, done.places)
    assert tuple(counted(indexed(passage)) for passage in cut) == done.terms
    assert {passage.revision for passage in cut} == {3}


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("name", ["faq.csv", "faq.xlsx", "faq.json", "faq.jsonl"])
def test_an_faq_sheet_is_curated_answers_and_passages(lang: str, name: str) -> None:
    names, row = ASKED[lang]
    record = dict(zip(names, row, strict=True)) | {names[0]: row[0].split("|")}
    data = {
        "faq.csv": comma(ASKED[lang]).encode(),
        "faq.xlsx": workbook({"FAQ": ASKED[lang]}),
        "faq.json": orjson.dumps({"faq": [record]}),
        "faq.jsonl": orjson.dumps(record),
    }[name]
    done = reading(name, data)
    extra = (
        {"emotion": "高兴", "since": date(2030, 1, 1), "until": date(2030, 12, 31)}
        if lang == "zh"
        else {"gesture": "wave"}
    )
    assert done.questions == (QuestionAnswer(tuple(row[0].split("|")), row[1], **extra),)  # type: ignore[arg-type]
    assert any(row[1] in done.text[place.start : place.end] for place in done.places)
    assert "高兴" not in done.text and "wave" not in done.text


def test_an_faq_row_that_cannot_be_used_says_so() -> None:
    rows = [["问题", "答案", "失效"], ["几点", "九点", "下周"], ["", "没有问题", ""], ["好", "好", ""]]
    done = reading("faq.csv", comma(rows))
    assert [entry.questions for entry in done.questions] == [("好",)]
    assert "下周" in done.warnings[0] and "without a question" in done.warnings[1]


def test_columns_that_only_mention_questions_are_a_table() -> None:
    done = reading("a.csv", "topic,number of questions,answer rate\nx,3,4\n")
    assert not done.questions and "number of questions: 3" in done.text


@pytest.mark.parametrize("delimiter", [",", "\t", ";", "|"])
def test_the_delimiter_of_a_table_is_found(delimiter: str) -> None:
    rows = [["Name", "Price, yuan", "Note"], ["Adult", "1,000", "a; b"], ["Student", "30", "x"]]
    assert "Name: Adult; Price, yuan: 1,000; Note: a; b." in reading("a.csv", comma(rows, delimiter)).text


def test_a_table_without_column_names_keeps_its_first_row() -> None:
    assert reading("a.csv", "地址,海港路1号\n电话,400-555-0188\n").text == "地址：海港路1号。\n电话：400-555-0188。"


def test_lines_above_a_table_are_its_caption() -> None:
    done = reading("a.csv", "2030 年票价,,\n票种,价格,说明\n成人票,60,无\n")
    assert done.text == "2030 年票价\n\n票种：成人票；价格：60；说明：无。"


@pytest.mark.parametrize(
    ("value", "style", "shown"),
    [
        *((60, "General", "60"), (0.25, "0%", "25%"), (0.256, "0.0%", "25.6%"), (3.5, "0.00", "3.50")),
        *((60, '0"元"', "60元"), (1234.5, '"¥"#,##0.00', "¥1234.50"), (60, "[$¥-804]#,##0", "¥60")),
        *((0.1 + 0.2, "General", "0.3"), (1e20, "0", "1e+20"), (5, "yyyy", "5")),
    ],
)
def test_numbers_are_said_as_a_sheet_shows_them(value: float, style: str, shown: str) -> None:
    assert shown_number(value, style) == shown


def test_json_lists_within_records_are_rows_led_by_their_record() -> None:
    objects = '[{"号": 1, "物": "鲸"}, {"号": 2, "物": "鲨"}]'
    done = reading("a.json", f'{{"馆": [{{"名": "海洋厅", "开放": true, "展品": {objects}}}, {{"名": "航天厅"}}]}}')
    assert done.text.split("\n\n") == [
        *("馆", "名：海洋厅；开放：true。\n名：航天厅。"),
        *("展品", "名：海洋厅；号：1；物：鲸。\n名：海洋厅；号：2；物：鲨。"),
    ]
    assert done.places[-1].section == ("馆", "展品")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.json", "{"),
        ("a.jsonl", '{"a": 1}\n{"a": \n'),
        ("a.srt", "no cues here"),
        ("a.csv", 'a,b\n"' + "x" * 200_000),
    ],
)
def test_what_cannot_be_read_says_so(name: str, content: str) -> None:
    assert code(name, content) == "damaged"


def test_too_many_rows_are_refused_and_not_cut_short() -> None:
    few = FileLimits(rows=10)
    assert code("a.csv", "a,b\n" * 12, few) == "too_large"
    assert code("a.jsonl", '{"a": 1}\n' * 12, few) == "too_large"
    assert code("a.xlsx", workbook({"A": [["a", "b"]] * 12}), few) == "too_large"


def test_cues_are_joined_to_sentences_and_keep_their_times() -> None:
    cues = [(1, 2, "The museum opens"), (2, 3, "at nine. Adults"), (3, 4, "pay sixty."), (9, 10, "- Thank you")]
    srt = "".join(f"{n}\n00:00:0{b},500 --> 00:00:{e:02},000\n{t}\n\n" for n, (b, e, t) in enumerate(cues, 1))
    done = reading("talk.srt", srt)
    assert done.text == "The museum opens at nine.\nAdults pay sixty.\n- Thank you"
    assert done.places[0].at == 1.5


def test_captions_that_roll_and_have_no_full_stops() -> None:
    vtt = "WEBVTT\n\n00:01.000 --> 00:02.000\n欢迎来到\n\n00:02.000 --> 00:03.000\n欢迎来到\n海港科学馆\n\n"
    assert reading("talk.vtt", vtt).text == "欢迎来到 海港科学馆"
    assert reading("talk.txt", vtt).format == "subtitles"


def test_what_a_file_states_of_itself() -> None:
    matter = reading("a.md", "---\ntitle: 馆\ndate: 2030年5月1日\ntags: [门票, 开放]\n---\n正文。\n")
    assert (matter.title, matter.dated, matter.tags) == ("馆", date(2030, 5, 1), ("门票", "开放"))
    head = (
        '<meta property="article:published_time" content="2030-05-01T08:00:00Z"><meta name="keywords" content="a, b">'
    )
    page = reading("a.html", f"<html><head>{head}</head><p>Adult")
    assert (page.dated, page.tags) == (date(2030, 5, 1), ("a", "b"))
    one = next(one for one in specimens() if one.format == "docx")
    assert (reading(one.name, one.data).dated, reading(one.name, one.data).tags) == (None, ("a", "b"))
    assert reading("a.md", "---\ndate: 2030-13-45\ntags: {a: b}\n---\nx\n").dated is None


def test_a_table_stays_whole_with_the_line_that_announces_it() -> None:
    table = "".join(f"| 第{n}厅 | 二楼西侧的展厅，每天开放 |\n" for n in "一二三四五六七八")
    done = reading("a.md", f"{'海港科学馆欢迎您。' * 20}\n\n各厅：\n\n| 厅 | 位置 |\n|---|---|\n{table}")
    texts = [done.text[place.start : place.end] for place in done.places]
    assert texts[1].startswith("各厅：\n\n厅：第一厅；") and texts[1].count("厅：第") == 8
    assert {place.parent for place in done.places} == {(0, len(done.text))}


class Still:
    """Recognises the same words in every picture."""

    def lines(self, picture: Picture) -> list[Written]:
        height, width, _ = picture.shape
        return [Written("成人票", 0, 20, 60, 40), Written("60 元", 80, 21, 140, 41), Written("门票", 0, 0, width, 15)]


def test_pictures_are_read_by_a_recognizer_and_by_nothing_else() -> None:
    assert code("a.png", png(10, 10)) == "unsupported"
    with pytest.raises(DocumentError, match=r"zhubo\[ocr\]"):
        reading("a.pdf", scan("en", "PDF"))
    done = read("a.png", scan("zh", "PNG"), LIMITS, Still())
    assert (done.format, done.text) == ("image", "门票\n\n成人票 60 元")
    with pytest.raises(DocumentError) as caught:
        read("a.png", png(100_000, 100_000), LIMITS, Still())
    assert caught.value.code == "too_large"
    with pytest.raises(DocumentError) as caught:
        read("a.png", scan("zh", "PNG")[:2000], LIMITS, Still())
    assert caught.value.code == "damaged"


def test_pages_without_text_are_told() -> None:
    assert read("a.pdf", scan("en", "PDF"), LIMITS, Still()).places[0].page == 1
    assert code("a.pdf", pdf([b""])) == "empty"


def test_rows_and_words_of_the_specimens_are_in_both_languages() -> None:
    assert ROWS.keys() == WORDS.keys() == ASKED.keys() == {"zh", "en"}
