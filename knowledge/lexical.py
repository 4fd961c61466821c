"""Search by words: incremental BM25 over Chinese characters and their pairs, and folded, lightly stemmed words.

BM25 after Robertson and Zaragoza, "The Probabilistic Relevance Framework" (2009), with k1 = 1.2 and b = 0.75.
"""

import math
import re
import unicodedata
from array import array
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Counts = Counter[str]

_K1, _B = 1.2, 0.75
_RUN = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U0003134f]+|[^\W\d_]+(?:'[^\W\d_]+)*|\d+(?:[.,:]\d+)*")
_HAN = re.compile(r"[\u3400-\u9fff\U00020000-\U0003134f]")
_FILLERS = re.compile(
    "请问|請問|什么|什麼|怎么样|怎么|怎麼|怎样|如何|哪里|哪儿|哪些|哪个|哪种|哪位|哪一|哪|多少|多久|多长时间|多长|多大|几点|几个|几"
    "|为什么|為什麼|为何|是不是|是否|有没有|能不能|可不可以|会不会|要不要|可以|能否|需要|应该|告诉|介绍一下|介绍|一下|知道|想要"
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
            found.extend(run[i : i + 2] for i in range(len(run) - 1))
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
    """Full width and case folded, accents dropped."""
    text = unicodedata.normalize("NFKC", text).casefold().replace("’", "'")
    if text.isascii():
        return text
    return "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))


@dataclass(frozen=True, slots=True)
class Scores:
    """BM25 of every slot, and what is needed to tell a slot's coverage of the question."""

    slots: NDArray[np.float32]
    shares: NDArray[np.float32]

    def best(self, count: int) -> list[int]:
        """Slots with a score, best first."""
        matched = np.flatnonzero(self.slots)
        if len(matched) > count:
            matched = matched[np.argpartition(-self.slots[matched], count - 1)[:count]]
        return [int(slot) for slot in matched[np.argsort(-self.slots[matched], kind="stable")]]


class _Postings:
    """Where one term occurs: slots in ascending order, and how often."""

    __slots__ = ("counts", "slots")

    def __init__(self) -> None:
        self.slots = array("i")
        self.counts = array("f")

    def add(self, slot: int, count: int) -> None:
        at = len(self.slots) if not self.slots or slot > self.slots[-1] else bisect_left(self.slots, slot)
        self.slots.insert(at, slot)
        self.counts.insert(at, count)

    def remove(self, slot: int) -> None:
        at = bisect_left(self.slots, slot)
        del self.slots[at], self.counts[at]


class LexicalIndex:
    """Texts by slot number: adding and removing one touches only its own terms. One thread at a time."""

    def __init__(self) -> None:
        self._postings: dict[str, _Postings] = {}
        self._terms: dict[int, tuple[str, ...]] = {}
        self._lengths: NDArray[np.float32] = np.zeros(256, np.float32)
        self._total = 0.0
        self._free: list[int] = []

    def __len__(self) -> int:
        return len(self._terms)

    def add(self, counts: Counts) -> int:
        """Index a text by its counted terms; returns its slot, which is free again after `remove`."""
        slot = self._free.pop() if self._free else len(self._terms)
        if slot >= len(self._lengths):
            self._lengths = np.concatenate([self._lengths, np.zeros_like(self._lengths)])
        for term, count in counts.items():
            self._postings.setdefault(term, _Postings()).add(slot, count)
        self._terms[slot] = tuple(counts)
        self._lengths[slot] = counts.total()
        self._total += counts.total()
        return slot

    def remove(self, slot: int) -> None:
        for term in self._terms.pop(slot):
            postings = self._postings[term]
            postings.remove(slot)
            if not postings.slots:
                del self._postings[term]
        self._total -= float(self._lengths[slot])
        self._lengths[slot] = 0
        self._free.append(slot)

    def idf(self, term: str) -> float:
        postings = self._postings.get(term)
        occurs = len(postings.slots) if postings else 0
        return math.log1p((len(self._terms) - occurs + 0.5) / (occurs + 0.5))

    def score(self, wanted: Iterable[str]) -> Scores:
        """BM25 of all slots for these terms, and the idf-weighted share of the terms each slot has, 0 to 1."""
        capacity = len(self._terms) + len(self._free)
        scores, shares = np.zeros(capacity, np.float32), np.zeros(capacity, np.float32)
        average = self._total / max(len(self._terms), 1)
        norms = _K1 * (1 - _B + _B * self._lengths[:capacity] / max(average, 1e-9))
        total = 0.0
        for term in wanted:
            idf = self.idf(term)
            total += idf
            if (postings := self._postings.get(term)) is None:
                continue
            slots = np.frombuffer(postings.slots, np.int32)
            counts = np.frombuffer(postings.counts, np.float32)
            scores[slots] += idf * (_K1 + 1) * counts / (counts + norms[slots])
            shares[slots] += idf
        return Scores(scores, shares / np.float32(max(total, 1e-9)))
