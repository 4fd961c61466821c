"""Files made to do harm, with what may become of each: `python -m tests.knowledge.hostile` reads them and counts."""

import asyncio
import io
import json
import struct
import sys
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from openpyxl import Workbook

from knowledge.documents import DocumentError
from knowledge.reader import Reader
from knowledge.sandbox import Budget
from tests.knowledge.specimens import book, deck, saved, word, workbook

DATA = Path(__file__).parents[1] / "data"
FILE = DATA / "formats" / "secret.txt"
"""No reader may open it."""
SECRET = "qqsecretqq"
"""What it says."""
BUDGET = Budget(cpu=10, memory=1_500_000_000, wall=30)
LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
PATHOLOGICAL = {
    "brackets": "[" * 30_000,
    "links": "[a](" * 8_000,
    "stars": "*a_ " * 8_000,
    "quotes": ">" * 20_000 + "a",
    "ticks": "".join("`" * n + " " for n in range(400)),
    "lists": "\n".join(" " * (2 * n) + "- a" for n in range(400)),
    "references": "[a]: /x\n" * 3_000 + "[a]" * 3_000,
    "entities": "&" * 30_000,
    "html": "<a " * 10_000 + "<!--" * 10_000,
    "table": "|" * 5_000 + "\n" + "|-" * 5_000 + "\n" + "|a" * 5_000,
}


@dataclass(frozen=True, slots=True)
class Attack:
    """`codes`: the errors it may end in. `harmless`: may it be read, as long as it says nothing it should not?"""

    name: str
    data: bytes
    codes: frozenset[str] = frozenset()
    harmless: bool = False


def attacks() -> Iterator[Attack]:
    for family in FAMILIES:
        yield from family()


def refused(name: str, data: bytes, *codes: str) -> Attack:
    return Attack(name, data, frozenset(codes))


def harmless(name: str, data: bytes, *codes: str) -> Attack:
    return Attack(name, data, frozenset(codes), True)


OFFICE: dict[str, tuple[str, Callable[[], bytes]]] = {
    "docx": ("word/document.xml", lambda: word("en")),
    "pptx": ("ppt/slides/slide1.xml", lambda: deck("en")),
    "xlsx": ("xl/worksheets/sheet1.xml", lambda: workbook({"A": [["Name", "Price"], ["Adult", "sixty"]]})),
    "epub": (
        "OEBPS/text/one.xhtml",
        lambda: book(
            {"one.xhtml": "<h1>One</h1><p>Adult</p>", "two.xhtml": "<p>Adult</p>"}, contents={"two.xhtml": "One"}
        ),
    ),
}


def changed(data: bytes, entries: dict[str, bytes | Callable[[bytes], bytes]]) -> bytes:
    """An archive with entries replaced, altered or added."""
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as archive, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as result:
        for name in archive.namelist():
            change = entries.get(name)
            content = archive.read(name)
            result.writestr(name, change(content) if callable(change) else content if change is None else change)
        for name in entries.keys() - set(archive.namelist()):
            added = entries[name]
            assert isinstance(added, bytes)
            result.writestr(name, added)
    return target.getvalue()


def bombs() -> Iterator[Attack]:
    zeros = bytes(21_000_000)
    for suffix, (part, make) in OFFICE.items():
        plain = make()
        yield refused(f"bomb.{suffix}", changed(plain, {part: zeros}), "too_large")
        yield refused(f"lies.{suffix}", lying(changed(plain, {part: b"<a>" + zeros}), part), "damaged", "empty")
        yield harmless(f"nested.{suffix}", changed(plain, {"a/inner.bin": zipped(zipped(zeros))}))
        yield refused(f"many.{suffix}", changed(plain, {f"x/{n}.xml": b"" for n in range(5_001)}), "too_large")
    pictures = changed(word("en"), {f"word/media/{n}.png": zeros for n in range(10)})
    yield refused("media.docx", pictures, "too_large")
    yield refused("overlap.docx", overlapping(word("en"), 4_000), "too_large", "damaged")
    huge = workbook({"A": [["x" * 30_000, "y"], *[["x" * 30_000, str(n)] for n in range(900)]]})
    yield refused("repeated.xlsx", huge, "too_large")
    stream = zlib.compress(bytes(100_000_000), 9)
    yield refused("stream.pdf", pdf([b""], stream), "empty", "damaged", "too_costly")
    yield refused("picture.png", png(100_000, 100_000), "unsupported")
    spans = "<html><table><tr>" + "<td rowspan=9999 colspan=9999>" + "a" * 20_000 + "<td>1" + "<tr><td>b" * 400
    yield refused("spans.html", spans.encode(), "too_large")
    fields = json.dumps([{f"k{n}_{m}": "v" for m in range(100)} for n in range(300)])
    yield harmless("fields.json", fields.encode())


