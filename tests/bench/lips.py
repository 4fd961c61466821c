"""What lips from bare sound cost, for voices that tell no times: CPU milliseconds, without a model.

python -m tests.bench.lips

The held-out sentences of the lip-sync figures, over sound as long as each takes to say, arriving in pieces. A yardstick
of pure Python taken in the same moments tells a slow machine from slow code.
"""

import statistics
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from avatar.alignment import Alignment
from avatar.audio import pieces
from avatar.lips import prepare
from avatar.sentences import speech_weight
from avatar.speech import Audio
from configs.language import LANGUAGES, Lang
from tests.avatar.lip_texts import HELD_OUT

RATE = 24_000
PIECES = (0.1, 0.4, 1.3)
"""Seconds that arrive at once: of a voice that streams, of most, and what a socket gives at most."""
_PACE = 5.0
"""Weight of text spoken in a second, about."""
_TURNS = 20_000


@dataclass(slots=True)
class Cost:
    """`chains`: milliseconds to begin a sentence, each; `steps`: of each piece of sound; `yard`: of the yardstick."""

    seconds: float = 0.0
    chains: list[float] = field(default_factory=list)
    steps: list[float] = field(default_factory=list)
    yards: list[float] = field(default_factory=list)

    @property
    def rate(self) -> float:
        """Milliseconds of CPU a second of speech, with the beginning of its sentence."""
        return (sum(self.chains) + sum(self.steps)) / self.seconds

    @property
    def yard(self) -> float:
        return statistics.median(self.yards)


def cost(lang: Lang, piece: float, sentences: int = 20) -> Cost:
    prepare()
    found = Cost()
    for text in HELD_OUT[lang][:sentences]:
        audio = babble(speech_weight(text) / _PACE)
        found.seconds += audio.seconds
        begun = time.thread_time()
        alignment = Alignment(text, lang)
        found.chains.append((time.thread_time() - begun) * 1e3)
        for part in pieces(audio.pcm, RATE, piece):
            begun = time.thread_time()
            alignment.feed(part)
            found.steps.append((time.thread_time() - begun) * 1e3)
        found.yards.append(yardstick())
    return found


def yardstick() -> float:
    """CPU milliseconds of a loop of pure Python."""
    begun = time.thread_time()
    total = 0
    for number in range(_TURNS):
        total += number & 7
    assert total
    return (time.thread_time() - begun) * 1e3


def babble(seconds: float) -> Audio:
    """Hiss and hum in turn, as loud as a voice: what it is does not change what it costs."""
    chance = np.random.default_rng(5)
    time = np.arange(round(seconds * RATE)) / RATE
    hum = sum(np.sin(2 * np.pi * 150 * step * time) / step for step in range(1, 12))
    sound = 3000 * hum * np.sin(2 * np.pi * 2 * time) ** 2 + 800 * chance.standard_normal(len(time))
    return Audio(sound.clip(-32000, 32000).astype("<i2").tobytes(), RATE)


def rows() -> Iterator[str]:
    for lang in LANGUAGES:
        cost(lang, PIECES[0], 2)
        for piece in PIECES:
            found = cost(lang, piece)
            chain, step = statistics.median(found.chains), statistics.median(found.steps)
            yield (
                f"| {lang} | {piece} | {chain:.2f} | {step:.2f} | {max(found.steps):.2f} | {found.rate:.2f} "
                f"| {found.rate / found.yard:.1f} |"
            )


def main() -> None:
    print("| language | s a piece | begin, ms | a piece, ms | at most, ms | ms a second of speech | yardsticks |")
    print("|---|---|---|---|---|---|---|")
    for row in rows():
        print(row, flush=True)


if __name__ == "__main__":
    main()
