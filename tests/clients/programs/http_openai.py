"""The official Python client against our server: chat, responses, sound, models, mistakes; prints what it saw."""

import json
import sys
from pathlib import Path
from typing import Any

import openai
from openai import OpenAI

MODEL = "guide"


def chat(client: OpenAI, words: str) -> dict[str, Any]:
    whole = client.chat.completions.create(model=MODEL, messages=[{"role": "user", "content": words}], temperature=0)
    message = whole.choices[0].message
    with client.chat.completions.create(
        model=MODEL,
        messages=[{"role": "developer", "content": "brief"}, {"role": "user", "content": words}],
        stream=True,
        stream_options={"include_usage": True},
    ) as chunks:
        seen = list(chunks)
    deltas = [chunk.choices[0].delta for chunk in seen if chunk.choices]
    return {
        "text": message.content,
        "finish": whole.choices[0].finish_reason,
        "annotations": [one.to_dict() for one in message.annotations or []],
        "citations": (whole.model_extra or {})["citations"],
        "usage": whole.usage.to_dict() if whole.usage else None,
        "streamed": "".join(delta.content or "" for delta in deltas),
        "streamed_usage": seen[-1].usage.to_dict() if seen[-1].usage else None,
        "kinds": sorted({type(chunk).__name__ for chunk in seen}),
    }


def responses(client: OpenAI, words: str) -> dict[str, Any]:
    first = client.responses.create(model=MODEL, input=words)
    then = client.responses.create(model=MODEL, input=words, previous_response_id=first.id, instructions="brief")
    with client.responses.stream(model=MODEL, input=words) as events:
        kinds = [event.type for event in events]
        final = events.get_final_response()
    kept = client.responses.retrieve(first.id)
    client.responses.delete(first.id)
    part = final.output[0].content[0]
    return {
        "text": first.output_text,
        "then": then.output_text,
        "kept": kept.output_text,
        "streamed": final.output_text,
        "kinds": kinds,
        "status": final.status,
        "annotations": [one.to_dict() for one in part.annotations],
        "total": final.usage.total_tokens if final.usage else 0,
    }


def sound(client: OpenAI, words: str) -> dict[str, Any]:
    """What is said in every format, to a file as it comes, and heard again."""
    folder, told = Path(sys.argv[4]), {}
    for kind in ("mp3", "opus", "aac", "flac", "wav", "pcm"):
        path = folder / f"said.{kind}"
        with client.audio.speech.with_streaming_response.create(
            model="tts-1", voice="alloy", input=words, response_format=kind
        ) as answer:
            answer.stream_to_file(path)
        told[kind] = path.stat().st_size
    heard = {}
    for kind in ("mp3", "opus", "flac", "wav"):
        with (folder / f"said.{kind}").open("rb") as file:
            heard[kind] = client.audio.transcriptions.create(model="whisper-1", file=file, language="zh").text
    with (folder / "said.wav").open("rb") as file:
        whole = client.audio.transcriptions.create(model="whisper-1", file=file, response_format="verbose_json")
    with (folder / "said.mp3").open("rb") as file:
        events = list(client.audio.transcriptions.create(model="whisper-1", file=file, language="en", stream=True))
    return {
        "bytes": told,
        "heard": heard,
        "segments": [one.to_dict() for one in whole.segments or []],
        "seconds": float(whole.duration),
        "events": [event.to_dict() for event in events],
    }


def models(client: OpenAI, words: str) -> dict[str, Any]:
    listed = [model.id for model in client.models.list()]
    return {"models": listed, "one": client.models.retrieve(listed[-1]).id}


def mistakes(client: OpenAI, words: str) -> dict[str, Any]:
    seen: dict[str, Any] = {}
    tries = {
        "model": lambda: client.chat.completions.create(model="gpt-9", messages=[{"role": "user", "content": words}]),
        "empty": lambda: client.chat.completions.create(model=MODEL, messages=[{"role": "user", "content": ""}]),
        "long": lambda: client.responses.create(model=MODEL, input="很" * 3000),
        "sound": lambda: client.audio.transcriptions.create(model="whisper-1", file=("a.wav", b"none")),
        "gone": lambda: client.responses.retrieve("resp_none"),
    }
    for name, attempt in tries.items():
        try:
            attempt()
        except openai.APIStatusError as error:
            seen[name] = [type(error).__name__, error.code, error.message]
    return seen


def main() -> None:
    url, what, words = sys.argv[1:4]
    client = OpenAI(base_url=f"{url}/v1", api_key="any", timeout=60, max_retries=0)
    told = {"chat": chat, "responses": responses, "sound": sound, "models": models, "mistakes": mistakes}[what]
    print(json.dumps(told(client, words), ensure_ascii=False))


main()
