"""What goes wrong with a smart speaker, on a whole connection, in virtual time."""

import asyncio
from typing import Any

import pytest

from configs.language import Lang
from server.protocols.xiaozhi.framing import wrap
from tests import virtual
from tests.doubles import BreakingVoice, presenter, scripted, tone
from tests.server.speaker import (
    DETECT,
    LAMP,
    LANGS,
    LOUDER,
    OTHER,
    QUESTION,
    STATE,
    STATUS,
    STOP,
    VOLUME,
    Speaker,
    Tools,
    connected,
    ears,
)


def test_a_hello_that_never_comes_is_told_in_both_languages() -> None:
    async def go() -> None:
        async with connected(Speaker()) as speaker:
            await asyncio.sleep(10.5)
            (alert,) = speaker.messages("alert")
            assert "hello" in alert["message"] and "没有收到" in alert["message"] and speaker.closed == 1008
            assert speaker.sessions == []

    virtual.run(go())


def test_sound_before_hello_ends_the_connection() -> None:
    async def go() -> None:
        async with connected(Speaker()) as speaker:
            speaker.say(speaker.packets(0.06)[0])
            await asyncio.sleep(0.1)
            assert speaker.closed == 1002 and speaker.told == []

    virtual.run(go())


def test_frames_that_cannot_be_read_are_told_of_once_and_the_talk_goes_on() -> None:
    async def go() -> None:
        async with connected(Speaker(3), hears=ears(QUESTION["zh"])) as speaker:
            speaker.hello()
            heard = await speaker.stopped()
            speaker.listen("auto")
            packet = speaker.packets(0.06)[0]
            for frame in (packet, wrap(2, packet, 0), b"\0\0\xff\xff", b"\0", wrap(3, bytes(5000), 0), "no json", "3"):
                speaker.say(frame)
            await asyncio.sleep(0.1)
            assert len(speaker.messages("alert")) == 1
            await speaker.speak(1.2)
            await speaker.speak(0.6, quiet=True)
            await speaker.stopped(heard + 1)
            assert [one["text"] for one in speaker.messages("stt")] == [QUESTION["zh"]]

    virtual.run(go())


def test_garbage_instead_of_opus_is_told_of_and_what_follows_is_heard() -> None:
    async def go() -> None:
        async with connected(Speaker(), hears=ears(QUESTION["en"])) as speaker:
            speaker.hello()
            heard = await speaker.stopped()
            speaker.listen("auto")
            for length in (1, 2, 3, 60, 200, 4000):
                speaker.say(b"\xff" * length)
                speaker.say(bytes(length))
            await speaker.speak(1.2)
            await speaker.speak(0.9, quiet=True)
            await speaker.stopped(heard + 1)
            assert QUESTION["en"] in [one["text"] for one in speaker.messages("stt")]
            assert 1 <= len(speaker.messages("alert")) <= 6

    virtual.run(go())


def test_half_duplex_what_the_device_hears_of_itself_is_no_question() -> None:
    async def go() -> None:
        async with connected(Speaker(), hears=ears(QUESTION["zh"], OTHER["zh"])) as speaker:
            speaker.hello()
            speaker.listen("auto")
            await asyncio.sleep(0.3)
            echo = asyncio.create_task(speaker.speak(3.0))
            await speaker.stopped()
            await echo
            assert speaker.messages("stt") == []

    virtual.run(go())


@pytest.mark.parametrize("lang", LANGS)
def test_nothing_begins_while_the_button_is_pressed(lang: Lang) -> None:
    """A device that is told of speech closes its microphone."""

    async def go() -> None:
        voice = tone(delay=0.3)
        async with connected(Speaker(2), presenter(voice=voice), ears(QUESTION[lang]), lang=lang) as speaker:
            speaker.hello()
            speaker.listen("manual")
            await speaker.speak(9.0)
            assert [frame["type"] for _, frame in speaker.told] == ["hello"]  # type: ignore[index]
            speaker.say(STOP)
            notice = await speaker.stopped()
            assert len(speaker.sound()) > 50, "all of it, although the button was pressed for longer than it lasts"
            await speaker.stopped(notice + 1)
            assert [one["text"] for one in speaker.messages("stt")] == [QUESTION[lang]]
            assert "60" in speaker.said(notice)

    virtual.run(go())


