"""The microphone of zhubo.v1: spoken conversations as recorded, on the engines of the profile `test` and a virtual
clock; and what is no sound.

`ZHUBO_GOLDEN=write pytest tests/server/test_native_hearing.py` records them anew: read the difference first.
"""

import asyncio
import json
import os
from functools import partial
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.commands import Clear, Commit, Configure, Listen, Microphone, Reply
from agent.listening import Listener, Organs
from agent.session import Session
from avatar.engines.energy import Energy, EnergyOptions
from avatar.engines.scripted_ears import ScriptedEars, ScriptedEarsOptions
from avatar.hearing import G711, RATE, Opus, Pcm
from avatar.intake import Intake
from avatar.speech import Manner
from configs.home import Home
from configs.language import Lang
from configs.settings import load
from server.protocols.base import Hello, Pong, Rejected, Welcome
from server.protocols.microphone import FORMATS, FRAME_BYTES, OPUS_RATES, RATES, formats
from server.protocols.native import NativeCodec, Terms
from tests import virtual
from tests.doubles import presenter, scripted
from tests.server.test_native import GOLDEN, PERSONA, SCHEMA, WELCOME, legible

HEARING = Terms("main", PERSONA, 24_000, 50, 65_536, FORMATS)
DEAF = Terms("main", PERSONA, 24_000, 50, 65_536)
HELLO = '{"type":"hello","protocol":"zhubo.v1","motion":false,"captions":false}'
HEADER = b"\2\0\0\0"
FRAME = 0.02
HEARD: dict[Lang, tuple[str, ...]] = {
    "zh": ("成人票多少钱？", "学生票多少钱？"),
    "en": ("How much is an adult ticket?", "How much is a student ticket?"),
}
NOD: dict[Lang, str] = {"zh": "嗯", "en": "mhm"}

Step = str | tuple[str, float]
"""A text frame, or seconds of `speech` or `quiet` into the microphone; `wait`: seconds without any frame."""

AUTO = '{"type":"listen","format":"pcm_s16le","rate":16000}'
MANUAL = '{"type":"listen","turns":"manual"}'
CONVERSATIONS: dict[str, tuple[str, list[Step]]] = {
    "spoken": (
        "question",
        [HELLO, AUTO, ("quiet", 0.3), ("speech", 1.4), ("quiet", 1.0), '{"type":"listen","active":false}'],
    ),
    "interrupted": ("question", [HELLO, AUTO, ("speech", 1.4), ("quiet", 1.5), ("speech", 1.4), ("quiet", 1.0)]),
    "nodded": ("nod", [HELLO, AUTO, ("speech", 1.4), ("quiet", 1.5), ("speech", 0.3), ("quiet", 1.0)]),
    "push-to-talk": (
        "question",
        [HELLO, MANUAL, ("speech", 1.0), '{"type":"commit"}', ("wait", 1.0), '{"type":"commit"}'],
    ),
    "dictated": (
        "question",
        [HELLO, '{"type":"listen","answer":false}', ("speech", 1.4), ("quiet", 1.0), '{"type":"reply"}', ("wait", 0.5)],
    ),
    "forgotten": ("question", [HELLO, AUTO, ("speech", 0.6), '{"type":"clear"}', ("quiet", 1.0)]),
    "nothing": ("nothing", [HELLO, AUTO, ("speech", 0.6), ("quiet", 1.0)]),
}


def codec(terms: Terms = HEARING, *frames: str) -> NativeCodec:
    native = NativeCodec(terms)
    for frame in frames:
        native.decode(frame)
    return native


def sound(kind: str, seconds: float) -> list[bytes]:
    """Frames of silence, or of noise in syllables that are like nothing that the presenter says."""
    samples, frame = round(seconds * RATE), round(FRAME * RATE)
    at = np.arange(samples) / RATE
    loud = 0 if kind == "quiet" else 4000 * (1 + 0.7 * np.sin(2 * np.pi * (3.1 * at + 2 * at**2)))
    noise = np.random.default_rng(5).uniform(-1, 1, samples)
    pcm = (loud * noise).astype("<i2").tobytes()
    return [HEADER + pcm[start : start + 2 * frame] for start in range(0, len(pcm), 2 * frame)]


