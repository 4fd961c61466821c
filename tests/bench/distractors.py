"""Other passages to find the right one among, recombined from the sentences of SQuAD files.

`python -m tests.bench.distractors OUT.txt FILE.json … [--count 10000] [--seed 1]` writes one passage a line: two or
three sentences of different articles, 180 to 360 bytes (60 to 120 Chinese characters). The same arguments give the
same file.
"""

import argparse
import random
from collections.abc import Iterator, Sequence
from pathlib import Path

from knowledge.documents import Passage
from knowledge.evaluation.datasets import load
from knowledge.sentences import sentence_spans

SENTENCE = range(36, 240)
PASSAGE = range(180, 361)


def recombined(passages: Sequence[Passage], seed: int) -> Iterator[str]:
    """Distinct passages without end."""
    pool = sorted({(passage.title, text) for passage in passages for text in sentences(passage.text)})
    chance, seen = random.Random(seed), set()
    while True:
        chosen = chance.sample(pool, chance.choice((2, 3)))
        text = "".join(sentence if sentence[-1] > "\u2e7f" else f"{sentence} " for _, sentence in chosen).strip()
        apart = len({title for title, _ in chosen}) == len(chosen)
        if apart and len(text.encode()) in PASSAGE and text not in seen:
            seen.add(text)
            yield text


def sentences(text: str) -> Iterator[str]:
    for start, end in sentence_spans(text):
        sentence = " ".join(text[start:end].split())
        if len(sentence.encode()) in SENTENCE:
            yield sentence


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    passages = [passage for file in arguments.files for passage in load(file).passages]
    made = recombined(passages, arguments.seed)
    arguments.out.write_text("".join(f"{next(made)}\n" for _ in range(arguments.count)), "utf-8")


if __name__ == "__main__":
    main()
