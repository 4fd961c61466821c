"""A real server whose vector store is harmed while it serves: it says so, never guesses, and is mended as it runs."""

import asyncio
import shutil
import signal
import time
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import connect

from tests.e2e.serving import serving
from tests.e2e.test_server import QUESTIONS, ask, greet, of

pytestmark = pytest.mark.e2e
CHROMA = {"ZHUBO__STORE__ENGINE": "chroma"}
BASE = "/v1/knowledge/main"


async def settled(http: httpx.AsyncClient) -> dict[str, Any]:
    async with asyncio.timeout(60):
        while (ready := (await http.get("/readyz")).json())["knowledge"]["main"]["vectors_pending"]:
            await asyncio.sleep(0.05)
    report: dict[str, Any] = ready
    return report


@pytest.mark.parametrize("harm", ["deleted", "overwritten"])
async def test_a_harmed_store_is_told_and_mended_without_a_restart(tmp_path: Path, harm: str) -> None:
    with serving(tmp_path, environ=CHROMA) as served:
        async with httpx.AsyncClient(base_url=served.url, timeout=60) as http, connect(served.ws) as client:
            await greet(client)
            assert (await settled(http))["status"] == "ready"
            folder = tmp_path / "data" / "chroma"
            if harm == "deleted":
                shutil.rmtree(folder)
            else:
                for file in folder.rglob("*.*"):
                    file.write_bytes(b"garbage" * 1000)
            codes, said = set(), []
            for lang in ("zh", "en", "zh", "en"):
                frames = await ask(client, QUESTIONS[lang])
                codes |= {frame["code"] for frame in of(frames, "error")}
                said.append("".join(frame["text"] for frame in of(frames, "text")))
            assert codes == {"knowledge_unavailable"} and not any("60" in text for text in said[2:]), said
            ready = await http.get("/readyz")
            assert ready.status_code == 503 and "chroma" in ready.json()["knowledge"]["main"]["trouble"].lower()
            assert (await http.post(f"{BASE}/rebuild")).status_code == 202
            assert (await settled(http))["status"] == "ready"
            assert (await http.get("/readyz")).status_code == 200
            for lang, question in QUESTIONS.items():
                answer = "".join(frame["text"] for frame in of(await ask(client, question), "text"))
                assert "60" in answer, lang


async def test_a_killed_server_keeps_what_it_had_promised(tmp_path: Path) -> None:
    guide = "# 灯塔\n\n灯塔的螺旋楼梯有 137 级。The lighthouse has 137 steps.\n"
    with serving(tmp_path, environ=CHROMA) as served:
        async with httpx.AsyncClient(base_url=served.url, timeout=60) as http:
            for number in range(5):
                promised = await http.post(
                    f"{BASE}/documents?wait=false", files={"file": (f"灯塔-{number}.md", guide.encode())}
                )
                assert promised.status_code == 202, promised.text
        served.process.send_signal(signal.SIGKILL)
        served.process.wait()
    with serving(tmp_path, environ=CHROMA) as served:
        deadline = time.monotonic() + 60
        async with httpx.AsyncClient(base_url=served.url, timeout=60) as http:
            while {job["state"] for job in (await http.get(f"{BASE}/jobs")).json()} != {"done"}:
                assert time.monotonic() < deadline
                await asyncio.sleep(0.05)
            listed = (await http.get(f"{BASE}/documents", params={"limit": 100})).json()["documents"]
            assert {f"灯塔-{number}.md" for number in range(5)} <= {document["source"] for document in listed}
