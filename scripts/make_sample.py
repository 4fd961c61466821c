"""Makes the Word and PDF files of the sample documents from the Markdown files beside this script.

    pip install fonttools
    python scripts/make_sample.py [--chromium /usr/bin/chromium]

Word files are written with python-docx. PDF files are printed by Chromium with the part of a Chinese font that they
need, since it would embed far more. Run it after an edit and commit the result.
"""

import argparse
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from docx import Document
from docx.table import Table
from markdown_it import MarkdownIt

HERE = Path(__file__).parent
SOURCES = HERE / "sample"
TARGET = HERE.parent / "knowledge" / "sample"
WORD = ("学校团体", "school-groups")
PDF = ("建馆历史", "history")
FONT = "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc"
STYLE = """
@page { size: A4; margin: 25mm 22mm; }
@font-face { font-family: part; src: url(part.otf); }
body { font: 11.5pt/1.7 part; }
h1, h2 { font-weight: normal; } h1 { font-size: 22pt; } h2 { font-size: 15pt; }
table { border-collapse: collapse; width: 100%; } td, th { border: 1px solid #888; padding: 4pt 8pt; text-align: left; }
"""


def word(name: str) -> None:
    document = Document()
    table: Table | None = None
    for line in (SOURCES / f"{name}.md").read_text("utf-8").splitlines():
        if not line.startswith("|"):
            table = None
        if line.startswith("|---"):
            continue
        if line.startswith("|"):
            cells = [cell.strip() for cell in line.strip("|").split("|")]
            if table is None:
                table = document.add_table(rows=0, cols=len(cells))
                table.style = "Table Grid"
            for target, text in zip(table.add_row().cells, cells, strict=True):
                target.text = text
        elif line.startswith("# "):
            document.add_heading(line[2:], 0)
            document.core_properties.title = line[2:]
        elif line.startswith("## "):
            document.add_heading(line[3:], 1)
        elif line:
            document.add_paragraph(line)
    document.core_properties.author = "Harbour Science Museum"
    document.core_properties.created = document.core_properties.modified = datetime(2026, 1, 1, tzinfo=UTC)
    document.save(str(TARGET / f"{name}.docx"))


def pdf(name: str, chromium: str) -> None:
    text = (SOURCES / f"{name}.md").read_text("utf-8")
    title = text.splitlines()[0].removeprefix("# ")
    body = MarkdownIt("commonmark").enable("table").render(text)
    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder) / "page.html"
        page.write_text(
            f'<!DOCTYPE html><meta charset="utf-8"><title>{title}</title><style>{STYLE}</style>{body}', "utf-8"
        )
        subset = [sys.executable, "-m", "fontTools.subset", FONT, "--font-number=2", "--layout-features="]
        subprocess.run([*subset, f"--text={text}", f"--output-file={Path(folder) / 'part.otf'}"], check=True)
        command = [chromium, "--headless", "--no-sandbox", "--disable-gpu", "--no-pdf-header-footer"]
        printed = Path(folder) / "page.pdf"
        subprocess.run([*command, f"--print-to-pdf={printed}", page.as_uri()], check=True, capture_output=True)
        (TARGET / f"{name}.pdf").write_bytes(printed.read_bytes())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--chromium", default="chromium")
    arguments = parser.parse_args()
    for name in WORD:
        word(name)
    for name in PDF:
        pdf(name, arguments.chromium)


if __name__ == "__main__":
    main()
