"""Sound files written and read in memory, by ourselves and through PyAV."""

import io
import math
import resource
import struct
import sys
import wave
from array import array

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from avatar.engines import containers
from avatar.engines.containers import OUT, Encoder, Kind, SoundError, decoded
from avatar.labels import Producer, label_of
from avatar.speech import Audio

LABEL = Producer("海港科学馆").label("content-1")
KINDS: tuple[Kind, ...] = ("mp3", "opus", "aac", "flac", "wav", "pcm")


def tone(seconds: float, rate: int = OUT, pitch: float = 440) -> bytes:
    turn = 2 * math.pi * pitch / rate
    return array("h", (round(9000 * math.sin(turn * n)) for n in range(round(seconds * rate)))).tobytes()


def written(kind: Kind, pcm: bytes, rate: int = OUT, step: int = 4800, label: str = "") -> list[bytes]:
    encoder = Encoder(kind, label)
    pieces = [encoder.feed(Audio(pcm[at : at + step], rate)) for at in range(0, len(pcm), step)]
    return [*pieces, encoder.flush()]


def loudest(pcm: bytes, rate: int = 16_000) -> float:
    spectrum = np.abs(np.fft.rfft(np.frombuffer(pcm, "<i2").astype(np.float64)))
    return float(spectrum.argmax() * rate / (len(pcm) // 2))


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "pcm"])
def test_what_is_written_is_read_again(kind: Kind) -> None:
    heard = decoded(b"".join(written(kind, tone(2.0))), 10)
    assert len(heard) / 32_000 == pytest.approx(2.0, abs=0.1)
    assert loudest(heard) == pytest.approx(440, abs=3)