def test_a_button_that_is_never_let_go_stops_nothing_that_was_begun() -> None:
    async def go() -> None:
        async with connected(Speaker()) as speaker:
            speaker.hello()
            await asyncio.sleep(1.0)
            speaker.listen("manual")
            await speaker.stopped()

    virtual.run(go())


def test_to_listen_and_hear_nothing_ends_when_the_connection_is_idle() -> None:
    async def go() -> None:
        async with connected(Speaker(), hears=ears("x"), idle=120) as speaker:
            speaker.hello()
            await speaker.stopped()
            speaker.listen("auto")
            begun = asyncio.get_running_loop().time()
            await asyncio.sleep(119)
            assert speaker.closed is None
            await asyncio.sleep(3)
            assert speaker.closed == 1000 and asyncio.get_running_loop().time() - begun < 125
            assert speaker.messages("stt", "alert") == []

    virtual.run(go())


@pytest.mark.parametrize("moment", [0.0, 0.01, 0.5, 1.0, 2.0, 3.5, 4.7, 5.2, 5.9, 6.4, 7.0])
def test_a_device_that_vanishes_leaves_nothing(moment: float) -> None:
    async def go() -> None:
        tools = Tools([VOLUME, STATUS], {STATUS["name"]: None})
        async with connected(Speaker(1, tools), hears=ears(LOUDER["zh"])) as speaker:
            speaker.hello()
            speaker.listen("realtime")
            talking = asyncio.create_task(speaker.speak(8.0))
            await asyncio.sleep(moment)
            speaker.vanish()
            talking.cancel()
            await asyncio.gather(talking, return_exceptions=True)

    virtual.run(go())


@pytest.mark.parametrize("answer", [None, RuntimeError("Unknown tool"), "false", "not json", "[]", "{}"])
def test_a_device_whose_tools_do_not_work_says_so_itself(answer: Any) -> None:
    async def go() -> None:
        tools = Tools([VOLUME, STATUS], {VOLUME["name"]: answer, STATUS["name"]: STATE})
        async with connected(Speaker(1, tools)) as speaker:
            speaker.hello()
            heard = await speaker.stopped()
            speaker.say({**DETECT, "text": "音量调到五十"})
            end = await speaker.stopped(heard + 1)
            said = speaker.said(heard)
            assert tools.called == [("self.audio_speaker.set_volume", {"volume": 50})]
            assert ("50" in said) == (answer in ("not json", "[]", "{}")), said
            assert speaker.told[end][0] - speaker.told[heard][0] < 12

    virtual.run(go())


@pytest.mark.parametrize("lang", LANGS)
def test_a_model_may_call_the_devices_own_tools(lang: Lang) -> None:
    light = {
        "name": "self.light.set",
        "description": "Switch the light.",
        "inputSchema": {"type": "object", "properties": {"on": {"type": "boolean"}}, "required": ["on"]},
    }

    async def go() -> None:
        from configs.prompt import PromptSettings

        tools = Tools([light], {light["name"]: "true"})
        model = scripted(calls=[{"name": "light_set", "arguments": {"on": True}}])
        who = presenter(model, prompts=PromptSettings(size="full"), grounded=False)
        async with connected(Speaker(1, tools), who) as speaker:
            speaker.hello()
            heard = await speaker.stopped()
            speaker.say({**DETECT, "text": LAMP[lang]})
            await speaker.stopped(heard + 1)
            assert tools.called == [("self.light.set", {"on": True})]

    virtual.run(go())


def test_a_dead_voice_is_told_and_shown() -> None:
    async def go() -> None:
        async with connected(Speaker(), presenter(voice=BreakingVoice(1000))) as speaker:
            speaker.hello()
            heard = await speaker.stopped()
            speaker.say({**DETECT, "text": QUESTION["zh"]})
            await speaker.stopped(heard + 1)
            assert speaker.sound() == [] and speaker.messages("alert")
            assert "60" in speaker.said(heard)

    virtual.run(go())
