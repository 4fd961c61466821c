"""A smart speaker's way in: what it is told at its start, the operator's list, and who may open the WebSocket."""

import asyncio
import json
import logging
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.types import ASGIApp

from agent.persona import load
from tests.server.application import application
from tests.server.speaker import HELLO, Speaker

KITCHEN = {"Device-Id": "AA:BB:CC:00:11:22", "Client-Id": "0d4c8b5e-0000-4000-8000-000000000001"}
OPERATOR = {"Authorization": "Bearer operators-key"}
KEYED = {"ZHUBO__SERVER__KEY": "operators-key"}
TOLD = {"version": 2, "language": "zh-CN", "application": {"name": "xiaozhi", "version": "1.8.2"}, "board": {}}


async def boot(client: httpx.AsyncClient, body: Any = TOLD, **headers: str) -> dict[str, Any]:
    answer = await client.post("/xiaozhi/ota", json=body, headers={**KITCHEN, **headers})
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


async def test_without_a_key_a_device_is_told_where_to_connect(tmp_path: Path) -> None:
    async with application(tmp_path) as client:
        told = await boot(client)
        assert told["websocket"] == {"url": "ws://127.0.0.1/xiaozhi/v1/?lang=zh", "token": "", "version": 1}
        assert "activation" not in told and "mqtt" not in told
        assert told["firmware"] == {"version": "1.8.2", "url": ""}, "its own: nothing to upgrade to"
        assert told["server_time"]["timestamp"] > 1.7e12 and told["server_time"]["timezone_offset"] == 480
        for path in ("/xiaozhi/ota", "/xiaozhi/ota/"):
            for answer in (await client.get(path, headers=KITCHEN), await client.post(path)):
                assert answer.status_code == 200 and answer.json()["websocket"]["token"] == ""
        assert (await client.post("/xiaozhi/ota/activate", headers=KITCHEN, json={})).status_code == 200


LANGUAGES = [
    ("zh-CN", "en", "zh"),
    ("en-US", "", "en"),
    (None, "en-US,en;q=0.9", "en"),
    ("ja-JP", "", None),
    (None, "", None),
]


async def test_the_language_of_the_device_goes_with_the_address(tmp_path: Path) -> None:
    async with application(tmp_path, **KEYED) as client:
        for language, accepted, lang in LANGUAGES:
            told = await boot(client, {"language": language}, **{"Accept-Language": accepted})
            assert told["websocket"]["url"].partition("?")[2] == (f"lang={lang}" if lang else "")
            message = told["activation"]["message"]
            assert ("管理员" in message) == (lang != "en") and ("operator" in message) == (lang != "zh")


async def test_a_device_may_say_whatever_it_likes_of_itself_but_not_without_end(tmp_path: Path) -> None:
    async with application(tmp_path) as client:
        for body in (b"", b"nonsense", b"[]", b"7", b'{"application":7}', b'{"application":{"version":[]}}'):
            told = await client.post("/xiaozhi/ota", content=body, headers=KITCHEN)
            assert told.status_code == 200 and told.json()["firmware"] == {"version": "0.0.0", "url": ""}
        told = await client.post("/xiaozhi/ota", content=b"x" * 70_000, headers=KITCHEN)
        assert told.status_code == 413 and told.json()["detail"].startswith("too_large: ")


