"""OpenAI Realtime over a whole session, on the engines of the profile `test` and a virtual clock."""

import asyncio
import base64
import json
import math
import os
import random
import struct
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from agent.listening import Listener
from agent.model import Message
from agent.session import Session
from configs.prompt import PromptSettings
from server.protocols.base import Posted
from tests import virtual
from tests.doubles import presenter, scripted
from tests.server.realtime_client import TOOL, Client, message, types
from tests.server.test_native_hearing import ears
from tests.server.test_realtime import GOLDEN, legible

RATE = 24_000
PIECE = 0.04
PATIENCE = 30.0


class Caller(Client):
    """A client whose codec is on a session, and what it was sent so far."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.session = session
        self._moved = asyncio.Condition()
        self._at = 1

    async def read(self) -> None:
        while True:
            event = await self.session.event()
            self.take(event)
            async with self._moved:
                self._moved.notify_all()

    async def tell(self, kind: str, **fields: Any) -> None:
        for item in self.codec.decode(json.dumps({"type": kind, **fields})):
            if isinstance(item, Posted):
                self.took(item.frames)
            else:
                await self.session.handle(item)  # type: ignore[arg-type]

    async def until(self, kind: str) -> list[dict[str, Any]]:
        """What came since the last time, up to the next event of this type."""
        async with asyncio.timeout(PATIENCE), self._moved:
            await self._moved.wait_for(lambda: kind in types(self.seen[self._at :]))
        at = self._at + types(self.seen[self._at :]).index(kind) + 1
        news, self._at = self.seen[self._at : at], at
        return news

    async def speak(self, seconds: float, *, quiet: float = 0.0) -> None:
        for pcm in [*syllables(seconds), *[bytes(1920)] * round(quiet / PIECE)]:
            await self.tell("input_audio_buffer.append", audio=base64.b64encode(pcm).decode())
            await asyncio.sleep(PIECE)

    async def types_in(self, text: str) -> None:
        await self.tell("conversation.item.create", item=message(text))


def syllables(seconds: float) -> Iterator[bytes]:
    """Noise that swells and fades four times a second, unlike the presenter's voice."""
    chance = random.Random(7)
    for piece in range(round(seconds / PIECE)):
        loud = 4000 + round(8000 * math.sin(math.pi * 4 * PIECE * piece) ** 2)
        yield struct.pack("<960h", *(chance.randint(-loud, loud) for _ in range(960)))


@asynccontextmanager
async def calling(
    folder: Path, *texts: str, model: Any = None, grounded: bool = True, **wishes: Any
) -> AsyncGenerator[Caller, None]:
    """`texts`: what is heard, utterance by utterance. `wishes`: the session's settings."""
    organs = ears(texts or ("成人票多少钱？",), folder)
    prompts = PromptSettings(size="full")
    speaker = presenter(model or scripted(pace=0.02), grounded=grounded, prompts=prompts)
    session = Session(speaker, ears=partial(Listener, organs))
    caller = Caller(session)
    reading = asyncio.create_task(caller.read())
    try:
        await caller.tell("session.update", session={"type": "realtime", **wishes})
        yield caller
    finally:
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)
        await session.close()


def recorded(name: str, events: Sequence[dict[str, Any]]) -> None:
    """Compares with what was recorded, or records. A call's id is another each time."""
    calls = {event["call_id"] for event in events if "call_id" in event}
    text = "".join(json.dumps(legible(event), ensure_ascii=False) + "\n" for event in events)
    for number, call in enumerate(sorted(calls, key=text.index), 1):
        text = text.replace(call, f"call_{number}")
    path = GOLDEN / f"{name}.jsonl"
    if os.environ.get("ZHUBO_GOLDEN") == "write":
        path.write_text(text, "utf-8")
    assert text == path.read_text("utf-8")


MANUAL = {"audio": {"input": {"turn_detection": None, "transcription": {"model": "whisper-1"}}}}
WRITTEN = {"audio": {"input": {"transcription": {"model": "whisper-1"}}}}
QUESTIONS = [("成人票多少钱？", "60"), ("How much is an adult ticket?", "60")]


