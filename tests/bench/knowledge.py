"""`python -m tests.bench.knowledge`: what a question, a passage and a start cost at 10,000 and 100,000 passages.

CPU times, of threads or of the whole process, so that other load shifts them little. Texts are generated, or
recombined from the sentences of files in SQuAD's format (`--data`). Questions are embedded by the real model; the
vectors of passages are drawn near those of questions, for 100,000 real ones would take seven hours.
`--live` measures a running server instead: how soon an upload is found while it talks with many.
"""

import argparse
import asyncio
import json
import os
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from tests.bench.costs import Figures, Plan, base, words
from tests.bench.live import live, report

ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")
"""As the server has it: the processes that measure load their numeric libraries after this is set."""
MEASURES: dict[str, Callable[[Plan], Figures]] = {"words": words, "base": base}


def main() -> int:
    given = arguments()
    for variable in ONE_THREAD:
        os.environ.setdefault(variable, "1")
    if given.live:
        found = asyncio.run(live(given.profile, given.conversations, given.seconds))
        say(report(found))
        rows: list[dict[str, Any]] = [asdict(found)]
    else:
        data = tuple(given.data)
        plans = [Plan(n, given.questions, given.store, data, not given.no_e5, given.sentences) for n in given.sizes]
        rows = [row for plan in plans for row in measured(plan, given.only)]
    if given.json:
        given.json.write_text(json.dumps(rows, indent=1) + "\n", "utf-8")
    return 0


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=[10_000, 100_000], help="passages")
    parser.add_argument("--questions", type=int, default=200)
    parser.add_argument("--store", choices=("chroma", "memory"), default="chroma")
    parser.add_argument("--data", type=Path, nargs="+", default=[], help="files in SQuAD's format to take sentences of")
    parser.add_argument("--no-e5", action="store_true", help="questions embedded by hashing, in no time")
    parser.add_argument("--sentences", action="store_true", help="sentences have vectors of their own")
    parser.add_argument("--only", choices=sorted(MEASURES), nargs="+", default=sorted(MEASURES))
    parser.add_argument("--live", action="store_true", help="uploads to a server that is talking")
    parser.add_argument("--profile", default="test", help="of the server for --live")
    parser.add_argument("--conversations", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=30.0, help="of talk without uploads, and with them")
    parser.add_argument("--json", type=Path, help="write the figures here too")
    return parser.parse_args()


def measured(plan: Plan, names: list[str]) -> Iterator[dict[str, Any]]:
    """Each in a process of its own: what one leaves in memory is not counted for the next."""
    for name in names:
        with ProcessPoolExecutor(1, get_context("spawn")) as apart:
            figures = apart.submit(MEASURES[name], plan).result()
        show(name, figures)
        yield {"measure": name, **asdict(figures)}


def show(name: str, figures: Figures) -> None:
    say(f"\n{name}, {figures.size:,} passages\n\n| | p50 | p95 |\n|---|---|---|")
    for stage, (middle, high) in figures.stages.items():
        say(f"| {stage}, CPU ms | {middle:.2f} | {high:.2f} |")
    singles = {"CPU s": figures.seconds, "passages/s of one core": figures.rates, "MB": figures.megabytes}
    for unit, values in singles.items():
        for label, value in values.items():
            say(f"| {label}, {unit} | {value:,.1f} | |")


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
