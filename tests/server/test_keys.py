"""A key that opens one knowledge base: nothing of another is seen through it, and no answer tells there is one."""

import re
from pathlib import Path
from typing import Any

import httpx

from tests.server.application import application, ended

OPERATOR = {"Authorization": "Bearer operator"}
KEYS = "[{key: east-key, base: east, write: true}, {key: west-key, base: west}]"
SETTINGS = {"ZHUBO__SERVER__KEY": "operator", "ZHUBO__SERVER__KEYS": KEYS}
FACTS = {
    "east": {
        "东馆.md": "# 东馆\n\n蓝鲸骨架在东馆三层的海洋厅。\n",
        "East.md": "# East\n\nThe steam engine stands in hall seven.\n",
    },
    "west": {
        "西馆.md": "# 西馆\n\n月球岩石在西馆一层的星空厅。\n",
        "West.md": "# West\n\nThe telescope stands in hall nine.\n",
    },
}
QUESTIONS = {
    "east": {"蓝鲸骨架在哪里？": "海洋厅", "Where is the steam engine?": "hall seven"},
    "west": {"月球岩石在哪里？": "星空厅", "Where is the telescope?": "hall nine"},
}
OTHER = {"east": "west", "west": "east"}


def bearer(base: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {base}-key"}


async def fill(client: httpx.AsyncClient) -> dict[str, dict[str, list[str]]]:
    """Both bases with their facts: the ids of documents, jobs and curated answers of each."""
    ids: dict[str, dict[str, list[str]]] = {}
    for base, facts in FACTS.items():
        ids[base] = {"documents": [], "jobs": [], "faq": []}
        assert (await client.post("/v1/knowledge", json={"name": base}, headers=OPERATOR)).status_code == 201
        for name, text in facts.items():
            file = {"file": (name, text.encode())}
            done = await client.post(f"/v1/knowledge/{base}/documents", files=file, headers=OPERATOR)
            ids[base]["documents"].append(done.json()["document"]["id"])
        file = {"file": ("later.txt", f"{base} later".encode())}
        job = await client.post(f"/v1/knowledge/{base}/documents?wait=false", files=file, headers=OPERATOR)
        ids[base]["jobs"].append(job.json()["id"])
        await ended(client, f"/v1/knowledge/{base}/jobs/{job.json()['id']}", OPERATOR)
        answer = {"questions": [f"{base}?"], "answer": f"{base}!"}
        faq = await client.post(f"/v1/knowledge/{base}/faq", json=answer, headers=OPERATOR)
        ids[base]["faq"].append(faq.json()["id"])
    return ids


def body(method: str, path: str, base: str) -> dict[str, Any]:
    """What a route takes, right enough to be done if it were allowed."""
    if path.endswith(("/documents", "/import", "/publish")) and method == "post":
        field = "files" if path.endswith("/publish") else "file"
        return {"files": {field: ("a.md", b"# A\n\nSomething.\n")}}
    if "/faq" in path and method in ("post", "put"):
        return {"json": {"questions": ["q"], "answer": "a"}}
    if method == "patch":
        return {"json": {"summary": "s"}}
    if path.endswith("/search"):
        return {"json": {"question": next(iter(QUESTIONS[base]))}}
    if path.endswith("/pages"):
        return {"json": {"url": "http://127.0.0.1/"}}
    return {}


async def state(client: httpx.AsyncClient, base: str) -> dict[str, Any]:
    """What a base is, but for what is still being made of it."""
    told: dict[str, Any] = (await client.get(f"/v1/knowledge/{base}", headers=OPERATOR)).json()
    del told["vectors_pending"]
    return told


async def routes(client: httpx.AsyncClient) -> list[tuple[str, str]]:
    document = (await client.get("/openapi.json")).json()
    under = {path: methods for path, methods in document["paths"].items() if path.startswith("/v1/knowledge/{base}")}
    return [(method, path) for path, methods in under.items() for method in methods]


def filled(path: str, base: str, ids: dict[str, list[str]]) -> str:
    kind = re.search(r"/(documents|jobs|faq)/", path)
    return path.replace("{base}", base).replace("{id}", ids[kind[1]][0] if kind else "")


async def test_every_route_hides_the_other_base_as_if_it_were_not_there(tmp_path: Path) -> None:
    async with application(tmp_path, **SETTINGS) as client:
        ids, every = await fill(client), await routes(client)
        assert len(every) >= 20
        before = {base: await state(client, base) for base in FACTS}
        for base, other in OTHER.items():
            for method, path in every:
                given = body(method, path, other)
                there = await client.request(method, filled(path, other, ids[other]), headers=bearer(base), **given)
                absent = await client.request(method, filled(path, "absent", ids[other]), headers=bearer(base), **given)
                assert there.status_code in (403, 404), (method, path, there.text)
                assert (there.status_code, there.text) == (absent.status_code, absent.text)
                assert other not in there.text
        assert before == {base: await state(client, base) for base in FACTS}


async def test_ids_of_the_other_base_open_nothing_in_ones_own(tmp_path: Path) -> None:
    async with application(tmp_path, **SETTINGS) as client:
        ids = await fill(client)
        for base, other in OTHER.items():
            listed = (await client.get("/v1/knowledge", headers=bearer(base))).json()
            assert [one["name"] for one in listed] == [base]
            for kind in ("documents", "jobs"):
                for identifier in ids[other][kind]:
                    place = f"/v1/knowledge/{base}/{kind}/{identifier}"
                    assert (await client.get(place, headers=bearer(base))).status_code == 404
            shown = [
                (await client.get(f"/v1/knowledge/{base}/{part}", headers=bearer(base))).text
                for part in ("documents", "jobs", "faq", "editions")
            ]
            theirs = [*FACTS[other], *(identifier for kind in ids[other].values() for identifier in kind)]
            assert not any(their in text for their in theirs for text in shown)


async def test_a_search_finds_nothing_of_the_other_base(tmp_path: Path) -> None:
    async with application(tmp_path, **SETTINGS) as client:
        await fill(client)
        for base, other in OTHER.items():
            for question, said in (QUESTIONS[base] | QUESTIONS[other]).items():
                asked = {"question": question, "explain": True}
                found = await client.post(f"/v1/knowledge/{base}/search", json=asked, headers=bearer(base))
                assert found.status_code == 200 and (said in found.text) == (question in QUESTIONS[base])
                assert all(passage["source"] not in FACTS[other] for passage in found.json()["passages"])


async def test_a_key_without_write_changes_nothing(tmp_path: Path) -> None:
    async with application(tmp_path, **SETTINGS) as client:
        ids = await fill(client)
        before = await state(client, "west")
        reading = []
        for method, path in await routes(client):
            given = body(method, path, "west")
            told = await client.request(method, filled(path, "west", ids["west"]), headers=bearer("west"), **given)
            if told.status_code == 403:
                assert told.json()["detail"].startswith(("read_only: ", "operator_only: "))
            else:
                reading.append((method, path.removeprefix("/v1/knowledge/{base}")))
        assert {method for method, _ in reading} == {"get", "post"}
        assert [path for method, path in reading if method == "post"] == ["/search"]
        assert before == await state(client, "west")


async def test_only_the_operator_makes_and_deletes_bases(tmp_path: Path) -> None:
    async with application(tmp_path, **SETTINGS) as client:
        await fill(client)
        archive = (await client.get("/v1/knowledge/east/export", headers=bearer("east"))).content
        for name in ("new", "west", "east"):
            for told in (
                await client.post("/v1/knowledge", json={"name": name}, headers=bearer("east")),
                await client.delete(f"/v1/knowledge/{name}", headers=bearer("east")),
                await client.post(
                    f"/v1/knowledge/{name}/import", files={"file": ("a", archive)}, headers=bearer("east")
                ),
            ):
                assert told.status_code == 403 and told.json()["detail"].startswith("operator_only: ")


async def test_a_wrong_key_is_told_nothing(tmp_path: Path) -> None:
    async with application(tmp_path, **SETTINGS) as client:
        for key in ({}, {"Authorization": "Bearer east"}, {"Authorization": "Bearer east-key2"}):
            assert (await client.get("/v1/knowledge", headers=key)).status_code == 401
