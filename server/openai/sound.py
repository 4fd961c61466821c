"""The routes of speech: a text as sound, and a recording as words."""

import asyncio
import base64
import secrets
import threading
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Sequence
from contextlib import aclosing, contextmanager
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request, Response, UploadFile
from fastapi.responses import JSONResponse, PlainTextResponse

from agent.tokens import estimate
from avatar.captions import Line, srt, webvtt
from avatar.engines.containers import SoundError, decoded
from avatar.hearing import RATE, Expectation
from avatar.hotwords import hot_words
from avatar.labels import HEADER
from configs.language import Lang
from server.admission import Admission
from server.assemble import Service
from server.auth import Grant
from server.bodies.openai import SpeechBody, TextFormat
from server.openai.answering import turned_away
from server.openai.errors import Json, Wrong, wrong_value
from server.openai.reading import Reading, encoded, reading
from server.openai.streaming import EVENTS, Flow, begun, framed, unless_gone
from server.openai.transcribing import Segment, Transcriber, joined, spoken

_KINDS = {
    "mp3": "audio/mpeg",
    "opus": "audio/ogg",
    "aac": "audio/aac",
    "flac": "audio/flac",
    "wav": "audio/wav",
    "pcm": "audio/pcm",
}
_LONGEST = 1800.0
"""Seconds of a recording."""
_DECODING = 2
"""Recordings that are decoded at once: threads are everybody's."""
_PROMPT = 2000
"""Characters of a recording's prompt that are looked at."""
_LANGS: dict[str, Lang] = {"zh": "zh", "chinese": "zh", "mandarin": "zh", "en": "en", "english": "en"}
_NAMES: dict[Lang, str] = {"zh": "chinese", "en": "english"}

Granted = Callable[[Request], Awaitable[Grant]]


def speech_routes(router: APIRouter, service: Service, admission: Admission, granted: Granted) -> None:
    @router.post(
        "/audio/speech",
        summary="A text in the presenter's voice, sent while it is made",
        response_model=None,
        responses={
            200: {
                "description": "The sound, with the AIGC label in the file and in X-AIGC",
                "content": {kind: {} for kind in _KINDS.values()},
            }
        },
    )
    async def speech(request: Request, body: SpeechBody, grant: Annotated[Grant, Depends(granted)]) -> Response:
        label = service.producer.label(f"speech-{secrets.token_hex(12)}")
        headers = {HEADER: label.header}

        async def answer() -> Response:
            read = await reading(body, service, minor=admission.minor(grant))
            sound = await begun(_made(read, service, _Place(admission, admission.bases(grant)), label.json()))
            if body.stream_format == "sse":
                return Flow(_deltas(sound, estimate(body.input)), EVENTS, headers)
            return Flow(sound, _KINDS[read.kind], headers)

        return await unless_gone(request, answer())


def transcription_routes(router: APIRouter, service: Service, admission: Admission, granted: Granted) -> None:
    decoding = asyncio.Semaphore(_DECODING)

    @router.post(
        "/audio/transcriptions",
        summary="The words of a recording: wav, mp3, ogg, webm, flac, m4a",
        response_model=None,
        responses={200: {"description": "JSON, text, SRT or WebVTT; streamed, server-sent events"}},
    )
    async def transcriptions(
        request: Request,
        grant: Annotated[Grant, Depends(granted)],
        file: UploadFile,
        model: Annotated[str, Form(min_length=1, max_length=200)],
        language: Annotated[str | None, Form(max_length=40)] = None,
        prompt: Annotated[str | None, Form(description="names and terms to expect")] = None,
        response_format: Annotated[TextFormat, Form()] = "json",
        stream: Annotated[bool, Form()] = False,
        granularities: Annotated[list[str] | None, Form(alias="timestamp_granularities[]")] = None,
    ) -> Response:
        transcriber = _transcriber(service)
        if "word" in (granularities or ()):
            told = "words are not timed here, segments are / 这里只有分段时间，没有逐词时间"
            raise wrong_value("timestamp_granularities", told, "unsupported_value")
        place = _Place(admission, admission.bases(grant))
        expectation = _expectation(service, place.bases, _language(language), prompt or "")
        data = await file.read()

        async def answer() -> Response:
            if stream:
                return Flow(await begun(_told_as_it_goes(data, transcriber, expectation, place, decoding)), EVENTS)
            with place.taken():
                pcm = await _decoded(data, decoding)
                found = [one async for one in transcriber.segments(pcm, expectation)]
            return _told(found, len(pcm) / 2 / RATE, response_format, expectation.lang)

        return await unless_gone(request, answer())


