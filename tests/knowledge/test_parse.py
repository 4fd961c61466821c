"""Files of every format, good and bad, to text with structure."""

import io
import random
import time
import zipfile
from contextlib import suppress
from pathlib import Path

import pytest
from docx import Document as new_docx

from knowledge.documents import DocumentError
from knowledge.parse import FileLimits, parse
from knowledge.structure import Parsed

DATA = Path(__file__).parents[1] / "data"
SAMPLE = Path(__file__).parents[2] / "knowledge" / "sample"
LIMITS = FileLimits()


def parsed(name: str, content: str | bytes) -> Parsed:
    return parse(name, content.encode() if isinstance(content, str) else content, LIMITS)[1]


def code(name: str, data: bytes, limits: FileLimits = LIMITS) -> str:
    with pytest.raises(DocumentError) as caught:
        parse(name, data, limits)
    return caught.value.code


def blocks(parsed: Parsed, kind: str) -> list[str]:
    return [parsed.text[block.start : block.end] for block in parsed.blocks if block.kind == kind]


def word(*tables: list[list[str]]) -> bytes:
    document = new_docx()
    document.add_heading("参观指南", 0)
    document.add_paragraph("Welcome.")
    document.add_heading("门票 Tickets", 1)
    for rows in tables:
        table = document.add_table(rows=0, cols=len(rows[0]))
        for row in rows:
            for cell, text in zip(table.add_row().cells, row, strict=True):
                cell.text = text
    document.add_paragraph("带学生证", style="List Bullet")
    file = io.BytesIO()
    document.save(file)
    return file.getvalue()


def rewritten(source: bytes, old: bytes, new: bytes) -> bytes:
    """A Word file with something replaced in its text."""
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(source)) as archive, zipfile.ZipFile(target, "w") as changed:
        for entry in archive.infolist():
            content = archive.read(entry)
            changed.writestr(entry, content.replace(old, new) if entry.filename == "word/document.xml" else content)
    return target.getvalue()


def test_markdown_keeps_headings_lists_and_rows_with_their_column_names() -> None:
    text = (
        "# 馆\n\n| 票种 | 价格 |\n|---|---|\n| 成人票 | 60 元 |\n\n"
        "2. 选择[日期](http://x)\n3. **支付**\n\n```\na  b\n```\n"
    )
    document = parsed("馆.md", text)
    assert document.title == "馆"
    assert blocks(document, "heading") == ["馆"]
    assert blocks(document, "row") == ["票种：成人票；价格：60 元。"]
    assert blocks(document, "item") == ["2. 选择日期", "3. 支付"]
    assert blocks(document, "code") == ["a  b"]


def test_front_matter_names_the_title_and_is_not_text() -> None:
    document = parsed("guide.md", "---\ntitle: Visitor Guide\ntags: [a]\n---\n\nOpen daily.\n")
    assert (document.title, document.text) == ("Visitor Guide", "Open daily.")


def test_html_drops_what_is_not_content() -> None:
    page = """<html><head><title>Tickets | 门票</title><style>p{}</style></head><body>
    <nav><a>Home</a></nav><script>alert(1)</script><h2>Prices</h2><!-- secret -->
    <p>An adult pays <b>60</b> yuan.<br>儿童半价。</p><p hidden>ghost</p><p style="display: none">ghost</p>
    <ul><li>Cash</li><li><p>Card</p></li></ul>loose text</body></html>"""
    document = parsed("page.html", page)
    assert document.title == "Tickets | 门票"
    assert document.text == "Prices\n\nAn adult pays 60 yuan. 儿童半价。\n\nCash\nCard\n\nloose text"


def test_merged_cells_are_repeated_and_layout_tables_are_only_text() -> None:
    page = """<table><tr><th>Day</th><th>Opens</th><th>Closes</th></tr><tr><td rowspan=2>Weekend</td><td>9:00</td>
    <td>17:00</td></tr><tr><td colspan=2>by appointment</td></tr></table>
    <table><tr><td>Only</td></tr><tr><td>layout</td></tr></table>"""
    document = parsed("page.html", page)
    assert blocks(document, "row") == [
        "Day: Weekend; Opens: 9:00; Closes: 17:00.",
        "Day: Weekend; Opens: by appointment; Closes: by appointment.",
    ]
    assert blocks(document, "paragraph") == ["Only", "layout"]


def test_deeply_nested_html_and_huge_spans_are_harmless() -> None:
    nested = "<div>" * 20_000 + "deep" + "</div>" * 20_000
    wide = "<table><tr><td colspan=99999999>a</td><td>b</td></tr></table>"
    assert "a" in parsed("page.html", "<html>" + wide + nested).text


def test_a_page_may_begin_with_any_number_of_comments() -> None:
    comments = b"<!---->" * 40
    assert parse("page.txt", comments + b"<!-- \n--> <!DOCTYPE html><p>Hello", LIMITS)[0] == "html"
    assert parse("page.txt", comments + b"x", LIMITS)[0] == "text"
    assert parse("page.txt", b"<!-- <html> never closed", LIMITS)[0] == "text"


