"""Search by words: incremental BM25 over Chinese characters and their pairs, and folded, lightly stemmed words.

BM25 after Robertson and Zaragoza, "The Probabilistic Relevance Framework" (2009), with k1 = 1.2 and b = 0.75.
"""

import math
import re
import unicodedata
from array import array
from bisect import bisect_left
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import lru_cache
from operator import add
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from configs.characters import simplified
from knowledge.postings import MOST, NOTHING, Amounts, Frozen, Keys, Packed, Row, key, keys, occurrences, refrozen

Counts = Counter[str]
Real = TypeVar("Real", NDArray[np.float32], NDArray[np.float64])

_K1, _B = 1.2, 0.75
_FREQUENT, _SPARSE, _FEW = 8, 16, 1024
"""A term becomes a row when an eighth of the texts have it, and 1024; a list again when a sixteenth have it."""
_SAMPLE = 4096
_CHINESE = r"\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U0003134f"
_LETTERS = rf"[^\W\d_{_CHINESE}]+"
_RUN = re.compile(rf"[{_CHINESE}]+|{_LETTERS}(?:'{_LETTERS})*|\d+(?:[.,:]\d+)*")
_WIDE = tuple(zip("，：；！？（）", ",:;!?()", strict=True))  # what keeps Chinese text from the fast path of NFKC
_HAN = re.compile(r"[\u3400-\u9fff\U00020000-\U0003134f]")
_FILLERS = re.compile(
    "请问|什么|怎么样|怎么|怎样|如何|哪里|哪儿|哪些|哪个|哪种|哪位|哪一|哪|多少|多久|多长时间|多长|多大|几点|几个|几"
    "|为什么|为何|是不是|是否|有没有|能不能|可不可以|会不会|要不要|可以|能否|需要|应该|告诉|介绍一下|介绍|一下|知道|想要"
    "|你们|我们|他们|它们|咱们|这里|那里|这个|那个|谁|吗|呢|吧|啊|呀|嘛|的|了|是|我|你|您|它|他|她|想|请|就|都|还|也|在|有|要"
)
_FUNCTION_WORD = re.compile(
    "a|about|all|am|an|and|any|are|as|at|be|been|being|by|can|could|did|do|does|doing|done|for|from|get|give|had|has|have|how"
    "|i|i'm|if|in|into|is|it|its|it's|let's|many|may|me|might|much|my|need|of|off|on|or|our|please|shall|should|so|some"
    "|tell|than|that|the|their|them|then|there|these|they|this|those|to|us|was|we|were|what|what's|when|where|where's|which"
    "|who|who's|whom|whose|why|will|with|would|you|your"
)


def terms(text: str) -> list[str]:
    """The terms of a text, repeated as often as they occur."""
    found: list[str] = []
    for run in _RUN.findall(_folded(text)):
        if _HAN.match(run):
            found.extend(run)
            found.extend(map(add, run, run[1:]))
        elif run[0].isdigit():
            found.append(run.replace(",", ""))
        else:
            found.append(stem(run))
    return found


def counted(text: str) -> Counts:
    """How often each term occurs in a text."""
    return Counter(terms(text))


def question_terms(question: str) -> set[str]:
    """The terms that say what a question is about; all its terms where it has only question words."""
    folded = _folded(question)
    bare = _FILLERS.sub(" ", folded)
    kept = " ".join(run for run in _RUN.findall(bare) if not _FUNCTION_WORD.fullmatch(run))
    return set(terms(kept)) or set(terms(folded))


@lru_cache(1 << 16)
def stem(word: str) -> str:
    """An English word without its plural, tense and possessive endings; not always a word itself."""
    word = word.removesuffix("'s")
    if len(word) <= 3 or not word.isascii():
        return word
    if word.endswith("ies") and len(word) > 4:
        word = word[:-3] + "y"
    elif word.endswith(("sses", "shes", "ches", "xes", "zes", "uses")):
        word = word[:-2]
    elif word.endswith("s") and not word.endswith(("ss", "us", "is")):
        word = word[:-1]
    for ending in ("ing", "ed"):
        base = word.removesuffix(ending)
        if base != word and len(base) >= 3 and any(letter in "aeiouy" for letter in base):
            word = base[:-1] if base[-1] == base[-2] and base[-1] not in "lsz" else base
            break
    return word[:-1] if len(word) > 3 and word.endswith("e") else word


