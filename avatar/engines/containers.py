"""Sound files: WAV by ourselves, MP3, Ogg Opus, AAC and FLAC through PyAV (`pip install 'zhubo[opus]'`), in memory.

What is read: those, MP4/M4A and WebM too, by their first bytes, never by their name, and in them only the codecs that
such recordings have. Formats that name other files are not read. Everything here computes: call it in a thread.
"""

import struct
import time
from collections.abc import Callable, Iterator
from fractions import Fraction
from io import BytesIO
from typing import Any, Literal

import numpy as np

from avatar import g711
from avatar.hearing import RATE
from avatar.resampling import RATES, Resampler
from avatar.sound_labels import chunks_of_label
from avatar.speech import Audio

Kind = Literal["mp3", "opus", "aac", "flac", "wav", "pcm"]
OUT = 24000
"""Samples a second of every file that is written."""

_OPEN = 2**32 - 1
"""A length that is not known yet: EBU Tech 3306 and what readers of streams make of it."""
_MUXERS: dict[str, tuple[str, str, dict[str, str]]] = {
    "mp3": ("mp3", "libmp3lame", {"write_xing": "0", "id3v2_version": "3"}),
    "opus": ("ogg", "libopus", {"page_duration": "100000"}),
    "aac": ("adts", "aac", {"write_id3v2": "1"}),
    "flac": ("flac", "flac", {}),
}
_PCM = ("pcm_u8", "pcm_s16le", "pcm_s24le", "pcm_s32le", "pcm_f32le", "pcm_f64le", "pcm_alaw", "pcm_mulaw")
_DECODERS: dict[str, tuple[str, ...]] = {
    "wav": _PCM,
    "mp3": ("mp3", "mp3float"),
    "ogg": ("opus", "libopus", "vorbis", "flac"),
    "matroska": ("opus", "libopus", "vorbis", *_PCM),
    "flac": ("flac",),
    "mov": ("aac", "mp3", "mp3float", "alac", "opus", "libopus", "flac"),
    "aac": ("aac",),
}
"""FFmpeg's, by its names of the containers: it knows hundreds more, which nobody here records with."""
_BITS = {"mp3": 64_000, "opus": 32_000, "aac": 64_000}
_SECONDS = 60.0
"""Of computing for one file."""


