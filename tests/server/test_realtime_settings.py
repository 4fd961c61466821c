"""OpenAI Realtime: the session's settings, its items, and the names of the beta."""

import base64
from typing import Any

import pytest

from agent.commands import (
    Add,
    Clear,
    Configure,
    Listen,
    Microphone,
    OfferTools,
    Reply,
)
from avatar.hearing import G711
from avatar.speech import Manner
from server.protocols.realtime import bodies
from tests.server.realtime_client import TOOL, Client, answer, message, types


def test_settings_are_merged_and_shown_whole() -> None:
    client = Client()
    commands = client.configure(instructions="简短", audio={"output": {"voice": "marin", "speed": 1.2}})
    assert commands == [Configure("简短", Manner(None, 1.2), True)]
    assert client.configure(audio={"output": {"voice": "zf_xiaobei"}}) == [
        Configure("简短", Manner("zf_xiaobei", 1.2), True)
    ]
    session = client.seen[-1]["session"]
    assert session["instructions"] == "简短" and session["audio"]["output"]["speed"] == 1.2
    assert session["audio"]["input"]["turn_detection"]["silence_duration_ms"] == 600
    assert client.configure(instructions="", tracing=None) == [Configure("", Manner("zf_xiaobei", 1.2), True)]
    client.configure(audio={"input": {"turn_detection": None}})
    assert client.seen[-1]["session"]["audio"]["input"]["turn_detection"] is None
    client.configure(tools=[TOOL])
    assert client.configure(tools=[]) == [OfferTools(())]


def test_tools_are_checked_once_when_they_are_offered_and_not_again(monkeypatch: pytest.MonkeyPatch) -> None:
    checked: list[Any] = []
    monkeypatch.setattr(bodies, "bounded", checked.append)
    client = Client()
    offered = client.configure(tools=[TOOL, {**TOOL, "name": "door"}])
    assert len(checked) == 2 and [tool.name for tool in offered[-1].tools] == ["light", "door"]
    client.configure(instructions="简短")
    client.configure(tool_choice={"type": "function", "name": "door"})
    assert len(checked) == 2 and len(client.seen[-1]["session"]["tools"]) == 2


def test_a_voice_stays_once_it_was_heard() -> None:
    client = Client()
    client.says("你好")
    client.send("response.create")
    client.take(*answer())
    _, (error,) = client.send("session.update", session={"type": "realtime", "audio": {"output": {"voice": "other"}}})
    assert error["error"]["code"] == "cannot_update_voice"


def test_system_messages_are_instructions_until_they_are_deleted() -> None:
    client = Client()
    client.send("conversation.item.create", item={**message("The hall is closed.", "system"), "id": "sys"})
    assert client.send("response.create")[0][0] == Configure("The hall is closed.", Manner(), True)
    client.take(*answer())
    _, (deleted,) = client.send("conversation.item.delete", item_id="sys")
    assert deleted["type"] == "conversation.item.deleted" and "remembered" not in deleted
    assert client.send("input_audio_buffer.clear")[0][0] == Configure("", Manner(), True)


def test_items_are_put_where_the_client_wants_them() -> None:
    client = Client()
    for name, after in (("a", None), ("c", None), ("b", "a"), ("z", "root")):
        fields = {} if after is None else {"previous_item_id": after}
        client.send("conversation.item.create", item={**message(name), "id": name}, **fields)
    before = [event["previous_item_id"] for event in client.seen if event["type"] == "conversation.item.done"]
    assert before == [None, "a", "a", None]
    client.send("conversation.item.delete", item_id="c")
    assert client.send("response.create")[0] == [Add("z\na\nb"), Reply("")]
    _, (error,) = client.send("conversation.item.create", item=message("x"), previous_item_id="nowhere")
    assert error["error"]["code"] == "item_not_found"


@pytest.mark.parametrize(("question", "told"), [("你好", "您好，请讲。"), ("hello", "Hello, go on.")])
def test_what_was_said_before_is_told_to_the_presenter(question: str, told: str) -> None:
    client = Client()
    client.says(question)
    client.send("conversation.item.create", item=message(told, "assistant", "output_text"))
    configure, *_ = client.send("conversation.item.create", item=message("几点开馆？"))[0]
    assert client.send("response.create")[0] == [Add("几点开馆？"), Reply("")]
    assert configure.instructions.splitlines()[1:] == [f"用户 User: {question}", f"主播 Presenter: {told}"]
    client.take(*answer())
    assert client.send("input_audio_buffer.clear")[0] == [Clear()]


