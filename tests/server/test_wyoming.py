"""Wyoming over TCP: real sockets, the shipped engines without weights, and clients that do what they should not.

`ZHUBO_GOLDEN=write pytest tests/server/test_wyoming.py` records the conversations anew: read the difference before
committing it.
"""

import hashlib
import json
import os
import socket
from collections.abc import AsyncIterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from agent.safe_lines import line
from configs.engines import ConfigError
from configs.language import Lang
from configs.settings import load
from configs.wyoming import WyomingSettings
from server.commands.config import effective
from server.wyoming import listening_on
from tests.server.wyoming_client import FORMAT, Client, Heard, Served, sound, voice, wyoming


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def served(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Served]:
    """A service with the sample documents; whatever a test does to its connections, it stays well."""
    async with wyoming(tmp_path_factory.mktemp("wyoming"), ZHUBO__KNOWLEDGE__SAMPLE="true") as one:
        yield one


module = pytest.mark.asyncio(loop_scope="module")


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
