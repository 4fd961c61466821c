"""zhubo.v1 by recorded conversations: frames in, frames out, on the shipped scripted engines and a virtual clock.

`ZHUBO_GOLDEN=write pytest tests/server/test_native.py` records them anew: read the difference before committing it.
"""

import asyncio
import hashlib
import json
import os
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.commands import Heard, Interrupt, Say
from agent.events import Caption, Event, Motion, Speech, TurnEnded
from agent.session import Session
from avatar.motion import Viseme
from avatar.speech import Audio, WordSpan
from server.protocols.base import Hello, Pong, Rejected, Welcome
from server.protocols.native import AUDIO_HEADER, NativeCodec, Terms
from tests import virtual
from tests.doubles import presenter, scripted

GOLDEN = Path(__file__).parent / "golden" / "native"
SCHEMA = json.loads((Path(__file__).parents[2] / "docs" / "protocol.schema.json").read_text("utf-8"))
PERSONA = {
    "name": {"zh": "小澜", "en": "Lan"},
    "greeting": {"zh": "您好！", "en": "Hello!"},
    "suggestions": {"zh": ["几点开馆？"], "en": ["When do you open?"]},
}
WELCOME = Welcome("session-1", {"Label": "1", "ContentProducer": "Zhubo"})
TERMS = Terms("main", PERSONA, 24_000, 50, 65_536)

CONVERSATIONS: dict[str, list[str]] = {
    "zh": ['{"type":"hello","protocol":"zhubo.v1","lang":"auto"}', '{"type":"say","text":"成人票多少钱？"}'],
    "en": [
        '{"type":"hello","protocol":"zhubo.v1","captions":false}',
        '{"type":"say","text":"How much is an adult ticket?"}',
        '{"type":"interrupt","turn":1,"heard":0.4}',
        '{"type":"ping"}',
    ],
    "text-only": ['{"type":"hello","audio":"none","motion":false,"captions":false}', '{"type":"say","text":"你好"}'],
    "mistakes": [
        "not json",
        "[1]",
        '{"type":"say","text":"hi"}',
        '{"type":"hello","protocol":"zhubo.v9"}',
        '{"type":"hello","audio":"mp3"}',
        '{"type":"hello","lang":"fr"}',
        '{"type":"hello"}',
        '{"type":"say"}',
        '{"type":"say","text":"  "}',
        '{"type":"say","text":"' + "很" * 51 + '"}',
        '{"type":"say","text":"hi","lang":"fr"}',
        '{"type":"dance"}',
        '{"type":"interrupt","turn":"one"}',
        '{"type":"interrupt","heard":-1}',
        '{"type":"heard","turn":1}',
    ],
}


def codec() -> NativeCodec:
    return NativeCodec(TERMS)


def legible(frame: str | bytes) -> Any:
    if isinstance(frame, bytes):
        kind, flags, sentence, turn, seq, at = AUDIO_HEADER.unpack_from(frame)
        sound = hashlib.sha256(frame[AUDIO_HEADER.size :]).hexdigest()[:16]
        return {"binary": [kind, flags, sentence, turn, seq, round(at, 4)], "bytes": len(frame), "sha256": sound}
    body = json.loads(frame)
    jsonschema.validate(body, {**SCHEMA, "oneOf": [{"$ref": "#/$defs/server"}]})
    if "timings" in body:
        body["timings"] = {stage: value is not None for stage, value in body["timings"].items()}
    return body


async def converse(frames: list[str]) -> list[Any]:
    native, session, seen = codec(), Session(presenter(scripted(pace=0.02))), []
    for frame in frames:
        seen.append({"client": frame})
        for item in native.decode(frame):
            match item:
                case Hello():
                    seen.extend(legible(out) for out in native.encode(WELCOME))
                case Welcome() | Pong() | Rejected():
                    seen.extend(legible(out) for out in native.encode(item))
                case Say():
                    await session.say(item)
                    seen.extend(legible(out) for out in await turn(session, native))
                case _:
                    await session.handle(item)
    await session.close()
    return seen


async def turn(session: Session, native: NativeCodec) -> list[str | bytes]:
    events: list[Event] = []
    while not (events and isinstance(events[-1], TurnEnded)):
        events.append(await session.event())
    return [frame for event in events for frame in native.encode(event)]


@pytest.mark.parametrize("name", CONVERSATIONS)
def test_conversations_go_as_recorded(name: str) -> None:
    path = GOLDEN / f"{name}.jsonl"
    frames = virtual.run(converse(CONVERSATIONS[name]))
    if os.environ.get("ZHUBO_GOLDEN") == "write":
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(json.dumps(frame, ensure_ascii=False) + "\n" for frame in frames), "utf-8")
    recorded = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    assert frames == recorded
    sequence = [frame.get("seq") or frame["binary"][4] for frame in frames if "client" not in frame]
    assert sequence == list(range(1, len(sequence) + 1))


