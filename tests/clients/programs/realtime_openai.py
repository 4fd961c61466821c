"""The official Python client against our server: `text`, `audio`, `barge`, `truncate`, …; prints what it saw."""

import asyncio
import base64
import json
import sys
import wave
from collections.abc import AsyncIterator
from itertools import cycle
from typing import Any

from openai import AsyncOpenAI

PATIENCE = 600.0


def asked(text: str) -> dict[str, Any]:
    return {"type": "message", "role": "user", "content": [{"type": "input_text", "text": text}]}


async def until(connection: Any, *kinds: str) -> AsyncIterator[Any]:
    async for event in connection:
        yield event
        if event.type in kinds:
            return


async def text(connection: Any, words: str) -> list[Any]:
    await connection.session.update(session={"type": "realtime", "output_modalities": ["text"]})
    await connection.conversation.item.create(item=asked(words))
    await connection.response.create()
    return [event async for event in until(connection, "response.done")]


async def truncate(connection: Any, words: str) -> list[Any]:
    """Heard 700 ms of the answer; then more than there is."""
    await connection.conversation.item.create(item=asked(words))
    await connection.response.create()
    seen = [event async for event in until(connection, "response.done")]
    item = seen[-1].response.output[0].id
    for heard in (700, 10_000_000):
        await connection.conversation.item.truncate(item_id=item, content_index=0, audio_end_ms=heard)
    await connection.conversation.item.retrieve(item_id=item)
    return seen + [event async for event in until(connection, "conversation.item.retrieved")]


async def barge(connection: Any, words: str) -> list[Any]:
    """Cancels at the first sound."""
    await connection.conversation.item.create(item=asked(words))
    await connection.response.create()
    seen = [event async for event in until(connection, "response.output_audio.delta", "response.done")]
    await connection.response.cancel()
    seen += [event async for event in until(connection, "response.done")]
    return seen


async def tool(connection: Any, words: str) -> list[Any]:
    light = {"type": "function", "name": "light", "description": "开关灯 switches the light"}
    parameters = {"type": "object", "properties": {"on": {"type": "boolean"}}}
    await connection.session.update(session={"type": "realtime", "tools": [{**light, "parameters": parameters}]})
    await connection.conversation.item.create(item=asked(words))
    await connection.response.create()
    seen = [event async for event in until(connection, "response.done")]
    call = getattr(seen[-1].response.output[-1], "call_id", "none")
    output = {"type": "function_call_output", "call_id": call, "output": "灯开了。"}
    await connection.conversation.item.create(item=output)
    await connection.response.create()
    return seen + [event async for event in until(connection, "response.done")]


async def audio(connection: Any, path: str) -> list[Any]:
    """A file of the user's voice at 24 kHz, then silence, in pieces of 40 ms."""
    transcription = {"input": {"transcription": {"model": "whisper-1"}}}
    await connection.session.update(session={"type": "realtime", "audio": transcription})
    with wave.open(path) as file:
        sound = file.readframes(file.getnframes()) + bytes(2 * 24_000 * 2)

    async def speak() -> None:
        for at in range(0, len(sound), 1920):
            await connection.input_audio_buffer.append(audio=base64.b64encode(sound[at : at + 1920]).decode())
            await asyncio.sleep(0.02)

    speaking = asyncio.create_task(speak())
    seen = [event async for event in until(connection, "response.done")]
    speaking.cancel()
    return seen


async def speak_over(connection: Any, path: str) -> list[Any]:
    """Asks in writing and speaks, on and on, while the answer comes; then says what was heard of it."""
    await connection.conversation.item.create(item=asked("成人票多少钱？"))
    await connection.response.create()
    seen = [event async for event in until(connection, "response.output_audio.delta")]
    with wave.open(path) as file:
        sound = file.readframes(file.getnframes()) + bytes(24_000 * 2)

    async def speak() -> None:
        for at in cycle(range(0, len(sound), 1920)):
            await connection.input_audio_buffer.append(audio=base64.b64encode(sound[at : at + 1920]).decode())
            await asyncio.sleep(0.04)

    speaking = asyncio.create_task(speak())
    seen += [event async for event in until(connection, "response.done")]
    speaking.cancel()
    item = seen[-1].response.output[0].id
    await connection.conversation.item.truncate(item_id=item, content_index=0, audio_end_ms=100)
    await connection.conversation.item.retrieve(item_id=item)
    return seen + [event async for event in until(connection, "conversation.item.retrieved")]


async def secret(connection: Any, words: str) -> list[Any]:
    """A key for minutes, and a conversation with it."""
    issued = await issuer.realtime.client_secrets.create(
        session={"type": "realtime", "output_modalities": ["text"]},
        expires_after={"anchor": "created_at", "seconds": 60},
    )
    client = AsyncOpenAI(api_key=issued.value, base_url=issuer.base_url)
    async with client.realtime.connect(model="zhubo") as other:
        await other.conversation.item.create(item=asked(words))
        await other.response.create()
        return [event async for event in until(other, "response.done")]


async def main(what: str, words: str) -> None:
    async with asyncio.timeout(PATIENCE), issuer.realtime.connect(model="zhubo") as connection:
        for event in await globals()[what](connection, words):
            print(json.dumps([type(event).__name__, event.model_dump(mode="json")], ensure_ascii=False))


issuer = AsyncOpenAI(api_key="key", base_url=f"{sys.argv[1]}/v1")
asyncio.run(main(*sys.argv[2:4]))
