"""Sound, spans and mouth keep one time: exact to the sample over many sentences, the mouth within 20 ms."""

import asyncio
import time

import pytest

from avatar.engines.kokoro import Kokoro, KokoroOptions
from avatar.engines.tone import Tone, ToneOptions
from avatar.speech import Audio, SpeechPart, Utterance, WordSpan
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


@pytest.mark.packaged
async def test_kokoro_says_long_text_in_clauses_and_gives_up_at_once() -> None:
    voice = Kokoro(KokoroOptions(longest=40), current())
    text = "科学馆周二到周日开放，上午9:30开门，下午五点关门。"

    async def speak() -> list[SpeechPart]:
        return [part async for part in voice.synthesize(Utterance(text, "zh"))]

    parts = await speak()
    kinds = [type(part) for part in parts]
    assert WordSpan in kinds[kinds.index(Audio) :], "the second clause follows the first one's sound"
    assert (
        "".join(part.text for part in parts if isinstance(part, WordSpan))
        == "科学馆周二到周日开放上午9:30开门下午五点关门"
    )
    queue = [asyncio.create_task(speak()) for _ in range(20)]
    await asyncio.sleep(0.05)
    for task in queue:
        task.cancel()
    await asyncio.gather(*queue, return_exceptions=True)
    before = time.process_time()
    await voice.synthesize(Utterance("好", "zh")).__anext__()
    assert time.process_time() - before < 2, "twenty cancelled sentences are not made first"
    await voice.aclose()