def ears(texts: tuple[str, ...], home: Path) -> Organs:
    """As the profile `test` has them, but for what is heard."""
    settings = load("test", environ={})
    assert settings.recognizer and settings.recognizer.engine == "scripted"
    assert settings.detector and settings.detector.engine == "energy"
    recognizer = ScriptedEars(ScriptedEarsOptions(texts=texts), Home(home, home))
    return Organs(recognizer, Energy(EnergyOptions(), Home(home, home)), Intake, settings.listening)


async def converse(steps: list[Step], organs: Organs) -> list[Any]:
    native, seen = codec(), list[Any]()
    session = Session(presenter(scripted(pace=0.02)), ears=partial(Listener, organs))

    def say(*answers: Any) -> None:
        seen.extend(legible(out) for answer in answers for out in native.encode(answer))

    async def read() -> None:
        while True:
            say(await session.event())

    async def obey(frame: str | bytes) -> None:
        for item in native.decode(frame):
            match item:
                case Hello():
                    say(WELCOME)
                case Welcome() | Pong() | Rejected():
                    say(item)
                case _:
                    await session.handle(item)

    reader = asyncio.create_task(read())
    for step in steps:
        seen.append({"client": step})
        match step:
            case str():
                await obey(step)
                await asyncio.sleep(0)
            case ("wait", seconds):
                await asyncio.sleep(seconds)
            case (kind, seconds):
                for frame in sound(kind, seconds):
                    await obey(frame)
                    await asyncio.sleep(FRAME)
    await asyncio.sleep(1.0)
    reader.cancel()
    await asyncio.gather(reader, return_exceptions=True)
    await session.close()
    return seen


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("name", CONVERSATIONS)
def test_spoken_conversations_go_as_recorded(name: str, lang: Lang, tmp_path: Path) -> None:
    heard, steps = CONVERSATIONS[name]
    texts = {"question": HEARD[lang], "nod": (HEARD[lang][0], NOD[lang]), "nothing": ("",)}[heard]
    frames = virtual.run(converse(steps, ears(texts, tmp_path)))
    path = GOLDEN / f"{name}-{lang}.jsonl"
    if os.environ.get("ZHUBO_GOLDEN") == "write":
        path.write_text("".join(json.dumps(frame, ensure_ascii=False) + "\n" for frame in frames), "utf-8")
    recorded = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    assert json.loads(json.dumps(frames)) == recorded


def told(name: str, lang: Lang, *kinds: str) -> list[dict[str, Any]]:
    lines = (GOLDEN / f"{name}-{lang}.jsonl").read_text("utf-8").splitlines()
    return [frame for frame in map(json.loads, lines) if frame.get("type") in kinds]


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_what_was_recorded_is_what_a_client_needs(lang: Lang) -> None:
    order = [
        one["type"] for one in told("spoken", lang, "speech_started", "speech_stopped", "committed", "turn_started")
    ]
    assert order == ["speech_started", "speech_stopped", "committed", "turn_started"]
    words = told("spoken", lang, "transcript")
    assert [one["text"] for one in words if one["final"]] == [HEARD[lang][0]] and not words[0]["final"]
    floors = {
        name: [(one["state"], one["turn"]) for one in told(name, lang, "floor")] for name in ("interrupted", "nodded")
    }
    assert floors == {
        "interrupted": [("ducked", 1), ("held", 1), ("yielded", 1)],
        "nodded": [("ducked", 1), ("held", 1), ("resumed", 1)],
    }
    assert [one["turn"] for one in told("interrupted", lang, "turn_started")] == [1, 2]
    assert [one["turn"] for one in told("nodded", lang, "turn_started")] == [1]
    assert [one["code"] for one in told("push-to-talk", lang, "unheard")] == ["commit_empty"]
    assert [one["code"] for one in told("nothing", lang, "unheard")] == ["nothing_heard"]
    assert told("forgotten", lang, "cleared") and not told("forgotten", lang, "turn_started")


def test_the_welcome_tells_what_can_be_heard() -> None:
    for terms, expected in ((HEARING, {"formats": list(FORMATS), "frame_bytes": FRAME_BYTES}), (DEAF, None)):
        native = codec(terms, HELLO)
        (frame,) = native.encode(WELCOME)
        assert legible(frame)["hearing"] == expected
    assert set(formats()) <= set(FORMATS)


