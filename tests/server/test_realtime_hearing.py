"""OpenAI Realtime: the user's voice, from the first byte to the words."""

import base64
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.commands import (
    Add,
    Clear,
    Commit,
    Listen,
    Microphone,
    Reply,
)
from agent.events import (
    Cleared,
    Committed,
    SpeechStarted,
    SpeechStopped,
    Transcribed,
    Unheard,
)
from avatar.hearing import Pcm
from server.protocols.base import Posted
from server.protocols.realtime import SessionBody
from server.protocols.realtime.sound import FRAME
from tests.server.realtime_client import WHOLE, Client, answer, types


def test_a_spoken_turn_keeps_the_id_that_it_was_announced_with() -> None:
    client = Client()
    client.configure(audio={"input": {"transcription": {"model": "whisper-1", "language": "zh"}}})
    told = client.take(
        SpeechStarted(0, 1, 0.3),
        Transcribed(0, 1, "成人票", "zh", False),
        SpeechStopped(0, 1, 1.5),
        Committed(0, 1),
        Transcribed(0, 1, "成人票多", "zh", False),
        Transcribed(0, 1, "成人票多少钱", "zh", True, 1.2),
        *answer(),
    )
    transcription = "conversation.item.input_audio_transcription"
    assert types(told) == [
        "input_audio_buffer.speech_started",
        "input_audio_buffer.speech_stopped",
        "input_audio_buffer.committed",
        "conversation.item.added",
        "conversation.item.done",
        f"{transcription}.delta",
        f"{transcription}.delta",
        f"{transcription}.completed",
        *WHOLE,
    ]
    ids = {event["item_id"] for event in told if "item_id" in event and not event["type"].startswith("response")}
    assert ids == {told[3]["item"]["id"]}
    assert told[5]["delta"] + told[6]["delta"] == told[7]["transcript"] == "成人票多少钱"
    assert (told[0]["audio_start_ms"], told[1]["audio_end_ms"]) == (300, 1500)
    _, (retrieved,) = client.send("conversation.item.retrieve", item_id=told[0]["item_id"])
    assert retrieved["item"]["content"] == [{"type": "input_audio", "transcript": "成人票多少钱"}]
    assert told[-2]["response"]["usage"]["input_token_details"]["audio_tokens"] == 12


@pytest.mark.parametrize(
    ("patch", "expected"),
    [
        ({"turn_detection": None}, Listen(turns="manual", answer=False)),
        (
            {"turn_detection": {"type": "server_vad", "silence_duration_ms": 300, "threshold": 0.7}},
            Listen(silence=0.3, threshold=0.7),
        ),
        (
            {"turn_detection": {"type": "semantic_vad", "eagerness": "low", "create_response": False}},
            Listen(answer=False, silence=1.5),
        ),
        (
            {"turn_detection": {"type": "server_vad", "interrupt_response": False}},
            Listen(interrupt=False),
        ),
        ({"transcription": {"model": "whisper-1", "language": "zh-CN"}}, Listen(lang="zh")),
    ],
)
def test_how_the_user_is_heard(patch: dict[str, Any], expected: Listen) -> None:
    assert Client().configure(audio={"input": patch}) == [expected]


def test_sound_in_an_item_is_made_out_as_that_item() -> None:
    client = Client()
    audio = base64.b64encode(b"\1\0" * 1200).decode()
    item = {"id": "mine", "type": "message", "role": "user", "content": [{"type": "input_audio", "audio": audio}]}
    commands, told = client.send("conversation.item.create", item=item)
    assert commands == [
        Listen(turns="manual", answer=False),
        Microphone(b"\1\0" * 1200, Pcm(24_000)),
        Commit(),
        Listen(),
    ]
    assert "audio" not in told[0]["item"]["content"][0]
    assert client.take(Committed(0, 1), Transcribed(0, 1, "你好", "zh", True, 0.1)) == []
    _, (retrieved,) = client.send("conversation.item.retrieve", item_id="mine")
    assert retrieved["item"]["content"][0]["transcript"] == "你好"


def test_push_to_talk() -> None:
    client = Client()
    client.configure(audio={"input": {"turn_detection": None}})
    _, (error,) = client.send("input_audio_buffer.commit", event_id="e")
    assert error["error"]["code"] == "input_audio_buffer_commit_empty" and error["error"]["event_id"] == "e"
    client.send("input_audio_buffer.append", audio=base64.b64encode(bytes(4800)).decode())
    assert client.send("input_audio_buffer.commit", event_id="f") == ([Commit()], [])
    told = client.take(Unheard(0, 0, "commit_empty", "…"))
    assert told[0]["error"]["event_id"] == "f"
    client.send("input_audio_buffer.append", audio=base64.b64encode(bytes(4800)).decode())
    assert client.send("input_audio_buffer.clear") == ([Clear()], [])
    assert types(client.take(Cleared(0))) == ["input_audio_buffer.cleared"]
    assert types(client.send("input_audio_buffer.commit")[1]) == ["error"]


