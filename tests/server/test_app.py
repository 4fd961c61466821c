"""The application in this process: who is let in, how much is read, and what is told when something fails."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from knowledge.database import FILE, Database
from server import app as module
from tests.server.application import LIMIT, application


class Flood:
    """A multipart upload that is sent without its length and would never end."""

    def __init__(self, most: int = 4_000_000) -> None:
        self.sent, self._most = 0, most

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\n'
        while self.sent < self._most:
            self.sent += 16_384
            yield b"x" * 16_384


CHUNKED = {"Content-Type": "multipart/form-data; boundary=b"}


async def test_a_body_without_a_length_is_read_to_the_limit_and_no_further(tmp_path: Path) -> None:
    flood = Flood()
    async with application(tmp_path) as client:
        refused = await client.post("/v1/knowledge/main/documents", content=flood, headers=CHUNKED)
    assert refused.status_code == 413 and f"at most {LIMIT} bytes" in refused.json()["detail"]
    assert refused.headers["X-Content-Type-Options"] == "nosniff"
    assert flood.sent < 1_200_000


@pytest.mark.parametrize("route", ["/v1/knowledge/main/publish", "/v1/knowledge/other/import"])
async def test_many_documents_at_once_have_a_limit_of_their_own(tmp_path: Path, route: str) -> None:
    flood = Flood(6_000_000)
    async with application(tmp_path, ZHUBO__SERVER__PUBLISH_BYTES="3000000") as client:
        refused = await client.post(route, content=flood, headers=CHUNKED)
    assert refused.status_code == 413 and "at most 3000000 bytes" in refused.json()["detail"]
    assert 3_000_000 <= flood.sent < 3_200_000


@pytest.mark.parametrize("key", [None, "wrong", "密钥".encode()])
async def test_nothing_is_read_for_those_without_the_key(tmp_path: Path, key: str | bytes | None) -> None:
    flood = Flood()
    bearer = b"Bearer " + (key if isinstance(key, bytes) else (key or "").encode())
    async with application(tmp_path, ZHUBO__SERVER__KEY="open-sesame") as client:
        headers = {**CHUNKED, "Authorization": bearer} if key else CHUNKED
        refused = await client.post("/v1/knowledge/main/documents", content=flood, headers=headers)  # type: ignore[arg-type]  # bytes
    assert refused.status_code == 401 and flood.sent == 0


@pytest.mark.parametrize("headers", [{"Origin": "http://["}, {"Host": "[", "Origin": "http://["}, {"Host": "["}])
async def test_an_address_that_is_none_is_not_admitted(tmp_path: Path, headers: dict[str, str]) -> None:
    async with application(tmp_path) as client:
        assert (await client.get("/v1/knowledge/main/documents", headers=headers)).status_code == 401


async def test_a_knowledge_base_that_another_process_writes_is_told(tmp_path: Path) -> None:
    other = Database(tmp_path / "data" / "knowledge" / "main")
    try:
        async with application(tmp_path) as client:
            refused = await client.post("/v1/knowledge/main/documents", files={"file": ("a.md", "周一闭馆。".encode())})
    finally:
        other.close()
    assert refused.status_code == 503 and refused.json()["detail"].startswith("knowledge_unavailable: ")


async def test_what_cannot_be_loaded_early_is_logged_and_keeps_no_server_from_starting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken() -> tuple[str, ...]:
        raise OSError("libavcodec.so: cannot open shared object file")

    monkeypatch.setattr(module, "formats", broken)
    async with asyncio.timeout(60), application(tmp_path) as client:
        assert (await client.get("/readyz")).status_code == 200
    assert "libavcodec.so" in caplog.text


async def test_a_damaged_base_is_told_and_the_others_serve(tmp_path: Path) -> None:
    async with application(tmp_path) as client:
        assert (await client.post("/v1/knowledge", json={"name": "east", "title": "东馆"})).status_code == 201
    (tmp_path / "data" / "knowledge" / "east" / FILE).write_bytes(b"garbage" * 1000)
    async with application(tmp_path) as client:
        ready = await client.get("/readyz")
        bases = (await client.get("/v1/knowledge")).json()
        refused = await client.post("/v1/knowledge/east/search", json={"question": "几点开门？"})
        found = await client.post("/v1/knowledge/main/search", json={"question": "几点开门？"})
        gone = await client.delete("/v1/knowledge/east")
        healed = await client.get("/readyz")
    assert ready.status_code == 503 and "east" in ready.json()["knowledge"]["east"]["trouble"]
    assert [(base["name"], base["trouble"] is None) for base in bases] == [("east", False), ("main", True)]
    assert refused.status_code == 503 and refused.json()["detail"].startswith("knowledge_unavailable: ")
    assert found.status_code == 200 and gone.status_code == 204 and healed.status_code == 200


@pytest.mark.parametrize("length", ["99999999", "9" * 5000], ids=["too large", "absurd"])
async def test_a_length_that_is_too_large_is_refused_before_anything_is_read(tmp_path: Path, length: str) -> None:
    async with application(tmp_path) as client:
        headers = {**CHUNKED, "Content-Length": length}
        refused = await client.post("/v1/knowledge/main/documents", content=b"x", headers=headers)
    assert refused.status_code == 413


async def test_readiness_tells_each_base_to_those_whose_key_opens_it(tmp_path: Path) -> None:
    keys = "[{key: reader, base: main}]"
    async with application(tmp_path, ZHUBO__SERVER__KEY="open-sesame", ZHUBO__SERVER__KEYS=keys) as client:
        operator = {"Authorization": "Bearer open-sesame"}
        assert (await client.post("/v1/knowledge", json={"name": "east"}, headers=operator)).status_code == 201
        told = {
            key: (await client.get("/readyz", headers={"Authorization": f"Bearer {key}"})).json()
            for key in ("open-sesame", "reader", "wrong")
        }
    assert told["open-sesame"]["knowledge"].keys() == {"main", "east"} and told["reader"]["knowledge"].keys() == {
        "main"
    }
    assert told["wrong"] == {"status": "ready"}
