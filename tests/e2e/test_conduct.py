"""What the law asks of a conversation, on a real server: a child's key, the reminder after long use."""

import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import pytest
from websockets.asyncio.client import connect

from agent.persona import load
from configs.language import LANGUAGES, Lang
from tests.e2e.serving import Served, serving
from tests.e2e.test_operator import QUESTION, User

pytestmark = pytest.mark.e2e

ENVIRON = {
    "ZHUBO__SERVER__KEYS": "[{key: a-school, base: main, minors: true}, {key: a-museum, base: main}]",
    "ZHUBO__CONDUCT__USE": "{reminder: 0.001, again: 3600}",
    "ZHUBO__CONDUCT__MINORS": "{reminder: 3600, most: null, night: null, morning: null}",
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("conduct"), environ=ENVIRON) as served:
        yield served


@asynccontextmanager
async def user(server: Served, key: str, lang: Lang) -> AsyncIterator[User]:
    headers = {"Authorization": f"Bearer {key}"}
    async with connect(server.ws, additional_headers=headers, max_queue=None) as socket:
        await socket.send(json.dumps({"type": "hello", "protocol": "zhubo.v1", "lang": lang}))
        yield User(socket)


def told(visitor: User) -> list[str]:
    return [frame["code"] for frame in visitor.frames if frame["type"] == "notice"]


@pytest.mark.parametrize("lang", LANGUAGES)
async def test_whoever_has_a_childs_key_is_a_child(server: Served, lang: Lang) -> None:
    async with user(server, "a-school", lang) as child:
        assert (await child.until("notice", code="minors"))["message"] == load("guide").minors[lang]
        await child.say(QUESTION[lang])
        await child.until("turn_ended", turn=1)
        assert told(child) == ["ai", "minors"]


@pytest.mark.parametrize("lang", LANGUAGES)
async def test_the_reminder_comes_after_the_answer_and_once(server: Served, lang: Lang) -> None:
    async with user(server, "a-museum", lang) as visitor:
        await visitor.say(QUESTION[lang])
        assert (await visitor.until("notice", code="reminder"))["message"] == load("guide").reminder[lang]
        await visitor.until("turn_ended", turn=2)
        assert "60" in visitor.text(1) and "AI" in visitor.text(2).replace("人工智能", "AI")
        await visitor.say(QUESTION[lang])
        await visitor.until("turn_ended", turn=3)
        assert told(visitor) == ["ai", "reminder"]
