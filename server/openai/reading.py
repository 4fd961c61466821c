"""A client's text as a sound file that grows while the voice speaks: judged first, labelled, read piece by piece."""

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass

from agent.guard import Guard
from agent.pace import Stalled, paced
from avatar import notice
from avatar.engines.containers import Encoder, Kind, SoundError
from avatar.markup import stripped
from avatar.sentences import SentenceSplitter
from avatar.speech import Audio, SpeechPart, UnknownVoice, Utterance, Voice, VoiceError
from configs.language import LANGUAGES, Lang, detect
from configs.settings import Limits
from server.assemble import Service
from server.bodies.openai import SpeechBody
from server.openai.errors import Wrong, wrong_value
from server.openai.voices import THEIRS

log = logging.getLogger(__name__)

_PASSING = ("pass", "flag", "mask")


@dataclass(frozen=True, slots=True)
class Reading:
    """What to read, in which language, and what goes before it."""

    pieces: tuple[tuple[str, Lang], ...]
    kind: Kind
    voice: str | None
    speed: float
    tone: bool


async def reading(body: SpeechBody, service: Service, *, minor: bool) -> Reading:
    """Raises Wrong for a text that has nothing to say, or that is not said here."""
    guard: Guard = service.presenter_for(*service.persona.bases).guard
    usual = detect(body.input) or service.persona.language
    guards = {lang: guard.answer(lang, minor=minor, given=True) for lang in LANGUAGES}
    splitter = SentenceSplitter()
    pieces: list[tuple[str, Lang]] = []
    for piece in (*splitter.feed(stripped(body.input)), *splitter.flush()):
        text = piece.strip()
        if not any(map(str.isalnum, text)):
            continue
        lang = detect(text) or usual
        verdict = await guards[lang].feed(text)
        if verdict.action not in _PASSING:
            told = "this text is not read here: change it / 这段文字不予朗读，请修改"
            raise wrong_value("input", f"{told} ({verdict.category})", "content_policy_violation")
        pieces.append((verdict.text, lang))
    if not pieces:
        raise wrong_value("input", "there is nothing to read in this text / 没有可以朗读的文字")
    if body.notice == "speech":
        pieces.insert(0, (notice.SENTENCE[usual], usual))
    named = body.voice if isinstance(body.voice, str) or body.voice is None else body.voice.id
    voice = None if named is None or named.lower() in THEIRS else named
    return Reading(tuple(pieces), body.response_format or "mp3", voice, body.speed or 1.0, body.notice == "tone")


async def encoded(reading: Reading, service: Service, label: str) -> AsyncGenerator[bytes, None]:
    """The file as it grows. Raises Wrong before anything was given, VoiceError later."""
    try:
        encoder = await asyncio.to_thread(Encoder, reading.kind, label)
    except SoundError as error:
        raise wrong_value("response_format", str(error), error.code) from error
    given = False
    try:
        async with aclosing(_spoken(reading, service)) as sound:
            async for audio in sound:
                if data := await asyncio.to_thread(encoder.feed, audio):
                    given = True
                    yield data
    except VoiceError as error:
        if given:
            raise
        raise _voiceless(reading, error) from error
    if data := await asyncio.to_thread(encoder.flush):
        yield data


async def _spoken(reading: Reading, service: Service) -> AsyncGenerator[Audio, None]:
    voice, limits = service.voice, service.settings.limits
    if reading.tone:
        yield notice.rhythm(voice.rate)
    for text, lang in reading.pieces:
        name = reading.voice or service.persona.voice[lang]
        utterance = Utterance(text, lang, voice=name, speed=reading.speed)
        async with aclosing(_synthesized(voice, utterance, limits)) as parts:
            async for part in parts:
                if isinstance(part, Audio):
                    yield part


async def _synthesized(voice: Voice, utterance: Utterance, limits: Limits) -> AsyncGenerator[SpeechPart, None]:
    try:
        async with aclosing(paced(voice.synthesize(utterance), limits.first_audio, limits.next_audio)) as parts:
            async for part in parts:
                yield part
    except Stalled as error:
        raise VoiceError(f"the voice gave nothing for {error.seconds:g} s") from error


def _voiceless(reading: Reading, error: VoiceError) -> Wrong:
    """What is wrong with an engine is the operator's to know; which voices there are, the client's."""
    if isinstance(error, UnknownVoice):
        told = f"there is no such voice: {error}; leave it out for the presenter's own / 没有这个声音，可以不填"
        return wrong_value("voice", told, "voice_failed")
    log.warning("a text was not read: %s", error)
    told = "the voice failed: try again in a moment / 语音合成失败，请稍后再试"
    return Wrong(503, "voice_failed", told, headers={"Retry-After": "2"})
