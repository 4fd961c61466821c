"""The user's sound in zhubo.v1: what a client says of its microphone, and the frames that it sends from it.

docs/protocol.md describes both.
"""

import struct
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from agent.commands import Listen, Microphone
from avatar import g711
from avatar.hearing import G711, RATE, Encoding, Opus, Pcm
from avatar.intake import Intake, IntakeError
from avatar.resampling import RATES
from server.protocols.base import Rejected

Json = dict[str, Any]

SOUND_HEADER = struct.Struct("<BBH")
"""Kind (2: the user's sound), flags (0), 0."""
FRAME_BYTES = 65_536
"""Of sound in one frame at most."""
FORMATS = ("pcm_s16le", "g711_ulaw", "g711_alaw", "opus")
OPUS_RATES = (8000, 12000, 16000, 24000, 48000)
SILENCE = (0.1, 10.0)
"""Seconds that a client may want a turn to end after."""
_SOUND = 2
_FLAGS = ("active", "answer", "interrupt", "half_duplex")


@lru_cache(maxsize=1)
def formats() -> tuple[str, ...]:
    """Those that can be decoded here: Opus is an extra."""
    try:
        Intake(Opus())
    except IntakeError:
        return FORMATS[:-1]
    return FORMATS


class UserSound:
    """One client's microphone, as it was announced. `served`: the formats that can be taken."""

    def __init__(self, served: tuple[str, ...]) -> None:
        self._served = served
        self._encoding: Encoding | None = None
        self._refused = ""
        """Why the last frame was not taken: a stream that is wrong is told so once."""

    def listen(self, message: Json) -> Listen | Rejected:
        """What is not said takes its default, the format too."""
        encoding = self._announced(message)
        if isinstance(encoding, Rejected):
            return encoding
        if refusal := _wrong(message):
            return refusal
        self._encoding, self._refused = encoding, ""
        lang = message.get("lang", "auto")
        silence = message.get("silence")
        return Listen(
            active=message.get("active", True),
            turns=message.get("turns", "auto"),
            answer=message.get("answer", True),
            interrupt=message.get("interrupt", True),
            half_duplex=message.get("half_duplex", False),
            silence=None if silence is None else float(silence),
            threshold=message.get("threshold"),
            lang=None if lang == "auto" else lang,
        )

    def frame(self, frame: bytes) -> list[Microphone | Rejected]:
        taken = self._taken(frame)
        refused = taken.code if isinstance(taken, Rejected) else ""
        again, self._refused = refused != "" and refused == self._refused, refused
        return [] if again else [taken]

    def _announced(self, message: Json) -> Encoding | Rejected:
        format = message.get("format", "pcm_s16le")
        if format not in self._served:
            known = ", ".join(self._served)
            return Rejected("bad_format", f"format is one of {known} / format 须为其中之一：{known}")
        rates, usual, made = _KINDS[format]
        rate = message.get("rate", usual)
        if isinstance(rate, bool) or rate not in rates:
            known = ", ".join(map(str, rates))
            return Rejected(
                "bad_format", f"rate of {format} is one of {known} / {format} 的 rate 须为其中之一：{known}"
            )
        return made(int(rate))

    def _taken(self, frame: bytes) -> Microphone | Rejected:
        sound = frame[SOUND_HEADER.size :]
        if self._encoding is None:
            return Rejected(
                "listen_required",
                'announce the sound first: {"type":"listen","format":"pcm_s16le","rate":16000}'
                " / 请先发送 listen 说明声音的格式",
            )
        if len(frame) < SOUND_HEADER.size or SOUND_HEADER.unpack_from(frame) != (_SOUND, 0, 0) or not sound:
            return Rejected(
                "bad_audio",
                "a binary frame is the bytes 02 00 00 00, then sound / 二进制帧须为 02 00 00 00 四个字节，后接声音",
            )
        if len(sound) > FRAME_BYTES:
            return Rejected(
                "audio_too_large",
                f"at most {FRAME_BYTES} bytes of sound in a frame: send 20 to 100 ms at a time"
                f" / 每帧声音最多 {FRAME_BYTES} 字节，请每次发送 20 至 100 毫秒",
            )
        if isinstance(self._encoding, Pcm) and len(sound) % 2:
            return Rejected(
                "bad_audio",
                "16-bit sound has an even number of bytes: send whole samples / 字节数须为偶数，请发送完整的 16 位采样",
            )
        return Microphone(sound, self._encoding)


def _wrong(message: Json) -> Rejected | None:
    match message:
        case _ if wrong := [name for name in _FLAGS if not isinstance(message.get(name, True), bool)]:
            return Rejected("bad_message", f"{wrong[0]} is true or false / {wrong[0]} 须为 true 或 false")
        case {"turns": turns} if turns not in ("auto", "manual"):
            return Rejected("bad_message", "turns is auto or manual / turns 须为 auto 或 manual")
        case {"lang": lang} if lang not in ("auto", "zh", "en"):
            return Rejected("bad_message", "lang is one of auto, zh, en / lang 须为 auto、zh 或 en")
        case {"silence": silence} if not (_is_number(silence) and SILENCE[0] <= silence <= SILENCE[1]):
            least, most = SILENCE
            return Rejected(
                "bad_message", f"silence is {least:g} to {most:g} seconds / silence 须为 {least:g} 到 {most:g} 秒"
            )
        case {"threshold": threshold} if not (_is_number(threshold) and 0 < threshold < 1):
            return Rejected("bad_message", "threshold is between 0 and 1 / threshold 须在 0 和 1 之间")
    return None


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


_KINDS: dict[str, tuple[tuple[int, ...], int, Callable[[int], Encoding]]] = {
    "pcm_s16le": (RATES, RATE, Pcm),
    "g711_ulaw": ((g711.RATE,), g711.RATE, lambda _: G711("mu")),
    "g711_alaw": ((g711.RATE,), g711.RATE, lambda _: G711("a")),
    "opus": (OPUS_RATES, RATE, Opus),
}
"""Of each format: its rates in Hz, the usual one, and what it is."""
