"""The real server and a real WebSocket client, on the scripted engines."""

import asyncio
import json
import signal
import socket
import subprocess
import sys
import time
from contextlib import ExitStack, suppress
from pathlib import Path
from statistics import median
from typing import Any

import httpx
import psutil
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.e2e.backend import Endless, endless
from tests.e2e.serving import Served, serving
from tests.taking import memory

pytestmark = pytest.mark.e2e

HELLO = {"type": "hello", "protocol": "zhubo.v1"}
QUESTIONS = {"zh": "成人票多少钱？", "en": "How much is an adult ticket?"}


async def greet(client: ClientConnection, **wishes: object) -> dict[str, Any]:
    await client.send(json.dumps({**HELLO, **wishes}))
    welcome: dict[str, Any] = json.loads(await client.recv())
    if welcome["type"] == "welcome":
        assert json.loads(await client.recv())["code"] == "ai", "what every user is told first"
    return welcome


async def ask(client: ClientConnection, question: str) -> list[dict[str, Any] | bytes]:
    await client.send(json.dumps({"type": "say", "text": question}))
    frames: list[dict[str, Any] | bytes] = []
    while True:
        frame = await asyncio.wait_for(client.recv(), 60)
        frames.append(frame if isinstance(frame, bytes) else json.loads(frame))
        if isinstance(frames[-1], dict) and frames[-1]["type"] == "turn_ended":
            return frames


def of(frames: list[dict[str, Any] | bytes], kind: str) -> list[dict[str, Any]]:
    return [frame for frame in frames if isinstance(frame, dict) and frame["type"] == kind]


@pytest.mark.parametrize("lang", QUESTIONS)
async def test_a_question_is_answered_from_the_sample_documents(server: Served, lang: str) -> None:
    async with connect(server.ws, subprotocols=["zhubo.v1"]) as client:  # type: ignore[list-item]  # plain names
        welcome = await greet(client)
        frames = await ask(client, QUESTIONS[lang])
    assert client.subprotocol == "zhubo.v1" and welcome["audio"]["rate"] > 0 and "AI" in welcome["label"][lang]
    answer = "".join(frame["text"] for frame in of(frames, "text"))
    assert answer and of(frames, "turn_ended")[0]["refused"] is False
    assert sum(len(frame) for frame in frames if isinstance(frame, bytes)) > 1000
    citation = of(frames, "citations")[0]["citations"][0]
    async with httpx.AsyncClient(base_url=server.url, timeout=60) as http:
        document = (await http.get(f"/v1/knowledge/main/documents/{citation['document']}")).json()
    assert document["text"][citation["start"] : citation["end"]] == citation["quote"]


async def test_two_clients_never_see_each_others_events(server: Served) -> None:
    async with connect(server.ws) as one, connect(server.ws) as two:
        await asyncio.gather(greet(one), greet(two))
        zh, en = await asyncio.gather(ask(one, QUESTIONS["zh"]), ask(two, QUESTIONS["en"]))
    assert of(zh, "turn_started")[0]["lang"] == "zh" and of(en, "turn_started")[0]["lang"] == "en"
    assert {frame["turn"] for frames in (zh, en) for frame in frames if isinstance(frame, dict) if "turn" in frame} == {
        1
    }


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        ("not json", "not_json"),
        ('{"type":"dance"}', "unknown_type"),
        ('{"type":"say","text":" "}', "question_empty"),
        ('{"type":"interrupt","turn":"x"}', "bad_message"),
        (b"\0\1", "listen_required"),
        (json.dumps({"type": "say", "text": "问" * 100_000}), "question_too_long"),
    ],
)
async def test_a_bad_frame_gets_a_clear_error_and_the_connection_goes_on(
    server: Served, frame: str | bytes, code: str
) -> None:
    async with connect(server.ws) as client:
        await greet(client)
        await client.send(frame)
        error = json.loads(await client.recv())
        assert (error["type"], error["code"]) == ("error", code) and error["message"]
        assert of(await ask(client, "你好"), "turn_ended")[0]["reason"] == "done"


async def test_a_frame_of_ten_megabytes_closes_only_its_own_connection(server: Served) -> None:
    async with connect(server.ws) as other:
        await greet(other)
        async with connect(server.ws) as client:
            await greet(client)
            with pytest.raises(ConnectionClosed) as closed:
                await client.send("x" * 10_000_000)
                await client.recv()
            assert closed.value.rcvd is None or closed.value.rcvd.code == 1009
        assert of(await ask(other, "你好"), "turn_ended")[0]["reason"] == "done"


async def test_an_interruption_of_a_turn_that_is_not_running_changes_nothing(server: Served) -> None:
    async with connect(server.ws) as client:
        await greet(client)
        await client.send('{"type":"interrupt","turn":77,"heard":1}')
        assert of(await ask(client, QUESTIONS["zh"]), "turn_ended")[0]["reason"] == "done"


@pytest.mark.parametrize(
    "origin", ["null", "http://evil.example", "http://127.0.0.1:1", "http://127.0.0.1.evil.example", "file://"]
)
async def test_a_page_of_another_origin_may_not_connect(server: Served, origin: str) -> None:
    with pytest.raises(InvalidStatus) as refused:
        async with connect(server.ws, origin=origin):  # type: ignore[arg-type]  # a plain string
            pass
    assert refused.value.response.status_code == 403


