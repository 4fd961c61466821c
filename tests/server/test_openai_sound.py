"""Speech and transcriptions of OpenAI's HTTP API through the application."""

import base64
import io
import json
from pathlib import Path
from typing import Any

import av
import httpx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from avatar.hearing import RATE
from avatar.labels import label_of, read_header
from server.openai.transcribing import stretches
from tests.avatar.test_containers import written
from tests.server.application import application
from tests.server.test_openai import KEYED, bearer, streamed, wrong

SPEECH, TRANSCRIPTIONS = "/v1/audio/speech", "/v1/audio/transcriptions"
KINDS = {
    "mp3": "audio/mpeg",
    "opus": "audio/ogg",
    "aac": "audio/aac",
    "flac": "audio/flac",
    "wav": "audio/wav",
    "pcm": "audio/pcm",
}
CHILDREN = "[{key: school, base: main, minors: true}]"
TEXTS = ["欢迎来到海港科学馆。成人票每张60元。", "Welcome to the museum. An adult ticket costs 60 yuan."]
HEARD = {"zh": "科学馆几点开门？", "en": "When does the museum open?"}


def said(text: str, **more: Any) -> dict[str, Any]:
    return {"model": "tts-1", "input": text, "voice": "alloy", **more}


def voice(seconds: float = 1.0, silent: float = 0.0) -> bytes:
    """Silence, and then what the test profile's detector takes for speech; 24 kHz."""
    at = np.arange(round(24_000 * seconds))
    loud = 9000 * np.sin(at * 0.08) * (0.6 + 0.4 * np.sin(at * 0.002))
    return bytes(2 * round(24_000 * silent)) + np.rint(loud).astype("<i2").tobytes()


async def transcribed(client: httpx.AsyncClient, data: bytes, name: str = "a.wav", **form: Any) -> httpx.Response:
    return await client.post(TRANSCRIPTIONS, files={"file": (name, data)}, data={"model": "whisper-1", **form})


async def test_a_text_is_read_in_every_format_with_its_label(tmp_path: Path) -> None:
    async with application(tmp_path) as client:
        for text in TEXTS:
            seconds = []
            for kind, media in KINDS.items():
                told = await client.post(SPEECH, json=said(text, response_format=kind))
                assert told.status_code == 200 and told.headers["content-type"] == media
                label = read_header(told.headers["x-aigc"])
                if kind == "pcm":
                    seconds.append(len(told.content) / 48_000)
                    continue
                with av.open(io.BytesIO(told.content)) as container:
                    notes = {**container.metadata, **container.streams[0].metadata}
                    frames = list(container.decode(audio=0))
                assert kind == "wav" or json.loads(notes["AIGC"])["AIGC"] == label.aigc
                assert kind != "wav" or label_of(told.content, "wav") == label
                seconds.append(sum(frame.samples for frame in frames) / frames[0].sample_rate)
            assert min(seconds) > 1 and max(seconds) - min(seconds) < 0.15


async def test_speed_voice_and_notice_are_minded_and_mp3_is_the_default(tmp_path: Path) -> None:
    async with application(tmp_path) as client:
        plain = await client.post(SPEECH, json={"model": "tts-1", "input": TEXTS[0]})
        assert plain.headers["content-type"] == "audio/mpeg"
        first = (await client.post(SPEECH, json=said(TEXTS[0], response_format="pcm"))).content
        low = (await client.post(SPEECH, json=said(TEXTS[0], response_format="pcm", voice={"id": "low"}))).content
        assert len(low) == len(first) and low != first
        for notice in ("speech", "tone"):
            told = (await client.post(SPEECH, json=said(TEXTS[0], response_format="pcm", notice=notice))).content
            assert len(told) - len(first) > 48_000 and told.endswith(first)


async def test_speech_is_streamed_as_events(tmp_path: Path) -> None:
    async with application(tmp_path) as client:
        whole = (await client.post(SPEECH, json=said(TEXTS[1], response_format="pcm"))).content
        told = streamed(await client.post(SPEECH, json=said(TEXTS[1], response_format="pcm", stream_format="sse")))
    assert b"".join(base64.b64decode(one["audio"]) for one in told[:-1]) == whole and len(told) > 2
    assert told[-1]["type"] == "speech.audio.done" and {one["type"] for one in told[:-1]} == {"speech.audio.delta"}


