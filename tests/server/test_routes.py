"""Every route of a knowledge base, through the application: what it does, and what it tells when it cannot."""

import json
import zipfile
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.knowledge.website import answer, serving
from tests.server.application import application, ended, labelled

GUIDES = {
    "参观指南.md": "# 参观指南\n\n## 票价\n\n成人票每张60元，儿童票每张30元。\n".encode("gb18030"),
    "Visitor guide.md": b"# Visitor guide\n\n## Tickets\n\nAn adult ticket costs 60 yuan, a child ticket 30 yuan.\n",
}
QUESTIONS = {"参观指南.md": "成人票多少钱？", "Visitor guide.md": "How much is an adult ticket?"}


async def upload(client: httpx.AsyncClient, name: str, data: bytes, base: str = "main", **form: Any) -> dict[str, Any]:
    uploaded = await client.post(f"/v1/knowledge/{base}/documents", files={"file": (name, data)}, data=form)
    assert uploaded.status_code == 201, uploaded.text
    document: dict[str, Any] = uploaded.json()["document"]
    return document


async def both(client: httpx.AsyncClient) -> dict[str, dict[str, Any]]:
    return {name: await upload(client, name, data) for name, data in GUIDES.items()}


def refused(response: httpx.Response, status: int, code: str) -> bool:
    """Every error is a stable code and a message."""
    told = response.json()["detail"]
    return response.status_code == status and told.startswith(f"{code}: ") and len(told) > len(code) + 5


@pytest.mark.parametrize("name", GUIDES)
async def test_an_uploaded_document_is_listed_read_labelled_found_and_gone(tmp_path: Path, name: str) -> None:
    async with application(tmp_path) as client:
        document = await upload(client, name, GUIDES[name], dated="2026-11-01", tags=["票务", "tickets"])
        assert (document["source"], document["dated"]) == (name, "2026-11-01")
        assert {"票务", "tickets"} <= set(document["tags"])
        place = f"/v1/knowledge/main/documents/{document['id']}"
        whole = (await client.get(place)).json()
        assert "60" in whole["text"] and whole["revision"] == document["revision"]
        labels = {"tags": ["价目"], "summary": "票价一览 / prices"}
        labelled = (await client.patch(place, json=labels)).json()
        assert labelled["tags"] == ["价目"] and labelled["summary"] == labels["summary"]
        assert labelled["dated"] == "2026-11-01"
        assert (await client.patch(place, json={"dated": None})).json()["dated"] is None
        asked = {"question": QUESTIONS[name], "filter": {"tags": ["价目"]}}
        best = (await client.post("/v1/knowledge/main/search", json=asked)).json()["passages"][0]
        assert whole["text"][best["start"] : best["end"]] == best["text"] and best["revision"] == whole["revision"]
        assert (await client.delete(place)).status_code == 204
        assert (await client.post("/v1/knowledge/main/search", json=asked)).json()["passages"] == []
        for gone in (await client.get(place), await client.delete(place), await client.patch(place, json=labels)):
            assert refused(gone, 404, "unknown_document")


@pytest.mark.parametrize("name", GUIDES)
async def test_an_old_citation_is_read_in_its_revision(tmp_path: Path, name: str) -> None:
    async with application(tmp_path) as client:
        old = await upload(client, name, GUIDES[name])
        new = await upload(client, name, GUIDES[name].replace(b"60", b"70"))
        assert old["id"] == new["id"] and old["revision"] < new["revision"]
        place = f"/v1/knowledge/main/documents/{old['id']}"
        assert "60" in (await client.get(place, params={"revision": old["revision"]})).json()["text"]
        assert "70" in (await client.get(place)).json()["text"]
        assert refused(await client.get(place, params={"revision": 999}), 404, "unknown_revision")


