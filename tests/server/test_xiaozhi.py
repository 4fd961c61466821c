"""xiaozhi's protocol by recorded conversations of a whole connection, in virtual time; its framing; and what is wrong.

`ZHUBO_GOLDEN=write pytest tests/server/test_xiaozhi.py` records them anew: read the difference before committing it.
"""

import asyncio
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.commands import Commit, Interrupt, Listen, Microphone, OfferTools, Reply, Say, ToolAnswered
from agent.events import (
    Event,
    Fault,
    Floor,
    Motion,
    Notice,
    Posture,
    SentenceEnded,
    SentenceStarted,
    Speech,
    ToolCalled,
    Transcribed,
    TurnEnded,
    TurnStarted,
    Unheard,
)
from avatar.engines.opus import OpusDecoder
from avatar.hearing import Opus
from avatar.intake import Outlet
from avatar.motion import Emotion, EmotionCue
from avatar.speech import Audio
from configs.language import Lang
from server.protocols.base import Cut, Hello, Hold, Leave, Paced, Posted, Rejected, Welcome
from server.protocols.xiaozhi import FRAME, RATE, VERSIONS, XiaozhiCodec
from server.protocols.xiaozhi.faces import FACES, face
from server.protocols.xiaozhi.framing import LONGEST, unwrap, wrap
from server.protocols.xiaozhi.tools import DeviceTools
from tests import virtual
from tests.doubles import BreakingVoice, presenter, scripted, tone
from tests.server.speaker import (
    BRIGHTNESS,
    HELLO,
    REBOOT,
    STATE,
    STATUS,
    VOLUME,
    Speaker,
    Tools,
    connected,
    ears,
    terms,
)

GOLDEN = Path(__file__).parent / "golden" / "xiaozhi"
LANGS: tuple[Lang, ...] = ("zh", "en")
QUESTION: dict[Lang, str] = {"zh": "成人票多少钱？", "en": "How much is an adult ticket?"}
OTHER: dict[Lang, str] = {"zh": "几点开馆？", "en": "When do you open?"}
LOUDER: dict[Lang, str] = {"zh": "声音大一点", "en": "Turn the volume up"}
LAMP: dict[Lang, str] = {"zh": "把客厅的灯打开好吗", "en": "Could you switch the lamp on for me?"}
WAKE: dict[Lang, str] = {"zh": "你好小智", "en": "Hi, Xiaozhi!"}
DETECT: dict[str, Any] = {"type": "listen", "state": "detect"}
STOP: dict[str, Any] = {"type": "listen", "state": "stop"}
ABORT: dict[str, Any] = {"type": "abort", "reason": "wake_word_detected"}

Step = dict[str, Any] | str | tuple[str, float]
"""What the device says; `heard`: it waits for the next stop; or seconds of `speech`, `quiet` or nothing (`wait`)."""


def start(mode: str) -> dict[str, Any]:
    return {"type": "listen", "state": "start", "mode": mode}


def conversations(lang: Lang) -> dict[str, tuple[int, bool, list[Step]]]:
    """The version of the frames, whether the device has tools, and what it does."""
    text, wake = ({**DETECT, "text": words[lang]} for words in (QUESTION, WAKE))
    return {
        "auto": (
            1,
            False,
            ["heard", wake, "heard", start("auto"), ("speech", 1.2), ("quiet", 0.6), "heard"],
        ),
        "manual": (
            2,
            False,
            [start("manual"), ("speech", 1.0), STOP, "heard", "heard", text, ("wait", 1.0), ABORT, "heard"],
        ),
        "realtime": (
            3,
            False,
            ["heard", start("realtime"), text, ("wait", 0.5), ("speech", 1.4), ("quiet", 0.6), "heard", "heard"],
        ),
        "tools": (1, True, ["heard", {**DETECT, "text": LOUDER[lang]}, "heard"]),
    }


