"""A voice that remembers the speech of utterances marked to keep, so that a standing answer is made once."""

from collections import OrderedDict
from collections.abc import AsyncGenerator
from contextlib import aclosing

from avatar.speech import Audio, SpeechPart, Utterance, Voice

_SPAN = 200
"""Bytes that a span is counted as; its text is short."""


class Remembered:
    """`limit`: bytes of speech kept; what was not said for longest goes first.

    Only whole speech is kept: an utterance that was interrupted or failed is made anew.
    """

    def __init__(self, voice: Voice, limit: int) -> None:
        self._voice, self._limit = voice, limit
        self._kept: OrderedDict[Utterance, tuple[SpeechPart, ...]] = OrderedDict()
        self._size = 0

    @property
    def rate(self) -> int:
        return self._voice.rate

    @property
    def size(self) -> int:
        """Bytes of the speech kept."""
        return self._size

    async def synthesize(self, utterance: Utterance) -> AsyncGenerator[SpeechPart, None]:
        if (kept := self._kept.get(utterance)) is not None:
            self._kept.move_to_end(utterance)
            for part in kept:
                yield part
            return
        made: list[SpeechPart] = []
        size = 0
        async with aclosing(self._voice.synthesize(utterance)) as parts:
            async for part in parts:
                if utterance.keep and size <= self._limit:
                    made.append(part)
                    size += _bytes(part)
                yield part
        if utterance.keep and made:
            self._keep(utterance, tuple(made), size)

    def _keep(self, utterance: Utterance, parts: tuple[SpeechPart, ...], size: int) -> None:
        """Two that were made at once are the same speech: the second is let go."""
        if utterance in self._kept or size > self._limit:
            return
        self._kept[utterance] = parts
        self._size += size
        while self._size > self._limit:
            _, oldest = self._kept.popitem(last=False)
            self._size -= sum(map(_bytes, oldest))

    async def warm(self) -> None:
        await self._voice.warm()

    async def aclose(self) -> None:
        self._kept.clear()
        self._size = 0
        await self._voice.aclose()


def _bytes(part: SpeechPart) -> int:
    return len(part.pcm) if isinstance(part, Audio) else _SPAN