def zipped(data: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.bin", data)
    return file.getvalue()


def lying(data: bytes, part: str) -> bytes:
    """An archive that says of one entry that it has a hundred bytes."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        entry = archive.getinfo(part)
    true, false = struct.pack("<I", entry.file_size), struct.pack("<I", 100)
    return data.replace(true, false)


def overlapping(data: bytes, copies: int) -> bytes:
    """An archive whose directory names the same compressed bytes over and over."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        start, entry = archive.start_dir, archive.getinfo("word/document.xml")
    directory = b"".join(
        b"PK\x01\x02"
        + struct.pack(
            *("<HHHHHHIIIHHHHHII", 20, 20, 0, 8, 0, 0, entry.CRC, entry.compress_size, entry.file_size),
            *(len(name), 0, 0, 0, 0, 0, entry.header_offset),
        )
        + name
        for name in (b"word/document.xml", *(b"word/%04d.xml" % n for n in range(copies)))
    )
    end = struct.pack("<HHHHIIH", 0, 0, copies + 1, copies + 1, len(directory), start, 0)
    return data[:start] + directory + b"PK\x05\x06" + end


def entities() -> Iterator[Attack]:
    """External entities and entities that grow, wherever XML is read."""
    doctypes = {
        "xxe": f'<!DOCTYPE x [<!ENTITY e SYSTEM "{FILE.as_uri()}">]>',
        "dtd": f'<!DOCTYPE x SYSTEM "{FILE.as_uri()}" [<!ENTITY e "harmless">]>',
        "parameter": f'<!DOCTYPE x [<!ENTITY % p SYSTEM "{FILE.as_uri()}"> %p; <!ENTITY e "harmless">]>',
        "laughs": f'<!DOCTYPE x [<!ENTITY l0 "ha">{LAUGHS}<!ENTITY e "&l9;">]>',
        "quadratic": f'<!DOCTYPE x [<!ENTITY l "{"a" * 20_000}"><!ENTITY e "{"&l;" * 20_000}">]>',
    }
    parts = {suffix: [part] for suffix, (part, _) in OFFICE.items()}
    parts["docx"] += ["[Content_Types].xml", "docProps/core.xml", "word/styles.xml"]
    parts["pptx"] += ["ppt/presentation.xml"]
    parts["xlsx"] += ["xl/workbook.xml", "xl/sharedStrings.xml"]
    parts["epub"] += ["META-INF/container.xml", "OEBPS/a.opf", "OEBPS/toc.ncx"]
    for suffix, names in parts.items():
        plain = OFFICE[suffix][1]()
        for name in names:
            for kind, doctype in doctypes.items():
                data = changed(plain, {name: lambda content, doctype=doctype: subverted(content, doctype)})
                yield harmless(f"{kind}-{name.replace('/', '-')}.{suffix}", data, "damaged", "empty", "too_large")
    for kind, doctype in doctypes.items():
        yield harmless(f"{kind}.html", f"{doctype}<html><p>Adult &e;&l9;</p></html>".encode())
        yield harmless(f"{kind}.md", f"{doctype}\n\nAdult &e;&l9;\n".encode())
        yield harmless(f"{kind}.srt", f"1\n00:00:01,000 --> 00:00:02,000\n{doctype}&e;&l9;\n".encode())


def subverted(content: bytes, doctype: str) -> bytes:
    """XML with a document type in front, and its entity in the first text."""
    head, separator, body = content.partition(b"?>") if content.startswith(b"<?xml") else (b"", b"", content)
    for text in (b"Adult", b"Harbour", b"Name", b"One", b"Book"):
        body = body.replace(text, b"&e;" + text, 1)
    return head + separator + doctype.encode() + body


def archives() -> Iterator[Attack]:
    """Names that lead out of the archive, and links."""
    ways = (
        str(FILE),
        "../" * 12 + str(FILE).lstrip("/"),
        FILE.as_uri(),
        "http://127.0.0.1:9/a.xhtml",
        "\\\\x\\y",
        "//[",
    )
    for number, way in enumerate(ways):
        plain = OFFICE["epub"][1]()
        rooted = {"META-INF/container.xml": lambda content, way=way: content.replace(b"OEBPS/a.opf", way.encode())}
        yield refused(f"root{number}.epub", changed(plain, rooted), "damaged")
        page = {"OEBPS/a.opf": lambda content, way=way: content.replace(b"text/one.xhtml", way.encode())}
        yield harmless(f"page{number}.epub", changed(plain, page), "empty", "damaged")
        yield harmless(f"entry{number}.docx", changed(word("en"), {way: SECRET.encode()}))
        rels = "word/_rels/document.xml.rels"
        led = {rels: lambda content, way=way: content.replace(b'Target="styles.xml"', b'Target="%s"' % way.encode())}
        yield harmless(f"part{number}.docx", changed(word("en"), led), "damaged")
        name = f"{way[:100]}.md"
        yield harmless(name, b"# A name\n\nAdults pay sixty.\n")
    for suffix, (part, make) in OFFICE.items():
        yield harmless(f"link.{suffix}", linked(make(), part, FILE), "damaged", "empty")


def linked(data: bytes, part: str, target: Path) -> bytes:
    """An archive in which a part is a symbolic link."""
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as archive, zipfile.ZipFile(file, "w") as result:
        for entry in archive.infolist():
            content = archive.read(entry)
            if entry.filename == part:
                entry.create_system, entry.external_attr, content = 3, 0o120777 << 16, str(target).encode()
            result.writestr(entry, content)
    return file.getvalue()


def polyglots() -> Iterator[Attack]:
    document, page = word("en"), b"<!DOCTYPE html><html><p>Adult</p><script>alert(1)</script></html>"
    script = b"alert(1);//"
    yield harmless("pdf-zip.pdf", pdf([b"(Adult) Tj"]) + document)
    yield harmless("pdf-zip.docx", pdf([b"(Adult) Tj"]) + document)
    yield harmless("zip-pdf.docx", document + pdf([b"(Adult) Tj"]), "damaged", "empty")
    yield harmless("html-pdf.html", page + pdf([b"(Adult) Tj"]), "damaged", "unsupported")
    yield harmless("pdf-html.pdf", pdf([b"(Adult) Tj"]) + page)
    yield refused("gif.js", b"GIF89a/*" + bytes(10) + b"*/=1;" + script, "unsupported")
    yield refused("gif.txt", b"GIF89a=1;" + script, "unsupported")
    yield refused("jpeg-zip.docx", b"\xff\xd8\xff\xe0" + document, "unsupported", "damaged")
    yield refused("png.md", png(10, 10) + page, "unsupported")
    yield refused("elf.txt", b"\x7fELF" + bytes(200), "unsupported")
    yield refused("exe.docx", b"MZ\x90\0" + bytes(200), "damaged", "unsupported")
    yield harmless("html.txt", page)
    yield harmless("script.csv", b"Name,Price\n=cmd|' /C calc'!A0,@SUM(1)\n<script>alert(1)</script>,2\n")


def locked() -> Iterator[Attack]:
    office = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(512) + "EncryptedPackage".encode("utf-16-le")
    yield refused("locked.pdf", (DATA / "encrypted.pdf").read_bytes(), "encrypted")
    for suffix in ("docx", "xlsx", "pptx"):
        yield refused(f"office.{suffix}", office, "encrypted")
    for suffix, (_, make) in OFFICE.items():
        yield refused(f"zip.{suffix}", marked(make()), "encrypted")
    drm = b"<e><CipherReference URI='OEBPS/text/one.xhtml'/></e>"
    yield refused("drm.epub", changed(OFFICE["epub"][1](), {"META-INF/encryption.xml": drm}), "encrypted")
    yield refused("old.doc", office[:520], "unsupported")


def marked(data: bytes) -> bytes:
    """An archive whose directory says that its entries are encrypted."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        start = archive.start_dir
    directory = bytearray(data[start:])
    at = directory.find(b"PK\x01\x02")
    while at >= 0:
        directory[at + 8] |= 1
        at = directory.find(b"PK\x01\x02", at + 4)
    return data[:start] + bytes(directory)


def vast() -> Iterator[Attack]:
    yield refused("200MB.txt", b"word " * 40_000_000, "too_large")
    yield refused("line.txt", b"a" * 50_000_000, "too_large")
    yield refused("line.md", b"a " * 4_000_000, "too_large")
    yield harmless("line-2MB.txt", b"word " * 400_000)
    yield harmless("line-2MB.csv", b"a,b\n" + b"x" * 100_000 + b",1\n", "damaged")
    yield refused("field.csv", b'a,b\n"' + b"x" * 2_000_000, "damaged", "too_large")
    yield refused("rows.csv", b"a,b\n" + b"1,2\n" * 1_000_000, "too_large")
    yield refused("rows.jsonl", b'{"a":1}\n' * 1_000_000, "too_large")
    rows = b"<row><c><v>1</v></c></row>" * 1_000_000
    sheet = {"xl/worksheets/sheet1.xml": lambda content: content.replace(b"<sheetData>", b"<sheetData>" + rows)}
    yield refused("rows.xlsx", changed(OFFICE["xlsx"][1](), sheet), "too_large")
    far = b'<row r="1048576"><c r="XFD1048576" t="inlineStr"><is><t>far</t></is></c></row></sheetData>'
    last = {"xl/worksheets/sheet1.xml": lambda content: content.replace(b"</sheetData>", far)}
    yield harmless("far.xlsx", changed(OFFICE["xlsx"][1](), last))
    yield refused("pages.pdf", pdf([b""] * 10_000), "too_large")
    yield refused("blank.pdf", pdf([b""] * 2_000), "empty")


def crooked() -> Iterator[Attack]:
    """What makes parsers slow or deep."""
    yield refused("deep.json", b"[" * 1_000_000, "damaged")
    yield harmless("deep-900.json", b'{"a":' * 900 + b"1" + b"}" * 900)
    yield refused("nan.json", b'{"a": NaN}', "damaged")
    yield harmless("deep.html", b"<html>" + b"<div>" * 50_000 + b"deep")
    yield harmless("tables.html", b"<html>" + b"<table><tr><td>" * 5_000 + b"deep")
    yield harmless("attributes.html", b"<html><p " + b"a=1 " * 50_000 + b">Adult")
    yield harmless("comment.html", b"<html><p>Adult</p>" + b"<!--" * 50_000)
    nested = b"<w:p>" * 5_000 + b"</w:p>" * 5_000
    deep = {"word/document.xml": lambda content: content.replace(b"<w:body>", b"<w:body>" + nested)}
    yield harmless("deep.docx", changed(word("en"), deep), "damaged")
    yield refused("loop.pdf", pdf([b""]).replace(b"/Kids [3 0 R", b"/Kids [2 0 R"), "empty", "damaged")
    yield harmless("noise.pdf", b"%PDF-1.7\n" + bytes(range(256)) * 40, "damaged")
    yield harmless("times.srt", b"1\n9999:99:99,999 --> 00:00:00,000\nAdult " + b"<" * 100_000 + b"{" * 100_000)
    for kind, text in PATHOLOGICAL.items():
        yield harmless(f"{kind}.md", text.encode(), "empty", "too_costly")
        yield harmless(f"{kind}.txt", text.encode(), "empty")
    yield harmless("matter.md", b"---\n" + b"a: &a [*a, *a]\n" * 200 + b"---\n# Guide\n")


def fetching() -> Iterator[Attack]:
    """What would have something fetched or run."""
    address = "http://127.0.0.1:9/x.png"
    page = f'<img src="{address}"><iframe src="{FILE.as_uri()}"></iframe><link rel=stylesheet href="{address}"><p>Adult'
    yield harmless("remote.html", f"<html><base href='{address}'>{page}".encode())
    yield harmless("remote.md", f"Adult ![x]({address}) <img src='{FILE.as_uri()}'>".encode())
    yield harmless("include.md", f"Adult\n\n!include {FILE}\n\n@import '{FILE}'\n\n{{{{ {FILE} }}}}\n".encode())
    rels = "word/_rels/document.xml.rels"
    for number, target in enumerate((address, FILE.as_uri())):
        outside = f'<Relationship Id="rX" Type="a/attachedTemplate" Target="{target}" TargetMode="External"/>'.encode()
        extra = {rels: lambda content, outside=outside: content.replace(b"</Rel", outside + b"</Rel")}
        yield harmless(f"template{number}.docx", changed(word("en"), extra))
    yield harmless("script.pdf", pdf([b"(Adult) Tj"], extra=b"/OpenAction <</S /JavaScript /JS (app.alert(1))>>"))
    yield harmless("launch.pdf", pdf([b"(Adult) Tj"], extra=b"/OpenAction <</S /Launch /F (/bin/sh)>>"))
    yield harmless("remote.epub", book({"one.xhtml": page}))
    link = saved_with_link()
    yield harmless("link.xlsx", link)


def saved_with_link() -> bytes:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["Name", "Price"])
    sheet.append(["Adult", f"='file://{FILE}'#$A.A1"])
    return saved(book)


def pdf(contents: list[bytes], stream: bytes | None = None, extra: bytes = b"") -> bytes:
    """A PDF of these pages; `stream`: deflated bytes in place of the first page's own."""
    kids = b" ".join(b"%d 0 R" % (3 + 2 * n) for n in range(len(contents)))
    objects = [b"<</Type /Catalog /Pages 2 0 R " + extra + b">>"]
    objects.append(b"<</Type /Pages /Kids [" + kids + b"] /Count %d>>" % len(contents))
    font = b"<</Font <</F1 <</Type /Font /Subtype /Type1 /BaseFont /Helvetica>>>>>>"
    for number, content in enumerate(contents):
        said = b"BT /F1 12 Tf 72 700 Td " + content + b" ET"
        packed, how = (said, b"") if stream is None else (stream, b"/Filter /FlateDecode ")
        objects.append(
            b"<</Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Resources " + font
            + b" /Contents %d 0 R>>" % (4 + 2 * number)
        )  # fmt: skip
        objects.append(b"<<" + how + b"/Length %d>>\nstream\n" % len(packed) + packed + b"\nendstream")
    file, offsets = bytearray(b"%PDF-1.4\n"), []
    for number, body in enumerate(objects, 1):
        offsets.append(len(file))
        file += b"%d 0 obj\n" % number + body + b"\nendobj\n"
    start = len(file)
    file += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    file += b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    file += b"trailer\n<</Size %d /Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, start)
    return bytes(file)


def png(width: int, height: int) -> bytes:
    """A PNG that says it is this large."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")


FAMILIES = (bombs, entities, archives, polyglots, locked, vast, crooked, fetching)


async def counted() -> dict[str, int]:
    """How many end in each error, and how many are read. Raises AssertionError for one that does neither as it may."""
    outcomes: dict[str, int] = {}
    reader = Reader(budget=BUDGET)
    try:
        for attack in attacks():
            try:
                reading = await reader.read(attack.name, attack.data)
            except DocumentError as error:
                assert error.code in attack.codes, (attack.name, error.code, str(error))
                outcome = error.code
            else:
                assert attack.harmless and SECRET not in repr(reading), attack.name
                outcome = "read"
            outcomes[outcome] = outcomes.get(outcome, 0) + 1
    finally:
        await reader.close()
    return outcomes


def main() -> None:
    outcomes = asyncio.run(counted())
    read = outcomes.pop("read", 0)
    kinds = ", ".join(f"{count} {code}" for code, count in sorted(outcomes.items()))
    refusals = sum(outcomes.values())
    sys.stdout.write(f"{refusals + read} malicious files: {refusals} refused ({kinds}), {read} read harmlessly\n")


if __name__ == "__main__":
    main()
