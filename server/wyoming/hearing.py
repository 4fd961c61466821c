"""A stretch of sound as a client streams it, and the words in it: the ear of a session, pushed to talk."""

import asyncio

import numpy as np

from agent.commands import Commit, Listen, Microphone
from agent.events import Transcribed, Unheard
from agent.session import Session
from avatar.hearing import Pcm
from avatar.resampling import RATES
from configs.language import Lang
from server.protocols.wyoming import Agreement, Format, Transcribe, answers
from server.wyoming.failure import Failure
from server.wyoming.wire import Reply

_NOTHING = frozenset({"nothing_heard", "commit_empty"})
"""There was sound, and nobody spoke."""
_PIECE = 32_000
"""Bytes given to the ear at once: it has room for the next ones soon, however long a chunk is."""
_TAIL = 0.1
"""Seconds of silence behind the sound: filters and frames hold some of it back."""


class Hearing:
    """`longest`: seconds of sound; `pieces`: the client takes a transcript in pieces before the whole.

    Ends with `stop`, or whenever it is closed. Raises Failure.
    """

    def __init__(
        self, session: Session, form: Format, asked: Transcribe, reply: Reply, *, longest: float, pieces: bool
    ) -> None:
        if form.rate not in RATES:
            known = ", ".join(map(str, RATES))
            raise Failure("bad_audio", f"sound has one of these rates: {known} Hz / 采样率须为其中之一")
        self.form = form
        self._session, self._asked, self._reply = session, asked, reply
        self._longest, self._pieces = longest, pieces
        self._agreement = Agreement()
        self._seconds = 0.0
        self._begun = False
        self._telling: asyncio.Task[None] | None = None

    async def feed(self, pcm: bytes) -> None:
        if self._telling is None:
            listen = Listen(turns="manual", answer=False, interrupt=False, lang=self._asked.lang)
            await self._session.handle(listen)
            self._telling = asyncio.create_task(self._tell(), name="transcript")
        if self._telling.done():
            await self._telling
        self._seconds += len(pcm) / (2 * self.form.channels * self.form.rate)
        if self._seconds > self._longest:
            most = f"{self._longest:g}"
            raise Failure("too_long", f"at most {most} s of sound are heard at once / 一次最多识别 {most} 秒的声音")
        for at in range(0, len(pcm), _PIECE):
            mono = _mono(pcm[at : at + _PIECE], self.form.channels)
            await self._session.handle(Microphone(mono, Pcm(self.form.rate)))

    async def stop(self) -> None:
        """Returns when the transcript is told; "" where nothing was said."""
        if self._telling is None or not self._seconds:
            await self._whole("", None)
            return
        tail = bytes(2 * round(_TAIL * self.form.rate))
        await self._session.handle(Microphone(tail, Pcm(self.form.rate)))
        await self._session.handle(Commit())
        await self._telling

    async def aclose(self) -> None:
        try:
            if self._telling is not None:
                self._telling.cancel()
                await asyncio.gather(self._telling, return_exceptions=True)
        finally:
            await self._session.close()

    async def _tell(self) -> None:
        while True:
            match await self._session.event():
                case Transcribed(text=text, lang=lang, final=True):
                    await self._whole(text, lang)
                    return
                case Transcribed(text=text, lang=lang):
                    await self._piece(self._agreement.feed(text), lang)
                case Unheard(code=code) if code in _NOTHING:
                    await self._whole("", None)
                    return
                case Unheard(code=code, message=message):
                    raise Failure(code, message)
                case _:
                    pass

    async def _piece(self, text: str, lang: Lang | None) -> None:
        if text and self._pieces:
            await self._begin(lang)
            await self._reply(answers.transcript_chunk(text))

    async def _whole(self, text: str, lang: Lang | None) -> None:
        lang = lang or self._asked.lang
        await self._piece(self._agreement.finish(text), lang)
        if self._pieces:
            await self._begin(lang)
        await self._reply(answers.transcript(text, lang, self._asked.context))
        if self._pieces:
            await self._reply(answers.transcript_stop())

    async def _begin(self, lang: Lang | None) -> None:
        if not self._begun:
            self._begun = True
            await self._reply(answers.transcript_start(lang, self._asked.context))


def _mono(pcm: bytes, channels: int) -> bytes:
    if channels == 1:
        return pcm
    return bytes(np.frombuffer(pcm, "<i2").reshape(-1, channels).mean(axis=1).astype("<i2").tobytes())
