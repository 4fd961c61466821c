"""What clients ask. Frames of a type that is not known are nobody's business: the protocol wants them dropped."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from configs.language import Lang
from server.protocols.wyoming.frames import Frame

Context = Mapping[str, Any]
_STREAMING = (1, 7, 0)
"""The version of the `wyoming` library from which on clients know answers in pieces."""
_CHANNELS = (1, 2)
_WORDS = 200


@dataclass(frozen=True, slots=True)
class Format:
    """16-bit little-endian samples, those of channels side by side. `rate` in Hz."""

    rate: int
    channels: int


@dataclass(frozen=True, slots=True)
class Describe:
    pass


@dataclass(frozen=True, slots=True)
class Ping:
    text: str | None


@dataclass(frozen=True, slots=True)
class Transcribe:
    """Sound follows. `words`: names and terms that are likely, names first."""

    lang: Lang | None = None
    words: tuple[str, ...] = ()
    context: Context | None = None


@dataclass(frozen=True, slots=True)
class AudioStart:
    format: Format


@dataclass(frozen=True, slots=True)
class AudioChunk:
    format: Format
    pcm: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class AudioStop:
    pass


@dataclass(frozen=True, slots=True)
class Manner:
    """`voice`: its name; `lang` to speak in."""

    voice: str | None = None
    lang: Lang | None = None


@dataclass(frozen=True, slots=True)
class Synthesize:
    text: str = field(repr=False)
    manner: Manner = Manner()


@dataclass(frozen=True, slots=True)
class SynthesizeStart:
    manner: Manner = Manner()


@dataclass(frozen=True, slots=True)
class SynthesizeChunk:
    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class SynthesizeStop:
    pass


@dataclass(frozen=True, slots=True)
class Ask:
    """The user's words, for the agent. `conversation`: which one they belong to, where the client tells."""

    text: str = field(repr=False)
    lang: Lang | None = None
    conversation: str | None = None
    context: Context | None = None


@dataclass(frozen=True, slots=True)
class Unfit:
    """It cannot be done. `code`: bad_event, bad_audio, unsupported."""

    code: str
    message: str


Request = (
    Describe
    | Ping
    | Transcribe
    | AudioStart
    | AudioChunk
    | AudioStop
    | Synthesize
    | SynthesizeStart
    | SynthesizeChunk
    | SynthesizeStop
    | Ask
)


class _Unfit(ValueError):
    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.told = Unfit(code, message)


def request(frame: Frame) -> Request | Unfit | None:
    """None for a type that is not known."""
    read = _READERS.get(frame.type)
    try:
        return read(frame) if read else None
    except _Unfit as unfit:
        return unfit.told


def streams(version: str) -> bool:
    """Whether a client of this version takes an answer in pieces before the whole."""
    numbers = re.match(r"(\d{1,6})\.(\d{1,6})(?:\.(\d{1,6}))?", version)
    return numbers is not None and tuple(int(one or 0) for one in numbers.groups()) >= _STREAMING


def language(tag: object) -> Lang | None:
    """Of zh, zh-CN, zh_Hans, cmn, en, en-US and the like; None for any other, and for none."""
    first = re.split(r"[-_]", tag.strip().lower())[0] if isinstance(tag, str) else ""
    return "zh" if first in ("zh", "cmn", "chinese") else "en" if first in ("en", "eng", "english") else None


def _transcribe(frame: Frame) -> Transcribe:
    data = frame.data
    words = [word for name in ("transcript_names", "transcript_terms") for word in _words(data.get(name))]
    return Transcribe(language(data.get("language")), tuple(words[:_WORDS]), _context(data))


def _words(value: object) -> list[str]:
    return [word for word in value if isinstance(word, str)] if isinstance(value, list) else []


def _format(frame: Frame) -> Format:
    numbers = [frame.data.get(name) for name in ("rate", "width", "channels")]
    rate, width, channels = (one if isinstance(one, int) and not isinstance(one, bool) else None for one in numbers)
    if rate is None or width is None or channels is None:
        raise _Unfit("bad_event", f"{frame.type} needs rate, width and channels / 缺少 rate、width 或 channels")
    if width != 2:
        raise _Unfit("bad_audio", "samples have 16 bits: width 2 / 采样须为 16 位，width 为 2")
    if channels not in _CHANNELS:
        raise _Unfit("bad_audio", "sound has one channel or two / 声道数须为 1 或 2")
    return Format(rate, channels)


def _chunk(frame: Frame) -> AudioChunk:
    form = _format(frame)
    if len(frame.payload) % (2 * form.channels):
        raise _Unfit("bad_audio", "a chunk has whole samples of every channel / 音频块须由完整的采样组成")
    return AudioChunk(form, frame.payload)


def _text(frame: Frame) -> str:
    text = frame.data.get("text")
    if not isinstance(text, str):
        raise _Unfit("bad_event", f"{frame.type} needs a text / 缺少 text")
    return text


def _manner(frame: Frame) -> Manner:
    voice, form = frame.data.get("voice"), frame.data.get("text_format")
    if form not in (None, "text"):
        raise _Unfit("unsupported", "plain text alone is spoken, no SSML / 只朗读纯文本，不支持 SSML")
    if voice is None:
        return Manner()
    if not isinstance(voice, dict):
        raise _Unfit("bad_event", "voice is an object with a name or a language / voice 须为含 name 或 language 的对象")
    name = voice.get("name")
    return Manner(name if isinstance(name, str) else None, language(voice.get("language")))


def _ask(frame: Frame) -> Ask:
    context = _context(frame.data)
    conversation = context.get("conversation_id") if context else None
    known = conversation if isinstance(conversation, str) and 0 < len(conversation) <= 200 else None
    return Ask(_text(frame), language(frame.data.get("language")), known, context)


def _context(data: Mapping[str, Any]) -> Context | None:
    """It goes back with the answer."""
    context = data.get("context")
    if not isinstance(context, dict):
        return None
    try:
        orjson.dumps(context)
    except TypeError as error:
        raise _Unfit("bad_event", "context is nested too deeply / context 嵌套太深") from error
    return context


def _ping(frame: Frame) -> Ping:
    text = frame.data.get("text")
    return Ping(text if isinstance(text, str) else None)


_READERS: Mapping[str, Callable[[Frame], Request]] = {
    "describe": lambda _: Describe(),
    "ping": _ping,
    "transcribe": _transcribe,
    "audio-start": lambda frame: AudioStart(_format(frame)),
    "audio-chunk": _chunk,
    "audio-stop": lambda _: AudioStop(),
    "synthesize": lambda frame: Synthesize(_text(frame), _manner(frame)),
    "synthesize-start": lambda frame: SynthesizeStart(_manner(frame)),
    "synthesize-chunk": lambda frame: SynthesizeChunk(_text(frame)),
    "synthesize-stop": lambda _: SynthesizeStop(),
    "transcript": _ask,
    "recognize": _ask,
}
