"""xiaozhi's protocol by recorded conversations of a whole connection, in virtual time.

`ZHUBO_GOLDEN=write pytest tests/server/test_xiaozhi.py` records them anew: read the difference before committing it.
"""

import asyncio
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from configs.language import Lang
from server.protocols.xiaozhi.framing import unwrap
from tests import virtual
from tests.server.speaker import (
    ABORT,
    BRIGHTNESS,
    DETECT,
    HAIL,
    HELLO,
    LANGS,
    LOUDER,
    OTHER,
    QUESTION,
    REBOOT,
    STATE,
    STATUS,
    STOP,
    VOLUME,
    Speaker,
    Tools,
    connected,
    ears,
    start,
)

GOLDEN = Path(__file__).parent / "golden" / "xiaozhi"


Step = dict[str, Any] | str | tuple[str, float]
"""What the device says; `heard`: it waits for the next stop; or seconds of `speech`, `quiet` or nothing (`wait`)."""


def conversations(lang: Lang) -> dict[str, tuple[int, bool, list[Step]]]:
    """The version of the frames, whether the device has tools, and what it does."""
    text, wake = ({**DETECT, "text": words[lang]} for words in (QUESTION, HAIL))
    return {
        "auto": (
            1,
            False,
            ["heard", wake, "heard", start("auto"), ("speech", 1.2), ("quiet", 0.6), "heard"],
        ),
        "manual": (
            2,
            False,
            [start("manual"), ("speech", 1.0), STOP, "heard", "heard", text, ("wait", 1.0), ABORT, "heard"],
        ),
        "realtime": (
            3,
            False,
            ["heard", start("realtime"), text, ("wait", 0.5), ("speech", 1.4), ("quiet", 0.6), "heard", "heard"],
        ),
        "tools": (1, True, ["heard", {**DETECT, "text": LOUDER[lang]}, "heard"]),
    }


async def converse(speaker: Speaker, steps: Sequence[Step]) -> list[Any]:
    """What was said and sent, in order."""
    seen: list[Any] = []
    place = stopped = 0

    def look() -> None:
        nonlocal place
        for at, frame in speaker.told[place:]:
            sound = isinstance(frame, bytes)
            if sound and seen and "packets" in seen[-1]:
                seen[-1]["packets"] += 1
                seen[-1]["until"] = round(at, 2)
            elif isinstance(frame, bytes):
                seen.append({"at": round(at, 2), "packets": 1, "header": header(speaker.version, frame)})
            else:
                seen.append({"at": round(at, 2), **frame})
        place = len(speaker.told)

    for step in [{**HELLO, "version": speaker.version}, *steps]:
        look()
        seen.append({"client": step})
        match step:
            case {"type": "hello"}:
                speaker.hello()
                await asyncio.sleep(0.01)
            case dict():
                speaker.say(step)
                await asyncio.sleep(0.01)
            case "heard":
                stopped = 1 + await speaker.stopped(stopped)
            case ("wait", float(seconds)):
                await asyncio.sleep(seconds)
            case (str(kind), float(seconds)):
                await speaker.speak(seconds, quiet=kind == "quiet")
    look()
    return json.loads(json.dumps(seen))  # type: ignore[no-any-return]


def header(version: int, frame: bytes) -> str:
    """All of it but the sizes."""
    payload = len(bytes(unwrap(version, frame)))  # type: ignore[arg-type]
    return frame[: len(frame) - payload][: {1: 0, 2: 12, 3: 2}[version]].hex()


@pytest.mark.parametrize("lang", LANGS)
@pytest.mark.parametrize("name", conversations("zh"))
def test_conversations_go_as_recorded(name: str, lang: Lang) -> None:
    version, tools, steps = conversations(lang)[name]
    own = Tools([STATUS, VOLUME, BRIGHTNESS, REBOOT], {STATUS["name"]: STATE}) if tools else None

    async def go() -> list[Any]:
        async with connected(Speaker(version, own), hears=ears(QUESTION[lang], OTHER[lang]), lang=lang) as speaker:
            return await converse(speaker, steps)

    path = GOLDEN / f"{name}-{lang}.jsonl"
    seen = virtual.run(go())
    if os.environ.get("ZHUBO_GOLDEN") == "write":
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(json.dumps(one, ensure_ascii=False) + "\n" for one in seen), "utf-8")
    assert seen == [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def recorded(name: str, lang: Lang) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (GOLDEN / f"{name}-{lang}.jsonl").read_text("utf-8").splitlines()]


def states(seen: Sequence[dict[str, Any]]) -> list[str]:
    """What a device acts upon, in the order in which it came."""
    told = []
    for one in seen:
        if "packets" in one:
            told.append("sound")
        elif one.get("type") == "tts":
            told.append(one["state"])
        elif one.get("type") in ("stt", "llm"):
            told.append(one["type"])
    return told


@pytest.mark.parametrize("lang", LANGS)
def test_a_turn_is_told_in_the_order_that_devices_need(lang: Lang) -> None:
    seen = recorded("auto", lang)
    turn = states(seen[next(place for place, one in enumerate(seen) if one.get("type") == "stt") :])
    assert turn[:2] == ["stt", "llm"] and turn[-1] == "stop"
    inside = turn[turn.index("start") : -1]
    assert inside[:3] == ["start", "sentence_start", "sound"]
    assert "sound" not in turn[: turn.index("start")] and "start" not in inside[1:] and "stop" not in inside
    assert inside.count("sentence_start") == inside.count("sentence_end") > 0


@pytest.mark.parametrize("lang", LANGS)
def test_what_was_recorded_is_what_was_asked(lang: Lang) -> None:
    for name, count in (("auto", 1), ("manual", 2), ("realtime", 2)):
        assert [one["text"] for one in recorded(name, lang) if one.get("type") == "stt"] == [QUESTION[lang]] * count
    calls = [one["payload"] for one in recorded("tools", lang) if one.get("type") == "mcp"]
    assert [call["params"] for call in calls if call["method"] == "tools/call"] == [
        {"name": "self.get_device_status", "arguments": {}},
        {"name": "self.audio_speaker.set_volume", "arguments": {"volume": 70}},
    ]
    said = "".join(one.get("text", "") for one in recorded("tools", lang) if one.get("state") == "sentence_start")
    assert "70" in said
