"""Wyoming over TCP: real sockets, the shipped engines without weights, and clients that do what they should not.

`ZHUBO_GOLDEN=write pytest tests/server/test_wyoming.py` records the conversations anew: read the difference before
committing it.
"""

import asyncio
import gc
import hashlib
import json
import logging
import os
import socket
from collections.abc import AsyncIterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from agent.safe_lines import line
from agent.session import Session
from avatar.engines.scripted_ears import ScriptedEars, ScriptedHearing
from avatar.hearing import Expectation
from configs.engines import ConfigError
from configs.language import Lang
from configs.settings import load
from configs.wyoming import WyomingSettings
from knowledge.bases import MAIN
from server.admission import Admission
from server.commands.config import effective
from server.protocols.wyoming import Format, Frame, Transcribe
from server.wyoming import listening_on
from server.wyoming.connection import Connection
from server.wyoming.provider import Provider
from tests.server.wyoming_client import FORMAT, PATIENCE, Client, Heard, Served, voice, wyoming

GOLDEN = Path(__file__).parent / "golden" / "wyoming"
TEXTS = {
    "zh": ("成人票多少钱？", "儿童票呢？", "今天室温25度。**门**开着，请随手关门。", "科学馆几点开门？"),
    "en": (
        "How much is an adult ticket?",
        "And a child ticket?",
        "It is 25 degrees today. The *door* is open: close it, please.",
        "When does the museum open?",
    ),
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def served(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Served]:
    """A service with the sample documents; whatever a test does to its connections, it stays well."""
    async with wyoming(tmp_path_factory.mktemp("wyoming"), ZHUBO__KNOWLEDGE__SAMPLE="true") as one:
        yield one


module = pytest.mark.asyncio(loop_scope="module")


def legible(event: Heard) -> dict[str, Any]:
    shown: dict[str, Any] = {"type": event.type, "data": event.data}
    if event.type == "info":
        ours = json.dumps(version("zhubo"))
        shown["data"] = json.loads(json.dumps(event.data).replace(f'"version": {ours}', '"version": "…"'))
    if event.payload:
        shown |= {"bytes": len(event.payload), "sha256": hashlib.sha256(event.payload).hexdigest()[:16]}
    return shown


async def heard(client: Client, *kinds: str) -> list[dict[str, Any]]:
    """Pieces of a transcript are joined: how many there are is a matter of time."""
    shown: list[dict[str, Any]] = []
    for event in await client.until(*kinds):
        one = legible(event)
        if shown and one["type"] == shown[-1]["type"] == "transcript-chunk":
            shown[-1]["data"]["text"] += one["data"]["text"]
        else:
            shown.append(one)
    return shown


async def converse(client: Client, lang: str) -> list[dict[str, Any]]:
    question, following, text, _ = TEXTS[lang]
    context = {"conversation_id": f"golden {lang}"}
    pieces = [text[at : at + 5] for at in range(0, len(text), 5)]
    conversation: list[tuple[str, dict[str, Any] | None, str | None]] = [
        ("ping", {"text": "1"}, "pong"),
        ("describe", None, "info"),
        ("transcribe", {"language": lang, "context": {"room": 1}}, None),
        ("audio-start", {**FORMAT, "timestamp": 0}, None),
        ("audio-chunk", {**FORMAT, "timestamp": 0}, None),
        ("audio-stop", {"timestamp": 1000}, "transcript-stop"),
        *(
            ("transcript", {"text": asked, "language": lang, "context": context}, "handled-stop")
            for asked in (question, following)
        ),
        ("synthesize", {"text": text, "voice": {"name": "guide"}}, "audio-stop"),
        ("synthesize-start", {"voice": {"language": lang}}, None),
        *(("synthesize-chunk", {"text": piece}, None) for piece in pieces),
        ("synthesize", {"text": text}, None),
        ("synthesize-stop", None, "synthesize-stopped"),
    ]
    seen: list[dict[str, Any]] = []
    for kind, data, end in conversation:
        seen.append({"client": kind, "data": data or {}})
        await client.send(kind, data, voice() if kind == "audio-chunk" else b"")
        if end is not None:
            seen += await heard(client, end)
    return seen


@pytest.mark.parametrize("lang", TEXTS)
async def test_conversations_go_as_recorded(lang: str, tmp_path: Path) -> None:
    async with wyoming(tmp_path, ZHUBO__KNOWLEDGE__SAMPLE="true") as served, served.client() as client:
        seen = await converse(client, lang)
    path = GOLDEN / f"{lang}.jsonl"
    if os.environ.get("ZHUBO_GOLDEN") == "write":
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(json.dumps(one, ensure_ascii=False) + "\n" for one in seen), "utf-8")
    assert seen == [json.loads(one) for one in path.read_text("utf-8").splitlines()]
    told = {kind: [one["data"] for one in seen if one.get("type") == kind] for kind in ("transcript", "handled")}
    assert [one["text"] for one in told["transcript"]] == [TEXTS[lang][3]]
    answers = told["handled"]
    assert "60" in answers[0]["text"] and "30" in answers[1]["text"]
    assert all(answer["context"] == {"conversation_id": f"golden {lang}"} for answer in answers)


