"""OpenAI Realtime: the presenter's turns as responses."""

import base64
from typing import Any

import pytest

from agent.commands import (
    Add,
    Clear,
    Configure,
    Heard,
    Interrupt,
    OfferTools,
    Reply,
    Withdraw,
)
from agent.events import (
    Citation,
    Citations,
    Fault,
    Floor,
    Motion,
    Notice,
    SentenceEnded,
    SentenceStarted,
    Speech,
    SpeechStarted,
    TextDelta,
    TurnEnded,
    TurnStarted,
)
from avatar.motion import Viseme
from avatar.speech import Audio, Manner
from knowledge.documents import Place
from tests.server.realtime_client import OURS, TOOL, WHOLE, Client, answer, message, spoken, types


def test_a_response_has_its_events_in_order() -> None:
    client = Client()
    assert types(client.seen) == ["session.created"]
    client.says("成人票多少钱？")
    commands, _ = client.send("response.create", response={"metadata": {"client_event_id": "7"}})
    assert commands == [Add("成人票多少钱？"), Reply("")]
    told = client.take(*answer())
    assert types(told) == WHOLE
    done = told[-2]["response"]
    assert done["status"] == "completed" and done["metadata"] == {"client_event_id": "7"}
    assert told[0]["response"]["metadata"] == {"client_event_id": "7"}
    assert done["output"][0]["content"] == [{"type": "output_audio", "transcript": "一张六十元。"}]
    usage = done["usage"]
    assert usage["total_tokens"] == usage["input_tokens"] + usage["output_tokens"]
    assert usage["output_token_details"]["audio_tokens"] == 20


def test_text_alone_is_output_text() -> None:
    client = Client()
    assert Configure("", Manner(), False) in client.configure(output_modalities=["text"])
    client.says("How much?")
    client.send("response.create")
    told = client.take(
        TurnStarted(1, "en"),
        TextDelta(1, "60 yuan."),
        SentenceStarted(1, 0, "60 yuan.", 0.0),
        SentenceEnded(1, 0, 0.0),
        TurnEnded(1, "done"),
    )
    assert [kind for kind in types(told) if "output_text" in kind] == [
        "response.output_text.delta",
        "response.output_text.done",
    ]
    assert not [kind for kind in types(told) if "audio" in kind]
    assert told[-2]["response"]["output"][0]["content"] == [{"type": "output_text", "text": "60 yuan."}]


def test_barge_in_ends_the_response_and_truncation_tells_what_was_heard() -> None:
    client = Client()
    client.says("讲讲恐龙厅")
    client.send("response.create")
    told = client.take(
        TurnStarted(1, "zh"),
        *spoken(1, 0, "恐龙厅在二楼。", 0.0, 2.0),
        TextDelta(1, "有三具骨架。"),
        Floor(1, "yielded", "interruption"),
        TurnEnded(1, "interrupted"),
        SpeechStarted(1, 1, 4.0),
    )
    assert types(told)[-8:] == [*WHOLE[6:], "input_audio_buffer.speech_started"]
    done = told[-3]["response"]
    assert (done["status"], done["status_details"]["reason"]) == ("cancelled", "turn_detected")
    assert done["output"][0]["status"] == "incomplete"
    item = done["output"][0]["id"]
    commands, (truncated,) = client.send("conversation.item.truncate", item_id=item, content_index=0, audio_end_ms=900)
    assert commands == [Interrupt(1, 0.9)] and truncated["audio_end_ms"] == 900
    _, (retrieved,) = client.send("conversation.item.retrieve", item_id=item)
    heard = retrieved["item"]["content"][0]["transcript"]
    assert "恐龙厅在二楼。有三具骨架。".startswith(heard) and heard != "恐龙厅在二楼。有三具骨架。"
    commands, (error,) = client.send(
        "conversation.item.truncate", item_id=item, content_index=0, audio_end_ms=2100, event_id="mine"
    )
    assert not commands and error["error"]["event_id"] == "mine" and error["error"]["param"] == "audio_end_ms"


