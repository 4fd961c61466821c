"""Sound as clients send and take it."""

import os
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from avatar import g711
from avatar.engines.opus import OpusDecoder, OpusEncoder, OpusError
from avatar.hearing import G711, Encoding, Opus, Pcm
from avatar.intake import Intake, IntakeError, Outlet
from avatar.speech import Audio


def tone(rate: int, seconds: float = 1.0, offset: int = 0, level: int = 8000) -> bytes:
    times = np.arange(round(rate * seconds)) / rate
    return (np.clip(level * np.sin(2 * np.pi * 440 * times) + offset, -32768, 32767)).astype("<i2").tobytes()


def heard(pcm: bytes) -> tuple[float, float]:
    """Loudness and offset of the middle."""
    samples = np.frombuffer(pcm, "<i2").astype(float)[6000:12000]
    return float(samples.std()), float(samples.mean())


@pytest.mark.parametrize(
    "encoding", [Pcm(8000), Pcm(16000), Pcm(24000), Pcm(48000), G711("mu"), G711("a"), Opus(24000)]
)
def test_what_goes_out_comes_in(encoding: Encoding) -> None:
    outlet, intake = Outlet(encoding), Intake(encoding)
    sent = outlet.feed(Audio(tone(24000), 24000)) + outlet.flush()
    got = b"".join(intake.feed(piece) for piece in sent)
    level, offset = heard(got)
    assert level == pytest.approx(8000 / 2**0.5, rel=0.02)
    assert abs(offset) < 60
    assert 15900 <= len(got) // 2 <= 17100


@pytest.mark.parametrize("offset", [-12000, 3000])
def test_an_offset_is_taken_away(offset: int) -> None:
    level, rest = heard(Intake(Pcm(48000)).feed(tone(48000, offset=offset)))
    assert abs(rest) < 60 and level == pytest.approx(8000 / 2**0.5, rel=0.02)


def test_clipped_sound_is_harmless() -> None:
    loud = Intake(Pcm(48000)).feed(tone(48000, level=200_000))
    assert len(loud) == 32000 - 2 * 24 and np.abs(np.frombuffer(loud, "<i2").astype(int)).max() > 30000


@settings(max_examples=30, deadline=None)
@given(st.sampled_from([Pcm(16000), Pcm(24000), Pcm(44100), G711("a")]), st.lists(st.binary(max_size=999), max_size=9))
def test_the_cut_makes_no_difference(encoding: Encoding, pieces: list[bytes]) -> None:
    intake = Intake(encoding)
    assert b"".join(intake.feed(piece) for piece in pieces) == Intake(encoding).feed(b"".join(pieces))


def test_opus_garbage_is_told_and_the_next_packet_is_heard() -> None:
    outlet, intake = Outlet(Opus(16000), 20), Intake(Opus(16000))
    packets = outlet.feed(Audio(tone(16000), 16000))
    for garbage in (b"", b"\xff" * 70_000, b"\x03", b"\xff\x3f" + b"\0" * 9):
        with pytest.raises(IntakeError) as told:
            intake.feed(garbage)
        assert told.value.code == "bad_packet"
    level, _ = heard(b"".join(intake.feed(packet) for packet in packets))
    assert level == pytest.approx(8000 / 2**0.5, rel=0.02)


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=500))
def test_no_packet_breaks_the_decoder(packet: bytes) -> None:
    decoder = OpusDecoder()
    with suppress(OpusError):
        assert len(decoder.feed(packet)) <= 2 * 16000 * 0.12
    assert decoder.feed(OpusEncoder(16000, 20).feed(bytes(640))[0])


def test_opus_packets_are_of_the_length_that_was_asked_for() -> None:
    packets = OpusEncoder(24000, 60).feed(bytes(2 * 1440 * 3 + 10))
    assert len(packets) == 3
    assert len(OpusDecoder(24000).feed(packets[1])) >= 2 * 1400


def test_a_flush_gives_every_sample_and_may_be_followed() -> None:
    encoder, decoder = OpusEncoder(24000, 60), OpusDecoder(24000)
    packets = [*encoder.feed(tone(24000, 0.5)), *encoder.flush()]
    assert encoder.flush() == []
    assert len(b"".join(map(decoder.feed, packets))) >= 24000
    assert encoder.feed(bytes(2880))


@pytest.mark.parametrize("encoding", [Pcm(0), Pcm(16001), Pcm(10**9), Pcm(-1)])
def test_a_wrong_rate_is_refused(encoding: Encoding) -> None:
    for made in (Intake, Outlet):
        with pytest.raises(IntakeError) as told:
            made(encoding)
        assert told.value.code == "bad_encoding"


def test_an_outlet_follows_a_voice_that_changes_its_rate() -> None:
    outlet = Outlet(G711("mu"))
    sent = outlet.feed(Audio(tone(24000), 24000)) + outlet.feed(Audio(tone(16000), 16000)) + outlet.flush()
    level, _ = heard(g711.decoded(b"".join(sent), "mu"))
    assert len(b"".join(sent)) == 16000 and level == pytest.approx(8000 / 2**0.5, rel=0.02)


def test_random_bytes_as_pcm_are_only_noise() -> None:
    assert len(Intake(Pcm(16000)).feed(os.urandom(2001))) == 2000
