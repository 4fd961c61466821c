"""The operators' desk on a real server: an operator's client, a user's client, and the console in a real browser."""

import asyncio
import json
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import expect, sync_playwright
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from agent.chain import Chain
from tests.e2e.serving import Served, serving

pytestmark = pytest.mark.e2e

KEY, BASE_KEY = "the-operator", "a-museum"
ENVIRON = {
    "ZHUBO__SERVER__KEY": KEY,
    "ZHUBO__SERVER__KEYS": f'[{{"key": "{BASE_KEY}", "base": "main", "write": true}}]',
    "ZHUBO__CONDUCT__GRACE": "0.5",
}
BEARER = {"Authorization": f"Bearer {KEY}"}
QUESTION = {"zh": "成人票多少钱？", "en": "How much is an adult ticket?"}
LINE = {"zh": "您好，我是值班的工作人员。", "en": "Hello, this is the duty officer."}
LANGS = ["zh", "en"]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Any:
    with serving(tmp_path_factory.mktemp("desk"), environ=ENVIRON) as served:
        yield served


def audit(server: Served) -> Chain:
    return Chain(server.log.parent / "data" / "audit.jsonl")


async def audited(server: Served, part: Callable[[list[dict[str, Any]]], list[Any]], expected: list[Any]) -> None:
    """A part of the audit log becomes what is expected: it is written in the background."""
    async with asyncio.timeout(60):
        while part(list(audit(server).records())) != expected:
            await asyncio.sleep(0.05)


