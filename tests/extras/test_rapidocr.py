"""Scans and pictures read by RapidOCR, whose models are in its package."""

import pytest

from configs.engines import EngineSpec, build
from configs.home import current
from knowledge.ingest import read
from knowledge.limits import FileLimits
from tests.knowledge.format_table import stands
from tests.knowledge.specimens import Fact, scan


@pytest.mark.parametrize(
    ("lang", "kind", "fact"),
    [("zh", "PDF", "海港造船厂的工程师林若海"), ("en", "PNG", "engineer at the Haigang shipyard")],
)
def test_rapidocr_reads_a_scan(lang: str, kind: str, fact: str) -> None:
    engine = build("ocr", EngineSpec(engine="rapidocr"), current())
    done = read(f"scan.{kind.lower()}", scan(lang, kind), FileLimits(), engine)
    assert stands(Fact(fact, page=1), done)
