"""Real clients of the OpenAI Realtime API, unmodified, against a real server."""

import json
import math
import struct
import subprocess
import wave
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.clients.environment import HERE, node, python
from tests.e2e.serving import Served, serving

pytestmark = pytest.mark.e2e
GOLDEN = HERE.parent / "server" / "golden" / "realtime"
QUESTIONS = [("成人票多少钱？", "60"), ("How much is an adult ticket?", "60")]
PATIENCE = 900
"""Seconds that a slow machine may take for a program; each gives up by itself before."""
SPEECH = (
    "{zh: 好的。"
    + "恐龙厅在二楼，海洋厅在一楼，" * 20
    + ", en: Sure. "
    + "The halls are upstairs and downstairs and " * 20
    + "}"
)
CALLS = '[{name: light, arguments: {"on": true}}]'
BOTH = '[{name: light, arguments: {"on": true}}, {name: air, arguments: {"on": true}}]'


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("realtime"), wait=PATIENCE) as server:
        yield server


@pytest.fixture(scope="module")
def slow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server whose model says two words and then goes on for a minute: whoever interrupts it is not too late."""
    environ = {
        "ZHUBO__KNOWLEDGE__GROUNDED": "false",
        "ZHUBO__MODEL__OPTIONS__ANSWER": SPEECH,
        "ZHUBO__MODEL__OPTIONS__PACE": "0.3",
    }
    with serving(tmp_path_factory.mktemp("slow"), environ=environ, wait=PATIENCE) as server:
        yield server


@pytest.fixture(scope="module")
def calling(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server whose model calls the client's tool."""
    environ = {"ZHUBO__MODEL__OPTIONS__CALLS": CALLS, "ZHUBO__PROMPT__SIZE": "full"}
    with serving(tmp_path_factory.mktemp("calling"), environ=environ, wait=PATIENCE) as server:
        yield server