@dataclass(frozen=True, slots=True)
class _Place:
    """One among those that are served now."""

    admission: Admission
    bases: Sequence[str]

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Raises Wrong."""
        refusal = self.admission.refusal(self.bases)
        if refusal is not None:
            raise turned_away(refusal)
        with self.admission.admitted():
            yield


async def _made(read: Reading, service: Service, place: _Place, label: str) -> AsyncGenerator[bytes, None]:
    with place.taken():
        async with aclosing(encoded(read, service, label)) as pieces:
            async for piece in pieces:
                yield piece


async def _deltas(sound: AsyncGenerator[bytes, None], tokens: int) -> AsyncGenerator[bytes, None]:
    async with aclosing(sound) as pieces:
        async for piece in pieces:
            yield framed({"type": "speech.audio.delta", "audio": base64.b64encode(piece).decode()}, named=True)
    usage = {"input_tokens": tokens, "output_tokens": 0, "total_tokens": tokens}
    yield framed({"type": "speech.audio.done", "usage": usage}, named=True)


def _transcriber(service: Service) -> Transcriber:
    """Raises Wrong."""
    hearing = service.listening
    if hearing.recognizer is None or hearing.detector is None:
        told = "there is no recogniser here; the operator can set `recognizer` and `detector` / 这里没有配置语音识别"
        raise Wrong(400, "no_recognizer", told)
    return Transcriber(hearing.recognizer, hearing.detector, service.settings.listening.threshold)


def _language(told: str | None) -> Lang | None:
    """Raises Wrong."""
    if not told:
        return None
    lang = _LANGS.get(told.lower()) or _LANGS.get(told.lower().split("-")[0])
    if lang is None:
        raise wrong_value(
            "language", "Chinese (zh) and English (en) are understood / 只支持中文和英文", "unsupported_value"
        )
    return lang


def _expectation(service: Service, bases: Sequence[str], lang: Lang | None, prompt: str) -> Expectation:
    """What the client says is spoken of, then what the documents have for titles and headings."""
    words = dict.fromkeys((*hot_words([prompt[:_PROMPT]]), *service.words_for(*bases)))
    return service.listening.expectation(lang, list(words))


async def _decoded(data: bytes, decoding: asyncio.Semaphore) -> bytes:
    """Raises Wrong. Whoever stops waiting stops the work, too."""
    left = threading.Event()
    try:
        async with decoding:
            return await asyncio.to_thread(decoded, data, _LONGEST, lambda: not left.is_set())
    except SoundError as error:
        raise wrong_value("file", str(error), error.code) from error
    finally:
        left.set()


async def _told_as_it_goes(
    data: bytes, transcriber: Transcriber, expectation: Expectation, place: _Place, decoding: asyncio.Semaphore
) -> AsyncGenerator[bytes, None]:
    """Raises Wrong before anything was given; a later failure is an event."""
    found: list[Segment] = []
    with place.taken():
        pcm = await _decoded(data, decoding)
        try:
            async with aclosing(transcriber.segments(pcm, expectation)) as segments:
                async for one in segments:
                    before = joined(found)
                    found.append(one)
                    delta = {"type": "transcript.text.delta", "delta": joined(found)[len(before) :]}
                    yield framed(delta, named=True)
        except Wrong as wrong:
            if not found:
                raise
            yield framed(wrong.body, named=True)
            return
    yield framed({"type": "transcript.text.done", "text": joined(found)}, named=True)


def _told(found: Sequence[Segment], seconds: float, form: TextFormat, expected: Lang | None) -> Response:
    text, lines = joined(found), [Line(one.text, one.start, one.end) for one in found]
    match form:
        case "text":
            return PlainTextResponse(f"{text}\n")
        case "srt":
            return PlainTextResponse(srt(lines))
        case "vtt":
            return Response(webvtt(lines), media_type="text/vtt")
        case "json":
            return JSONResponse({"text": text, "usage": {"type": "duration", "seconds": round(seconds, 2)}})
        case "verbose_json":
            return JSONResponse(_verbose(found, text, seconds, expected))


def _verbose(found: Sequence[Segment], text: str, seconds: float, expected: Lang | None) -> Json:
    """What a recogniser does not tell of a segment is 0."""
    lang = spoken(found, expected)
    unknown: Json = {"tokens": [], "temperature": 0.0, "avg_logprob": 0.0, "compression_ratio": 0.0}
    segments = [
        {"id": at, "seek": 0, "start": round(one.start, 3), "end": round(one.end, 3), "text": one.text, **unknown}
        | {"no_speech_prob": 0.0}
        for at, one in enumerate(found)
    ]
    return {
        "task": "transcribe",
        "language": _NAMES[lang] if lang else "",
        "duration": round(seconds, 3),
        "text": text,
        "segments": segments,
    }