async def converse(speaker: Speaker, steps: Sequence[Step]) -> list[Any]:
    """What was said and sent, in order."""
    seen: list[Any] = []
    place = stopped = 0

    def look() -> None:
        nonlocal place
        for at, frame in speaker.told[place:]:
            sound = isinstance(frame, bytes)
            if sound and seen and "packets" in seen[-1]:
                seen[-1]["packets"] += 1
                seen[-1]["until"] = round(at, 2)
            elif isinstance(frame, bytes):
                seen.append({"at": round(at, 2), "packets": 1, "header": header(speaker.version, frame)})
            else:
                seen.append({"at": round(at, 2), **frame})
        place = len(speaker.told)

    for step in [{**HELLO, "version": speaker.version}, *steps]:
        look()
        seen.append({"client": step})
        match step:
            case {"type": "hello"}:
                speaker.hello()
                await asyncio.sleep(0.01)
            case dict():
                speaker.say(step)
                await asyncio.sleep(0.01)
            case "heard":
                stopped = 1 + await speaker.stopped(stopped)
            case ("wait", float(seconds)):
                await asyncio.sleep(seconds)
            case (str(kind), float(seconds)):
                await speaker.speak(seconds, quiet=kind == "quiet")
    look()
    return json.loads(json.dumps(seen))  # type: ignore[no-any-return]


def header(version: int, frame: bytes) -> str:
    """All of it but the sizes."""
    payload = len(bytes(unwrap(version, frame)))  # type: ignore[arg-type]
    return frame[: len(frame) - payload][: {1: 0, 2: 12, 3: 2}[version]].hex()


@pytest.mark.parametrize("lang", LANGS)
@pytest.mark.parametrize("name", conversations("zh"))
def test_conversations_go_as_recorded(name: str, lang: Lang) -> None:
    version, tools, steps = conversations(lang)[name]
    own = Tools([STATUS, VOLUME, BRIGHTNESS, REBOOT], {STATUS["name"]: STATE}) if tools else None

    async def go() -> list[Any]:
        async with connected(Speaker(version, own), hears=ears(QUESTION[lang], OTHER[lang]), lang=lang) as speaker:
            return await converse(speaker, steps)

    path = GOLDEN / f"{name}-{lang}.jsonl"
    seen = virtual.run(go())
    if os.environ.get("ZHUBO_GOLDEN") == "write":
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(json.dumps(one, ensure_ascii=False) + "\n" for one in seen), "utf-8")
    assert seen == [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def recorded(name: str, lang: Lang) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (GOLDEN / f"{name}-{lang}.jsonl").read_text("utf-8").splitlines()]


def states(seen: Sequence[dict[str, Any]]) -> list[str]:
    """What a device acts upon, in the order in which it came."""
    told = []
    for one in seen:
        if "packets" in one:
            told.append("sound")
        elif one.get("type") == "tts":
            told.append(one["state"])
        elif one.get("type") in ("stt", "llm"):
            told.append(one["type"])
    return told


@pytest.mark.parametrize("lang", LANGS)
def test_a_turn_is_told_in_the_order_that_devices_need(lang: Lang) -> None:
    seen = recorded("auto", lang)
    turn = states(seen[next(place for place, one in enumerate(seen) if one.get("type") == "stt") :])
    assert turn[:2] == ["stt", "llm"] and turn[-1] == "stop"
    inside = turn[turn.index("start") : -1]
    assert inside[:3] == ["start", "sentence_start", "sound"]
    assert "sound" not in turn[: turn.index("start")] and "start" not in inside[1:] and "stop" not in inside
    assert inside.count("sentence_start") == inside.count("sentence_end") > 0


