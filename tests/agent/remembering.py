"""`python -m tests.agent.remembering`: facts told in one conversation and asked in the next, after a restart, by rules.

For each language: how many of the statements became a fact, how many questions were answered word for word from it
(`reply`), and for how many it is among the facts that a prompt is given (`recall`).
"""

import argparse
import asyncio
import json
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from agent.engines.sqlite_records import SqliteRecords
from agent.memory.memories import Memories
from agent.memory.transcript import Transcript
from configs.language import LANGUAGES, Lang
from configs.memory import MemorySettings

DATA = Path(__file__).parents[1] / "data"


@dataclass(frozen=True, slots=True)
class Case:
    says: str
    asks: str
    answer: str


@dataclass(slots=True)
class Score:
    cases: int = 0
    told: int = 0
    recalled: int = 0
    answered: int = 0
    missed: list[str] = field(default_factory=list)


def cases(lang: Lang, name: str = "facts") -> list[Case]:
    lines = (DATA / f"{name}.{lang}.jsonl").read_text("utf-8").splitlines()
    return [Case(**json.loads(line)) for line in lines]


def memories(folder: Path) -> Memories:
    return Memories(SqliteRecords(folder / "memory.sqlite"), MemorySettings(long_term=True), 3)


def said(text: str) -> Transcript:
    transcript = Transcript()
    transcript.started(text, 0.0)
    transcript.played(1.0)
    transcript.ended()
    return transcript


async def tell(folder: Path, user: str, statements: Sequence[str]) -> None:
    """In one conversation; every one is on the disk at the end."""
    kept = memories(folder)
    memory = await kept.open(user=user)
    assert await memory.consent(True)
    for turn, statement in enumerate(statements, 1):
        memory.answered(turn, statement, said("好的，我记住了。" if not statement.isascii() else "All right."))
    await memory.settled()
    await kept.aclose()


async def measure(lang: Lang, name: str = "facts") -> Score:
    score, told = Score(), cases(lang, name)
    with tempfile.TemporaryDirectory() as folder:
        await tell(Path(folder), "visitor", [case.says for case in told])
        kept = memories(Path(folder))
        memory = await kept.open(user="visitor")
        facts = [fact.text for fact in await kept.facts("visitor")]
        for case in told:
            reply = await memory.reply(case.asks, lang) or ""
            recalled = (await memory.recall(case.asks, lang)).facts
            score.cases += 1
            score.told += any(case.answer in fact for fact in facts)
            score.recalled += any(case.answer in fact.text for fact in recalled)
            score.answered += case.answer in reply
            if case.answer not in reply:
                score.missed.append(f"{case.asks} -> {reply or '(no reply)'}")
        await kept.aclose()
    return score


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--set", default="facts", help="tests/data/NAME.zh.jsonl and NAME.en.jsonl")
    parser.add_argument("--misses", action="store_true")
    arguments = parser.parse_args()
    for lang in LANGUAGES:
        score = asyncio.run(measure(lang, arguments.set))
        print(
            f"{lang}: {score.cases} facts; kept {score.told}, in the prompt {score.recalled}, answered {score.answered}"
        )
        if arguments.misses:
            print("".join(f"    {miss}\n" for miss in score.missed), end="")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
