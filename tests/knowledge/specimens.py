"""Files of every format, as offices and editors make them, with facts that a reader must find."""

import csv
import io
import json
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pypdfium2
import xlsxwriter
from docx import Document as new_docx
from openpyxl import Workbook
from PIL import Image
from pptx import Presentation
from pptx.util import Inches

from configs.language import Lang
from knowledge.documents import Format

SAMPLE = Path(__file__).parents[2] / "knowledge" / "sample"


@dataclass(frozen=True, slots=True)
class Fact:
    """Text that one passage has, on this page, under this heading, at this second."""

    text: str
    page: int | None = None
    under: str | None = None
    at: float | None = None


@dataclass(frozen=True, slots=True)
class Specimen:
    name: str
    format: Format
    encoding: str
    lang: Lang
    data: bytes
    facts: tuple[Fact, ...]


PRICES = {
    "zh": [["票种", "价格", "适用"], ["成人票", "60 元", "十八岁以上"], ["学生票", "30 元", "凭学生证"]],
    "en": [
        ["Ticket", "Price", "For"],
        ["Adult", "60 yuan", "eighteen and over"],
        ["Student", "30 yuan", "with a card"],
    ],
}
ROWS = {"zh": "票种：学生票；价格：30 元；适用：凭学生证。", "en": "Ticket: Student; Price: 30 yuan; For: with a card."}
WORDS = {
    "zh": (
        "海港科学馆参观指南",
        "开放时间",
        "周二至周日九点半开门，周一闭馆。",
        "门票",
        "请在南门购票。",
        "讲解员每天两点在大厅等候。",
    ),
    "en": (
        *(
            "Harbour Museum Visitor Guide",
            "Opening hours",
            "The museum opens at half past nine and is closed on Mondays.",
        ),
        *("Tickets", "Tickets are sold at the south gate.", "A guide waits in the hall at two every day."),
    ),
}
TRADITIONAL = (
    "海港科學館參觀指南\n\n開放時間\n\n週二至週日九點半開門，週一閉館。\n\n門票\n\n成人票六十元，學生票三十元。\n"
)
ASKED = {
    "zh": [
        ["问题", "答案", "表情", "生效", "失效"],
        ["几点开门|什么时候开门", "九点半。", "高兴", "2030-01-01", "2030年12月31日"],
    ],
    "en": [["Question", "Answer", "Gesture"], ["When do you open?|Opening time", "At half past nine.", "wave"]],
}


def specimens() -> Iterator[Specimen]:
    yield from _texts()
    yield from _tables()
    for lang in ("zh", "en"):
        yield from _office(lang)
        yield from _pages(lang)
        yield from _transcripts(lang)


def _texts() -> Iterator[Specimen]:
    for lang, name in (("zh", "指南"), ("en", "guide")):
        title, hours, opening, tickets, gate, guide = WORDS[lang]
        plain = f"{title}\n\n{hours}\n\n{opening}\n\n{tickets}\n\n{gate}\n\n- {guide}\n"
        facts = (Fact(opening, under=hours), Fact(gate, under=tickets), Fact(guide))
        encodings = ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "gb18030")
        for encoding in (*encodings, *(("gbk",) if lang == "zh" else ("cp1252",))):
            yield Specimen(f"{name}.txt", "text", encoding, lang, plain.encode(encoding), facts)
        rows = PRICES[lang]
        table = "\n".join(f"| {' | '.join(row)} |" for row in [rows[0], ["---"] * 3, *rows[1:]])
        markdown = (
            f"---\ntitle: {title}\ndate: 2030-05-01\ntags: [a, b]\n---\n## {hours}\n\n{opening}\n\n## {tickets}\n\n"
        )
        markdown += f"{table}\n\n1. {gate}\n2. **{guide}**\n"
        facts = (Fact(opening, under=hours), Fact(ROWS[lang], under=tickets), Fact(f"2. {guide}"))
        for encoding in ("utf-8", "gb18030"):
            yield Specimen(f"{name}.md", "markdown", encoding, lang, markdown.encode(encoding), facts)
        cells = "".join(
            "<tr>" + "".join(f"<{tag}>{cell}</{tag}>" for cell in row) + "</tr>"
            for tag, row in zip(("th", "td", "td"), rows, strict=True)
        )
        html = f"<!DOCTYPE html><html><head><title>{title}</title></head><body><nav>x</nav><h2>{hours}</h2><p>{opening}"
        html += f"</p><h2>{tickets}</h2><table>{cells}</table><ol><li>{gate}</li><li>{guide}</li></ol></body></html>"
        for encoding in ("utf-8", "gb18030"):
            yield Specimen(f"{name}.html", "html", encoding, lang, html.encode(encoding), facts)
    facts = (Fact("週二至週日九點半開門，週一閉館。", under="開放時間"), Fact("成人票六十元", under="門票"))
    yield Specimen("指南.txt", "text", "big5", "zh", TRADITIONAL.encode("big5"), facts)
    yield Specimen("告示.txt", "text", "gbk, 4 words", "zh", "周一闭馆".encode("gbk"), (Fact("周一闭馆"),))