@pytest.mark.parametrize(
    ("matter", "title"),
    [
        ("title: 2024-13-45", "2024-13-45"),
        ("title: [a, b]", "Guide"),
        ("title: 参观指南", "参观指南"),
        ("a: &a [x, x]\nb: &b [*a, *a]\ntitle: [*b, *b]", "Guide"),
        ("date: 0001-99-99\ntitle: 1_000", "1_000"),
    ],
)
def test_a_front_matter_is_strings_and_nothing_else(matter: str, title: str) -> None:
    document = parsed("a.md", f"---\n{matter}\n---\n# Guide\n")
    assert (document.title, document.text) == (title, "Guide")


@pytest.mark.parametrize("matter", ["[" * 3000, "a: *nowhere", "? {a: 1}\n: b", "x: y\n" * 2000])
def test_what_is_no_front_matter_is_text(matter: str) -> None:
    assert "Guide" in parsed("a.md", f"---\n{matter}\n---\n# Guide\n").text


def test_tables_that_spread_out_are_refused() -> None:
    names = "<html><table><tr><th>" + "a" * 50_000 + "<th>b" + "<tr><td>1<td>2" * 2000
    assert code("a.html", names.encode()) == "too_large"
    rows = "<html><table><tr>" + "<td rowspan=9999>" + "票" * 5000 + "<td>1" + "<tr><td>b" * 200
    assert code("a.html", rows.encode()) == "too_large"
    assert len(blocks(parsed("a.html", rows.replace("9999", "2")), "row")) == 201


def test_ordered_lists_are_numbered_where_they_stand() -> None:
    page = "<html><ol start=3><li>a<ol><li>b</ol><li>c</ol><ol start=99999999999999999999><li>d</ol><ul><li>e</ul>"
    assert blocks(parsed("a.html", page), "item") == ["3. a", "1. b", "4. c", "1. d", "e"]


def test_markup_without_a_tag_is_no_warning() -> None:
    assert parsed("a.html", "https://example.org/guide.html").text == "https://example.org/guide.html"
    assert parsed("a.html", "<?xml version='1.0'?><html><p>馆</p></html>").text == "馆"


def test_large_files_are_limited_by_their_kind() -> None:
    assert code("a.md", b"word " * 1_200_000) == "too_large"
    assert code("a.docx", word(), FileLimits(xml=1000)) == "too_large"


def test_two_megabytes_of_wrapped_lines_are_read_at_once() -> None:
    line = "The museum is open from Tuesday to Sunday and it is closed on some other days\n"
    began = time.process_time()
    text = parsed("a.txt", line * 26_000).text
    assert len(text) == 26_000 * len(line) - 1 and "\n" not in text
    assert time.process_time() - began < 5


def test_plain_text_finds_headings_items_and_broken_lines() -> None:
    text = (
        "Getting Here\n\nOpening hours\n\nThe museum is open from Tuesday to Sunday and it is closed\n"
        "on Mondays for maintenance.\n\n【停车】\n地下停车场有 240 个车位。\n- first\n- second\n"
    )
    document = parsed("here.txt", text)
    assert document.title == "Getting Here"
    assert blocks(document, "heading") == ["Getting Here", "Opening hours", "停车"]
    assert blocks(document, "paragraph") == [
        "The museum is open from Tuesday to Sunday and it is closed on Mondays for maintenance.",
        "地下停车场有 240 个车位。",
    ]
    assert blocks(document, "item") == ["first", "second"]


def test_docx_keeps_the_order_of_headings_tables_and_lists() -> None:
    document = parsed("a.docx", word([["票种", "价格"], ["成人票", "60 元"]], [["Phone", "400-555-0188"]]))
    assert document.title == "参观指南"
    assert document.text == (
        "参观指南\n\nWelcome.\n\n门票 Tickets\n\n票种：成人票；价格：60 元。\nPhone: 400-555-0188.\n\n带学生证"
    )


def test_docx_cells_merged_over_the_whole_world_are_few() -> None:
    merged = rewritten(word([["a", "b"]]), b"<w:tcPr>", b'<w:tcPr><w:gridSpan w:val="99999999"/>')
    assert "a" in parsed("a.docx", merged).text and len(parsed("a.docx", merged).text) < 1000


def test_docx_cells_merged_downwards_are_repeated() -> None:
    document = new_docx()
    table = document.add_table(rows=3, cols=2)
    for row, texts in zip(table.rows, (("日", "时间"), ("周末", "上午"), ("", "下午")), strict=True):
        for cell, text in zip(row.cells, texts, strict=True):
            cell.text = text
    table.cell(1, 0).merge(table.cell(2, 0))
    file = io.BytesIO()
    document.save(file)
    assert blocks(parsed("a.docx", file.getvalue()), "row") == ["日：周末；时间：上午。", "日：周末；时间：下午。"]