@pytest.mark.parametrize("lang", LANGS)
def test_what_was_recorded_is_what_was_asked(lang: Lang) -> None:
    for name, count in (("auto", 1), ("manual", 2), ("realtime", 2)):
        assert [one["text"] for one in recorded(name, lang) if one.get("type") == "stt"] == [QUESTION[lang]] * count
    calls = [one["payload"] for one in recorded("tools", lang) if one.get("type") == "mcp"]
    assert [call["params"] for call in calls if call["method"] == "tools/call"] == [
        {"name": "self.get_device_status", "arguments": {}},
        {"name": "self.audio_speaker.set_volume", "arguments": {"volume": 70}},
    ]
    said = "".join(one.get("text", "") for one in recorded("tools", lang) if one.get("state") == "sentence_start")
    assert "70" in said


# framing


@settings(deadline=None)
@given(st.sampled_from(VERSIONS), st.binary(min_size=1, max_size=LONGEST), st.integers(0, 2**40))
def test_what_is_wrapped_is_unwrapped(version: int, packet: bytes, milliseconds: int) -> None:
    assert unwrap(version, wrap(version, packet, milliseconds)) == packet


@settings(deadline=None)
@given(st.sampled_from(VERSIONS), st.binary(max_size=64))
def test_any_bytes_are_a_payload_or_a_ValueError(version: int, frame: bytes) -> None:
    try:
        payload = unwrap(version, frame)
    except ValueError:
        return
    assert payload and (isinstance(payload, str) or frame.endswith(payload))


@pytest.mark.parametrize("kind", [0, 2, 255])
def test_the_headers_are_those_of_the_protocol(kind: int) -> None:
    assert wrap(1, b"abc", 60) == b"abc"
    assert wrap(2, b"abc", 60) == bytes.fromhex("0002 0000 00000000 0000003c 00000003") + b"abc"
    assert wrap(3, b"abc", 60) == bytes.fromhex("00 00 0003") + b"abc"
    assert unwrap(2, bytes.fromhex("0002 0001 00000000 00000000 00000002") + b"{}") == "{}"
    assert unwrap(3, bytes.fromhex("01 00 0002") + b"{}") == "{}"
    wrong = {2: bytes.fromhex("0003 0000 00000000 00000000 00000001 00"), 3: bytes.fromhex("02 00 0001 00")}
    for version, frame in wrong.items():
        with pytest.raises(ValueError, match="version 3|type 2"):
            unwrap(version, frame)


# the codec by itself


def codec(version: int | None = 1, mcp: bool = False, greeted: bool = True, characters: int = 50) -> XiaozhiCodec:
    made = XiaozhiCodec(terms(version, characters=characters), Outlet(Opus(RATE), FRAME * 1000))
    if greeted:
        made.decode(json.dumps({**HELLO, "features": {"mcp": mcp}}))
        made.encode(Welcome("s-1"))
    return made


def sent(made: XiaozhiCodec, *events: Any) -> list[Any]:
    """JSON as what it says, sound as `sound`, orders to the writer as they are."""
    told: list[Any] = []
    for event in events:
        for one in made.encode(event):
            frame = one.frame if isinstance(one, Paced) else one
            told.append("sound" if isinstance(frame, bytes) else json.loads(frame) if isinstance(frame, str) else frame)
    return told


def brief(told: Sequence[Any]) -> list[Any]:
    kept = []
    for one in told:
        if isinstance(one, Cut):
            kept.append("cut")
        elif not isinstance(one, dict):
            kept.append(one)
        else:
            kept.append(one["emotion"] if one["type"] == "llm" else one.get("state", one["type"]))
    return kept


def spoken(turn: int, text: str, seconds: float = 0.12, at: float = 0.0, sentence: int = 0) -> list[Event]:
    pcm = b"\1\0" * round(RATE * seconds)
    started, ended = SentenceStarted(turn, sentence, text, at), SentenceEnded(turn, sentence, seconds)
    return [started, Speech(turn, sentence, 0.0, Audio(pcm, RATE)), ended]