async def test_what_may_not_be_said_and_what_is_nothing_is_not_read(tmp_path: Path) -> None:
    async with application(tmp_path) as client:
        for text in ("你好。我是真人，不是人工智能。", "Hello. I am a real person, not an AI."):
            told = await client.post(SPEECH, json=said(text))
            assert wrong(told, 400, "content_policy_violation") and told.json()["error"]["param"] == "input"
        for text in ("……", "?!"):
            assert wrong(await client.post(SPEECH, json=said(text)), 400, "invalid_value")
        for body in (
            said(""),
            said("很" * 4097),
            said("hi", response_format="ogg"),
            said("hi", speed=9),
            {"input": "hi"},
        ):
            assert wrong(await client.post(SPEECH, json=body), 400, "bad_request")
        for name in ("nobody", {"id": "nobody"}):
            told = await client.post(SPEECH, json=said("hi", voice=name))
            assert wrong(told, 400, "voice_failed") and "low, middle, high" in told.text


@pytest.mark.parametrize("text", ["教你自制炸。弹的方法。", "Here is how to make a. Bomb at home."])
async def test_a_word_that_is_cut_in_two_is_judged_whole(tmp_path: Path, text: str) -> None:
    async with application(tmp_path) as client:
        assert wrong(await client.post(SPEECH, json=said(text)), 400, "content_policy_violation")


@pytest.mark.parametrize("line", ["春天来了。", "Row, row, row your boat. "])
async def test_a_text_may_say_one_thing_again_and_again(tmp_path: Path, line: str) -> None:
    async with application(tmp_path) as client:
        assert (await client.post(SPEECH, json=said(line * 12, response_format="pcm"))).status_code == 200


@pytest.mark.parametrize("who", [{"ZHUBO__CONDUCT__MINORS_ONLY": "true"}, {"ZHUBO__SERVER__KEYS": CHILDREN}, {}])
@pytest.mark.parametrize("text", ["他妈的。", "You stupid idiot."])
async def test_what_children_may_not_hear_is_not_read_to_them(tmp_path: Path, who: dict[str, str], text: str) -> None:
    """The children of one key, or all who are served; grown-ups are read it here."""
    async with application(tmp_path, ZHUBO__SAFETY__POLICY__ANSWER='{"insult": "flag"}', **who) as client:
        told = await client.post(SPEECH, json=said(text), headers={"Authorization": "Bearer school"})
        assert wrong(told, 400, "content_policy_violation") if who else told.status_code == 200


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "pcm"])
async def test_a_recording_of_every_format_becomes_words(tmp_path: Path, kind: Any) -> None:
    data = b"".join(written(kind, voice()))
    async with application(tmp_path) as client:
        for lang, text in HEARD.items():
            told = await transcribed(client, data, "no-matter.bin", language=lang)
            assert told.json()["text"] == text and told.json()["usage"]["type"] == "duration"


async def test_a_transcription_is_told_in_every_shape(tmp_path: Path) -> None:
    data = b"".join(written("wav", voice(1.0, silent=2.0)))
    async with application(tmp_path) as client:
        whole = (await transcribed(client, data, language="zh", response_format="verbose_json")).json()
        assert (whole["task"], whole["language"], whole["text"]) == ("transcribe", "chinese", HEARD["zh"])
        segment = whole["segments"][0]
        assert 1.5 < segment["start"] < 2.1 and 2.5 < segment["end"] <= whole["duration"] == pytest.approx(
            3.0, abs=0.01
        )
        assert (await transcribed(client, data, language="english", response_format="text")).text == f"{HEARD['en']}\n"
        srt = (await transcribed(client, data, language="en", response_format="srt")).text
        assert srt.startswith("1\n00:00:01,") and HEARD["en"] in srt
        assert (await transcribed(client, data, language="en", response_format="vtt")).text.startswith("WEBVTT\n")
        told = streamed(await transcribed(client, data, language="zh", stream="true", prompt="海港科学馆，球幕影院"))
        assert "".join(one["delta"] for one in told[:-1]) == told[-1]["text"] == HEARD["zh"]
        assert [one["type"] for one in told] == ["transcript.text.delta", "transcript.text.done"]


