"""Speech as bare Opus packets of 60 ms at 24 kHz, by libopus."""

from fractions import Fraction

import av

from avatar.speech import Audio

RATE = 24000
SECONDS = 0.06
_SAMPLES = round(RATE * SECONDS)
_BITS = 24_000


class OpusPackets:
    """One stream. Sound of any rate in, whole packets out."""

    def __init__(self) -> None:
        self._encoder = av.CodecContext.create("libopus", "w")
        self._encoder.sample_rate, self._encoder.layout, self._encoder.format = RATE, "mono", "s16"
        self._encoder.bit_rate, self._encoder.time_base = _BITS, Fraction(1, RATE)
        self._encoder.options = {"application": "voip", "frame_duration": str(round(SECONDS * 1000))}
        self._encoder.open()
        self._resampler: av.AudioResampler | None = None
        self._rate = 0
        self._kept = b""
        self._at = 0

    def feed(self, audio: Audio) -> list[bytes]:
        self._kept += self._resampled(audio)
        whole = len(self._kept) // (2 * _SAMPLES)
        pcm, self._kept = self._kept[: whole * 2 * _SAMPLES], self._kept[whole * 2 * _SAMPLES :]
        return [packet for start in range(0, len(pcm), 2 * _SAMPLES) for packet in self._packet(pcm, start)]

    def flush(self) -> list[bytes]:
        """What makes no whole packet, with silence after it."""
        pcm, self._kept, self._rate = self._kept, b"", 0
        return self._packet(pcm.ljust(2 * _SAMPLES, b"\0"), 0) if pcm else []

    def _packet(self, pcm: bytes, start: int) -> list[bytes]:
        frame = _frame(pcm[start : start + 2 * _SAMPLES], RATE, self._at)
        self._at += _SAMPLES
        return [bytes(packet) for packet in self._encoder.encode(frame)]

    def _resampled(self, audio: Audio) -> bytes:
        if audio.rate == RATE or not audio.pcm:
            return audio.pcm
        if self._resampler is None or audio.rate != self._rate:
            self._resampler, self._rate = av.AudioResampler(format="s16", layout="mono", rate=RATE), audio.rate
        made = self._resampler.resample(_frame(audio.pcm, audio.rate, None))
        return b"".join(bytes(frame.planes[0])[: 2 * frame.samples] for frame in made)


def _frame(pcm: bytes, rate: int, at: int | None) -> "av.AudioFrame":
    frame = av.AudioFrame(format="s16", layout="mono", samples=len(pcm) // 2)
    frame.planes[0].update(pcm)
    frame.sample_rate, frame.time_base, frame.pts = rate, Fraction(1, rate), at
    return frame