async def test_documents_are_uploaded_found_and_deleted(server: Served) -> None:
    question = "量子钟在哪个展厅？"
    async with httpx.AsyncClient(base_url=server.url, timeout=60) as http, connect(server.ws) as client:
        await greet(client)
        assert of(await ask(client, question), "turn_ended")[0]["refused"] is True
        text = "# 特展\n\n量子钟在第九展厅，由李明研究员讲解。\n".encode("gb18030")
        uploaded = await http.post("/v1/knowledge/main/documents", files={"file": ("特展.txt", text)})
        assert uploaded.status_code == 201
        answered = await ask(client, question)
        assert "第九展厅" in "".join(frame["text"] for frame in of(answered, "text"))
        identity = uploaded.json()["document"]["id"]
        assert (await http.delete(f"/v1/knowledge/main/documents/{identity}")).status_code == 204
        assert of(await ask(client, question), "turn_ended")[0]["refused"] is True
        assert (await http.delete(f"/v1/knowledge/main/documents/{identity}")).status_code == 404


@pytest.mark.parametrize(
    ("name", "data", "status", "code"),
    [
        ("空.md", b"", 422, "empty"),
        ("big.txt", b"x" * 20_000_001, 413, "large"),
        ("a.docx", b"PK\3\4junk", 422, "damaged"),
    ],
)
async def test_a_bad_document_gets_a_clear_error(
    server: Served, name: str, data: bytes, status: int, code: str
) -> None:
    async with httpx.AsyncClient(base_url=server.url, timeout=60) as http:
        refused = await http.post("/v1/knowledge/main/documents", files={"file": (name, data)})
    assert refused.status_code == status and code in refused.json()["detail"]


async def test_clients_that_vanish_close_the_models_stream_and_leave_nothing_behind(tmp_path: Path) -> None:
    async with endless() as model:
        environ = {
            "ZHUBO__KNOWLEDGE__GROUNDED": "false",
            "ZHUBO__MODEL__ENGINE": "openai",
            "ZHUBO__MODEL__OPTIONS__BASE_URL": model.url,
            "ZHUBO__MODEL__OPTIONS__MODEL": "endless",
        }
        stack = ExitStack()  # entered and left in a thread: the model is served from this event loop meanwhile
        served = await asyncio.to_thread(stack.enter_context, serving(tmp_path, environ=environ))
        try:
            process = psutil.Process(served.process.pid)
            spent = [await vanish(served, model) for _ in range(20)]
            files, before = process.num_fds(), memory(process.pid)
            spent += [await vanish(served, model) for _ in range(180)]
            assert median(spent) < 0.2, f"a model's stream was closed only after {median(spent):.3f} s"
            assert model.open == 0
            assert process.num_fds() <= files + 2
            assert memory(process.pid) - before < 8 * 2**10
        finally:
            await asyncio.to_thread(stack.close)


async def vanish(served: Served, model: Endless) -> float:
    """Ask, hear the first clause, and cut the line; seconds until the model's stream was closed."""
    model.asked.clear()
    client = await connect(served.ws)
    await greet(client)
    await client.send(json.dumps({"type": "say", "text": "成人票多少钱？"}))
    await asyncio.wait_for(model.asked.wait(), 60)
    await client.recv()
    began = time.monotonic()
    client.transport.abort()
    closed = await asyncio.wait_for(model.closed.get(), 60)
    with suppress(ConnectionClosed):
        await client.recv()
    return closed - began


def test_a_taken_port_is_told_and_not_waited_for(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        ended = zhubo("serve", "--profile", "test", "--port", port)
    assert ended.returncode == 2
    assert f"cannot listen on 127.0.0.1:{port}" in ended.stderr and "--port" in ended.stderr


def test_other_machines_are_not_served_without_a_key() -> None:
    ended = zhubo("serve", "--profile", "test", "--host", "0.0.0.0")
    assert ended.returncode == 2 and "refusing to listen on 0.0.0.0 without a key" in ended.stderr


async def test_ctrl_c_ends_within_five_seconds_while_answering(tmp_path: Path) -> None:
    environ = {"ZHUBO__MODEL__OPTIONS__PACE": "0.2"}
    with serving(tmp_path, "--profile", "test", environ=environ) as served:
        async with connect(served.ws) as client:
            await greet(client)
            await client.send(json.dumps({"type": "say", "text": QUESTIONS["zh"]}))
            await client.recv()
            began = time.monotonic()
            served.process.send_signal(signal.SIGINT)
            code = await asyncio.to_thread(served.process.wait, 60)
            assert time.monotonic() - began < 5
    assert code == 130 and "Traceback" not in served.log.read_text()


async def test_with_a_key_only_those_who_have_it_are_served(tmp_path: Path) -> None:
    with serving(tmp_path, "--profile", "test", environ={"ZHUBO__SERVER__KEY": "open-sesame"}) as served:
        with pytest.raises(InvalidStatus):
            async with connect(served.ws):
                pass
        async with connect(served.ws, additional_headers={"Authorization": "Bearer open-sesame"}) as client:
            assert (await greet(client))["type"] == "welcome"
        async with connect(served.ws, subprotocols=["zhubo.v1", "zhubo.key.open-sesame"]) as client:  # type: ignore[list-item]
            assert (await greet(client))["type"] == "welcome"
        async with httpx.AsyncClient(base_url=served.url, timeout=60) as http:
            assert (await http.get("/v1/knowledge/main/documents")).status_code == 401
            allowed = await http.get("/v1/knowledge/main/documents", headers={"Authorization": "Bearer open-sesame"})
            assert allowed.status_code == 200 and allowed.json()["total"] >= 10
        assert "open-sesame" not in served.log.read_text()


def zhubo(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([sys.executable, "-m", "server", *arguments], capture_output=True, text=True, timeout=300)
