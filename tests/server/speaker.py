"""A smart speaker at the other end of a served WebSocket, in virtual time: what it was sent, and when; and what tests
of its codec say often."""

import asyncio
import json
import math
import struct
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

from fastapi import WebSocket

from agent.events import Event, SentenceEnded, SentenceStarted, Speech
from agent.listening import Ears, Listener, Organs, deaf
from agent.presenter import Presenter
from agent.session import Session
from avatar.engines.energy import Energy, EnergyOptions
from avatar.engines.opus import OpusEncoder
from avatar.engines.scripted_ears import ScriptedEars, ScriptedEarsOptions
from avatar.hearing import Opus
from avatar.intake import Intake, Outlet
from avatar.speech import Audio
from configs.home import Home
from configs.language import Lang
from configs.settings import load
from configs.xiaozhi import XiaozhiSettings
from server.protocols.base import Cut, Hello, Paced, Welcome
from server.protocols.xiaozhi import FRAME, RATE, Terms, XiaozhiCodec
from server.protocols.xiaozhi.framing import unwrap, wrap
from server.sockets import serve
from tests.doubles import presenter, scripted

WAKE = XiaozhiSettings().wake_words
HERE = Home(Path("/dev/null"), Path("/dev/null"))
HELLO: dict[str, Any] = {
    "type": "hello",
    "version": 1,
    "transport": "websocket",
    "audio_params": {"format": "opus", "sample_rate": 16000, "channels": 1, "frame_duration": 60},
}
LANGS: tuple[Lang, ...] = ("zh", "en")
QUESTION: dict[Lang, str] = {"zh": "成人票多少钱？", "en": "How much is an adult ticket?"}
OTHER: dict[Lang, str] = {"zh": "几点开馆？", "en": "When do you open?"}
LOUDER: dict[Lang, str] = {"zh": "声音大一点", "en": "Turn the volume up"}
LAMP: dict[Lang, str] = {"zh": "把客厅的灯打开好吗", "en": "Could you switch the lamp on for me?"}
HAIL: dict[Lang, str] = {"zh": "你好小智", "en": "Hi, Xiaozhi!"}
DETECT: dict[str, Any] = {"type": "listen", "state": "detect"}
STOP: dict[str, Any] = {"type": "listen", "state": "stop"}
ABORT: dict[str, Any] = {"type": "abort", "reason": "wake_word_detected"}
Told = dict[str, Any] | bytes


def terms(version: int | None = 1, lang: Lang | None = None, characters: int = 50) -> Terms:
    return Terms(version, WAKE, characters, "http://127.0.0.1/xiaozhi/vision", lang)


def ears(*texts: str, **options: Any) -> Ears:
    """As the profile `test` has them, but for what is heard."""
    settings = load("test", environ={})
    recognizer = ScriptedEars(ScriptedEarsOptions(texts=texts, **options), HERE)
    return partial(Listener, Organs(recognizer, Energy(EnergyOptions(), HERE), Intake, settings.listening))


class Tools:
    """The device's MCP server. `answers`: by tool, what it answers as text, or an error's message; None: nothing."""

    def __init__(self, tools: Sequence[Mapping[str, Any]], answers: Mapping[str, Any] = {}, page: int = 2) -> None:
        self.tools, self.answers, self.page = tools, dict(answers), page
        self.called: list[tuple[str, dict[str, Any]]] = []

    def answer(self, request: Mapping[str, Any]) -> dict[str, Any] | None:
        match request:
            case {"id": id, "method": "initialize"}:
                result: dict[str, Any] = {"protocolVersion": "2024-11-05", "capabilities": {"tools": {}}}
                result |= {"serverInfo": {"name": "bread-compact-wifi", "version": "1.8.2"}}
            case {"id": id, "method": "tools/list", "params": {"cursor": str(cursor)}}:
                names = [tool["name"] for tool in self.tools]
                start = names.index(cursor) if cursor else 0
                result = {"tools": list(self.tools[start : start + self.page])}
                if start + self.page < len(names):
                    result["nextCursor"] = names[start + self.page]
            case {"id": id, "method": "tools/call", "params": {"name": str(name), "arguments": dict(arguments)}}:
                self.called.append((name, arguments))
                match self.answers.get(name, "true"):
                    case None:
                        return None
                    case Exception() as error:
                        return {"jsonrpc": "2.0", "id": id, "error": {"message": str(error)}}
                    case text:
                        result = {"content": [{"type": "text", "text": text}], "isError": False}
            case _:
                return None
        return {"jsonrpc": "2.0", "id": id, "result": result}


