"""Sound that comes in one long event of OpenAI Realtime: all of it is taken, and nobody else waits for it."""

import asyncio
import base64
import json
import time
from collections.abc import Callable, Iterable
from typing import Any

import pytest

from agent.commands import Microphone
from server.protocols.base import Decoded, Posted
from server.protocols.realtime.frames import LONG
from server.protocols.realtime.sound import APPEND
from tests import virtual
from tests.server.realtime_client import Client
from tests.server.visitor import realtime, served

SOUND = bytes(range(256)) * 2000
APPENDING = "input_audio_buffer.append"


def frame(sound: bytes = SOUND, **fields: Any) -> str:
    return json.dumps({"type": APPENDING, "audio": base64.b64encode(sound).decode(), **fields})


def taken(items: Iterable[Decoded]) -> tuple[bytes, list[dict[str, Any]]]:
    """The sound, and the errors."""
    listed = list(items)
    sound = b"".join(one.data for one in listed if isinstance(one, Microphone))
    told = [json.loads(str(one)) for item in listed if isinstance(item, Posted) for one in item.frames]
    return sound, [one["error"] for one in told]


@pytest.mark.parametrize("beta", [False, True])
@pytest.mark.parametrize(
    "written",
    [
        frame(),
        frame(SOUND[:-2]),
        json.dumps({"event_id": 'e"audio"', "audio": base64.b64encode(SOUND).decode(), "type": APPENDING}, indent=2),
        frame().replace("/", "\\/"),
        '{"audio": "QUJD",' + frame()[1:],
        '{"extra": {"audio": "QUJD"},' + frame()[1:],
    ],
    ids=["usual", "padded", "indented", "escaped", "twice", "nested"],
)
def test_all_of_the_sound_is_taken_however_the_event_is_written(written: str, beta: bool) -> None:
    assert len(written) > LONG
    client = Client(beta=beta)
    expected = base64.b64decode(json.loads(written)["audio"])
    assert taken(client.codec.decode(written)) == (expected, [])


def item(sound: bytes = SOUND, **fields: Any) -> str:
    parts = [{"type": "input_text", "text": "好"}, {"type": "input_audio", "audio": base64.b64encode(sound).decode()}]
    made = {"type": "message", "role": "user", "content": parts}
    return json.dumps({"type": "conversation.item.create", "item": made, **fields})


@pytest.mark.parametrize("beta", [False, True])
def test_the_sound_of_an_item_is_taken_and_is_not_kept(beta: bool) -> None:
    client = Client(beta=beta)
    listed = list(client.codec.decode(item()))
    assert b"".join(one.data for one in listed if isinstance(one, Microphone)) == SOUND
    (made,) = [one for one in listed if isinstance(one, Posted) and one.frames]
    assert len(made.frames[0]) < 1000 and "input_audio" in str(made.frames[0])
    sound, (error,) = taken(client.codec.decode(item(event_id="e1").replace("gYKDhIWG", "gYKD?IWG", 1)))
    assert sound == b"" and (error["param"], error["event_id"]) == ("item.content", "e1")


def test_an_odd_byte_of_a_long_event_waits_for_its_other_half() -> None:
    client = Client()
    whole = SOUND[:-1] + SOUND[:-1]
    sound = b"".join(taken(client.codec.decode(frame(SOUND[:-1])))[0] for _ in range(2))
    assert sound == whole


@pytest.mark.parametrize(
    "wrong",
    [
        frame(event_id="e1").replace("gYKDhIWG", "gYKD?IWG", 1),
        frame(event_id="e1").replace("gYKDhIWG", "gYKD图IWG", 1),
        frame(event_id="e1")[:65_600] + "QQ==" + frame(event_id="e1")[65_604:],
        frame(event_id="e1").replace("AECAwQ", "AECAw", 1),
    ],
    ids=["a sign", "a character", "an end in the middle", "too short by one"],
)
def test_what_is_no_base64_is_told_once_and_none_of_it_is_heard(wrong: str) -> None:
    client = Client()
    sound, (error,) = taken(client.codec.decode(wrong))
    assert sound == b"" and error["code"] == "invalid_value" and error["event_id"] == "e1"
    assert "base64" in error["message"] and "有效" in error["message"]
    assert taken(client.codec.decode(frame())) == (SOUND, [])


@pytest.mark.parametrize("made", [frame, item])
def test_no_step_of_the_largest_event_takes_long(made: Callable[[bytes], str]) -> None:
    """By the share of the work that one step is, which is all of it where nothing is cut into pieces."""
    written, shares = made(bytes(APPEND)), []
    for _ in range(3):
        codec, steps, before = Client().codec, [], time.process_time()
        for _ in codec.decode(written):
            now = time.process_time()
            steps.append(now - before)
            before = now
        shares.append(max(steps) / sum(steps))
    assert min(shares) < 0.4


def test_others_have_their_turns_while_a_long_event_is_taken_and_what_follows_it_waits() -> None:
    async def go() -> None:
        visitor, turns = realtime(), 0
        async with served(visitor):
            await asyncio.sleep(1)
            visitor.send(json.loads(frame(bytes(APPEND))))
            visitor.send({"type": "input_audio_buffer.clear"})
            while not any(one["type"] == "input_audio_buffer.cleared" for one in visitor.told):
                await asyncio.sleep(0)
                turns += 1
        assert turns > 200 and not visitor.errors

    virtual.run(go())
