"""Traditional characters are compared as simplified ones, each in its place."""

from hypothesis import given
from hypothesis import strategies as st

from configs.characters import simplified


def test_traditional_characters_become_simplified_and_others_stay() -> None:
    assert simplified("請問週末幾點關門？乾隆、著名、裏面") == "请问周末几点关门？乾隆、著名、里面"
    assert simplified("周一闭馆") == "周一闭馆"
    assert simplified("Mondays, café, 12 €") == "Mondays, café, 12 €"


@given(st.text(st.characters(codec=None), max_size=40))
def test_every_place_stays_in_any_text(text: str) -> None:
    assert len(simplified(text)) == len(text)
    assert simplified(simplified(text)) == simplified(text)
