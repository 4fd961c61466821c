"""How far `agent.tokens.estimate` is from Qwen2.5's own tokenizer, read out of the packaged model's GGUF file.

python -m tests.agent.count_tokens FILE…: JSON files with "context" texts (SQuAD's form), or plain text by paragraphs.
"""

import json
import re
import struct
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from agent.tokens import estimate
from configs.home import current
from configs.weights.manifest import require

_MODEL = "qwen2.5-coder-0.5b-instruct"
_SCALARS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
_STRING, _ARRAY = 8, 9
_WORDS = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)


def tokenizer(path: Path) -> Any:
    from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers

    with path.open("rb") as file:
        facts = metadata(file)
    merges = [tuple(merge.split(" ", 1)) for merge in facts["tokenizer.ggml.merges"]]
    vocabulary = {token: number for number, token in enumerate(facts["tokenizer.ggml.tokens"])}
    made = Tokenizer(models.BPE(vocabulary, merges))
    made.normalizer = normalizers.NFC()
    made.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(_WORDS), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    return made


def metadata(file: BinaryIO) -> dict[str, Any]:
    """The key-value pairs with which a GGUF file begins."""

    def scalar(code: str) -> Any:
        return struct.unpack(f"<{code}", file.read(struct.calcsize(f"<{code}")))[0]

    def value(kind: int) -> Any:
        if kind == _STRING:
            return file.read(scalar("Q")).decode("utf-8", "surrogateescape")
        if kind == _ARRAY:
            inner, count = scalar("I"), scalar("Q")
            return [value(inner) for _ in range(count)]
        return scalar(_SCALARS[kind])

    magic, _, _, pairs = file.read(4), scalar("I"), scalar("Q"), scalar("Q")
    assert magic == b"GGUF"
    return {value(_STRING): value(scalar("I")) for _ in range(pairs)}


def texts(path: Path) -> Iterator[str]:
    if path.suffix == ".json":
        yield from contexts(json.loads(path.read_text("utf-8")))
    else:
        yield from filter(str.strip, re.split(r"\n\n+", path.read_text("utf-8")))


def contexts(tree: Any) -> Iterator[str]:
    match tree:
        case dict():
            for key, inner in tree.items():
                if key in ("context", "context_text") and isinstance(inner, str):
                    yield inner
                else:
                    yield from contexts(inner)
        case list():
            for inner in tree:
                yield from contexts(inner)


def main(paths: list[str]) -> None:
    made = tokenizer(require(current(), _MODEL, f"{_MODEL}-q4_k_m.gguf"))
    for path in map(Path, paths):
        found = list(texts(path))
        counts = np.array([len(made.encode(text).ids) for text in found])
        ratios = np.array([estimate(text) for text in found]) / counts
        shares = " ".join(f"p{at} {np.percentile(ratios, at):.2f}" for at in (0, 1, 5, 50, 95, 100))
        print(f"{path.name}: {len(found)} texts, {counts.sum()} tokens; estimate/count {shares}; "
              f"below {(ratios < 1).mean():.1%}")  # fmt: skip


if __name__ == "__main__":
    main(sys.argv[1:])
