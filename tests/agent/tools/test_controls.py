"""What users ask of a device in words that rules know: all of their own, and nothing that is for the documents."""

import json
import time
from pathlib import Path
from typing import Any, get_args

import jsonschema
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.commands import Control
from agent.tools import controls
from agent.tools.controls import done, heard, parameters, report, undone, unknown
from configs.language import LANGUAGES, Lang, detect
from tests.agent.tools.test_recognised import documented

CONTROLS: tuple[Control, ...] = get_args(Control)
CASES = yaml.safe_load(Path(__file__).with_name("controls.yaml").read_text("utf-8"))
TAKEN = [(lang, *case) for lang in LANGUAGES for case in CASES[lang]["taken"]]
LEFT = [(lang, question) for lang in LANGUAGES for question in CASES[lang]["left"]]
STATE = {
    "audio_speaker": {"volume": 60},
    "screen": {"brightness": 75, "theme": "light"},
    "battery": {"level": 40, "charging": True},
}


def taken(question: str, lang: Lang) -> dict[Control, Any]:
    told = {control: heard(control, question, lang) for control in CONTROLS}
    return {control: given for control, given in told.items() if given is not None}


@pytest.mark.parametrize(("lang", "control", "question", "arguments"), TAKEN, ids=[case[2] for case in TAKEN])
def test_a_control_takes_what_is_its_own_alone(lang: Lang, control: Control, question: str, arguments: Any) -> None:
    assert taken(question, lang) == {control: arguments}
    jsonschema.validate(arguments, parameters(control))


@pytest.mark.parametrize(("lang", "question"), LEFT, ids=[case[1] for case in LEFT])
def test_a_control_leaves_what_only_sounds_so(lang: Lang, question: str) -> None:
    assert taken(question, lang) == {}


def test_no_question_for_the_documents_is_taken() -> None:
    asked = set(documented())
    assert len(asked) > 700
    assert [question for question in asked if taken(question, detect(question) or "zh")] == []


@given(st.text(max_size=80), st.sampled_from(LANGUAGES))
@settings(deadline=None)
def test_any_words_are_judged(question: str, lang: Lang) -> None:
    for control, arguments in taken(question, lang).items():
        jsonschema.validate(arguments, parameters(control))


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize(
    "part", ["再", "调", "音量再", "增加", "turn ", "a bit ", "volume up ", "louder ", "把", "一", "one "]
)
def test_words_without_an_end_are_judged_at_once(lang: Lang, part: str) -> None:
    began = time.process_time()
    taken(part * 60, lang)
    taken((part * 60)[:60], lang)
    assert time.process_time() - began < 2


@pytest.mark.parametrize(
    ("about", "lang", "told"),
    [
        ("volume", "zh", "音量是60。"),
        ("brightness", "zh", "屏幕亮度是75。"),
        ("battery", "zh", "电量还有百分之40，正在充电。"),
        ("all", "zh", "音量是60，屏幕亮度是75，电量还有百分之40，正在充电。"),
        ("volume", "en", "The volume is 60."),
        ("brightness", "en", "The screen brightness is 75."),
        ("battery", "en", "The battery is at 40 percent, it is charging."),
        ("all", "en", "The volume is 60, the screen brightness is 75, the battery is at 40 percent, it is charging."),
    ],
)
def test_the_state_is_told_in_a_sentence(about: str, lang: Lang, told: str) -> None:
    assert report(json.dumps(STATE), about, lang) == told


@pytest.mark.parametrize(
    "status",
    ["", "no json", "[]", "3", "null", '{"audio_speaker":7}', '{"audio_speaker":{"volume":"loud"}}', "[" * 9999],
)
@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_state_that_is_none_is_not_made_up(status: str, lang: Lang) -> None:
    assert controls.current("volume", status) is None
    assert report(status, "all", lang) is None


@pytest.mark.parametrize("control", CONTROLS)
def test_what_is_said_is_in_the_users_language(control: Control) -> None:
    given = "dark" if control == "theme" else 50
    for lang in LANGUAGES:
        said = [undone(control, lang)]
        if control != "status":
            said.append(done(control, given, lang))
        if control in ("volume", "brightness"):
            said.append(unknown(control, lang))
        assert all(detect(line) == lang and line[-1] in "。." for line in said)
