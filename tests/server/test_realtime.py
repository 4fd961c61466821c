"""OpenAI Realtime by recorded conversations: events in, events out, on the scripted engines and a virtual clock.

`ZHUBO_GOLDEN=write pytest tests/server/test_realtime.py` records them anew: read the difference before committing it.
"""

import base64
import hashlib
import itertools
import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openai.types.realtime import RealtimeServerEvent
from pydantic import TypeAdapter

from agent.commands import (
    Add,
    Clear,
    Commit,
    Configure,
    Heard,
    Interrupt,
    Listen,
    Microphone,
    OfferTools,
    Reply,
    ToolAnswered,
)
from agent.events import (
    Citation,
    Citations,
    Cleared,
    Committed,
    Event,
    Fault,
    Floor,
    Motion,
    Notice,
    SentenceEnded,
    SentenceStarted,
    Speech,
    SpeechStarted,
    SpeechStopped,
    TextDelta,
    ToolCalled,
    Transcribed,
    TurnEnded,
    TurnStarted,
    Unheard,
)
from agent.session import Session
from avatar.hearing import G711, Pcm
from avatar.motion import Viseme
from avatar.speech import Audio, Manner
from knowledge.documents import Place
from server.protocols.base import Posted, Welcome
from server.protocols.realtime import Defaults, Dialect, RealtimeCodec, SessionBody
from tests import virtual
from tests.doubles import presenter, scripted

GOLDEN = Path(__file__).parent / "golden" / "realtime"
EVENTS: TypeAdapter[Any] = TypeAdapter(RealtimeServerEvent)
OURS = "zhubo."


class Client:
    """A codec and what its client saw of it, each event valid by OpenAI's own models."""

    def __init__(self, *, led: bool = False, session: SessionBody | None = None, **dialect: bool) -> None:
        counts: dict[str, itertools.count[int]] = {}

        def new(prefix: str) -> str:
            return f"{prefix}_{next(counts.setdefault(prefix, itertools.count(1)))}"

        defaults = Defaults("zhubo", 0.6, 0.5)
        spoken = Dialect(noticed=not led, **dialect)
        self.beta = bool(dialect.get("beta"))
        self.codec = RealtimeCodec(session or SessionBody(), defaults, spoken, question_characters=50, new=new)
        self.seen: list[dict[str, Any]] = []
        self.take(Welcome("secret"))

    def take(self, *events: Any) -> list[dict[str, Any]]:
        """What the client is sent of these events."""
        return self.took([frame for event in events for frame in self.codec.encode(event)])

    def took(self, frames: Sequence[Any]) -> list[dict[str, Any]]:
        told = [json.loads(frame) for frame in frames]
        for one in told:
            assert one["event_id"].startswith("event_")
            if not one["type"].startswith(OURS) and not self.beta:
                EVENTS.validate_python(one, strict=False)
        self.seen += told
        return told

    def send(self, kind: str, **fields: Any) -> tuple[list[Any], list[dict[str, Any]]]:
        """The commands that it comes to, and what the client is sent at once."""
        items = self.codec.decode(json.dumps({"type": kind, **fields}))
        told = self.took([frame for item in items if isinstance(item, Posted) for frame in item.frames])
        return [item for item in items if not isinstance(item, Posted)], told

    def says(self, text: str) -> None:
        self.send("conversation.item.create", item=message(text))

    def configure(self, **session: Any) -> list[Any]:
        commands, _ = self.send("session.update", session={"type": "realtime", **session})
        return commands


def message(text: str, role: str = "user", kind: str = "input_text") -> dict[str, Any]:
    return {"type": "message", "role": role, "content": [{"type": kind, "text": text}]}


def types(events: Sequence[dict[str, Any]]) -> list[str]:
    return [event["type"] for event in events]


def spoken(turn: int, sentence: int, text: str, at: float, seconds: float = 1.0) -> list[Event]:
    pcm = b"\1\0" * round(24_000 * seconds)
    return [
        TextDelta(turn, text),
        SentenceStarted(turn, sentence, text, at),
        Speech(turn, sentence, 0.0, Audio(pcm, 24_000)),
        SentenceEnded(turn, sentence, seconds),
    ]


def answer(turn: int = 1, text: str = "一张六十元。") -> list[Event]:
    return [TurnStarted(turn, "zh"), *spoken(turn, 0, text, 0.0), TurnEnded(turn, "done")]


WHOLE = [
    "response.created",
    "response.output_item.added",
    "conversation.item.added",
    "response.content_part.added",
    "response.output_audio_transcript.delta",
    "response.output_audio.delta",
    "response.output_audio.done",
    "response.output_audio_transcript.done",
    "response.content_part.done",
    "conversation.item.done",
    "response.output_item.done",
    "response.done",
    "rate_limits.updated",
]


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


