"""Sound, spans and mouth keep one time: exact to the sample over many sentences, the mouth within 20 ms."""

import pytest

from avatar.engines.kokoro import Kokoro, KokoroOptions
from avatar.engines.tone import Tone, ToneOptions
from configs.home import current
from tests.avatar.cue_clock import Figures, measure, sentences

LIMIT = 0.020


def _exact(figures: Figures) -> None:
    assert len(figures.errors) > 100
    assert max(figures.errors) <= LIMIT
    assert figures.missed == 0
    assert abs(figures.drift) < 1


async def test_no_drift_over_200_sentences_of_the_tone() -> None:
    _exact(await measure(Tone(ToneOptions(), current()), sentences(200)))


@pytest.mark.packaged
async def test_kokoro_keeps_time() -> None:
    voice = Kokoro(KokoroOptions(), current())
    _exact(await measure(voice, sentences(12)))
    await voice.aclose()
