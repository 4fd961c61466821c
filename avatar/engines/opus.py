"""Opus packets (RFC 6716) and PCM, by libopus through PyAV: `pip install 'zhubo[opus]'`."""

from fractions import Fraction
from typing import Any

from avatar.resampling import Resampler

RATE = 16000
_DECODED_RATE = 48000
_LARGEST = 48 * 1275 + 100
"""Bytes of a packet: 120 ms in frames of 2.5 ms, each of the most that a frame may have."""
_LOOKAHEAD = 0.0065
"""Seconds that the encoder is behind what it is given."""
_BITS = {8000: 16_000, 12000: 20_000, 16000: 24_000, 24000: 32_000, 48000: 64_000}


class OpusError(ValueError):
    """A packet that is no Opus, or Opus is not installed here. `code`: bad_packet, no_opus."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class OpusDecoder:
    """One stream; a stereo one is mixed down. Raises OpusError. After a bad packet it goes on with the next."""

    def __init__(self, rate: int = RATE) -> None:
        self._resampler = Resampler(_DECODED_RATE, rate)
        self._codec = self._fresh()

    def feed(self, packet: bytes) -> bytes:
        """The sound of one packet: mono s16 at the decoder's rate. Raises OpusError."""
        if not 0 < len(packet) <= _LARGEST:
            raise OpusError("bad_packet", "an Opus packet has 1 to 61300 bytes / 一个 Opus 包为 1 到 61300 字节")
        av = _av()
        try:
            frames = self._codec.decode(av.Packet(packet))
        except av.error.FFmpegError as error:
            self._codec = self._fresh()
            raise OpusError("bad_packet", "this packet is no Opus / 这个数据包不是 Opus") from error
        return self._resampler.feed(b"".join(bytes(frame.planes[0])[: 2 * frame.samples] for frame in frames))

    def _fresh(self) -> Any:
        codec = _av().CodecContext.create("libopus", "r")
        codec.sample_rate, codec.layout, codec.format = _DECODED_RATE, "mono", "s16"
        codec.open()
        return codec


class OpusEncoder:
    """One stream of packets of `frame_ms` (2.5 to 60) each, of mono s16 at `rate` (8, 12, 16, 24 or 48 kHz)."""

    def __init__(self, rate: int = 24000, frame_ms: float = 60) -> None:
        if rate not in _BITS or frame_ms not in (2.5, 5, 10, 20, 40, 60):
            raise ValueError(f"no Opus frames of {frame_ms} ms at {rate} Hz")
        self._rate, self._bytes = rate, 2 * round(rate * frame_ms / 1000)
        self._kept = b""
        self._at = 0
        codec = _av().CodecContext.create("libopus", "w")
        codec.sample_rate, codec.layout, codec.format = rate, "mono", "s16"
        codec.bit_rate, codec.time_base = _BITS[rate], Fraction(1, rate)
        codec.options = {"application": "voip", "frame_duration": f"{frame_ms:g}"}
        codec.open()
        self._codec = codec

    def feed(self, pcm: bytes) -> list[bytes]:
        """The packets that this completes."""
        self._kept += pcm
        whole = len(self._kept) - len(self._kept) % self._bytes
        pcm, self._kept = self._kept[:whole], self._kept[whole:]
        return [packet for start in range(0, whole, self._bytes) for packet in self._packet(pcm, start)]

    def flush(self) -> list[bytes]:
        """The rest, with silence behind it. More may be fed afterwards: the stream goes on."""
        if not self._kept and not self._at:
            return []
        rest = len(self._kept) - len(self._kept) % 2 + 2 * round(_LOOKAHEAD * self._rate)
        self._kept = self._kept[: len(self._kept) // 2 * 2].ljust(-(-rest // self._bytes) * self._bytes, b"\0")
        made = self.feed(b"")
        self._at = 0
        return made

    def _packet(self, pcm: bytes, start: int) -> list[bytes]:
        frame = sound_frame(pcm[start : start + self._bytes], self._rate)
        self._at += 1
        return [bytes(packet) for packet in self._codec.encode(frame)]


def sound_frame(pcm: bytes, rate: int) -> Any:
    """Mono s16 as FFmpeg takes it."""
    frame = _av().AudioFrame(format="s16", layout="mono", samples=len(pcm) // 2)
    frame.planes[0].update(pcm)
    frame.sample_rate, frame.time_base = rate, Fraction(1, rate)
    return frame


def _av() -> Any:
    try:
        import av
    except ImportError as error:
        raise OpusError("no_opus", "no Opus here: pip install 'zhubo[opus]' / 未安装 Opus 支持") from error
    return av
