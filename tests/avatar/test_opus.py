"""Opus as it is sent and taken: every length of a packet, every rate, mono and stereo, lost packets and garbage."""

import os
from fractions import Fraction

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from avatar.engines.opus import OpusDecoder, OpusEncoder, OpusError

LENGTHS = (2.5, 5, 10, 20, 40, 60)
RATES = (8000, 12000, 16000, 24000, 48000)


def tone(rate: int, seconds: float = 1.0) -> bytes:
    times = np.arange(round(rate * seconds)) / rate
    return bytes((8000 * np.sin(2 * np.pi * 440 * times)).astype("<i2").tobytes())


def loudness(pcm: bytes) -> float:
    samples = np.frombuffer(pcm, "<i2").astype(float)
    return float(samples[len(samples) // 4 : -len(samples) // 4].std())


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("length", LENGTHS)
def test_every_length_at_every_rate_comes_back_whole(rate: int, length: float) -> None:
    encoder, decoder = OpusEncoder(rate, length), OpusDecoder(16000)
    packets = encoder.feed(tone(rate)) + encoder.flush()
    heard = b"".join(map(decoder.feed, packets))
    assert all(0 < len(packet) <= 1275 for packet in packets)
    assert len(packets) >= 1000 / length
    assert 2 * 16000 <= len(heard) + 60 <= 2 * 16000 * (1 + 0.002 * length + 0.02)
    assert loudness(heard) == pytest.approx(8000 / 2**0.5, rel=0.1)


@pytest.mark.parametrize("bad", [(24000, 30), (24000, 0), (44100, 20), (0, 20), (16000, 120)])
def test_what_opus_has_not_is_refused(bad: tuple[int, float]) -> None:
    with pytest.raises(ValueError, match="no Opus frames"):
        OpusEncoder(*bad)


def test_stereo_is_mixed_down() -> None:
    codec = av.CodecContext.create("libopus", "w")
    codec.sample_rate, codec.layout, codec.format = 48000, "stereo", "s16"
    codec.time_base, codec.options = Fraction(1, 48000), {"frame_duration": "20"}
    codec.open()
    decoder, heard = OpusDecoder(16000), b""
    sound = np.repeat(np.frombuffer(tone(48000), "<i2"), 2)
    for at in range(0, len(sound), 1920):
        frame = av.AudioFrame(format="s16", layout="stereo", samples=960)
        frame.planes[0].update(sound[at : at + 1920].tobytes())
        frame.sample_rate, frame.time_base = 48000, Fraction(1, 48000)
        heard += b"".join(decoder.feed(bytes(packet)) for packet in codec.encode(frame))
    assert len(heard) > 2 * 15000 and loudness(heard) == pytest.approx(8000 / 2**0.5, rel=0.1)


def test_lost_packets_are_gaps_and_no_errors() -> None:
    encoder, decoder = OpusEncoder(16000, 20), OpusDecoder(16000)
    packets = encoder.feed(tone(16000, 2.0))
    heard = b"".join(decoder.feed(packet) for number, packet in enumerate(packets) if number % 10)
    assert loudness(heard) > 4000


@pytest.mark.parametrize("rate", RATES)
def test_garbage_between_packets_leaves_the_stream_whole(rate: int) -> None:
    encoder, decoder, heard, refused = OpusEncoder(rate, 60), OpusDecoder(16000), b"", 0
    for number, packet in enumerate(encoder.feed(tone(rate, 2.0))):
        if number % 3 == 0:
            try:
                decoder.feed(b"\xff" + os.urandom(7) if number % 2 else b"\x03")
            except OpusError as error:
                assert error.code == "bad_packet"
                refused += 1
        heard += decoder.feed(packet)
    assert refused and loudness(heard) > 4000


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(0, 700), max_size=12), st.sampled_from(LENGTHS))
def test_the_cut_makes_no_difference(sizes: list[int], length: float) -> None:
    pcm = tone(24000, 0.15)
    cut, whole, at, made = OpusEncoder(24000, length), OpusEncoder(24000, length), 0, list[bytes]()
    for size in sizes:
        made += cut.feed(pcm[at : at + size])
        at += size
    made += cut.feed(pcm[at:]) + cut.flush()
    assert made == whole.feed(pcm) + whole.flush()
