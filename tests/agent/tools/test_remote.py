"""The tools of a client at the other end of a connection: asked, answered, answered wrongly, and not at all."""

import asyncio
import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from agent.commands import Control, RemoteTool, ToolAnswered
from agent.tools.remote import MOST, RemoteTools
from agent.tools.toolbox import Done, Failed, Outcome, Toolbox
from configs.language import LANGUAGES, Lang
from tests.agent.tools.specimens import call, context, toolbox
from tests.virtual import run

SCHEMA = {"type": "object", "properties": {"on": {"type": "boolean"}}, "required": ["on"]}
LIGHT = RemoteTool("light", "开关灯 / switches the light", SCHEMA)
STATUS = RemoteTool("status", "", {"type": "object"}, "status")
STATE = json.dumps({"audio_speaker": {"volume": 60}, "screen": {"brightness": 95}})


def control(what: Control) -> RemoteTool:
    own = {"type": "object", "properties": {what: {"type": "string" if what == "theme" else "integer"}}}
    return RemoteTool(f"set_{what}", what, own, what)


class Device:
    """`answers`: by tool; a text, a failure, or None for silence."""

    def __init__(self, *tools: RemoteTool, answers: Mapping[str, str | Exception | None] | None = None) -> None:
        self.answers, self.asked = dict(answers or {}), list[tuple[str, dict[str, Any]]]()
        self.tools = RemoteTools(self._ask)
        self.tools.offer(tools)
        self.box: Toolbox = toolbox().beside(self.tools)
        self.calls, self.more = list[str](), list[int]()

    def _ask(self, number: str, name: str, arguments: str, more: int) -> None:
        self.more.append(more)
        self.asked.append((name, json.loads(arguments)))
        self.calls.append(number)
        answer = self.answers.get(name, "true")
        if answer is not None:
            failed = isinstance(answer, Exception)
            asyncio.get_running_loop().call_later(
                0.05, self.tools.answered, ToolAnswered(number, str(answer), failed=failed)
            )

    def does(self, question: str, lang: Lang) -> Outcome:
        """What comes of what the user asked, which a rule knows."""
        heard = self.box.hear(question, lang)
        assert heard is not None
        return run(self.box.run(heard, context(lang)))


def test_a_call_is_answered_by_the_client() -> None:
    device = Device(LIGHT, answers={"light": "开了"})
    outcome = run(device.box.run(call("light", '{"on": true}'), context("zh")))
    assert isinstance(outcome, Done) and (outcome.text, outcome.said) == ("开了", False)
    assert device.asked == [("light", {"on": True})]


def test_the_model_is_offered_them_and_their_arguments_are_checked() -> None:
    device = Device(LIGHT)
    assert [offer.name for offer in device.box.offers("en")][-1] == "light"
    outcome = run(device.box.run(call("light", "{}"), context("en")))
    assert isinstance(outcome, Failed) and outcome.code == "unfit" and device.asked == []


def test_a_failure_is_told_to_the_model() -> None:
    outcome = run(Device(LIGHT, answers={"light": RuntimeError("no lamp")}).box.run(call("light", '{"on":true}'), ZH))
    assert isinstance(outcome, Failed) and (outcome.code, outcome.text, outcome.said) == ("failed", "no lamp", False)


def test_a_client_that_never_answers_is_not_waited_for() -> None:
    device = Device(LIGHT, answers={"light": None})
    outcome = run(device.box.run(call("light", '{"on":true}'), ZH))
    assert isinstance(outcome, Failed) and outcome.code == "timeout"
    late = ToolAnswered(device.calls[0], "done")
    assert not device.tools.answered(late), "it is too late, and nothing waits for it"


def test_calls_of_one_round_are_put_together() -> None:
    async def go() -> None:
        device = Device(LIGHT)
        await asyncio.gather(*(device.box.run(call("light", '{"on":true}', number), ZH) for number in range(3)))
        assert device.more == [2, 1, 0] and len(set(device.calls)) == 3

    run(go())


def test_an_answer_counts_once_and_only_for_its_call() -> None:
    async def go() -> None:
        device = Device(LIGHT, answers={"light": None})
        calling = asyncio.create_task(device.box.run(call("light", '{"on":true}'), ZH))
        await asyncio.sleep(0.1)
        assert not device.tools.answered(ToolAnswered("made up", "x"))
        assert device.tools.answered(ToolAnswered(device.calls[0], "well"))
        assert not device.tools.answered(ToolAnswered(device.calls[0], "again"))
        outcome = await calling
        assert isinstance(outcome, Done) and outcome.text == "well"

    run(go())


def test_a_call_that_is_cancelled_leaves_nothing_waiting() -> None:
    async def go() -> None:
        device = Device(LIGHT, answers={"light": None})
        calling = asyncio.create_task(device.box.run(call("light", '{"on":true}'), ZH))
        await asyncio.sleep(0.1)
        calling.cancel()
        await asyncio.gather(calling, return_exceptions=True)
        assert not device.tools.answered(ToolAnswered(device.calls[0], "x", failed=True))

    run(go())


def test_only_so_many_are_taken_and_what_no_model_could_be_told_of_is_not() -> None:
    many = [RemoteTool(f"t{number}", "", {"type": "object"}) for number in range(MOST + 9)]
    assert len(Device(*many).tools.tools) == MOST
    deep: dict[str, Any] = {}
    for _ in range(2000):
        deep = {"properties": {"x": deep}}
    device = Device(RemoteTool("deep", "", deep), LIGHT)
    assert [tool.name for tool in device.tools.tools][-1] == "light"