def test_nothing_understood_fails_the_response_that_waits_for_it() -> None:
    client = Client()
    client.configure(audio={"input": {"turn_detection": None, "transcription": {"model": "x"}}})
    client.send("input_audio_buffer.append", audio=base64.b64encode(bytes(4800)).decode())
    client.send("input_audio_buffer.commit")
    client.take(Committed(0, 1))
    assert client.send("response.create")[0] == [Reply("")]
    told = client.take(Unheard(0, 1, "recognizer_timeout", "请再说一遍"))
    assert types(told) == ["conversation.item.input_audio_transcription.failed"]
    told = client.take(Unheard(0, 0, "nothing_to_answer", "…"))
    assert types(told) == ["response.created", "response.done", "rate_limits.updated"]
    assert told[1]["response"]["status"] == "failed"
    assert told[1]["response"]["status_details"]["error"]["code"] == "recognizer_timeout"
    assert client.send("response.create")[1] == []


def test_a_deaf_server_says_so() -> None:
    told = Client().take(Unheard(0, 0, "no_recognizer", "请打字"))
    assert told[0]["error"]["code"] == "no_recognizer" and told[0]["error"]["type"] == "server_error"


def test_a_transcription_session_answers_nothing() -> None:
    client = Client(session=SessionBody(type="transcription"))
    assert client.seen[0]["session"]["type"] == "transcription"
    assert client.send("input_audio_buffer.clear")[0] == [Listen(answer=False), Clear()]
    told = client.take(Committed(0, 1), Transcribed(0, 1, "hello", "en", True, 1.0))
    assert told[-1]["transcript"] == "hello"
    assert client.send("response.create")[1][0]["error"]["type"] == "invalid_request_error"


def test_fifteen_mebibytes_are_taken_in_small_pieces_and_no_more() -> None:
    client = Client()
    whole = bytes(15 * 1024 * 1024)
    commands, told = client.send("input_audio_buffer.append", audio=base64.b64encode(whole).decode())
    assert told == [] and sum(len(one.data) for one in commands) == len(whole)
    assert max(len(one.data) for one in commands) <= 48_000
    _, (error,) = client.send("input_audio_buffer.append", audio=base64.b64encode(whole + b"\0").decode())
    assert error["error"]["code"] == "too_large"


def appended(*parts: bytes) -> list[dict[str, Any]]:
    return [{"audio": base64.b64encode(part).decode()} for part in parts]


def test_an_event_that_is_too_large_is_not_even_read() -> None:
    client = Client()
    for frame in ("x" * (FRAME + 1), b"x" * (FRAME + 1)):
        (told,) = client.codec.decode(frame)
        assert isinstance(told, Posted) and client.took(told.frames)[0]["error"]["code"] == "too_large"


def test_the_sound_stays_whole_where_an_utterance_ends_between_two_bytes() -> None:
    client = Client()
    first, second, third = appended(b"\1\2\3", b"\4\5", b"\6")
    commands, _ = client.send("input_audio_buffer.append", **first)
    client.take(SpeechStarted(0, 1, 0.0), SpeechStopped(0, 1, 0.1), Committed(0, 1))
    commands += client.send("input_audio_buffer.append", **second)[0]
    assert b"".join(one.data for one in commands) == b"\1\2\3\4"
    client.send("input_audio_buffer.clear")
    assert client.send("input_audio_buffer.append", **third)[0] == []


@pytest.mark.parametrize("text", ["我在三号展厅。", "I am in hall three."])
def test_words_that_were_typed_are_answered_with_those_that_are_spoken(text: str) -> None:
    client = Client()
    client.says(text)
    (sound,) = appended(b"\1\0")
    assert client.send("input_audio_buffer.append", **sound)[0] == [Add(text), Microphone(b"\1\0", Pcm(24_000))]
    assert client.send("input_audio_buffer.append", **sound)[0] == [Microphone(b"\1\0", Pcm(24_000))]
    assert client.send("response.create")[0] == [Reply("")]


def test_words_that_were_typed_wait_where_the_client_asks_for_each_answer() -> None:
    client = Client()
    client.configure(audio={"input": {"turn_detection": None}})
    client.says("你好")
    (sound,) = appended(b"\1\0")
    assert client.send("input_audio_buffer.append", **sound)[0] == [Microphone(b"\1\0", Pcm(24_000))]


def test_the_sound_that_an_answer_was_given_to_counts_once() -> None:
    client = Client()
    client.take(Committed(0, 1), Transcribed(0, 1, "几点开馆", "zh", True, 1.5))
    first = client.take(*answer())[-2]["response"]["usage"]
    client.says("好的，谢谢")
    client.send("response.create")
    second = client.take(*answer(2))[-2]["response"]["usage"]
    assert first["input_token_details"]["audio_tokens"] == 15 and second["input_token_details"]["audio_tokens"] == 0


@given(st.lists(st.binary(max_size=9), max_size=12))
def test_odd_bytes_wait_for_their_other_half(parts: list[bytes]) -> None:
    client = Client()
    given = [client.send("input_audio_buffer.append", audio=base64.b64encode(one).decode())[0] for one in parts]
    data = b"".join(one.data for commands in given for one in commands)
    whole = b"".join(parts)
    assert data == whole[: len(whole) & ~1]
