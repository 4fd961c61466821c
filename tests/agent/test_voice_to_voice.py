"""From the user's last sound to the answer's first, against the declared budgets: `tests.agent.voice_to_voice`."""

import pytest

from configs.language import LANGUAGES, Lang
from configs.listening import ListeningSettings
from tests.agent.interrupting import percentile
from tests.agent.voice_to_voice import MODEL, RETRIEVAL, TURN_END, VOICE, answered


@pytest.mark.parametrize("lang", LANGUAGES)
def test_stages_within_their_budgets_answer_within_900_and_1500_ms(lang: Lang) -> None:
    told = answered(lang, steady=False, rounds=1)
    assert percentile([one.turn_end for one in told], 0.5) <= TURN_END
    assert percentile([one.sound for one in told], 0.5) <= 0.9
    assert percentile([one.sound for one in told], 0.95) <= 1.5


@pytest.mark.parametrize("lang", LANGUAGES)
def test_documents_are_found_while_the_user_still_speaks(lang: Lang) -> None:
    """All of the stages take all they may, and retrieval costs nothing; without it, it costs what it takes."""
    told, late = (
        [one.sound for one in answered(lang, steady=True, rounds=1, settings=settings)]
        for settings in (ListeningSettings(), ListeningSettings(anticipate=False))
    )
    assert percentile(told, 0.5) <= TURN_END + MODEL + VOICE and percentile(told, 0.95) <= 1.5
    assert percentile(late, 0.5) - percentile(told, 0.5) == pytest.approx(RETRIEVAL, abs=0.021)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_who_speculates_answers_within_900_ms_where_every_stage_takes_all_of_its_budget(lang: Lang) -> None:
    told = [one.sound for one in answered(lang, steady=True, settings=ListeningSettings(speculate=True), rounds=1)]
    assert percentile(told, 0.5) <= 0.9 and percentile(told, 0.95) <= 1.5
