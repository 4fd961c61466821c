"""`zhubo models` and `zhubo doctor` from the outside: what they print and how they end."""

import json
import socket
from pathlib import Path

import pytest

from server.__main__ import main

VOICE = "kokoro-82m/voices/zf_xiaoxiao.bin"


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ZHUBO_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("ZHUBO_DATA", str(tmp_path / "data"))
    return tmp_path / "cache"


def test_list_tells_what_is_here_and_under_which_licence(cache: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    row = next(index for index, line in enumerate(lines) if line.startswith("kokoro-82m"))
    assert lines[row].split() == ["kokoro-82m", "111.2", "MB", "missing", "offline"]
    assert "Apache-2.0 (weights), MIT" in lines[row + 1]


def test_verify_names_the_damaged_file_and_the_remedy(cache: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = cache / "models" / VOICE
    path.parent.mkdir(parents=True)
    path.write_bytes(bytes(522240))
    assert main(["models", "verify", "kokoro-82m"]) == 1
    out = capsys.readouterr().out
    assert "voices/zf_xiaoxiao.bin: damaged: expected sha256" in out
    assert "run `zhubo models pull kokoro-82m`" in out


def test_a_pull_that_fails_says_why_and_ends_with_1(
    cache: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    assert main(["models", "pull", "silero-vad", "--from", str(tmp_path / "stick")]) == 1
    error = capsys.readouterr().err
    assert "silero_vad.onnx could not be brought" in error
    assert f"from {tmp_path / 'stick' / 'silero-vad' / 'silero_vad.onnx'}: no such file" in error
    assert "from silero-vad==6.2.3: ERROR: " in error


@pytest.mark.parametrize("words", [["pull", "gpt"], ["pull", "--group", "gpt"], ["verify", "gpt"]])
def test_an_unknown_model_is_a_wrong_use(words: list[str], cache: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", *words]) == 2
    assert "'gpt'; known: " in capsys.readouterr().err


def test_doctor_says_what_the_offline_profile_lacks(cache: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor"]) == 1
    out = capsys.readouterr().out
    assert "!! model kokoro-82m: kokoro-v1.0.int8.timed.onnx missing and 36 more" in out
    assert "do: zhubo models pull kokoro-82m" in out
    assert "!! model whisper-base" in out
    assert out.endswith("profile offline cannot run: see the lines marked !!\n")


def test_doctor_looks_for_the_model_that_is_chosen(
    cache: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ZHUBO__MODEL__OPTIONS__MODEL", "qwen2.5-coder-1.5b-instruct")
    assert main(["doctor", "--json"]) == 1
    verdicts = {one["name"]: one["verdict"] for one in json.loads(capsys.readouterr().out)["findings"]}
    assert verdicts["model qwen2.5-coder-1.5b-instruct"] == "wrong"
    assert verdicts["model qwen2.5-coder-0.5b-instruct"] == "absent"
    monkeypatch.setenv("ZHUBO__MODEL__OPTIONS__MODEL", "qwen-nonsense")
    assert main(["doctor"]) == 1
    assert "!! model qwen-nonsense: no packaged model has this name" in capsys.readouterr().out


def test_doctor_needs_no_weights_for_the_test_profile(cache: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "--profile", "test", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    verdicts = {finding["name"]: finding["verdict"] for finding in report["findings"]}
    assert report["well"] and report["profile"] == "test"
    assert (verdicts["packages"], verdicts["voice engine"], verdicts["model kokoro-82m"]) == ("well", "well", "absent")


def test_doctor_looks_at_each_voice_of_a_chain(
    cache: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ZHUBO__VOICE__ENGINE", "chain")
    monkeypatch.setenv("ZHUBO__VOICE__OPTIONS__VOICES", "[{engine: tone}]")
    assert main(["doctor", "--profile", "test"]) == 0
    monkeypatch.setenv("ZHUBO__VOICE__OPTIONS__VOICES", "[{engine: tone}, {engine: kokoro}]")
    assert main(["doctor", "--profile", "test"]) == 1
    assert "zhubo models pull kokoro-82m" in capsys.readouterr().out


def test_doctor_names_a_persona_and_a_moderator_that_are_not_there(
    cache: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert main(["doctor", "--profile", "test"]) == 0
    out = capsys.readouterr().out
    assert "ok persona: guide, 小澜 / Lan" in out and "ok moderator engine: lexicon" in out
    monkeypatch.setenv("ZHUBO__PERSONA", "nobody")
    monkeypatch.setenv("ZHUBO__SAFETY__MODERATORS", "[{engine: oracle}]")
    assert main(["doctor", "--profile", "test"]) == 1
    out = capsys.readouterr().out
    assert "!! persona: no persona 'nobody'" in out
    assert "!! moderator engine: no engine 'oracle' among the moderators" in out


def test_doctor_sees_a_port_in_use_and_a_folder_that_is_no_folder(
    cache: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "data").write_text("a file")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        monkeypatch.setenv("ZHUBO__SERVER__PORT", str(port))
        monkeypatch.setenv("ZHUBO__KNOWLEDGE__WATCH", f"[{{folder: {tmp_path / '公告'}}}, {{folder: {tmp_path}}}]")
        assert main(["doctor", "--profile", "test"]) == 1
    out = capsys.readouterr().out
    assert f"-- port: 127.0.0.1:{port}: Address already in use" in out
    assert f"!! watched folder 公告: {tmp_path / '公告'} is no folder" in out
    assert f"ok watched folder {tmp_path.name}: {tmp_path}, into main" in out
    assert "!! data folder: " in out and "do: set ZHUBO_DATA to a folder of yours" in out