VOLUME = {
    "name": "self.audio_speaker.set_volume",
    "description": "Set the volume of the audio speaker.",
    "inputSchema": {
        "type": "object",
        "properties": {"volume": {"type": "integer", "minimum": 0, "maximum": 100}},
        "required": ["volume"],
    },
}
BRIGHTNESS = {
    "name": "self.screen.set_brightness",
    "description": "Set the brightness of the screen.",
    "inputSchema": {"type": "object", "properties": {"brightness": {"type": "integer"}}, "required": ["brightness"]},
}
STATUS = {"name": "self.get_device_status", "description": "The device's state.", "inputSchema": {"type": "object"}}
REBOOT = {"name": "self.reboot", "description": "Reboot.", "inputSchema": {"type": "object", "properties": {}}}
STATE = json.dumps({"audio_speaker": {"volume": 60}, "screen": {"brightness": 75}, "battery": {"level": 40}})


class Speaker:
    """`told`: the moments and the frames. `slow`: seconds that each frame takes to be taken."""

    def __init__(self, version: int = 1, tools: Tools | None = None) -> None:
        self.version, self.tools = version, tools
        self.told: list[tuple[float, Told]] = []
        self.closed: int | None = None
        self.slow = 0.0
        self.gone = False
        self.sessions: list[Session] = []
        self._said: asyncio.Queue[Any] = asyncio.Queue()
        self._said.put_nowait({"type": "websocket.connect"})
        self._news = asyncio.Event()
        self._microphone = OpusEncoder(16000, 60)

    def say(self, message: Mapping[str, Any] | str | bytes) -> None:
        match message:
            case bytes():
                self._said.put_nowait({"type": "websocket.receive", "bytes": message})
            case str():
                self._said.put_nowait({"type": "websocket.receive", "text": message})
            case _:
                self.say(json.dumps(message))

    def hello(self, **fields: Any) -> None:
        features = {"features": {"mcp": True}} if self.tools else {}
        self.say({**HELLO, "version": self.version, **features, **fields})

    def listen(self, mode: str) -> None:
        self.say({"type": "listen", "state": "start", "mode": mode})

    def vanish(self) -> None:
        self.gone = True
        self._said.put_nowait({"type": "websocket.disconnect", "code": 1006})

    async def speak(self, seconds: float, *, quiet: bool = False) -> None:
        """Into the microphone, as fast as it is spoken."""
        for packet in self.packets(seconds, quiet=quiet):
            self.say(wrap(self.version, packet, 0))
            await asyncio.sleep(FRAME)

    def packets(self, seconds: float, *, quiet: bool = False) -> list[bytes]:
        samples = (0 if quiet else round(9000 * math.sin(at * 0.12)) for at in range(round(16000 * seconds)))
        return self._microphone.feed(b"".join(struct.pack("<h", sample) for sample in samples))

    async def until(self, wanted: Callable[[Told], bool], since: int = 0) -> int:
        """The place of the first frame that is wanted, from `since` on."""
        async with asyncio.timeout(600):
            while True:
                for place, (_, frame) in enumerate(self.told[since:], since):
                    if wanted(frame):
                        return place
                self._news.clear()
                await self._news.wait()

    async def stopped(self, since: int = 0) -> int:
        return await self.until(lambda frame: isinstance(frame, dict) and frame.get("state") == "stop", since)

    async def receive(self) -> Any:
        return await self._said.get()

    async def send(self, message: Any) -> None:
        if self.gone:
            raise OSError("the device is gone")
        if message["type"] == "websocket.close":
            self.closed = message["code"]
        if message["type"] == "websocket.send":
            if self.slow:
                await asyncio.sleep(self.slow)
            text, data = message.get("text"), message.get("bytes")
            frame: Told = data if text is None else json.loads(text)
            self.told.append((asyncio.get_running_loop().time(), frame))
            self._answer(frame)
        self._news.set()

    def _answer(self, frame: Told) -> None:
        match frame:
            case {"type": "mcp", "payload": payload} if self.tools and (answer := self.tools.answer(payload)):
                self.say({"type": "mcp", "payload": answer})

    def sound(self, since: int = 0) -> list[tuple[float, bytes]]:
        return [
            (at, bytes(unwrap(self.version, frame)))  # type: ignore[arg-type]
            for at, frame in self.told[since:]
            if isinstance(frame, bytes)
        ]

    def said(self, since: int = 0) -> str:
        return "".join(one["text"] for one in self.messages("tts", since=since) if one["state"] == "sentence_start")

    def messages(self, *kinds: str, since: int = 0) -> list[dict[str, Any]]:
        return [frame for _, frame in self.told[since:] if isinstance(frame, dict) and frame["type"] in kinds]