@module
async def test_a_text_sounds_the_same_whole_and_in_pieces_and_without_markup(served: Served) -> None:
    async with served.client() as client:
        await client.send("synthesize", {"text": "门开着。请随手关门。"})
        whole = sound(await client.until("audio-stop"))
        await client.send("synthesize", {"text": "# **门**开着。请`随手`关门。"})
        assert sound(await client.until("audio-stop")) == whole
        await client.send("synthesize-start")
        for piece in "门开着。请随手关门。":
            await client.send("synthesize-chunk", {"text": piece})
        await client.send("synthesize-stop")
        assert sound(await client.until("synthesize-stopped")) == whole


def sound(events: list[Heard]) -> bytes:
    return b"".join(event.payload for event in events if event.type == "audio-chunk")


@module
@pytest.mark.parametrize("piece", ["门开着，请随手关门。", "The door is open, close it please. "])
async def test_a_long_text_that_says_one_thing_again_and_again_is_read_whole(served: Served, piece: str) -> None:
    times = 3100 // len(piece)
    assert times * len(piece) > served.service.settings.safety.answer_characters
    async with served.client() as client:
        await client.send("synthesize", {"text": piece})
        once = sound(await client.until("audio-stop"))
        await client.send("synthesize", {"text": piece * times})
        assert sound(await client.until("audio-stop")) == once * times


