"""Real clients of OpenAI's HTTP API, unmodified, against a real server."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.clients.environment import HERE, python
from tests.e2e.serving import Served, serving

pytestmark = pytest.mark.e2e
QUESTIONS = [("成人票多少钱？", "60"), ("How much is an adult ticket?", "60 yuan")]
LEANING = [
    ("成人票多少钱？", "60元。", "那儿童票呢？", "30"),
    ("How much is an adult ticket?", "60 yuan.", "And a student?", "30"),
]
CALLS = '[{name: light, arguments: {"on": true}}]'
EVENTS = [
    "response.created",
    "response.in_progress",
    "response.output_item.added",
    "response.content_part.added",
    "response.output_text.delta",
    "response.output_text.annotation.added",
    "response.output_text.done",
    "response.content_part.done",
    "response.output_item.done",
    "response.completed",
]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("http")) as server:
        yield server


@pytest.fixture(scope="module")
def calling(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server whose model calls the client's tool."""
    environ = {"ZHUBO__MODEL__OPTIONS__CALLS": CALLS, "ZHUBO__PROMPT__SIZE": "full"}
    with serving(tmp_path_factory.mktemp("calling"), environ=environ) as server:
        yield server


def ran(program: str, *arguments: str) -> dict[str, Any]:
    command = [str(python("openai-http")), str(HERE / "programs" / f"{program}.py"), *arguments]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=600)
    assert ended.returncode == 0, ended.stderr
    told: dict[str, Any] = json.loads(ended.stdout)
    return told


@pytest.mark.parametrize(("question", "answer"), QUESTIONS)
def test_openai_chats_whole_and_streamed(served: Served, question: str, answer: str) -> None:
    told = ran("http_openai", served.url, "chat", question)
    assert answer in told["text"] and told["streamed"] == told["text"] and told["finish"] == "stop"
    assert told["annotations"][0]["url_citation"]["title"] == told["citations"][0]["title"]
    assert told["kinds"] == ["ChatCompletionChunk"]
    usage, streamed = told["usage"], told["streamed_usage"]
    assert usage["completion_tokens"] == streamed["completion_tokens"] > 0
    assert streamed["prompt_tokens"] > usage["prompt_tokens"] > 0


@pytest.mark.parametrize(("question", "answer"), QUESTIONS)
def test_openai_responds_and_goes_on(served: Served, question: str, answer: str) -> None:
    told = ran("http_openai", served.url, "responses", question)
    for name in ("text", "then", "kept", "streamed"):
        assert answer in told[name]
    assert told["status"] == "completed" and told["total"] > 0 and told["annotations"][0]["type"] == "url_citation"
    assert list(dict.fromkeys(told["kinds"])) == EVENTS


def test_openai_speaks_and_hears_every_format(served: Served, tmp_path: Path) -> None:
    text = "欢迎来到科学馆。Welcome to the museum."
    told = ran("http_openai", served.url, "sound", text, str(tmp_path))
    assert all(size > 5000 for size in told["bytes"].values()) and told["bytes"]["pcm"] > 60_000
    assert set(told["heard"].values()) == {"科学馆几点开门？"}
    assert told["segments"][0]["text"] and told["seconds"] > 1
    assert told["events"][-1] == {"type": "transcript.text.done", "text": "When does the museum open?"}
    assert "".join(one["delta"] for one in told["events"][:-1]) == told["events"][-1]["text"]


def test_openai_lists_models_and_raises_its_own_errors(served: Served) -> None:
    assert ran("http_openai", served.url, "models", "") == {"models": ["guide", "guide:main"], "one": "guide:main"}
    told = ran("http_openai", served.url, "mistakes", "你好")
    assert {name: (kind, code) for name, (kind, code, _) in told.items()} == {
        "model": ("NotFoundError", "model_not_found"),
        "empty": ("BadRequestError", "invalid_value"),
        "long": ("BadRequestError", "context_length_exceeded"),
        "sound": ("BadRequestError", "unsupported_format"),
        "gone": ("NotFoundError", "response_not_found"),
    }
    assert all(" / " in message for _, _, message in told.values())


@pytest.mark.parametrize("api", ["chat", "responses"])
@pytest.mark.parametrize(("first", "answer", "then", "second"), LEANING)
def test_langchain_invokes_and_streams(
    served: Served, api: str, first: str, answer: str, then: str, second: str
) -> None:
    told = ran("http_langchain", served.url, api, first, answer, then)
    assert "60" in told["text"] and told["streamed"] == told["text"] and second in told["led"]
    assert told["chunks"] > 2 and told["usage"]["output_tokens"] == told["streamed_usage"]["output_tokens"] > 0


@pytest.mark.parametrize("words", ["请把灯打开", "Please switch the light on"])
def test_langchain_does_what_its_tool_is_called_for(calling: Served, words: str) -> None:
    told = ran("http_langchain_tools", calling.url, words)
    assert told["calls"] == told["streamed"] == [["light", {"on": True}]] and told["text"]