def test_docx_with_wrong_bytes_is_damaged_and_nothing_else() -> None:
    whole, chance = word([["a", "b"]]), random.Random(7)
    for _ in range(60):
        data = bytearray(whole)
        for _ in range(chance.choice((1, 4, 40))):
            data[chance.randrange(4, len(data))] = chance.randrange(256)
        with suppress(DocumentError):
            parse("a.docx", bytes(data), LIMITS)
    method = whole.replace(b"\x08\x00", b"\x63\x00")
    with zipfile.ZipFile(io.BytesIO(whole)) as archive:
        start = archive.getinfo("word/document.xml").header_offset + 30 + len("word/document.xml")
    deflate = whole[:start] + b"\xff" * 40 + whole[start + 40 :]
    assert code("a.docx", method) == code("a.docx", deflate) == "damaged"


@pytest.mark.parametrize("name", ["history.pdf", "建馆历史.pdf"])
def test_pdf_keeps_headings_pages_and_whole_sentences(name: str) -> None:
    document = parsed(name, (SAMPLE / name).read_bytes())
    headings = blocks(document, "heading")
    assert len(headings) == 6 and headings[0] == document.title
    text = document.text.replace("\n\n", "\n")
    assert "Xu Jing has been director since 2016." in text or "现任馆长许静2016 年上任" in text
    assert {block.page for block in document.blocks} == ({1, 2} if name == "history.pdf" else {1})


def test_the_bytes_decide_what_a_file_is() -> None:
    pdf = (SAMPLE / "history.pdf").read_bytes()
    kind, document = parse("history.txt", pdf, LIMITS)
    assert kind == "pdf" and "read as pdf" in document.warnings[0]
    kind, document = parse("guide.pdf", "成人票六十元。".encode(), LIMITS)
    assert kind == "text" and "read as text" in document.warnings[0]
    assert parse("page.txt", b"<!DOCTYPE html><html><p>Hello</p></html>", LIMITS)[0] == "html"
    assert parse("guide.doc", word(), LIMITS)[0] == "docx"


@pytest.mark.parametrize(
    "data", [b"", b"  \r\n\t ", b"\xef\xbb\xbf\n", b"***\n---\n", b"<html><script>x()</script></html>"]
)
def test_files_without_text_are_empty(data: bytes) -> None:
    assert code("a.md", data) == "empty"


def test_a_pdf_without_text_is_empty_and_says_why() -> None:
    with pytest.raises(DocumentError, match="scanned") as caught:
        parse("scan.pdf", (DATA / "blank.pdf").read_bytes(), LIMITS)
    assert caught.value.code == "empty"


def test_encrypted_files_say_so() -> None:
    assert code("a.pdf", (DATA / "encrypted.pdf").read_bytes()) == "encrypted"
    office = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(512) + "EncryptedPackage".encode("utf-16-le")
    assert code("a.docx", office) == "encrypted"
    assert code("a.doc", office[:520]) == "unsupported"


def test_a_hundred_megabytes_are_refused_before_they_are_read() -> None:
    assert code("a.txt", bytes(100_000_000)) == "too_large"


def test_a_bomb_is_refused_by_its_unpacked_size() -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("word/document.xml", bytes(2_000_000))
    assert len(file.getvalue()) < 10_000
    assert code("a.docx", file.getvalue(), FileLimits(unpacked=1_000_000)) == "too_large"


def test_damaged_files_say_so() -> None:
    assert code("a.docx", word()[:-200]) == "damaged"
    assert code("a.docx", word().replace(b"word/document.xml", b"word/dokument.xml")) == "unsupported"
    assert code("a.pdf", b"%PDF-1.7\n" + bytes(range(256)) * 8) == "damaged"
    assert code("a.docx", bytes(range(256)) * 8) == "damaged"
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("word/document.xml", "<not xml")
        archive.writestr("[Content_Types].xml", "<also not")
    assert code("a.docx", file.getvalue()) == "damaged"


@pytest.mark.parametrize(
    "data", [b"\x89PNG\r\n\x1a\n" + bytes(99), b"MZ\x90\x00" + bytes(range(256)), b"PK\x03\x04junk"]
)
def test_what_is_no_document_is_unsupported_or_damaged(data: bytes) -> None:
    assert code("a.txt", data) in ("unsupported", "damaged")


def test_a_document_that_names_an_outside_entity_does_not_read_it() -> None:
    secret = DATA / "questions.en.jsonl"
    source = io.BytesIO(word())
    target = io.BytesIO()
    with zipfile.ZipFile(source) as archive, zipfile.ZipFile(target, "w") as changed:
        for entry in archive.infolist():
            content = archive.read(entry)
            if entry.filename == "word/document.xml":
                doctype = f'<!DOCTYPE x [<!ENTITY leak SYSTEM "{secret.as_uri()}">]>'.encode()
                content = content.replace(b"?>\n", b"?>\n" + doctype, 1).replace(b"Welcome.", b"Welcome.&leak;")
            changed.writestr(entry, content)
    assert "unanswerable" not in parsed("a.docx", target.getvalue()).text
