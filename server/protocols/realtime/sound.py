"""A Realtime client's sound: base64 in JSON, both ways."""

import binascii
from collections.abc import Iterator

from agent.commands import Microphone
from avatar.hearing import G711, Encoding, Pcm
from avatar.intake import Outlet
from avatar.speech import Audio
from server.protocols.realtime.bodies import PCM_RATE
from server.protocols.realtime.refusal import Refusal

APPEND = 15 * 1024 * 1024
"""Bytes of sound that one event may bring."""
FRAME = APPEND * 4 // 3 + 64 * 1024
"""Characters of the event that brings so much, in base64, with what stands around it."""
_STRETCH = 48_000
"""Bytes of sound that the ear is given at once."""


def encoding(format: str) -> Encoding:
    match format:
        case "audio/pcmu":
            return G711("mu")
        case "audio/pcma":
            return G711("a")
    return Pcm(PCM_RATE)


class Intake:
    """What a client appends. An odd byte of 16-bit sound waits for its other half."""

    def __init__(self) -> None:
        self._odd = b""
        self.given = 0
        """Bytes since the buffer was last empty."""

    def feed(self, audio: object, format: str) -> list[Microphone]:
        """`audio`: base64, or, decoded already, its pieces. Raises Refusal."""
        pieces: tuple[bytes, ...] = audio if isinstance(audio, tuple) else (decoded(audio),)
        return [one for piece in pieces for one in self._taken(piece, format)]

    def _taken(self, data: bytes, format: str) -> Iterator[Microphone]:
        self.given += len(data)
        if format == "audio/pcm":
            data = self._odd + data
            data, self._odd = data[: len(data) & ~1], data[len(data) & ~1 :]
        return stretches(data, format)

    def taken(self) -> None:
        """What was given is an utterance; the sound goes on."""
        self.given = 0

    def emptied(self) -> None:
        """What comes next begins anew."""
        self._odd, self.given = b"", 0


def decoded(audio: object, param: str = "audio") -> bytes:
    """Of base64, or of pieces that are decoded already. Raises Refusal."""
    if isinstance(audio, tuple):
        return b"".join(audio)
    if not isinstance(audio, str):
        raise Refusal("invalid_value", "audio is base64 text / audio 应为 base64 文本", param)
    try:
        data = binascii.a2b_base64(audio, strict_mode=True) if audio else b""
    except (binascii.Error, ValueError) as wrong:
        raise Refusal("invalid_value", "audio is not base64 / audio 不是有效的 base64", param) from wrong
    if len(data) > APPEND:
        raise Refusal("too_large", "at most 15 MiB of audio at once / 每次最多 15 MiB 音频", param)
    return data


def stretches(data: bytes, format: str) -> Iterator[Microphone]:
    kind = encoding(format)
    for start in range(0, len(data), _STRETCH):
        yield Microphone(data[start : start + _STRETCH], kind)


def milliseconds(seconds: float) -> int:
    return round(seconds * 1000)


class Outgoing:
    """The presenter's sound in the format that the client wants, piece by piece."""

    def __init__(self, format: str) -> None:
        self._outlet = Outlet(encoding(format))

    def feed(self, audio: Audio) -> bytes:
        return b"".join(self._outlet.feed(audio))

    def flush(self) -> bytes:
        """What is left in the resampler at the end."""
        return b"".join(self._outlet.flush())
