"""An answer with tools: rounds, limits, the filler, the hand-over, and a clear end."""

import asyncio
import json
from contextlib import aclosing

import pytest

from agent.engines.scripted import Scripted
from agent.model import Ask, Called, Message, ModelError, Returned, ToolCall
from agent.tools.calling import CALLS, PATIENCE, ROUNDS, Answering
from agent.tools.tool import Result
from agent.tools.toolbox import Done, Failed, Toolbox
from configs.language import LANGUAGES, Lang
from tests.agent.tools.specimens import Doing, Script, call, context, toolbox
from tests.doubles import scripted
from tests.virtual import run

ASKED = [Message("system", "Be brief."), Message("user", "北京今天天气怎么样？")]
WEATHER = call("weather", '{"city": "北京"}')


def weather(takes: float = 0) -> Doing:
    return Doing(lambda arguments: Result(f"{arguments['city']}: 晴 sunny, 21 °C"), "weather", takes=takes)


class Waiting:
    """Notes when the filler was asked for."""

    def __init__(self) -> None:
        self.at: list[float] = []

    async def __call__(self) -> None:
        self.at.append(asyncio.get_running_loop().time())


async def answered(
    model: Script | Scripted, box: Toolbox, lang: Lang = "zh", waiting: Waiting | None = None
) -> tuple[str, Answering]:
    answering = Answering(model.stream, box, context(lang), waiting or Waiting())
    async with aclosing(answering.text(ASKED, Ask("session"))) as deltas:
        return "".join([delta async for delta in deltas]), answering


def test_an_answer_without_tools_is_the_models_own() -> None:
    model = Script(["北京", "晴。"])
    text, answering = run(answered(model, toolbox()))
    assert (text, answering.outcomes, answering.handover, answering.citations) == ("北京晴。", [], False, ())
    assert [offer.name for offer in model.asked[0][1].offers] == [
        "human",
        "clock",
        "calendar",
        "arithmetic",
        "knowledge",
    ]
    assert model.asked[0][1].session == "session"


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_tools_result_goes_back_to_the_model(lang: Lang) -> None:
    model = Script(["我看看。", WEATHER], ["今天晴，", "21度。"])
    text, answering = run(answered(model, toolbox(weather()), lang))
    assert text == "我看看。今天晴，21度。"
    assert [type(one) for one in answering.outcomes] == [Done]
    messages, _ = model.asked[1]
    assert messages == [*ASKED, Called((WEATHER,), "我看看。"), Returned("call-1", "weather", "北京: 晴 sunny, 21 °C")]
    assert model.open == 0


def test_a_wrong_call_can_be_mended() -> None:
    model = Script([call("weather", '{"town": "北京"}')], [WEATHER], ["晴。"])
    text, answering = run(answered(model, toolbox(weather())))
    assert text == "晴。" and [type(one) for one in answering.outcomes] == [Failed, Done]
    told = model.asked[1][0][-1]
    assert isinstance(told, Returned) and "'city' is a required property" in told.text


def test_calls_of_a_round_run_side_by_side_and_no_more_than_the_limit() -> None:
    calls = [call("weather", json.dumps({"city": str(number)}), number) for number in range(CALLS + 1)]
    slow, model = weather(takes=0.5), Script(calls, ["好。"])

    async def timed() -> float:
        await answered(model, toolbox(slow))
        return asyncio.get_running_loop().time()

    assert run(timed()) == pytest.approx(0.5)
    returned = [part for part in model.asked[1][0] if isinstance(part, Returned)]
    assert [part.call for part in returned] == [one.id for one in calls]
    assert returned[-1].text == "error: at most 4 tools at once"


@pytest.mark.parametrize(("takes", "at"), [(PATIENCE - 0.1, []), (PATIENCE + 1, [PATIENCE])])
def test_the_filler_comes_when_a_tool_is_slow(takes: float, at: list[float]) -> None:
    waiting = Waiting()
    text, _ = run(answered(Script([WEATHER], ["晴。"]), toolbox(weather(takes)), waiting=waiting))
    assert (text, waiting.at) == ("晴。", at)


def test_the_filler_comes_once_an_answer() -> None:
    waiting = Waiting()
    run(answered(Script([WEATHER], [WEATHER], ["晴。"]), toolbox(weather(2)), waiting=waiting))
    assert waiting.at == [PATIENCE]


def test_after_the_last_round_the_model_is_asked_without_tools() -> None:
    model = Script(*[[WEATHER]] * ROUNDS, ["晴。"])
    text, answering = run(answered(model, toolbox(weather())))
    assert (text, len(answering.outcomes)) == ("晴。", ROUNDS)
    assert [bool(ask.offers) for _, ask in model.asked] == [True] * ROUNDS + [False]


def test_a_model_that_asks_without_end_is_garbled() -> None:
    model = Script([WEATHER])
    with pytest.raises(ModelError) as caught:
        run(answered(model, toolbox(weather())))
    assert caught.value.code == "garbled" and len(model.asked) == ROUNDS + 1
    assert model.open == 0


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_hand_over_ends_the_answer(lang: Lang) -> None:
    model = Script([call("human")], ["never said"])
    text, answering = run(answered(model, toolbox(), lang))
    assert text == "" and answering.handover
    assert len(model.asked) == 1


@pytest.mark.parametrize(("lang", "said"), [("zh", "今天是2026年11月24日"), ("en", "It is the 24th of November")])
def test_the_scripted_model_calls_before_it_answers(lang: Lang, said: str) -> None:
    model = scripted(calls=[{"name": "calendar"}, {"name": "calendar", "arguments": "{"}], answer=said)
    text, answering = run(answered(model, toolbox(), lang))
    assert text == said and [type(one) for one in answering.outcomes] == [Done, Failed]


def test_what_was_looked_up_is_cited_once() -> None:
    search = [call("knowledge", '{"query": "成人票多少钱"}', number) for number in range(2)]
    text, answering = run(answered(Script(search, ["成人票60元。"]), toolbox()))
    assert (text, len(answering.outcomes), len(answering.citations)) == ("成人票60元。", 2, 1)


def test_closing_the_answer_stops_the_tools_and_the_model() -> None:
    slow, model = weather(takes=100), Script(["等一下。", WEATHER])

    async def interrupted() -> None:
        task = asyncio.create_task(answered(model, toolbox(slow)))
        await asyncio.sleep(1)
        assert slow.running == 1
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    run(interrupted())
    assert (slow.running, slow.cancelled, model.open) == (0, 1, 0)


def test_a_models_failure_in_a_later_round_is_the_answers() -> None:
    class Breaking(Script):
        async def stream(self, messages, ask):  # type: ignore[no-untyped-def, override]
            if self.asked:
                raise ModelError("unreachable", "gone")
            async for item in super().stream(messages, ask):
                yield item

    with pytest.raises(ModelError, match="gone"):
        run(answered(Breaking([WEATHER]), toolbox(weather())))


def test_a_call_is_not_text() -> None:
    heard: list[str] = []

    async def listen() -> None:
        answering = Answering(Script(["a", WEATHER, "b"], ["c"]).stream, toolbox(weather()), context("en"), Waiting())
        heard.extend([delta async for delta in answering.text(ASKED, Ask())])

    run(listen())
    assert heard == ["a", "b", "c"] and not any(isinstance(one, ToolCall) for one in heard)
