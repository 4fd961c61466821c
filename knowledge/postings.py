"""Where terms occur and how often, in numpy arrays: rows for frequent terms, and many texts frozen into one piece."""

from array import array
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from itertools import islice

import numpy as np
from numpy.typing import NDArray

Keys = NDArray[np.uint64]
Packed = NDArray[np.uint32]
"""Postings in ascending order: slot * 256 + count. A count over 255 is taken to be 255."""
Amounts = NDArray[np.float32]
Offsets = NDArray[np.int64]

MOST = 255
_HASHED = 1 << 63
_BATCH = 64
_NONE: Packed = np.zeros(0, np.uint32)


def key(term: str) -> int:
    """A number for a term: its characters where it has up to three, else 63 bits of its hash."""
    if len(term) > 3:
        return int.from_bytes(blake2b(term.encode(), digest_size=8).digest()) | _HASHED
    number = 0
    for character in term:
        number = number << 21 | ord(character)
    return number


def keys(terms: Collection[str]) -> Keys:
    """The key of each of many terms."""
    lengths = np.fromiter(map(len, terms), np.int64, len(terms))
    codes = np.frombuffer("".join(terms).encode("utf-32-le"), np.uint32).astype(np.uint64)
    starts = np.cumsum(lengths) - lengths
    found: Keys = codes[starts]
    for place in (1, 2):
        longer = np.flatnonzero(lengths > place)
        found[longer] = found[longer] << np.uint64(21) | codes[starts[longer] + place]
    found[lengths > 3] = [key(term) for term in terms if len(term) > 3]
    return found


class Row:
    """The count of one term in every slot, for a term that many texts have."""

    __slots__ = ("_counts", "_size")

    def __init__(self, packed: Packed) -> None:
        self._size = len(packed)
        self._counts = bytearray(int(packed[-1] >> 8) + 1)
        np.frombuffer(self._counts, np.uint8)[packed >> 8] = packed & MOST

    def __len__(self) -> int:
        return self._size

    def put(self, slot: int, count: int) -> None:
        if slot >= len(self._counts):
            self._counts.extend(bytes(slot + 1 - len(self._counts)))
        self._counts[slot] = count
        self._size += 1

    def drop(self, slot: int) -> None:
        self._counts[slot] = 0
        self._size -= 1

    @property
    def counts(self) -> NDArray[np.uint8]:
        """By slot, up to the last that has the term."""
        return np.frombuffer(self._counts, np.uint8)

    def packed(self) -> Packed:
        slots = np.flatnonzero(self.counts)
        return (slots << 8 | self.counts[slots]).astype(np.uint32)


def occurrences(postings: Packed | Row, slots: NDArray[np.intp]) -> NDArray[np.uint32]:
    """How often each of these slots has the term; there must be postings."""
    if isinstance(postings, Row):
        counts = postings.counts
        return np.where(slots < len(counts), counts.take(slots, mode="clip"), 0).astype(np.uint32)
    wanted = (slots << 8).astype(np.uint32)
    near = postings.take(postings.searchsorted(wanted), mode="clip")
    return np.where((near ^ wanted) <= MOST, near & MOST, 0)


@dataclass(frozen=True, slots=True)
class Frozen:
    """Texts in slots from 0 on: the postings of each key, in ascending order of keys, and the keys of each slot.

    `numbers` are places in `keys`. A slot without a text has length 0 and no keys.
    """

    keys: Keys
    starts: Offsets
    packed: Packed
    lengths: Amounts
    offsets: Offsets
    numbers: NDArray[np.uint32]

    def find(self, wanted: Sequence[int]) -> list[Packed]:
        """The postings of each key; none where there is no such key."""
        named = np.array(wanted, np.uint64)
        places = np.searchsorted(self.keys, named)
        there = np.take(self.keys, places, mode="clip") == named if len(self.keys) else places < 0
        bounds = zip(places.tolist(), there.tolist(), strict=True)
        return [self.packed[self.starts[at] : self.starts[at + 1]] if found else _NONE for at, found in bounds]

    def keys_of(self, slot: int) -> Keys:
        return self.keys[self.numbers[self.offsets[slot] : self.offsets[slot + 1]]]


NOTHING = Frozen(
    np.zeros(0, np.uint64),
    np.zeros(1, np.int64),
    np.zeros(0, np.uint32),
    np.zeros(0, np.float32),
    np.zeros(1, np.int64),
    np.zeros(0, np.uint32),
)


def freeze(texts: Iterable[Counter[str]]) -> Frozen:
    """Counted texts, in slots from 0 on: far faster than one at a time, and in a fraction of the memory."""
    found, counts, sizes, lengths = array("Q"), array("B"), array("q"), array("f")
    rest = iter(texts)
    while batch := list(islice(rest, _BATCH)):
        found.frombytes(keys([term for text in batch for term in text]).tobytes())
        for text in batch:
            counts.extend([min(count, MOST) for count in text.values()])
            sizes.append(len(text))
            lengths.append(text.total())
    every, bounds = np.frombuffer(found, np.uint64), ends(np.frombuffer(sizes, np.int64))
    order = np.argsort(every, kind="stable")
    distinct, starts = _distinct(every[order])
    numbers: NDArray[np.uint32] = np.empty(len(every), np.uint32)
    numbers[order] = np.repeat(np.arange(len(distinct), dtype=np.uint32), np.diff(starts))
    packed: Packed = np.repeat(np.arange(len(sizes), dtype=np.uint32) << np.uint32(8), np.diff(bounds))
    packed |= np.frombuffer(counts, np.uint8)
    return Frozen(distinct, starts, packed[order], np.frombuffer(lengths, np.float32), bounds, numbers)


def refrozen(old: Frozen, changed: Mapping[int, Packed], lengths: Amounts) -> Frozen:
    """With other postings for some keys; none at all where they are empty. `lengths` are those of all slots now."""
    kept = np.isin(old.keys, np.fromiter(changed, np.uint64, len(changed)), invert=True)
    sizes = np.diff(old.starts)
    new = [(key, changed[key]) for key in sorted(changed) if len(changed[key])]
    every = np.concatenate([old.keys[kept], np.array([key for key, _ in new], np.uint64)])
    sizes = np.concatenate([sizes[kept], np.array([len(postings) for _, postings in new], np.int64)])
    whole = np.concatenate([old.packed[np.repeat(kept, np.diff(old.starts))], *(postings for _, postings in new)])
    order = np.argsort(every, kind="stable")
    begins = ends(sizes)[:-1]
    starts = ends(sizes[order])
    packed: Packed = whole[np.repeat(begins[order] - starts[:-1], sizes[order]) + np.arange(len(whole))]
    slots = packed >> 8
    numbers = np.repeat(np.arange(len(every), dtype=np.uint32), np.diff(starts))[np.argsort(slots, kind="stable")]
    return Frozen(every[order], starts, packed, lengths, ends(np.bincount(slots, minlength=len(lengths))), numbers)


def ends(sizes: NDArray[np.int64]) -> Offsets:
    """Where each of these that stand one after the other begins, and where the last ends."""
    return np.concatenate([np.zeros(1, np.int64), np.cumsum(sizes, dtype=np.int64)])


def _distinct(ordered: Keys) -> tuple[Keys, Offsets]:
    """The different keys, and where each begins; the last offset is the end."""
    heads = np.flatnonzero(np.diff(ordered, prepend=ordered[:1] + np.uint64(1)))
    return ordered[heads], np.append(heads, len(ordered))