async def test_the_catalogue_comes_page_by_page_and_filtered(tmp_path: Path) -> None:
    async with application(tmp_path) as client:
        await both(client)
        await upload(client, "notes.txt", b"Closed on Mondays.", tags="hours")
        listed, after = [], ""
        for _ in range(3):
            page = (await client.get("/v1/knowledge/main/documents", params={"limit": 1, "after": after})).json()
            assert page["total"] == 3 and len(page["documents"]) == 1
            listed.append(page["documents"][0]["source"])
            after = page["next"]
        assert after is None and sorted(listed) == sorted([*GUIDES, "notes.txt"])
        for params, sources in (
            ({"lang": "zh"}, ["参观指南.md"]),
            ({"format": "text"}, ["notes.txt"]),
            ({"tag": "hours"}, ["notes.txt"]),
            ({"text": "VISITOR"}, ["Visitor guide.md"]),
            ({"text": "指南"}, ["参观指南.md"]),
        ):
            found = (await client.get("/v1/knowledge/main/documents", params=params)).json()["documents"]
            assert [one["source"] for one in found] == sources, params


@pytest.mark.parametrize("name", GUIDES)
async def test_an_upload_that_does_not_wait_is_a_job_whose_progress_is_told(tmp_path: Path, name: str) -> None:
    async with application(tmp_path) as client:
        promised = await client.post("/v1/knowledge/main/documents?wait=false", files={"file": (name, GUIDES[name])})
        assert promised.status_code == 202 and promised.json()["source"] == name
        job = await ended(client, f"/v1/knowledge/main/jobs/{promised.json()['id']}")
        assert job["state"] == "done" and (await client.get("/v1/knowledge/main/jobs")).json()[0]["id"] == job["id"]
        assert (await client.get(f"/v1/knowledge/main/documents/{job['document']}")).json()["source"] == name
        broken = await client.post(
            "/v1/knowledge/main/documents?wait=false", files={"file": ("坏.docx", b"PK\3\4junk")}
        )
        failed = await ended(client, f"/v1/knowledge/main/jobs/{broken.json()['id']}")
        assert (failed["state"], failed["code"], failed["document"]) == ("failed", "damaged", None)
        assert failed["message"]
        assert refused(await client.get("/v1/knowledge/main/jobs/none"), 404, "unknown_job")


@pytest.mark.parametrize(
    ("name", "data", "status", "code"),
    [
        ("空.md", b"", 422, "empty"),
        ("big.txt", b"x" * 1_000_001, 413, "too_large"),
        ("a.docx", b"PK\3\4junk", 422, "damaged"),
        ("程序.exe", b"MZ\x90\0" * 100, 415, "unsupported"),
    ],
)
async def test_a_file_that_cannot_be_a_document_is_told(
    tmp_path: Path, name: str, data: bytes, status: int, code: str
) -> None:
    async with application(tmp_path) as client:
        for wait in ("true", "false")[: 2 if code == "too_large" else 1]:
            assert refused(
                await client.post(f"/v1/knowledge/main/documents?wait={wait}", files={"file": (name, data)}),
                status,
                code,
            )
        assert (await client.get("/v1/knowledge/main/documents")).json()["documents"] == []


