"""The official Python client as it spoke the beta, against our server: a question in writing; prints what it saw."""

import asyncio
import json
import sys

from openai import AsyncOpenAI


async def main(url: str, words: str, modalities: str) -> None:
    client = AsyncOpenAI(api_key="key", base_url=f"{url}/v1", websocket_base_url=url.replace("http", "ws", 1) + "/v1")
    async with asyncio.timeout(600), client.beta.realtime.connect(model="zhubo") as connection:
        await connection.session.update(
            session={"modalities": modalities.split(","), "turn_detection": None, "input_audio_format": "g711_ulaw"}
        )
        content = [{"type": "input_text", "text": words}]
        await connection.conversation.item.create(item={"type": "message", "role": "user", "content": content})
        await connection.response.create()
        async for event in connection:
            print(json.dumps([type(event).__name__, event.model_dump(mode="json")], ensure_ascii=False))
            if event.type == "response.done":
                return


asyncio.run(main(*sys.argv[1:4]))
