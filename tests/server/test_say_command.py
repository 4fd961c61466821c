"""`zhubo say`: a WAV and captions that carry the label, and say at their beginning what they are."""

import io
import json
import re
import sys
import wave
from importlib.resources import files
from pathlib import Path

import pytest
import yaml

from avatar.labels import Producer, label_of
from avatar.notice import CAPTION, SENTENCE, rhythm
from configs.engines import EngineSpec
from configs.home import current
from configs.settings import load
from server.__main__ import main
from server.speaking import speak
from tests.avatar.speech_server import SpeechServer

TEXTS = {"zh": "您好，票价60元。请看右边。", "en": "Hello, a ticket is $60. Please look to the right."}


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ZHUBO_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("ZHUBO_PROFILE", "test")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_a_text_becomes_labelled_sound_and_captions(
    home: Path, lang: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ZHUBO__LABELS__PRODUCER", "海港科学馆")
    sound, captions = home / "a.wav", home / "a.vtt"
    assert main(["say", TEXTS[lang], "--out", str(sound), "--captions", str(captions)]) == 0
    assert "a.wav: " in capsys.readouterr().out
    label = label_of(sound.read_bytes(), "wav")
    assert label is not None and label == label_of(captions.read_bytes(), "vtt")
    assert Producer("海港科学馆").made(label)
    timed = captions.read_text("utf-8")
    shown = re.sub(r"<[\d:.]+>", "", timed)
    assert shown.index(SENTENCE["zh" if lang == "zh" else "en"]) < shown.index({"zh": "票价60", "en": "$60"}[lang])
    with wave.open(str(sound)) as file:
        assert file.getnframes() / file.getframerate() > 3
    assert shown != timed, "the words have their times"


def test_the_notice_can_be_the_rhythm(home: Path) -> None:
    assert main(["say", TEXTS["zh"], "--notice", "tone", "--captions", "a.srt"]) == 0
    with wave.open("speech.wav") as file:
        rate = file.getframerate()
        assert file.readframes(len(rhythm(rate).pcm) // 2) == rhythm(rate).pcm
    assert f"1\n00:00:00,000 --> 00:00:01,680\n{CAPTION['zh']}" in (home / "a.srt").read_text("utf-8")


def test_there_is_no_way_without_a_notice(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["say", "hello", "--notice", "none"])
    assert "invalid choice" in capsys.readouterr().err


def test_two_contents_have_ids_of_their_own(home: Path) -> None:
    for name in ("a.wav", "b.wav"):
        assert main(["say", "hello", "--out", name]) == 0
    one, other = (label_of((home / name).read_bytes(), "wav") for name in ("a.wav", "b.wav"))
    assert one and other and one.content != other.content


def test_the_text_may_come_from_standard_input(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO("票价60元。".encode())))
    assert main(["say", "-", "--captions", "a.vtt"]) == 0
    assert "60" in (home / "a.vtt").read_text("utf-8")


async def test_the_personas_voice_speaks_and_gets_what_is_for_the_ear(home: Path) -> None:
    packaged = (files("configs") / "personas" / "guide.yaml").read_text("utf-8")
    tree = yaml.safe_load(packaged) | {"voice": {"zh": "xiaoya"}}
    (home / "own.yaml").write_text(yaml.safe_dump(tree, allow_unicode=True), "utf-8")
    server = SpeechServer()
    async with server.running() as url:
        voice = EngineSpec(engine="openai", options={"base_url": url, "model": "x"})
        settings = load("test").model_copy(update={"voice": voice, "persona": str(home / "own.yaml")})
        speech = await speak("请看（二楼）https://www.kjg.cn/a?b=1", None, settings, current(), "tone")
    assert [(asked["voice"], asked["input"]) for asked in server.asked] == [("xiaoya", "请看，二楼，kjg点cn")]
    assert [line.text for line in speech.lines] == [CAPTION["zh"], "请看（二楼）https://www.kjg.cn/a?b=1"]
    assert speech.lines[-1].end == speech.audio.seconds


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["say", "……！"], "nothing to say"),
        (["say", "hello", "--out", "/nonexistent/a.wav"], "cannot write /nonexistent/a.wav"),
        (["say", "hello", "--captions", "a.txt"], "captions are written as .vtt or .srt, not .txt"),
        (["say", "hello", "--persona", "nobody"], "nobody"),
    ],
)
def test_what_cannot_be_done_is_told(
    arguments: list[str], told: str, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    assert told in capsys.readouterr().err
    assert not (home / "speech.wav").exists()


def test_a_voice_that_fails_is_told(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    voice = {"engine": "openai", "options": {"base_url": "http://127.0.0.1:9", "model": "x"}}
    monkeypatch.setenv("ZHUBO__VOICE", json.dumps(voice))
    assert main(["say", "hello"]) == 1
    assert "the speech server failed" in capsys.readouterr().err
    assert not (home / "speech.wav").exists()
