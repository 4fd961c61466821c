"""Sound as a voice gives it, to what goes out: in pieces, all of it, and with time for others between two of them."""

import asyncio
from collections.abc import AsyncGenerator

import pytest

from agent.events import Event, Motion, SentenceEnded, Speech
from agent.performance import Performance
from avatar.engines.tone import Tone
from avatar.script import Phrase
from avatar.speech import Audio, SpeechPart, Utterance
from configs.language import Lang
from tests import virtual
from tests.doubles import HOME, presenter

TEXT: dict[Lang, str] = {
    "zh": "科学馆周二到周日开放，上午九点半开门，下午五点关门，请从东门进馆，存包处在右手边，洗手间在楼梯后面。",
    "en": "The museum is open from Tuesday to Sunday, from half past nine in the morning until five, by the east gate.",
}


class AtOnce(Tone):
    """Tells no times, and gives a sentence's sound in one, as a server that does not stream does."""

    def __init__(self) -> None:
        super().__init__(Tone.Options(), HOME)
        self.sound = b""

    async def synthesize(self, utterance: Utterance) -> AsyncGenerator[SpeechPart, None]:
        told = super().synthesize(utterance)
        self.sound = b"".join([part.pcm async for part in told if isinstance(part, Audio)])
        yield Audio(self.sound, self.rate)


def performed(voice: AtOnce, lang: Lang) -> list[Event | None]:
    """What went out; None: others had the loop."""
    out: list[Event | None] = []

    async def emit(event: Event) -> None:
        out.append(event)
        if isinstance(event, Speech):
            asyncio.get_running_loop().call_soon(out.append, None)

    async def speak() -> None:
        performance = Performance(1, presenter(voice=voice), emit, "rest")
        await performance.during(performance.say(Phrase(TEXT[lang]), lang, "answer"))

    virtual.run(speak())
    return out


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_long_sound_without_times_goes_out_piece_by_piece_and_others_have_the_loop_between_two(lang: Lang) -> None:
    voice = AtOnce()
    out = performed(voice, lang)
    spoken = [event for event in out if isinstance(event, Speech)]
    assert b"".join(event.audio.pcm for event in spoken) == voice.sound
    assert sum(event.audio.seconds for event in spoken) > 5 and max(event.audio.seconds for event in spoken) <= 1
    assert [event.at for event in spoken] == pytest.approx([float(second) for second in range(len(spoken))])
    kinds = [event is not None for event in out if event is None or isinstance(event, Speech)]
    assert kinds == [True, False] * len(spoken)


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_each_pieces_mouth_goes_out_before_it_and_the_sentence_ends_with_its_sound(lang: Lang) -> None:
    voice = AtOnce()
    out = [event for event in performed(voice, lang) if event is not None]
    begun = 0.0
    for event in out:
        match event:
            case Motion(visemes=visemes):
                assert all(viseme.at >= begun - 0.03 for viseme in visemes)
            case Speech(audio=audio):
                begun += audio.seconds
            case SentenceEnded(seconds=seconds):
                assert seconds == pytest.approx(begun)
    assert any(isinstance(event, Motion) and len(event.visemes) > 1 for event in out)
