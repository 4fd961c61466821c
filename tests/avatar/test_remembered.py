"""Speech that is kept: made once, replayed as it was, never half."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace
from typing import Any

import pytest

from avatar.remembered import Remembered
from avatar.speech import Audio, SpeechPart, Utterance, Voice, VoiceError
from tests.doubles import BreakingVoice, tone

KEPT = [Utterance("西门周五以前不开。", "zh", keep=True), Utterance("The west gate is closed.", "en", keep=True)]

MANNERS: list[tuple[str, Any]] = [("speed", 1.5), ("pitch", 2.0), ("volume", 0.5), ("voice", "high")]


class Counting:
    """The tone voice, with a count of what it was asked to say."""

    def __init__(self) -> None:
        self.voice = tone()
        self.asked: list[str] = []

    @property
    def rate(self) -> int:
        return self.voice.rate

    async def synthesize(self, utterance: Utterance) -> AsyncGenerator[SpeechPart, None]:
        self.asked.append(utterance.text)
        async for part in self.voice.synthesize(utterance):
            await asyncio.sleep(0)
            yield part

    async def warm(self) -> None:
        await self.voice.warm()

    async def aclose(self) -> None:
        await self.voice.aclose()


async def spoken(voice: Voice, utterance: Utterance) -> list[SpeechPart]:
    return [part async for part in voice.synthesize(utterance)]


@pytest.mark.parametrize("utterance", KEPT, ids=["zh", "en"])
async def test_what_is_kept_is_made_once_and_replayed_as_it_was(utterance: Utterance) -> None:
    inner = Counting()
    voice = Remembered(inner, 1_000_000)
    first = await spoken(voice, utterance)
    assert any(isinstance(part, Audio) for part in first)
    assert [await spoken(voice, utterance), await spoken(voice, utterance)] == [first, first]
    assert inner.asked == [utterance.text]


async def test_what_is_not_marked_is_made_each_time() -> None:
    inner = Counting()
    voice = Remembered(inner, 1_000_000)
    for _ in range(2):
        await spoken(voice, Utterance("你好。", "zh"))
    assert inner.asked == ["你好。"] * 2 and voice.size == 0


async def test_the_same_words_in_the_other_language_are_another_utterance() -> None:
    inner = Counting()
    voice = Remembered(inner, 1_000_000)
    await spoken(voice, Utterance("OK 3", "zh", keep=True))
    await spoken(voice, Utterance("OK 3", "en", keep=True))
    assert len(inner.asked) == 2


async def test_interrupted_speech_is_not_kept() -> None:
    inner = Counting()
    voice = Remembered(inner, 1_000_000)
    async with aclosing(voice.synthesize(KEPT[0])) as parts:
        await anext(parts)
    cancelled = asyncio.create_task(spoken(voice, KEPT[0]))
    await asyncio.sleep(0)
    cancelled.cancel()
    await asyncio.gather(cancelled, return_exceptions=True)
    assert voice.size == 0
    assert await spoken(voice, KEPT[0]) == await spoken(tone(), KEPT[0])
    assert len(inner.asked) == 3


async def test_failed_speech_is_not_kept() -> None:
    voice = Remembered(BreakingVoice(1, midway=True), 1_000_000)
    with pytest.raises(VoiceError):
        await spoken(voice, KEPT[1])
    assert voice.size == 0
    assert await spoken(voice, KEPT[1]) == await spoken(tone(), KEPT[1])


async def test_the_bytes_are_bounded_and_the_longest_unsaid_goes_first() -> None:
    inner = Counting()
    first, second, third = (Utterance(text, "zh", keep=True) for text in ("一二三", "四五六", "七八九"))
    measure = Remembered(tone(), 1_000_000)
    await spoken(measure, first)
    limit = measure.size * 5 // 2
    voice = Remembered(inner, limit)
    for utterance in (first, second, first, third):
        await spoken(voice, utterance)
        assert voice.size <= limit
    await spoken(voice, first)
    assert inner.asked == ["一二三", "四五六", "七八九"]
    await spoken(voice, second)
    assert inner.asked[-1] == "四五六"


async def test_speech_that_is_too_long_to_keep_pushes_nothing_out() -> None:
    inner = Counting()
    short, long = KEPT[0], Utterance("一二三四五六七八九十" * 20, "zh", keep=True)
    voice = Remembered(inner, 200_000)
    await spoken(voice, short)
    before = voice.size
    assert await spoken(voice, long) == await spoken(tone(), long)
    assert voice.size == before > 0
    await spoken(voice, short)
    assert inner.asked == [short.text, long.text]


async def test_two_that_ask_first_at_once_both_hear_all_of_it() -> None:
    voice = Remembered(Counting(), 1_000_000)
    alone = await spoken(tone(), KEPT[0])
    assert await asyncio.gather(*(spoken(voice, KEPT[0]) for _ in range(3))) == [alone] * 3
    size = voice.size
    assert await spoken(voice, KEPT[0]) == alone
    assert voice.size == size == sum(len(p.pcm) if isinstance(p, Audio) else 200 for p in alone)


async def test_closing_forgets() -> None:
    voice = Remembered(Counting(), 1_000_000)
    await spoken(voice, KEPT[0])
    await voice.warm()
    await voice.aclose()
    assert voice.size == 0


async def test_another_manner_is_another_utterance() -> None:
    inner = Counting()
    voice = Remembered(inner, 10_000_000)
    manners = [KEPT[0], *(replace(KEPT[0], **{name: value}) for name, value in MANNERS)]
    made = [await spoken(voice, utterance) for utterance in manners]
    assert len(inner.asked) == len(manners)
    assert [await spoken(voice, utterance) for utterance in manners] == made
    assert len(inner.asked) == len(manners)