@pytest.mark.parametrize("kind", ["mp3", "opus", "aac", "wav", "pcm"])
def test_it_is_sent_while_it_is_made(kind: Kind) -> None:
    pieces = written(kind, tone(4.0))
    first = sum(map(len, pieces[: len(pieces) // 2]))
    assert 0 < first > 0.3 * sum(map(len, pieces)) and pieces[0]


@pytest.mark.parametrize("rate", [16_000, 22_050, 48_000])
def test_every_rate_of_a_voice_becomes_the_same(rate: int) -> None:
    pcm = b"".join(written("pcm", tone(1.0, rate), rate))
    assert len(pcm) == 2 * OUT and loudest(pcm, OUT) == pytest.approx(440, abs=3)


@pytest.mark.parametrize("kind", ["mp3", "opus", "aac", "flac"])
def test_the_label_is_in_the_metadata_where_ffmpeg_reads_it(kind: Kind) -> None:
    data = b"".join(written(kind, tone(0.5), label=LABEL.json()))
    with av.open(io.BytesIO(data)) as container:
        told = {**container.metadata, **container.streams[0].metadata}
    assert told["AIGC"] == LABEL.json()


def test_a_wav_that_was_sent_while_it_was_made_has_its_label_and_is_read_by_others() -> None:
    data = b"".join(written("wav", tone(0.5), label=LABEL.json()))
    assert label_of(data, "wav") == LABEL
    with wave.open(io.BytesIO(data)) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (OUT, 1, 2)
        assert file.readframes(OUT)[:OUT] == tone(0.5)[:OUT]
    with av.open(io.BytesIO(data)) as container:
        assert sum(frame.samples for frame in container.decode(audio=0)) == OUT // 2


def riff(tag: int, bits: int, samples: bytes, channels: int = 1, rate: int = 16_000) -> bytes:
    block = channels * bits // 8
    form = struct.pack("<HHIIHH", tag, channels, rate, rate * block, block, bits)
    body = b"WAVEfmt " + struct.pack("<I", 16) + form + b"data" + struct.pack("<I", len(samples)) + samples
    return b"RIFF" + struct.pack("<I", len(body)) + body


def sine(rate: int = 16_000) -> "np.ndarray[tuple[int], np.dtype[np.float64]]":
    return 0.5 * np.sin(2 * np.pi * 440 * np.arange(rate) / rate)


WAVS = {
    "8 bits": riff(1, 8, np.rint(sine() * 127 + 128).astype(np.uint8).tobytes()),
    "16 bits": riff(1, 16, (sine() * 32767).astype("<i2").tobytes()),
    "24 bits": riff(1, 24, (sine() * 8388607).astype("<i4").view(np.uint8).reshape(-1, 4)[:, :3].tobytes()),
    "32 bits": riff(1, 32, (sine() * 2147483647).astype("<i4").tobytes()),
    "float": riff(3, 32, sine().astype("<f4").tobytes()),
    "stereo": riff(1, 16, np.repeat((sine() * 32767).astype("<i2"), 2).tobytes(), 2),
    "44.1 kHz": riff(1, 16, (sine(44_100) * 32767).astype("<i2").tobytes(), rate=44_100),
    "64 bit float, which is FFmpeg's": riff(3, 64, sine().astype("<f8").tobytes()),
    "an odd rate, which is FFmpeg's": riff(1, 16, (sine(15_000) * 32767).astype("<i2").tobytes(), rate=15_000),
}


@pytest.mark.parametrize("name", WAVS)
def test_every_kind_of_wav_is_read(name: str) -> None:
    heard = decoded(WAVS[name], 10)
    assert len(heard) == pytest.approx(32_000, abs=200)
    samples = np.frombuffer(heard, "<i2")[2000:-2000]
    assert loudest(samples.tobytes()) == pytest.approx(440, abs=3)
    assert float(np.abs(samples).max()) == pytest.approx(16_384, rel=0.05)


def recorded(muxer: str, codec: str, *, picture: str = "") -> bytes:
    """One second of a tone by another's hand. `picture`: a codec of a film beside it."""
    sink = io.BytesIO()
    with av.open(sink, "w", format=muxer) as container:
        stream = container.add_stream(codec, rate=48_000)
        assert isinstance(stream, av.AudioStream)
        film = container.add_stream(picture, rate=10) if picture else None
        if isinstance(film, av.VideoStream):
            film.width = film.height = 64
            film.pix_fmt = "yuv420p"
            shown = av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8), "rgb24")
            container.mux([*film.encode(shown), *film.encode(None)])
        frame = av.AudioFrame.from_ndarray(np.frombuffer(tone(1.0, 48_000), "<i2").reshape(1, -1), "s16", "mono")
        frame.sample_rate = 48_000
        resampler = av.AudioResampler(stream.format, "mono", 48_000, stream.codec_context.frame_size or None)
        for made in (*resampler.resample(frame), *resampler.resample(None), None):
            container.mux(stream.encode(made))
    return sink.getvalue()


RECORDINGS = [
    ("ipod", "aac"),
    ("ipod", "alac"),
    ("mp4", "libopus"),
    ("webm", "libopus"),
    ("matroska", "pcm_f32le"),
    ("ogg", "libopus"),
]


STRANGE = [("matroska", "ac3"), ("matroska", "mp2"), ("mp4", "eac3"), ("wav", "adpcm_ms")]


@pytest.mark.parametrize(("muxer", "codec"), RECORDINGS)
def test_what_browsers_and_telephones_record_is_read(muxer: str, codec: str) -> None:
    heard = decoded(recorded(muxer, codec), 10)
    assert len(heard) / 32_000 == pytest.approx(1.0, abs=0.1) and loudest(heard) == pytest.approx(440, abs=3)


@pytest.mark.parametrize(("muxer", "codec"), [("mp4", "aac"), ("matroska", "libopus")])
def test_of_a_film_the_sound_alone_is_read(muxer: str, codec: str) -> None:
    heard = decoded(recorded(muxer, codec, picture="mpeg4"), 10)
    assert len(heard) / 32_000 == pytest.approx(1.0, abs=0.1) and loudest(heard) == pytest.approx(440, abs=3)


@pytest.mark.parametrize(("muxer", "codec"), STRANGE)
def test_a_codec_that_nobody_records_with_is_not_decoded(muxer: str, codec: str) -> None:
    with pytest.raises(SoundError) as error:
        decoded(recorded(muxer, codec), 10)
    assert error.value.code == "unsupported_format" and "send wav" in str(error.value) and "请发送" in str(error.value)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "pcm"])
