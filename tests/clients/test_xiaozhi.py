"""xiaozhi-sdk, unmodified, against a real server: OTA, hello, its tools, text and Opus both ways, abort."""

import json
import subprocess
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from configs.language import detect
from tests.clients.environment import HERE, python
from tests.e2e.serving import Served, serving

pytestmark = pytest.mark.e2e
QUICKLY = {"ZHUBO__VOICE__OPTIONS__SECONDS_PER_UNIT": "0.05"}
KEY = "operators-key"
PATIENCE = 900
"""Seconds that a slow machine may take for a program, which gives up by itself before."""
QUESTIONS = [("成人票多少钱？", "60"), ("How much is an adult ticket?", "60")]
FACES = {"neutral", "happy", "relaxed", "sad", "angry", "surprised", "thinking", "embarrassed"}


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("xiaozhi"), environ=QUICKLY, wait=PATIENCE) as server:
        yield server


@pytest.fixture(scope="module")
def keyed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    environ = {**QUICKLY, "ZHUBO__SERVER__KEY": KEY}
    with serving(tmp_path_factory.mktemp("keyed"), environ=environ, wait=PATIENCE) as server:
        yield server


def sdk(url: str, what: str, words: str = "") -> dict[str, Any]:
    command = [str(python("xiaozhi")), str(HERE / "programs" / "xiaozhi_talk.py"), url, what, words]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE)
    assert ended.returncode == 0, ended.stderr
    told: dict[str, Any] = json.loads(ended.stdout.splitlines()[-1])
    return told


def answer(told: dict[str, Any]) -> list[dict[str, Any]]:
    """What came after the notice that an AI speaks."""
    messages: list[dict[str, Any]] = told["seen"][told["from"] :]
    assert all(one["session_id"] for one in messages if one["type"] != "websocket")
    return [one for one in messages if one["type"] != "websocket"]


def said(messages: list[dict[str, Any]]) -> str:
    return "".join(one["text"] for one in messages if one.get("state") == "sentence_start")


@pytest.mark.parametrize(("question", "fact"), QUESTIONS)
def test_it_asks_in_writing_and_hears_the_answer(served: Served, question: str, fact: str) -> None:
    told = sdk(served.url, "talk", question)
    assert told["entered"] and told["notice"]["seconds"] > 0.5 and told["notice"]["peak"] > 500
    messages = answer(told)
    kinds = [one.get("state") or one["type"] for one in messages]
    assert kinds[0] == "stt" and messages[0]["text"] == question and kinds[-1] == "stop"
    assert kinds.index("llm") < kinds.index("start") < kinds.index("sentence_start") < kinds.index("sentence_end")
    assert {one["emotion"] for one in messages if one["type"] == "llm"} <= FACES
    assert fact in said(messages)
    assert told["sound"]["seconds"] > 0.3 and told["sound"]["peak"] > 500


@pytest.mark.parametrize("words", ["把音量调到五十", "Set the volume to fifty, please"])
def test_its_tool_is_called_and_what_came_of_it_is_said(served: Served, words: str) -> None:
    told = sdk(served.url, "tool", words)
    assert told["called"] == [{"volume": 50}]
    assert "50" in said(answer(told)) and told["sound"]["peak"] > 500


@pytest.mark.parametrize(("question", "fact"), QUESTIONS)
def test_it_stops_the_answer(served: Served, question: str, fact: str) -> None:
    told = sdk(served.url, "abort", question)
    assert told["after"]["seconds"] == 0
    later = told["seen"][told["stop"] :]
    assert not [one for one in later if one["type"] in ("tts", "stt")]


def test_it_is_heard_in_both_languages(served: Served) -> None:
    """The test profile's recogniser hears one question after the other, whatever is said."""
    heard = []
    for lang in ("zh", "en"):
        told = sdk(served.url, "listen")
        messages = answer(told)
        heard += [one["text"] for one in messages if one["type"] == "stt"]
        assert detect(said(messages)) == lang and told["sound"]["peak"] > 500
    assert heard == ["科学馆几点开门？", "When does the museum open?"]


def test_a_new_one_is_let_in_by_the_operator(keyed: Served) -> None:
    assert not sdk(keyed.url, "enter")["entered"]
    (waiting,) = devices(keyed.url)["waiting"]
    assert devices(keyed.url, "POST", f"/{waiting['code']}") == {"id": "aa:bb:cc:00:11:22"}
    told = sdk(keyed.url, "talk", QUESTIONS[0][0])
    assert told["entered"] and QUESTIONS[0][1] in said(answer(told))
    log = keyed.log.read_text()
    assert KEY not in log and waiting["code"] not in log and QUESTIONS[0][0] not in log


def devices(url: str, method: str = "GET", path: str = "") -> Any:
    request = urllib.request.Request(f"{url}/v1/devices{path}", method=method)
    request.add_header("Authorization", f"Bearer {KEY}")
    with urllib.request.urlopen(request, timeout=60) as response:
        return json.load(response)


def test_the_version_that_was_tried_is_the_one_that_is_told() -> None:
    pinned = Path(HERE / "xiaozhi.txt").read_text().splitlines()
    told = (HERE.parents[1] / "docs" / "clients.md").read_text("utf-8")
    assert "xiaozhi-sdk==0.5.1" in pinned and "`xiaozhi-sdk` 0.5.1" in told
