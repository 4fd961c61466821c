"""One WebSocket: its client goes away at any moment, or has what it plays sent to it in real time."""

import asyncio
import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from fastapi import WebSocket

from agent.events import SentenceStarted, Speech, TurnStarted
from agent.session import Session
from avatar.intake import Outlet
from avatar.speech import Audio
from server.protocols.base import Hello, Welcome
from server.protocols.native import NativeCodec, Terms
from server.protocols.xiaozhi import FRAME
from server.protocols.xiaozhi.framing import wrap
from server.sockets import serve
from tests import virtual
from tests.doubles import presenter, scripted, tone
from tests.server.speaker import Speaker, connected, ears
from tests.taking import memory


@pytest.mark.parametrize("hello", [True, False], ids=["before the welcome", "before it was told to say hello"])
def test_a_client_that_vanishes_is_no_error_and_leaves_nothing(hello: bool) -> None:
    closed: list[Session] = []

    @asynccontextmanager
    async def received(_: Hello) -> AsyncIterator[tuple[Session, Welcome]]:
        session = Session(presenter())
        try:
            yield session, Welcome(session.id)
        finally:
            await session.close()
            closed.append(session)

    async def go() -> None:
        said = iter([{"type": "websocket.receive", "text": '{"type":"hello"}'}] if hello else [])

        async def receive() -> Any:
            return next(said, None) or await asyncio.Event().wait()

        async def send(message: Any) -> None:
            if message["type"] == "websocket.send":
                raise OSError("the client is gone")

        scope = {"type": "websocket", "path": "/ws", "headers": [], "subprotocols": []}
        connecting = iter([{"type": "websocket.connect"}])

        async def first() -> Any:
            return next(connecting, None) or await receive()

        socket = WebSocket(scope, first, send)
        await socket.accept()
        await serve(socket, NativeCodec(Terms("main", {}, 24_000, 50, 65_536)), received, 1.0)
        assert len(closed) == hello
        assert asyncio.all_tasks() == {asyncio.current_task()}

    virtual.run(go())


LEAD = 0.3
LONG = "海港科学馆周二至周日上午九点半开馆，下午五点闭馆，周一闭馆，成人票每张六十元，儿童票每张三十元，欢迎参观。"
ASK = {"type": "listen", "state": "detect", "text": "几点开馆？"}


class Player:
    """A device as it plays: from the first packet of a turn on, without a pause where it has something in store.

    `rate`: of its clock against ours.
    """

    def __init__(self, rate: float = 1.0) -> None:
        self.rate, self.store, self.most, self.played, self.at = rate, 0.0, 0.0, 0.0, 0.0
        self.gaps = 0

    def at_moment(self, now: float) -> None:
        passed = min(self.store, (now - self.at) * self.rate)
        self.store, self.played, self.at = self.store - passed, self.played + passed, now

    def gets(self, now: float) -> None:
        self.at_moment(now)
        self.gaps += self.played > 0 and self.store < 1e-6
        self.store += FRAME
        self.most = max(self.most, self.store)


async def asked(speaker: Speaker) -> int:
    """The notice is over, and the answer has begun: the place of its start."""
    speaker.hello()
    notice = await speaker.stopped()
    speaker.say(ASK)
    return await speaker.until(lambda frame: isinstance(frame, dict) and frame.get("state") == "start", notice)


@pytest.mark.parametrize("lead", [0.06, 0.3, 1.0])
@pytest.mark.parametrize("rate", [0.999, 1.0, 1.001])
def test_the_device_never_has_more_in_store_than_the_lead_nor_too_little(lead: float, rate: float) -> None:
    """Whatever its clock: what it is ahead or behind by is gone with the next turn."""

    async def go() -> None:
        async with connected(Speaker(), presenter(scripted(answer=LONG), grounded=False), lead=lead) as speaker:
            began = await asked(speaker)
            end = await speaker.stopped(began)
            player = Player(rate)
            for at, _ in speaker.sound(began):
                player.gets(at)
            skew = abs(rate - 1) * (speaker.told[end][0] - speaker.told[began][0])
            assert player.most <= lead + skew + 1e-6
            assert player.gaps <= (0 if lead > FRAME else 200)
            assert speaker.told[end][0] - speaker.told[began][0] >= len(speaker.sound(began)) * FRAME - 1e-3

    virtual.run(go())


@pytest.mark.parametrize("instant", [0.0, 0.001, 0.05, 0.31, 0.77, 1.2, 1.83, 2.5, 3.14, 4.0, 4.99])
def test_an_abort_is_obeyed_within_a_frame_and_no_more_is_heard(instant: float) -> None:
    async def go() -> None:
        async with connected(Speaker(), presenter(scripted(answer=LONG), grounded=False)) as speaker:
            began = await asked(speaker)
            await asyncio.sleep(instant)
            now = asyncio.get_running_loop().time()
            player = Player()
            for at, _ in speaker.sound(began):
                player.gets(at)
            player.at_moment(now)
            session = speaker.sessions[0]
            reported = session.stage.position
            speaker.say({"type": "abort"})
            stop = await speaker.stopped(began)
            assert speaker.told[stop][0] - now <= FRAME
            await asyncio.sleep(30)
            assert speaker.sound(stop) == []
            assert abs(reported - player.played) <= 0.01
            heard = session.memory.exchanges[-1].heard if session.memory.exchanges else ""
            assert LONG.startswith(heard) and len(heard) <= 1 + player.played / 0.16

    virtual.run(go())