def test_a_new_offer_takes_the_place_of_the_old() -> None:
    device = Device(LIGHT)
    device.tools.offer((STATUS,))
    assert [tool.name for tool in device.tools.tools] == ["status"]


def test_a_client_cannot_take_the_place_of_our_own_tools() -> None:
    device = Device(RemoteTool("clock", "", {"type": "object"}), answers={"clock": "noon"})
    outcome = run(device.box.run(call("clock"), context("en")))
    assert isinstance(outcome, Done) and "noon" not in outcome.text and device.asked == []


ZH = context("zh")
SPOKEN: list[tuple[Lang, str, str, dict[str, Any], str]] = [
    ("zh", "音量调到五十", "set_volume", {"volume": 50}, "音量已经调到50了。"),
    ("en", "Set the volume to fifty", "set_volume", {"volume": 50}, "The volume is now 50."),
    ("zh", "声音大一点", "set_volume", {"volume": 70}, "音量已经调到70了。"),
    ("en", "Turn the volume down by 25", "set_volume", {"volume": 35}, "The volume is now 35."),
    ("zh", "屏幕亮一点", "set_brightness", {"brightness": 100}, "屏幕亮度已经调到100了。"),
    ("en", "Dim the screen", "set_brightness", {"brightness": 85}, "The screen brightness is now 85."),
    ("zh", "切换到深色模式", "set_theme", {"theme": "dark"}, "屏幕主题已经调到深色了。"),
    ("en", "Switch to light mode", "set_theme", {"theme": "light"}, "The screen theme is now light."),
    ("zh", "现在音量是多少", "status", {}, "音量是60。"),
    ("en", "What's the volume?", "status", {}, "The volume is 60."),
]


@pytest.mark.parametrize(("lang", "question", "name", "arguments", "said"), SPOKEN, ids=[one[1] for one in SPOKEN])
def test_what_is_asked_of_a_device_is_done_and_said(
    lang: Lang, question: str, name: str, arguments: dict[str, Any], said: str
) -> None:
    device = Device(*map(control, ("brightness", "theme", "volume")), STATUS, answers={"status": STATE})
    outcome = device.does(question, lang)
    assert isinstance(outcome, Done) and (outcome.text, outcome.said) == (said, True)
    assert device.asked[-1] == (name, arguments)


def test_turn_it_up_is_the_volume_whatever_the_device_lists_first() -> None:
    device = Device(control("brightness"), control("volume"), STATUS, answers={"status": STATE})
    device.does("Turn it up", "en")
    assert device.asked[-1] == ("set_volume", {"volume": 70})


@pytest.mark.parametrize("lang", LANGUAGES)
def test_without_its_state_a_step_needs_a_number_first(lang: Lang) -> None:
    louder: dict[Lang, str] = {"zh": "声音大一点", "en": "Louder, please"}
    fifty: dict[Lang, str] = {"zh": "音量调到95", "en": "Set the volume to 95"}
    device = Device(control("volume"))
    outcome = device.does(louder[lang], lang)
    assert isinstance(outcome, Failed) and outcome.said and {"zh": "数字", "en": "number"}[lang] in outcome.text
    assert device.asked == []
    device.does(fifty[lang], lang)
    device.does(louder[lang], lang)
    assert [given for _, given in device.asked] == [{"volume": 95}, {"volume": 100}], "never beyond the end"


SILENT: list[Callable[[], Mapping[str, str | Exception | None]]] = [
    lambda: {"set_volume": None},
    lambda: {"set_volume": RuntimeError("Unknown tool")},
    lambda: {"set_volume": "false"},
]


@pytest.mark.parametrize("answers", SILENT)
@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_device_that_does_not_do_it_is_told_of_and_soon(
    lang: Lang, answers: Callable[[], Mapping[str, str | Exception | None]]
) -> None:
    question: dict[Lang, str] = {"zh": "音量调到五十", "en": "Set the volume to 50"}
    device = Device(control("volume"), answers=answers())

    async def timed() -> tuple[Outcome, float]:
        began = asyncio.get_running_loop().time()
        heard = device.box.hear(question[lang], lang)
        assert heard is not None
        outcome = await device.box.run(heard, context(lang))
        return outcome, asyncio.get_running_loop().time() - began

    outcome, seconds = run(timed())
    assert isinstance(outcome, Failed) and (outcome.code, outcome.said) == ("undone", True)
    assert seconds < 4.5 and "50" not in outcome.text


@pytest.mark.parametrize("state", ["", "[]", '{"audio_speaker": {"volume": true}}'])
def test_a_state_that_is_garbage_is_none(state: str) -> None:
    device = Device(control("volume"), STATUS, answers={"status": state})
    outcome = device.does("声音大一点", "zh")
    assert isinstance(outcome, Failed) and outcome.code == "unknown_level"
    outcome = device.does("现在音量是多少", "zh")
    assert isinstance(outcome, Done) and outcome.text == "设备没有告诉我它的状态。"


def test_nobody_hears_where_the_device_has_no_such_control() -> None:
    assert Device(LIGHT).box.hear("声音大一点", "zh") is None