def test_one_response_at_a_time() -> None:
    client = Client()
    client.says("你好")
    client.send("response.create")
    _, (error,) = client.send("response.create", event_id="second")
    assert error["error"]["code"] == "conversation_already_has_active_response"
    assert error["error"]["event_id"] == "second"
    client.take(*answer())
    assert client.send("response.create")[1] == []


TOOL = {"type": "function", "name": "light", "description": "开关灯", "parameters": {"type": "object"}}


def test_a_tool_of_the_client_is_two_responses() -> None:
    client = Client()
    (offered,) = client.configure(tools=[TOOL])
    assert isinstance(offered, OfferTools) and offered.tools[0].name == "light"
    client.says("开灯")
    client.send("response.create")
    told = client.take(TurnStarted(1, "zh"), ToolCalled(1, "call-1", "light", '{"on":true}'))
    assert types(told) == [
        "response.created",
        "response.output_item.added",
        "conversation.item.added",
        "response.function_call_arguments.delta",
        "response.function_call_arguments.done",
        "conversation.item.done",
        "response.output_item.done",
        "response.done",
        "rate_limits.updated",
    ]
    assert told[-2]["response"]["output"][0]["arguments"] == '{"on":true}'
    assert client.take(*spoken(1, 0, "稍等。", 0.0, 0.5)) == []
    output = {"type": "function_call_output", "call_id": "call-1", "output": "好了"}
    commands, _ = client.send("conversation.item.create", item=output)
    assert commands == []
    commands, told = client.send("response.create")
    assert commands == [ToolAnswered("call-1", "好了")]
    told += client.take(*spoken(1, 1, "灯开了。", 0.5), TurnEnded(1, "done"))
    assert types(told)[0] == "response.created" and types(told)[-2] == "response.done"
    assert told[-2]["response"]["output"][0]["content"][0]["transcript"] == "稍等。灯开了。"
    item = told[-2]["response"]["output"][0]["id"]
    commands, _ = client.send("conversation.item.truncate", item_id=item, content_index=0, audio_end_ms=700)
    assert commands == [Interrupt(1, 0.7)]


def test_what_was_being_said_before_a_call_is_said_out_first() -> None:
    client = Client()
    client.says("Turn it on")
    client.send("response.create")
    first = spoken(1, 0, "Let me see.", 0.0)
    told = client.take(TurnStarted(1, "en"), first[0], ToolCalled(1, "c", "light", "{}"))
    assert "response.done" not in types(told)
    later = spoken(1, 1, "Done.", 1.0)
    told = client.take(later[0], *first[1:], *later[1:])
    assert types(told)[-2:] == ["response.done", "rate_limits.updated"]
    output = told[-2]["response"]["output"]
    assert [one["type"] for one in output] == ["message", "function_call"]
    assert output[0]["content"][0]["transcript"] == "Let me see."
    client.send("conversation.item.create", item={"type": "function_call_output", "call_id": "c", "output": ""})
    _, told = client.send("response.create")
    told += client.take(TurnEnded(1, "done"))
    item = told[-2]["response"]["output"][0]
    assert item["content"][0]["transcript"] == "Done."
    commands, _ = client.send("conversation.item.truncate", item_id=item["id"], content_index=0, audio_end_ms=500)
    assert commands == [Interrupt(1, 1.5)]


def test_a_tool_that_is_answered_too_late_gets_no_greeting() -> None:
    client = Client()
    client.says("开灯")
    client.send("response.create")
    client.take(TurnStarted(1, "zh"), ToolCalled(1, "call-1", "light", "{}"), TurnEnded(1, "interrupted"))
    client.take(*answer(2))
    output = {"type": "function_call_output", "call_id": "call-1", "output": "好了"}
    client.send("conversation.item.create", item=output)
    commands, told = client.send("response.create")
    assert commands == [] and types(told) == ["response.created", "response.done", "rate_limits.updated"]
    assert told[1]["response"]["status_details"]["error"]["code"] == "function_call_expired"


def test_a_turn_that_goes_on_without_its_tool_is_told_all_the_same() -> None:
    client = Client()
    client.says("开灯")
    client.send("response.create")
    client.take(TurnStarted(1, "zh"), ToolCalled(1, "call-1", "light", "{}"))
    assert client.take(*spoken(1, 0, "灯没有反应。", 0.0)) == []
    assert types(client.take(TurnEnded(1, "done"))) == WHOLE


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


def test_the_notice_that_waits_is_not_taken_for_being_played() -> None:
    client = Client(led=True)
    client.take(TurnStarted(1, "en"), *spoken(1, 0, "I am an AI.", 0.0, 2.0), TurnEnded(1, "done"))
    assert client.send("input_audio_buffer.clear")[0] == [Heard(1, 2.0), Clear()]
    client.says("hi")
    client.send("response.create")
    told = client.take(TurnStarted(2, "en"), *spoken(2, 0, "Hello.", 0.0), TurnEnded(2, "done"))
    assert told[-2]["response"]["output"][0]["content"][0]["transcript"] == "I am an AI. Hello."


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