def test_a_nod_holds_the_sound_and_it_goes_on_from_the_same_packet() -> None:
    async def talk(nod: bool) -> tuple[list[bytes], float, int]:
        who = presenter(scripted(answer=LONG), grounded=False)
        async with connected(Speaker(), who, ears("嗯"), lang="zh") as speaker:
            began = await asked(speaker)
            speaker.listen("realtime")
            await asyncio.sleep(1.0)
            await speaker.speak(0.4, quiet=not nod)
            await speaker.speak(1.0, quiet=True)
            end = await speaker.stopped(began)
            player = Player()
            for at, _ in speaker.sound(began):
                player.gets(at)
            assert player.most <= LEAD + 1e-6
            sound = [packet for _, packet in speaker.sound(began)]
            return sound, speaker.told[end][0] - speaker.told[began][0], player.gaps

    nodded, plain = virtual.run(talk(True)), virtual.run(talk(False))
    assert nodded[0] == plain[0], "not a packet is lost, said twice, or out of place"
    assert nodded[1] > plain[1] + 0.1 and plain[2] == 0 and nodded[2] <= 1


@pytest.mark.parametrize(("words", "again"), [("停一下，我想问门票", 1), ("嗯", 0)])
def test_the_last_sound_goes_out_before_the_floor_is_given(words: str, again: int) -> None:
    async def go() -> None:
        who = presenter(scripted(answer=LONG), grounded=False)
        async with connected(Speaker(), who, ears(words), lang="zh") as speaker:
            began = await asked(speaker)
            speaker.listen("realtime")
            await asyncio.sleep(1.0)
            await speaker.speak(1.2)
            await speaker.speak(1.0, quiet=True)
            stop = await speaker.stopped(began)
            await asyncio.sleep(20)
            starts = [place for place, (_, frame) in enumerate(speaker.told) if _state(frame) == "start"]
            assert sum(place > stop for place in starts) == again
            between = next((place for place in starts if place > stop), len(speaker.told))
            assert not [frame for _, frame in speaker.told[stop:between] if isinstance(frame, bytes)]

    virtual.run(go())


def _state(frame: object) -> object:
    return frame.get("state") if isinstance(frame, dict) else None


def test_a_device_that_takes_its_sound_slowly_can_still_stop_it() -> None:
    """Each packet takes longer to be taken than it lasts."""

    async def go() -> None:
        async with connected(Speaker(), presenter(scripted(answer=LONG), grounded=False)) as speaker:
            began = await asked(speaker)
            speaker.slow = 0.2
            await asyncio.sleep(2.05)
            now = asyncio.get_running_loop().time()
            speaker.say({"type": "abort"})
            stop = await speaker.stopped(began)
            assert speaker.told[stop][0] - now <= 2 * speaker.slow + FRAME
            await asyncio.sleep(20)
            assert speaker.sound(stop) == []

    virtual.run(go())


async def told(speaker: Speaker, *seconds: float) -> None:
    """A turn's speech as it would come from a voice: at once, or with a moment between."""
    session = speaker.sessions[0]
    session.tell(TurnStarted(9, "zh"))
    session.tell(SentenceStarted(9, 0, "长。", 0.0))
    at = 0.0
    for one in seconds:
        session.tell(Speech(9, 0, at, Audio(bytes(2 * round(24_000 * one)), 24_000)))
        at += one
        await asyncio.sleep(0.01)


def test_what_is_long_is_encoded_in_pieces_with_time_for_others_between(monkeypatch: pytest.MonkeyPatch) -> None:
    """An abort in the middle of ten seconds of speech that came at once."""
    fed: list[float] = []
    feed = Outlet.feed

    def recording(self: Outlet, audio: Audio) -> list[bytes]:
        fed.append(audio.seconds)
        return feed(self, audio)

    async def go() -> None:
        async with connected(Speaker()) as speaker:
            speaker.hello()
            heard = await speaker.stopped()
            fed.clear()
            await told(speaker, 10.0)
            await speaker.until(lambda frame: isinstance(frame, bytes), heard)
            speaker.say({"type": "abort"})
            stop = await speaker.stopped(heard + 1)
            assert len(speaker.sound(heard)) <= 6
            await asyncio.sleep(15)
            assert speaker.sound(stop) == []

    monkeypatch.setattr(Outlet, "feed", recording)
    virtual.run(go())
    assert max(fed) <= 0.25


def test_what_comes_while_the_device_has_enough_is_sent_when_it_needs_it() -> None:
    async def go() -> None:
        async with connected(Speaker()) as speaker:
            speaker.hello()
            heard = await speaker.stopped()
            await told(speaker, 0.3, 0.3, 0.06)
            await asyncio.sleep(1.0)
            sound = speaker.sound(heard)
            assert [round(at - sound[0][0], 2) for at, _ in sound] == [0.0] * 5 + [0.06, 0.12, 0.18, 0.24, 0.3, 0.36]

    virtual.run(go())


def test_five_hundred_devices_that_come_and_vanish_leave_no_memory_taken() -> None:
    who, hears = presenter(voice=tone(seconds_per_unit=0.01)), ears("几点开馆？")
    packets = [wrap(2, packet, 0) for packet in Speaker().packets(0.12)]

    async def visit() -> None:
        """Gone in the middle of the first word, of the device's and of ours."""
        async with connected(Speaker(2), who, hears) as speaker:
            speaker.hello()
            speaker.listen("realtime")
            for packet in packets:
                speaker.say(packet)
            await speaker.until(lambda frame: isinstance(frame, bytes))

    async def go() -> tuple[int, int]:
        sizes = []
        for count in (50, 500):
            for _ in range(count):
                await visit()
            gc.collect()
            sizes.append(memory())
        return sizes[0], sizes[1]

    before, after = virtual.run(go())
    assert after <= before * 1.05