async def test_many_files_are_one_edition_and_there_is_a_way_back(tmp_path: Path) -> None:
    async with application(tmp_path) as client:
        await upload(client, "old.txt", "旧通知：周一闭馆。".encode())
        before = [edition["number"] for edition in (await client.get("/v1/knowledge/main/editions")).json()]
        files = [("files", (name, data)) for name, data in GUIDES.items()]
        files.append(("files", ("说明.pdf", "其实是文字。Only text.".encode())))
        published = await client.post(
            "/v1/knowledge/main/publish", files=files, data={"replace": "true", "note": "春季 spring"}
        )
        assert published.status_code == 201, published.text
        edition = published.json()
        assert edition["current"] and edition["documents"] == 3 and edition["note"] == "春季 spring"
        assert list(edition["warnings"]) == ["说明.pdf"] and edition["warnings"]["说明.pdf"][0]
        editions = (await client.get("/v1/knowledge/main/editions")).json()
        assert [one["number"] for one in editions] == [edition["number"], *before]
        bad = await client.post("/v1/knowledge/main/publish", files=[*files, ("files", ("空.md", b""))])
        assert refused(bad, 422, "empty") and "空.md" in bad.json()["detail"]
        assert len((await client.get("/v1/knowledge/main/editions")).json()) == len(editions)
        back = await client.post("/v1/knowledge/main/rollback")
        assert back.status_code == 201 and back.json()["documents"] == 1
        assert [one["source"] for one in (await client.get("/v1/knowledge/main/documents")).json()["documents"]] == [
            "old.txt"
        ]
        again = await client.post("/v1/knowledge/main/rollback", json={"edition": edition["number"]})
        assert again.json()["documents"] == 3
        assert refused(await client.post("/v1/knowledge/main/rollback", json={"edition": 999}), 404, "no_edition")


@pytest.mark.parametrize("name", GUIDES)
async def test_a_search_explains_itself_where_that_is_asked_for(tmp_path: Path, name: str) -> None:
    async with application(tmp_path) as client:
        await both(client)
        asked = {"question": QUESTIONS[name], "count": 1}
        plain = (await client.post("/v1/knowledge/main/search", json=asked)).json()
        assert "60" in plain["passages"][0]["text"] and plain["trace"] is None
        assert plain["passages"][0]["explanation"] is None
        told = (await client.post("/v1/knowledge/main/search", json={**asked, "explain": True})).json()
        (best,) = told["passages"]
        assert best["explanation"]["lexical"] > 0 and 0 < best["explanation"]["coverage"] <= 1
        assert told["trace"]["weights"] and told["trace"]["timings"]["total"] > 0
        assert best["source"] == name
        for wrong in ({"count": 0}, {"question": " "}, {"filter": {"langs": ["fr"]}}, {"colour": 1}):
            assert refused(await client.post("/v1/knowledge/main/search", json={**asked, **wrong}), 422, "bad_request")
        long = await client.post("/v1/knowledge/main/search", json={"question": "问" * 2001})
        assert refused(long, 422, "question_too_long")


@pytest.mark.parametrize(
    ("question", "answer"), [("西门开着吗？", "西门本周关闭。"), ("Is the west gate open?", "The west gate is closed.")]
)
async def test_curated_answers_are_edited_and_hold_at_once(tmp_path: Path, question: str, answer: str) -> None:
    async with application(tmp_path) as client:
        entry = {"questions": [question], "answer": answer, "emotion": "happy", "gesture": "present"}
        added = await client.post("/v1/knowledge/main/faq", json=entry)
        assert added.status_code == 201, added.text
        place = f"/v1/knowledge/main/faq/{added.json()['id']}"
        said = (await client.post("/v1/knowledge/main/search", json={"question": question})).json()["curated"]
        assert said["answer"] == answer and said["gesture"] == "present"
        past = {**entry, "since": "2020-01-01", "until": "2020-01-02"}
        assert (await client.put(place, json=past)).json()["until"] == "2020-01-02"
        assert (await client.post("/v1/knowledge/main/search", json={"question": question})).json()["curated"] is None
        assert [one["id"] for one in (await client.get("/v1/knowledge/main/faq")).json()] == [added.json()["id"]]
        assert (await client.delete(place)).status_code == 204
        assert (await client.get("/v1/knowledge/main/faq")).json() == []
        assert refused(await client.delete(place), 404, "unknown_answer")
        assert refused(await client.put(place, json=entry), 404, "unknown_answer")
        for wrong in (
            {"questions": []},
            {"answer": " "},
            {"emotion": "bored"},
            {"since": "2026-02-02", "until": "2026-01-01"},
        ):
            assert refused(await client.post("/v1/knowledge/main/faq", json={**entry, **wrong}), 422, "bad_request")