def _tables() -> Iterator[Specimen]:
    for lang, name in (("zh", "票价"), ("en", "prices")):
        facts = (Fact(ROWS[lang]),)
        for encoding in ("utf-8-sig", "utf-8", "gb18030", "utf-16"):
            yield Specimen(f"{name}.csv", "csv", encoding, lang, comma(PRICES[lang]).encode(encoding), facts)
        yield Specimen(f"{name}.tsv", "csv", "utf-8", lang, comma(PRICES[lang], "\t").encode(), facts)
        faq = (Fact(ASKED[lang][1][1]),)
        yield Specimen("faq.csv", "csv", "gb18030", lang, comma(ASKED[lang]).encode("gb18030"), faq)
        yield Specimen("faq.xlsx", "xlsx", "-", lang, workbook({"FAQ": ASKED[lang]}), faq)
        records = [dict(zip(PRICES[lang][0], row, strict=True)) for row in PRICES[lang][1:]]
        nested = {"title": WORDS[lang][0], "tickets": records, "hours": {"open": "9:30", "closed": ["Mon", "Tue"]}}
        found = (*facts, Fact("hours.open"))
        yield Specimen("a.json", "json", "utf-8", lang, json.dumps(nested, ensure_ascii=False).encode(), found)
        lines = "\n".join(json.dumps(record, ensure_ascii=False) for record in records)
        yield Specimen("a.jsonl", "json", "utf-8", lang, lines.encode(), facts)
        yield Specimen("a.jsonl", "json", "gb18030", lang, lines.encode("gb18030"), facts)
    wanted = comma([["票種", "價格", "適用"], ["學生票", "三十元", "請出示學生證"]]).encode("big5")
    yield Specimen("票價.csv", "csv", "big5", "zh", wanted, (Fact("票種：學生票；價格：三十元；適用：請出示學生證。"),))


def comma(rows: Sequence[Sequence[str]], delimiter: str = ",") -> str:
    file = io.StringIO()
    csv.writer(file, delimiter=delimiter).writerows(rows)
    return file.getvalue()


def workbook(sheets: dict[str, list[list[str]]]) -> bytes:
    file = io.BytesIO()
    with xlsxwriter.Workbook(file) as book:
        for name, rows in sheets.items():
            sheet = book.add_worksheet(name)
            for number, row in enumerate(rows):
                sheet.write_row(number, 0, row)
    return file.getvalue()


def saved(document: object) -> bytes:
    file = io.BytesIO()
    document.save(file)  # type: ignore[attr-defined]
    return file.getvalue()


def _office(lang: Lang) -> Iterator[Specimen]:
    title, hours, opening, tickets, gate, guide = WORDS[lang]
    facts = (Fact(opening, under=hours), Fact(ROWS[lang], under=tickets), Fact(guide))
    yield Specimen("a.docx", "docx", "-", lang, word(lang), facts)
    slides = (Fact(opening, 1, hours), Fact(ROWS[lang], 2, tickets), Fact(guide, 2), Fact(gate, 3))
    yield Specimen("a.pptx", "pptx", "-", lang, deck(lang), slides)
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = tickets
    sheet.append([title])
    sheet.merge_cells("A1:C1")
    for row in PRICES[lang]:
        sheet.append([*row[:1], int(row[1].split()[0]) if row[1][0].isdigit() else row[1], *row[2:]])
    unit = "元" if lang == "zh" else "yuan"
    for cell in sheet["B"][2:]:
        cell.number_format = f'0" {unit}"'
    other = book.create_sheet(hours)
    for line in (
        (["日", "时"], [date(2030, 5, 1), 0.25]) if lang == "zh" else (["Day", "Share"], [date(2030, 5, 1), 0.25])
    ):
        other.append(line)
    other["B2"].number_format = "0%"
    book.create_sheet("hidden").sheet_state = "hidden"
    first = "日：2030-05-01；时：25%。" if lang == "zh" else "Day: 2030-05-01; Share: 25%."
    found = (Fact(ROWS[lang], under=tickets), Fact(first, under=hours), Fact(title))
    yield Specimen("a.xlsx", "xlsx", "-", lang, saved(book), found)
    facts = (Fact(opening, under=hours), Fact(ROWS[lang], under=tickets), Fact(guide, under="II"))
    yield Specimen("a.epub", "epub", "utf-8", lang, epub(lang), facts)


def word(lang: Lang) -> bytes:
    title, hours, opening, tickets, _, guide = WORDS[lang]
    document = new_docx()
    document.add_heading(title, 0)
    document.add_heading(hours, 1)
    document.add_paragraph(opening)
    document.add_heading(tickets, 1)
    table = document.add_table(rows=0, cols=3)
    for row in PRICES[lang]:
        for cell, text in zip(table.add_row().cells, row, strict=True):
            cell.text = text
    document.add_paragraph(guide, style="List Bullet")
    document.core_properties.keywords = "a, b"
    return saved(document)


