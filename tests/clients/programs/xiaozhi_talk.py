"""xiaozhi-sdk, unmodified, against our server: `talk`, `tool`, `abort`, `listen`, `enter`; prints what it saw."""

import asyncio
import json
import sys
import wave
from collections.abc import Callable
from pathlib import Path
from typing import Any

import xiaozhi_sdk
from xiaozhi_sdk import XiaoZhiWebsocket

PATIENCE = 600
MAC = "AA:BB:CC:00:11:22"
RECORDING = Path(xiaozhi_sdk.__file__).parent / "file" / "audio" / "16k_say_hello.wav"


class Device:
    def __init__(self, url: str) -> None:
        self.seen: list[dict[str, Any]] = []
        self.called: list[dict[str, Any]] = []
        self._news = asyncio.Event()
        self.sdk = XiaoZhiWebsocket(self._heard, ota_url=f"{url}/xiaozhi/ota", audio_sample_rate=16000)

    async def enter(self) -> bool:
        called = self.called

        def volume(arguments: dict[str, Any]) -> tuple[bool, bool]:
            called.append(arguments)
            return True, False

        await self.sdk.set_mcp_tool(
            [
                {
                    "name": "self.audio_speaker.set_volume",
                    "description": "Set the volume.",
                    "inputSchema": {
                        "type": "object",
                        "properties": {"volume": {"type": "integer", "minimum": 0, "maximum": 100}},
                        "required": ["volume"],
                    },
                    "tool_func": volume,
                }
            ]
        )
        entered: bool = await self.sdk.init_connection(MAC)
        return entered

    async def _heard(self, message: dict[str, Any]) -> None:
        self.seen.append(message)
        self._news.set()

    async def until(self, wanted: Callable[[dict[str, Any]], bool], since: int = 0) -> int:
        while True:
            for place, message in enumerate(self.seen[since:], since):
                if wanted(message):
                    return place + 1
            self._news.clear()
            await self._news.wait()

    async def stopped(self, since: int = 0) -> int:
        return await self.until(lambda message: message.get("state") == "stop", since)

    def sound(self) -> dict[str, float]:
        """What was decoded since the last look: seconds, and the loudest sample."""
        frames = [self.sdk.output_audio_queue.popleft() for _ in range(len(self.sdk.output_audio_queue))]
        return {
            "seconds": sum(frame.size for frame in frames) / 16000,
            "peak": max((int(abs(frame.astype(int)).max()) for frame in frames), default=0),
        }


async def talk(device: Device, words: str) -> dict[str, Any]:
    notice = await device.stopped()
    told = {"notice": device.sound()}
    await device.sdk.send_text(words)
    await device.stopped(notice)
    return {**told, "from": notice, "sound": device.sound()}


async def tool(device: Device, words: str) -> dict[str, Any]:
    return {**await talk(device, words), "called": device.called}


async def abort(device: Device, words: str) -> dict[str, Any]:
    """At the first words of the answer; then it listens for what may still come."""
    notice = await device.stopped()
    await device.sdk.send_text(words)
    begun = await device.until(lambda message: message.get("state") == "sentence_start", notice)
    await device.sdk.send_abort()
    stop = await device.stopped(begun)
    before = device.sound()
    await asyncio.sleep(2)
    return {"from": notice, "stop": stop, "before": before, "after": device.sound()}


async def listen(device: Device, words: str) -> dict[str, Any]:
    """A recording that comes with the sdk, in real time, and then the room's silence, until the answer is over."""
    notice = await device.stopped()
    device.sound()

    async def speak() -> None:
        with wave.open(str(RECORDING)) as file:
            sound = file.readframes(file.getnframes())
        for at in range(0, len(sound), 1920):
            await device.sdk.send_audio(sound[at : at + 1920].ljust(1920, b"\0"))
            await asyncio.sleep(0.06)
        while True:
            await device.sdk.send_audio(bytes(1920))
            await asyncio.sleep(0.06)

    speaking = asyncio.create_task(speak())
    heard = await device.until(lambda message: message["type"] == "stt", notice)
    await device.stopped(heard)
    speaking.cancel()
    return {"from": notice, "sound": device.sound()}


async def main(url: str, what: str, words: str) -> None:
    device = Device(url)
    async with asyncio.timeout(PATIENCE):
        entered = await device.enter()
        told = await globals()[what](device, words) if entered and what != "enter" else {}
        await device.sdk.close()
    print(json.dumps({"entered": entered, "seen": device.seen, **told}, ensure_ascii=False))


asyncio.run(main(*sys.argv[1:4]))
