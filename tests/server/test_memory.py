"""What is remembered of users, through the routes and the command: shown, exported, forgotten, and kept apart."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from agent.commands import Consent, Say
from agent.events import Fault, TurnEnded
from avatar.labels import HEADER, label_of, read_header
from configs.home import Home
from configs.language import LANGUAGES, Lang
from configs.settings import load
from server.__main__ import main
from server.app import create_app
from server.assemble import Service
from server.auth import OPERATOR, Grant
from server.protocols.base import Hello
from server.reception import Reception
from server.routes.memory import SESSION
from tests.agent.remembering import said
from tests.contract.test_records import traces
from tests.waiting import until

ENVIRON = {"ZHUBO__MEMORY__LONG_TERM": "true", "ZHUBO__KNOWLEDGE__SAMPLE": "false"}
KEYED = {
    "ZHUBO__SERVER__KEY": "operator",
    "ZHUBO__SERVER__KEYS": '[{"key": "museum", "base": "main"}, {"key": "other", "base": "other"}]',
}
TELLS = ("我女儿叫阿丽雅，今年七岁。", "I live in Bristol, near the harbour.")


@contextlib.asynccontextmanager
async def serving(folder: Path, **environ: str) -> AsyncIterator[tuple[Service, httpx.AsyncClient]]:
    service = Service(load("test", environ=ENVIRON | environ), Home(folder / "data", folder / "cache"))
    app = create_app(service)
    async with app.router.lifespan_context(app):
        while not service.readiness().serving:
            assert service.failed is None, service.failed
            await asyncio.sleep(0.005)
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://127.0.0.1") as client:
            yield service, client


async def converse(service: Service, user: str, grant: Grant = OPERATOR) -> tuple[str, str]:
    """A client that agrees to be remembered and tells what it tells: its session's id, and its user's."""
    async with Reception(service, grant, ("main",)).received(Hello(user=user)) as (session, welcome):
        assert welcome.memory and await session.memory.consent(True)
        for text in TELLS:
            await session.handle(Say(text))
            while not isinstance(await session.event(), TurnEnded):
                pass
        await session.memory.settled()
        return welcome.session, session.memory.user


def refused(response: httpx.Response, status: int, code: str) -> bool:
    return response.status_code == status and response.json()["detail"].startswith(f"{code}: ")


async def test_the_operator_sees_exports_and_forgets(tmp_path: Path) -> None:
    async with serving(tmp_path) as (service, client):
        _, user = await converse(service, "a secret of the client's")
        listed: list[dict[str, Any]] = (await client.get("/v1/memory")).json()
        assert [(one["user"], one["conversations"], one["consent"]) for one in listed] == [(user, 1, True)]
        shown = (await client.get(f"/v1/memory/{user}")).json()
        texts = [fact["text"] for fact in shown["facts"]]
        assert "我女儿叫阿丽雅" in texts and "I live in Bristol, near the harbour" in texts and shown["consented"]
        answer = await client.get(f"/v1/memory/{user}/export")
        exported, label = answer.json(), label_of(answer.content, "json")
        assert label is not None and label == read_header(answer.headers[HEADER]) and label.producer == "Zhubo"
        spoken = exported["conversations"][0]["exchanges"]
        assert [one["asked"] for one in spoken] == list(TELLS) and all(one["heard"] for one in spoken)
        home = next(fact for fact in shown["facts"] if "Bristol" in fact["text"])
        assert (await client.delete(f"/v1/memory/{user}/facts/{home['id']}")).status_code == 204
        assert refused(await client.delete(f"/v1/memory/{user}/facts/{home['id']}"), 404, "unknown_fact")
        assert traces(tmp_path, "Bristol") == []
        assert (await client.delete(f"/v1/memory/{user}")).status_code == 204
        assert (await client.get("/v1/memory")).json() == []
    assert traces(tmp_path, "阿丽雅") == [] and traces(tmp_path, "harbour") == []


async def test_a_session_reaches_its_own_user_and_no_other(tmp_path: Path) -> None:
    async with serving(tmp_path, **KEYED) as (service, client):
        museum, other = Grant("main", False), {"Authorization": "Bearer other"}
        session, user = await converse(service, "alice", museum)
        session_of_another, another = await converse(service, "bob", museum)
        own = {"Authorization": "Bearer museum", SESSION: session}
        assert user.startswith("main:") and another != user
        assert (await client.get("/v1/memory/me", headers=own)).json()["user"] == user
        for headers in ({**own, SESSION: "x" * 24}, {"Authorization": "Bearer museum"}, other | {SESSION: session}):
            assert refused(await client.get("/v1/memory/me", headers=headers), 403, "not_yours")
        for place in (f"/v1/memory/{user}", f"/v1/memory/{another}", "/v1/memory", f"/v1/memory/{another}/export"):
            assert refused(await client.get(place, headers=own), 403, "operator_only")
        assert refused(await client.delete(f"/v1/memory/{another}", headers=own), 403, "operator_only")
        assert (await client.get("/v1/memory/me")).status_code == 401
        withdrawn = await client.put("/v1/memory/me/consent", headers=own, json={"given": False})
        assert withdrawn.json() == {"given": False}
        assert (await client.get("/v1/memory/me", headers=own)).json()["facts"] == []
        assert (await client.delete("/v1/memory/me", headers=own)).status_code == 204
        assert (await client.get("/v1/memory/me", headers={**own, SESSION: session_of_another})).json()["facts"] != []
        operator = {"Authorization": "Bearer operator"}
        assert [one["user"] for one in (await client.get("/v1/memory", headers=operator)).json()] == [another]


async def test_readiness_tells_while_the_records_cannot_be_used(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "memory.sqlite").write_bytes(b"not a database" * 200)
    async with serving(tmp_path) as (service, client):
        memory = await service.memories.open()
        memory.answered(1, "你好", said("您好。"))
        await until(lambda: service.memories.state().trouble is not None)
        assert (await client.get("/readyz")).status_code == 503
        assert refused(await client.get("/v1/memory"), 503, "memory_unavailable")


@pytest.mark.parametrize("lang", LANGUAGES)
async def test_a_consent_that_cannot_be_kept_is_told(tmp_path: Path, lang: Lang) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "memory.sqlite").write_bytes(b"not a database" * 200)
    async with serving(tmp_path) as (service, _):
        async with Reception(service, OPERATOR, ("main",)).received(Hello(user="alice")) as (session, _welcome):
            await session.open(lang)
            await session.handle(Consent(True))
            async with asyncio.timeout(60):
                while not isinstance(event := await session.event(), Fault):
                    pass
        assert event == Fault(0, "memory_unavailable", service.persona.unkept[lang])


def test_the_command_lists_exports_forgets_and_retains(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fill() -> str:
        async with serving(tmp_path) as (service, _):
            return (await converse(service, "alice"))[1]

    user = asyncio.run(fill())
    monkeypatch.setenv("ZHUBO_DATA", str(tmp_path / "data"))

    def run(*arguments: str) -> str:
        assert main(["memory", arguments[0], "--profile", "test", *arguments[1:]]) == 0
        return capsys.readouterr().out

    assert user in run("list") and "Bristol" in run("list", user)
    facts = json.loads(run("list", user, "--json"))["facts"]
    assert len(json.loads(run("export", user))["conversations"][0]["exchanges"]) == 2
    run("export", user, str(tmp_path / "alice.json"))
    assert (
        "阿丽雅" in (tmp_path / "alice.json").read_text("utf-8")
        and (tmp_path / "alice.json").stat().st_mode & 0o77 == 0
    )
    (tmp_path / "alice.json").unlink()
    run("forget", user, "--fact", next(fact["id"] for fact in facts if "Bristol" in fact["text"]))
    assert traces(tmp_path, "Bristol") == [] and run("retain").startswith("0 ")
    assert main(["memory", "forget", "--profile", "test", user]) == 2, "not without --yes"
    run("forget", user, "--yes")
    assert run("list") == "" and traces(tmp_path, "阿丽雅") == []
    assert main(["memory", "forget", "--profile", "test", user, "--fact", "x"]) == 1
