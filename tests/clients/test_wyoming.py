"""Real Wyoming clients, unmodified, against a real server: the official library, and its benchmark."""

import json
import os
import re
import subprocess
import wave
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.clients.environment import HERE, python
from tests.e2e.serving import serving
from tests.server.wyoming_client import voice

pytestmark = pytest.mark.e2e
WORDS = {"zh-CN": "科学馆几点开门？", "en-US": "When does the museum open?"}


@dataclass(frozen=True)
class Place:
    uri: str
    http: str
    log: Path

    @property
    def address(self) -> str:
        return self.uri.removeprefix("tcp://")


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    environ = {"ZHUBO__WYOMING__PORT": "0", "ZHUBO__WYOMING__NOTICE": "false"}
    with serving(tmp_path_factory.mktemp("wyoming"), environ=environ) as server:
        assert server.process.stdout is not None
        found = re.search(r"tcp://\S+", server.process.stdout.readline())
        assert found
        yield Place(found[0], server.url, server.log)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """What the test profile's ears take for each language's words, with the words beside it."""
    folders = {}
    for lang, words in WORDS.items():
        folder = folders[lang] = tmp_path_factory.mktemp(f"corpus-{lang}")
        for name, rate in (("narrow", 16_000), ("wide", 48_000)):
            with wave.open(str(folder / f"{name}.wav"), "wb") as file:
                file.setnchannels(1)
                file.setsampwidth(2)
                file.setframerate(rate)
                file.writeframes(voice(1.5, rate))
            (folder / f"{name}.txt").write_text(words, "utf-8")
    return folders


def run(*arguments: str) -> str:
    command = [str(python("wyoming")), *arguments]
    environ = {**os.environ, "PYTHONUTF8": "1"}
    ended = subprocess.run(command, capture_output=True, text=True, timeout=600, env=environ)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


def client(served: Place, what: str, *arguments: str) -> list[tuple[str, dict[str, Any], int]]:
    lines = run(str(HERE / "programs" / "wyoming_client.py"), served.uri, what, *arguments).splitlines()
    return [(kind, data, size) for kind, data, size in map(json.loads, lines)]


def bench(*arguments: str) -> str:
    return run("-m", "wyoming_bench.cli", *arguments)


def test_the_client_reads_what_is_offered(served: Place) -> None:
    events = client(served, "info")
    assert [kind for kind, _, _ in events] == ["pong", "info", "parsed"]
    assert events[-1][1] == {
        "flags": {"asr": [True], "tts": [True], "handle": [True]},
        "languages": [["zh", "zh-CN", "en", "en-US"]] * 3,
    }


@pytest.mark.parametrize("lang", WORDS)
def test_the_client_is_heard(served: Place, corpus: dict[str, Path], lang: str) -> None:
    events = client(served, "hear", str(corpus[lang] / "wide.wav"), lang)
    assert events[0][0] == "transcript-start"
    chunks = [data["text"] for kind, data, _ in events if kind == "transcript-chunk"]
    assert "".join(chunks) == WORDS[lang] == events[-2][1]["text"]


@pytest.mark.parametrize(
    ("lang", "text"),
    [("zh-CN", "门开着，室温25度。请随手关门。"), ("en-US", "The door is open. It is 25 degrees: close it, please.")],
)
def test_the_client_is_read_to_whole_and_in_pieces(served: Place, lang: str, text: str) -> None:
    whole, pieces = client(served, "say", text, lang), client(served, "stream", text, lang)
    assert whole[-1] == pieces[-1] and whole[-1][1]["seconds"] > 1
    assert [kind for kind, _, _ in whole if kind != "audio-chunk"] == ["audio-start", "audio-stop", "sound"]
    assert [kind for kind, _, _ in pieces][-3:] == ["audio-stop", "synthesize-stopped", "sound"]


@pytest.mark.parametrize(
    ("lang", "question", "answer"),
    [("zh-CN", "成人票多少钱？", "60"), ("en-US", "How much is an adult ticket?", "60")],
)
def test_the_client_is_answered(served: Place, lang: str, question: str, answer: str) -> None:
    events = client(served, "ask", question, lang)
    assert events[0][0] == "handled-start" and events[-2][0] == "handled"
    told = events[-2][1]
    assert answer in told["text"] and told["context"] == {"conversation_id": "1"}
    assert "".join(data["text"] for kind, data, _ in events if kind == "handled-chunk").strip() == told["text"]


def test_the_client_is_told_that_it_is_not_handled(served: Place) -> None:
    assert client(served, "ask", "谁是美国总统？", "zh-CN")[-2][0] == "not-handled"


def test_the_benchmark_reads_what_is_offered(served: Place) -> None:
    told = bench("info", served.address)
    assert "asr  zhubo (transcript streaming)" in told and "tts  zhubo (synthesize streaming)" in told
    assert "other  handle" in told and told.count("guide [zh, zh-CN, en, en-US]") == 2


@pytest.mark.parametrize("text", ["你好。今天开馆。", "Hello there. We are open today."])
def test_the_benchmark_measures_speech(served: Place, text: str) -> None:
    config = json.dumps({"voice": "guide"})
    told = bench(
        *("tts", "--mode", "both", "--texts", text, "--rounds", "2", "--warmup", "0", "--config", config),
        *("--timeout", "120", "-v", served.address),
    )
    assert told.count("ok=2 fail=0") == 2 and "NOT SUPPORTED" not in told, told
    assert len(re.findall(r"^\[(?:non_)?streaming\] r\d .*cycles=1$", told, re.MULTILINE)) == 4, told


@pytest.mark.parametrize("lang", WORDS)
def test_the_benchmark_measures_hearing(served: Place, corpus: dict[str, Path], lang: str) -> None:
    config = json.dumps({"language": lang})
    told = bench(
        *("stt", "--corpus", str(corpus[lang]), "--mode", "both", "--rounds", "1", "--warmup", "0"),
        *("--config", config, "--timeout", "120", "-v", served.address),
    )
    assert "FAIL" not in told and "NOT SUPPORTED" not in told, told
    assert len(re.findall(r"^\[(?:non_)?streaming\] r0 .*WER=0\.0%", told, re.MULTILINE)) == 4, told


def test_the_benchmark_makes_a_corpus_of_our_speech_and_has_it_heard(served: Place, tmp_path: Path) -> None:
    bench("generate-corpus", "--out", str(tmp_path), "--texts", "你好", "--timeout", "120", served.address)
    [sound] = tmp_path.rglob("*.wav")
    told = bench("seed-corpus", "--corpus", str(tmp_path), "--overwrite", "--timeout", "120", served.address)
    assert "1 transcript(s)" in told and sound.with_suffix(".txt").read_text("utf-8").strip() in WORDS.values()


def test_nothing_that_was_said_stands_in_the_log(served: Place) -> None:
    client(served, "ask", "鹦鹉洲头在哪里？", "zh-CN")
    assert "鹦鹉洲头" not in served.log.read_text("utf-8")
