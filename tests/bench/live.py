"""How soon an upload can be found while a server talks with many, and what uploads do to its answers.

A real `zhubo serve` in a process of its own; its model and its voice take a fixed time, which is taken off: what is
left of the time to the first sound is the server's own, its overhead.
"""

import asyncio
import io
import json
import tempfile
import textwrap
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import cycle, islice, pairwise
from pathlib import Path

import docx
import httpx
import psutil
from websockets.asyncio.client import ClientConnection, connect

from configs.language import LANGUAGES, Lang
from tests.bench.costs import spread
from tests.bench.texts import generated
from tests.e2e.serving import Served, serving
from tests.knowledge.hostile import pdf

_MODEL, _VOICE = 0.1, 0.03
_PERIOD = 4.0
"""Seconds from one question of a conversation to its next."""
_EVERY = 3.0
"""Seconds from one upload to the next."""
_PAGES = 10
_ENVIRON = {
    "ZHUBO__KNOWLEDGE__GROUNDED": "false",
    "ZHUBO__MODEL__OPTIONS__DELAY": str(_MODEL),
    "ZHUBO__VOICE__OPTIONS__DELAY": str(_VOICE),
    "ZHUBO__LIMITS__SPEECH_BYTES": "0",
}
_QUESTIONS = Path(__file__).parents[1] / "data"


File = tuple[str, bytes, str]
"""Name, contents, and a question that only it answers."""


@dataclass(frozen=True, slots=True)
class Live:
    """Milliseconds of overhead, and seconds from an upload's first byte to a search that finds it: [p50, p95]."""

    conversations: int
    turns: int
    quiet: tuple[float, float]
    uploading: tuple[float, float]
    uploads: int
    searchable: tuple[float, float]
    cpu: tuple[float, float]


async def live(profile: str, conversations: int, seconds: float) -> Live:
    files = [_docx(number) if number % 2 else _pdf(number) for number in range(max(int(seconds / _EVERY), 1))]
    with (
        tempfile.TemporaryDirectory() as folder,
        serving(Path(folder), "--profile", profile, environ=_ENVIRON, wait=120) as server,
    ):
        await talk(server, conversations, 2 * _PERIOD)
        quiet, uploading, found, spent = list[float](), list[float](), list[float](), [cpu(server)]
        for half in (files[::2], files[1::2]):
            quiet += await talk(server, conversations, seconds / 2)
            spent.append(cpu(server))
            uploads = asyncio.create_task(upload(server, half))
            uploading += await talk(server, conversations, seconds / 2)
            found += await uploads
            spent.append(cpu(server))
    steps = [after - before for before, after in pairwise(spent)]
    shares = (sum(steps[::2]) / seconds, sum(steps[1::2]) / seconds)
    turns = len(quiet) + len(uploading)
    return Live(conversations, turns, spread(quiet), spread(uploading), len(found), spread(found), shares)


def report(found: Live) -> str:
    growth = found.uploading[1] / found.quiet[1]
    return "\n".join(
        [
            f"{found.conversations} conversations, {found.turns} turns, {found.uploads} uploads of {_PAGES} pages\n",
            "| | p50 | p95 |\n|---|---|---|",
            "| overhead without uploads, ms | {:.1f} | {:.1f} |".format(*found.quiet),
            "| overhead with uploads, ms | {:.1f} | {:.1f} |".format(*found.uploading),
            "| from upload to found by its words, s | {:.2f} | {:.2f} |".format(*found.searchable),
            "| CPU of the server, cores, without and with uploads | {:.2f} | {:.2f} |".format(*found.cpu),
            f"\np95 overhead grows by {growth:.2f}×",
        ]
    )


async def talk(server: Served, conversations: int, seconds: float) -> list[float]:
    """The overhead of each turn in milliseconds. The conversations' turns are evenly spread over a period."""
    start = time.monotonic() + 0.5
    langs = islice(cycle(LANGUAGES), conversations)
    turns = max(int(seconds / _PERIOD), 1)
    begins = [start + at * _PERIOD / conversations for at in range(conversations)]
    talks = [converse(server, questions(lang, turns), begin) for lang, begin in zip(langs, begins, strict=True)]
    return [overhead for overheads in await asyncio.gather(*talks) for overhead in overheads]


