"""An operator names another embedder and the one before it: over HTTP nothing is missed meanwhile."""

import asyncio
import threading
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.contract.model_server import model_server
from tests.server.application import application, ended

DOCUMENTS = {
    "摄影.md": "# 摄影\n\n咨询请到 photography 柜台。\n",
    "halls.md": "# Halls\n\nPhotography is allowed there.\n",
}
ASKED = {"photographers呢？": "摄影.md", "Photographers?": "halls.md"}
"""Questions of which no word is in the document that answers."""
OLD = {"ENGINE": "hashing", "OPTIONS__DIMENSION": "80"}
STORE = {"ZHUBO__STORE__ENGINE": "chroma"}


def named(setting: str, spec: dict[str, str]) -> dict[str, str]:
    return {f"ZHUBO__{setting}__{key}": value for key, value in spec.items()}


async def find(client: httpx.AsyncClient) -> None:
    for question, source in ASKED.items():
        asked = {"question": question, "count": 2, "explain": True}
        found: dict[str, Any] = (await client.post("/v1/knowledge/main/search", json=asked)).json()
        assert found["degraded"] is None, found
        best = {passage["source"]: passage["explanation"] for passage in found["passages"]}[source]
        assert best["lexical"] == 0 and best["dense"] > 0.1, found


async def main_base(client: httpx.AsyncClient) -> dict[str, Any]:
    told: dict[str, Any] = (await client.get("/readyz")).json()["knowledge"]["main"]
    return told


async def upload(client: httpx.AsyncClient, name: str, text: str) -> None:
    files = {"file": (name, text.encode())}
    job = (await client.post("/v1/knowledge/main/documents?wait=false", files=files)).json()
    assert (await ended(client, f"/v1/knowledge/main/jobs/{job['id']}"))["state"] == "done"


async def test_the_old_embedder_answers_until_the_new_one_can(tmp_path: Path) -> None:
    async with application(tmp_path, **STORE, **named("EMBEDDER", OLD)) as client:
        for name, text in DOCUMENTS.items():
            await upload(client, name, text)
        await find(client)
    with model_server() as server:
        arrived = threading.Event()
        server.spoil = lambda answer: answer if arrived.wait() else answer
        new = {"ENGINE": "openai", "OPTIONS__BASE_URL": server.url, "OPTIONS__MODEL": "m", "OPTIONS__TIMEOUT": "120"}
        change = {**STORE, **named("EMBEDDER", new), **named("EMBEDDER_BEFORE", OLD)}
        try:
            async with application(tmp_path, **change) as client:
                told = await main_base(client)
                assert told["embedder"] == "hashing-1-80" and told["vectors_pending"] == 2 and told["trouble"] is None
                await find(client)
                await upload(client, "新.md", "# 新\n\nCartography workshop, 每周六。\n")
                assert (await main_base(client))["vectors_pending"] == 3
                await find(client)
                arrived.set()
                async with asyncio.timeout(60):
                    while (told := await main_base(client))["embedder"] == "hashing-1-80":
                        await asyncio.sleep(0.01)
                assert told["embedder"].startswith("openai:m") and told["vectors_pending"] == 0
                await find(client)
        finally:
            arrived.set()


@pytest.mark.parametrize("before", [{"ENGINE": "hashing", "OPTIONS__DIMENSION": "48"}, {}])
async def test_without_the_right_one_words_answer_until_then(tmp_path: Path, before: dict[str, str]) -> None:
    async with application(tmp_path, **STORE, **named("EMBEDDER", OLD)) as client:
        await upload(client, "halls.md", DOCUMENTS["halls.md"])
    with model_server() as server:
        server.lasting = "500"
        new = {"ENGINE": "openai", "OPTIONS__BASE_URL": server.url, "OPTIONS__MODEL": "m", "OPTIONS__ATTEMPTS": "1"}
        change = {**STORE, **named("EMBEDDER", new), **named("EMBEDDER_BEFORE", before)}
        async with application(tmp_path, **change) as client:
            told = await main_base(client)
            assert told["embedder"].startswith("openai:m") and told["vectors_pending"] == 1
            asked = {"question": "Is photography allowed?"}
            found = (await client.post("/v1/knowledge/main/search", json=asked)).json()
            assert found["degraded"] and found["passages"][0]["source"] == "halls.md"