async def test_a_new_device_shows_a_code_and_an_operator_lets_it_in(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    async with application(tmp_path, **KEYED) as client:
        told = await boot(client)
        code = told["activation"]["code"]
        assert told["websocket"]["token"] == "" and told["activation"]["message"].endswith(f"\n{code}")
        assert told["activation"]["challenge"] and told["activation"]["timeout_ms"] == 30_000
        assert (await boot(client))["activation"]["code"] == code
        poll = {"headers": KITCHEN, "json": {"serial_number": "", "challenge": "x", "hmac": "y"}}
        assert (await client.post("/xiaozhi/ota/activate", **poll)).status_code == 202  # type: ignore[arg-type]
        listed = (await client.get("/v1/devices", headers=OPERATOR)).json()
        assert listed == {"admitted": [], "waiting": [{"id": "aa:bb:cc:00:11:22", "code": code}]}
        unknown = await client.post("/v1/devices/000", headers=OPERATOR)
        assert unknown.status_code == 404 and unknown.json()["detail"].startswith("unknown_code: ")
        confirmed = await client.post(f"/v1/devices/{code}", headers=OPERATOR)
        assert (confirmed.status_code, confirmed.json()) == (200, {"id": "aa:bb:cc:00:11:22"})
        assert (await client.post("/xiaozhi/ota/activate", **poll)).status_code == 200  # type: ignore[arg-type]
        told = await boot(client)
        token = told["websocket"]["token"]
        assert len(token) == 64 and "activation" not in told
        other = await boot(client, **{"Client-Id": "somebody-else"})
        assert other["websocket"]["token"] == "" and "activation" in other
        assert (await client.delete("/v1/devices/AA:BB:CC:00:11:22", headers=OPERATOR)).status_code == 204
        assert (await client.delete("/v1/devices/AA:BB:CC:00:11:22", headers=OPERATOR)).status_code == 404
        assert (await boot(client))["websocket"]["token"] == ""
    said = "\n".join(f"{one.getMessage()} {one.args}" for one in caplog.records if one.name.startswith("server"))
    assert not [secret for secret in (token, "operators-key", KITCHEN["Client-Id"]) if secret in said]


async def test_only_the_operator_sees_and_changes_the_list(tmp_path: Path) -> None:
    keys = "[{key: east-key, base: east, write: true}]"
    async with application(tmp_path, **KEYED, ZHUBO__SERVER__KEYS=keys) as client:
        for headers, status in (({}, 401), ({"Authorization": "Bearer east-key"}, 403)):
            asked = (
                await client.get("/v1/devices", headers=headers),
                await client.post("/v1/devices/123456", headers=headers),
                await client.delete("/v1/devices/x", headers=headers),
            )
            assert [one.status_code for one in asked] == [status] * 3


async def test_a_list_that_cannot_be_kept_is_told(tmp_path: Path) -> None:
    async with application(tmp_path, **KEYED, ZHUBO__XIAOZHI__DEVICES='["aa:bb:cc:00:11:33"]') as client:
        code = (await boot(client))["activation"]["code"]
        (tmp_path / "data" / "devices.new").mkdir(parents=True)
        for told in (
            await client.post(f"/v1/devices/{code}", headers=OPERATOR),
            await client.post("/xiaozhi/ota", headers={**KITCHEN, "Device-Id": "AA:BB:CC:00:11:33"}),
        ):
            assert told.status_code == 503 and told.json()["detail"].startswith("unkept: ")


async def test_an_address_that_asks_for_many_devices_is_told_to_wait(tmp_path: Path) -> None:
    async with application(tmp_path, **KEYED) as client:
        code = (await boot(client))["activation"]["code"]
        for number in range(30):
            told = await client.post("/xiaozhi/ota", headers={**KITCHEN, "Client-Id": f"flood-{number}"})
        assert told.status_code == 429 and told.headers["Retry-After"] == "300"
        assert told.json()["detail"].startswith("crowded: ") and "请稍后再试" in told.json()["detail"]
        assert (await boot(client))["activation"]["code"] == code


NAMELESS = [{}, {"Device-Id": "a"}, {**KITCHEN, "Device-Id": "a b"}, {**KITCHEN, "Client-Id": "x" * 65}]


async def test_where_there_is_a_key_a_device_says_who_it_is(tmp_path: Path) -> None:
    async with application(tmp_path, **KEYED) as client:
        for headers in NAMELESS:
            told = await client.post("/xiaozhi/ota", headers=headers)
            assert told.status_code == 400 and "Device-Id" in told.json()["detail"] and "请" in told.json()["detail"]


HOSTS = ["[::1", "[::::]", "a b", "x:port", "x:99999", "x:0", ":80", "a/b", "a]b", "u@x", "x?y", "\xe9"]


async def test_a_host_that_is_no_address_is_told(tmp_path: Path) -> None:
    async with application(tmp_path, **KEYED, ZHUBO__XIAOZHI__ACTIVATION="off") as client:
        token = (await boot(client))["websocket"]["token"]
        device = {**KITCHEN, "Authorization": f"Bearer {token}"}
        for host in HOSTS:
            for path in ("/xiaozhi/ota", "/xiaozhi/ota/activate"):
                told = await client.post(path, headers={**KITCHEN, "Host": host.encode("latin-1")})  # type: ignore[dict-item]
                assert told.status_code == 400, host
                assert told.json()["detail"].startswith("bad_host: send Host") and "须为" in told.json()["detail"]
            assert await opened(client, device, host=host) == 400
        for host in ("zhubo.local", "zhubo.local:8000", "192.0.2.1:80", "[2001:db8::1]:8000", "[::1]"):
            told = await client.post("/xiaozhi/ota", headers={**KITCHEN, "Host": host})
            assert told.json()["websocket"]["url"] == f"ws://{host}/xiaozhi/v1/"
            assert isinstance(await opened(client, device, host=host), dict)


async def test_a_page_of_another_site_learns_nothing_without_a_key(tmp_path: Path) -> None:
    async with application(tmp_path) as client:
        told = await client.get("/xiaozhi/ota", headers={"Origin": "https://evil.example"})
        assert told.status_code == 403


async def test_where_they_are_not_served_nothing_is(tmp_path: Path) -> None:
    async with application(tmp_path, ZHUBO__XIAOZHI__ENABLED="false") as client:
        for path in ("/xiaozhi/ota", "/xiaozhi/ota/", "/xiaozhi/ota/activate"):
            assert (await client.post(path, headers=KITCHEN)).status_code == 404
        assert await opened(client, KITCHEN) == 404


async def test_the_settings_say_what_devices_are_told(tmp_path: Path) -> None:
    named = {"ZHUBO__XIAOZHI__URL": "wss://speak.example/xiaozhi/v1/", "ZHUBO__XIAOZHI__VERSION": "3"}
    async with application(tmp_path, **named, **KEYED, ZHUBO__XIAOZHI__ACTIVATION="off") as client:
        told = (await boot(client))["websocket"]
        assert told["url"] == "wss://speak.example/xiaozhi/v1/?lang=zh" and told["version"] == 3
        assert len(told["token"]) == 64


async def test_pictures_are_not_looked_at_and_the_device_is_told(tmp_path: Path) -> None:
    async with application(tmp_path) as client:
        told = await client.post("/xiaozhi/vision", files={"file": ("camera.jpg", b"jpeg")}, data={"question": "what?"})
        assert told.status_code == 200 and told.json()["success"] is False and "Pictures" in told.json()["message"]


# the WebSocket


def scope_of(headers: dict[str, str], query: str = "", host: str = "127.0.0.1") -> dict[str, Any]:
    given = [(name.lower().encode(), value.encode("latin-1")) for name, value in headers.items()]
    return {
        **{"type": "websocket", "asgi": {"version": "3.0"}, "http_version": "1.1", "scheme": "ws"},
        **{"path": "/xiaozhi/v1/", "raw_path": b"/xiaozhi/v1/", "query_string": query.encode(), "root_path": ""},
        **{
            "headers": [(b"host", host.encode("latin-1")), *given],
            "subprotocols": [],
            "client": ("127.0.0.1", 1),
            "state": {},
        },
        **{"server": ("127.0.0.1", 80), "extensions": {"websocket.http.response": {}}},
    }


@asynccontextmanager
async def socket(
    app: ASGIApp, headers: dict[str, str], query: str = "", host: str = "127.0.0.1"
) -> AsyncIterator[list[Any]]:
    """What is answered to a device that connects, says hello, and goes."""
    scope = scope_of(headers, query, host)
    incoming: asyncio.Queue[Any] = asyncio.Queue()
    incoming.put_nowait({"type": "websocket.connect"})
    incoming.put_nowait({"type": "websocket.receive", "text": json.dumps(HELLO)})
    answered: list[Any] = []

    async def send(message: Any) -> None:
        answered.append(message)
        if message["type"] in ("websocket.send", "websocket.close", "websocket.http.response.body"):
            incoming.put_nowait({"type": "websocket.disconnect", "code": 1000})

    await app(scope, incoming.get, send)
    yield answered


async def opened(
    client: httpx.AsyncClient, headers: dict[str, str], query: str = "", host: str = "127.0.0.1"
) -> int | dict[str, Any]:
    """The status of a refusal, or the device's hello."""
    transport = client._transport
    assert isinstance(transport, httpx.ASGITransport)
    async with socket(transport.app, headers, query, host) as answered:
        if answered[0]["type"] == "websocket.accept":
            hello: dict[str, Any] = json.loads(answered[1]["text"])
            return hello
        status: int = answered[0]["status"]
        return status


async def test_the_socket_opens_by_the_token_alone(tmp_path: Path) -> None:
    async with application(tmp_path, **KEYED, ZHUBO__XIAOZHI__ACTIVATION="off") as client:
        token = (await boot(client))["websocket"]["token"]
        hello = await opened(client, {**KITCHEN, "Authorization": f"Bearer {token}", "Protocol-Version": "1"})
        assert isinstance(hello, dict) and hello["type"] == "hello" and hello["session_id"]
        for wrong in (
            KITCHEN,
            {**KITCHEN, "Authorization": "Bearer wrong"},
            {**KITCHEN, "Authorization": "Bearer operators-key"},
            {**KITCHEN, "Authorization": f"Basic {token}"},
            {**KITCHEN, "Authorization": f"Bearer {token}x"},
            {**KITCHEN, "Authorization": "Bearer \xe9"},
            {**KITCHEN, "Authorization": f"Bearer {token}", "Device-Id": "another"},
            {"Authorization": f"Bearer {token}"},
        ):
            assert await opened(client, wrong) == 401


KEYS = ["{key: east-key, base: main}", "{key: west-key, base: main}"]


async def test_the_order_of_the_keys_and_what_they_are_means_nothing_to_devices(tmp_path: Path) -> None:
    token = ""
    for keys in (KEYS, KEYS[::-1], ["{key: north-key, base: main}"]):
        settings = {"ZHUBO__SERVER__KEYS": f"[{', '.join(keys)}]", "ZHUBO__XIAOZHI__ACTIVATION": "off"}
        async with application(tmp_path, **settings) as client:
            token = token or (await boot(client))["websocket"]["token"]
            assert isinstance(await opened(client, {**KITCHEN, "Authorization": f"Bearer {token}"}), dict)


async def test_a_version_that_is_not_spoken_is_refused(tmp_path: Path) -> None:
    async with application(tmp_path) as client:
        for version in ("0", "4", "two", "1.0", ""):
            assert await opened(client, {**KITCHEN, "Protocol-Version": version}) == 400
        assert isinstance(await opened(client, {**KITCHEN, "Protocol-Version": "3"}), dict)
        assert isinstance(await opened(client, KITCHEN, "lang=en"), dict)


@pytest.mark.parametrize("minors", ["true", "false"])
async def test_devices_of_children_are_answered_by_their_rules(tmp_path: Path, minors: str) -> None:
    night = {"ZHUBO__CONDUCT__MINORS__NIGHT": "00:00", "ZHUBO__CONDUCT__MINORS__MORNING": "23:59:59.999"}
    async with application(tmp_path, ZHUBO__XIAOZHI__MINORS=minors, **night) as client:
        speaker, persona = Speaker(), load("guide")
        speaker.hello()
        speaker.say({"type": "listen", "state": "detect", "text": "几点开门？"})
        transport = client._transport
        assert isinstance(transport, httpx.ASGITransport)
        serving = asyncio.create_task(transport.app(scope_of(KITCHEN), speaker.receive, speaker.send))  # type: ignore[arg-type]
        notice = persona.ai_notice["zh"]
        shown = await speaker.until(
            lambda frame: (
                isinstance(frame, dict) and "text" in frame and frame["type"] == "tts" and frame["text"] not in notice
            )
        )
        assert (speaker.messages("tts", since=shown)[0]["text"] in persona.over["zh"]) == (minors == "true")
        speaker.vanish()
        await serving


async def test_a_page_of_another_site_opens_no_socket(tmp_path: Path) -> None:
    async with application(tmp_path) as client:
        assert await opened(client, {"Origin": "https://evil.example"}) == 401


async def test_whom_nothing_can_be_answered_is_told_in_both_languages(tmp_path: Path) -> None:
    async with application(tmp_path, ZHUBO__XIAOZHI__BASE="nowhere") as client:
        alert = await opened(client, KITCHEN)
        assert isinstance(alert, dict) and alert["type"] == "alert"
        assert "knowledge base" in alert["message"] and "知识库" in alert["message"]


async def test_without_opus_the_device_and_the_log_say_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async with application(tmp_path) as client:
        monkeypatch.setitem(sys.modules, "av", None)
        told = await client.post("/xiaozhi/ota", headers=KITCHEN)
        assert told.status_code == 503 and told.json()["detail"].startswith("no_opus: ")
        assert "zhubo[opus]" in told.json()["detail"] and "zhubo[opus]" in caplog.text
        assert await opened(client, KITCHEN) == 503
