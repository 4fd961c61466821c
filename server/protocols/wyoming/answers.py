"""What clients are answered, as frames."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from server.protocols.wyoming.frames import Frame
from server.protocols.wyoming.requests import Context

PROTOCOL = "1.10.2"
"""The version of the `wyoming` library whose events these are."""
NAME = "zhubo"
LANGUAGES = {"zh": ("zh", "zh-CN"), "en": ("en", "en-US")}
_ATTRIBUTION = {"name": "Zhubo", "url": ""}


@dataclass(frozen=True, slots=True)
class Offer:
    """What is served. `voice`: its name, and that of what hears and answers; `description` of who speaks; `languages`
    as tags. `hears`: speech is recognised."""

    voice: str
    description: str
    version: str
    languages: Sequence[str]
    hears: bool


def info(offer: Offer) -> Frame:
    one = [{**_artifact(offer.voice, offer), "languages": list(offer.languages)}]
    program = _artifact(NAME, offer)
    asr = {
        **program,
        "models": one,
        "supports_transcript_streaming": True,
        "requires_external_vad": True,
    }
    tts = {**program, "voices": [{**one[0], "speakers": None}], "supports_synthesize_streaming": True}
    handle = {**program, "models": one, "supports_handled_streaming": True, "supports_home_control": False}
    nobody: dict[str, list[Any]] = {"intent": [], "wake": [], "mic": [], "snd": []}
    return _frame("info", {"asr": [asr] if offer.hears else [], "tts": [tts], "handle": [handle], **nobody})


def pong(text: str | None) -> Frame:
    return _frame("pong", {"text": text})


def error(code: str, text: str) -> Frame:
    return _frame("error", {"text": text, "code": code})


def transcript_start(lang: str | None, context: Context | None) -> Frame:
    return _frame("transcript-start", _known(language=lang, context=context))


def transcript_chunk(text: str) -> Frame:
    return _frame("transcript-chunk", {"text": text})


def transcript(text: str, lang: str | None, context: Context | None) -> Frame:
    return _frame("transcript", {"text": text, **_known(language=lang, context=context)})


def transcript_stop() -> Frame:
    return _frame("transcript-stop")


def audio_start(rate: int) -> Frame:
    return _frame("audio-start", {**_sound(rate), "timestamp": 0})


def audio_chunk(pcm: bytes, rate: int, at: float) -> Frame:
    """Mono s16. `at`: seconds from the first sample."""
    return _frame("audio-chunk", {**_sound(rate), "timestamp": round(at * 1000)}, pcm)


def audio_stop(at: float) -> Frame:
    return _frame("audio-stop", {"timestamp": round(at * 1000)})


def synthesize_stopped() -> Frame:
    return _frame("synthesize-stopped")


def handled_start(context: Context | None) -> Frame:
    return _frame("handled-start", _known(context=context))


def handled_chunk(text: str) -> Frame:
    return _frame("handled-chunk", {"text": text})


def handled(text: str, context: Context | None, *, done: bool) -> Frame:
    """`done`: False: the user's wish could not be met, and the text says why."""
    return _frame("handled" if done else "not-handled", {"text": text, **_known(context=context)})


def handled_stop() -> Frame:
    return _frame("handled-stop")


def _artifact(name: str, offer: Offer) -> dict[str, Any]:
    return {
        "name": name,
        "attribution": _ATTRIBUTION,
        "installed": True,
        "description": offer.description,
        "version": offer.version,
    }


def _sound(rate: int) -> dict[str, Any]:
    return {"rate": rate, "width": 2, "channels": 1}


def _known(**values: object) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _frame(kind: str, data: Mapping[str, Any] | None = None, payload: bytes = b"") -> Frame:
    return Frame(kind, data or {}, payload, PROTOCOL)