def test_settings_are_merged_and_shown_whole() -> None:
    client = Client()
    commands = client.configure(instructions="简短", audio={"output": {"voice": "marin", "speed": 1.2}})
    assert commands == [Configure("简短", Manner(None, 1.2), True)]
    assert client.configure(audio={"output": {"voice": "zf_xiaobei"}}) == [
        Configure("简短", Manner("zf_xiaobei", 1.2), True)
    ]
    session = client.seen[-1]["session"]
    assert session["instructions"] == "简短" and session["audio"]["output"]["speed"] == 1.2
    assert session["audio"]["input"]["turn_detection"]["silence_duration_ms"] == 600
    assert client.configure(instructions="", tracing=None) == [Configure("", Manner("zf_xiaobei", 1.2), True)]
    client.configure(audio={"input": {"turn_detection": None}})
    assert client.seen[-1]["session"]["audio"]["input"]["turn_detection"] is None
    client.configure(tools=[TOOL])
    assert client.configure(tools=[]) == [OfferTools(())]


def test_a_voice_stays_once_it_was_heard() -> None:
    client = Client()
    client.says("你好")
    client.send("response.create")
    client.take(*answer())
    _, (error,) = client.send("session.update", session={"type": "realtime", "audio": {"output": {"voice": "other"}}})
    assert error["error"]["code"] == "cannot_update_voice"


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


def test_system_messages_are_instructions_until_they_are_deleted() -> None:
    client = Client()
    client.send("conversation.item.create", item={**message("The hall is closed.", "system"), "id": "sys"})
    assert client.send("response.create")[0][0] == Configure("The hall is closed.", Manner(), True)
    client.take(*answer())
    _, (deleted,) = client.send("conversation.item.delete", item_id="sys")
    assert deleted["type"] == "conversation.item.deleted" and "remembered" not in deleted
    assert client.send("input_audio_buffer.clear")[0][0] == Configure("", Manner(), True)


def test_items_are_put_where_the_client_wants_them() -> None:
    client = Client()
    for name, after in (("a", None), ("c", None), ("b", "a"), ("z", "root")):
        fields = {} if after is None else {"previous_item_id": after}
        client.send("conversation.item.create", item={**message(name), "id": name}, **fields)
    before = [event["previous_item_id"] for event in client.seen if event["type"] == "conversation.item.done"]
    assert before == [None, "a", "a", None]
    client.send("conversation.item.delete", item_id="c")
    assert client.send("response.create")[0] == [Add("z"), Add("a"), Add("b"), Reply("")]
    _, (error,) = client.send("conversation.item.create", item=message("x"), previous_item_id="nowhere")
    assert error["error"]["code"] == "item_not_found"


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
    assert types(told) == [
        "conversation.item.input_audio_transcription.failed",
        "response.created",
        "response.done",
        "rate_limits.updated",
    ]
    assert told[2]["response"]["status"] == "failed"
    assert client.send("response.create")[1] == []


def test_a_deaf_server_says_so() -> None:
    told = Client().take(Unheard(0, 0, "no_recognizer", "请打字"))
    assert told[0]["error"]["code"] == "no_recognizer" and told[0]["error"]["type"] == "server_error"


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


def test_the_beta_is_spoken_to_those_who_speak_it() -> None:
    client = Client(beta=True)
    session = client.seen[0]["session"]
    assert session["modalities"] == ["audio", "text"] and session["input_audio_format"] == "pcm16"
    flat = {"voice": "alloy", "input_audio_format": "g711_ulaw", "turn_detection": None, "modalities": ["text"]}
    commands, (updated,) = client.send("session.update", session=flat)
    assert Listen(turns="manual", answer=False) in commands
    assert updated["session"]["input_audio_format"] == "g711_ulaw" and updated["session"]["voice"] == "alloy"
    commands, _ = client.send("input_audio_buffer.append", audio=base64.b64encode(b"\xff" * 8).decode())
    assert commands == [Microphone(b"\xff" * 8, G711("mu"))]
    client.says("hi")
    assert "conversation.item.created" in types(client.seen)
    client.send("response.create", response={"modalities": ["audio", "text"]})
    told = types(client.take(*answer()))
    assert "response.audio.delta" in told and "response.audio_transcript.done" in told
    assert not [kind for kind in told if "output_audio" in kind or kind == "conversation.item.done"]