def test_a_client_may_cancel_and_only_what_runs() -> None:
    client = Client()
    _, (error,) = client.send("response.cancel", event_id="c1")
    assert (error["error"]["code"], error["error"]["event_id"]) == ("response_cancel_not_active", "c1")
    client.says("hello")
    client.send("response.create")
    client.take(TurnStarted(1, "en"), TextDelta(1, "Hello"))
    assert client.send("response.cancel")[0] == [Interrupt(1)]
    done = client.take(TurnEnded(1, "interrupted"))[-2]["response"]
    assert done["status_details"] == {"type": "cancelled", "reason": "client_cancelled"}


def test_what_has_not_begun_is_withdrawn() -> None:
    client = Client()
    client.says("你好")
    client.send("response.create", response={"metadata": {"mine": "1"}})
    commands, told = client.send("response.cancel")
    assert commands == [Withdraw(), Interrupt()]
    assert types(told) == ["response.created", "response.done", "rate_limits.updated"]
    done = told[1]["response"]
    assert done["status_details"] == {"type": "cancelled", "reason": "client_cancelled"}
    assert done["metadata"] == {"mine": "1"} and done["output"] == []
    assert client.send("response.create")[0] == [Reply("")]


def test_another_response_than_the_one_under_way_is_not_cancelled() -> None:
    client = Client()
    client.says("hello")
    client.send("response.create")
    created, *_ = client.take(TurnStarted(1, "en"), TextDelta(1, "Hello"))
    commands, (error,) = client.send("response.cancel", response_id="resp_other")
    assert not commands and error["error"]["code"] == "response_cancel_not_active"
    assert client.send("response.cancel", response_id=created["response"]["id"])[0] == [Interrupt(1)]


@pytest.mark.parametrize("wanted", [{"conversation": "none"}, {"input": []}, {"input": [message("hi")]}], ids=str)
def test_a_response_apart_from_the_conversation_is_refused_and_says_what_to_do(wanted: dict[str, Any]) -> None:
    client = Client()
    client.says("你好")
    commands, (error,) = client.send("response.create", response=wanted, event_id="apart")
    assert not commands and error["error"]["code"] == "unsupported" and error["error"]["event_id"] == "apart"
    assert "/v1/chat/completions" in error["error"]["message"]
    assert client.send("response.create")[0] == [Add("你好"), Reply("")]


def test_one_response_at_a_time() -> None:
    client = Client()
    client.says("你好")
    client.send("response.create")
    _, (error,) = client.send("response.create", event_id="second")
    assert error["error"]["code"] == "conversation_already_has_active_response"
    assert error["error"]["event_id"] == "second"
    client.take(*answer())
    assert client.send("response.create")[1] == []


def test_that_it_is_an_ai_is_said_in_the_first_response() -> None:
    client = Client(led=True)
    assert client.codec.leads
    notice = [TurnStarted(1, "zh"), *spoken(1, 0, "我是人工智能。", 0.0, 2.0), TurnEnded(1, "done")]
    assert client.take(Notice(0, "ai", "我是人工智能。"), *notice) == []
    client.says("成人票多少钱？")
    commands, _ = client.send("response.create")
    assert commands == [Add("成人票多少钱？"), Reply("")]
    told = client.take(*answer(2))
    assert types(told) == [*WHOLE[:5], "response.output_audio.delta", *WHOLE[4:]]
    item = told[-2]["response"]["output"][0]
    assert item["content"][0]["transcript"] == "我是人工智能。一张六十元。"
    commands, _ = client.send("conversation.item.truncate", item_id=item["id"], content_index=0, audio_end_ms=2400)
    assert commands == [Interrupt(2, pytest.approx(0.4))]
    assert types(client.take(*answer(3))) == WHOLE


@pytest.mark.parametrize("end", ["done", "interrupted"])
def test_a_question_that_comes_before_the_notice_was_made_has_its_own_answer(end: Any) -> None:
    client = Client(led=True)
    client.says("成人票多少钱？")
    client.send("response.create", response={"metadata": {"mine": "1"}})
    notice = [TurnStarted(1, "zh"), *spoken(1, 0, "我是人工智能。", 0.0, 2.0), TurnEnded(1, end)]
    assert client.take(*notice) == []
    response = client.take(*answer(2))[-2]["response"]
    assert response["metadata"] == {"mine": "1"}
    led = "我是人工智能。" if end == "done" else ""
    assert response["output"][0]["content"][0]["transcript"] == f"{led}一张六十元。"


