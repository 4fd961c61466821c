"""Every written form of the table is read as a native speaker reads it."""

import pytest

from tests.avatar.spoken_forms import Form, forms, heard, main

FORMS = list(forms())


@pytest.mark.parametrize("form", FORMS, ids=lambda form: f"{form.lang} {form.written}")
def test_reading(form: Form) -> None:
    assert form.reading == heard(form.said, form.lang)


def test_the_table_is_worth_its_name() -> None:
    assert all(sum(form.lang == lang for form in FORMS) >= 40 for lang in ("zh", "en"))


def test_the_command_prints_the_counts(capsys: pytest.CaptureFixture[str]) -> None:
    assert main() == 0
    assert f"zh: {sum(form.lang == 'zh' for form in FORMS)} of" in capsys.readouterr().out