def test_a_client_says_how_it_wants_to_be_heard() -> None:
    native = codec(HEARING, HELLO)
    assert native.decode('{"type":"listen"}') == [Listen()]
    wishes = (
        '{"type":"listen","active":true,"turns":"manual","answer":false,"interrupt":false,"half_duplex":true,'
        '"silence":1,"threshold":0.7,"lang":"en","format":"pcm_s16le","rate":48000}'
    )
    assert native.decode(wishes) == [Listen(True, "manual", False, False, True, 1.0, 0.7, "en")]
    assert native.decode(HEADER + b"\1\0") == [Microphone(b"\1\0", Pcm(48000))]
    assert native.decode('{"type":"listen","active":false}') == [Listen(active=False)]
    assert native.decode('{"type":"commit"}') == [Commit()]
    assert native.decode('{"type":"clear"}') == [Clear()]
    assert native.decode('{"type":"reply","instructions":"Briefly."}') == [Reply("Briefly.")]


def test_the_sound_is_of_the_format_that_was_announced() -> None:
    native = codec(HEARING, HELLO)
    for announced, encoding in (
        ('"format":"g711_ulaw"', G711("mu")),
        ('"format":"g711_alaw","rate":8000', G711("a")),
        ('"format":"opus"', Opus(16000)),
        ('"format":"opus","rate":48000', Opus(48000)),
        ('"rate":24000', Pcm(24000)),
    ):
        assert native.decode(f'{{"type":"listen",{announced}}}') == [Listen()]
        assert native.decode(HEADER + b"\1\2") == [Microphone(b"\1\2", encoding)]


def test_a_client_says_how_it_wants_to_be_spoken_to() -> None:
    native = codec(HEARING, HELLO)
    assert native.decode('{"type":"configure","speed":1.5}') == [Configure(manner=Manner(speed=1.5))]
    assert native.decode('{"type":"configure","volume":0.5}') == [Configure(manner=Manner(speed=1.5, volume=0.5))]
    assert native.decode('{"type":"configure","instructions":"简短","spoken":false}') == [
        Configure("简短", None, False)
    ]