def test_hello_is_answered_with_all_that_devices_insist_on() -> None:
    made = codec(greeted=False)
    assert not made.greeted
    assert made.decode(json.dumps(HELLO)) == [Hello(None, voice_only=True)] and made.greeted
    (hello,) = sent(made, Welcome("s-1"))
    assert hello == {
        "session_id": "s-1",
        "type": "hello",
        "transport": "websocket",
        "audio_params": {"format": "opus", "sample_rate": 24000, "channels": 1, "frame_duration": 60},
    }


@pytest.mark.parametrize("params", [None, 7, {}, {"format": "opus", "sample_rate": 24000}, {"sample_rate": "16000"}])
def test_a_hello_may_lack_whatever_it_likes(params: Any) -> None:
    made = codec(greeted=False)
    assert made.decode(json.dumps({"type": "hello", "audio_params": params, "features": 3})) == [Hello(voice_only=True)]
    made.decode(json.dumps(start("auto")))
    rate = params.get("sample_rate", 16000) if isinstance(params, dict) else 16000
    assert made.decode(b"x") == [Microphone(b"x", Opus(rate if isinstance(rate, int) else 16000))]


def test_what_is_not_opus_is_refused_with_a_reason() -> None:
    told = codec(greeted=False).decode(json.dumps({**HELLO, "audio_params": {"format": "pcm"}}))
    assert isinstance(told[0], Rejected) and "Opus" in told[0].message and told[1] == Leave(1002, "Opus only")


@pytest.mark.parametrize(
    "frame", ['{"type":"listen","state":"start"}', "nonsense", b"\1\2", b"", "[]", '{"type":"abort"}']
)
def test_hello_comes_first(frame: str | bytes) -> None:
    assert codec(greeted=False).decode(frame) == [Leave(1002, "hello first")]


def test_the_version_is_that_of_the_hello_where_no_header_tells() -> None:
    for said, version in ((2, 2), (3, 3), (1, 1), (9, 1), ("2", 1), ([], 1)):
        made = codec(None, greeted=False)
        made.decode(json.dumps({**HELLO, "version": said}))
        made.decode(json.dumps(start("auto")))
        assert made.decode(wrap(version, b"packet", 0)) == [Microphone(b"packet", Opus(16000))]


def test_the_three_ways_to_listen() -> None:
    made = codec()
    assert made.decode(b"wake word") == [], "the sound of the wake word itself"
    assert made.decode(json.dumps(start("auto"))) == [Listen(half_duplex=True, interrupt=False)]
    assert made.decode(b"x") == [Microphone(b"x", Opus(16000))]
    held, went_on = (Posted((Hold(on, fresh=True),)) for on in (True, False))
    assert made.decode(json.dumps(start("manual"))) == [held, Listen(turns="manual", interrupt=False)]
    assert made.decode(json.dumps(STOP)) == [
        went_on,
        Commit(),
        Listen(active=False, turns="manual", interrupt=False),
    ]
    assert made.decode(b"x") == []
    assert made.decode(json.dumps(start("realtime"))) == [Listen()]
    assert made.decode(json.dumps({"type": "listen", "state": "start", "mode": "telepathy"})) == [Listen()]


@pytest.mark.parametrize("word", ["你好小智", "你好，小智！", "hi xiaozhi", "HEY XIAOZHI.", " ", ""])
def test_a_wake_word_calls_and_asks_nothing(word: str) -> None:
    assert codec().decode(json.dumps({**DETECT, "text": word})) == [Reply()]


@pytest.mark.parametrize("lang", LANGS)
def test_other_text_is_a_question_and_is_shown(lang: Lang) -> None:
    posted, say = codec().decode(json.dumps({**DETECT, "text": QUESTION[lang]}))
    assert say == Say(QUESTION[lang]) and isinstance(posted, Posted)
    assert json.loads(str(posted.frames[0])) == {"session_id": "s-1", "type": "stt", "text": QUESTION[lang]}
    (refused,) = codec(characters=3).decode(json.dumps({**DETECT, "text": QUESTION[lang]}))
    assert isinstance(refused, Rejected) and refused.code == "question_too_long"


