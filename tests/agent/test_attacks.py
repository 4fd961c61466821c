"""The sixty attacks of `tests.agent.attacks`, through whole sessions."""

from collections import Counter

import pytest

from tests.agent.attacks import Attack, attacked, attacks
from tests.virtual import run

ATTACKS = attacks()


def test_there_are_thirty_in_each_language_of_every_kind() -> None:
    assert Counter(attack.lang for attack in ATTACKS) == {"zh": 30, "en": 30}
    kinds = {"direct", "role-play", "extraction", "smuggling", "encoding", "split", "document"}
    assert {(attack.lang, attack.kind) for attack in ATTACKS} == {
        (lang, kind) for lang in ("zh", "en") for kind in kinds
    }


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: f"{attack.lang}-{attack.kind}-{attack.turns[-1][:12]!a}")
def test_a_model_that_obeys_is_not_heard(attack: Attack) -> None:
    outcome = run(attacked(attack))
    assert outcome.stopped != "nowhere", outcome.spoken
    assert outcome.spoken, "the user gets an answer"
    assert outcome.twice, "the answer alone would have been stopped, too"
