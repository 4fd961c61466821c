"""How far the mouth is from Kokoro's own phoneme times, by what the voice tells: `python -m tests.avatar.lip_sync`.

The sentences and the voices are others than those that durations and acoustics were fitted to. Each sentence is played
to `Lips` three times: with its phonemes, with the times of its words only, and as bare sound with its text.

Non-initial error: how far a sound begins from where it does, those at a word's beginning left out (with word times
their error is 0 by construction); sounds that were read otherwise are paired in order. Agreement: of the moments of a
60 fps animation, those that show the same shape as with the phonemes.
"""

import argparse
import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from typing import Literal

from avatar.alignment import Alignment
from avatar.audio import pieces
from avatar.durations import lengths
from avatar.lips import Lips
from avatar.motion import Viseme
from avatar.phonemes import AFTER
from avatar.reading import read
from avatar.speech import PhonemeSpan, SpeechPart, WordSpan
from configs.language import LANGUAGES, Lang
from tests.avatar.lip_texts import HELD_OUT, VOICES
from tests.avatar.lip_truth import Said, said

Told = Literal["phonemes", "words", "nothing"]
TOLD: tuple[Told, ...] = ("phonemes", "words", "nothing")
_FPS = 60
_PIECE = 0.4
"""Seconds of audio that arrive at once."""


@dataclass(slots=True)
class Figures:
    """Errors in ms of sounds that do not begin a word; frames of the animation, and those that agree."""

    errors: list[float] = field(default_factory=list)
    frames: int = 0
    agreeing: int = 0

    @property
    def mean(self) -> float:
        return sum(self.errors) / len(self.errors)

    @property
    def p95(self) -> float:
        return sorted(self.errors)[int(0.95 * len(self.errors))]

    @property
    def agreement(self) -> float:
        return 100 * self.agreeing / self.frames

    def __str__(self) -> str:
        return f"{self.mean:5.1f} | {self.p95:4.0f} | {self.agreement:5.1f} | {len(self.errors)}"


def measure(one: Said, told: Told, figures: Figures) -> None:
    true = _shown(one, "phonemes")
    shown = true if told == "phonemes" else _shown(one, told)
    for frame in range(int(one.audio.seconds * _FPS)):
        figures.frames += 1
        figures.agreeing += _shape(true, frame / _FPS) == _shape(shown, frame / _FPS)
    found = {"phonemes": lambda: one.phonemes, "words": lambda: _spread(one), "nothing": lambda: _aligned(one)}[told]()
    figures.errors += _errors(one, [span for span in found if span.phoneme])


def _shown(one: Said, told: Told) -> list[Viseme]:
    """What is shown of the sentence when it arrives in pieces, as from a voice."""
    lips = Lips(one.lang, one.text)
    return [viseme for part in _parts(one, told) if (cues := lips.feed(part)) for viseme in cues.visemes]


def _parts(one: Said, told: Told) -> Iterable[SpeechPart]:
    spans: Sequence[PhonemeSpan | WordSpan]
    spans = {"phonemes": one.phonemes, "words": one.words, "nothing": ()}[told]
    waiting, heard = list(spans), 0.0
    for audio in pieces(one.audio.pcm, one.audio.rate, _PIECE):
        heard += audio.seconds
        while waiting and (told == "phonemes" or waiting[0].start < heard):
            yield waiting.pop(0)
        yield audio


def _spread(one: Said) -> Iterable[PhonemeSpan]:
    """The sounds of each word where `from_words` puts them."""
    texts = ["", *(word.text for word in one.words), ""]
    for index, (word, final) in enumerate(zip(one.words, one.finals(), strict=True)):
        names = read(word.text, one.lang, texts[index], texts[index + 2])
        weights = lengths(names, one.lang, final=final)
        at = word.start
        for name, weight in zip(names, weights, strict=True):
            end = at + weight / sum(weights) * (word.end - word.start)
            yield PhonemeSpan(name, at, end)
            at = end


def _aligned(one: Said) -> list[PhonemeSpan]:
    alignment = Alignment(one.text, one.lang)
    found: list[PhonemeSpan] = []
    for audio in pieces(one.audio.pcm, one.audio.rate, _PIECE):
        spans = alignment.feed(audio)
        if found and spans and found[-1].phoneme == spans[0].phoneme:
            found[-1:] = [PhonemeSpan(found[-1].phoneme, found[-1].start, spans[0].end)]
            spans = spans[1:]
        found += spans
    return found


def _errors(one: Said, found: list[PhonemeSpan]) -> Iterable[float]:
    true = [(span, place > 0) for word in one.words for place, span in enumerate(one.within(word))]
    names = ["".join(c for c in span.phoneme if c not in AFTER or c in "ʰʲ") for span, _ in true]
    pairing = SequenceMatcher(None, names, [span.phoneme for span in found], autojunk=False)
    for _, first, last, begin, end in pairing.get_opcodes():
        for (span, inner), other in zip(true[first:last], found[begin:end], strict=False):
            if inner:
                yield abs(span.start - other.start) * 1000


def _shape(visemes: list[Viseme], at: float) -> str:
    shape = "sil"
    for viseme in visemes:
        if viseme.at > at + 1e-9:
            break
        shape = viseme.shape
    return shape


async def figures(spoken: AsyncIterator[Said]) -> dict[Told, Figures]:
    found = {told: Figures() for told in TOLD}
    async for one in spoken:
        for told in TOLD:
            measure(one, told, found[told])
    return found


def held_out(lang: Lang, count: int) -> AsyncIterator[Said]:
    return said(HELD_OUT[lang][:count], VOICES[lang][1], lang)


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sentences", type=int, default=10, help="of each language, in each of two voices")
    arguments = parser.parse_args()
    print("| language | the voice tells | non-initial mean, ms | p95, ms | agreement, % | sounds |")
    print("|---|---|---|---|---|---|")
    for lang in LANGUAGES:
        for told, found in (await figures(held_out(lang, arguments.sentences))).items():
            print(f"| {lang} | {told} | {found} |", flush=True)


if __name__ == "__main__":
    asyncio.run(main())