@pytest.mark.parametrize("title", ["海港科学馆", "Harbour"])
async def test_a_base_is_made_carried_and_deleted(tmp_path: Path, title: str) -> None:
    async with application(tmp_path) as client:
        made = await client.post("/v1/knowledge", json={"name": "east", "title": title})
        assert made.status_code == 201 and made.json()["title"] == title
        for name, data in GUIDES.items():
            await upload(client, name, data, base="east")
        east = await labelled(client, "east")
        exported = await client.get("/v1/knowledge/east/export")
        assert exported.status_code == 200
        described = exported.headers["Content-Disposition"]
        assert 'filename="east.zhubo"' in described
        assert "filename*=UTF-8''" + httpx.QueryParams({"t": title}).__str__()[2:] + ".zhubo" in described
        loaded = await client.post("/v1/knowledge/west/import", files={"file": ("east.zhubo", exported.content)})
        assert loaded.status_code == 201 and loaded.json()["documents"] == 2 and loaded.json()["title"] == title
        assert await labelled(client, "west") == east
        assert [base["name"] for base in (await client.get("/v1/knowledge")).json()] == ["east", "main", "west"]
        assert (await client.delete("/v1/knowledge/east")).status_code == 204
        assert refused(await client.get("/v1/knowledge/east"), 404, "unknown_base")
        assert refused(await client.get("/v1/knowledge/east/documents"), 404, "unknown_base")
        assert (await client.get("/v1/knowledge/west")).json()["documents"] == 2


async def test_what_cannot_be_a_base_is_told(tmp_path: Path) -> None:
    async with application(tmp_path) as client:
        assert refused(await client.post("/v1/knowledge", json={"name": "main"}), 409, "name_taken")
        assert refused(await client.post("/v1/knowledge", json={"name": "科学馆"}), 422, "bad_request")
        assert refused(await client.delete("/v1/knowledge/main"), 422, "main_stays")
        assert refused(await client.delete("/v1/knowledge/none"), 404, "unknown_base")
        junk = await client.post("/v1/knowledge/west/import", files={"file": ("a.zhubo", b"junk")})
        assert refused(junk, 422, "not_an_archive")
        foreign = BytesIO()
        with zipfile.ZipFile(foreign, "w") as archive:
            archive.writestr("../../evil.txt", "x")
        evil = await client.post("/v1/knowledge/west/import", files={"file": ("a.zhubo", foreign.getvalue())})
        assert refused(evil, 422, "not_an_archive") and not list(tmp_path.rglob("evil.txt"))
        assert [base["name"] for base in (await client.get("/v1/knowledge")).json()] == ["main"]


async def test_a_rebuilt_base_finds_what_it_found(tmp_path: Path) -> None:
    async with application(tmp_path) as client:
        await both(client)
        asked = {"question": "成人票多少钱？"}
        before = (await client.post("/v1/knowledge/main/search", json=asked)).json()["passages"][0]["text"]
        assert (await client.post("/v1/knowledge/main/rebuild")).status_code == 202
        assert (await client.post("/v1/knowledge/main/search", json=asked)).json()["passages"][0]["text"] == before


@pytest.mark.parametrize(
    ("asked", "status", "code"),
    [
        ({"url": "http://127.0.0.1/secret"}, 422, "private"),
        ({"url": "http://[::1]/"}, 422, "private"),
        ({"url": "http://example.org:22/"}, 422, "url"),
        ({"url": "file:///etc/passwd"}, 422, "bad_request"),
        ({"sitemap": "http://10.0.0.1/sitemap.xml"}, 422, "private"),
        ({}, 422, "bad_request"),
        ({"url": "http://a.example/", "sitemap": "http://a.example/"}, 422, "bad_request"),
    ],
)
async def test_no_page_is_fetched_that_is_not_public(
    tmp_path: Path, asked: dict[str, str], status: int, code: str
) -> None:
    async with application(tmp_path) as client:
        assert refused(await client.post("/v1/knowledge/main/pages", json=asked), status, code)


