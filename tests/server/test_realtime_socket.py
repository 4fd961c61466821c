"""OpenAI Realtime at its socket, in a server of its own: who may connect, and what no client can break."""

import base64
import json
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from socket import SHUT_RDWR
from typing import Any

import httpx
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Subprotocol

from server.protocols.realtime.sound import APPEND, FRAME
from server.realtime import MESSAGE_BYTES
from tests.e2e.serving import Served, serving
from tests.server.realtime_client import message
from tests.taking import memory

pytestmark = pytest.mark.e2e
PATIENCE = 180.0
"""Seconds that a slow machine may take for anything."""
KEY = "correct-horse"
SESSIONS = 3
HELLO_SECONDS = 0.2


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    environ = {"ZHUBO__SERVER__SESSIONS": str(SESSIONS), "ZHUBO__SERVER__HELLO_SECONDS": str(HELLO_SECONDS)}
    with serving(tmp_path_factory.mktemp("realtime"), environ=environ) as server:
        yield server


@pytest.fixture(scope="module")
def locked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("locked"), environ={"ZHUBO__SERVER__KEY": KEY}) as server:
        yield server


class Talk:
    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket

    def send(self, kind: str, **fields: Any) -> None:
        self.socket.send(json.dumps({"type": kind, **fields}))

    def take(self, *kinds: str) -> dict[str, Any]:
        """The next event of one of these types, or an error."""
        while True:
            event: dict[str, Any] = json.loads(self.socket.recv(PATIENCE))
            if event["type"] in (*kinds, "error"):
                return event

    def ask(self, text: str) -> dict[str, Any]:
        self.send("conversation.item.create", item=message(text))
        self.send("response.create")
        return self.take("response.done")

    def still_well(self) -> None:
        assert "60" in self.ask("成人票多少钱？")["response"]["output"][0]["content"][0]["transcript"]


def dial(served: Served, path: str = "/v1/realtime?model=zhubo", **wishes: Any) -> "connect":
    url = served.url.replace("http", "ws", 1) + path
    return connect(url, max_size=None, open_timeout=PATIENCE, close_timeout=PATIENCE, **wishes)


def refused(served: Served, path: str = "/v1/realtime", **wishes: Any) -> tuple[int, dict[str, Any]]:
    with pytest.raises(InvalidStatus) as caught, dial(served, path, **wishes):
        pass
    response = caught.value.response
    return response.status_code, json.loads(response.body or b"")["error"]


@pytest.fixture
def talk(served: Served) -> Iterator[Talk]:
    with dial(served) as socket:
        talk = Talk(socket)
        assert talk.take("session.created")["type"] == "session.created"
        yield talk


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


def test_who_has_no_key_is_told_so_before_the_socket_opens(locked: Served) -> None:
    for wishes in ({}, {"additional_headers": bearer("wrong")}, {"subprotocols": [Subprotocol("realtime")]}):
        status, error = refused(locked, **wishes)
        assert status == 401 and error["code"] == "invalid_api_key"
        assert "Authorization" in error["message"] and "密钥" in error["message"]


@pytest.mark.parametrize("prefix", ["openai-insecure-api-key.", "zhubo.key."])
def test_a_page_offers_its_key_as_a_subprotocol(locked: Served, prefix: str) -> None:
    offered = [Subprotocol("realtime"), Subprotocol(prefix + KEY)]
    with dial(locked, subprotocols=offered) as socket:
        assert socket.subprotocol == "realtime"
        Talk(socket).still_well()


def test_a_key_for_minutes_opens_a_conversation_as_it_was_made_and_nothing_else(locked: Served) -> None:
    wanted = {"type": "realtime", "output_modalities": ["text"], "instructions": "简短"}
    with httpx.Client(base_url=locked.url, timeout=PATIENCE) as client:
        place, body = "/v1/realtime/client_secrets", {"session": wanted, "expires_after": {"seconds": 600}}
        unknown = client.post(place, json=body)
        assert unknown.status_code == 401 and unknown.json()["error"]["code"] == "invalid_api_key"
        wrong = client.post(place, json={"session": {"output_modalities": ["smell"]}}, headers=bearer(KEY))
        assert wrong.status_code == 400 and wrong.json()["error"]["param"].startswith("session.output_modalities")
        made = client.post(place, json=body, headers=bearer(KEY)).json()
        assert made["session"]["instructions"] == "简短" and 500 < made["expires_at"] - time.time() <= 600
        assert client.get("/v1/knowledge", headers=bearer(made["value"])).status_code == 401
        assert client.post(place, json=body, headers=bearer(made["value"])).status_code == 401
        beta = client.post("/v1/realtime/sessions", json={"modalities": ["text"]}, headers=bearer(KEY)).json()
        assert beta["modalities"] == ["text"] and beta["client_secret"]["value"].startswith("ek_")
    with dial(locked, additional_headers=bearer(made["value"])) as socket:
        session = Talk(socket).take("session.created")["session"]
        assert (session["output_modalities"], session["instructions"]) == (["text"], "简短")


def test_what_is_not_offered_says_what_is(served: Served) -> None:
    status, error = refused(served, "/v1/realtime?call_id=rtc_1")
    assert status == 400 and error["param"] == "call_id" and "WebSocket" in error["message"]
    calls = httpx.post(f"{served.url}/v1/realtime/calls", content="v=0", timeout=PATIENCE)
    assert calls.status_code == 501 and "WebSocket" in calls.json()["error"]["message"]


def test_nobody_has_to_say_hello(talk: Talk) -> None:
    time.sleep(3 * HELLO_SECONDS)
    talk.still_well()