def _folded(text: str) -> str:
    """Full width, case and traditional characters folded, accents dropped."""
    for wide, narrow in _WIDE:
        text = text.replace(wide, narrow)
    text = unicodedata.normalize("NFKC", text).casefold().replace("’", "'")
    if text.isascii():
        return text
    text = unicodedata.normalize("NFKD", text)
    if not any(map(unicodedata.combining, set(text))):
        return simplified(text)
    return simplified("".join([c for c in text if not unicodedata.combining(c)]))


@dataclass(frozen=True, slots=True)
class Matches:
    """The slots that score best, best first, and their BM25."""

    slots: NDArray[np.intp]
    scores: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Measures:
    """BM25 of some slots, and the share of the terms, weighted by idf, that each has: 0 to 1."""

    scores: NDArray[np.float64]
    coverages: NDArray[np.float64]


class LexicalIndex:
    """Texts by slot number: adding and removing one touches only its own terms. One thread at a time.

    It may begin with many texts frozen together, which takes a fraction of the memory: postings that change are
    copied first. Those of a term that many texts have become a row when it is asked for.
    """

    def __init__(self, frozen: Frozen = NOTHING) -> None:
        self._frozen = frozen
        self._changed: dict[int, array[int] | Row] = {}
        self._keys: dict[int, Keys] = {}
        self._lengths = np.concatenate([frozen.lengths, np.zeros(256, np.float32)])
        self._norms: Amounts | None = None
        self._total = float(frozen.lengths.sum(dtype=np.float64))
        self._capacity = len(frozen.lengths)
        self._free: list[int] = []

    def __len__(self) -> int:
        return self._capacity - len(self._free)

    @property
    def capacity(self) -> int:
        """One more than the greatest slot that was ever given."""
        return self._capacity

    def add(self, counts: Counts) -> int:
        """Index a text by its counted terms; returns its slot, which is free again after `remove`."""
        slot = self._slot()
        found = self._keys[slot] = keys(counts)
        for postings, count in zip(self._changeable(found.tolist()), counts.values(), strict=True):
            count = min(count, MOST)
            if isinstance(postings, Row):
                postings.put(slot, count)
            elif not postings or slot << 8 > postings[-1]:
                postings.append(slot << 8 | count)
            else:
                postings.insert(bisect_left(postings, slot << 8), slot << 8 | count)
        self._resize(slot, counts.total())
        return slot

    def remove(self, slot: int) -> None:
        numbers = self._keys_of(slot).tolist()
        emptied = []
        for number, postings in zip(numbers, self._changeable(numbers), strict=True):
            if isinstance(postings, Row):
                postings.drop(slot)
            else:
                del postings[bisect_left(postings, slot << 8)]
            if not len(postings):
                emptied.append(number)
        for number, packed in zip(emptied, self._frozen.find(emptied), strict=True):
            if not len(packed):
                del self._changed[number]
        self._keys[slot] = keys(())
        self._resize(slot, 0)
        self._free.append(slot)

    def idf(self, term: str) -> float:
        """How much a term says: the fewer texts have it, the more."""
        return self.idfs((term,))[term]

    def idfs(self, wanted: Collection[str]) -> dict[str, float]:
        return {term: idf for term, (idf, _) in zip(wanted, self._weighted(wanted), strict=True)}

    def search(self, wanted: Collection[str], count: int, allowed: NDArray[np.bool_] | None = None) -> Matches:
        """The best slots for these different terms, of those that are allowed: `allowed` is by slot."""
        scores = np.zeros(self._capacity, np.float32)
        lists: list[Packed] = []
        weights: list[float] = []
        for weight, postings in self._weighted(wanted):
            if isinstance(postings, Row):
                row = postings.counts.astype(np.float32)
                scores[: len(row)] += _saturated(row, self._normed()[: len(row)], np.float32(weight))
            else:
                lists.append(postings)
                weights.append(weight)
        if lists:
            packed = np.concatenate(lists)
            slots = (packed >> 8).astype(np.intp)
            weight_of = np.repeat(np.array(weights, np.float32), [len(postings) for postings in lists])
            counts = (packed & MOST).astype(np.float32)
            np.add.at(scores, slots, _saturated(counts, self._normed().take(slots), weight_of))
        if allowed is not None:
            scores *= allowed[: self._capacity]
        return _best(scores, count)

    def measure(self, wanted: Collection[str], slots: Sequence[int]) -> Measures:
        """What these slots score for these terms."""
        chosen = np.array(slots, np.intp)
        found = self._weighted(wanted)
        weights = np.array([weight for weight, _ in found])
        counts = np.zeros((len(found), len(chosen)))
        for row, (_, postings) in zip(counts, found, strict=True):
            if len(postings):
                row[:] = occurrences(postings, chosen)
        saturated = counts / (counts + self._normed()[chosen])
        coverages = weights @ (counts > 0) / max(weights.sum(), 1e-9)
        return Measures((_K1 + 1) * (weights @ saturated), coverages)

    def frozen(self) -> Frozen:
        """All there is now in one piece; a free slot is one without terms."""
        if not self._keys:
            return self._frozen
        changed = {key: _packed(postings) for key, postings in self._changed.items()}
        return refrozen(self._frozen, changed, self._lengths[: self._capacity].copy())

    def _weighted(self, wanted: Collection[str]) -> list[tuple[float, Packed | Row]]:
        """The idf and the postings of each term."""
        numbers = [key(term) for term in wanted]
        untouched = [number for number in numbers if number not in self._changed]
        frozen = dict(zip(untouched, self._frozen.find(untouched), strict=True))
        found = [self._readable(number, frozen.get(number)) for number in numbers]
        return [(self._idf(len(postings)), postings) for postings in found]

    def _idf(self, occurs: int) -> float:
        return math.log1p((len(self) - occurs + 0.5) / (occurs + 0.5))

    def _normed(self) -> Amounts:
        """What a text's length makes of k1, for each slot."""
        if self._norms is None:
            average = max(self._total / max(len(self), 1), 1e-9)
            lengths = self._lengths[: self._capacity]
            self._norms = np.float32(_K1 * (1 - _B)) + np.float32(_K1 * _B / average) * lengths
        return self._norms

    def _readable(self, number: int, frozen: Packed | None) -> Packed | Row:
        """The postings of a key, frozen or changed, in the form in which they are read fastest."""
        postings = self._changed.get(number)
        if isinstance(postings, Row):
            if len(postings) >= self._capacity // _SPARSE:
                return postings
            postings = self._changed[number] = array("I", postings.packed().tobytes())
        packed = np.frombuffer(postings, np.uint32) if postings is not None else frozen
        assert packed is not None
        if len(packed) > max(self._capacity // _FREQUENT, _FEW):
            self._changed[number] = row = Row(packed)
            return row
        return packed

    def _changeable(self, numbers: Sequence[int]) -> "list[array[int] | Row]":
        """The postings of these keys, copied from the frozen ones where need be."""
        missing = [number for number in numbers if number not in self._changed]
        for number, packed in zip(missing, self._frozen.find(missing), strict=True):
            self._changed[number] = array("I", packed.tobytes())
        return [self._changed[number] for number in numbers]

    def _keys_of(self, slot: int) -> Keys:
        own = self._keys.get(slot)
        return self._frozen.keys_of(slot) if own is None else own

    def _slot(self) -> int:
        if self._free:
            return self._free.pop()
        if self._capacity == len(self._lengths):
            self._lengths = np.concatenate([self._lengths, np.zeros_like(self._lengths)])
        self._capacity += 1
        return self._capacity - 1

    def _resize(self, slot: int, length: int) -> None:
        self._total += length - float(self._lengths[slot])
        self._lengths[slot] = length
        self._norms = None


def _saturated(counts: Real, norms: Real, weights: "Real | float | np.float32") -> Real:
    shares: Real = counts / (counts + norms)
    shares *= (_K1 + 1) * weights
    return shares


def _best(scores: Amounts, count: int) -> Matches:
    """The greatest; a sample tells first how great a score must be to be among them."""
    sample = scores[:: max(len(scores) // _SAMPLE, 1)]
    least = float(np.partition(sample, len(sample) - count)[len(sample) - count]) if len(sample) > count else 0.0
    slots = np.flatnonzero(scores >= least) if least > 0 else np.flatnonzero(scores)
    if len(slots) > count:
        slots = slots[np.argpartition(-scores[slots], count - 1)[:count]]
    slots = slots[np.argsort(-scores[slots], kind="stable")]
    return Matches(slots, scores[slots].astype(np.float64))


def _packed(postings: "array[int] | Row") -> Packed:
    return postings.packed() if isinstance(postings, Row) else np.frombuffer(postings, np.uint32)
