"""What a conversation needs is loaded with the server: the first client holds nobody up."""

import json
import subprocess
import sys

CONVERSATION = """
import json, sys, tempfile, time
from pathlib import Path
from fastapi.testclient import TestClient
from configs.home import Home
from configs.settings import load
from server.app import create_app
from server.assemble import Service

with tempfile.TemporaryDirectory() as folder:
    app = create_app(Service(load("test", environ={}), Home(Path(folder), Path(folder))))
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
        print(json.dumps(sorted(set(sys.modules) - before)))
"""


def test_the_first_conversation_imports_no_package() -> None:
    ran = subprocess.run([sys.executable, "-c", CONVERSATION], capture_output=True, text=True, timeout=240)
    assert ran.returncode == 0, ran.stderr
    imported = json.loads(ran.stdout.splitlines()[-1])
    assert [name for name in imported if name.partition(".")[0] not in sys.stdlib_module_names] == []
