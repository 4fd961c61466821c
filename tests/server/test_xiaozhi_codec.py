"""xiaozhi's framing and its codec by themselves: what a device says, and what it is told."""

import json
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.commands import Commit, Interrupt, Listen, Microphone, Reply, Say
from agent.events import (
    Fault,
    Floor,
    Motion,
    Notice,
    Posture,
    SentenceEnded,
    SentenceStarted,
    Speech,
    Transcribed,
    TurnEnded,
    TurnStarted,
    Unheard,
)
from avatar.engines.opus import OpusDecoder
from avatar.hearing import Opus
from avatar.motion import Emotion, EmotionCue
from avatar.speech import Audio
from configs.language import Lang
from server.protocols.base import Cut, Hello, Hold, Leave, Paced, Posted, Rejected, Welcome
from server.protocols.xiaozhi import FRAME, RATE, VERSIONS
from server.protocols.xiaozhi.faces import FACES, face
from server.protocols.xiaozhi.framing import LONGEST, unwrap, wrap
from tests.server.speaker import (
    ABORT,
    DETECT,
    HELLO,
    LANGS,
    QUESTION,
    STOP,
    brief,
    codec,
    sent,
    spoken,
    start,
)


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