def test_a_recording_that_is_too_long_is_cut_off_while_it_is_read(kind: Kind) -> None:
    data = b"".join(written(kind, tone(3.0)))
    with pytest.raises(SoundError, match="最长 1 秒") as error:
        decoded(data, 1)
    assert error.value.code == "too_long"


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "unsupported_format"),
        (b"hello, this is no sound", "unsupported_format"),
        ("这不是声音".encode(), "unsupported_format"),
        (b"#EXTM3U\nfile:///etc/passwd\n", "unsupported_format"),
        (b"ffconcat version 1.0\nfile /etc/passwd\n", "unsupported_format"),
        (b"RIFF\0\0\0\0WAVE", "broken_sound"),
        (b"RIFF\0\0\0\0WAVEfmt \x02\0\0\0\1\0data\0\0\0\0", "broken_sound"),
        (WAVS["16 bits"][:44], "broken_sound"),
        (b"OggS" + bytes(2000), "broken_sound"),
        (b"fLaC" + bytes(2000), "broken_sound"),
        (b"\x1a\x45\xdf\xa3" + bytes(2000), "broken_sound"),
        (b"\0\0\0\x20ftypM4A " + bytes(2000), "broken_sound"),
        (b"\xff\xfb" + bytes(2000), "broken_sound"),
    ],
)
def test_what_is_no_sound_is_refused_in_both_languages(data: bytes, code: str) -> None:
    with pytest.raises(SoundError, match=" / ") as error:
        decoded(data, 10)
    assert error.value.code == code


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from([b"RIFF\0\0\0\0WAVE", b"OggS\0\2", b"fLaC\0\0\0\x22", b"ID3\4\0\0\0\0\0\0", b"\xff\xf1"]),
    st.binary(),
)
def test_garbage_is_refused_and_nothing_else_happens(head: bytes, rest: bytes) -> None:
    try:
        assert decoded(head + rest, 1)
    except SoundError as error:
        assert error.code


@settings(max_examples=30, deadline=None)
@given(st.sampled_from(["mp3", "opus", "flac", "wav"]), st.data())
def test_a_file_that_is_cut_or_flipped_is_read_as_far_as_it_goes_or_refused(kind: Kind, data: st.DataObject) -> None:
    whole = bytearray(b"".join(written(kind, tone(0.3))))
    at = data.draw(st.integers(0, len(whole) - 1))
    whole[at] ^= data.draw(st.integers(1, 255))
    try:
        assert decoded(bytes(whole[: data.draw(st.integers(0, len(whole)))]), 30)
    except SoundError as error:
        assert error.code


def test_reading_ends_when_nobody_waits() -> None:
    with pytest.raises(SoundError):
        decoded(b"".join(written("mp3", tone(1.0))), 10, lambda: False)


def test_without_pyav_there_is_wav_and_the_rest_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    mp3 = b"".join(written("mp3", tone(0.2)))
    monkeypatch.setitem(sys.modules, "av", None)
    assert decoded(WAVS["16 bits"], 10) and b"".join(written("wav", tone(0.2)))
    for work in (lambda: Encoder("mp3"), lambda: decoded(mp3, 10)):
        with pytest.raises(SoundError, match="pip install") as error:
            work()
        assert error.value.code == "no_codecs"
    assert containers.OUT == 24_000


def packed(rate: int, samples: int, form: str = "matroska", codec: str = "pcm_u8", layout: str = "mono") -> bytes:
    out = io.BytesIO()
    with av.open(out, "w", format=form) as container:
        stream = container.add_stream(codec, rate=rate)
        stream.layout = layout
        frame = av.AudioFrame(format="u8" if codec == "pcm_u8" else "s16p", layout=layout, samples=samples)
        frame.sample_rate = rate
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return out.getvalue()


def test_a_frame_that_says_it_lasts_for_hours_is_refused_before_it_is_read() -> None:
    """Four million samples at 1 kHz are sixteen times as many at our rate: 128 MB."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(SoundError) as told:
        decoded(packed(1000, 4_000_000), 1800)
    assert told.value.code == "too_long"
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 60_000, "kilobytes"


def test_a_file_that_changes_its_rate_in_the_middle_is_told_to_be_broken() -> None:
    joined = packed(44100, 44100, "mp3", "libmp3lame", "stereo") + packed(22050, 22050, "mp3", "libmp3lame")
    with pytest.raises(SoundError) as told:
        decoded(joined, 100)
    assert told.value.code == "broken_sound"