@asynccontextmanager
async def connected(
    speaker: Speaker,
    who: Presenter | None = None,
    hears: Ears = deaf,
    *,
    lang: Lang | None = None,
    lead: float = 0.3,
    idle: float | None = None,
) -> AsyncIterator[Speaker]:
    """Served until it goes; its session is closed then, and nothing is left running."""

    @asynccontextmanager
    async def received(_: Hello) -> AsyncIterator[tuple[Session, Welcome]]:
        session = Session(who or presenter(scripted(pace=0.02)), ears=hears)
        speaker.sessions.append(session)
        try:
            yield session, Welcome("session-1")
        finally:
            await session.close()

    before = asyncio.all_tasks()
    scope = {"type": "websocket", "path": "/xiaozhi/v1/", "headers": [], "subprotocols": []}
    socket = WebSocket(scope, speaker.receive, speaker.send)
    await socket.accept()
    codec = XiaozhiCodec(terms(speaker.version, lang), Outlet(Opus(RATE), FRAME * 1000))
    serving = asyncio.create_task(serve(socket, codec, received, 10.0, lead=lead, idle=idle))
    try:
        yield speaker
    finally:
        if not serving.done():
            speaker.vanish()
        await serving
        assert asyncio.all_tasks() == before


def start(mode: str) -> dict[str, Any]:
    return {"type": "listen", "state": "start", "mode": mode}


def codec(version: int | None = 1, mcp: bool = False, greeted: bool = True, characters: int = 50) -> XiaozhiCodec:
    made = XiaozhiCodec(terms(version, characters=characters), Outlet(Opus(RATE), FRAME * 1000))
    if greeted:
        made.decode(json.dumps({**HELLO, "features": {"mcp": mcp}}))
        made.encode(Welcome("s-1"))
    return made


def sent(made: XiaozhiCodec, *events: Any) -> list[Any]:
    """JSON as what it says, sound as `sound`, orders to the writer as they are."""
    told: list[Any] = []
    for event in events:
        for one in made.encode(event):
            frame = one.frame if isinstance(one, Paced) else one
            told.append("sound" if isinstance(frame, bytes) else json.loads(frame) if isinstance(frame, str) else frame)
    return told


def brief(told: Sequence[Any]) -> list[Any]:
    kept = []
    for one in told:
        if isinstance(one, Cut):
            kept.append("cut")
        elif not isinstance(one, dict):
            kept.append(one)
        else:
            kept.append(one["emotion"] if one["type"] == "llm" else one.get("state", one["type"]))
    return kept


def spoken(turn: int, text: str, seconds: float = 0.12, at: float = 0.0, sentence: int = 0) -> list[Event]:
    pcm = b"\1\0" * round(RATE * seconds)
    started, ended = SentenceStarted(turn, sentence, text, at), SentenceEnded(turn, sentence, seconds)
    return [started, Speech(turn, sentence, 0.0, Audio(pcm, RATE)), ended]
