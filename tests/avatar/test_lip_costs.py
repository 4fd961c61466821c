"""Lips from bare sound stay cheap: they are made on the event loop, for voices that tell no times."""

import time

import pytest

from avatar.alignment import Alignment
from avatar.audio import pieces
from avatar.lips import prepare
from configs.language import LANGUAGES, Lang
from tests.avatar.lip_texts import HELD_OUT
from tests.bench.lips import RATE, babble, cost

MOST = 3.0
"""Yardsticks a second of speech: 1.4 to 1.8 when this was written, 4.0 to 4.1 before."""


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_second_of_speech_costs_less_than_a_few_short_loops_of_python(lang: Lang) -> None:
    prepare()
    tries = (cost(lang, 0.4, 5) for _ in range(6))
    assert any(found.rate / found.yard < MOST for found in tries)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_piece_costs_no_more_late_in_a_sentence_than_early(lang: Lang) -> None:
    """Nothing of what was heard before is gone through again."""
    prepare()

    def grown() -> float:
        alignment, taken = Alignment(HELD_OUT[lang][0], lang), list[float]()
        for part in pieces(babble(60).pcm, RATE, 0.4):
            begun = time.thread_time()
            alignment.feed(part)
            taken.append(time.thread_time() - begun)
        return sorted(taken[-50:])[25] / sorted(taken[:50])[25]

    assert any(grown() < 1.5 for _ in range(4))