def test_the_beta_is_known_by_its_header_and_by_its_subprotocol(served: Served) -> None:
    offered = [Subprotocol("realtime"), Subprotocol("openai-beta.realtime-v1")]
    for wishes in ({"additional_headers": {"OpenAI-Beta": "realtime=v1"}}, {"subprotocols": offered}):
        with dial(served, **wishes) as socket:
            assert "modalities" in Talk(socket).take("session.created")["session"]
            Talk(socket).send("conversation.item.create", item=message("hi"))
            assert Talk(socket).take("conversation.item.created", "conversation.item.added")["type"].endswith("created")


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        (b"\0\1\2", "unexpected_binary"),
        ("{", "invalid_json"),
        ('{"type":"dance","event_id":"e1"}', "unknown_event"),
        ('{"type":"input_audio_buffer.append","audio":"?","event_id":"e1"}', "invalid_value"),
        ('{"type":"input_audio_buffer.commit","event_id":"e1"}', "input_audio_buffer_commit_empty"),
        ('{"type":"response.cancel","event_id":"e1"}', "response_cancel_not_active"),
        ('{"type":"conversation.item.truncate","item_id":"no","audio_end_ms":1,"event_id":"e1"}', "item_not_found"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_mistake_is_told_and_the_conversation_goes_on(talk: Talk, frame: str | bytes, code: str) -> None:
    talk.socket.send(frame)
    error = talk.take()["error"]
    assert error["code"] == code and error["type"] == "invalid_request_error"
    assert error["event_id"] == ("e1" if "e1" in str(frame) else None)
    talk.still_well()


def test_two_responses_at_once_are_one_response_and_an_error(talk: Talk) -> None:
    talk.send("conversation.item.create", item=message("When do you open?"))
    talk.send("response.create")
    talk.send("response.create", event_id="second")
    first, second = talk.take("response.done"), talk.take("response.done")
    error = first if first["type"] == "error" else second
    assert error["error"]["event_id"] == "second"
    assert error["error"]["code"] == "conversation_already_has_active_response"
    talk.still_well()


def test_a_truncation_beyond_the_sound_is_refused(talk: Talk) -> None:
    item = talk.ask("成人票多少钱？")["response"]["output"][0]["id"]
    talk.send("conversation.item.truncate", item_id=item, content_index=0, audio_end_ms=10**7, event_id="far")
    error = talk.take("conversation.item.truncated")
    assert error["type"] == "error" and error["error"]["event_id"] == "far"
    talk.send("conversation.item.truncate", item_id=item, content_index=0, audio_end_ms=300)
    assert talk.take("conversation.item.truncated")["audio_end_ms"] == 300
    talk.still_well()


def test_fifteen_mebibytes_at_once_are_heard(talk: Talk) -> None:
    talk.send("input_audio_buffer.append", audio=base64.b64encode(bytes(APPEND)).decode())
    talk.send("input_audio_buffer.clear")
    assert talk.take("input_audio_buffer.cleared")["type"] == "input_audio_buffer.cleared"
    talk.still_well()


@pytest.mark.parametrize("size", [APPEND + 1, APPEND * 3 // 2], ids=["a byte", "half as much"])
def test_more_than_fifteen_mebibytes_are_refused_and_the_connection_lives(talk: Talk, size: int) -> None:
    sound = base64.b64encode(bytes(size)).decode()
    assert len(sound) > FRAME or size == APPEND + 1
    talk.send("input_audio_buffer.append", audio=sound)
    error = talk.take("input_audio_buffer.cleared")
    assert error["error"]["code"] == "too_large" and "15 MiB" in error["error"]["message"]
    talk.still_well()


def test_what_no_client_can_mean_closes_the_connection_alone(served: Served) -> None:
    with dial(served) as socket, pytest.raises(ConnectionClosed) as closed:
        socket.send("x" * (MESSAGE_BYTES + 1))
        while True:
            socket.recv(PATIENCE)
    assert closed.value.rcvd is None or closed.value.rcvd.code == 1009  # it may be lost where we were still sending
    with dial(served) as socket:
        Talk(socket).still_well()


def test_one_visitor_too_many_is_told_so_and_let_in_when_there_is_room(served: Served) -> None:
    with ExitStack() as visitors:
        for _ in range(SESSIONS):
            visitors.enter_context(admitted(served))
        with dial(served) as socket:
            assert Talk(socket).take("session.created")["error"]["code"] == "busy"
            with pytest.raises(ConnectionClosed) as closed:
                socket.recv(PATIENCE)
            assert closed.value.rcvd is not None and closed.value.rcvd.code == 1013
    with admitted(served) as talk:
        talk.still_well()


@contextmanager
def admitted(served: Served) -> Iterator[Talk]:
    """As soon as there is room."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        with dial(served) as socket:
            talk = Talk(socket)
            if talk.take("session.created")["type"] == "session.created":
                yield talk
                return
        time.sleep(0.05)
    raise AssertionError("no room")


def test_clients_that_vanish_in_the_middle_leave_their_places(served: Served) -> None:
    for turn in range(6 * SESSIONS):
        with admitted(served) as talk:
            talk.send("conversation.item.create", item=message("几点开馆？"))
            talk.send("response.create")
            if turn % 2:
                talk.take("response.output_audio.delta")
            talk.socket.socket.shutdown(SHUT_RDWR)  # no goodbye: the process is gone
    with admitted(served) as talk:
        talk.still_well()
    assert "Traceback" not in served.log.read_text("utf-8")


def test_five_hundred_reconnects_take_no_memory(served: Served) -> None:
    def rounds(count: int) -> int:
        for _ in range(count):
            with admitted(served):
                pass
        return memory(served.process.pid)

    before = rounds(200)
    assert rounds(500) < 1.05 * before
