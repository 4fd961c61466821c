"""What a conversation needs is loaded with the server: neither the first client nor a full collection holds it up."""

import json
import subprocess
import sys
from typing import Any

import pytest

CONVERSATION = """
import asyncio, gc, json, sys, tempfile, time
from pathlib import Path
from fastapi.testclient import TestClient
from configs.home import Home
from configs.settings import load
from server.assemble import Service
from server.commands.serve import server_of

collect, collected = gc.collect, []

def counted(*asked):
    collected.append(asyncio._get_running_loop() is not None)
    return collect(*asked)

gc.collect = counted
with tempfile.TemporaryDirectory() as folder:
    app = server_of(Service(load("test", environ={}), Home(Path(folder), Path(folder))), None).config.app
    with TestClient(app, base_url="http://127.0.0.1") as client:
        while client.get("/readyz").status_code != 200:
            time.sleep(0.05)
        before = set(sys.modules)
        with client.websocket_connect("ws://127.0.0.1/ws") as socket:
            socket.send_text(json.dumps({"type": "hello", "protocol": "zhubo.v1"}))
            for question in ("成人票多少钱？", "How much is an adult ticket?"):
                socket.send_text(json.dumps({"type": "say", "text": question}))
                while '"turn_ended"' not in (socket.receive().get("text") or ""):
                    pass
        imported = sorted(set(sys.modules) - before)
        told = {"imported": imported, "kept": gc.get_freeze_count(), "looked at": len(gc.get_objects())}
        print(json.dumps({**told, "collected": sum(collected)}))
"""


@pytest.fixture(scope="module")
def told() -> dict[str, Any]:
    """By a process of its own that has had its first conversation."""
    ran = subprocess.run([sys.executable, "-c", CONVERSATION], capture_output=True, text=True, timeout=240)
    assert ran.returncode == 0, ran.stderr
    found: dict[str, Any] = json.loads(ran.stdout.splitlines()[-1])
    return found


def test_the_first_conversation_imports_no_package(told: dict[str, Any]) -> None:
    assert [name for name in told["imported"] if name.partition(".")[0] not in sys.stdlib_module_names] == []


def test_what_was_loaded_is_not_looked_through_for_garbage(told: dict[str, Any]) -> None:
    assert told["looked at"] < told["kept"] / 5


def test_garbage_is_not_looked_for_on_the_loop_while_the_server_starts(told: dict[str, Any]) -> None:
    assert told["collected"] == 0