@pytest.fixture(scope="module")
def calling_two(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """And two of them at once."""
    environ = {"ZHUBO__MODEL__OPTIONS__CALLS": BOTH, "ZHUBO__PROMPT__SIZE": "full"}
    with serving(tmp_path_factory.mktemp("two"), environ=environ, wait=PATIENCE) as server:
        yield server


def openai(url: str, what: str, words: str) -> list[tuple[str, dict[str, Any]]]:
    program = HERE / "programs" / "realtime_openai.py"
    lines = run([str(python("realtime-openai")), str(program), url, what, words]).splitlines()
    return [(name, event) for name, event in map(json.loads, lines)]


def agents(url: str, *arguments: str) -> dict[str, Any]:
    folder = node("agents-realtime")
    told: dict[str, Any] = json.loads(run(["node", "talk.mjs", url.replace("http", "ws"), *arguments], folder))
    return told


def run(command: list[str], folder: Path | None = None, given: str | None = None) -> str:
    ended = subprocess.run(command, cwd=folder, input=given, capture_output=True, text=True, timeout=PATIENCE)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def kinds(events: list[tuple[str, dict[str, Any]]]) -> list[str]:
    return [event["type"] for _, event in events]


@pytest.mark.parametrize(("question", "answer"), QUESTIONS)
def test_openai_text(served: Served, question: str, answer: str) -> None:
    events = openai(served.url, "text", question)
    assert events[0][0] == "SessionCreatedEvent" and events[-1][0] == "ResponseDoneEvent"
    said = "".join(event["delta"] for _, event in events if event["type"] == "response.output_text.delta")
    assert answer in said
    assert events[-1][1]["response"]["output"][0]["content"][0]["text"] == said


@pytest.mark.parametrize(("question", "answer"), QUESTIONS)
def test_openai_truncates_what_was_not_heard(served: Served, question: str, answer: str) -> None:
    events = openai(served.url, "truncate", question)
    said = next(event["response"] for _, event in events if event["type"] == "response.done")
    assert answer in said["output"][0]["content"][0]["transcript"]
    assert kinds(events)[-4:] == [
        "rate_limits.updated",
        "conversation.item.truncated",
        "error",
        "conversation.item.retrieved",
    ]
    heard = events[-1][1]["item"]["content"][0]["transcript"]
    assert len(heard) < len(said["output"][0]["content"][0]["transcript"])


@pytest.mark.parametrize("question", [question for question, _ in QUESTIONS])
def test_openai_interrupts(slow: Served, question: str) -> None:
    events = openai(slow.url, "barge", question)
    response = events[-1][1]["response"]
    assert (response["status"], response["status_details"]["reason"]) == ("cancelled", "client_cancelled")
    assert response["output"][0]["status"] == "incomplete"
    assert 0 < len(response["output"][0]["content"][0]["transcript"]) < 100


def test_openai_is_heard(served: Served, tmp_path: Path) -> None:
    events = openai(served.url, "audio", str(voice(tmp_path / "user.wav")))
    told = [kind for kind in kinds(events) if kind.startswith("input_audio_buffer")]
    assert told[:3] == [f"input_audio_buffer.{what}" for what in ("speech_started", "speech_stopped", "committed")]
    heard = next(event for _, event in events if event["type"].endswith("transcription.completed"))
    started = next(event for _, event in events if event["type"] == "input_audio_buffer.speech_started")
    assert heard["item_id"] == started["item_id"] and heard["transcript"]
    response = events[-1][1]["response"]
    assert response["status"] == "completed" and response["output"][0]["content"][0]["transcript"]


def test_openai_interrupts_by_speaking(slow: Served, tmp_path: Path) -> None:
    events = openai(slow.url, "speak_over", str(voice(tmp_path / "user.wav", 2.5)))
    response = next(event["response"] for _, event in events if event["type"] == "response.done")
    assert (response["status"], response["status_details"]["reason"]) == ("cancelled", "turn_detected")
    assert "conversation.item.truncated" in kinds(events)
    item = events[-1][1]["item"]
    assert item["role"] == "assistant" and item["status"] == "incomplete"
    said = response["output"][0]["content"][0]["transcript"]
    assert said.startswith(item["content"][0]["transcript"]) and said != item["content"][0]["transcript"]


@pytest.mark.parametrize(("question", "answer"), QUESTIONS)
def test_openai_talks_with_a_key_for_minutes(served: Served, question: str, answer: str) -> None:
    name, event = openai(served.url, "secret", question)[-1]
    assert name == "ResponseDoneEvent" and answer in event["response"]["output"][0]["content"][0]["text"]


def voice(path: Path, seconds: float = 1.0) -> Path:
    """What the test profile's detector takes for speech."""
    samples = (
        round(9000 * math.sin(at * 0.08) * (0.6 + 0.4 * math.sin(at * 0.002))) for at in range(round(24_000 * seconds))
    )
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(24_000)
        file.writeframes(b"".join(struct.pack("<h", sample) for sample in samples))
    return path


def test_openai_answers_a_tool(calling: Served) -> None:
    events = openai(calling.url, "tool", "请把灯打开")
    done = [event["response"] for _, event in events if event["type"] == "response.done"]
    assert [response["status"] for response in done] == ["completed", "completed"]
    assert done[0]["output"][-1]["name"] == "light" and json.loads(done[0]["output"][-1]["arguments"]) == {"on": True}
    assert "灯" in done[1]["output"][0]["content"][0]["transcript"]


@pytest.mark.parametrize(("question", "answer"), QUESTIONS)
def test_agents_realtime_talks(served: Served, question: str, answer: str) -> None:
    told = agents(served.url, question)
    assert told["errors"] == [] and told["bytes"] > 20_000
    assert told["parsed"].keys() >= {"turn_started", "turn_done", "item_update", "audio_transcript_delta"}
    assert [item["role"] for item in told["history"]] == ["user", "assistant"]
    assert answer in told["history"][1]["content"][0]["transcript"]


@pytest.mark.parametrize(("question", "answer"), QUESTIONS)
@pytest.mark.parametrize("modalities", ["text", "audio,text"])
def test_the_client_of_the_beta_talks(served: Served, question: str, answer: str, modalities: str) -> None:
    program = HERE / "programs" / "realtime_beta.py"
    lines = run([str(python("realtime-beta")), str(program), served.url, question, modalities]).splitlines()
    events = [(name, event) for name, event in map(json.loads, lines)]
    assert [name for name, _ in events[:3]] == [
        "SessionCreatedEvent",
        "SessionUpdatedEvent",
        "ConversationItemCreatedEvent",
    ]
    assert events[1][1]["session"]["input_audio_format"] == "g711_ulaw"
    kind = "response.text.delta" if modalities == "text" else "response.audio_transcript.delta"
    assert answer in "".join(event["delta"] for _, event in events if event["type"] == kind)
    assert ("response.audio.delta" in kinds(events)) == (modalities != "text")
    assert events[-1][0] == "ResponseDoneEvent" and events[-1][1]["response"]["status"] == "completed"


def test_agents_realtime_interrupts(served: Served) -> None:
    told = agents(served.url, QUESTIONS[1][0], "interrupt")
    assert told["errors"] == [] and "conversation.item.truncated" in told["seen"]
    assert "conversation.item.retrieved" in told["seen"]


def test_agents_realtime_answers_a_tool(calling: Served) -> None:
    told = agents(calling.url, "请把灯打开", "tool")
    assert told["errors"] == [] and told["parsed"]["function_call"] == 1
    assert "灯开了" in told["history"][-1]["content"][0]["transcript"]
    assert told["seen"].count("response.done") == 2


def test_agents_realtime_answers_two_tools_at_once(calling_two: Served) -> None:
    told = agents(calling_two.url, "请把灯和空调都打开", "tools")
    assert told["errors"] == [] and told["parsed"]["function_call"] == 2
    said = told["history"][-1]["content"][0]["transcript"]
    assert "灯开了" in said or "空调开了" in said


def test_pipecat_knows_every_event() -> None:
    events = [line for path in sorted(GOLDEN.glob("*.jsonl")) for line in path.read_text("utf-8").splitlines()]
    ours = [line for line in events if "type" in json.loads(line)]
    lines = run([str(python("pipecat")), str(HERE / "programs" / "realtime_pipecat.py")], given="\n".join(ours))
    taken = [json.loads(line) for line in lines.splitlines()]
    assert len(taken) == len(ours) > 100
    unknown = {kind for kind, model in taken if model == "NoneType"}
    assert unknown <= {"conversation.item.retrieved"} and {kind for kind, _ in taken} > {"response.done", "error"}
