"""Wyoming's byte stream, what is asked in it, and transcripts in pieces: all of it pure."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.protocols.wyoming import (
    Agreement,
    Ask,
    AudioChunk,
    AudioStart,
    Broken,
    Describe,
    Format,
    Frame,
    Manner,
    Parser,
    Ping,
    Synthesize,
    Transcribe,
    Unfit,
    encoded,
    request,
    streams,
)
from server.protocols.wyoming.frames import DATA, HEADER, PAYLOAD

SOUND = {"rate": 16_000, "width": 2, "channels": 1}

json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
frames = st.builds(
    Frame,
    st.text(min_size=1, max_size=20).filter(lambda text: text.isascii()),
    st.dictionaries(st.text(max_size=10), json_values, max_size=4),
    st.binary(max_size=300),
    st.sampled_from(["", "1.10.2"]),
)


@given(st.lists(frames, max_size=5), st.data())
def test_frames_come_out_as_they_went_in_however_the_stream_was_cut(sent: list[Frame], data: st.DataObject) -> None:
    stream, parser = b"".join(map(encoded, sent)), Parser()
    found: list[Frame | Broken] = []
    while stream:
        cut = data.draw(st.integers(1, len(stream)))
        found += parser.feed(stream[:cut])
        stream = stream[cut:]
    assert found == sent


@given(st.lists(st.binary(max_size=200), max_size=6))
def test_garbage_breaks_the_stream_once_and_raises_nothing(pieces: list[bytes]) -> None:
    parser = Parser()
    found = [one for piece in pieces for one in parser.feed(piece)]
    assert sum(isinstance(one, Broken) for one in found) <= 1
    assert not any(isinstance(one, Broken) for one in found[:-1])
    for one in found:
        if isinstance(one, Frame):
            request(one)


@given(
    st.sampled_from(
        ["audio-chunk", "audio-start", "synthesize", "transcript", "transcribe", "ping", "synthesize-start"]
    ),
    st.dictionaries(
        st.sampled_from(["rate", "width", "channels", "text", "voice", "language", "context", "transcript_names"]),
        json_values,
    ),
    st.binary(max_size=9),
)
def test_whatever_stands_in_an_event_it_is_a_request_or_unfit(kind: str, data: dict[str, Any], payload: bytes) -> None:
    assert request(Frame(kind, data, payload)) is not None


def test_data_beside_the_header_goes_over_data_in_it() -> None:
    more = b'{"b": 3, "c": "\xe4\xbd\xa0"}'
    header = {"type": "x", "data": {"a": 1, "b": 2}, "data_length": len(more), "payload_length": None}
    [frame] = Parser().feed(json.dumps(header).encode() + b"\n" + more)
    assert frame == Frame("x", {"a": 1, "b": 3, "c": "你"})


@pytest.mark.parametrize(
    "sent",
    [
        *(b"not json\n", b"\n", b"[1]\n", b"\xff\xfe\n", b"{}\n", b'{"type": 1}\n', b'{"type": ""}\n'),
        *(b'{"type": "x", "data": [1]}\n', b'{"type": "x", "data_length": -1}\n'),
        *(b'{"type": "x", "data_length": "9"}\n', b'{"type": "x", "payload_length": true}\n'),
        *(b'{"type": "x", "payload_length": 1.5}\n', b'{"type": "x", "data_length": 3}\n[1]'),
        *(
            b'{"type": "x", "data_length": 3}\n{"a',
            b'{"type": "x", "data": ' + b'{"a":' * 3000 + b"1" + b"}" * 3001 + b"\n",
        ),
    ],
)
def test_what_is_no_frame_is_told_in_both_languages(sent: bytes) -> None:
    [broken] = Parser().feed(sent)
    assert isinstance(broken, Broken) and broken.code == "bad_frame" and " / " in broken.message


def test_nothing_is_kept_of_what_is_too_large() -> None:
    for length in ("data", "payload"):
        most = {"data": DATA, "payload": PAYLOAD}[length]
        [broken] = Parser().feed(json.dumps({"type": "x", f"{length}_length": most + 1}).encode() + b"\n")
        assert isinstance(broken, Broken) and broken.code == "too_large" and str(most) in broken.message
        assert Parser().feed(json.dumps({"type": "x", f"{length}_length": most}).encode() + b"\n") == []
    parser, told = Parser(), []
    for _ in range(100):
        told += parser.feed(b"x" * (HEADER // 10))
    assert [one.code for one in told if isinstance(one, Broken)] == ["too_large"] and len(told) == 1


@pytest.mark.parametrize(
    ("frame", "expected"),
    [
        (Frame("describe"), Describe()),
        (Frame("ping"), Ping(None)),
        (Frame("transcribe", {"language": "zh-CN"}), Transcribe("zh")),
        (Frame("transcribe", {"language": "zh_Hans"}), Transcribe("zh")),
        (Frame("transcribe", {"language": "en-US"}), Transcribe("en")),
        (Frame("transcribe", {"language": "EN"}), Transcribe("en")),
        (Frame("transcribe", {"language": "fr"}), Transcribe(None)),
        (
            Frame("transcribe", {"transcript_terms": ["灯", 1], "transcript_names": ["Lan"]}),
            Transcribe(words=("Lan", "灯")),
        ),
        (Frame("audio-start", SOUND), AudioStart(Format(16_000, 1))),
        (Frame("audio-chunk", SOUND, b"1234"), AudioChunk(Format(16_000, 1), b"1234")),
        (Frame("synthesize", {"text": "hi", "voice": {"language": "en"}}), Synthesize("hi", Manner(None, "en"))),
        (Frame("synthesize", {"text": "hi", "voice": {"name": "guide"}}), Synthesize("hi", Manner("guide"))),
        (
            Frame("transcript", {"text": "几点？", "language": "zh", "context": {"conversation_id": "1"}}),
            Ask("几点？", "zh", "1", {"conversation_id": "1"}),
        ),
        (
            Frame("recognize", {"text": "hi", "context": {"conversation_id": 1}}),
            Ask("hi", context={"conversation_id": 1}),
        ),
        (Frame("select-program", {"name": "zhubo"}), None),
        (Frame("dance"), None),
    ],
)
def test_requests_are_read(frame: Frame, expected: object) -> None:
    assert request(frame) == expected


def nested(depth: int) -> dict[str, Any]:
    value: dict[str, Any] = {}
    for _ in range(depth):
        value = {"a": value}
    return value


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        (Frame("audio-start", {**SOUND, "width": 1}), "bad_audio"),
        (Frame("audio-start", {**SOUND, "width": 4}), "bad_audio"),
        (Frame("audio-start", {**SOUND, "channels": 6}), "bad_audio"),
        (Frame("audio-start", {"rate": 16_000}), "bad_event"),
        (Frame("audio-start", {**SOUND, "rate": "16000"}), "bad_event"),
        (Frame("audio-chunk", SOUND, b"123"), "bad_audio"),
        (Frame("audio-chunk", {**SOUND, "channels": 2}, b"123456"), "bad_audio"),
        (Frame("synthesize"), "bad_event"),
        (Frame("synthesize", {"text": ["hi"]}), "bad_event"),
        (Frame("synthesize", {"text": "<speak/>", "text_format": "ssml"}), "unsupported"),
        (Frame("synthesize-start", {"voice": "guide"}), "bad_event"),
        (Frame("transcript"), "bad_event"),
        (Frame("transcribe", {"context": nested(300)}), "bad_event"),
    ],
)
def test_what_cannot_be_done_is_told_in_both_languages(frame: Frame, code: str) -> None:
    unfit = request(frame)
    assert isinstance(unfit, Unfit) and unfit.code == code and " / " in unfit.message


def test_words_of_users_are_not_shown_by_what_carries_them() -> None:
    for frame in (Frame("transcript", {"text": "秘密"}), Frame("synthesize", {"text": "秘密"})):
        assert "秘密" not in repr(request(frame))


@pytest.mark.parametrize(
    ("version", "known"),
    [("1.10.2", True), ("1.7.0", True), ("1.8", True), ("2.0.0rc1", True), ("1.6.9", False), ("", False), ("x", False)],
)
def test_answers_in_pieces_are_for_clients_that_know_them(version: str, known: bool) -> None:
    assert streams(version) is known


def test_a_partial_is_told_when_the_next_one_agrees() -> None:
    agreement = Agreement()
    assert [agreement.feed(text) for text in ("When", "When does the mew", "When does the museum open")] == [
        "",
        "When",
        " does the",
    ]
    assert agreement.finish("When does the museum open?") == " museum open?"
    agreement = Agreement()
    assert [agreement.feed(text) for text in ("科学", "科学馆几", "科学馆几点开")] == ["", "科学", "馆几"]
    assert agreement.finish("科学馆几点开门？") == "点开门？"


def test_a_transcript_that_turned_out_otherwise_is_not_pieced_together() -> None:
    agreement = Agreement()
    agreement.feed("四点")
    assert agreement.feed("四点") == "四点" and agreement.finish("十点开门") == ""


@given(st.lists(st.text("ab 你好。", max_size=12), max_size=8), st.text("ab 你好。", max_size=12))
def test_pieces_are_never_revised(partials: list[str], final: str) -> None:
    agreement, told = Agreement(), ""
    for partial in partials:
        more = agreement.feed(partial)
        told += more
        assert not more or partial.startswith(told)
    whole = told + agreement.finish(final)
    assert whole == (final if final.startswith(told) else told)