def test_abort_stops_at_once_and_the_rest_of_the_turn_is_dead() -> None:
    made = codec()
    assert brief(sent(made, TurnStarted(1, "zh"), *spoken(1, "你好。")))[-4:] == [
        "sentence_start",
        "sound",
        "sound",
        "sentence_end",
    ]
    posted, interrupt = made.decode(json.dumps(ABORT))
    assert isinstance(posted, Posted) and interrupt == Interrupt()
    assert [posted.frames[0], json.loads(str(posted.frames[1]))["state"]] == [Cut(), "stop"]
    assert sent(made, *spoken(1, "还有。", sentence=1), Motion(1, 1, (), (EmotionCue(0, "sad"),))) == []
    assert brief(sent(made, TurnEnded(1, "interrupted"))) == ["cut"]
    assert "start" in brief(sent(made, TurnStarted(2, "zh"), *spoken(2, "新的。")))


def test_a_new_turn_ends_the_one_before() -> None:
    made = codec()
    sent(made, TurnStarted(1, "en"), *spoken(1, "One."))
    assert brief(sent(made, TurnStarted(2, "en"))) == ["cut", "stop"]
    assert sent(made, TurnEnded(1, "interrupted")) == []


def test_the_floor_holds_and_goes_on_or_is_given() -> None:
    made = codec()
    sent(made, TurnStarted(1, "zh"), *spoken(1, "你好。"))
    told = sent(made, Floor(1, "ducked", "speech"), Floor(1, "held", "speech"), Floor(1, "resumed", "backchannel"))
    assert told == [Hold(True), Hold(True), Hold(False)]
    assert brief(sent(made, Floor(1, "yielded", "interruption"))) == ["cut", "stop"]
    assert sent(made, *spoken(1, "不再说。", sentence=1)) == []


def test_sound_that_failed_is_shown_all_the_same() -> None:
    told = sent(
        codec(),
        TurnStarted(1, "zh"),
        Fault(1, "voice_failed", "没有声音"),
        SentenceStarted(1, 0, "您好。", 0.0),
        SentenceEnded(1, 0, 0.0),
        TurnEnded(1, "done"),
    )
    assert brief(told)[1:] == ["alert", "neutral", "start", "sentence_start", "sentence_end", "stop"]
    alert = next(one for one in told if isinstance(one, dict) and one["type"] == "alert")
    assert {key: alert[key] for key in ("status", "message", "emotion")} == {
        "status": "出错了",
        "message": "没有声音",
        "emotion": "sad",
    }


@pytest.mark.parametrize(
    ("event", "kinds"),
    [
        (Transcribed(0, 1, "成人票", "zh", False), []),
        (Transcribed(0, 1, "", "zh", True), []),
        (Transcribed(0, 1, "成人票", "zh", True), ["stt"]),
        (Unheard(0, 1, "nothing_heard", "…"), []),
        (Unheard(0, 1, "commit_empty", "…"), []),
        (Unheard(0, 1, "recognizer_timeout", "请再说一遍"), ["alert"]),
        (Unheard(0, 0, "bad_packet", "坏包"), ["alert"]),
        (Rejected("busy", "访客太多"), ["alert"]),
        (Notice(0, "ai", "AI"), []),
        (Posture(0, "thinking"), []),
    ],
)
def test_what_a_device_is_told(event: Any, kinds: list[str]) -> None:
    assert brief(sent(codec(), event)) == kinds


def test_there_are_twenty_one_faces_and_ours_are_among_them() -> None:
    assert len(FACES) == 21 and len(set(FACES.values())) == 21
    shown = {(ours, strength): face(ours, strength) for ours in get_args(Emotion) for strength in (0.05, 0.4, 1.0)}
    assert set(shown.values()) <= set(FACES) and len(set(shown.values())) >= 8
    assert {shown[ours, 1.0] for ours in get_args(Emotion)} == {
        "neutral",
        "happy",
        "sad",
        "angry",
        "surprised",
        "thinking",
        "embarrassed",
    }
    assert shown["happy", 0.05] == "relaxed"


