"""The official Wyoming client against our server: `info`, `hear`, `say`, `stream`, `ask`; prints what it saw."""

import asyncio
import hashlib
import json
import sys
import wave
from typing import Any

from wyoming.asr import Transcribe, Transcript, TranscriptStop
from wyoming.audio import AudioChunk, AudioStart, AudioStop, wav_to_chunks
from wyoming.client import AsyncClient
from wyoming.event import Event
from wyoming.handle import Handled, HandledStop, NotHandled
from wyoming.info import Describe, Info
from wyoming.ping import Ping, Pong
from wyoming.tts import (
    Synthesize,
    SynthesizeChunk,
    SynthesizeStart,
    SynthesizeStop,
    SynthesizeStopped,
    SynthesizeVoice,
)


async def until(client: AsyncClient, *last: Any) -> list[Event]:
    seen: list[Event] = []
    while not (seen and any(one.is_type(seen[-1].type) for one in last)):
        event = await client.read_event()
        assert event is not None, f"closed after {[one.type for one in seen]}"
        seen.append(event)
    return seen


async def info(client: AsyncClient) -> list[Event]:
    await client.write_event(Ping("there?").event())
    seen = await until(client, Pong)
    await client.write_event(Describe().event())
    seen += await until(client, Info)
    told = Info.from_event(seen[-1])
    flags = {
        "asr": [one.supports_transcript_streaming for one in told.asr if one.installed],
        "tts": [one.supports_synthesize_streaming for one in told.tts if one.installed],
        "handle": [one.supports_handled_streaming for one in told.handle if one.installed],
    }
    languages = [told.asr[0].models[0], told.tts[0].voices[0], told.handle[0].models[0]]
    return [*seen, Event("parsed", {"flags": flags, "languages": [one.languages for one in languages]})]


async def hear(client: AsyncClient, path: str, lang: str) -> list[Event]:
    await client.write_event(Transcribe(language=lang, transcript_names=["科学馆", "museum"]).event())
    with wave.open(path, "rb") as file:
        for chunk in wav_to_chunks(file, 1024, start_event=True, stop_event=True):
            await client.write_event(chunk.event())
    seen = await until(client, TranscriptStop)
    assert Transcript.from_event(seen[-2]).language == lang[:2]
    return seen


async def say(client: AsyncClient, text: str, lang: str) -> list[Event]:
    await client.write_event(Synthesize(text, SynthesizeVoice(language=lang)).event())
    return spoken(await until(client, AudioStop))


async def stream(client: AsyncClient, text: str, lang: str) -> list[Event]:
    """As Home Assistant does, with the whole text once more for servers that do not stream."""
    await client.write_event(SynthesizeStart(SynthesizeVoice(language=lang)).event())
    for at in range(0, len(text), 4):
        await client.write_event(SynthesizeChunk(text[at : at + 4]).event())
    await client.write_event(Synthesize(text, SynthesizeVoice(language=lang)).event())
    await client.write_event(SynthesizeStop().event())
    return spoken(await until(client, SynthesizeStopped))


def spoken(events: list[Event]) -> list[Event]:
    chunks = [AudioChunk.from_event(event) for event in events if AudioChunk.is_type(event.type)]
    start = next(AudioStart.from_event(event) for event in events if AudioStart.is_type(event.type))
    assert all((one.rate, one.width, one.channels) == (start.rate, start.width, start.channels) for one in chunks)
    digest = hashlib.sha256(b"".join(one.audio for one in chunks)).hexdigest()
    return [*events, Event("sound", {"seconds": sum(one.seconds for one in chunks), "sha256": digest})]


async def ask(client: AsyncClient, text: str, lang: str) -> list[Event]:
    await client.write_event(Transcript(text, context={"conversation_id": "1"}, language=lang).event())
    seen = await until(client, HandledStop)
    assert any(one.is_type(seen[-2].type) for one in (Handled, NotHandled))
    return seen


async def main(uri: str, what: str, *arguments: str) -> None:
    client = AsyncClient.from_uri(uri)
    await client.connect()
    try:
        for event in await globals()[what](client, *arguments):
            print(json.dumps([event.type, event.data, len(event.payload or b"")], ensure_ascii=False))
    finally:
        await client.disconnect()


asyncio.run(main(*sys.argv[1:]))
