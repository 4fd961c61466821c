"""What users are likely to speak of: the titles and headings of what is known, for a recogniser to expect."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from weakref import ref

from avatar.hotwords import hot_words
from knowledge.base import KnowledgeBase
from knowledge.bases import Bases, UnknownBase
from knowledge.documents import KnowledgeUnavailable

log = logging.getLogger(__name__)

_PASSAGES = 20_000
"""Of a larger base the titles alone are read."""


@dataclass(slots=True)
class _Known:
    base: "ref[KnowledgeBase]"
    edition: int
    words: tuple[str, ...]


class Vocabulary:
    """`most`: words in each language. A new edition is read beside the loop; until then the last one's words stand, but
    none of another base that had the name before."""

    def __init__(self, bases: Bases, most: int) -> None:
        self._bases, self._most = bases, most
        self._known: dict[str, _Known] = {}
        self._reading: dict[str, asyncio.Task[None]] = {}

    def of(self, *names: str) -> Callable[[], Sequence[str]]:
        """Of those bases together; reading begins now."""

        def words() -> Sequence[str]:
            return list(dict.fromkeys(word for name in names for word in self._words(name)))

        words()
        return words

    async def aclose(self) -> None:
        tasks = list(self._reading.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _words(self, name: str) -> tuple[str, ...]:
        try:
            base = self._bases.get(name)
        except UnknownBase:  # deleted since
            self._known.pop(name, None)
            return ()
        known, edition = self._known.get(name), base.state().edition
        if known is not None and known.base() is not base:
            known = None
        if (known is None or known.edition != edition) and name not in self._reading:
            task = asyncio.create_task(self._read(name, base, edition), name="titles and headings")
            self._reading[name] = task
            task.add_done_callback(lambda _: self._reading.pop(name, None))
        return known.words if known else ()

    async def _read(self, name: str, base: KnowledgeBase, edition: int) -> None:
        entries = base.documents()
        titles = [entry.title for entry in entries]
        sections: list[str] = []
        try:
            if sum(entry.passages for entry in entries) <= _PASSAGES:
                sections = [one for passage in await base.passages() for one in passage.place.section]
        except KnowledgeUnavailable as error:
            log.warning("no headings to expect: %s", type(error).__name__)
        headings = list(dict.fromkeys((*titles, *sections)))
        self._known[name] = _Known(ref(base), edition, tuple(await asyncio.to_thread(hot_words, headings, self._most)))