def opened(port: int) -> dict[str, str]:
    """Settings that let this machine's own pages be fetched."""
    return {"ZHUBO__KNOWLEDGE__WEB__ALLOW": "[127.0.0.0/8]", "ZHUBO__KNOWLEDGE__WEB__PORTS": f"[{port}]"}


@pytest.mark.parametrize("name", GUIDES)
async def test_a_page_is_fetched_into_the_base(tmp_path: Path, name: str) -> None:
    async with serving() as website, application(tmp_path, **opened(website.port)) as client:
        page = f"<html><title>票价 fares</title><p>{GUIDES[name].decode('utf-8', 'ignore')}</p></html>"
        website.pages["/fares"] = answer(page.encode(), "text/html; charset=utf-8")
        asked = {"url": f"http://127.0.0.1:{website.port}/fares", "tags": ["网页"]}
        taken = await client.post("/v1/knowledge/main/pages", json=asked)
        assert taken.status_code == 201, taken.text
        document = taken.json()["document"]
        assert document["title"] == "票价 fares" and "网页" in document["tags"] and "/fares" in document["source"]
        promised = await client.post("/v1/knowledge/main/pages?wait=false", json=asked)
        assert promised.status_code == 202
        job = await ended(client, f"/v1/knowledge/main/jobs/{promised.json()['id']}")
        assert job["document"] == document["id"]
        asked["url"] += "/none"
        assert refused(await client.post("/v1/knowledge/main/pages", json=asked), 502, "status")


async def test_a_sitemap_is_a_job_for_each_page(tmp_path: Path) -> None:
    async with serving() as website, application(tmp_path, **opened(website.port)) as client:
        root = f"http://127.0.0.1:{website.port}"
        urls = "".join(f"<url><loc>{root}/{path}</loc></url>" for path in ("zh", "en", "none"))
        website.pages["/sitemap.xml"] = answer(f"<urlset>{urls}</urlset>".encode(), "application/xml")
        website.pages["/zh"] = answer("<title>中文</title><p>成人票60元。</p>".encode(), "text/html; charset=utf-8")
        website.pages["/en"] = answer(b"<title>English</title><p>A ticket costs 60 yuan.</p>")
        crawled = await client.post("/v1/knowledge/main/pages", json={"sitemap": f"{root}/sitemap.xml"})
        assert crawled.status_code == 202, crawled.text
        for job in crawled.json()["jobs"]:
            assert (await ended(client, f"/v1/knowledge/main/jobs/{job['id']}"))["state"] == "done"
        assert [(one["source"], one["code"]) for one in crawled.json()["skipped"]] == [(f"{root}/none", "status")]
        listed = (await client.get("/v1/knowledge/main/documents")).json()["documents"]
        assert {document["title"] for document in listed} == {"中文", "English"}


async def test_the_openapi_document_has_every_route_with_its_errors(tmp_path: Path) -> None:
    async with application(tmp_path) as client:
        document = (await client.get("/openapi.json")).json()
    routes = {path: methods for path, methods in document["paths"].items() if path.startswith("/v1/")}
    assert not any(path.startswith(("/v1/documents", "/v1/search")) for path in routes) and len(routes) >= 14
    for path, methods in routes.items():
        for method, route in methods.items():
            assert route["summary"] and route["tags"] and route["security"] == [{"HTTPBearer": []}], (path, method)
            problem = route["responses"]["422"]["content"]["application/json"]["schema"]["$ref"]
            assert problem.endswith("/ErrorBody" if route["tags"][0].startswith("OpenAI") else "/Problem"), (
                path,
                method,
            )
    assert "HTTPValidationError" not in json.dumps(document)
