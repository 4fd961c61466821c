"""`python -m tests.knowledge.kill_trials`: SIGKILL at random points of ingestion, and what is found afterwards.

A process takes documents in, in every way there is, and says in a file what was acknowledged. It is killed, and another
one opens what is left, waits until it is complete and compares: no acknowledged document or answer may be missing, no
vector may differ from one made anew, and no vector may be left that belongs to nothing.
"""

import argparse
import asyncio
import json
import os
import random
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import numpy as np

from configs.home import Home
from knowledge.base import Engines, KnowledgeBase
from knowledge.documents import QuestionAnswer
from knowledge.embedding import Embedding
from knowledge.engines.chroma import Chroma
from knowledge.engines.hashing import Hashing
from knowledge.ingest import document_id, indexed
from tests.doubles import HereReader

_NAMES = 12
_CHANGES = 400
_TRIALS_A_FOLDER = 10
"""Trials on one folder, one after the other: later ones begin with what earlier kills have left."""
_SIDE_BY_SIDE = 3
"""Folders at once: each waits most of its time for the process that reads what a kill has left."""


@dataclass
class Counts:
    trials: int = 0
    acknowledged: int = 0
    lost: int = 0
    vectors: int = 0
    wrong_vectors: int = 0
    missing_vectors: int = 0
    stray_vectors: int = 0
    unfinished_jobs: int = 0
    seconds: float = 0.0

    def add(self, other: "Counts") -> None:
        for name, count in asdict(other).items():
            setattr(self, name, getattr(self, name) + count)


def text(name: str, version: int) -> str:
    sections = [
        f"## 第 {n} 节 Section {n}\n\n{name} 的第 {version} 版。Version {version} of {name}.\n" for n in range(6)
    ]
    return f"# {name}\n\n" + "\n".join(sections)


async def opened(folder: Path) -> tuple[KnowledgeBase, Chroma]:
    home = Home(folder, folder)
    store = Chroma(Chroma.Options(), home)
    engines = Engines(Embedding(Hashing(Hashing.Options(), home)), store, HereReader())
    knowledge = KnowledgeBase(folder / "knowledge", engines, keep=4)
    await knowledge.open()
    return knowledge, store


async def work(folder: Path, log: int, chance: random.Random) -> None:
    """Take documents in until killed. A line is written before each change and one after it was acknowledged."""
    knowledge, _ = await opened(folder)
    version = time.time_ns()
    for _ in range(_CHANGES):
        version += 1
        name = f"文件-{chance.randrange(_NAMES)}.md"
        way = chance.choice(("ingest", "ingest", "submit", "publish", "remove", "answer"))
        os.write(log, f"{json.dumps(['begun', way, name, version])}\n".encode())
        data = text(name, version).encode()
        match way:
            case "ingest":
                await knowledge.ingest(name, data)
            case "submit":
                await knowledge.submit(name, data)
            case "publish":
                await knowledge.publish([(name, data)], note=str(version))
            case "remove":
                await knowledge.remove(document_id(name))
            case "answer":
                await knowledge.put_curated(QuestionAnswer((f"{name} 有几版？",), str(version)), f"a-{name}")
        os.write(log, f"{json.dumps(['done', way, name, version])}\n".encode())


async def check(folder: Path, log: Path, counts: Counts) -> None:
    knowledge, store = await opened(folder)
    jobs = [await knowledge.ended(job.id) for job in reversed(await knowledge.jobs())]
    counts.unfinished_jobs += sum(job is None or job.state != "done" for job in jobs)
    await knowledge.settled()
    documents, answers = allowed(log)
    counts.acknowledged += len(documents) + len(answers)
    for name, versions in documents.items():
        document = await knowledge.document(document_id(name))
        counts.lost += (document.text if document else None) not in {
            None if version is None else stripped(name, version) for version in versions
        }
    said = {curated.id: curated.entry.answer for curated in knowledge.curated()}
    for name, versions in answers.items():
        counts.lost += said.get(f"a-{name}") not in {None if version is None else str(version) for version in versions}
    await compare(knowledge, folder, counts)
    await knowledge.close()
    store.close()


def stripped(name: str, version: int) -> str:
    """A version's text as the Markdown parser gives it."""
    return "\n\n".join(line.lstrip("# ") for line in text(name, version).splitlines() if line)


