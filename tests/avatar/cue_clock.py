"""How exactly the mouth and the sound keep time: `python -m tests.avatar.cue_clock --voice kokoro --sentences 200`."""

import argparse
import asyncio
import itertools
from bisect import bisect_right
from dataclasses import dataclass, field

from avatar.engines.kokoro import Kokoro, KokoroOptions
from avatar.engines.tone import Tone, ToneOptions
from avatar.lips import Lips
from avatar.motion import Viseme
from avatar.speech import Audio, PhonemeSpan, Utterance, Voice
from avatar.visemes import shapes
from configs.home import current

_CHINESE = (
    ("科学馆", "潮汐厅", "周末", "门票", "小明"),
    ("今天开放", "很受欢迎", "明天10:00开始", "一共60元"),
    ("。", "！", "吗？"),
)
_ENGLISH = (
    ("The museum", "This hall", "My ticket", "The show"),
    ("opens at 10:00", "is popular", "costs $6"),
    (".", "!"),
)


@dataclass(slots=True)
class Figures:
    """Errors in seconds; `drift`: samples between all audio and all spans so far."""

    errors: list[float] = field(default_factory=list)
    missed: int = 0
    drift: float = 0.0
    seconds: float = 0.0

    def __str__(self) -> str:
        mean = sum(self.errors) / len(self.errors)
        return (
            f"{len(self.errors)} phonemes in {self.seconds:.1f} s of audio: viseme error mean {mean * 1000:.2f} ms, "
            f"max {max(self.errors) * 1000:.2f} ms, {self.missed} not shown; audio minus spans {self.drift:.3f} samples"
        )


def sentences(count: int) -> list[Utterance]:
    """Both languages in turn, no two alike until all combinations are used."""
    chinese = (Utterance("".join(words), "zh") for words in itertools.cycle(itertools.product(*_CHINESE)))
    english = (Utterance(f"{a} {b}{c}", "en") for a, b, c in itertools.cycle(itertools.product(*_ENGLISH)))
    both = itertools.chain.from_iterable(zip(chinese, english, strict=False))
    return list(itertools.islice(both, count))


async def measure(voice: Voice, utterances: list[Utterance]) -> Figures:
    """Run each sentence through the voice and `Lips`, as a turn does."""
    figures = Figures()
    for utterance in utterances:
        lips, phonemes, visemes, samples = Lips(utterance.lang), list[PhonemeSpan](), list[Viseme](), 0
        async for part in voice.synthesize(utterance):
            if isinstance(part, PhonemeSpan):
                phonemes.append(part)
            if isinstance(part, Audio):
                samples += len(part.pcm) // 2
            if cues := lips.feed(part):
                visemes += cues.visemes
        figures.drift += samples - sum(span.end - span.start for span in phonemes) * voice.rate
        figures.seconds += samples / voice.rate
        _compare(phonemes, visemes, figures)
    return figures


def _compare(phonemes: list[PhonemeSpan], visemes: list[Viseme], figures: Figures) -> None:
    """How far from each phoneme's start its shape begins; one that the sound before had too may simply go on."""
    starts = [viseme.at for viseme in visemes]
    before = ""
    for span in phonemes:
        parts = shapes(span.phoneme)
        if not parts:
            continue
        middle = span.start + parts[0][1] * (span.end - span.start) / 2
        viseme = visemes[bisect_right(starts, middle) - 1]
        goes_on = viseme.shape == before and viseme.at < span.start
        figures.errors.append(0.0 if goes_on else abs(viseme.at - span.start))
        figures.missed += viseme.shape not in [shape for shape, _, _ in parts]
        before = parts[-1][0]


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--voice", choices=["kokoro", "tone"], default="kokoro")
    parser.add_argument("--sentences", type=int, default=200)
    arguments = parser.parse_args()
    voice: Voice = Kokoro(KokoroOptions(), current()) if arguments.voice == "kokoro" else Tone(ToneOptions(), current())
    print(await measure(voice, sentences(arguments.sentences)))
    await voice.aclose()


if __name__ == "__main__":
    asyncio.run(main())