@pytest.mark.parametrize(("question", "answer"), QUESTIONS)
def test_a_spoken_question_is_heard_written_and_answered(question: str, answer: str, tmp_path: Path) -> None:
    async def go() -> list[dict[str, Any]]:
        async with calling(tmp_path, question, **WRITTEN) as caller:
            await caller.speak(1.4, quiet=1.6)
            return await caller.until("response.done")

    events = virtual.run(go())
    recorded(f"spoken-{'en' if question.isascii() else 'zh'}", events)
    kinds = [kind for kind in types(events) if not kind.endswith(".delta")]
    assert kinds[:8] == [
        "session.updated",
        "input_audio_buffer.speech_started",
        "input_audio_buffer.speech_stopped",
        "input_audio_buffer.committed",
        "conversation.item.added",
        "conversation.item.done",
        "conversation.item.input_audio_transcription.completed",
        "response.created",
    ]
    assert len({event["item_id"] for event in events[1:4]} | {events[4]["item"]["id"]}) == 1
    assert 0 <= events[1]["audio_start_ms"] <= 200 and 1300 <= events[2]["audio_end_ms"] <= 1600
    response = events[-1]["response"]
    assert answer in response["output"][0]["content"][0]["transcript"]
    assert response["usage"]["input_token_details"]["audio_tokens"] > 0


@pytest.mark.parametrize(("question", "answer"), QUESTIONS)
def test_push_to_talk_is_answered_when_the_client_asks(question: str, answer: str, tmp_path: Path) -> None:
    async def go() -> list[dict[str, Any]]:
        async with calling(tmp_path, question, **MANUAL) as caller:
            await caller.speak(1.0)
            await caller.tell("input_audio_buffer.commit")
            await caller.until("conversation.item.input_audio_transcription.completed")
            await caller.tell("response.create", response={"metadata": {"turn": "one"}})
            return await caller.until("response.done")

    response = virtual.run(go())[-1]["response"]
    assert response["status"] == "completed" and response["metadata"] == {"turn": "one"}
    assert answer in response["output"][0]["content"][0]["transcript"]


def test_nothing_understood_is_one_failed_response_and_no_greeting(tmp_path: Path) -> None:
    async def go() -> Caller:
        async with calling(tmp_path, "", "几点开馆？", **MANUAL) as caller:
            await caller.speak(1.0)
            await caller.tell("input_audio_buffer.commit")
            await caller.tell("response.create")
            await caller.until("response.done")
            await asyncio.sleep(5)
            await caller.speak(1.0)
            await caller.tell("input_audio_buffer.commit")
            await caller.tell("response.create")
            await caller.until("response.done")
        return caller

    done = [event["response"] for event in virtual.run(go()).seen if event["type"] == "response.done"]
    assert [response["status"] for response in done] == ["failed", "completed"]
    assert done[0]["status_details"]["error"]["code"] == "nothing_heard"
    assert "9:30" in done[1]["output"][0]["content"][0]["transcript"]


def test_noise_does_not_fail_the_answer_to_what_was_typed(tmp_path: Path) -> None:
    async def go() -> list[dict[str, Any]]:
        async with calling(tmp_path, "", **MANUAL) as caller:
            await caller.speak(1.0)
            await caller.tell("input_audio_buffer.commit")
            await caller.types_in("成人票多少钱？")
            await caller.tell("response.create", response={"metadata": {"mine": "yes"}})
            return await caller.until("response.done")

    response = virtual.run(go())[-1]["response"]
    assert (response["status"], response["metadata"]) == ("completed", {"mine": "yes"})


def test_a_response_that_is_cancelled_before_it_begins_is_never_spoken(tmp_path: Path) -> None:
    async def go() -> Caller:
        async with calling(tmp_path, "成人票多少钱？", **MANUAL) as caller:
            await caller.speak(1.0)
            await caller.tell("input_audio_buffer.commit")
            await caller.tell("response.create")
            await caller.tell("response.cancel")
            await caller.until("response.done")
            await asyncio.sleep(10)
            assert types(caller.seen).count("response.created") == 1
            await caller.tell("response.create")
            await caller.until("response.done")
        return caller

    caller = virtual.run(go())
    done = [event["response"]["status"] for event in caller.seen if event["type"] == "response.done"]
    assert done == ["cancelled", "completed"]
    assert types(caller.seen).count("response.created") == 2
    first = types(caller.seen).index("response.done")
    assert "response.output_audio.delta" not in types(caller.seen[:first])


