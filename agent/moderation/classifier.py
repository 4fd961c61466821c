"""A statistical classifier: one linear model over hashed characters, in one file, with what its scores mean."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import orjson
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from agent.moderation.features import BITS, LONGEST, SIZE, features
from configs.language import Lang
from configs.safety import Category

_MAGIC = "zhubo moderation 1"
_LONGEST_HEAD = 1 << 16


class ClassifierError(ValueError):
    """The file is no classifier of ours, or it is damaged."""


class Head(BaseModel):
    """What stands in a model file's first line. `thresholds`: the score that this share of harmless texts exceeds,
    found on texts that were not trained on. `share`: of the data, by hash, that was trained on."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    magic: str = Field(default=_MAGIC, pattern=f"^{_MAGIC}$")
    lang: Lang
    category: Category
    bits: int = Field(default=BITS, ge=BITS, le=BITS)
    longest: int = Field(default=LONGEST, ge=LONGEST, le=LONGEST)
    bias: float
    thresholds: Annotated[dict[str, float], Field(min_length=1)]
    share: float
    rows: tuple[int, int]
    """Harmless and other texts."""
    data: str
    """sha256 of the texts and labels that it was trained on."""
    sha256: str = ""
    """Of the weights."""


@dataclass(frozen=True, slots=True)
class Classifier:
    head: Head
    weights: NDArray[np.float32]

    def score(self, text: str) -> float:
        """Log-odds; the thresholds of the head say from where on it counts."""
        found = features(text)
        return float(self.weights[found].sum() / np.sqrt(len(found)) + self.head.bias)

    def threshold(self, rate: float) -> float:
        """The score from which on at most this share of harmless texts is flagged wrongly."""
        known = sorted((float(share), score) for share, score in self.head.thresholds.items())
        fitting = [score for share, score in known if share <= rate + 1e-9]
        return fitting[-1] if fitting else known[0][1]

    def save(self, path: Path) -> None:
        payload = self.weights.astype("<f2").tobytes()
        head = self.head.model_copy(update={"sha256": hashlib.sha256(payload).hexdigest()})
        path.write_bytes(orjson.dumps(head.model_dump(mode="json")) + b"\n" + payload)

    @classmethod
    def load(cls, path: Path) -> "Classifier":
        try:
            with path.open("rb") as file:
                line = file.readline(_LONGEST_HEAD)
                payload = file.read(2 * SIZE + 1)
            content: Any = orjson.loads(line)
            head = Head.model_validate(content)
        except OSError as error:
            raise ClassifierError(f"{path} cannot be read: {error.strerror}") from error
        except (orjson.JSONDecodeError, ValidationError) as error:
            raise ClassifierError(f"{path} is not a classifier that this version reads") from error
        if len(payload) != 2 * SIZE or hashlib.sha256(payload).hexdigest() != head.sha256:
            raise ClassifierError(f"{path} is damaged: its weights are not what its head says")
        return cls(head, np.frombuffer(payload, "<f2").astype(np.float32))


def share_of(text: str) -> float:
    """Where a text stands between 0 and 1, by its hash: who is trained on is no choice of anybody's."""
    return int.from_bytes(hashlib.sha256(" ".join(text.split()).encode()).digest()[:6]) / (1 << 48)


def digest(texts: Sequence[str], labels: Sequence[bool]) -> str:
    rows = sorted(f"{int(label)}\t{' '.join(text.split())}" for text, label in zip(texts, labels, strict=True))
    return hashlib.sha256("\n".join(rows).encode()).hexdigest()