def allowed(log: Path) -> tuple[dict[str, set[int | None]], dict[str, set[int | None]]]:
    """What may be found of each document and answer: the last acknowledged version, or one begun after it.

    A promised file (`submit`) may come after a change that was made later; then either may be the last.
    """
    documents: dict[str, set[int | None]] = {}
    answers: dict[str, set[int | None]] = {}
    for line in log.read_text("utf-8").splitlines():
        state, way, name, version = json.loads(line)
        told = answers if way == "answer" else documents
        found = None if way == "remove" else version
        if state == "done" and way not in ("submit", "answer"):
            promised = {v for v in documents.get(name, set()) if v in _promises(log, name)}
            told[name] = {found, *promised}
        elif state == "done" and way == "answer":
            told[name] = {found}
        else:
            told.setdefault(name, {None}).add(found)
    return documents, answers


def _promises(log: Path, name: str) -> set[int]:
    lines = map(json.loads, log.read_text("utf-8").splitlines())
    return {version for _, way, other, version in lines if way == "submit" and other == name}


async def compare(knowledge: KnowledgeBase, folder: Path, counts: Counts) -> None:
    """Every vector with one made anew from the text that the library has."""
    assert knowledge._opened is not None
    stacks = knowledge._opened.stacks
    needed = {passage.id: indexed(passage) for passage in await stacks.shown()}
    index = stacks.dense.serving.passages
    kept = await stacks.on_file(stacks.library.kept)
    stored = await index._call(lambda: index._opened().ids())
    counts.missing_vectors += len(needed.keys() - stored)
    counts.stray_vectors += len(stored - kept)
    vectors = await index.vectors(needed)
    anew = Hashing(Hashing.Options(), Home(folder, folder))
    for identifier, vector in vectors.items():
        expected = anew.embed([needed[identifier]], "passage")[0]
        counts.vectors += 1
        counts.wrong_vectors += not np.allclose(vector, expected, atol=1e-5)


def forked(work: Callable[[], None]) -> int:
    """A child of this process, which has imported everything and started nothing."""
    child = os.fork()
    if child:
        return child
    code = 1
    try:
        work()
        code = 0
    except Exception:  # noqa: BLE001  whatever it is, it is told before the child ends
        traceback.print_exc()
    finally:
        os._exit(code)


def trial(folder: Path, seed: int) -> Counts:
    chance = random.Random(seed)
    log = folder / "log.jsonl"
    report = folder / "counts.json"
    lines = len(log.read_bytes().splitlines()) if log.exists() else 0
    writing = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    worker = forked(lambda: asyncio.run(work(folder, writing, chance)))
    os.close(writing)
    wanted = lines + random.Random(-seed).randrange(1, 40)
    deadline = time.monotonic() + 60
    while len(log.read_bytes().splitlines()) < wanted and time.monotonic() < deadline:
        time.sleep(0.001)
    time.sleep(random.Random(seed + 1).random() * 0.02)
    os.kill(worker, signal.SIGKILL)
    _, status = os.waitpid(worker, 0)
    assert os.WIFSIGNALED(status), "the worker ended by itself"

    def examine() -> None:
        counts = Counts(trials=1)
        asyncio.run(check(folder, log, counts))
        report.write_text(json.dumps(asdict(counts)))

    checker = forked(examine)
    _, status = os.waitpid(checker, 0)
    assert status == 0, "what was left could not be opened"
    return Counts(**json.loads(report.read_text()))


def series(seeds: Sequence[int], report: Path) -> None:
    """Trials on one folder."""
    total = Counts()
    with tempfile.TemporaryDirectory() as folder:
        for seed in seeds:
            total.add(trial(Path(folder), seed))
    report.write_text(json.dumps(asdict(total)))


def run(trials: int, seed: int) -> Counts:
    total, began, running = Counts(), time.monotonic(), set[int]()
    with tempfile.TemporaryDirectory() as reports:
        for first in range(seed, seed + trials, _TRIALS_A_FOLDER):
            if len(running) == _SIDE_BY_SIDE:
                _ended(running)
            seeds = range(first, min(first + _TRIALS_A_FOLDER, seed + trials))
            running.add(forked(partial(series, seeds, Path(reports, f"{first}.json"))))
        while running:
            _ended(running)
        for report in Path(reports).iterdir():
            total.add(Counts(**json.loads(report.read_text())))
    total.seconds = round(time.monotonic() - began, 1)
    return total


def _ended(running: set[int]) -> None:
    """Wait for one of them."""
    child, status = os.wait()
    running.remove(child)
    assert status == 0, "a trial could not be made to its end"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    counts = run(arguments.trials, arguments.seed)
    print(json.dumps(asdict(counts)))
    return int(any((counts.lost, counts.wrong_vectors, counts.missing_vectors, counts.stray_vectors)))


if __name__ == "__main__":
    sys.exit(main())