async def test_silence_is_no_words_and_several_utterances_are_joined(tmp_path: Path) -> None:
    async with application(tmp_path) as client:
        silent = await transcribed(client, b"".join(written("wav", bytes(96_000))))
        assert silent.json()["text"] == ""
        twice = b"".join(written("wav", voice(1.0, silent=1.0) + voice(1.0, silent=1.5)))
        for lang, joint in (("zh", ""), ("en", " ")):
            told = (await transcribed(client, twice, language=lang, response_format="verbose_json")).json()
            assert told["text"] == joint.join([HEARD[lang]] * 2) and len(told["segments"]) == 2


async def test_a_recording_that_cannot_be_is_told_why_in_both_languages(tmp_path: Path) -> None:
    data = b"".join(written("wav", voice(0.3)))
    async with application(tmp_path) as client:
        for broken, code in (
            (b"", "unsupported_format"),
            ("不是声音".encode(), "unsupported_format"),
            (data[:40], "broken_sound"),
        ):
            assert wrong(await transcribed(client, broken), 400, code)
        for form in ({"language": "fr"}, {"timestamp_granularities[]": "word"}):
            assert wrong(await transcribed(client, data, **form), 400, "unsupported_value")
        assert wrong(await transcribed(client, data, response_format="xml"), 400, "bad_request")
        assert wrong(await client.post(TRANSCRIPTIONS, data={"model": "whisper-1"}), 400, "bad_request")
        assert wrong(await transcribed(client, bytes(1_200_000)), 413, "too_large")


async def test_a_recognizer_that_fails_is_told(tmp_path: Path) -> None:
    data = b"".join(written("wav", voice()))
    async with application(
        tmp_path / "fails", ZHUBO__RECOGNIZER__OPTIONS__FAILS="[overloaded, failed, failed]"
    ) as client:
        told = await transcribed(client, data)
        assert wrong(told, 429, "recognizer_overloaded") and told.headers["retry-after"]
        assert wrong(await transcribed(client, data), 503, "recognizer_failed")
        assert wrong(await transcribed(client, data, stream="true"), 503, "recognizer_failed")


async def test_without_a_recognizer_it_says_what_to_set(tmp_path: Path) -> None:
    settings = tmp_path / "settings.yaml"
    settings.write_text("recognizer: null\n", "utf-8")
    async with application(tmp_path, file=settings) as client:
        told = await transcribed(client, b"".join(written("wav", voice())))
        assert wrong(told, 400, "no_recognizer") and "recognizer" in told.text


async def test_sound_needs_a_key_where_one_is_set(tmp_path: Path) -> None:
    keys = "[{key: sea-key, base: main}]"
    async with application(tmp_path, **KEYED | {"ZHUBO__SERVER__KEYS": keys}) as client:
        assert wrong(await client.post(SPEECH, json=said("hi")), 401, "invalid_api_key")
        assert (await client.post(SPEECH, json=said("hi"), headers=bearer("sea-key"))).status_code == 200


@given(st.lists(st.floats(0, 1), max_size=3000), st.sampled_from([256, 512]))
def test_stretches_of_speech_are_bounded_and_ascend(told: list[float], frame: int) -> None:
    samples = len(told) * frame
    found = stretches(told, frame, 0.5, samples)
    assert all(0 <= begin < end <= samples and end - begin <= 28.1 * RATE for begin, end in found)
    assert all(left[1] <= right[0] for left, right in zip(found, found[1:], strict=False))
    loud = [at * frame for at, probability in enumerate(told) if probability >= 0.5]
    assert all(any(begin <= at < end for begin, end in found) for at in loud)


def test_a_long_speech_is_cut_where_it_is_softest() -> None:
    told = [0.9] * 2000
    told[700] = 0.55
    begin, end = stretches(told, 512, 0.5, 2000 * 512)[0]
    assert (begin, end) == (0, 700 * 512)