@pytest.mark.parametrize("ours", get_args(Emotion))
def test_a_feeling_is_a_face_before_the_sound_that_it_belongs_to(ours: Emotion) -> None:
    made = codec()
    begun, sound, ended = spoken(1, "你好。", 0.6)
    cues = Motion(1, 0, (), (EmotionCue(0.0, ours), EmotionCue(0.3, "neutral" if ours != "neutral" else "happy")))
    told = sent(made, TurnStarted(1, "zh"), Posture(1, "thinking"), begun, cues, sound, ended, TurnEnded(1, "done"))
    faces = [one for one in told if isinstance(one, dict) and one["type"] == "llm"]
    assert faces[0]["emotion"] == "thinking"
    assert all(one["text"] == FACES[one["emotion"]] for one in faces)
    order = brief(told)[1:]
    first, second = face(ours), "neutral" if ours != "neutral" else "happy"
    expected = ["thinking"] + ([first] if first != "thinking" else []) + ["start", "sentence_start"]
    assert [one for one in order[:-1] if one not in ("sound", "sentence_end")] == [*expected, second]
    assert order[: len(order) - 1 - order[::-1].index(second)].count("sound") == 5


def test_a_feeling_late_in_a_sentence_waits_for_its_moment() -> None:
    made = codec()
    begun, sound, ended = spoken(1, "你好。", 0.6, at=0.0)
    told = brief(
        sent(made, TurnStarted(1, "zh"), begun, Motion(1, 0, (), (EmotionCue(0.31, "surprised"),)), sound, ended)
    )
    assert told[1:5] == ["neutral", "start", "sentence_start", "sound"]
    assert told[: told.index("surprised")].count("sound") == 5


