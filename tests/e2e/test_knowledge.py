"""Knowledge bases through a real server: whose key is answered from what, progress of uploads, archives, folders."""

import asyncio
import json
import time
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from tests.e2e.serving import Served, serving
from tests.server.application import ended, labelled
from tests.server.test_keys import FACTS, OPERATOR, OTHER, QUESTIONS, SETTINGS, bearer

pytestmark = pytest.mark.e2e

HELLO = {"type": "hello", "audio": "none", "motion": False, "captions": False}


async def stock(http: httpx.AsyncClient) -> dict[str, set[str]]:
    """Both bases with their facts; the ids of the documents of each."""
    documents: dict[str, set[str]] = {}
    for base, facts in FACTS.items():
        await http.post("/v1/knowledge", json={"name": base}, headers=OPERATOR)
        files = [("files", (name, text.encode())) for name, text in facts.items()]
        assert (await http.post(f"/v1/knowledge/{base}/publish", files=files, headers=OPERATOR)).status_code == 201
        listed = (await http.get(f"/v1/knowledge/{base}/documents", headers=OPERATOR)).json()["documents"]
        documents[base] = {document["id"] for document in listed}
    return documents


async def converse(server: Served, question: str, key: dict[str, str]) -> tuple[str, str, list[dict[str, Any]], bool]:
    """The base that answered, the answer, its citations, and whether it was a refusal."""
    async with connect(server.ws, additional_headers=key) as client:
        await client.send(json.dumps(HELLO))
        base = json.loads(await client.recv())["base"]
        await client.send(json.dumps({"type": "say", "text": question}))
        said, citations = "", []
        while (frame := json.loads(await asyncio.wait_for(client.recv(), 60)))["type"] != "turn_ended":
            said += frame["text"] if frame["type"] == "text" else ""
            citations += frame["citations"] if frame["type"] == "citations" else []
        return base, said, citations, frame["refused"]


async def test_a_conversation_is_answered_from_the_base_of_its_key(tmp_path: Path) -> None:
    with serving(tmp_path, environ=SETTINGS) as server:
        async with httpx.AsyncClient(base_url=server.url, timeout=60) as http:
            documents = await stock(http)
            for base, other in OTHER.items():
                for question, fact in QUESTIONS[base].items():
                    named, said, citations, refused = await converse(server, question, bearer(base))
                    assert named == base and fact in said and not refused
                    assert citations and {citation["document"] for citation in citations} <= documents[base]
                    cited = citations[0]
                    place = f"/v1/knowledge/{base}/documents/{cited['document']}?revision={cited['revision']}"
                    text = (await http.get(place, headers=bearer(base))).json()["text"]
                    assert text[cited["start"] : cited["end"]] == cited["quote"] and fact in cited["quote"]
                for question, fact in QUESTIONS[other].items():
                    _, said, citations, refused = await converse(server, question, bearer(base))
                    assert refused and fact not in said and citations == []
        assert "-key" not in server.log.read_text()


async def test_a_persona_names_its_base_and_a_key_goes_before_it(tmp_path: Path) -> None:
    guide = (Path(__file__).parents[2] / "configs" / "personas" / "guide.yaml").read_text("utf-8")
    persona = tmp_path / "讲解员.yaml"
    persona.write_text(f"base: west\n{guide}", "utf-8")
    with serving(tmp_path, environ={**SETTINGS, "ZHUBO__PERSONA": str(persona)}) as server:
        async with connect(server.ws, additional_headers=OPERATOR) as client:
            assert json.loads(await client.recv())["code"] == "unknown_base"
            with pytest.raises(ConnectionClosed):
                await client.recv()
        async with httpx.AsyncClient(base_url=server.url, timeout=60) as http:
            await stock(http)
        for question, fact in QUESTIONS["west"].items():
            named, said, *_ = await converse(server, question, OPERATOR)
            assert named == "west" and fact in said
            assert (await converse(server, question, bearer("east")))[3], "the base of the key does not say"


