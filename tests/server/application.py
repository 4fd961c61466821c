"""The application in this process, on the shipped engines without weights, and a client that talks to it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx

from configs.home import Home
from configs.settings import load
from knowledge.bases import MAIN
from server.app import create_app
from server.assemble import Service

LIMIT = 1_000_000


@contextlib.asynccontextmanager
async def application(folder: Path, file: Path | None = None, **environ: str) -> AsyncIterator[httpx.AsyncClient]:
    """Without the sample documents, unless `ZHUBO__KNOWLEDGE__SAMPLE` says so: then with all their vectors, so that a
    question finds the same whenever it is asked. `file`: settings over the profile's."""
    given = {"ZHUBO__SERVER__UPLOAD_BYTES": str(LIMIT), "ZHUBO__KNOWLEDGE__SAMPLE": "false", **environ}
    service = Service(load("test", file, given), Home(folder / "data", folder / "cache"))
    app = create_app(service)
    async with app.router.lifespan_context(app):
        while not service.readiness().serving:
            assert service.failed is None, service.failed
            await asyncio.sleep(0.005)
        if given["ZHUBO__KNOWLEDGE__SAMPLE"] == "true":
            await service.bases.get(MAIN).settled()
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
            yield client


async def ended(client: httpx.AsyncClient, place: str, headers: dict[str, str] | None = None) -> dict[str, Any]:
    """A job at its end, with its document's vectors made."""
    async with asyncio.timeout(60):
        while True:
            told: dict[str, Any] = (await client.get(place, headers=headers)).json()
            if told["state"] in ("done", "failed") and not told["pending"]:
                return told
            await asyncio.sleep(0.01)


async def labelled(client: httpx.AsyncClient, base: str) -> list[dict[str, Any]]:
    """The catalogue, when every document has been given its labels."""
    async with asyncio.timeout(60):
        while True:
            listed: list[dict[str, Any]] = (await client.get(f"/v1/knowledge/{base}/documents")).json()["documents"]
            if all(document["summary"] for document in listed):
                return listed
            await asyncio.sleep(0.01)