class SoundError(ValueError):
    """`code`: unsupported_format, broken_sound, too_long, no_codecs. The message says in both languages what to do."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class Encoder:
    """One file, piece by piece; `label` is the AIGC label's JSON. Raw PCM has no place for one.

    What FLAC gives comes with `flush`; the others stream. Raises SoundError where PyAV is not installed.
    """

    def __init__(self, kind: Kind, label: str = "") -> None:
        self._resampler: Resampler | None = None
        self._head = _wav_head(label) if kind == "wav" else b""
        self._muxer = _Muxer(kind, label) if kind in _MUXERS else None

    def feed(self, audio: Audio) -> bytes:
        if self._resampler is None:
            self._resampler = Resampler(audio.rate, OUT)
        return self._written(self._resampler.feed(audio.pcm))

    def flush(self) -> bytes:
        rest = self._written(self._resampler.flush() if self._resampler else b"")
        return rest + (self._muxer.flush() if self._muxer else b"")

    def _written(self, pcm: bytes) -> bytes:
        head, self._head = self._head, b""
        return head + (self._muxer.feed(pcm) if self._muxer else pcm)


class _Sink:
    """What a muxer that does not seek writes."""

    def __init__(self) -> None:
        self.written = bytearray()

    def write(self, data: bytes) -> int:
        self.written += data
        return len(data)

    def take(self) -> bytes:
        taken = bytes(self.written)
        self.written.clear()
        return taken


class _Muxer:
    def __init__(self, kind: Kind, label: str) -> None:
        av = _av()
        name, codec, options = _MUXERS[kind]
        self._whole = BytesIO() if kind == "flac" else None
        """FLAC's length stands at its beginning."""
        self._sink = _Sink()
        self._container = av.open(self._whole or self._sink, "w", format=name, options=options)
        self._stream = self._container.add_stream(codec, rate=OUT)
        self._stream.layout = "mono"
        if kind in _BITS:
            self._stream.bit_rate = _BITS[kind]
        if label:
            self._container.metadata["AIGC"] = self._stream.metadata["AIGC"] = label
        self._at = 0

    def feed(self, pcm: bytes) -> bytes:
        if pcm:
            frame = _av().AudioFrame(format="s16", layout="mono", samples=len(pcm) // 2)
            frame.planes[0].update(pcm)
            frame.sample_rate, frame.pts, frame.time_base = OUT, self._at, Fraction(1, OUT)
            self._at += len(pcm) // 2
            self._container.mux(self._stream.encode(frame))
        return self._sink.take()

    def flush(self) -> bytes:
        self._container.mux(self._stream.encode(None))
        self._container.close()
        return self._whole.getvalue() if self._whole else self._sink.take()


def _wav_head(label: str) -> bytes:
    """Of a file that is sent while it is made: its lengths are the largest there are, the label comes first."""
    form = struct.pack("<HHIIHH", 1, 1, OUT, 2 * OUT, 2, 16)
    told = chunks_of_label(label) if label else b""
    return (
        b"RIFF" + struct.pack("<I", _OPEN) + b"WAVEfmt " + struct.pack("<I", 16) + form
        + told + b"data" + struct.pack("<I", _OPEN)
    )  # fmt: skip


def decoded(data: bytes, longest: float, wanted: Callable[[], bool] = lambda: True) -> bytes:
    """A file's first sound as 16 kHz mono s16. `longest`: seconds. `wanted`: False once nobody waits.

    Raises SoundError.
    """
    most, pcm = 2 * int(longest * RATE), bytearray()
    pieces = _from_wav(data) if data[:4] in (b"RIFF", b"RF64") and data[8:12] == b"WAVE" else None
    for piece in pieces if pieces is not None else _from_file(data, longest, wanted):
        pcm += piece
        if len(pcm) > most:
            raise _too_long(longest)
    if not pcm:
        raise SoundError("broken_sound", "there is no sound in this file / 文件里没有声音")
    return bytes(pcm)


def _from_wav(data: bytes) -> Iterator[bytes] | None:
    """None for what is in it but not known here: FFmpeg may."""
    at, form = 12, b""
    while at + 8 <= len(data):
        name, size = data[at : at + 4], int.from_bytes(data[at + 4 : at + 8], "little")
        if name == b"fmt ":
            form = data[at + 8 : at + 8 + size]
        if name == b"data":
            return _samples(form, data[at + 8 : at + 8 + size])
        at += 8 + size + size % 2
    raise SoundError("broken_sound", "this WAV file is cut short: record it again / WAV 文件不完整，请重新录制")


def _samples(form: bytes, held: bytes) -> Iterator[bytes] | None:
    if len(form) < 16:
        raise SoundError("broken_sound", "this WAV file is cut short: record it again / WAV 文件不完整，请重新录制")
    tag, channels, rate, _, block, bits = struct.unpack_from("<HHIIHH", form)
    if tag == 0xFFFE and len(form) >= 26:
        tag = int.from_bytes(form[24:26], "little")
    reader = _READERS.get((tag, bits))
    if reader is None or rate not in RATES or not 1 <= channels <= 8 or block != channels * bits // 8:
        return None
    return _mixed(held[: len(held) - len(held) % block], reader, channels, rate, block)


def _mixed(held: bytes, reader: Callable[[bytes], Any], channels: int, rate: int, block: int) -> Iterator[bytes]:
    resampler, step = Resampler(rate, RATE), block * rate
    for start in range(0, len(held), step):
        samples = reader(held[start : start + step]).reshape(-1, channels).mean(axis=1)
        yield resampler.feed(np.clip(np.rint(samples), -32768, 32767).astype("<i2").tobytes())
    yield resampler.flush()


def _wide(held: bytes) -> Any:
    """24 bits a sample: the upper two bytes."""
    raw = np.frombuffer(held, np.uint8).reshape(-1, 3)
    return raw[:, 1:].copy().view("<i2").ravel()


_READERS: dict[tuple[int, int], Callable[[bytes], Any]] = {
    (1, 8): lambda held: (np.frombuffer(held, np.uint8).astype(np.float64) - 128) * 256,
    (1, 16): lambda held: np.frombuffer(held, "<i2"),
    (1, 24): _wide,
    (1, 32): lambda held: np.frombuffer(held, "<i4") / 65536,
    (3, 32): lambda held: np.nan_to_num(np.frombuffer(held, "<f4"), posinf=1, neginf=-1) * 32767,
    (6, 8): lambda held: np.frombuffer(g711.decoded(held, "a"), "<i2"),
    (7, 8): lambda held: np.frombuffer(g711.decoded(held, "mu"), "<i2"),
}
"""By the format's tag and bits a sample: PCM, float, A-law, mu-law."""


def _sniffed(data: bytes) -> str:
    head = data[:16]
    if head[:4] in (b"RIFF", b"RF64"):
        return "wav"
    if head[:4] == b"OggS":
        return "ogg"
    if head[:4] == b"fLaC":
        return "flac"
    if head[:4] == b"\x1a\x45\xdf\xa3":
        return "matroska"
    if head[4:8] == b"ftyp":
        return "mov"
    if head[:3] == b"ID3":
        size = sum((byte & 127) << shift for byte, shift in zip(data[6:10], (21, 14, 7, 0), strict=False))
        return "flac" if data[10 + size : 14 + size] == b"fLaC" else _framed(data[10 + size : 12 + size])
    return _framed(head)


def _framed(head: bytes) -> str:
    """MPEG's frames begin with eleven bits set; layer 0 is AAC's."""
    if len(head) >= 2 and head[0] == 0xFF and head[1] & 0xE0 == 0xE0:
        return "aac" if head[1] & 0xF6 == 0xF0 else "mp3"
    raise _unsupported()


def _from_file(data: bytes, longest: float, wanted: Callable[[], bool]) -> Iterator[bytes]:
    """A small frame may say that it lasts for hours: it is measured before it is resampled."""
    kind, av, ends = _sniffed(data), _av(), time.monotonic() + _SECONDS
    try:
        with av.open(BytesIO(data), format=kind, options={"codec_whitelist": ",".join(_DECODERS[kind])}) as container:
            if not container.streams.audio:
                raise SoundError("broken_sound", "there is no sound in this file / 文件里没有声音")
            codec = container.streams.audio[0].codec_context
            if codec is None or codec.name not in _DECODERS[kind]:
                raise _unsupported()
            resampler = av.AudioResampler(format="s16", layout="mono", rate=RATE)
            for frame in container.decode(container.streams.audio[0]):
                if not wanted() or time.monotonic() > ends:
                    raise SoundError("too_long", "this file takes too long to read / 这个文件读取太久")
                if frame.samples > longest * frame.sample_rate:
                    raise _too_long(longest)
                yield from map(_bytes, resampler.resample(frame))
            yield from map(_bytes, resampler.resample(None))
    except SoundError:
        raise
    except (av.error.FFmpegError, ValueError) as error:
        told = "this file cannot be read as sound: record it again / 无法读取这个声音文件，请重新录制"
        raise SoundError("broken_sound", told) from error


def _unsupported() -> SoundError:
    return SoundError(
        "unsupported_format",
        "send wav, mp3, ogg (Opus, Vorbis, FLAC), webm, flac, m4a (AAC, ALAC) or aac"
        " / 请发送 wav、mp3、ogg（Opus、Vorbis、FLAC）、webm、flac、m4a（AAC、ALAC）或 aac",
    )


def _too_long(longest: float) -> SoundError:
    return SoundError("too_long", f"at most {longest:g} s of sound / 录音最长 {longest:g} 秒")


def _bytes(frame: Any) -> bytes:
    return bytes(frame.planes[0])[: 2 * frame.samples]


def _av() -> Any:
    try:
        import av
    except ImportError as error:
        told = "only wav and pcm are here; the operator can add the others: pip install 'zhubo[opus]'"
        raise SoundError("no_codecs", f"{told} / 这里只支持 wav 和 pcm") from error
    return av
