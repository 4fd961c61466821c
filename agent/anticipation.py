"""Documents that are searched while the user still speaks, for what they have said so far."""

import asyncio
import re
from collections.abc import Sequence

from agent.several import Knowledge
from knowledge.documents import Document, KnowledgeUnavailable, Retrieval

_WORDLESS = re.compile(r"[\W_]+")


class Anticipation:
    """One conversation's knowledge: the last thing that was expected to be asked is found already, or being found.

    A question is the expected one where they differ in case, spaces and punctuation alone. One search runs at a time.
    """

    def __init__(self, knowledge: Knowledge) -> None:
        self._knowledge = knowledge
        self._key: tuple[str, ...] = ()
        self._search: asyncio.Task[Retrieval] | None = None

    def expect(self, question: str, count: int, also: Sequence[str]) -> None:
        """Never waits."""
        key = _key(question, count, also)
        if key == self._key or (self._search is not None and not self._search.done()):
            return
        self._key = key
        self._search = asyncio.create_task(self._knowledge.search(question, count, also=also), name="anticipation")
        self._search.add_done_callback(_seen)

    async def search(self, question: str, count: int, *, also: Sequence[str] = ()) -> Retrieval:
        search, self._search = self._search, None
        known, self._key = self._key, ()
        if search is not None and known == _key(question, count, also):
            try:
                return await search
            except KnowledgeUnavailable:
                pass  # another attempt, which tells
        elif search is not None:
            search.cancel()
        return await self._knowledge.search(question, count, also=also)

    async def document(self, identifier: str, revision: int | None = None) -> Document | None:
        return await self._knowledge.document(identifier, revision)

    async def aclose(self) -> None:
        if self._search is not None:
            self._search.cancel()
            await asyncio.gather(self._search, return_exceptions=True)


def _key(question: str, count: int, also: Sequence[str]) -> tuple[str, ...]:
    return (str(count), *(_WORDLESS.sub(" ", one.casefold()).strip() for one in (question, *also)))


def _seen(search: "asyncio.Task[Retrieval]") -> None:
    """What nobody asks for in the end may fail unseen."""
    if not search.cancelled():
        search.exception()
