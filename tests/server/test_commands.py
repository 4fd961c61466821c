import json
import subprocess
import sys
import wave
from pathlib import Path

import pytest
import yaml

from server.__main__ import main

QUESTIONS = ["成人票多少钱？", "How much is an adult ticket?", "馆长的工资是多少？", "What is the capital of France?"]


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ZHUBO_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("ZHUBO_PROFILE", "test")
    return tmp_path


def test_a_file_of_questions_gives_one_json_object_a_line(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = home / "问题.txt"
    file.write_text("\ufeff" + "\n\n".join(QUESTIONS), "utf-8")
    assert main(["ask", "--file", str(file), "--json"]) == 0
    answers = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [answer["question"] for answer in answers] == QUESTIONS
    assert [answer["refused"] for answer in answers] == [False, False, True, True]
    for answer in answers[:2]:
        assert "60" in answer["answer"]
        assert {"document", "title", "quote"} <= answer["citations"][0].keys()
        assert all(answer["timings"][stage] >= 0 for stage in ("retrieval", "first_text", "first_audio", "total"))


def test_an_answer_is_written_as_sound_and_cues(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wav, cues = home / "a.wav", home / "a.json"
    assert main(["ask", QUESTIONS[0], "--wav", str(wav), "--cues", str(cues)]) == 0
    assert "60" in capsys.readouterr().out
    with wave.open(str(wav)) as sound:
        seconds = sound.getnframes() / sound.getframerate()
    timed = json.loads(cues.read_text())["cues"]
    assert any(cue.get("viseme") not in (None, "sil") for cue in timed)
    assert all(0 <= cue["t"] <= seconds for cue in timed)


def test_asking_nothing_or_twice_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ask"]) == 2
    assert "give either a question or --file" in capsys.readouterr().err
    assert main(["ask", "--file", "/nonexistent/问题.txt"]) == 2
    assert "cannot read /nonexistent/问题.txt" in capsys.readouterr().err


def test_config_check_shows_what_is_in_force_and_no_secret(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ZHUBO__SERVER__KEY", "hush-hush")
    monkeypatch.setenv("ZHUBO__SERVER__KEYS", "[{key: hush-east, base: east}]")
    monkeypatch.setenv("ZHUBO__MODEL__OPTIONS__API_KEY", "hush-hush")
    assert main(["config", "check", "--profile", "production"]) == 0
    shown = capsys.readouterr().out
    settings = yaml.safe_load(shown)
    assert "hush" not in shown
    assert settings["model"]["engine"] == "openai" and settings["model"]["options"]["endpoints"][0]["api_key"]
    assert settings["server"]["keys"][0]["base"] == "east"
    assert settings["server"]["key"] and settings["limits"]["first_token"] == 3


@pytest.mark.parametrize(
    ("arguments", "environ", "message"),
    [
        (["--profile", "nightly"], {}, "no profile 'nightly'; there are: offline, production, test"),
        ([], {"ZHUBO__VOICE__ENGINE": "parrot"}, "no engine 'parrot' among the voices; installed: "),
        ([], {"ZHUBO__VOICE__OPTIONS__LOUDNESS": "3"}, "voices engine 'tone', option 'loudness'"),
        ([], {"ZHUBO__SERVER__PORT": "many"}, "server.port: Input should be a valid integer"),
        ([], {"ZHUBO__PERSONA": "/nonexistent/persona.yaml"}, "no persona '/nonexistent/persona.yaml'"),
        ([], {"ZHUBO__SERVER__HOST": "0.0.0.0"}, "refusing to listen on 0.0.0.0 without a key"),
    ],
)
def test_what_is_wrong_with_the_settings_is_said_precisely(
    arguments: list[str],
    environ: dict[str, str],
    message: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    for command in (["config", "check"], ["serve", "--port", "0"]):
        assert main([*command, *arguments]) == 2
        assert message in capsys.readouterr().err


def test_a_key_of_one_base_lets_other_machines_be_served(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ZHUBO__SERVER__HOST", "0.0.0.0")
    monkeypatch.setenv("ZHUBO__SERVER__KEYS", "[{key: hush, base: east}]")
    assert main(["config", "check"]) == 0
    assert "hush" not in capsys.readouterr().out


def test_a_question_is_answered_from_the_base_that_is_named(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    guide = home / "东馆.md"
    guide.write_text("# 东馆\n\n蓝鲸骨架在东馆三层。The whale skeleton is on floor three.\n", "utf-8")
    assert main(["kb", "create", "east"]) == main(["kb", "ingest", str(guide), "--base", "east"]) == 0
    capsys.readouterr()
    for question, said in (("蓝鲸骨架在哪里？", "三层"), ("Where is the whale skeleton?", "three")):
        assert main(["ask", question, "--base", "east"]) == 0
        assert said in capsys.readouterr().out
    assert main(["ask", QUESTIONS[0], "--base", "west"]) == 2
    assert "there is no knowledge base 'west'" in capsys.readouterr().err


def test_a_secret_in_an_engines_free_mapping_is_not_shown(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ZHUBO__MODEL__ENGINE", "langchain")
    monkeypatch.setenv("ZHUBO__MODEL__OPTIONS__CLASS", "langchain_openai:ChatOpenAI")
    arguments = (
        "{API_KEY: hush, max_tokens: 64, default_headers: {x-Token: hush, Authorization: hush}, list: [{pw: 1}]}"
    )
    monkeypatch.setenv("ZHUBO__MODEL__OPTIONS__ARGUMENTS", arguments)
    assert main(["config", "check"]) == 0
    shown = capsys.readouterr().out
    assert "hush" not in shown
    assert yaml.safe_load(shown)["model"]["options"]["arguments"]["max_tokens"] == 64


@pytest.mark.parametrize(
    ("command", "environ", "message"),
    [
        (["serve", "--port", "99999"], {}, "(command line, ZHUBO__* environment): server.port: Input should be less"),
        (["config", "check"], {"ZHUBO__SERVER__ORIGINS": "[hush"}, "ZHUBO__SERVER__ORIGINS is not YAML, line 1"),
        (["config", "check"], {"ZHUBO__SERVER__KEY": ""}, "server.key: Value error, a key is made of one or more"),
        (["config", "check"], {"ZHUBO__SERVER__KEY": "hush 密"}, "a key is made of one or more ASCII letters"),
        (["ask", "你好", "--wav", "/dev/null/a.wav"], {}, "cannot write /dev/null/a.wav: no such folder"),
        (["ask", "hello", "--cues", "/"], {}, "cannot write /: it is a folder"),
    ],
)
def test_a_wrong_use_is_told_in_one_line(
    command: list[str],
    environ: dict[str, str],
    message: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    assert main(command) == 2
    captured = capsys.readouterr()
    assert message in captured.err and captured.err.count("\n") == 1
    assert "hush" not in captured.err and not captured.out


def test_missing_weights_are_told_with_what_to_do(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ZHUBO_CACHE", str(home / "empty"))
    assert main(["ask", "--profile", "offline", "你好"]) == 2
    assert "zhubo models pull" in capsys.readouterr().err


def test_help_is_instant_for_it_loads_no_engine() -> None:
    code = (
        "import sys; from server.__main__ import main\n"
        "try: main(['--help'])\nexcept SystemExit: pass\n"
        "heavy = {'fastapi', 'numpy', 'onnxruntime', 'chromadb', 'xllamacpp', 'uvicorn'} & sys.modules.keys()\n"
        "sys.exit(f'loaded {heavy}' if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
