"""The voice of a process comes out as loud as its settings say, in both languages."""

import numpy as np
import pytest

from avatar.loudness import Meter
from configs.settings import load, overlaid
from server.speaking import speak
from tests.doubles import HOME


@pytest.mark.parametrize("text", ["科学馆上午九点半开门，下午五点关门。", "The museum opens at half past nine."])
@pytest.mark.parametrize("loudness", [-16.0, -23.0])
async def test_speech_is_as_loud_as_it_is_set_to_be(text: str, loudness: float) -> None:
    settings = overlaid(load("test"), {"speaking": {"loudness": loudness}}, "a test")
    speech = await speak(text, None, settings, HOME, "speech")
    meter = Meter(speech.audio.rate)
    meter.feed(np.frombuffer(speech.audio.pcm, "<i2") / 32768)
    assert meter.integrated() == pytest.approx(loudness, abs=1.5)