@pytest.mark.parametrize(
    ("name", "line", "question"),
    [
        ("展品目录.md", "展品{0}号是第{0}台蒸汽机，陈列在{0}号柜。", "展品57号陈列在哪个柜？"),
        ("catalogue.md", "Exhibit {0} is steam engine {0} and stands in case {0}.", "Which case is exhibit 57 in?"),
    ],
)
async def test_an_upload_tells_how_far_it_is_and_answers_in_the_meantime(
    server: Served, name: str, line: str, question: str
) -> None:
    text = "\n\n".join(f"## {number}\n\n{line.format(number)}" for number in range(1, 200))
    async with httpx.AsyncClient(base_url=server.url, timeout=60) as http:
        file = {"file": (name, text.encode())}
        job = (await http.post("/v1/knowledge/main/documents?wait=false", files=file)).json()
        place, states = f"/v1/knowledge/main/jobs/{job['id']}", [job["state"]]
        began = time.monotonic()
        while states[-1] in ("waiting", "reading") and time.monotonic() < began + 60:
            states.append((await http.get(place)).json()["state"])
        assert states[-1] == "done" and states == sorted(states, key=["waiting", "reading", "done"].index)
        asked = {"question": question, "filter": {"documents": [(await http.get(place)).json()["document"]]}}
        best = (await http.post("/v1/knowledge/main/search", json=asked)).json()["passages"][0]
        assert "57" in best["text"]
        assert (await ended(http, place))["pending"] == 0
        await http.delete(f"/v1/knowledge/main/documents/{best['document']}")


async def test_a_base_is_carried_to_another_instance_with_its_history(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    with serving(tmp_path / "one", environ={"ZHUBO__KNOWLEDGE__SAMPLE": "false"}) as one:
        async with httpx.AsyncClient(base_url=one.url, timeout=60) as http:
            for number in (60, 70):
                texts = {"票价.md": f"成人票每张{number}元。", "fare.md": f"A ticket costs {number} yuan."}
                for name, text in texts.items():
                    file = {"file": (name, text.encode())}
                    assert (await http.post("/v1/knowledge/main/documents", files=file)).status_code == 201
            answer = {"questions": ["西门开吗？", "Is the west gate open?"], "answer": "西门关闭。"}
            assert (await http.post("/v1/knowledge/main/faq", json=answer)).status_code == 201
            before = await told(http, "main")
            archive = (await http.get("/v1/knowledge/main/export")).content
    with serving(tmp_path / "two", environ={"ZHUBO__KNOWLEDGE__SAMPLE": "false"}) as two:
        async with httpx.AsyncClient(base_url=two.url, timeout=60) as http:
            file = {"file": ("main.zhubo", archive)}
            assert (await http.post("/v1/knowledge/museum/import", files=file)).status_code == 201
            assert await told(http, "museum") == before
            assert (await http.post("/v1/knowledge/museum/import", files=file)).status_code == 409
            back = await http.post("/v1/knowledge/museum/rollback", json={"edition": before["editions"][-1]["number"]})
            assert back.status_code == 201 and back.json()["documents"] == 1


async def told(http: httpx.AsyncClient, base: str) -> dict[str, Any]:
    """All that a base is and answers."""
    root = f"/v1/knowledge/{base}"
    parts: dict[str, Any] = {part: (await http.get(f"{root}/{part}")).json() for part in ("editions", "faq")}
    parts["documents"] = await labelled(http, base)
    for question in ("成人票多少钱？", "How much is a ticket?", "西门开吗？"):
        found = (await http.post(f"{root}/search", json={"question": question})).json()
        parts[question] = [passage["text"] for passage in found["passages"]], found["curated"]
    return parts


async def test_a_watched_folder_is_what_the_base_says(tmp_path: Path) -> None:
    folder = tmp_path / "资料"
    folder.mkdir()
    (folder / "开放.md").write_text("周一闭馆。", "utf-8")
    watched = json.dumps([{"folder": str(folder)}], ensure_ascii=False)
    with serving(tmp_path, environ={"ZHUBO__KNOWLEDGE__WATCH": watched, "ZHUBO__KNOWLEDGE__SAMPLE": "false"}) as server:
        async with httpx.AsyncClient(base_url=server.url, timeout=60) as http:
            assert await listing(http, {"资料:开放.md"})
            (folder / "hours.txt").write_text("Closed on Mondays.", "utf-8")
            (folder / "开放.md").unlink()
            assert await listing(http, {"资料:hours.txt"})


async def listing(http: httpx.AsyncClient, sources: set[str]) -> bool:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        listed = (await http.get("/v1/knowledge/main/documents")).json()["documents"]
        if {document["source"] for document in listed} == sources:
            return True
        await asyncio.sleep(0.1)
    return False
