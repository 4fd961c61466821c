"""Whom the presenter gives the floor to, by what Silero and Whisper made of Kokoro's speech: recorded, so that it is
heard the same every time. `python -m tests.agent.turn_taking` prints each case that goes wrong."""

from functools import cache

import pytest

from configs.language import LANGUAGES, Lang
from tests.agent.turn_taking import Rates, cases, kept, outcomes


@cache
def rates(lang: Lang) -> Rates:
    return Rates.of(outcomes(lang, kept(lang), "40"))


@pytest.mark.parametrize("lang", LANGUAGES)
def test_there_are_forty_cases_and_others_held_out(lang: Lang) -> None:
    assert len([one for one in cases(lang) if one.group == "40"]) == 40
    assert len([one for one in cases(lang) if one.group == "held"]) >= 20


@pytest.mark.parametrize("lang", LANGUAGES)
def test_real_interruptions_stop_the_presenter(lang: Lang) -> None:
    stopped, of = rates(lang).stops
    assert stopped / of >= 0.95


@pytest.mark.parametrize("lang", LANGUAGES)
def test_backchannels_noise_asides_and_background_talk_do_not(lang: Lang) -> None:
    for stopped, of in (rates(lang).backchannels, rates(lang).false_stops):
        assert stopped / of <= 0.05


@pytest.mark.parametrize("lang", LANGUAGES)
def test_nobody_is_cut_off_in_mid_sentence(lang: Lang) -> None:
    cut, of = rates(lang).cuts
    assert cut / of <= 0.05
