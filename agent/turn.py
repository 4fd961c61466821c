"""One utterance in, one ordered stream of events out. Cancelling the task is the whole of barge-in."""

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Literal

from agent.commands import Say
from agent.events import (
    Caption,
    Citation,
    Citations,
    Event,
    Fault,
    Motion,
    SentenceEnded,
    SentenceStarted,
    Speech,
    TextDelta,
    Timings,
    TurnEnded,
    TurnStarted,
)
from agent.model import Message, ModelError
from agent.pace import Stalled, paced
from agent.presenter import Check, Composed, Curated, Line, Presenter, Unchecked
from avatar.expression import Expression, Tone, express
from avatar.lips import Cues, Lips
from avatar.markup import EmotionTag, GestureTag, Markup
from avatar.motion import EmotionCue, GestureCue
from avatar.sentences import SentenceSplitter
from avatar.speech import SpeechPart, Utterance, VoiceError
from configs.language import Lang

log = logging.getLogger(__name__)

Emit = Callable[[Event], Awaitable[None]]
_Parts = asyncio.Queue[SpeechPart | VoiceError | None]
_LOOK_AHEAD = 2
_PARTS = 32


@dataclass(frozen=True, slots=True)
class _Clip:
    index: int
    text: str
    expression: Expression
    parts: _Parts


