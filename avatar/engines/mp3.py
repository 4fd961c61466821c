"""MP3 as edge-tts sends it (MPEG-2 layer III, 24 kHz, mono) decoded to PCM while it arrives.

miniaudio (MIT) decodes whole pieces; each piece is decoded together with the frames before it, whose bits and
filter state it builds on, and only its own samples are kept.
"""

from collections import deque

RATE = 24000
SAMPLES = 576
"""Samples of one frame."""
_KBPS = (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)
_BEFORE = 8
_AT_ONCE = 8


class Mp3Error(ValueError):
    """The bytes are not the expected kind of MP3."""


class Mp3:
    """`feed` bytes cut anywhere, take PCM (mono s16) out; `end` gives the rest."""

    def __init__(self) -> None:
        self._rest = b""
        self._earlier: deque[bytes] = deque(maxlen=_BEFORE)
        self._frames: list[bytes] = []

    def feed(self, data: bytes) -> bytes:
        self._rest += data
        while len(self._rest) >= 4 and len(self._rest) >= (size := _size(self._rest)):
            self._frames.append(self._rest[:size])
            self._rest = self._rest[size:]
        return self._decode() if len(self._frames) >= _AT_ONCE else b""

    def end(self) -> bytes:
        return self._decode() if self._frames else b""

    def _decode(self) -> bytes:
        from miniaudio import DecodeError, SampleFormat, decode

        frames, self._frames = self._frames, []
        try:
            sound = decode(b"".join([*self._earlier, *frames]), SampleFormat.SIGNED16, nchannels=1, sample_rate=RATE)
        except DecodeError as error:
            raise Mp3Error(f"MP3 that cannot be decoded: {error}") from error
        self._earlier.extend(frames)
        return bytes(sound.samples)[-2 * SAMPLES * len(frames) :]


def _size(data: bytes) -> int:
    """Bytes of the frame that begins here, from its 4-byte header."""
    kbps = data[2] >> 4
    if data[0] != 0xFF or data[1] & 0xFE != 0xF2 or not 0 < kbps < 15 or data[2] >> 2 & 3 != 1:
        raise Mp3Error("not MPEG-2 layer III at 24 kHz")
    return 72 * _KBPS[kbps] * 1000 // RATE + (data[2] >> 1 & 1)