def test_a_transcription_session_answers_nothing() -> None:
    client = Client(session=SessionBody(type="transcription"))
    assert client.seen[0]["session"]["type"] == "transcription"
    assert client.send("input_audio_buffer.clear")[0] == [Listen(answer=False), Clear()]
    told = client.take(Committed(0, 1), Transcribed(0, 1, "hello", "en", True, 1.0))
    assert told[-1]["transcript"] == "hello"
    assert client.send("response.create")[1][0]["error"]["type"] == "invalid_request_error"


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


BAD: list[tuple[str | bytes, str]] = [
    ("not json", "invalid_json"),
    (b"\0\1", "unexpected_binary"),
    ("[1]", "invalid_value"),
    ('{"type":"dance","event_id":"e"}', "unknown_event"),
    ('{"type":"session.update"}', "invalid_value"),
    (
        '{"type":"session.update","session":{"type":"realtime","audio":{"input":{"format":{"type":"audio/pcm","rate":'
        "16000}}}}}",
        "invalid_value",
    ),
    ('{"type":"session.update","session":{"type":"realtime","output_modalities":["audio","text"]}}', "invalid_value"),
    ('{"type":"session.update","session":{"type":"transcription"}}', "invalid_value"),
    ('{"type":"input_audio_buffer.append"}', "invalid_value"),
    ('{"type":"input_audio_buffer.append","audio":"!!"}', "invalid_value"),
    ('{"type":"conversation.item.create"}', "invalid_value"),
    ('{"type":"conversation.item.create","item":{"type":"mcp_call"}}', "invalid_value"),
    ('{"type":"conversation.item.create","item":{"type":"message","role":"user","content":[]}}', "invalid_value"),
    (
        '{"type":"conversation.item.create","item":{"type":"message","role":"user","content":[{"type":"input_image",'
        '"image_url":"x"}]}}',
        "unsupported",
    ),
    (
        '{"type":"conversation.item.create","item":{"type":"message","role":"user","content":[{"type":"input_text",'
        f'"text":"{"很" * 51}"}}]}}}}',
        "question_too_long",
    ),
    ('{"type":"conversation.item.retrieve","item_id":"x"}', "item_not_found"),
    ('{"type":"conversation.item.delete","item_id":["x"]}', "item_not_found"),
    ('{"type":"conversation.item.truncate","item_id":"x","audio_end_ms":0}', "item_not_found"),
    ('{"type":"response.create","response":{"tools":[{"type":"mcp"}]}}', "invalid_value"),
    ('{"type":"response.create","response":3}', "invalid_value"),
]


@pytest.mark.parametrize(("frame", "code"), BAD, ids=lambda value: str(value)[:48])
def test_mistakes_are_told_and_leave_the_session_well(frame: str | bytes, code: str) -> None:
    client = Client()
    (told,) = client.codec.decode(frame)
    assert isinstance(told, Posted)
    (error,) = client.took(told.frames)
    assert error["error"]["code"] == code and error["error"]["message"]
    client.says("你好")
    assert client.send("response.create")[0] == [Add("你好"), Reply("")]


def test_fifteen_mebibytes_are_taken_in_small_pieces_and_no_more() -> None:
    client = Client()
    whole = bytes(15 * 1024 * 1024)
    commands, told = client.send("input_audio_buffer.append", audio=base64.b64encode(whole).decode())
    assert told == [] and sum(len(one.data) for one in commands) == len(whole)
    assert max(len(one.data) for one in commands) <= 48_000
    _, (error,) = client.send("input_audio_buffer.append", audio=base64.b64encode(whole + b"\0").decode())
    assert error["error"]["code"] == "too_large"


@given(st.lists(st.binary(max_size=9), max_size=12))
def test_odd_bytes_wait_for_their_other_half(parts: list[bytes]) -> None:
    client = Client()
    given = [client.send("input_audio_buffer.append", audio=base64.b64encode(one).decode())[0] for one in parts]
    data = b"".join(one.data for commands in given for one in commands)
    whole = b"".join(parts)
    assert data == whole[: len(whole) & ~1]


PLAIN = st.none() | st.booleans() | st.integers(-5, 2**40) | st.sampled_from(["", "item", "audio", "你好", "auto"])
JSON = (
    PLAIN
    | st.lists(PLAIN, max_size=2)
    | st.dictionaries(st.sampled_from(["type", "id", "content", "turn_detection"]), PLAIN)
)
KINDS = st.sampled_from(
    ["session.update", "input_audio_buffer.append", "conversation.item.create", "conversation.item.truncate"]
    + ["conversation.item.delete", "conversation.item.retrieve", "response.create", "response.cancel", "?"]
)
FIELDS = st.sampled_from(["session", "item", "item_id", "audio", "response", "event_id", "previous_item_id"])


@given(KINDS, st.dictionaries(FIELDS, JSON, max_size=3), st.booleans())
def test_no_event_breaks_the_codec(kind: str, fields: dict[str, Any], beta: bool) -> None:
    client = Client(beta=beta)
    client.send(kind, **fields)


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