@pytest.mark.parametrize(
    "input",
    [
        {"noise_reduction": {"type": "near_field"}},
        {"noise_reduction": None},
        {"turn_detection": {"type": "server_vad", "idle_timeout_ms": 5000}},
        {"transcription": {"model": "gpt-4o-transcribe", "delay": "low"}},
    ],
    ids=str,
)
def test_what_has_no_effect_here_is_accepted_and_not_shown(input: dict[str, Any]) -> None:
    client = Client()
    client.configure(audio={"input": input}, tracing="auto", include=["item.input_audio_transcription.logprobs"])
    heard = client.seen[-1]["session"]["audio"]["input"]
    assert client.seen[-1]["type"] == "session.updated" and heard["noise_reduction"] is None
    assert heard["turn_detection"]["idle_timeout_ms"] is None


@pytest.mark.parametrize("eagerness", ["low", "medium", "high", "auto"])
def test_semantic_detection_is_shown_as_it_was_wished_for(eagerness: str) -> None:
    client = Client()
    client.configure(audio={"input": {"turn_detection": {"type": "semantic_vad", "eagerness": eagerness}}})
    wished = {"type": "semantic_vad", "eagerness": eagerness, "create_response": True, "interrupt_response": True}
    assert client.seen[-1]["session"]["audio"]["input"]["turn_detection"] == wished


@pytest.mark.parametrize(
    "parameters", [{"properties": {f"n{n}": {"type": "string"} for n in range(999)}}, {"properties": 7}]
)
def test_a_tool_that_no_model_could_be_told_of_is_refused(parameters: dict[str, Any]) -> None:
    client = Client()
    assert client.configure(tools=[{**TOOL, "parameters": parameters}]) == []
    error = client.seen[-1]["error"]
    assert (error["code"], error["param"]) == ("invalid_value", "session.tools.0.parameters")


def test_the_beta_is_spoken_to_those_who_speak_it() -> None:
    client = Client(beta=True)
    session = client.seen[0]["session"]
    assert session["modalities"] == ["audio", "text"] and session["input_audio_format"] == "pcm16"
    flat = {"voice": "alloy", "input_audio_format": "g711_ulaw", "turn_detection": None, "modalities": ["text"]}
    commands, (updated,) = client.send("session.update", session=flat)
    assert Listen(turns="manual", answer=False) in commands
    assert updated["session"]["input_audio_format"] == "g711_ulaw" and updated["session"]["voice"] == "alloy"
    commands, _ = client.send("input_audio_buffer.append", audio=base64.b64encode(b"\xff" * 8).decode())
    assert commands == [Microphone(b"\xff" * 8, G711("mu"))]
    client.says("hi")
    assert "conversation.item.created" in types(client.seen)
    client.send("response.create", response={"modalities": ["audio", "text"]})
    told = types(client.take(*answer()))
    assert "response.audio.delta" in told and "response.audio_transcript.done" in told
    assert not [kind for kind in told if "output_audio" in kind or kind == "conversation.item.done"]


def test_a_null_says_nothing_where_it_turns_nothing_off() -> None:
    client = Client()
    nulls = {"voice": None, "instructions": None, "output_modalities": None, "tool_choice": None}
    detection = {"type": "server_vad", "threshold": None, "create_response": None, "silence_duration_ms": None}
    tool = {**TOOL, "description": None, "parameters": None}
    client.configure(**nulls, tools=[tool], audio={"input": {"turn_detection": detection}, "output": None})
    session = client.seen[-1]["session"]
    assert session["tools"][0]["parameters"] == {"type": "object", "properties": {}}
    assert session["audio"]["input"]["turn_detection"]["create_response"] is True
    client.says("hi")
    wanted = {"conversation": None, "input": None, "audio": None, "metadata": None, "tools": None, "instructions": None}
    assert client.send("response.create", response=wanted)[0] == [Add("hi"), Reply("")]
