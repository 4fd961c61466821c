"""Sound that Wyoming clients want the words of."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from avatar.engines.scripted_ears import ScriptedEars, ScriptedHearing
from avatar.hearing import Expectation
from knowledge.bases import MAIN
from server.admission import Admission
from server.protocols.wyoming import Format, Frame, Transcribe
from server.wyoming.provider import Provider
from tests.server.wyoming_client import (
    FORMAT,
    PATIENCE,
    Served,
    tasks,
    voice,
    wyoming,
)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def served(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Served]:
    """A service with the sample documents; whatever a test does to its connections, it stays well."""
    async with wyoming(tmp_path_factory.mktemp("wyoming"), ZHUBO__KNOWLEDGE__SAMPLE="true") as one:
        yield one


module = pytest.mark.asyncio(loop_scope="module")


async def test_what_is_heard_is_given_up_whole_though_whoever_does_it_is_cancelled(tmp_path: Path) -> None:
    async with wyoming(tmp_path) as served:
        before = tasks()
        provider = Provider(served.service, Admission(served.service))

        async def reply(frame: Frame) -> None: ...

        hearing = provider.hearing(Format(16_000, 1), Transcribe(), reply, pieces=False)
        await hearing.feed(voice())
        closing = asyncio.create_task(hearing.aclose())
        await asyncio.sleep(0)
        closing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await closing
        assert tasks() - before <= {"titles and headings"}, "of the service's own, which comes and goes"


@pytest.mark.parametrize(("asked", "first"), [({}, []), ({"transcript_names": ["Ada"]}, ["Ada"])])
async def test_what_is_written_in_the_documents_is_expected_to_be_spoken_of(
    asked: dict[str, Any], first: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected: list[Expectation] = []
    hear = ScriptedEars.hear

    def noted(ears: ScriptedEars, expectation: Expectation) -> ScriptedHearing:
        expected.append(expectation)
        return hear(ears, expectation)

    monkeypatch.setattr(ScriptedEars, "hear", noted)
    async with wyoming(tmp_path, ZHUBO__KNOWLEDGE__SAMPLE="true") as served:
        async with asyncio.timeout(PATIENCE):
            while not served.service.words_for(MAIN):
                await asyncio.sleep(0.02)
        async with served.client() as client:
            await client.speak(voice(), language="en", **asked)
            await client.until("transcript")
    words = list(expected[-1].words)
    assert words[: len(first)] == first and len(words) == len(set(words))
    assert {"Harbour Science Museum", "海港科学馆球幕影院"} <= set(words)


@module
@pytest.mark.parametrize(
    ("form", "payload", "code"),
    [
        ({**FORMAT, "width": 1}, b"12", "bad_audio"),
        ({**FORMAT, "width": 4}, bytes(8), "bad_audio"),
        ({**FORMAT, "channels": 8}, bytes(16), "bad_audio"),
        ({**FORMAT, "rate": 0}, bytes(8), "bad_audio"),
        ({**FORMAT, "rate": 12_345}, bytes(8), "bad_audio"),
        (FORMAT, b"123", "bad_audio"),
        ({"rate": 16_000}, b"12", "bad_event"),
    ],
)
async def test_sound_that_is_none_is_an_error_in_both_languages(
    served: Served, form: dict[str, int], payload: bytes, code: str
) -> None:
    async with served.client() as client:
        await client.send("transcribe")
        await client.send("audio-chunk", form, payload)
        told = await client.fails()
        assert told[0] == code and " / " in told[1]


@module
async def test_a_format_that_changes_in_mid_stream_is_an_error(served: Served) -> None:
    async with served.client() as client:
        await client.send("audio-start", FORMAT)
        await client.send("audio-chunk", {**FORMAT, "rate": 48_000}, voice(0.1))
        assert (await client.fails())[0] == "bad_audio"


@module
@pytest.mark.parametrize(("rate", "channels"), [(8_000, 1), (16_000, 2), (24_000, 1), (44_100, 2), (48_000, 1)])
async def test_sound_of_every_usual_format_is_heard(served: Served, rate: int, channels: int) -> None:
    async with served.client() as client:
        form = {"rate": rate, "width": 2, "channels": channels}
        await client.speak(voice(1.0, rate, channels), form, language="en")
        assert (await client.until("transcript-stop"))[-2].data["text"] == "When does the museum open?"


@module
async def test_silence_and_no_sound_at_all_are_an_empty_transcript(served: Served) -> None:
    async with served.client() as client:
        for pcm in (bytes(96_000), b"", bytes(2)):
            await client.speak(pcm, language="zh")
            events = await client.until("transcript-stop")
            assert [event.type for event in events] == ["transcript-start", "transcript", "transcript-stop"]
            assert events[1].data == {"text": "", "language": "zh"}
        await client.send("audio-stop")
        assert (await client.until("transcript-stop"))[1].data == {"text": ""}


@module
async def test_sound_without_a_word_before_it_is_heard(served: Served) -> None:
    async with served.client() as client:
        await client.send("audio-chunk", FORMAT, voice())
        await client.send("audio-stop")
        assert (await client.until("transcript"))[-1].data["text"]


@module
async def test_sound_that_begins_anew_is_heard_anew(served: Served) -> None:
    async with served.client() as client:
        await client.send("audio-start", FORMAT)
        await client.send("audio-chunk", FORMAT, voice())
        await client.speak(bytes(32_000), language="en")
        assert (await client.until("transcript"))[-1].data["text"] == ""


@module
async def test_fifty_times_real_time_is_heard_to_its_end(served: Served) -> None:
    async with served.client() as client:
        await client.speak(voice(50.0), samples=160_000, language="zh")
        assert (await client.until("transcript-stop"))[-2].data["text"] == "科学馆几点开门？"


async def test_without_a_recogniser_no_hearing_is_offered(tmp_path: Path) -> None:
    async with wyoming(tmp_path, deaf=True) as served, served.client() as client:
        await client.send("describe")
        assert (await client.until("info"))[-1].data["asr"] == []
        await client.send("audio-start", FORMAT)
        assert (await client.fails())[0] == "no_recognizer"


@pytest.mark.parametrize("code", ["unreachable", "overloaded", "refused", "failed"])
async def test_a_recogniser_that_fails_is_told(code: str, tmp_path: Path) -> None:
    async with wyoming(tmp_path, ZHUBO__RECOGNIZER__OPTIONS__FAILS=code) as served, served.client() as client:
        await client.speak(voice(), language="zh")
        told = await client.fails()
        assert told[0] == f"recognizer_{code}" and "语音识别" in told[1] and "peech recognition" in told[1]


async def test_a_recogniser_that_takes_too_long_is_told(tmp_path: Path) -> None:
    environ = {"ZHUBO__RECOGNIZER__OPTIONS__DELAY": "60", "ZHUBO__LISTENING__RECOGNITION": "0.3"}
    async with wyoming(tmp_path, **environ) as served, served.client() as client:
        await client.speak(voice(), language="en")
        assert (await client.fails())[0] == "recognizer_timeout"


async def test_more_sound_than_is_heard_at_once_is_told(tmp_path: Path) -> None:
    async with wyoming(tmp_path, ZHUBO__LISTENING__LONGEST="2") as served, served.client() as client:
        await client.send("audio-start", FORMAT)
        for _ in range(5):
            await client.send("audio-chunk", FORMAT, bytes(16_000))
        assert (await client.fails())[0] == "too_long"