def deck(lang: Lang) -> bytes:
    """Three slides: a title with text, a table with speaker notes, and one without a title."""
    _, hours, opening, tickets, gate, guide = WORDS[lang]
    slides = Presentation()
    first = slides.slides.add_slide(slides.slide_layouts[1])
    first.shapes.title.text, first.placeholders[1].text = hours, opening
    second = slides.slides.add_slide(slides.slide_layouts[5])
    second.shapes.title.text = tickets
    table = second.shapes.add_table(3, 3, Inches(1), Inches(2), Inches(6), Inches(2)).table
    for across, row in enumerate(PRICES[lang]):
        for down, text in enumerate(row):
            table.cell(across, down).text = text
    second.notes_slide.notes_text_frame.text = guide
    third = slides.slides.add_slide(slides.slide_layouts[6])
    third.shapes.add_textbox(Inches(1), Inches(1), Inches(5), Inches(1)).text_frame.text = gate
    return saved(slides)


def epub(lang: Lang) -> bytes:
    title, hours, opening, tickets, _, guide = WORDS[lang]
    rows = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in PRICES[lang])
    chapters = {
        "one.xhtml": f"<h1>{hours}</h1><p>{opening}</p><h1>{tickets}</h1><table>{rows}</table>",
        "two.xhtml": f"<p>{guide}</p>",
    }
    return book(chapters, title=title, contents={"two.xhtml": "II"})


def book(chapters: dict[str, str], title: str = "Book", contents: dict[str, str] | None = None) -> bytes:
    items = "".join(f'<item id="{n}" href="text/{n}" media-type="application/xhtml+xml"/>' for n in chapters)
    spine = "".join(f'<itemref idref="{name}"/>' for name in chapters)
    points = "".join(
        f'<navPoint><navLabel><text>{label}</text></navLabel><content src="text/{name}#x"/></navPoint>'
        for name, label in (contents or {}).items()
    )
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mimetype", "application/epub+zip")
        archive.writestr(
            "META-INF/container.xml",
            '<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles>'
            '<rootfile full-path="OEBPS/a.opf"/></rootfiles></container>',
        )
        archive.writestr(
            "OEBPS/a.opf",
            f'<package xmlns="http://www.idpf.org/2007/opf"><metadata xmlns:dc="http://purl.org/dc/elements/1.1/">'
            f"<dc:title>{title}</dc:title><dc:date>2030-05-01</dc:date><dc:subject>a</dc:subject></metadata><manifest>"
            f'{items}<item id="ncx" href="toc.ncx" media-type="application/x-dtbncx+xml"/></manifest>'
            f"<spine>{spine}</spine></package>",
        )
        archive.writestr("OEBPS/toc.ncx", f"<ncx><navMap>{points}</navMap></ncx>")
        for name, body in chapters.items():
            page = f'<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml"><body>{body}</body></html>'
            archive.writestr(f"OEBPS/text/{name}", page)
    return file.getvalue()


def _pages(lang: Lang) -> Iterator[Specimen]:
    name = {"zh": "建馆历史.pdf", "en": "history.pdf"}[lang]
    facts = {
        "zh": (Fact("2016", page=1), Fact("许静", page=1)),
        "en": (Fact("Xu Jing has been director since 2016", page=1), Fact("146 employees", page=2)),
    }[lang]
    yield Specimen(name, "pdf", "-", lang, (SAMPLE / name).read_bytes(), facts)


def scan(lang: Lang, kind: str) -> bytes:
    """The top of the sample's PDF as a picture, or as a PDF that is only a picture."""
    pdf = pypdfium2.PdfDocument((SAMPLE / {"zh": "建馆历史.pdf", "en": "history.pdf"}[lang]).read_bytes())
    drawn = pdf[0].render(scale=2).to_numpy()
    picture = Image.fromarray(drawn[: len(drawn) // 4, :, :3].copy())
    pdf.close()
    file = io.BytesIO()
    picture.save(file, kind, **({"resolution": 144} if kind == "PDF" else {}))
    return file.getvalue()


def _transcripts(lang: Lang) -> Iterator[Specimen]:
    _, _, opening, _, gate, _ = WORDS[lang]
    half = opening.index("，") + 1 if lang == "zh" else opening.index(" and")
    srt = (
        f"1\n00:00:01,000 --> 00:00:02,500\n<i>{opening[:half]}</i>\n\n"
        f"2\n00:00:02,500 --> 00:00:04,000\n{opening[half:].strip()}\n\n3\n01:02:03,250 --> 01:02:05,000\n{gate}\n"
    )
    facts = (Fact(opening, at=1.0), Fact(gate))
    for encoding in ("utf-8", "gb18030"):
        yield Specimen("talk.srt", "subtitles", encoding, lang, srt.replace("\n", "\r\n").encode(encoding), facts)
    vtt = f"WEBVTT\n\nNOTE x\n\n00:01.000 --> 00:04.000 align:start\n<v Anna>{opening}</v>\n\n"
    vtt += f"02:00.000 --> 02:01.000\n{gate}\n"
    yield Specimen("talk.vtt", "subtitles", "utf-8", lang, vtt.encode(), (Fact(f"Anna: {opening}", at=1.0), Fact(gate)))