def test_the_second_sentence_counts_from_its_own_beginning() -> None:
    made = codec()
    sent(made, TurnStarted(1, "zh"), *spoken(1, "一。", 0.6))
    begun, sound, _ = spoken(1, "二。", 0.6, at=0.6, sentence=1)
    told = brief(sent(made, begun, Motion(1, 1, (), (EmotionCue(0.25, "sad"),)), sound))
    assert told[: told.index("sad")].count("sound") == 4


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("rate", [16_000, 22_050, 24_000, 48_000])
def test_what_is_sent_decodes_to_the_sound_that_was_spoken(version: int, rate: int) -> None:
    made = codec(version)
    pcm = b"".join(
        round(8000 * ((n * 440 // rate) % 2 * 2 - 1)).to_bytes(2, "little", signed=True) for n in range(rate)
    )
    events = [SentenceStarted(1, 0, "一", 0.0), Speech(1, 0, 0.0, Audio(pcm, rate)), SentenceEnded(1, 0, 1.0)]
    frames = [one for event in [TurnStarted(1, "zh"), *events, TurnEnded(1, "done")] for one in made.encode(event)]
    packets = [one for one in frames if isinstance(one, Paced) and isinstance(one.frame, bytes)]
    assert all(one.seconds == FRAME for one in packets)
    decoder = OpusDecoder(RATE)
    sound = b"".join(decoder.feed(bytes(unwrap(version, bytes(one.frame)))) for one in packets)  # type: ignore[arg-type]
    assert 1.0 <= len(sound) / 2 / RATE <= 1.13
    loud = max(abs(int.from_bytes(sound[at : at + 2], "little", signed=True)) for at in range(0, len(sound), 2))
    assert loud > 4000
    if version == 2:
        stamps = [int.from_bytes(one.frame[8:12], "big") for one in packets]  # type: ignore[arg-type]
        assert stamps == [60 * number for number in range(len(packets))]


# the device's tools


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


# what goes wrong, on a whole connection


def test_a_hello_that_never_comes_is_told_in_both_languages() -> None:
    async def go() -> None:
        async with connected(Speaker()) as speaker:
            await asyncio.sleep(10.5)
            (alert,) = speaker.messages("alert")
            assert "hello" in alert["message"] and "没有收到" in alert["message"] and speaker.closed == 1008
            assert speaker.sessions == []

    virtual.run(go())


def test_sound_before_hello_ends_the_connection() -> None:
    async def go() -> None:
        async with connected(Speaker()) as speaker:
            speaker.say(speaker.packets(0.06)[0])
            await asyncio.sleep(0.1)
            assert speaker.closed == 1002 and speaker.told == []

    virtual.run(go())


def test_frames_that_cannot_be_read_are_told_of_once_and_the_talk_goes_on() -> None:
    async def go() -> None:
        async with connected(Speaker(3), hears=ears(QUESTION["zh"])) as speaker:
            speaker.hello()
            heard = await speaker.stopped()
            speaker.listen("auto")
            packet = speaker.packets(0.06)[0]
            for frame in (packet, wrap(2, packet, 0), b"\0\0\xff\xff", b"\0", wrap(3, bytes(5000), 0), "no json", "3"):
                speaker.say(frame)
            await asyncio.sleep(0.1)
            assert len(speaker.messages("alert")) == 1
            await speaker.speak(1.2)
            await speaker.speak(0.6, quiet=True)
            await speaker.stopped(heard + 1)
            assert [one["text"] for one in speaker.messages("stt")] == [QUESTION["zh"]]

    virtual.run(go())


def test_garbage_instead_of_opus_is_told_of_and_what_follows_is_heard() -> None:
    async def go() -> None:
        async with connected(Speaker(), hears=ears(QUESTION["en"])) as speaker:
            speaker.hello()
            heard = await speaker.stopped()
            speaker.listen("auto")
            for length in (1, 2, 3, 60, 200, 4000):
                speaker.say(b"\xff" * length)
                speaker.say(bytes(length))
            await speaker.speak(1.2)
            await speaker.speak(0.9, quiet=True)
            await speaker.stopped(heard + 1)
            assert QUESTION["en"] in [one["text"] for one in speaker.messages("stt")]
            assert 1 <= len(speaker.messages("alert")) <= 6

    virtual.run(go())


def test_half_duplex_what_the_device_hears_of_itself_is_no_question() -> None:
    async def go() -> None:
        async with connected(Speaker(), hears=ears(QUESTION["zh"], OTHER["zh"])) as speaker:
            speaker.hello()
            speaker.listen("auto")
            await asyncio.sleep(0.3)
            echo = asyncio.create_task(speaker.speak(3.0))
            await speaker.stopped()
            await echo
            assert speaker.messages("stt") == []

    virtual.run(go())


@pytest.mark.parametrize("lang", LANGS)
def test_nothing_begins_while_the_button_is_pressed(lang: Lang) -> None:
    """A device that is told of speech closes its microphone."""

    async def go() -> None:
        voice = tone(delay=0.3)
        async with connected(Speaker(2), presenter(voice=voice), ears(QUESTION[lang]), lang=lang) as speaker:
            speaker.hello()
            speaker.listen("manual")
            await speaker.speak(9.0)
            assert [frame["type"] for _, frame in speaker.told] == ["hello"]  # type: ignore[index]
            speaker.say(STOP)
            notice = await speaker.stopped()
            assert len(speaker.sound()) > 50, "all of it, although the button was pressed for longer than it lasts"
            await speaker.stopped(notice + 1)
            assert [one["text"] for one in speaker.messages("stt")] == [QUESTION[lang]]
            assert "60" in speaker.said(notice)

    virtual.run(go())


def test_a_button_that_is_never_let_go_stops_nothing_that_was_begun() -> None:
    async def go() -> None:
        async with connected(Speaker()) as speaker:
            speaker.hello()
            await asyncio.sleep(1.0)
            speaker.listen("manual")
            await speaker.stopped()

    virtual.run(go())


def test_to_listen_and_hear_nothing_ends_when_the_connection_is_idle() -> None:
    async def go() -> None:
        async with connected(Speaker(), hears=ears("x"), idle=120) as speaker:
            speaker.hello()
            await speaker.stopped()
            speaker.listen("auto")
            begun = asyncio.get_running_loop().time()
            await asyncio.sleep(119)
            assert speaker.closed is None
            await asyncio.sleep(3)
            assert speaker.closed == 1000 and asyncio.get_running_loop().time() - begun < 125
            assert speaker.messages("stt", "alert") == []

    virtual.run(go())


@pytest.mark.parametrize("moment", [0.0, 0.01, 0.5, 1.0, 2.0, 3.5, 4.7, 5.2, 5.9, 6.4, 7.0])
def test_a_device_that_vanishes_leaves_nothing(moment: float) -> None:
    async def go() -> None:
        tools = Tools([VOLUME, STATUS], {STATUS["name"]: None})
        async with connected(Speaker(1, tools), hears=ears(LOUDER["zh"])) as speaker:
            speaker.hello()
            speaker.listen("realtime")
            talking = asyncio.create_task(speaker.speak(8.0))
            await asyncio.sleep(moment)
            speaker.vanish()
            talking.cancel()
            await asyncio.gather(talking, return_exceptions=True)

    virtual.run(go())


@pytest.mark.parametrize("answer", [None, RuntimeError("Unknown tool"), "false", "not json", "[]", "{}"])
def test_a_device_whose_tools_do_not_work_says_so_itself(answer: Any) -> None:
    async def go() -> None:
        tools = Tools([VOLUME, STATUS], {VOLUME["name"]: answer, STATUS["name"]: STATE})
        async with connected(Speaker(1, tools)) as speaker:
            speaker.hello()
            heard = await speaker.stopped()
            speaker.say({**DETECT, "text": "音量调到五十"})
            end = await speaker.stopped(heard + 1)
            said = speaker.said(heard)
            assert tools.called == [("self.audio_speaker.set_volume", {"volume": 50})]
            assert ("50" in said) == (answer in ("not json", "[]", "{}")), said
            assert speaker.told[end][0] - speaker.told[heard][0] < 12

    virtual.run(go())


@pytest.mark.parametrize("lang", LANGS)
def test_a_model_may_call_the_devices_own_tools(lang: Lang) -> None:
    light = {
        "name": "self.light.set",
        "description": "Switch the light.",
        "inputSchema": {"type": "object", "properties": {"on": {"type": "boolean"}}, "required": ["on"]},
    }

    async def go() -> None:
        from configs.prompt import PromptSettings

        tools = Tools([light], {light["name"]: "true"})
        model = scripted(calls=[{"name": "light_set", "arguments": {"on": True}}])
        who = presenter(model, prompts=PromptSettings(size="full"), grounded=False)
        async with connected(Speaker(1, tools), who) as speaker:
            speaker.hello()
            heard = await speaker.stopped()
            speaker.say({**DETECT, "text": LAMP[lang]})
            await speaker.stopped(heard + 1)
            assert tools.called == [("self.light.set", {"on": True})]

    virtual.run(go())


def test_a_dead_voice_is_told_and_shown() -> None:
    async def go() -> None:
        async with connected(Speaker(), presenter(voice=BreakingVoice(1000))) as speaker:
            speaker.hello()
            heard = await speaker.stopped()
            speaker.say({**DETECT, "text": QUESTION["zh"]})
            await speaker.stopped(heard + 1)
            assert speaker.sound() == [] and speaker.messages("alert")
            assert "60" in speaker.said(heard)

    virtual.run(go())
