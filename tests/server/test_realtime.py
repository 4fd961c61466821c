"""OpenAI Realtime by recorded conversations: events in, events out, on the scripted engines and a virtual clock.

`ZHUBO_GOLDEN=write pytest tests/server/test_realtime.py` records them anew: read the difference before committing it.
"""

import base64
import hashlib
import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from agent.events import (
    Committed,
    Event,
    SpeechStarted,
    SpeechStopped,
    Transcribed,
    TurnEnded,
)
from agent.session import Session
from server.protocols.base import Posted
from tests import virtual
from tests.doubles import presenter, scripted
from tests.server.realtime_client import Client, message

GOLDEN = Path(__file__).parent / "golden" / "realtime"


def legible(event: dict[str, Any]) -> dict[str, Any]:
    if event["type"].endswith("output_audio.delta"):
        sound = base64.b64decode(event["delta"])
        return {**event, "delta": f"{len(sound)} bytes, sha256 {hashlib.sha256(sound).hexdigest()[:16]}"}
    return event


async def converse(client: Client, session: Session, steps: Sequence[Any]) -> None:
    """Client events go in as they are; `Event`s of the ear's by hand; None takes a whole turn."""
    for step in steps:
        match step:
            case None:
                event: Event | None = None
                while not isinstance(event, TurnEnded):
                    event = await session.event()
                    client.take(event)
            case dict():
                client.seen.append({"client": step})
                for item in client.codec.decode(json.dumps(step)):
                    if isinstance(item, Posted):
                        client.took(item.frames)
                    else:
                        await session.handle(item)  # type: ignore[arg-type]
            case _:
                client.take(step)


def asked(text: str) -> list[Any]:
    return [{"type": "conversation.item.create", "item": message(text)}, {"type": "response.create"}, None]


CONVERSATIONS: dict[str, Callable[[], Sequence[Any]]] = {
    "text-zh": lambda: [
        {"type": "session.update", "session": {"type": "realtime", "output_modalities": ["text"]}},
        *asked("成人票多少钱？"),
    ],
    "text-en": lambda: [
        {"type": "session.update", "session": {"type": "realtime", "output_modalities": ["text"]}},
        *asked("How much is an adult ticket?"),
    ],
    "audio-zh": lambda: asked("几点开馆？"),
    "audio-en": lambda: asked("When do you open?"),
    "heard-zh": lambda: [
        SpeechStarted(0, 1, 0.2),
        SpeechStopped(0, 1, 1.4),
        Committed(0, 1),
        Transcribed(0, 1, "几点开馆", "zh", True, 1.2),
        *asked("几点开馆？")[1:],
    ],
    "heard-en": lambda: [
        SpeechStarted(0, 1, 0.2),
        SpeechStopped(0, 1, 1.4),
        Committed(0, 1),
        Transcribed(0, 1, "When do you open?", "en", True, 1.2),
        *asked("When do you open?")[1:],
    ],
    "truncate-en": lambda: [
        *asked("When do you open?"),
        {"type": "conversation.item.truncate", "item_id": "item_2", "content_index": 0, "audio_end_ms": 700},
        {"type": "conversation.item.truncate", "item_id": "item_2", "content_index": 0, "audio_end_ms": 10**7},
        {"type": "conversation.item.retrieve", "item_id": "item_2"},
    ],
    "truncate-zh": lambda: [
        *asked("几点开馆？"),
        {"type": "conversation.item.truncate", "item_id": "item_2", "content_index": 0, "audio_end_ms": 700},
        {"type": "conversation.item.retrieve", "item_id": "item_2"},
    ],
}


@pytest.mark.parametrize("name", CONVERSATIONS)
def test_conversations_go_as_recorded(name: str) -> None:
    async def go() -> list[Any]:
        client, session = Client(), Session(presenter(scripted(pace=0.02)))
        await converse(client, session, CONVERSATIONS[name]())
        await session.close()
        return [legible(event) if "type" in event else event for event in client.seen]

    path = GOLDEN / f"{name}.jsonl"
    events = virtual.run(go())
    if os.environ.get("ZHUBO_GOLDEN") == "write":
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(json.dumps(event, ensure_ascii=False) + "\n" for event in events), "utf-8")
    assert events == [json.loads(line) for line in path.read_text("utf-8").splitlines()]
