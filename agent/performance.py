"""The speech of one turn: pieces shown at once, their sound made ahead, and played out strictly in order."""

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from contextlib import aclosing
from dataclasses import dataclass

from agent.events import Caption, Event, Fault, Motion, Posture, SentenceEnded, SentenceStarted, Speech, TextDelta
from agent.pace import Stalled, paced
from agent.presenter import Presenter
from avatar.audio import pieces
from avatar.expression import Tone
from avatar.lips import Cues, Lips
from avatar.motion import Gesture, Viseme, Vocabulary
from avatar.planner import Moves, Planner
from avatar.script import Phrase
from avatar.speech import Audio, Manner, SpeechPart, Utterance, VoiceError
from configs.language import Lang

log = logging.getLogger(__name__)

Emit = Callable[[Event], Awaitable[None]]
_Parts = asyncio.Queue[SpeechPart | VoiceError | None]
_LOOK_AHEAD = 2
_PARTS = 32
_PIECE = 1.0
"""Seconds of sound whose mouth is made in one go, in about a millisecond: others have the loop between two."""


@dataclass(frozen=True, slots=True)
class _Clip:
    index: int
    lang: Lang
    keep: bool
    phrase: Phrase
    tone: Tone
    parts: _Parts


class Performance:
    """`during` a piece of work, whatever that work wants said is spoken; it returns when all of it has been.

    `manner`: how to speak; `spoken`: False: text alone.
    `count`: pieces of speech so far. `first_text`, `first_audio`: when they went out, by `time.monotonic`.
    """

    def __init__(self, turn: int, presenter: Presenter, emit: Emit, last: Gesture) -> None:
        self.count = 0
        self.manner, self.spoken = Manner(), True
        self.first_text: float | None = None
        self.first_audio: float | None = None
        self._turn, self._presenter, self._emit = turn, presenter, emit
        self._clips: asyncio.Queue[_Clip | None]
        self._tasks: asyncio.TaskGroup
        vocabulary = Vocabulary(presenter.persona.emotions, presenter.persona.gestures)
        self._planner = Planner(vocabulary, turn, last)
        self._stopped = False
        """What was said last ended a sentence, and no space came after it."""
        self._at = 0.0
        self._voiceless = False

    @property
    def last(self) -> Gesture:
        """The gesture that was made last."""
        return self._planner.last

    async def during(self, work: Awaitable[object]) -> None:
        self._clips = asyncio.Queue(maxsize=_LOOK_AHEAD)
        async with asyncio.TaskGroup() as self._tasks:
            self._tasks.create_task(self._speak())
            await work
            await self._clips.put(None)

    async def say(self, phrase: Phrase, lang: Lang, tone: Tone, *, keep: bool = False) -> None:
        """Show a piece now, and have it spoken in its turn. `keep`: it will be said again, word for word."""
        if self.first_text is None:
            self.first_text = time.monotonic()
        if self._stopped and phrase.text[0].isascii() and phrase.text[0].isalpha():
            phrase = Phrase(" ") + phrase
        self._stopped = phrase.text.endswith((".", "!", "?"))
        await self._emit(TextDelta(self._turn, phrase.text))
        clip = _Clip(self.count, lang, keep, phrase, tone, asyncio.Queue(maxsize=_PARTS))
        self.count += 1
        await self._clips.put(clip)
        self._tasks.create_task(self._synthesize(clip))

    async def _synthesize(self, clip: _Clip) -> None:
        """One retry while nothing was heard of the clip. A voice that fails twice is not waited for again."""
        if not self.spoken:
            await clip.parts.put(None)
            return
        utterance = self._utterance(clip)
        failure: VoiceError | None = None
        for _ in range(0 if self._voiceless else 2):
            given = False
            try:
                async with aclosing(self._spoken(utterance)) as parts:
                    async for part in parts:
                        given = True
                        await clip.parts.put(part)
                await clip.parts.put(None)
                return
            except VoiceError as error:
                log.warning("voice failed: %s", error)
                failure = error
                if given:
                    break
        else:
            self._voiceless = True
        await clip.parts.put(failure or VoiceError("the voice has failed before in this turn"))

    def _utterance(self, clip: _Clip) -> Utterance:
        manner = self.manner
        voice = manner.voice or self._presenter.persona.voice[clip.lang]
        text = clip.phrase.text.strip()
        return Utterance(text, clip.lang, clip.keep, voice, manner.speed, manner.pitch, manner.volume)

    async def _spoken(self, utterance: Utterance) -> AsyncGenerator[SpeechPart, None]:
        limits = self._presenter.limits
        stream = self._presenter.voice.synthesize(utterance)
        try:
            async with aclosing(paced(stream, limits.first_audio, limits.next_audio)) as parts:
                async for part in parts:
                    for piece in _pieces(part):
                        yield piece
        except Stalled as error:
            raise VoiceError(f"the voice gave nothing for {error.seconds:g} s") from error
        except VoiceError:
            raise
        except Exception as error:  # noqa: BLE001 - a stranger's voice may raise anything, and the text can be shown
            raise VoiceError(f"the voice broke: {type(error).__name__}") from error

    async def _speak(self) -> None:
        told = False
        while (clip := await self._clips.get()) is not None:
            await self._emit(SentenceStarted(self._turn, clip.index, clip.phrase.text, self._at))
            self._planner.open(clip.phrase, clip.tone, clip.lang)
            lips = Lips(clip.lang, clip.phrase.text)
            while (part := await clip.parts.get()) is not None:
                if isinstance(part, VoiceError):
                    if not told:
                        told = True
                        message = self._presenter.persona.voiceless[clip.lang]
                        await self._emit(Fault(self._turn, "voice_failed", message))
                    break
                cues = lips.feed(part)
                if cues is not None:
                    await self._move(clip, cues)
            if lips.seconds == 0:
                await self._show(clip, (), self._planner.silent())
            await self._emit(SentenceEnded(self._turn, clip.index, lips.seconds))
            self._at += lips.seconds

    async def _move(self, clip: _Clip, cues: Cues) -> None:
        """Cues and words go out before the sound they belong to."""
        if self.first_audio is None:
            self.first_audio = time.monotonic()
            await self._emit(Posture(self._turn, "speaking"))
        await self._show(clip, cues.visemes, self._planner.feed(cues))
        if cues.words:
            await self._emit(Caption(self._turn, clip.index, cues.words))
        await self._emit(Speech(self._turn, clip.index, cues.at, cues.audio))
        if not clip.parts.empty():
            await asyncio.sleep(0)

    async def _show(self, clip: _Clip, visemes: tuple[Viseme, ...], moves: Moves) -> None:
        if visemes or moves.emotions or moves.gestures:
            await self._emit(Motion(self._turn, clip.index, visemes, moves.emotions, moves.gestures))


def _pieces(part: SpeechPart) -> Iterable[SpeechPart]:
    return pieces(part.pcm, part.rate, _PIECE) if isinstance(part, Audio) else (part,)