@pytest.mark.parametrize("speech", [True, False])
def test_an_answer_ends_where_it_is_cancelled_and_remembers_what_was_heard(speech: bool, tmp_path: Path) -> None:
    """By the user's voice, or by the client."""

    async def go() -> tuple[list[dict[str, Any]], list[Message]]:
        long = scripted(answer="好的。" + "恐龙厅在二楼，海洋厅在一楼，" * 20, pace=0.3)
        async with calling(tmp_path, "学生票多少钱？请告诉我。", model=long, grounded=False) as caller:
            await caller.types_in("请介绍展厅")
            await caller.tell("response.create")
            *_, delta = await caller.until("response.output_audio.delta")
            if speech:
                await caller.speak(3.0)
            else:
                await caller.tell("response.cancel")
            events = await caller.until("response.done")
            heard = {"item_id": delta["item_id"], "content_index": 0, "audio_end_ms": 100}
            await caller.tell("conversation.item.truncate", **heard)
            return events, list(caller.session.memory.messages())

    events, remembered = virtual.run(go())
    response = events[-1]["response"]
    reason = "turn_detected" if speech else "client_cancelled"
    assert (response["status"], response["status_details"]["reason"]) == ("cancelled", reason)
    assert response["output"][0]["status"] == "incomplete"
    said = response["output"][0]["content"][0]["transcript"]
    assert [one.text for one in remembered if one.role == "assistant" and one.text == said] == []


@pytest.mark.parametrize("running", [True, False], ids=["the next one runs", "the next one is over"])
@pytest.mark.parametrize(("first", "second"), [("成人票多少钱？", "你好"), ("How much is an adult ticket?", "Hello")])
def test_a_truncation_that_comes_late_cuts_the_memory_of_its_own_answer(
    first: str, second: str, running: bool, tmp_path: Path
) -> None:
    async def go() -> tuple[list[Message], list[Message]]:
        async with calling(tmp_path) as caller:
            await caller.types_in(first)
            await caller.tell("response.create")
            item = (await caller.until("response.done"))[-1]["response"]["output"][0]
            await asyncio.sleep(30)
            await caller.types_in(second)
            await caller.tell("response.create")
            await caller.until("response.created" if running else "response.done")
            before = list(caller.session.memory.messages())
            heard = {"item_id": item["id"], "content_index": 0, "audio_end_ms": 700}
            await caller.tell("conversation.item.truncate", **heard)
            if running:
                status = (await caller.until("response.done"))[-1]["response"]["status"]
                assert status == "completed", "it is no interruption of the next one"
            return before, list(caller.session.memory.messages())

    before, after = virtual.run(go())
    assert after[0] == before[0] and after[0].text == first
    assert 0 < len(after[1].text) < len(before[1].text) and before[1].text.startswith(after[1].text)
    assert after[2:4] == before[2:4] if not running else len(after) == 4


def calls(*names: str) -> Any:
    return scripted(calls=[{"name": name, "arguments": {}} for name in names])


@pytest.mark.parametrize("names", [("light",), ("light", "air")], ids=len)
@pytest.mark.parametrize("language", ["zh", "en"])
def test_tools_that_are_called_at_once_are_answered_by_the_client(
    names: Sequence[str], language: str, tmp_path: Path
) -> None:
    words = {"zh": ("请把灯打开", "灯打开了。"), "en": ("Turn the light on.", "The light is on.")}[language]
    tools = [{**TOOL, "name": name} for name in names]

    async def go() -> tuple[Caller, dict[str, Any], dict[str, Any]]:
        async with calling(tmp_path, model=calls(*names), tools=tools) as caller:
            await caller.types_in(words[0])
            await caller.tell("response.create")
            called = (await caller.until("response.done"))[-1]["response"]
            for one in called["output"]:
                output = {"type": "function_call_output", "call_id": one["call_id"], "output": words[1]}
                await caller.tell("conversation.item.create", item=output)
            await caller.tell("response.create")
            answered = (await caller.until("response.done"))[-1]["response"]
        return caller, called, answered

    caller, called, answered = virtual.run(go())
    recorded(f"tools-{len(names)}-{language}", caller.seen)
    assert [one["name"] for one in called["output"]] == list(names)
    assert answered["status"] == "completed" and words[1] in answered["output"][0]["content"][0]["transcript"]


def test_what_is_typed_is_answered_with_what_is_spoken(tmp_path: Path) -> None:
    async def go() -> list[dict[str, Any]]:
        async with calling(tmp_path, "多少钱？") as caller:
            await caller.types_in("成人票")
            await caller.speak(1.4, quiet=1.6)
            return await caller.until("response.done")

    assert "60" in virtual.run(go())[-1]["response"]["output"][0]["content"][0]["transcript"]
