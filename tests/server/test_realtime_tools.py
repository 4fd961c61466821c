"""OpenAI Realtime: tools of the client's, which make several responses of a turn."""

from agent.commands import (
    Interrupt,
    OfferTools,
    ToolAnswered,
)
from agent.events import (
    ToolCalled,
    TurnEnded,
    TurnStarted,
)
from tests.server.realtime_client import TOOL, WHOLE, Client, answer, spoken, types


def test_a_tool_of_the_client_is_two_responses() -> None:
    client = Client()
    (offered,) = client.configure(tools=[TOOL])
    assert isinstance(offered, OfferTools) and offered.tools[0].name == "light"
    client.says("开灯")
    client.send("response.create")
    told = client.take(TurnStarted(1, "zh"), ToolCalled(1, "call-1", "light", '{"on":true}'))
    assert types(told) == [
        "response.created",
        "response.output_item.added",
        "conversation.item.added",
        "response.function_call_arguments.delta",
        "response.function_call_arguments.done",
        "conversation.item.done",
        "response.output_item.done",
        "response.done",
        "rate_limits.updated",
    ]
    assert told[-2]["response"]["output"][0]["arguments"] == '{"on":true}'
    assert client.take(*spoken(1, 0, "稍等。", 0.0, 0.5)) == []
    output = {"type": "function_call_output", "call_id": "call-1", "output": "好了"}
    commands, _ = client.send("conversation.item.create", item=output)
    assert commands == []
    commands, told = client.send("response.create")
    assert commands == [ToolAnswered("call-1", "好了")]
    told += client.take(*spoken(1, 1, "灯开了。", 0.5), TurnEnded(1, "done"))
    assert types(told)[0] == "response.created" and types(told)[-2] == "response.done"
    assert told[-2]["response"]["output"][0]["content"][0]["transcript"] == "稍等。灯开了。"
    item = told[-2]["response"]["output"][0]["id"]
    commands, _ = client.send("conversation.item.truncate", item_id=item, content_index=0, audio_end_ms=700)
    assert commands == [Interrupt(1, 0.7)]


def test_calls_that_are_made_at_once_are_one_response() -> None:
    client = Client()
    client.says("开灯，再开空调")
    client.send("response.create")
    told = client.take(TurnStarted(1, "zh"), ToolCalled(1, "a", "light", "{}", 1), ToolCalled(1, "b", "air", "{}"))
    assert types(told).count("response.created") == types(told).count("response.done") == 1
    assert [one["call_id"] for one in told[-2]["response"]["output"]] == ["a", "b"]
    for call in ("a", "b"):
        output = {"type": "function_call_output", "call_id": call, "output": f"{call} done"}
        assert client.send("conversation.item.create", item=output)[0] == []
    commands, told = client.send("response.create")
    assert commands == [ToolAnswered("a", "a done"), ToolAnswered("b", "b done")]
    assert types(told) == ["response.created"]


def test_calls_that_are_answered_one_by_one_are_waited_for_in_one_response() -> None:
    client = Client()
    client.says("Light and air, please")
    client.send("response.create")
    client.take(TurnStarted(1, "en"), ToolCalled(1, "a", "light", "{}", 1), ToolCalled(1, "b", "air", "{}"))
    output = {"type": "function_call_output", "output": "done"}
    client.send("conversation.item.create", item={**output, "call_id": "a"})
    assert client.send("response.create")[0] == [ToolAnswered("a", "done")]
    assert client.send("conversation.item.create", item={**output, "call_id": "b"})[0] == [ToolAnswered("b", "done")]
    _, (error,) = client.send("response.create")
    assert error["error"]["code"] == "conversation_already_has_active_response"
    assert types(client.take(*answer()[1:]))[-2:] == ["response.done", "rate_limits.updated"]


def test_what_was_being_said_before_a_call_is_said_out_first() -> None:
    client = Client()
    client.says("Turn it on")
    client.send("response.create")
    first = spoken(1, 0, "Let me see.", 0.0)
    told = client.take(TurnStarted(1, "en"), first[0], ToolCalled(1, "c", "light", "{}"))
    assert "response.done" not in types(told)
    later = spoken(1, 1, "Done.", 1.0)
    told = client.take(later[0], *first[1:], *later[1:])
    assert types(told)[-2:] == ["response.done", "rate_limits.updated"]
    output = told[-2]["response"]["output"]
    assert [one["type"] for one in output] == ["message", "function_call"]
    assert output[0]["content"][0]["transcript"] == "Let me see."
    client.send("conversation.item.create", item={"type": "function_call_output", "call_id": "c", "output": ""})
    _, told = client.send("response.create")
    told += client.take(TurnEnded(1, "done"))
    item = told[-2]["response"]["output"][0]
    assert item["content"][0]["transcript"] == "Done."
    commands, _ = client.send("conversation.item.truncate", item_id=item["id"], content_index=0, audio_end_ms=500)
    assert commands == [Interrupt(1, 1.5)]


def test_a_tool_that_is_answered_too_late_gets_no_greeting() -> None:
    client = Client()
    client.says("开灯")
    client.send("response.create")
    client.take(TurnStarted(1, "zh"), ToolCalled(1, "call-1", "light", "{}"), TurnEnded(1, "interrupted"))
    client.take(*answer(2))
    output = {"type": "function_call_output", "call_id": "call-1", "output": "好了"}
    client.send("conversation.item.create", item=output)
    commands, told = client.send("response.create")
    assert commands == [] and types(told) == ["response.created", "response.done", "rate_limits.updated"]
    assert told[1]["response"]["status_details"]["error"]["code"] == "function_call_expired"


def test_a_turn_that_goes_on_without_its_tool_is_told_all_the_same() -> None:
    client = Client()
    client.says("开灯")
    client.send("response.create")
    client.take(TurnStarted(1, "zh"), ToolCalled(1, "call-1", "light", "{}"))
    assert client.take(*spoken(1, 0, "灯没有反应。", 0.0)) == []
    assert types(client.take(TurnEnded(1, "done"))) == WHOLE
