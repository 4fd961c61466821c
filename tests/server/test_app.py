"""The application in this process: who is let in, how much is read, and what is told when something fails."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from configs.home import Home
from configs.settings import load
from knowledge.library import Library
from server.app import create_app
from server.assemble import Service

LIMIT = 1_000_000


@contextlib.asynccontextmanager
async def application(folder: Path, **environ: str) -> AsyncIterator[httpx.AsyncClient]:
    limited = {"ZHUBO__SERVER__UPLOAD_BYTES": str(LIMIT), **environ}
    service = Service(load("test", environ=limited), Home(folder / "data", folder / "cache"))
    app = create_app(service)
    async with app.router.lifespan_context(app):
        while not service.readiness().serving:
            assert service.failed is None, service.failed
            await asyncio.sleep(0.005)
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
            yield client


class Flood:
    """A multipart upload that is sent without its length and would never end."""

    def __init__(self) -> None:
        self.sent = 0

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\n'
        while self.sent < 4_000_000:
            self.sent += 16_384
            yield b"x" * 16_384


CHUNKED = {"Content-Type": "multipart/form-data; boundary=b"}


async def test_a_body_without_a_length_is_read_to_the_limit_and_no_further(tmp_path: Path) -> None:
    flood = Flood()
    async with application(tmp_path) as client:
        refused = await client.post("/v1/documents", content=flood, headers=CHUNKED)
    assert refused.status_code == 413 and f"at most {LIMIT} bytes" in refused.json()["detail"]
    assert refused.headers["X-Content-Type-Options"] == "nosniff"
    assert flood.sent < 1_200_000


@pytest.mark.parametrize("key", [None, "wrong", "密钥".encode()])
async def test_nothing_is_read_for_those_without_the_key(tmp_path: Path, key: str | bytes | None) -> None:
    flood = Flood()
    bearer = b"Bearer " + (key if isinstance(key, bytes) else (key or "").encode())
    async with application(tmp_path, ZHUBO__SERVER__KEY="open-sesame") as client:
        headers = {**CHUNKED, "Authorization": bearer} if key else CHUNKED
        refused = await client.post("/v1/documents", content=flood, headers=headers)  # type: ignore[arg-type]  # bytes
    assert refused.status_code == 401 and flood.sent == 0


@pytest.mark.parametrize("headers", [{"Origin": "http://["}, {"Host": "[", "Origin": "http://["}, {"Host": "["}])
async def test_an_address_that_is_none_is_not_admitted(tmp_path: Path, headers: dict[str, str]) -> None:
    async with application(tmp_path) as client:
        assert (await client.get("/v1/documents", headers=headers)).status_code == 401


async def test_a_knowledge_base_that_another_process_writes_is_told(tmp_path: Path) -> None:
    other = Library(tmp_path / "data")
    try:
        async with application(tmp_path, ZHUBO__KNOWLEDGE__SAMPLE="false") as client:
            refused = await client.post("/v1/documents", files={"file": ("a.md", "周一闭馆。".encode())})
    finally:
        other.close()
    assert refused.status_code == 503 and refused.json()["detail"].startswith("knowledge_unavailable: ")


@pytest.mark.parametrize(("question", "said"), [("成人票多少钱？", "60"), ("adult ticket price", "60")])
async def test_a_search_finds_passages_at_their_places(tmp_path: Path, question: str, said: str) -> None:
    async with application(tmp_path) as client:
        found = (await client.get("/v1/search", params={"q": question, "count": 3})).json()
        assert 1 <= len(found) <= 3 and any(said in hit["text"] for hit in found)
        best = found[0]
        document = (await client.get(f"/v1/documents/{best['document']}")).json()
        assert document["text"][best["start"] : best["end"]] == best["text"]
        assert (await client.get("/v1/search", params={"q": question, "count": 0})).status_code == 422


@pytest.mark.parametrize("length", ["99999999", "9" * 5000], ids=["too large", "absurd"])
async def test_a_length_that_is_too_large_is_refused_before_anything_is_read(tmp_path: Path, length: str) -> None:
    async with application(tmp_path) as client:
        refused = await client.post("/v1/documents", content=b"x", headers={**CHUNKED, "Content-Length": length})
    assert refused.status_code == 413