def test_what_clients_send_is_what_the_schema_allows() -> None:
    for frame in CONVERSATIONS["zh"] + CONVERSATIONS["en"]:
        jsonschema.validate(json.loads(frame), {**SCHEMA, "oneOf": [{"$ref": "#/$defs/client"}]})


def test_commands_carry_what_the_client_said() -> None:
    native = codec()
    native.decode('{"type":"hello","lang":"en"}')
    assert native.decode('{"type":"say","text":" 你好 "}') == [Say("你好", "en")]
    assert native.decode('{"type":"say","text":"你好","lang":"zh"}') == [Say("你好", "zh")]
    assert native.decode('{"type":"interrupt"}') == [Interrupt(None, None)]
    assert native.decode('{"type":"heard","turn":2,"seconds":1}') == [Heard(2, 1.0)]


def test_a_sound_frame_says_whose_it_is_and_when() -> None:
    native = codec()
    native.decode('{"type":"hello"}')
    (frame,) = native.encode(Speech(7, 2, 1.5, Audio(b"\1\0\2\0", 24_000)))
    assert isinstance(frame, bytes)
    assert AUDIO_HEADER.unpack_from(frame) == (1, 0, 2, 7, 1, 1.5)
    assert frame[16:] == b"\1\0\2\0"


def test_a_client_gets_only_what_it_can_use() -> None:
    native = codec()
    native.decode('{"type":"hello","audio":"none","motion":false,"captions":false}')
    assert native.encode(Speech(1, 0, 0.0, Audio(b"\0\0", 24_000))) == []
    assert native.encode(Motion(1, 0, (Viseme(0, "aa"),))) == []
    assert native.encode(Caption(1, 0, (WordSpan("好", 0, 1),))) == []


FRAMES = st.one_of(
    st.text(max_size=40),
    st.binary(max_size=20),
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.sampled_from(["type", "text", "turn", "heard", "seconds", "lang", "audio"]), inner)
        ),
        max_leaves=6,
    ).map(json.dumps),
    st.fixed_dictionaries(
        {"type": st.sampled_from(["hello", "say", "interrupt", "heard", "ping"])},
        optional={
            key: st.none() | st.integers() | st.text(max_size=4) for key in ("text", "turn", "heard", "seconds", "lang")
        },
    ).map(json.dumps),
)


@given(st.lists(FRAMES, max_size=5))
def test_no_frame_is_met_with_anything_but_commands_and_clear_answers(frames: list[str | bytes]) -> None:
    native = codec()
    for frame in frames:
        for item in native.decode(frame):
            if isinstance(item, Rejected):
                assert item.message and item.code.replace("_", "").isalpha()
                assert native.encode(item)
            assert native.greeted or not isinstance(item, Say | Interrupt | Heard)


VALUES = (
    st.none() | st.booleans() | st.integers(-2, 9) | st.sampled_from([-0.5, 0.5, 2.5]) | st.sampled_from([[], {}, "1"])
)
FIELDS = {
    "protocol": VALUES | st.just("zhubo.v1"),
    "lang": VALUES | st.sampled_from(["auto", "zh", "en", "fr"]),
    "audio": VALUES | st.sampled_from(["pcm", "none", "mp3"]),
    "motion": VALUES,
    "captions": VALUES,
    "text": VALUES | st.sampled_from(["你好", "hello"]),
    "turn": VALUES,
    "heard": VALUES,
    "seconds": VALUES,
}
KINDS = {
    "hello": ("protocol", "lang", "audio", "motion", "captions"),
    "say": ("text", "lang"),
    "interrupt": ("turn", "heard"),
    "heard": ("turn", "seconds"),
    "ping": (),
}
MESSAGES = st.one_of(
    st.fixed_dictionaries({"type": st.just(kind)}, optional={name: FIELDS[name] for name in names})
    for kind, names in KINDS.items()
)
CLIENT = jsonschema.Draft202012Validator({**SCHEMA, "oneOf": [{"$ref": "#/$defs/client"}]})


@given(MESSAGES)
def test_the_schema_and_the_codec_allow_the_same(message: dict[str, Any]) -> None:
    native = codec()
    native.decode('{"type":"hello"}')
    (item,) = native.decode(json.dumps(message))
    assert isinstance(item, Rejected) is not CLIENT.is_valid(message), item


def test_nothing_here_waits() -> None:
    assert not any(asyncio.iscoroutinefunction(getattr(NativeCodec, name)) for name in ("decode", "encode"))
