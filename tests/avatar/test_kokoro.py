"""The Kokoro voice beyond what every voice promises: its options, its clauses, and how it gives up."""

import asyncio
import time
from contextlib import aclosing
from pathlib import Path

import pytest

from avatar.engines.kokoro import Kokoro, KokoroOptions
from avatar.speech import Audio, PhonemeSpan, SpeechPart, Utterance, VoiceError, WordSpan
from configs.engines import ConfigError, EngineSpec, options_of
from configs.home import Home, current
from configs.language import Lang


def test_weights_that_are_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="zhubo models pull"):
        Kokoro(KokoroOptions(), Home(tmp_path, tmp_path))


@pytest.mark.packaged
def test_a_voice_that_does_not_exist() -> None:
    options = KokoroOptions.model_validate({"voices": {"zh": "zf_nobody"}})
    with pytest.raises(ConfigError, match="zf_nobody"):
        Kokoro(options, current())


@pytest.mark.packaged
async def test_an_utterance_can_name_its_voice() -> None:
    voice = Kokoro(KokoroOptions(), current())

    async def said(utterance: Utterance) -> bytes:
        return b"".join([part.pcm async for part in voice.synthesize(utterance) if isinstance(part, Audio)])

    for text, lang, other in (("好。", "zh", "zm_yunyang"), ("Hot water.", "en", "bm_george")):
        own = await said(Utterance(text, lang))
        assert await said(Utterance(text, lang, voice=other)) not in (b"", own)
        for unknown in ("nobody", "../voices/af_heart", "zf_xiaoni" if lang == "en" else "af_heart"):
            with pytest.raises(VoiceError, match=other):
                await said(Utterance(text, lang, voice=unknown))
    await voice.aclose()


@pytest.mark.packaged
async def test_english_words_in_a_mandarin_clause_have_an_english_voice_mixed_in_and_no_other_clause_has() -> None:
    async def said(text: str, lang: Lang, **options: object) -> bytes:
        voice = Kokoro(KokoroOptions.model_validate(options), current())
        parts = [part async for part in voice.synthesize(Utterance(text, lang))]
        await voice.aclose()
        phonemes = "".join(part.phoneme for part in parts if isinstance(part, PhonemeSpan))
        assert ("juɛsbi" in phonemes) == ("USB" in text)
        return b"".join(part.pcm for part in parts if isinstance(part, Audio))

    assert await said("用 USB。", "zh") != await said("用 USB。", "zh", english=0)
    assert await said("好。", "zh") == await said("好。", "zh", english=0)
    assert await said("Hi.", "en") == await said("Hi.", "en", english=0)


@pytest.mark.parametrize("options", [{"speed": 9}, {"voice": "af_heart"}, {"voices": {"fr": "ff_siwis"}}])
def test_bad_options(options: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match="kokoro"):
        options_of("voices", EngineSpec(engine="kokoro", options=options))


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
    before = time.process_time()
    await speak()
    one = time.process_time() - before
    queue = [asyncio.create_task(speak()) for _ in range(20)]
    await asyncio.sleep(0.05)
    for task in queue:
        task.cancel()
    await asyncio.gather(*queue, return_exceptions=True)
    before = time.process_time()
    async with aclosing(voice.synthesize(Utterance("好", "zh"))) as parts_of_one:
        await anext(parts_of_one)
    assert time.process_time() - before < 5 * one, "twenty cancelled sentences are not made first"
    await voice.aclose()
