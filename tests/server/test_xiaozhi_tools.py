"""A smart speaker's own tools, and what no device can break."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.commands import OfferTools, ToolAnswered
from agent.events import (
    ToolCalled,
)
from server.protocols.base import Rejected, Welcome
from server.protocols.xiaozhi.tools import DeviceTools
from tests.server.speaker import (
    HELLO,
    REBOOT,
    STATUS,
    VOLUME,
    codec,
    sent,
)


def opened(*pages: Any) -> tuple[DeviceTools, list[Any]]:
    """After `initialize` and these answers to `tools/list`."""
    tools = DeviceTools("http://host/vision")
    begun = tools.begin()
    given = tools.received({"id": begun["id"], "result": {}})
    for page in pages:
        listing = next(one for one in reversed(given) if isinstance(one, dict))
        given += tools.received({"id": listing["id"], "result": page})
    return tools, given


def test_the_opening_is_what_devices_need() -> None:
    tools, given = opened()
    begun = DeviceTools("http://host/vision").begin()
    assert begun["params"]["capabilities"]["vision"] == {"url": "http://host/vision", "token": ""}
    assert [one["method"] for one in given] == ["notifications/initialized", "tools/list"]
    assert "id" not in given[0] and isinstance(given[1]["id"], int)
    assert given[1]["params"] == {"cursor": "", "withUserTools": False}


def test_all_pages_are_read_and_what_is_not_the_models_is_left_out() -> None:
    private = {"name": "self.open", "annotations": {"audience": ["user"]}}
    mine = {"name": "self.灯.on", "description": "开灯", "inputSchema": {"type": "object"}}
    _, given = opened({"tools": [VOLUME, REBOOT], "nextCursor": "c"}, {"tools": [STATUS, private, mine, 7, {}]})
    offers = [one for one in given if isinstance(one, OfferTools)]
    assert [[tool.name for tool in offer.tools] for offer in offers] == [
        ["audio_speaker_set_volume"],
        ["audio_speaker_set_volume", "get_device_status", "__on"],
    ]
    assert [tool.control for tool in offers[-1].tools] == ["volume", "status", None]


def test_pages_without_an_end_are_not_read_for_ever() -> None:
    tools, given = opened()
    asked = 0
    while listing := next((one for one in given if isinstance(one, dict) and one.get("method") == "tools/list"), None):
        asked += 1
        page = {"tools": [{"name": f"tool{asked}-{number}"} for number in range(20)], "nextCursor": f"c{asked}"}
        given = tools.received({"id": listing["id"], "result": page})
    assert asked == 16 and isinstance(given[0], OfferTools) and len(given[0].tools) == 64


def test_a_page_that_points_to_itself_is_the_last() -> None:
    _, given = opened({"tools": [VOLUME], "nextCursor": "c"}, {"tools": [], "nextCursor": "c"})
    assert isinstance(given[-1], OfferTools) and len(given[-1].tools) == 1


def test_names_that_become_the_same_are_told_apart_and_called_by_their_own() -> None:
    names = ["self.a.b", "self.a_b", "a b", "x" * 90]
    tools, given = opened({"tools": [{"name": name} for name in names]})
    ours = [tool.name for tool in given[-1].tools]
    assert ours[:3] == ["a_b", "a_b_2", "a_b_3"] and all(len(name) <= 64 for name in ours)
    assert [tools.called("c", name, {})["params"]["name"] for name in ours] == names


ANSWERS: list[tuple[dict[str, Any], ToolAnswered]] = [
    ({"result": {"content": [{"type": "text", "text": "true"}], "isError": False}}, ToolAnswered("call", "true")),
    ({"result": {"content": [{"type": "text", "text": "坏"}], "isError": True}}, ToolAnswered("call", "坏", True)),
    ({"result": {"content": [{"type": "text"}, "text"]}}, ToolAnswered("call", "")),
    ({"result": {"content": [{"type": "image"}, {"type": "text", "text": "x"}]}}, ToolAnswered("call", "x")),
    ({"error": {"message": "Unknown tool: x"}}, ToolAnswered("call", "Unknown tool: x", True)),
    ({"error": {"code": -32601, "message": "no"}}, ToolAnswered("call", "no", True)),
    ({"error": "no"}, ToolAnswered("call", "the device's answer was not understood", True)),
    ({"result": 7}, ToolAnswered("call", "the device's answer was not understood", True)),
    ({}, ToolAnswered("call", "the device's answer was not understood", True)),
]


@pytest.mark.parametrize(("answer", "told"), ANSWERS)
def test_an_answer_is_that_of_its_call(answer: dict[str, Any], told: ToolAnswered) -> None:
    tools, _ = opened({"tools": [VOLUME]})
    request = tools.called("call", "audio_speaker_set_volume", {"volume": 50})
    assert request["params"] == {"name": "self.audio_speaker.set_volume", "arguments": {"volume": 50}}
    assert tools.received({"jsonrpc": "2.0", "id": request["id"] + 1, **answer}) == []
    assert tools.received({"jsonrpc": "2.0", "id": request["id"], **answer}) == [told]
    assert tools.received({"jsonrpc": "2.0", "id": request["id"], **answer}) == []


def test_a_device_without_tools_is_asked_for_none() -> None:
    made = codec(greeted=False)
    made.decode(json.dumps(HELLO))
    assert [one["type"] for one in sent(made, Welcome("s-1"))] == ["hello"]
    assert made.decode('{"type":"mcp","payload":{"id":1,"result":{}}}') == []


def test_a_call_is_put_to_the_device() -> None:
    made = codec(mcp=True)
    (call,) = sent(made, ToolCalled(1, "c-1", "light", '{"on":true}'))
    assert call["payload"]["method"] == "tools/call"
    assert call["payload"]["params"] == {"name": "light", "arguments": {"on": True}}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 9) | st.sampled_from(["", "c", "self.x", "initialize"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["id", "result", "tools", "name", "nextCursor", "content", "error", "message", "method"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@settings(deadline=None)
@given(st.lists(JSON, max_size=6))
def test_garbage_of_a_device_breaks_nothing(payloads: list[Any]) -> None:
    tools = DeviceTools("http://host/vision")
    tools.begin()
    for payload in payloads:
        tools.received(payload)
    tools.called("c", "x", {})


MESSAGES = st.dictionaries(
    st.sampled_from(["type", "state", "mode", "text", "payload", "reason", "features", "audio_params", "version"]),
    st.sampled_from(["hello", "listen", "start", "stop", "detect", "abort", "mcp", "iot", "goodbye", "auto"]) | JSON,
    max_size=5,
)


@settings(deadline=None)
@given(st.lists(MESSAGES.map(json.dumps) | st.binary(max_size=40) | st.text(max_size=20), max_size=8), st.booleans())
def test_no_frame_breaks_the_codec(frames: list[str | bytes], greeted: bool) -> None:
    made = codec(2, mcp=True, greeted=greeted)
    for frame in frames:
        for item in made.decode(frame):
            if isinstance(item, Rejected | Welcome):
                made.encode(item)