def test_the_notice_that_waits_is_not_taken_for_being_played() -> None:
    client = Client(led=True)
    client.take(TurnStarted(1, "en"), *spoken(1, 0, "I am an AI.", 0.0, 2.0), TurnEnded(1, "done"))
    assert client.send("input_audio_buffer.clear")[0] == [Heard(1, 2.0), Clear()]
    client.says("hi")
    client.send("response.create")
    told = client.take(TurnStarted(2, "en"), *spoken(2, 0, "Hello.", 0.0), TurnEnded(2, "done"))
    assert told[-2]["response"]["output"][0]["content"][0]["transcript"] == "I am an AI. Hello."


def test_one_response_may_be_otherwise_than_the_session() -> None:
    client = Client()
    client.says("你好")
    wanted = {"output_modalities": ["text"], "instructions": "用一句话", "tools": [TOOL]}
    commands, _ = client.send("response.create", response=wanted)
    assert commands[0] == Configure("", Manner(), False) and isinstance(commands[1], OfferTools)
    assert commands[2:] == [Add("你好"), Reply("用一句话")]
    client.take(*answer())
    commands, _ = client.send("input_audio_buffer.clear")
    assert commands == [Configure("", Manner(), True), OfferTools(()), Clear()]


def test_faults_and_moderation_are_told_by_the_response() -> None:
    for last, status in (
        ([Fault(1, "model_unreachable", "抱歉"), TurnEnded(1, "failed", fallback="model_unreachable")], "failed"),
        ([Notice(1, "moderated", "换个话题吧"), TurnEnded(1, "done")], "incomplete"),
        ([Fault(1, "voice_failed", "没有声音"), TurnEnded(1, "done")], "completed"),
    ):
        client = Client()
        client.says("你好")
        client.send("response.create")
        done = client.take(TurnStarted(1, "zh"), *spoken(1, 0, "抱歉。", 0.0), *last)[-2]["response"]
        assert done["status"] == status
        if status == "failed":
            assert done["status_details"]["error"]["code"] == "model_unreachable"
        if status == "incomplete":
            assert done["status_details"]["reason"] == "content_filter"


CITED = Citation("doc-1", "Guide", "guide.md", "60 yuan", Place(("Tickets",), None, 0, 7))


def test_citations_are_annotations_and_cues_are_for_those_who_ask() -> None:
    cue = Motion(1, 0, (Viseme(0.1, "aa", 0.8),))
    for extended in (False, True):
        client = Client(extended=extended)
        client.says("price?")
        client.send("response.create")
        begun, *rest = spoken(1, 0, "60 yuan.", 0.0)
        events = [TurnStarted(1, "en"), begun, rest[0], cue, *rest[1:], Citations(1, (CITED,)), TurnEnded(1, "done")]
        told = client.take(*events, Floor(1, "ducked", "speech"))
        ours = [event for event in told if event["type"].startswith(OURS)]
        assert [event["type"] for event in ours] == (
            ["zhubo.cue", "zhubo.citations", "zhubo.floor"] if extended else []
        )
        if extended:
            assert ours[0]["visemes"] == [[100, "aa", 0.8]] and ours[0]["audio_ms"] == 0
        done = next(event for event in told if event["type"] == "response.done")
        part = done["response"]["output"][0]["content"][0]
        assert part["annotations"][0]["file_id"] == "doc-1"


@pytest.mark.parametrize(("format", "size"), [("audio/pcm", 48_000), ("audio/pcmu", 8_000), ("audio/pcma", 8_000)])
@pytest.mark.parametrize("rate", [16_000, 22_050, 24_000])
def test_sound_goes_out_in_the_format_of_the_session(format: str, size: int, rate: int) -> None:
    client = Client()
    client.configure(audio={"output": {"format": {"type": format}}})
    client.says("你好")
    client.send("response.create")
    second = Audio(b"\1\0" * rate, rate)
    begun, started, _, ended = spoken(1, 0, "你好。", 0.0)
    told = client.take(TurnStarted(1, "zh"), begun, started, Speech(1, 0, 0.0, second), ended, TurnEnded(1, "done"))
    sound = [base64.b64decode(event["delta"]) for event in told if event["type"] == "response.output_audio.delta"]
    assert len(b"".join(sound)) == size
    assert told[0]["response"]["audio"]["output"]["format"]["type"] == format