class Console:
    """An operator's client."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.frames: list[dict[str, Any]] = []
        self.sessions: list[dict[str, Any]] = []
        self._refs = 0

    async def next(self) -> dict[str, Any]:
        frame: dict[str, Any] = json.loads(await asyncio.wait_for(self.socket.recv(), 60))
        self.frames.append(frame)
        if frame["type"] == "sessions":
            self.sessions = frame["sessions"]
        return frame

    async def ask(self, kind: str, session: str = "", **given: Any) -> dict[str, Any]:
        self._refs += 1
        await self.socket.send(json.dumps({"type": kind, "session": session, "ref": str(self._refs), **given}))
        while (frame := await self.next()).get("ref") != str(self._refs):
            pass
        return frame

    async def session(self, **wanted: Any) -> dict[str, Any]:
        """The first session listed that is so."""
        while True:
            for one in self.sessions:
                if all(one[name] == value for name, value in wanted.items()):
                    return one
            await self.next()

    async def event(self, kind: str, **wanted: Any) -> dict[str, Any]:
        while True:
            for frame in self.frames:
                event = frame.get("event", {})
                if event.get("type") == kind and all(event[name] == value for name, value in wanted.items()):
                    return event  # type: ignore[no-any-return]
            await self.next()


@asynccontextmanager
async def console(server: Served, name: str = "梅 Mei") -> AsyncIterator[Console]:
    address = f"{server.url.replace('http', 'ws', 1)}/v1/operator"
    async with connect(address, additional_headers=BEARER, max_queue=None) as socket:
        await socket.send(json.dumps({"type": "hello", "name": name}))
        operator = Console(socket)
        assert (await operator.next())["type"] == "welcome"
        yield operator


class User:
    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.frames: list[dict[str, Any]] = []

    async def say(self, text: str) -> None:
        await self.socket.send(json.dumps({"type": "say", "text": text}))

    async def until(self, kind: str, **wanted: Any) -> dict[str, Any]:
        while True:
            for frame in self.frames:
                if frame["type"] == kind and all(frame[name] == value for name, value in wanted.items()):
                    return frame
            frame = await asyncio.wait_for(self.socket.recv(), 60)
            if isinstance(frame, str):
                self.frames.append(json.loads(frame))

    def text(self, turn: int) -> str:
        return "".join(frame["text"] for frame in self.frames if frame["type"] == "text" and frame["turn"] == turn)


@asynccontextmanager
async def user(server: Served, lang: str = "zh") -> AsyncIterator[User]:
    async with connect(server.ws, additional_headers=BEARER, max_queue=None) as socket:
        await socket.send(json.dumps({"type": "hello", "protocol": "zhubo.v1", "lang": lang}))
        one = User(socket)
        await one.until("welcome")
        yield one


@pytest.mark.parametrize("lang", LANGS)
async def test_an_operator_follows_takes_over_answers_and_gives_back(server: Served, lang: str) -> None:
    async with user(server, lang) as visitor, console(server) as mei:
        await visitor.until("notice", code="ai")
        session = (await mei.session(state="answering"))["id"]
        assert (await mei.ask("watch", session))["type"] == "done"
        await visitor.say(QUESTION[lang])
        assert (await mei.event("asked"))["text"] == QUESTION[lang]
        await mei.event("turn_ended", turn=1)
        assert (await mei.ask("whisper", session, text="be brief / 说得短一点"))["type"] == "done"
        assert (await mei.ask("take", session))["type"] == "done"
        await visitor.until("notice", code="takeover")
        await visitor.say(QUESTION[lang])
        await mei.session(id=session, state="waiting", operator="梅 Mei")
        assert (await mei.ask("line", session, text=LINE[lang]))["type"] == "done"
        await visitor.until("turn_ended", turn=3)
        assert visitor.text(3) == LINE[lang]
        assert (await visitor.until("turn_started", turn=3))["by"] == "operator"
        assert (await mei.ask("give", session))["type"] == "done"
        await visitor.until("notice", code="returned")
        await visitor.say(QUESTION[lang])
        await visitor.until("turn_ended", turn=5)
        assert visitor.text(5) == visitor.text(1) and "be brief" not in json.dumps(visitor.frames)
    noted = json.dumps(list(audit(server).records()), ensure_ascii=False)
    assert LINE[lang] not in noted and "be brief" not in noted and QUESTION[lang] not in noted


async def test_a_call_for_a_human_alerts_the_desk_and_an_operator_who_is_lost_is_replaced(server: Served) -> None:
    async with user(server, "en") as visitor:
        async with console(server) as mei:
            await visitor.say("Can I talk to a human?")
            session = (await mei.session(wanted="asked"))["id"]
            assert mei.sessions[0]["id"] == session
            await mei.ask("take", session)
            await visitor.until("notice", code="takeover")
            mei.socket.transport.abort()  # no closing handshake: the cable is cut
        returned = await visitor.until("notice", code="returned")
        assert "AI" in returned["message"]
    done = ["take over", "give back"]
    await audited(server, lambda records: [one["what"] for one in records if one["session"] == session], done)
    assert audit(server).verify() is None


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer wrong"}, {"Authorization": f"Bearer {BASE_KEY}"}])
async def test_the_desk_is_for_the_operators_key_alone(server: Served, headers: dict[str, str]) -> None:
    with pytest.raises(InvalidStatus) as refused:
        async with connect(f"{server.url.replace('http', 'ws', 1)}/v1/operator", additional_headers=headers):
            pass
    assert refused.value.response.status_code == 403
    async with httpx.AsyncClient(base_url=server.url, timeout=60) as http:
        assert (await http.get("/v1/operator/sessions", headers=headers)).status_code in (401, 403)
        assert (await http.get("/v1/operator/sessions", headers=BEARER)).json()["sessions"] == []


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        ("not json", "bad_message"),
        (b"\0", "bad_message"),
        ('{"type":"dance","session":"x"}', "unknown_type"),
        ('{"type":"watch"}', "bad_message"),
        ('{"type":"watch","session":"nobody"}', "gone"),
        ('{"type":"line","session":"x","text":" "}', "bad_message"),
        ('{"type":"whisper","session":"x","text":7}', "bad_message"),
        (json.dumps({"type": "line", "session": "x", "text": "长" * 1001}), "bad_message"),
        ('{"type":"hello","name":"again"}', "bad_message"),
        ('["list"]', "bad_message"),
    ],
)
async def test_a_bad_frame_is_told_and_the_connection_goes_on(server: Served, frame: str | bytes, code: str) -> None:
    async with console(server) as mei:
        await mei.socket.send(frame)
        while (answer := await mei.next())["type"] != "error":
            pass
        assert answer["code"] == code and answer["message"]
        await mei.socket.send('{"type":"ping"}')
        while (await mei.next())["type"] != "pong":
            pass


async def test_an_operator_says_who_they_are_first(server: Served) -> None:
    async with connect(f"{server.url.replace('http', 'ws', 1)}/v1/operator", additional_headers=BEARER) as socket:
        for frame in ('{"type":"ping"}', '{"type":"hello","name":" "}', '{"type":"watch","session":"x"}'):
            await socket.send(frame)
            assert json.loads(await socket.recv())["type"] == "error"
        await socket.send('{"type":"hello","name":"梅"}')
        assert json.loads(await socket.recv())["type"] == "welcome"


@pytest.mark.parametrize(("lang", "words"), [("zh", "退出"), ("en", "Stop talking to me.")])
async def test_the_exit_word_closes_the_connection_after_a_goodbye(server: Served, lang: str, words: str) -> None:
    async with user(server, lang) as visitor:
        await visitor.say(words)
        with pytest.raises(ConnectionClosed) as closed:
            await visitor.until("never")
        assert closed.value.rcvd is not None and closed.value.rcvd.code == 1000
        assert (
            visitor.text(1) and [frame["code"] for frame in visitor.frames if frame["type"] == "notice"][-1] == "ended"
        )


async def test_what_changes_the_knowledge_is_in_the_audit_log(server: Served) -> None:
    async with httpx.AsyncClient(
        base_url=server.url, headers={"Authorization": f"Bearer {BASE_KEY}"}, timeout=60
    ) as http:
        done = await http.post("/v1/knowledge/main/rebuild")
        await http.post("/v1/knowledge/main/search", json={"question": "票价"})
        refused = await http.post("/v1/knowledge", json={"name": "another"})
    expected = [
        ("key of main", "POST /v1/knowledge/{base}/rebuild", {"status": done.status_code, "base": "main"}),
        ("key of main", "POST /v1/knowledge", {"status": refused.status_code}),
    ]
    await audited(
        server, lambda records: [(r["who"], r["what"], r["detail"]) for r in records if "/v1/" in r["what"]], expected
    )


@pytest.mark.parametrize(("lang", "locale"), [("zh", "zh-CN"), ("en", "en-US")])
def test_the_console_shows_the_queue_and_an_operator_works_with_the_keyboard(
    server: Served, lang: str, locale: str, tmp_path: Path
) -> None:
    words = {"zh": "转人工", "en": "Can I talk to a human?"}[lang]
    with sync_playwright() as playwright:
        path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_context(locale=locale).new_page()
        problems: list[str] = []
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.goto(f"{server.url}/console")
        page.locator("#name").fill("梅")
        page.locator("#key").fill("wrong")
        page.keyboard.press("Enter")
        expect(page.locator("#entry-problem")).to_be_visible()
        page.locator("#key").fill(KEY)
        page.keyboard.press("Enter")
        expect(page.locator("#desk")).to_be_visible()
        visitor = browser.new_context(locale=locale).new_page()
        visitor.goto(f"{server.url}/#key={KEY}")
        visitor.locator("#question").fill(words)
        expect(visitor.locator("#status")).to_have_attribute("data-state", "open")
        visitor.keyboard.press("Enter")
        expect(page.locator("#alert")).to_be_visible()
        assert page.title().startswith("(1) ")
        page.locator("#sessions button").focus()
        page.keyboard.press("Enter")
        expect(page.locator("#transcript .user")).to_contain_text(words)
        page.locator("#take").focus()
        page.keyboard.press("Enter")
        expect(page.locator("#give")).to_be_visible()
        expect(page.locator("#alert")).to_be_hidden()
        page.locator("#line-text").fill(LINE[lang])
        page.keyboard.press("Enter")
        expect(page.locator("#transcript .operator").last).to_contain_text(LINE[lang][:5])
        expect(visitor.locator("#messages")).to_contain_text(LINE[lang][:5])
        page.locator("#whisper-text").fill("keep it short")
        page.keyboard.press("Enter")
        expect(page.locator("#whispers")).to_be_visible()
        page.locator("#give").focus()
        page.keyboard.press("Enter")
        expect(page.locator("#take")).to_be_visible()
        visitor.close()
        expect(page.locator("#transcript .remark").last).to_be_visible()
        page.screenshot(path=tmp_path / "console.png")
        assert problems == []
        browser.close()
