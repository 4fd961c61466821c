"""A client's text, as it comes, read aloud: cut, judged and spoken as the presenter's own words are."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing

from agent.events import Event, Fault, Speech
from agent.presenter import Presenter
from agent.situation import Situation
from agent.turn import Spoken, Turn
from avatar.markdown import Prose
from avatar.sentences import SentenceSplitter
from configs.language import Lang, detect
from server.protocols.wyoming import answers
from server.wyoming.failure import Failure
from server.wyoming.wire import Reply

_RECENT = 500
"""Characters that tell the language of a text that comes in pieces."""
_WAITING = 4
"""Stretches of text that wait to be spoken; a client that has more waits."""


class Reading:
    """`lang` to speak in; None follows the text. `most`: characters. `minor`: children listen. `run` it, beside
    whoever has the text."""

    def __init__(self, presenter: Presenter, lang: Lang | None, reply: Reply, most: int, *, minor: bool) -> None:
        self._presenter, self._lang, self._reply, self._most = presenter, lang, reply, most
        self._situation = Situation(minor=minor)
        self._texts: asyncio.Queue[str | None] = asyncio.Queue(maxsize=_WAITING)
        self._recent = ""
        self._found: Lang | None = None
        self._length = 0
        self._at: float | None = None
        self._ended = asyncio.Event()

    async def put(self, text: str) -> None:
        """Raises Failure."""
        self._length += len(text)
        if self._length > self._most:
            raise Failure(
                "too_long", f"at most {self._most} characters are read at once / 一次最多朗读 {self._most} 字"
            )
        await self._texts.put(text)

    async def finish(self) -> None:
        """There is no more of it."""
        await self._texts.put(None)

    async def ended(self) -> None:
        """Until all of it was sent."""
        await self._ended.wait()

    async def run(self) -> None:
        """Raises Failure, alone or in a group."""
        async with aclosing(self._pieces()) as pieces:
            first = await anext(pieces, "")
            lines = self._lines(first, pieces)
            await Turn(1, self._presenter, self._emit).relay(lines, self._language, situation=self._situation)
        if self._at is None:
            await self._begin()
        await self._reply(answers.audio_stop(self._at or 0.0))
        self._ended.set()

    @property
    def _language(self) -> Lang:
        """Of what came last; that of its first piece is what the text is judged in."""
        return self._lang or self._found or self._presenter.persona.language

    async def _lines(self, first: str, pieces: AsyncIterator[str]) -> AsyncGenerator[Spoken, None]:
        yield first, self._language, "answer"
        async for piece in pieces:
            yield piece, self._language, "answer"

    async def _pieces(self) -> AsyncGenerator[str, None]:
        prose, splitter = Prose(), SentenceSplitter()
        while (text := await self._texts.get()) is not None:
            self._recent = (self._recent + text)[-max(_RECENT, len(text)) :]
            self._found = detect(self._recent) or self._found
            for piece in splitter.feed(prose.feed(text)):
                yield piece
        for piece in splitter.feed(prose.flush()) + splitter.flush():
            yield piece

    async def _emit(self, event: Event) -> None:
        match event:
            case Speech(audio=audio):
                if self._at is None:
                    await self._begin()
                await self._reply(answers.audio_chunk(audio.pcm, audio.rate, self._at or 0.0))
                self._at = (self._at or 0.0) + audio.seconds
            case Fault():
                raise Failure("voice_failed", "the voice failed, try again later / 语音合成出了故障，请稍后再试")
            case _:
                pass

    async def _begin(self) -> None:
        self._at = 0.0
        await self._reply(answers.audio_start(self._presenter.voice.rate))
