"""A client's sound as everything that hears takes it: 16 kHz mono s16 without an offset. And ours as a client takes it.

The offset is the mean of the last quarter of a second, subtracted: a filter of whole numbers, so that the result does
not depend on how the sound was cut.
"""

from collections.abc import Callable

import numpy as np

from avatar import g711
from avatar.engines.opus import OpusDecoder, OpusEncoder, OpusError
from avatar.hearing import G711, RATE, Encoding, Opus, Pcm
from avatar.resampling import RATES, Resampler
from avatar.speech import Audio

_WINDOW = 4096
"""Samples that the offset is the mean of."""


class IntakeError(ValueError):
    """The sound is not what it was said to be. `code`: bad_encoding, bad_packet, no_opus. The next may be well."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class Intake:
    """One microphone. Raises IntakeError for an encoding that is not served.

    Takes 5 ms a second of sound: what is longer than some seconds is fed in pieces.
    """

    def __init__(self, encoding: Encoding) -> None:
        self._read = _reader(encoding)
        self._level = _Level()

    def feed(self, data: bytes) -> bytes:
        """Of Opus: one packet. Raises IntakeError for garbage; what follows is heard all the same."""
        try:
            return self._level.feed(self._read(data))
        except OpusError as error:
            raise IntakeError(error.code, str(error)) from error


class Outlet:
    """The presenter's sound for one client. What one `feed` gives are packets of Opus, else at most one piece."""

    def __init__(self, encoding: Encoding, frame_ms: float = 60) -> None:
        """`frame_ms`: of an Opus packet. Raises IntakeError."""
        self._encoding = encoding
        self._rate = g711.RATE if isinstance(encoding, G711) else encoding.rate
        _resampler(self._rate)
        self._resampler: Resampler | None = None
        self._source = 0
        try:
            self._opus = OpusEncoder(self._rate, frame_ms) if isinstance(encoding, Opus) else None
        except ValueError as error:
            raise IntakeError(getattr(error, "code", "bad_encoding"), str(error)) from error

    def feed(self, audio: Audio) -> list[bytes]:
        made = self.flush_rate() if audio.rate != self._source else []
        if self._resampler is None:
            self._resampler, self._source = Resampler(audio.rate, self._rate), audio.rate
        return made + self._packed(self._resampler.feed(audio.pcm))

    def flush_rate(self) -> list[bytes]:
        """What the resampler still holds; the voice's rate may be another from now on."""
        rest = self._resampler.flush() if self._resampler else b""
        self._resampler, self._source = None, 0
        return self._packed(rest)

    def flush(self) -> list[bytes]:
        """All that is left, with silence behind it where a packet wants it. More may be fed afterwards."""
        return self.flush_rate() + (self._opus.flush() if self._opus else [])

    def _packed(self, pcm: bytes) -> list[bytes]:
        if self._opus is not None:
            return self._opus.feed(pcm)
        if not pcm:
            return []
        return [g711.encoded(pcm, self._encoding.law) if isinstance(self._encoding, G711) else pcm]


class _Level:
    """Takes the offset away."""

    def __init__(self) -> None:
        self._before = np.zeros(_WINDOW, np.int64)

    def feed(self, pcm: bytes) -> bytes:
        if not pcm:
            return b""
        samples = np.frombuffer(pcm, "<i2").astype(np.int64)
        line = np.concatenate([self._before, samples])
        sums = np.cumsum(line)
        offset = (sums[_WINDOW:] - sums[:-_WINDOW]) // _WINDOW
        self._before = line[-_WINDOW:].copy()
        return bytes(np.clip(samples - offset, -32768, 32767).astype("<i2").tobytes())


def _reader(encoding: Encoding) -> Callable[[bytes], bytes]:
    match encoding:
        case Pcm(rate):
            return _resampler(rate).feed
        case G711(law):
            resampler = _resampler(g711.RATE)
            return lambda data: resampler.feed(g711.decoded(data, law))
        case Opus():
            try:
                return OpusDecoder(RATE).feed
            except OpusError as error:
                raise IntakeError(error.code, str(error)) from error


def _resampler(rate: int) -> Resampler:
    try:
        return Resampler(rate, RATE)
    except ValueError as error:
        known = ", ".join(map(str, RATES))
        raise IntakeError("bad_encoding", f"sound has one of these rates: {known} Hz / 采样率须为其中之一") from error
