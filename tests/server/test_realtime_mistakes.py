"""OpenAI Realtime: events that are none, each told, with the session as well as before."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.commands import (
    Add,
    Reply,
)
from agent.events import Committed
from server.protocols.base import Posted
from tests.server.realtime_client import Client, answer, message, types

BAD: list[tuple[str | bytes, str]] = [
    ("not json", "invalid_json"),
    (b"\0\1", "unexpected_binary"),
    ("[1]", "invalid_value"),
    ('{"type":"dance","event_id":"e"}', "unknown_event"),
    ('{"type":"session.update"}', "invalid_value"),
    (
        '{"type":"session.update","session":{"type":"realtime","audio":{"input":{"format":{"type":"audio/pcm","rate":'
        "16000}}}}}",
        "invalid_value",
    ),
    ('{"type":"session.update","session":{"type":"realtime","output_modalities":["audio","text"]}}', "invalid_value"),
    ('{"type":"session.update","session":{"type":"transcription"}}', "invalid_value"),
    ('{"type":"input_audio_buffer.append"}', "invalid_value"),
    ('{"type":"input_audio_buffer.append","audio":"!!"}', "invalid_value"),
    ('{"type":"conversation.item.create"}', "invalid_value"),
    ('{"type":"conversation.item.create","item":{"type":"mcp_call"}}', "invalid_value"),
    ('{"type":"conversation.item.create","item":{"type":"message","role":"user","content":[]}}', "invalid_value"),
    (
        '{"type":"conversation.item.create","item":{"type":"message","role":"user","content":[{"type":"input_image",'
        '"image_url":"x"}]}}',
        "unsupported",
    ),
    (
        '{"type":"conversation.item.create","item":{"type":"message","role":"user","content":[{"type":"input_text",'
        f'"text":"{"很" * 51}"}}]}}}}',
        "question_too_long",
    ),
    ('{"type":"conversation.item.retrieve","item_id":"x"}', "item_not_found"),
    ('{"type":"conversation.item.delete","item_id":["x"]}', "item_not_found"),
    ('{"type":"conversation.item.truncate","item_id":"x","audio_end_ms":0}', "item_not_found"),
    ('{"type":"response.create","response":{"tools":[{"type":"mcp"}]}}', "invalid_value"),
    ('{"type":"response.create","response":3}', "invalid_value"),
    (
        '{"type":"conversation.item.create","item":{"type":"message","role":"user","content":['
        + ",".join(['{"type":"input_text","text":"a"}'] * 65)
        + "]}}",
        "array_above_max_length",
    ),
    (
        '{"type":"session.update","session":{"type":"realtime","audio":{"input":{"transcription":{"prompt":"'
        f'{"长" * 20_001}"}}}}}}}}}}',
        "invalid_value",
    ),
]


@pytest.mark.parametrize(("frame", "code"), BAD, ids=lambda value: str(value)[:48])
def test_mistakes_are_told_and_leave_the_session_well(frame: str | bytes, code: str) -> None:
    client = Client()
    (told,) = client.codec.decode(frame)
    assert isinstance(told, Posted)
    (error,) = client.took(told.frames)
    assert error["error"]["code"] == code and error["error"]["message"]
    client.says("你好")
    assert client.send("response.create")[0] == [Add("你好"), Reply("")]


@pytest.mark.parametrize("format", [[], {}, ["pcm16"], 5])
@pytest.mark.parametrize("name", ["input_audio_format", "output_audio_format"])
def test_a_beta_format_that_is_no_name_is_told(name: str, format: object) -> None:
    client = Client(beta=True)
    _, (error,) = client.send("session.update", session={name: format})
    assert error["error"]["code"] == "invalid_value"


def test_what_a_client_writes_in_a_conversation_is_kept_as_far_as_there_is_room() -> None:
    """Every response counts all of it, and every one of the system's messages goes to the model."""
    client = Client()
    for number in range(40):
        item = {**message("很" * 20_000, "system"), "id": f"item_{number}"}
        _, told = client.send("conversation.item.create", item=item)
        let_go = [one["item_id"] for one in told if one["type"] == "conversation.item.deleted"]
        assert let_go == ([f"item_{number - 10}"] if number >= 10 else []), "the client is told of each"
    _, (gone,) = client.send("conversation.item.retrieve", item_id="item_29")
    _, (kept,) = client.send("conversation.item.retrieve", item_id="item_30")
    assert gone["error"]["code"] == "item_not_found" and kept["item"]["id"] == "item_30"


@pytest.mark.parametrize("beta", [False, True])
def test_of_too_many_items_the_client_is_told_which_made_room(beta: bool) -> None:
    """Whoever made the new one: the client, the user who spoke, or the presenter who answers."""
    client = Client(beta=beta)
    for number in range(1000):
        client.send("conversation.item.create", item={**message("好"), "id": f"item-{number}"})
    assert "conversation.item.deleted" not in types(client.seen)
    told = client.take(Committed(0, 1), *answer(1))
    told += client.send("conversation.item.create", item=message("OK"))[1]
    deleted = [one for one in told if one["type"] == "conversation.item.deleted"]
    assert [one["item_id"] for one in deleted] == ["item-0", "item-1", "item-2"]
    for _ in range(997):
        _, told = client.send("conversation.item.create", item=message("好"))
    assert told[-1]["type"] == "conversation.item.deleted"
    _, told = client.send("conversation.item.create", item=message("好"))
    assert told[-1]["remembered"] is True, "what the presenter heard and said stays in its own memory"


def test_answers_to_calls_that_nobody_made_are_not_kept_for_ever() -> None:
    client = Client()
    for number in range(200):
        output = {"type": "function_call_output", "call_id": f"call_{number}", "output": "好" * 20_000}
        client.send("conversation.item.create", item=output)
    assert len(client.codec._answers) <= 64


PLAIN = st.none() | st.booleans() | st.integers(-5, 2**40) | st.sampled_from(["", "item", "audio", "你好", "auto"])


JSON = (
    PLAIN
    | st.lists(PLAIN, max_size=2)
    | st.dictionaries(st.sampled_from(["type", "id", "content", "turn_detection"]), PLAIN)
)


KINDS = st.sampled_from(
    ["session.update", "input_audio_buffer.append", "conversation.item.create", "conversation.item.truncate"]
    + ["conversation.item.delete", "conversation.item.retrieve", "response.create", "response.cancel", "?"]
)


FIELDS = st.sampled_from(["session", "item", "item_id", "audio", "response", "event_id", "previous_item_id"])


@given(KINDS, st.dictionaries(FIELDS, JSON, max_size=3), st.booleans())
def test_no_event_breaks_the_codec(kind: str, fields: dict[str, Any], beta: bool) -> None:
    client = Client(beta=beta)
    client.send(kind, **fields)