def questions(lang: Lang, count: int) -> list[str]:
    """Questions that the sample documents answer."""
    asked = [json.loads(line) for line in (_QUESTIONS / f"questions.{lang}.jsonl").open("rb")]
    return list(islice(cycle(item["question"] for item in asked if not item.get("unanswerable")), count))


async def converse(server: Served, asked: Sequence[str], begin: float) -> list[float]:
    """The overhead of each turn that the model was needed for."""
    overheads = []
    async with connect(server.ws, max_size=None) as client:
        await client.send('{"type":"hello","protocol":"zhubo.v1"}')
        await client.recv()
        for number, question in enumerate(asked):
            await asyncio.sleep(max(begin + number * _PERIOD - time.monotonic(), 0))
            overheads.append(await turn(client, question))
    return [overhead for overhead in overheads if overhead is not None]


async def turn(client: ClientConnection, question: str) -> float | None:
    """Milliseconds to the first sound beyond what the model and the voice take; None for a refusal."""
    asked = time.monotonic()
    await client.send(json.dumps({"type": "say", "text": question}))
    first: float | None = None
    while True:
        frame = await asyncio.wait_for(client.recv(), 30)
        if isinstance(frame, bytes):
            first = first or time.monotonic()
        elif (event := json.loads(frame))["type"] == "turn_ended":
            assert first is not None, "an answer is spoken"
            return None if event["refused"] else (first - asked - _MODEL - _VOICE) * 1e3


async def upload(server: Served, files: Sequence[File]) -> list[float]:
    """One after the other: seconds from the first byte sent to a search that finds what is in the file."""
    taken = []
    async with httpx.AsyncClient(base_url=f"{server.url}/v1/knowledge/main", timeout=60) as client:
        for name, data, asked in files:
            began = time.monotonic()
            (await client.post("/documents", files={"file": (name, data)})).raise_for_status()
            answer = (await client.post("/search", json={"question": asked, "count": 5})).raise_for_status().json()
            taken.append(time.monotonic() - began)
            assert name in {passage["source"] for passage in answer["passages"]}, "what was uploaded is found"
            await asyncio.sleep(max(began + _EVERY - time.monotonic(), 0))
    return taken


def _docx(number: int) -> File:
    """Ten pages of Chinese, and what to ask."""
    document, target = docx.Document(), io.BytesIO()
    for page, text in enumerate(_pages("zh", number)):
        document.add_heading(f"第{page + 1}章", 1)
        document.add_paragraph(text)
        document.add_page_break()
    document.add_paragraph(f"编号{number}88的馆藏是一座天文钟。")
    document.save(target)
    return f"{number}.docx", target.getvalue(), f"编号{number}88的馆藏是什么？"


def _pdf(number: int) -> File:
    """Ten pages of English, and what to ask."""
    pages = [f"Item {number}88 is an astronomical clock. {text}" for text in _pages("en", number)]
    shown = [
        b" ".join(b"(%s) Tj 0 -14 Td" % line.encode() for line in textwrap.wrap(text, 90)).strip() for text in pages
    ]
    return f"{number}.pdf", pdf(shown), f"What is item {number}88?"


def _pages(lang: Lang, seed: int) -> list[str]:
    """About 600 characters of Chinese a page, or 2,000 of English."""
    passages = generated(lang, _PAGES * 4, 1, seed + 1).passages
    return ["".join(passages[at : at + 4]) for at in range(0, len(passages), 4)]


def cpu(server: Served) -> float:
    """CPU seconds so far of the server and the processes it started."""
    process = psutil.Process(server.process.pid)
    own, parts = process.cpu_times(), [child.cpu_times() for child in process.children(recursive=True)]
    ended = own.children_user + own.children_system
    return float(own.user + own.system + ended + sum(part.user + part.system for part in parts))