class Turn:
    """`run` once. Text runs ahead of speech; the speech of the next clips is made while one is being spoken."""

    def __init__(self, number: int, presenter: Presenter) -> None:
        self.number = number
        self._presenter = presenter
        self._began = time.monotonic()
        self._times = Timings()
        self._clips: asyncio.Queue[_Clip | None]
        self._count = 0
        self._at = 0.0
        self._voiceless = False
        self._keep = False
        self._marked = Expression()
        self._lang: Lang = "zh"
        self._fallback: str | None = None
        self._refused = False

    async def run(self, say: Say, history: Sequence[Message], emit: Emit) -> TurnEnded:
        self._lang = self._presenter.language(say.text, say.lang)
        await emit(TurnStarted(self.number, self._lang))
        await self._perform(lambda tasks: self._think(say.text, history, emit, tasks), emit)
        return self._ended()

    async def apologise(self, emit: Emit) -> TurnEnded:
        """What is said where the turn itself broke: a defect of ours, which the viewer should not hear as silence."""
        apology = self._presenter.persona.fallback[self._lang]
        await self._fail("internal", apology, emit)
        await self._perform(lambda tasks: self._recite(apology, "apology", emit, tasks), emit)
        return self._ended()

    async def _perform(self, think: Callable[[asyncio.TaskGroup], Awaitable[None]], emit: Emit) -> None:
        self._clips = asyncio.Queue(maxsize=_LOOK_AHEAD)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._speak(emit))
            await think(tasks)
            await self._clips.put(None)

    def _ended(self) -> TurnEnded:
        reason: Literal["done", "failed"] = "failed" if self._fallback else "done"
        return TurnEnded(self.number, reason, self._refused, self._fallback, self.timings())

    def timings(self) -> Timings:
        return replace(self._times, total=self._elapsed())

    def _elapsed(self) -> float:
        return (time.monotonic() - self._began) * 1000

    async def _think(self, question: str, history: Sequence[Message], emit: Emit, tasks: asyncio.TaskGroup) -> None:
        considered = await self._presenter.consider(question, self._lang, history)
        self._times = replace(self._times, retrieval=considered.retrieval)
        match considered.reply:
            case Line(text, tone, refused, fault):
                self._refused = refused
                if fault is not None:
                    await self._fail(fault, text, emit)
                await self._recite(text, tone, emit, tasks)
            case Curated(text, lang, expression, citations):
                self._lang, self._keep, self._marked = lang, True, expression
                await self._recite(text, "answer", emit, tasks)
                if citations:
                    await emit(Citations(self.number, citations))
            case Composed() as composed:
                await self._compose(composed, emit, tasks)

    async def _recite(self, text: str, tone: Tone, emit: Emit, tasks: asyncio.TaskGroup) -> None:
        """Say a text in pieces; one that the splitter cut already stays whole."""
        splitter = SentenceSplitter(self._count)
        for piece in splitter.feed(text) + splitter.flush():
            await self._say(piece, tone, emit, tasks)

    async def _compose(self, composed: Composed, emit: Emit, tasks: asyncio.TaskGroup) -> None:
        """The model's answer, checked against the evidence piece by piece; if it fails, an apology and a quotation."""
        check = composed.check
        sources: dict[int, int] = {}
        try:
            async with aclosing(self._pieces(composed.messages)) as pieces:
                async for piece in pieces:
                    await self._answer(check.feed(piece), check, sources, emit, tasks)
                    if check.closed:
                        break
        except (ModelError, Stalled) as error:
            log.warning("model failed: %s", error)
            apology = self._presenter.persona.fallback[self._lang]
            await self._fail(f"model_{error.code}", apology, emit)
            await self._recite(apology, "apology", emit, tasks)
        await self._answer(check.finish(), check, sources, emit, tasks)
        cited = composed.citations if isinstance(check, Unchecked) else _cited(composed.citations, sources)
        if cited:
            await emit(Citations(self.number, cited))

    async def _answer(
        self, text: str | None, check: Check, sources: dict[int, int], emit: Emit, tasks: asyncio.TaskGroup
    ) -> None:
        """Say what the check let through; `sources` gets the citation of each piece of it."""
        self._refused, first = check.refused, self._count
        await self._recite(text or "", "refusal" if check.refused else "answer", emit, tasks)
        if check.origin is not None:
            sources |= dict.fromkeys(range(first, self._count), check.origin)

    async def _pieces(self, messages: Sequence[Message]) -> AsyncGenerator[str, None]:
        """The model's text in speakable pieces, whitespace kept; tags go to `_marked`."""
        limits, markup, splitter = self._presenter.limits, Markup(), SentenceSplitter()
        stream = self._presenter.model.stream(messages)
        async with aclosing(paced(stream, limits.first_token, limits.next_token)) as deltas:
            async for delta in deltas:
                for piece in self._plain(markup.feed(delta)):
                    for sentence in splitter.feed(piece):
                        yield sentence
        for piece in self._plain(markup.flush()):
            for sentence in splitter.feed(piece):
                yield sentence
        for sentence in splitter.flush():
            yield sentence

    def _plain(self, pieces: Sequence[str | EmotionTag | GestureTag]) -> list[str]:
        plain = []
        for piece in pieces:
            match piece:
                case EmotionTag(emotion):
                    self._marked = replace(self._marked, emotion=emotion)
                case GestureTag(gesture):
                    self._marked = replace(self._marked, gesture=gesture)
                case str():
                    plain.append(piece)
        return plain

    async def _say(self, piece: str, tone: Tone, emit: Emit, tasks: asyncio.TaskGroup) -> None:
        """Show a piece now, and have it spoken in its turn."""
        if self._times.first_text is None:
            self._times = replace(self._times, first_text=self._elapsed())
        await emit(TextDelta(self.number, piece))
        default, marked = express(tone, self._count), self._marked
        expression = Expression(marked.emotion or default.emotion, marked.gesture or default.gesture)
        self._marked = Expression()
        clip = _Clip(self._count, piece, expression, asyncio.Queue(maxsize=_PARTS))
        self._count += 1
        await self._clips.put(clip)
        tasks.create_task(self._synthesize(clip))

    async def _synthesize(self, clip: _Clip) -> None:
        """One retry while nothing was heard of the clip. A voice that fails twice is not waited for again."""
        utterance = Utterance(clip.text.strip(), self._lang, self._keep)
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

    async def _spoken(self, utterance: Utterance) -> AsyncGenerator[SpeechPart, None]:
        limits = self._presenter.limits
        stream = self._presenter.voice.synthesize(utterance)
        try:
            async with aclosing(paced(stream, limits.first_audio, limits.next_audio)) as parts:
                async for part in parts:
                    yield part
        except Stalled as error:
            raise VoiceError(f"the voice gave nothing for {error.seconds:g} s") from error

    async def _speak(self, emit: Emit) -> None:
        told = False
        while (clip := await self._clips.get()) is not None:
            await emit(SentenceStarted(self.number, clip.index, clip.text, self._at))
            lips = Lips(self._lang)
            while (part := await clip.parts.get()) is not None:
                if isinstance(part, VoiceError):
                    if not told:
                        told = True
                        await self._fault("voice_failed", self._presenter.persona.voiceless[self._lang], emit)
                    break
                cues = lips.feed(part)
                if cues is not None:
                    await self._move(clip, cues, emit)
            await emit(SentenceEnded(self.number, clip.index, lips.seconds))
            self._at += lips.seconds

    async def _move(self, clip: _Clip, cues: Cues, emit: Emit) -> None:
        """Cues and words go out before the sound they belong to."""
        if self._times.first_audio is None:
            self._times = replace(self._times, first_audio=self._elapsed())
        first = cues.at == 0
        emotion = EmotionCue(0.0, clip.expression.emotion) if first and clip.expression.emotion else None
        gesture = GestureCue(0.0, clip.expression.gesture) if first and clip.expression.gesture else None
        if cues.visemes or emotion or gesture:
            await emit(Motion(self.number, clip.index, cues.visemes, emotion, gesture))
        if cues.words:
            await emit(Caption(self.number, clip.index, cues.words))
        await emit(Speech(self.number, clip.index, cues.at, cues.audio))

    async def _fail(self, code: str, message: str, emit: Emit) -> None:
        self._fallback = code
        await self._fault(code, message, emit)

    async def _fault(self, code: str, message: str, emit: Emit) -> None:
        await emit(Fault(self.number, code, message))


def _cited(citations: Sequence[Citation], sources: Mapping[int, int]) -> tuple[Citation, ...]:
    """The citations that bear out something that was said, each with the pieces of speech that it does."""
    spoken = [tuple(at for at, origin in sources.items() if origin == number) for number in range(len(citations))]
    return tuple(replace(one, sentences=at) for one, at in zip(citations, spoken, strict=True) if at)
