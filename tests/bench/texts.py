"""Generated passages and questions with the statistics that search depends on: Zipf's law, and lengths as in life."""

import itertools
import json
import random
from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from configs.language import Lang

_HAN = 4000
_WORDS = 60_000
_FUNCTION = (
    "the of and in to a was is for as on with by that from at his it an are were which this be or has had its not their"
)
_SYLLABLES = tuple("".join(parts) for parts in itertools.product("bcdfghlmnprstvw", "aeiou", ("", "n", "r", "l", "st")))


@dataclass(frozen=True, slots=True)
class Texts:
    """Passages, and questions that are about some of them."""

    passages: list[str]
    questions: list[str]


def generated(lang: Lang, count: int, questions: int = 200, seed: int = 7) -> Texts:
    """Chinese passages of 150 to 250 characters, English ones of about 500."""
    chance = np.random.default_rng(seed)
    words = np.array(_chinese(seed) if lang == "zh" else _english(seed), dtype=object)
    shares = (np.arange(len(words)) + 4.0) ** -1.1
    lengths = chance.integers(70, 118, count) if lang == "zh" else chance.integers(56, 82, count)
    drawn = words[chance.choice(len(words), int(lengths.sum()), p=shares / shares.sum())]
    parts = np.split(drawn, np.cumsum(lengths)[:-1])
    common = frozenset(words[:40])
    asked = [_asked(lang, parts[int(chance.integers(count))], common, chance) for _ in range(questions)]
    return Texts([_written(lang, part) for part in parts], asked)


def recombined(path: Path, count: int, seed: int = 7) -> Texts:
    """The sentences of a file in SQuAD's format, drawn at random into passages; its own questions."""
    chance = random.Random(seed)
    paragraphs = [p for article in json.loads(path.read_text("utf-8"))["data"] for p in article["paragraphs"]]
    contexts = [p["context"] for p in paragraphs]
    stop = "。" if sum(text.count("。") for text in contexts) > len(contexts) else ". "
    sentences = [s + stop for text in contexts for s in text.split(stop) if len(s) > 5]
    most = 180 if stop == "。" else 450
    asked = [qa["question"] for p in paragraphs for qa in p["qas"]]
    return Texts(list(itertools.islice(_drawn(sentences, most, chance), count)), asked)


def _drawn(sentences: Sequence[str], most: int, chance: random.Random) -> Iterator[str]:
    while True:
        text = ""
        while len(text) < most:
            text += chance.choice(sentences)
        yield text


def _chinese(seed: int) -> list[str]:
    """The commonest words have one character, the others two or three; characters follow Zipf's law too."""
    chance = random.Random(seed)
    characters = [chr(0x4E00 + number) for number in chance.sample(range(0x5000), _HAN)]
    shares = list(itertools.accumulate(1 / (rank + 60) for rank in range(_HAN)))
    longer = (
        "".join(chance.choices(characters, cum_weights=shares, k=chance.choice((2, 2, 2, 3)))) for _ in range(_WORDS)
    )
    return [word for pair in zip(characters[:150], longer, strict=False) for word in pair] + list(longer)


def _english(seed: int) -> list[str]:
    chance = random.Random(seed)
    made = ("".join(chance.choices(_SYLLABLES, k=chance.choice((2, 2, 3, 4)))) for _ in range(_WORDS))
    return [*_FUNCTION.split(), *made]


def _written(lang: Lang, words: Sequence[str]) -> str:
    """Words as sentences of fifteen."""
    join, comma, stop = ("", "，", "。") if lang == "zh" else (" ", ", ", ". ")
    clauses = [join.join(words[at : at + 8]) for at in range(0, len(words), 8)]
    return "".join(clause + (stop if number % 2 else comma) for number, clause in enumerate(clauses))


def _asked(lang: Lang, words: Sequence[str], common: AbstractSet[str], chance: np.random.Generator) -> str:
    """A question with words that stand together in a passage, function words left out."""
    size = int(chance.integers(4, 14))
    start = int(chance.integers(len(words) - size))
    span = [word for word in words[start : start + size] if word not in common]
    return f"请问{''.join(span)}是什么？" if lang == "zh" else f"What is the {' '.join(span)}?"