OPENING = [HELLO, AUTO]
MISTAKES: dict[str, tuple[list[str | bytes], str]] = {
    "sound before hello": ([HEADER + b"\1\0"], "hello_required"),
    "listen before hello": ([AUTO], "hello_required"),
    "sound before listen": ([HELLO, HEADER + b"\1\0"], "listen_required"),
    "an odd number of bytes": ([*OPENING, HEADER + b"\1\0\2"], "bad_audio"),
    "too little for a header": ([*OPENING, b"\2\0"], "bad_audio"),
    "no sound": ([*OPENING, HEADER], "bad_audio"),
    "another kind of frame": ([*OPENING, b"\1\0\0\0\1\0"], "bad_audio"),
    "flags that nobody knows": ([*OPENING, b"\2\1\0\0\1\0"], "bad_audio"),
    "a frame too large": ([*OPENING, HEADER + bytes(FRAME_BYTES + 2)], "audio_too_large"),
    "a rate that is none": ([HELLO, '{"type":"listen","rate":12345}'], "bad_format"),
    "a rate that the format has not": ([HELLO, '{"type":"listen","format":"opus","rate":44100}'], "bad_format"),
    "a format that is none": ([HELLO, '{"type":"listen","format":"mp3"}'], "bad_format"),
    "turns that are none": ([HELLO, '{"type":"listen","turns":"never"}'], "bad_message"),
    "a silence too short": ([HELLO, '{"type":"listen","silence":0}'], "bad_message"),
    "a threshold beyond one": ([HELLO, '{"type":"listen","threshold":1.5}'], "bad_message"),
    "a flag that is none": ([HELLO, '{"type":"listen","half_duplex":"yes"}'], "bad_message"),
    "a language that is none": ([HELLO, '{"type":"listen","lang":"fr"}'], "bad_message"),
    "a speed beyond measure": ([HELLO, '{"type":"configure","speed":40}'], "bad_message"),
    "instructions without end": (
        [HELLO, json.dumps({"type": "configure", "instructions": "长" * 4001})],
        "bad_message",
    ),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_told_in_both_languages_and_the_connection_goes_on(name: str) -> None:
    frames, code = MISTAKES[name]
    native = codec()
    (item,) = [native.decode(frame) for frame in frames][-1]
    assert isinstance(item, Rejected) and item.code == code
    english, _, chinese = item.message.partition(" / ")
    assert english.isascii() and not chinese.isascii()
    (frame,) = native.encode(item)
    assert legible(frame)["message"] == item.message
    for good in OPENING:
        native.decode(good)
    assert native.decode(HEADER + b"\1\0") == [Microphone(b"\1\0", Pcm(RATE))]


def test_a_stream_that_is_wrong_is_told_so_once() -> None:
    native = codec(HEARING, HELLO, AUTO)
    odd, even = HEADER + b"\1\0\2", HEADER + b"\1\0"
    told = [len(native.decode(frame)) for frame in (odd, odd, odd, even, odd, odd)]
    assert told == [1, 0, 0, 1, 1, 0]


def test_where_nothing_recognises_speech_a_client_is_told_to_type() -> None:
    for frame in (AUTO, '{"type":"commit"}', '{"type":"clear"}', HEADER + b"\1\0"):
        (item,) = codec(DEAF, HELLO).decode(frame)
        assert isinstance(item, Rejected) and item.code == "no_recognizer"


def test_sound_that_cannot_be_decoded_is_told_once_and_hearing_goes_on(tmp_path: Path) -> None:
    if "opus" not in formats():
        pytest.fail("the environment of the tests has Opus: pip install '.[opus]'")

    async def go() -> list[str]:
        native = codec(HEARING, HELLO)
        session = Session(presenter(), ears=partial(Listener, ears(HEARD["zh"], tmp_path)))
        told = list[str]()

        async def read() -> None:
            while True:
                told.extend(legible(out).get("code", "") for out in native.encode(await session.event()))

        reader = asyncio.create_task(read())
        for frame in ('{"type":"listen","format":"opus"}', *[HEADER + b"\xff\xff garbage"] * 20):
            for item in native.decode(frame):
                await session.handle(item)  # type: ignore[arg-type]
            await asyncio.sleep(FRAME)
        reader.cancel()
        await session.close()
        return told

    assert virtual.run(go()).count("bad_packet") == 1


VALUES = st.none() | st.booleans() | st.integers(-2, 9) | st.sampled_from([-0.5, 0.5, 2.5, 8000, 16000.0, [], {}, "1"])
FIELDS = {
    "format": VALUES | st.sampled_from([*FORMATS, "mp3"]),
    "rate": VALUES | st.sampled_from([*RATES, *OPUS_RATES, 12345]),
    **{flag: VALUES for flag in ("active", "answer", "interrupt", "half_duplex", "spoken")},
    "turns": VALUES | st.sampled_from(["auto", "manual"]),
    "lang": VALUES | st.sampled_from(["auto", "zh", "en", "fr"]),
    "silence": VALUES,
    "threshold": VALUES,
    "instructions": VALUES | st.sampled_from(["短", "长" * 4001]),
    **{part: VALUES | st.sampled_from([1.0, 4, -12, 13]) for part in ("speed", "pitch", "volume")},
}
KINDS = {
    "listen": (
        "format",
        "rate",
        "active",
        "answer",
        "interrupt",
        "half_duplex",
        "turns",
        "lang",
        "silence",
        "threshold",
    ),
    "commit": (),
    "clear": (),
    "reply": ("instructions",),
    "configure": ("instructions", "spoken", "speed", "pitch", "volume"),
}
MESSAGES = st.one_of(
    st.fixed_dictionaries({"type": st.just(kind)}, optional={name: FIELDS[name] for name in names})
    for kind, names in KINDS.items()
)
CLIENT = jsonschema.Draft202012Validator({**SCHEMA, "oneOf": [{"$ref": "#/$defs/client"}]})


@given(MESSAGES)
def test_the_schema_and_the_codec_allow_the_same(message: dict[str, Any]) -> None:
    (item,) = codec(HEARING, HELLO).decode(json.dumps(message))
    assert isinstance(item, Rejected) is not CLIENT.is_valid(message), item


@given(st.lists(st.binary(max_size=12) | st.binary(max_size=8).map(lambda rest: HEADER + rest), max_size=6))
def test_no_binary_frame_is_met_with_anything_but_sound_and_clear_answers(frames: list[bytes]) -> None:
    native = codec(HEARING, HELLO, AUTO)
    for frame in frames:
        for item in native.decode(frame):
            assert isinstance(item, Rejected) or (
                isinstance(item, Microphone) and len(item.data) % 2 == 0 and item.data
            )