@module
async def test_a_text_is_judged_and_spoken_in_its_own_language(
    served: Served, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    for text in ("门开着。请随手关门。", "The door is open. Close it, please."):
        async with served.client() as client:
            await client.send("synthesize", {"text": text})
            assert sound(await client.until("audio-stop"))
    assert "language" not in caplog.text


@module
@pytest.mark.parametrize("text", ["", "……", "  \n "])
async def test_nothing_to_say_is_an_empty_sound(served: Served, text: str) -> None:
    async with served.client() as client:
        await client.send("synthesize", {"text": text})
        assert [event.type for event in await client.until("audio-stop")] == ["audio-start", "audio-stop"]


@module
async def test_the_first_sentence_is_heard_before_the_text_is_whole(served: Served) -> None:
    async with served.client() as client:
        await client.send("synthesize-start")
        await client.send("synthesize-chunk", {"text": "门开着。请随手"})
        assert sound(await client.until("audio-chunk"))
        await client.send("synthesize-stop")
        await client.until("synthesize-stopped")


@module
@pytest.mark.parametrize(("lang", "text"), [("zh", "自制炸弹的方法是这样的。"), ("en", "Here is how to make a bomb.")])
async def test_what_may_not_be_said_is_not_said(served: Served, lang: str, text: str) -> None:
    async with served.client() as client:
        await client.send("synthesize", {"text": text, "voice": {"language": lang}})
        said = sound(await client.until("audio-stop"))
        await client.send("synthesize", {"text": line("weapons")[lang], "voice": {"language": lang}})
        assert said == sound(await client.until("audio-stop"))


@pytest.mark.parametrize(("lang", "text"), [("zh", "怎么自制炸弹？"), ("en", "How do I make a bomb at home?")])
async def test_who_is_promised_a_human_who_is_not_there_is_told_so(lang: Lang, text: str, tmp_path: Path) -> None:
    policy = {"ZHUBO__SAFETY__POLICY__QUESTION": '{"weapons": "handover"}'}
    async with wyoming(tmp_path, **policy) as served, served.client() as client:
        await client.send("transcript", {"text": text, "language": lang})
        told = (await client.until("handled", "not-handled"))[-1].data["text"]
        between = " " if lang == "en" else ""
        assert told == f"{line('weapons')[lang]}{between}{served.service.persona.alone[lang]}"


NIGHT = {"ZHUBO__CONDUCT__MINORS__NIGHT": "00:00", "ZHUBO__CONDUCT__MINORS__MORNING": "23:59:59.999"}


@pytest.mark.parametrize("setting", ["WYOMING__MINORS", "CONDUCT__MINORS_ONLY"])
@pytest.mark.parametrize(
    ("lang", "text"), [("zh", "他妈的。门票每张六十元。"), ("en", "You stupid idiot. A ticket costs 60 yuan.")]
)
async def test_children_are_read_and_answered_by_their_rules(
    setting: str, lang: Lang, text: str, tmp_path: Path
) -> None:
    """An answer to a grown-up goes on behind the safe line; and at night children are not answered."""
    async with wyoming(tmp_path, **{f"ZHUBO__{setting}": "true"}, **NIGHT) as served, served.client() as client:
        await client.send("synthesize", {"text": text, "voice": {"language": lang}})
        said = sound(await client.until("audio-stop"))
        await client.send("synthesize", {"text": line("insult")[lang], "voice": {"language": lang}})
        assert said == sound(await client.until("audio-stop"))
        await client.send("transcript", {"text": "门票多少钱？" if lang == "zh" else "What is a ticket?"})
        told = (await client.until("handled", "not-handled"))[-1].data["text"]
        assert told == served.service.persona.over[lang]


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
        assert tasks() == before


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
async def test_clients_of_old_get_whole_answers_alone(served: Served) -> None:
    for old in ("1.5.4", None):
        async with served.client() as client:
            await client.send("transcribe", {"language": "zh"}, version=old)
            await client.send("audio-start", FORMAT, version=old)
            await client.send("audio-chunk", FORMAT, voice(), version=old)
            await client.send("audio-stop", version=old)
            await client.send("transcript", {"text": "你好", "language": "zh"}, version=old)
            events = await client.until("handled")
            assert [event.type for event in events] == ["transcript", "handled"] and events[0].data["text"]


@module
async def test_a_conversation_goes_on_over_connections_and_no_other_does(served: Served) -> None:
    async def asked(conversation: str, text: str) -> str:
        async with served.client() as client:
            context = {"conversation_id": conversation}
            await client.send("transcript", {"text": text, "language": "en", "context": context})
            return str((await client.until("handled", "not-handled"))[-1].data["text"])

    await asked("one", "My name is Ada.")
    assert "Ada" in await asked("one", "What is my name?")
    assert "Ada" not in await asked("two", "What is my name?")


@module
@pytest.mark.parametrize(("lang", "text"), [("zh", "谁是美国总统？"), ("en", "Who is the president of France?")])
async def test_what_the_documents_do_not_say_is_not_handled_and_why_is_told(
    served: Served, lang: str, text: str
) -> None:
    async with served.client() as client:
        await client.send("transcript", {"text": text, "language": lang})
        events = await client.until("handled-stop")
        assert events[-2].type == "not-handled"
        assert events[-2].data["text"] == "".join(one.data["text"] for one in events if one.type == "handled-chunk")


async def test_a_new_conversation_begins_with_the_notice_that_this_is_an_ai(tmp_path: Path) -> None:
    async with wyoming(tmp_path, ZHUBO__WYOMING__NOTICE="true") as served:
        notice = served.service.persona.ai_notice
        for lang, text in (("zh", "你好"), ("en", "Hello")):
            async with served.client() as client:
                told = []
                for _ in range(2):
                    await client.send("transcript", {"text": text})
                    told.append((await client.until("handled-stop"))[-2].data["text"])
                assert told[0].startswith(notice[lang]) and told[0].endswith(told[1]) and len(told[1]) > 2


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


async def test_slow_sound_keeps_a_connection_alive_and_stillness_ends_it(tmp_path: Path) -> None:
    async with wyoming(tmp_path, ZHUBO__WYOMING__IDLE="3") as served, served.client() as client:
        pcm = voice(0.8)
        await client.send("transcribe", {"language": "en"})
        for at in range(0, len(pcm), 2560):
            await client.send("audio-chunk", FORMAT, pcm[at : at + 2560])
            await asyncio.sleep(0.4)
        await client.send("audio-stop")
        assert (await client.until("transcript-stop"))[-2].data["text"]
        assert await client.fails() == ("idle", "nothing happened for 3 s / 连接空闲超过 3 秒")


async def test_whoever_waits_for_us_is_not_idle(tmp_path: Path) -> None:
    environ = {"ZHUBO__WYOMING__IDLE": "2", "ZHUBO__VOICE__OPTIONS__DELAY": "5"}
    async with wyoming(tmp_path, **environ) as served, served.client() as client:
        await client.send("synthesize", {"text": "好"})
        assert sound(await client.until("audio-stop"))


async def test_a_client_that_takes_nothing_is_let_go(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    before, text = tasks(), "".join(f"这里是第{number}句话，没有人在听。" for number in range(170))
    environ = {"ZHUBO__WYOMING__IDLE": "5", "ZHUBO__SERVER__SESSIONS": "1"}
    async with wyoming(tmp_path, **environ) as served, served.client() as client:
        await client.send("synthesize", {"text": text})
        await taken(served)
        await until_free(served)
        await settled(before, caplog)
        assert "a Wyoming client was told: idle" in caplog.text


async def until_free(served: Served) -> None:
    """With one place for all: until a client is served again."""
    async with asyncio.timeout(PATIENCE):
        while True:
            async with served.client() as client:
                await client.send("transcript", {"text": "你好", "language": "zh"}, version=None)
                if (await client.until("handled", "not-handled"))[-1].type == "handled":
                    return
            await asyncio.sleep(0.05)


def tasks() -> set[str]:
    return {task.get_name() for task in asyncio.all_tasks()}


async def settled(before: set[str], caplog: pytest.LogCaptureFixture) -> None:
    """No task of a client's is left, nor was one forgotten while it waited."""
    ours = ("wyoming", "transcript", "turn", "ear", "partials", "answers to speech", "end of an utterance")
    async with asyncio.timeout(PATIENCE):
        while any(name.startswith(ours) for name in tasks() - before):
            await asyncio.sleep(0.01)
    gc.collect()
    assert "destroyed" not in caplog.text


@pytest.mark.parametrize("doing", ["hearing", "speaking", "speaking in pieces", "answering"])
async def test_nothing_is_left_of_a_client_that_vanishes(
    doing: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    before = tasks()
    slow = {"ZHUBO__VOICE__OPTIONS__DELAY": "30", "ZHUBO__RECOGNIZER__OPTIONS__DELAY": "30"}
    slow |= {"ZHUBO__MODEL__OPTIONS__DELAY": "30", "ZHUBO__KNOWLEDGE__SAMPLE": "true"}
    async with wyoming(tmp_path, ZHUBO__SERVER__SESSIONS="1", **slow) as served:
        for abrupt in (False, True):
            async with served.client() as client:
                await begin(client, doing)
                await taken(served)
                if abrupt:
                    client.writer.transport.abort()
            await until_free(served)
            await settled(before, caplog)


async def test_a_hundred_clients_that_vanish_leave_nothing_behind(tmp_path: Path) -> None:
    async with wyoming(tmp_path) as served:
        counts = []
        for clients in (1, 99):
            for number in range(clients):
                async with served.client() as client:
                    await begin(client, ("hearing", "speaking", "speaking in pieces", "answering")[number % 4])
            async with asyncio.timeout(PATIENCE):
                while any(name.startswith("wyoming") for name in tasks()):
                    await asyncio.sleep(0.01)
            gc.collect()
            counts.append(sum(isinstance(one, Session | Connection) for one in gc.get_objects()))
    assert counts[0] == counts[1]


async def test_a_client_that_goes_with_its_answer_leaves_nothing_behind(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Recognisers with weights take a while to close."""
    close = Session.close

    async def closed_slowly(session: Session) -> None:
        await asyncio.sleep(0.2)
        await close(session)

    monkeypatch.setattr(Session, "close", closed_slowly)
    before = tasks()
    async with wyoming(tmp_path) as served:
        async with served.client() as client:
            await client.speak(voice(0.3), language="zh")
            await client.until("transcript-stop")
        await settled(before, caplog)


async def begin(client: Client, doing: str) -> None:
    match doing:
        case "hearing":
            await client.send("transcribe", {"language": "en"})
            await client.send("audio-chunk", FORMAT, voice())
        case "speaking":
            await client.send("synthesize", {"text": "门开着。"})
        case "speaking in pieces":
            await client.send("synthesize-start")
            await client.send("synthesize-chunk", {"text": "门开着。请随手"})
        case _:
            await client.send("transcript", {"text": "How much is an adult ticket?", "language": "en"})


async def taken(served: Served) -> None:
    """The only place is: another client is told, in words that it can read out."""
    async with asyncio.timeout(PATIENCE):
        while True:
            async with served.client() as other:
                await other.send("transcript", {"text": "你好", "language": "zh"}, version=None)
                told = (await other.until("handled", "not-handled"))[-1]
                if told.type == "not-handled":
                    assert "访客太多" in told.data["text"]
                    return
            await asyncio.sleep(0.02)


async def test_where_all_places_are_taken_sound_and_text_are_refused(tmp_path: Path) -> None:
    async with wyoming(tmp_path, ZHUBO__SERVER__SESSIONS="1") as served, served.client() as first:
        await begin(first, "hearing")
        await taken(served)
        for kind, data in (("audio-start", FORMAT), ("synthesize", {"text": "好"}), ("synthesize-start", None)):
            async with served.client() as other:
                await other.send(kind, data)
                assert (await other.fails())[0] == "busy"
        await first.send("audio-stop")
        assert (await first.until("transcript"))[-1].data["text"]


async def test_one_connection_too_many_is_told_and_closed(tmp_path: Path) -> None:
    async with wyoming(tmp_path, ZHUBO__WYOMING__CONNECTIONS="1") as served, served.client() as first:
        await first.send("ping", {"text": "1"})
        await first.until("pong")
        async with served.client() as second:
            told = await second.fails()
            assert told[0] == "busy" and "连接太多" in told[1]
        await first.send("ping", {"text": "2"})
        assert (await first.until("pong"))[-1].data == {"text": "2"}


async def test_a_service_that_is_starting_says_what_it_will_be(tmp_path: Path) -> None:
    async with wyoming(tmp_path, ready=False) as served:
        async with served.client() as client:
            await client.send("describe")
            info = (await client.until("info"))[-1].data
            assert info["asr"] and info["tts"] and info["handle"]
            await client.send("transcript", {"text": "hi"})
            assert "starting" in (await client.until("not-handled"))[-1].data["text"]
        for kind, data in (("audio-start", FORMAT), ("synthesize", {"text": "好"}), ("synthesize-start", None)):
            async with served.client() as client:
                await client.send(kind, data)
                assert (await client.fails())[0] == "starting"


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


DEAD = '{engine: openai, options: {base_url: "http://127.0.0.1:9/v1", model: m, rate: 24000}}'


@pytest.mark.parametrize(
    "environ",
    [
        {"ZHUBO__VOICE__OPTIONS__DELAY": "60", "ZHUBO__LIMITS__FIRST_AUDIO": "0.2"},
        {"ZHUBO__VOICE": DEAD},
    ],
    ids=["silent", "dead"],
)
async def test_a_voice_that_fails_is_told(environ: dict[str, str], tmp_path: Path) -> None:
    async with wyoming(tmp_path, **environ) as served:
        async with served.client() as client:
            await client.send("synthesize", {"text": "门开着。"})
            assert (await client.fails())[0] == "voice_failed"
        async with served.client() as client:
            await client.send("synthesize-start")
            await client.send("synthesize-chunk", {"text": "The door is open. Please"})
            told = await client.fails()
            assert told[0] == "voice_failed" and "语音合成" in told[1]


async def test_a_model_that_is_dead_is_told_in_words_to_read_out(tmp_path: Path) -> None:
    environ = {"ZHUBO__KNOWLEDGE__SAMPLE": "true", "ZHUBO__LIMITS__FIRST_TOKEN": "1"}
    environ["ZHUBO__MODEL"] = '{engine: openai, options: {base_url: "http://127.0.0.1:9/v1", model: m}}'
    async with wyoming(tmp_path, **environ) as served:
        for lang, text in (("zh", "成人票多少钱？"), ("en", "How much is an adult ticket?")):
            async with served.client() as client:
                await client.send("transcript", {"text": text, "language": lang}, version=None)
                told = await client.until("handled", "not-handled")
                assert told[-1].type == "not-handled"
                assert told[-1].data["text"].startswith(served.service.persona.fallback[lang])


@module
@pytest.mark.parametrize(
    ("sent", "code"),
    [
        (b'{"type": "transcribe"}\nRIFF....WAVEfmt \n', "bad_frame"),
        (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", "bad_frame"),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\n", "bad_frame"),
        (b'{"type": "audio-chunk", "payload_length": 99999999}\n', "too_large"),
        (b'{"type": "synthesize", "data_length": 99999999}\n', "too_large"),
        (b"{" + b" " * 10_000_000, "too_large"),
    ],
    ids=["wav", "http", "tls", "payload", "data", "header of 10 MB"],
)
async def test_what_is_no_wyoming_is_told_and_closed(served: Served, sent: bytes, code: str) -> None:
    async with served.client() as client:
        sending = asyncio.create_task(client.raw(sent))
        await asyncio.sleep(0.3)  # whatever is reset meanwhile: the error can be read
        told = await client.fails()
        assert told[0] == code and " / " in told[1]
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)
    async with served.client() as client:
        await client.send("ping")
        await client.until("pong")


@module
@pytest.mark.parametrize(
    ("events", "code"),
    [
        ([("synthesize-chunk", {"text": "好"})], "out_of_order"),
        ([("synthesize-stop", None)], "out_of_order"),
        ([("synthesize-start", None), ("synthesize-start", None)], "out_of_order"),
        ([("synthesize", {"text": "好", "voice": {"name": "nobody"}})], "unknown_voice"),
        ([("synthesize", {"text": "<speak/>", "text_format": "ssml"})], "unsupported"),
        ([("synthesize", {"text": "长" * 20_001})], "too_long"),
        ([("transcript", {})], "bad_event"),
    ],
)
async def test_requests_that_make_no_sense_are_told(served: Served, events: list[tuple[str, Any]], code: str) -> None:
    async with served.client() as client:
        for kind, data in events:
            await client.send(kind, data)
        told = await client.fails()
        assert told[0] == code and " / " in told[1]


@module
async def test_events_that_are_not_known_are_dropped(served: Served) -> None:
    async with served.client() as client:
        await client.send("select-program", {"name": "zhubo"})
        await client.send("dance", {"text": "?"}, b"123")
        await client.send("ping")
        assert [event.type for event in await client.until("pong")] == ["pong"]


async def test_what_can_be_answered_at_once_is_whatever_else_is_under_way(tmp_path: Path) -> None:
    async with wyoming(tmp_path, ZHUBO__VOICE__OPTIONS__DELAY="3") as served, served.client() as client:
        await client.send("synthesize", {"text": "好"})
        await client.send("describe")
        await client.send("ping")
        assert [event.type for event in await client.until("pong")] == ["info", "pong"]
        await client.until("audio-stop")


async def test_clients_are_closed_with_the_service(tmp_path: Path) -> None:
    async with wyoming(tmp_path) as served:
        reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
        client = Client(reader, writer)
        await begin(client, "hearing")
        await client.send("ping")
        await client.until("pong")
    try:
        ended = await client.next()
    except ConnectionError:
        ended = None
    assert ended is None or ended.type.startswith("transcript-")
    writer.close()
    with pytest.raises(OSError):
        await asyncio.open_connection("127.0.0.1", served.port)


async def test_nothing_of_a_conversation_stands_in_the_log(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    environ = {"ZHUBO__RECOGNIZER__OPTIONS__TEXTS": '["鹦鹉洲头"]', "ZHUBO__VOICE": DEAD}
    async with wyoming(tmp_path, **environ) as served:
        async with served.client() as client:
            await client.speak(voice(), language="zh")
            assert (await client.until("transcript"))[-1].data["text"] == "鹦鹉洲头"
            await client.send("transcript", {"text": "鹦鹉洲头在哪里", "context": {"conversation_id": "鹦鹉洲头"}})
            await client.until("handled", "not-handled")
            await client.send("synthesize", {"text": "鹦鹉洲头风浪起"})
            await client.fails()
        async with served.client() as client:
            await client.raw('{"type": "鹦鹉洲头'.encode() + b"\n")
            await client.fails()
    assert caplog.records and "鹦鹉洲头" not in caplog.text


def test_it_is_off_unless_a_port_is_set() -> None:
    assert load("test", environ={}).wyoming.port is None and listening_on(WyomingSettings()) is None


def test_other_machines_are_served_only_where_the_operator_says_so() -> None:
    closed = load("test", environ={"ZHUBO__WYOMING__PORT": "0", "ZHUBO__WYOMING__HOST": "0.0.0.0"})
    with pytest.raises(ConfigError, match="ZHUBO__WYOMING__OPEN=true"):
        effective(closed)
    with pytest.raises(ConfigError, match="no keys"):
        listening_on(closed.wyoming)
    opened = listening_on(closed.wyoming.model_copy(update={"open": True}))
    assert opened is not None
    opened.close()


def test_a_port_that_is_taken_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken_already:
        port = taken_already.getsockname()[1]
        with pytest.raises(ConfigError, match=r"set wyoming\.port to another"):
            listening_on(WyomingSettings(port=port))
