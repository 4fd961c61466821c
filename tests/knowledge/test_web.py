"""Web pages and sitemaps from real loopback servers, and every way into the private network refused."""

import asyncio
import gzip
import ssl
import tracemalloc
import zlib
from collections.abc import AsyncIterator, Sequence
from datetime import date
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path
from time import monotonic

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.addresses import Address, WebError, literal, networks, permitted
from knowledge.ingest import read
from knowledge.media import endings, inflated, named, recoded
from knowledge.parse import FileLimits
from knowledge.pinned import WebLimits
from knowledge.sitemap import parse_sitemap
from knowledge.web import Fetched, Skipped, Version, Web
from tests.knowledge.website import Send, Website, answer, redirect, serving

PEM = Path(__file__).parents[1] / "configs" / "loopback.pem"
LOOPBACK = networks(["127.0.0.0/8"])
ZH = "<html><head><title>参观指南</title></head><body><h1>开放时间</h1><p>周二至周日 9:30 开门。</p></body></html>"
EN = "<html><head><title>Visit</title></head><body><h1>Parking</h1><p>The car park has 240 spaces.</p></body></html>"


class Names:
    """A resolver: the answers to each further question about a name, the last one for ever; `asked`, in order."""

    def __init__(self, **answers: list[list[str]]) -> None:
        self.answers = {name.replace("_", "."): list(given) for name, given in answers.items()}
        self.asked: list[str] = []

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        self.asked.append(host)
        given = self.answers.get(host)
        if given is None:
            raise OSError("unknown host")
        return given.pop(0) if len(given) > 1 else given[0]


@pytest.fixture
async def website() -> AsyncIterator[Website]:
    async with serving() as website:
        yield website


def limits(website: Website, **changes: object) -> WebLimits:
    return WebLimits(**{"ports": frozenset({80, 443, website.port}), "allow": LOOPBACK, **changes})  # type: ignore[arg-type]


def web(website: Website, names: Names | None = None, **changes: object) -> Web:
    """What trusts no certificate at all, so that none need be loaded."""
    resolver = names or Names(museum_example=[["127.0.0.1"]])
    return Web(limits(website, **changes), resolver=resolver, context=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))


async def refused(web: Web, url: str) -> WebError:
    with pytest.raises(WebError) as caught:
        await asyncio.wait_for(web.page(url), 60)
    assert str(caught.value)
    return caught.value


PRIVATE = [
    *("0.0.0.0", "10.0.0.1", "100.64.0.1", "100.100.100.200", "127.0.0.1", "127.255.255.254", "169.254.169.254"),
    *("172.16.0.1", "172.31.255.255", "192.0.0.192", "192.168.1.1", "198.18.0.1", "224.0.0.1", "239.1.1.1"),
    *("240.0.0.1", "255.255.255.255", "168.63.129.16", "192.0.2.1", "198.51.100.1", "203.0.113.1", "192.88.99.1"),
    *("::", "::1", "::ffff:8.8.8.8", "::ffff:127.0.0.1", "::8.8.8.8", "::127.0.0.1", "64:ff9b::808:808"),
    *("64:ff9b:1::1", "2002:808:808::1", "2002:7f00:1::", "2001::1", "2001:0:4136:e378::1", "fe80::1", "fe80::1%1"),
    *("fec0::1", "fc00::1", "fd00:ec2::254", "ff02::1", "2001:db8::1", "3fff::1", "100::1", "5f00::1", "4000::1"),
]
PUBLIC = ["1.1.1.1", "8.8.8.8", "172.32.0.1", "100.128.0.1", "193.0.0.1", "2606:4700::1111", "2400:3200::1", "2a00::1"]


@pytest.mark.parametrize("address", PRIVATE)
def test_an_address_that_is_not_public(address: str) -> None:
    assert not permitted(ip_address(address))


@pytest.mark.parametrize("address", PUBLIC)
def test_an_address_that_is_public(address: str) -> None:
    assert permitted(ip_address(address))


@given(st.one_of(st.ip_addresses(v=4), st.ip_addresses(v=6)))
def test_what_is_permitted_is_global_whoever_is_asked(address: Address) -> None:
    if permitted(address):
        assert address.is_global and not address.is_multicast
    assert permitted(address, networks(["0.0.0.0/0", "::/0"]))


@given(st.ip_addresses(v=4))
def test_an_ipv4_address_in_the_clothes_of_ipv6_is_not_permitted(address: IPv4Address) -> None:
    number = int(address)
    for disguise in (number, 0xFFFF << 32 | number, 0x64FF9B << 96 | number, 0x2002 << 112 | number << 80):
        assert not permitted(IPv6Address(disguise))
    assert not permitted(IPv6Address(0x20010000 << 96 | number ^ 0xFFFFFFFF))


@given(st.ip_addresses(v=4))
def test_every_spelling_of_an_address_is_that_address(address: IPv4Address) -> None:
    number, parts = int(address), address.packed
    spellings = [str(number), hex(number), f"0{number:o}", f"{parts[0]}.{number & 0xFFFFFF}", f"{address}."]
    spellings += [".".join(map(hex, parts)), ".".join(f"0{part:o}" for part in parts), hex(number).upper()]
    assert {literal(spelling) for spelling in spellings} == {address}


@pytest.mark.parametrize(
    "host",
    ["127.1", "127.0.1", "2130706433", "0x7f000001", "0177.1", "0x7f.0.0.1", "127.0.0.1.", "127。0。0。1", "0"],
)
async def test_a_host_spelt_as_a_number_is_checked_like_any_other(host: str) -> None:
    error = await refused(Web(resolver=Names()), f"http://{host}/")
    assert error.code == "private"


@pytest.mark.parametrize("host", ["1.2.3.4.5", "999.1.1.1", "0177.0.0.1", "0x", "256", "[::1%25eth0]", "[1:2]"])
async def test_a_number_that_is_no_address(host: str) -> None:
    error = await refused(Web(resolver=Names()), f"http://{host}/")
    assert error.code in ("url", "private")


@pytest.mark.parametrize(
    "url",
    [
        *("", "museum.example", "//museum.example/", "file:///etc/passwd", "ftp://museum.example/", "gopher://a:70/x"),
        *("http://", "http:///etc/passwd", "javascript:alert(1)", "data:text/html,hi", "http://museum.example:22/"),
        *("http://editor@museum.example/", "http://editor:pass@museum.example/", "http://1.1.1.1@museum.example/"),
        *("http://a b/", "http://%31%32%37.0.0.1/", "http://museum.example:99999/", "http://museum\\@evil.example/"),
        *("http://mus\neum.example/", "http://１２７.0.0.1/", "http://①.0.0.1/", "http://" + "a" * 300 + ".example/"),
        *("http://museum.example/" + "长" * 300, "http://[::1", "https://museum.example:80:80/"),
    ],
)
async def test_what_is_no_web_address_is_not_asked(url: str) -> None:
    names = Names()
    assert (await refused(Web(resolver=names), url)).code == "url"
    assert names.asked == []


@given(st.text(max_size=60))
def test_any_text_is_an_address_or_refused(text: str) -> None:
    async def ask() -> None:
        with pytest.raises(WebError):
            await Web(resolver=Names()).page(text)
        with pytest.raises(WebError):
            await Web(resolver=Names()).page(f"http://{text}")

    asyncio.run(ask())


@pytest.mark.parametrize("address", PRIVATE)
async def test_a_name_that_leads_to_a_private_address(address: str) -> None:
    names = Names(museum_example=[["8.8.8.8", address]])
    assert (await refused(Web(resolver=names), "http://museum.example/")).code == "private"


async def test_the_systems_own_resolver_is_checked_too() -> None:
    assert (await refused(Web(), "http://localhost/")).code == "private"
    assert (await refused(Web(), "http://a..b/")).code == "unresolved"


async def test_a_name_that_leads_nowhere() -> None:
    assert (await refused(Web(resolver=Names(museum_example=[[]])), "http://museum.example/")).code == "unresolved"
    assert (await refused(Web(resolver=Names()), "http://museum.example/")).code == "unresolved"


async def test_one_resolution_and_the_connection_goes_to_what_was_checked(website: Website) -> None:
    names = Names(museum_example=[["127.0.0.1"], ["10.0.0.1"]])
    website.pages["/"] = answer(EN.encode())
    assert await web(website, names).page(f"http://museum.example:{website.port}/") is not None
    assert names.asked == ["museum.example"]
    assert website.asked[0][1]["host"] == f"museum.example:{website.port}"


async def test_a_name_rebound_between_two_hops_is_refused_at_the_second(website: Website) -> None:
    names = Names(museum_example=[["127.0.0.1"], ["10.0.0.1"]])
    website.pages["/"] = redirect("/next")
    assert (await refused(web(website, names), f"http://museum.example:{website.port}/")).code == "private"
    assert names.asked == ["museum.example", "museum.example"]
    assert website.paths() == ["/"]


async def test_the_next_address_of_a_host_is_tried_when_one_does_not_listen(website: Website) -> None:
    names = Names(museum_example=[["127.0.0.9", "127.0.0.1"]])
    website.pages["/"] = answer(EN.encode())
    assert await web(website, names).page(f"http://museum.example:{website.port}/") is not None


async def test_proxies_of_the_environment_are_not_used(website: Website, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    website.pages["/"] = answer(EN.encode())
    assert await web(website).page(f"http://museum.example:{website.port}/") is not None


@pytest.mark.parametrize(
    ("location", "code"),
    [
        ("http://10.0.0.1/", "private"),
        ("http://169.254.169.254/latest/meta-data/", "private"),
        ("http://[::1]/", "private"),
        ("http://[::ffff:127.0.0.1]/", "private"),
        ("http://2852039166/", "private"),
        ("http://inner.example/", "private"),
        ("//inner.example/", "private"),
        ("file:///etc/passwd", "url"),
        ("ftp://museum.example/", "url"),
        ("http://user:pass@museum.example/", "url"),
        ("http://museum.example:22/", "url"),
        ("http://nowhere.example/", "unresolved"),
        ("http://[", "url"),
    ],
)
async def test_a_redirect_is_checked_like_an_address(website: Website, location: str, code: str) -> None:
    names = Names(museum_example=[["127.0.0.1"]], inner_example=[["10.1.2.3"]])
    website.pages["/"] = redirect(location)
    assert (await refused(web(website, names), f"http://museum.example:{website.port}/")).code == code
    assert website.paths() == ["/"]


async def test_redirects_are_followed_so_far_and_no_further(website: Website) -> None:
    for step in range(9):
        website.pages[f"/{step}"] = redirect(f"{step + 1}", "301 Moved Permanently")
    website.pages["/5"] = answer(ZH.encode())
    page = await web(website).page(f"http://museum.example:{website.port}/0#top")
    assert page is not None
    assert page.source.endswith("/0") and page.landed.endswith("/5")
    website.pages["/5"] = redirect("6")
    assert (await refused(web(website), f"http://museum.example:{website.port}/0")).code == "redirects"
    website.pages["/loop"] = redirect("/loop")
    assert (await refused(web(website), f"http://museum.example:{website.port}/loop")).code == "redirects"
    website.pages["/lost"] = answer(b"", status="302 Found")
    assert (await refused(web(website), f"http://museum.example:{website.port}/lost")).code == "redirects"


def tls() -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """A server's context and that of a client who trusts it."""
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(PEM)
    return server, ssl.create_default_context(cafile=PEM)


async def test_the_certificate_must_be_the_names_though_the_address_is_pinned() -> None:
    server, client = tls()
    async with serving(server) as website:
        website.pages |= {"/": answer(EN.encode()), "/down": redirect(f"http://localhost:{website.port}/")}
        names = Names(localhost=[["127.0.0.1"]], other_example=[["127.0.0.1"]])
        https = Web(limits(website), resolver=names, context=client)
        assert await https.page(f"https://localhost:{website.port}/") is not None
        assert (await refused(https, f"https://other.example:{website.port}/")).code == "tls"
        assert (await refused(https, f"https://localhost:{website.port}/down")).code == "redirects"
        assert (await refused(web(website, names), f"https://localhost:{website.port}/")).code == "tls"
        assert website.names[:2] == ["localhost", "other.example"]
        assert website.paths() == ["/", "/down"]
        assert (await refused(web(website, names), f"http://localhost:{website.port}/")).code == "broken"


async def test_a_server_that_is_not_there(website: Website) -> None:
    names = Names(museum_example=[["127.0.0.9"]])
    assert (await refused(web(website, names), f"http://museum.example:{website.port}/")).code == "unreachable"


@pytest.mark.parametrize("packing", ["identity", "gzip"])
async def test_more_than_the_limit(website: Website, packing: str) -> None:
    body = b"<html>" + b" " * 200_000
    website.pages["/"] = answer(gzip.compress(body) if packing == "gzip" else body, Content_Encoding=packing)
    url = f"http://museum.example:{website.port}/"
    assert (await refused(web(website, size=100_000), url)).code == "too_large"
    page = await web(website).page(url)
    assert page is not None and page.data == body


def test_a_bomb_is_not_unpacked() -> None:
    bomb = zlib.compressobj(9, wbits=31)
    packed = b"".join(bomb.compress(bytes(1_000_000)) for _ in range(200)) + bomb.flush()
    assert len(packed) < 250_000
    tracemalloc.start()
    with pytest.raises(WebError) as caught:
        inflated(packed, 1_000_000)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert caught.value.code == "too_large"
    assert peak < 5_000_000


@pytest.mark.parametrize("data", [b"", b"no gzip", gzip.compress(b"x" * 999)[:-9], gzip.compress(b"x") + b"more"])
def test_what_cannot_be_unpacked(data: bytes) -> None:
    with pytest.raises(WebError) as caught:
        inflated(data, 1000)
    assert caught.value.code == "broken"


async def test_a_packing_that_was_not_asked_for(website: Website) -> None:
    website.pages["/"] = answer(b"?", Content_Encoding="br")
    assert (await refused(web(website), f"http://museum.example:{website.port}/")).code == "encoding"


async def test_a_body_without_end_is_left_at_the_limit(website: Website) -> None:
    async def endless(send: Send) -> None:
        await send(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n")
        while True:
            await send(b"la " * 20_000)

    website.pages["/"] = endless
    assert (await refused(web(website, size=1_000_000), f"http://museum.example:{website.port}/")).code == "too_large"


@pytest.mark.parametrize("head", [b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n", b"HTTP/1.1 200 OK\r\nX: "])
async def test_a_slow_drip_is_left_when_its_time_is_over(website: Website, head: bytes) -> None:
    async def drip(send: Send) -> None:
        await send(head)
        while True:
            await send(b".")
            await asyncio.sleep(0.01)

    website.pages["/"] = drip
    error = await refused(web(website, seconds=0.3, silence=5.0), f"http://museum.example:{website.port}/")
    assert error.code == "slow"


@pytest.mark.parametrize("head", [b"", b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<html>"])
async def test_silence_is_left_sooner(website: Website, head: bytes) -> None:
    async def silent(send: Send) -> None:
        await send(head)
        await asyncio.Event().wait()

    website.pages["/"] = silent
    error = await refused(web(website, silence=0.1), f"http://museum.example:{website.port}/")
    assert error.code == "slow"


async def test_a_resolver_that_does_not_answer(website: Website) -> None:
    async def stuck(host: str, port: int) -> Sequence[str]:
        await asyncio.Event().wait()
        return []

    asked = Web(limits(website, seconds=0.1), resolver=stuck)
    assert (await refused(asked, "http://museum.example/")).code == "slow"


@pytest.mark.parametrize(
    "wire",
    [b"SSH-2.0-OpenSSH_9.6\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\nContent-Type: text/html\r\n\r\nhalf", b""],
)
async def test_what_is_no_answer(website: Website, wire: bytes) -> None:
    website.pages["/"] = wire
    error = await refused(web(website), f"http://museum.example:{website.port}/")
    assert error.code == "broken" and "SSH" not in str(error)


@pytest.mark.parametrize("status", ["404 Not Found", "403 Forbidden", "500 Oh", "204 No Content", "304 Not Modified"])
async def test_an_answer_that_is_no_page(website: Website, status: str) -> None:
    website.pages["/"] = answer(b"", status=status)
    error = await refused(web(website), f"http://museum.example:{website.port}/")
    assert error.code == "status" and status[:3] in str(error)


@pytest.mark.parametrize(
    "kind", ["image/png", "video/mp4", "application/zip", "text/javascript", "", "x" * 5000, "text/"]
)
async def test_what_is_no_document_is_not_read(website: Website, kind: str) -> None:
    website.pages["/clip"] = answer(bytes(10), kind)
    assert (await refused(web(website), f"http://museum.example:{website.port}/clip")).code == "type"


@pytest.mark.parametrize(
    ("url", "kind", "name"),
    [
        ("https://museum.example/", "text/html; charset=utf-8", "https://museum.example/#.html"),
        ("https://museum.example/a.html", "text/html", "https://museum.example/a.html"),
        ("https://museum.example/a.htm?x=1", "text/html", "https://museum.example/a.htm?x=1#.htm"),
        ("https://museum.example/a.pdf", "application/octet-stream", "https://museum.example/a.pdf"),
        ("https://museum.example/a.md", "text/plain", "https://museum.example/a.md"),
        ("https://museum.example/get?file=a.pdf", "application/pdf", "https://museum.example/get?file=a.pdf"),
        ("https://museum.example/a.pdf", "text/html", "https://museum.example/a.pdf#.html"),
        ("https://museum.example/%e5%8f%82%E8%A7%82", "text/html", "https://museum.example/参观#.html"),
        ("https://例子.测试/参观%20指南.txt", "text/plain", "https://例子.测试/参观%20指南.txt"),
        ("https://museum.example/%e5%8f/%2e%2e%2f%E2%80%AE", "text/plain", "https://museum.example/%e5%8f/%2e%2e%2f%E2%80%AE#.txt"),
        ("http://[2606:4700::1]:81/a.txt", "text/plain", "http://[2606:4700::1]:81/a.txt"),
    ],
)  # fmt: skip
def test_the_name_is_the_address_and_ends_as_the_document_does(url: str, kind: str, name: str) -> None:
    asked = httpx.URL(url)
    assert named(asked, endings(asked, kind)) == name


@given(st.text(max_size=40), st.binary(max_size=40))
def test_any_content_type_is_read_or_refused(kind: str, data: bytes) -> None:
    recoded(data, f"text/html; charset={kind}")
    try:
        endings(httpx.URL("https://museum.example/a"), kind)
    except WebError as error:
        assert error.code == "type"


@pytest.mark.parametrize(
    ("page", "kind", "facts"),
    [
        (ZH.encode(), "text/html; charset=utf-8", ("参观指南", "9:30 开门")),
        (ZH.encode("gbk"), "text/html; charset=GBK", ("参观指南", "9:30 开门")),
        (ZH.encode("gbk"), "text/html", ("参观指南", "9:30 开门")),
        ("<p>館內禁止吸煙。</p>".encode("big5"), "text/html; charset=big5", ("館內禁止吸煙",)),
        (EN.encode(), "text/html", ("Visit", "240 spaces")),
        ("Café 240".encode("latin-1"), "text/plain; charset=iso-8859-1", ("Café 240",)),
        ("# 票价\n\n成人票 60 元。".encode(), "text/markdown", ("成人票 60 元",)),
    ],
)  # fmt: skip
async def test_a_page_becomes_a_document(website: Website, page: bytes, kind: str, facts: tuple[str, ...]) -> None:
    website.pages["/guide"] = answer(page, kind, Last_Modified="Wed, 21 Oct 2015 07:28:00 GMT")
    fetched = await web(website).page(f"http://museum.example:{website.port}/guide")
    assert fetched is not None and fetched.dated == date(2015, 10, 21)
    parsed = read(fetched.name, fetched.data, FileLimits())
    assert all(fact in f"{parsed.title}\n{parsed.text}" for fact in facts)


async def test_a_page_that_is_as_it_was_costs_nothing(website: Website) -> None:
    url = f"http://museum.example:{website.port}/"
    website.pages["/"] = answer(ZH.encode(), ETag='"1"')
    first = await web(website).page(url)
    assert first is not None and first.version == Version('"1"', None) and first.dated is None
    website.pages["/"] = answer(b"", status="304 Not Modified")
    assert await web(website).page(url, first.version) is None
    assert website.asked[1][1]["if-none-match"] == '"1"'
    assert "if-modified-since" not in website.asked[1][1]


def urlset(*urls: str, dated: str = "") -> bytes:
    rows = "".join(f"<url><loc> {url} </loc>{dated}</url>" for url in urls)
    return f'<?xml version="1.0"?><urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{rows}</urlset>'.encode()


def index(*urls: str) -> bytes:
    return b"<sitemapindex>%s</sitemapindex>" % "".join(f"<sitemap><loc>{u}</loc></sitemap>" for u in urls).encode()


async def pages(web: Web, url: str, known: dict[str, Version] | None = None) -> list[Fetched | Skipped]:
    return [page async for page in web.site(url, known)]


async def test_a_sitemap_gives_its_pages_and_says_what_it_leaves_out(website: Website) -> None:
    home = f"http://museum.example:{website.port}"
    listed = [
        f"{home}/zh",
        f"{home}/en",
        f"{home}/gone",
        "http://other.example/",
        "file:///etc/passwd",
        f"{home}/moved",
        f"{home}/private/x",
    ]
    website.pages |= {
        "/sitemap.xml": answer(urlset(*listed, dated="<lastmod>2026-05-01T08:00</lastmod>"), ""),
        "/robots.txt": answer(b"User-agent: *\nDisallow: /private\n", "text/plain"),
        "/zh": answer(ZH.encode()),
        "/en": answer(EN.encode()),
        "/moved": redirect("/en"),
    }
    found = await pages(web(website), f"{home}/sitemap.xml")
    taken = [page for page in found if isinstance(page, Fetched)]
    assert [page.source for page in taken] == [f"{home}/zh", f"{home}/en"]
    assert {page.dated for page in taken} == {date(2026, 5, 1)}
    skipped = [(page.source, page.code) for page in found if isinstance(page, Skipped)]
    assert skipped == [
        (f"{home}/gone", "status"),
        ("http://other.example/", "elsewhere"),
        ("file:///etc/passwd", "url"),
        (f"{home}/moved", "twice"),
        (f"{home}/private/x", "robots"),
    ]
    assert all(headers["user-agent"].startswith("Zhubo/") for _, headers in website.asked)
    assert "/private/x" not in website.paths()


async def test_an_index_gives_the_pages_of_its_sitemaps(website: Website) -> None:
    home = f"http://museum.example:{website.port}"
    listed = [f"{home}/zh.xml.gz", f"{home}/deep", f"{home}/broken"]
    website.pages |= {
        "/map": answer(index(*listed, "http://other.example/map"), "text/xml"),
        "/zh.xml.gz": answer(gzip.compress(urlset(f"{home}/zh")), "application/x-gzip"),
        "/deep": answer(index(f"{home}/map"), "text/xml"),
        "/broken": answer(b"<urlset><url>", "text/xml"),
        "/zh": answer(ZH.encode()),
    }
    found = await pages(web(website), f"{home}/map")
    assert [(page.source.removeprefix(home), getattr(page, "code", "")) for page in found] == [
        ("http://other.example/map", "elsewhere"),
        ("/zh", ""),
        ("/deep", "sitemap"),
        ("/broken", "sitemap"),
    ]


async def test_pages_that_have_not_changed_are_only_asked_about(website: Website) -> None:
    home = f"http://museum.example:{website.port}"
    website.pages |= {"/map": answer(urlset(f"{home}/zh"), ""), "/zh": answer(b"", status="304 Not Modified")}
    found = await pages(web(website), f"{home}/map", {f"{home}/zh": Version(modified="Wed, 21 Oct 2015 07:28:00 GMT")})
    assert found == [Skipped(f"{home}/zh", "unchanged", "the page is as it was")]
    assert website.asked[-1][1]["if-modified-since"].startswith("Wed")


async def test_a_site_that_asks_for_a_pause_gets_one(website: Website) -> None:
    home = f"http://museum.example:{website.port}"
    website.pages |= {
        "/map": answer(urlset(f"{home}/1", f"{home}/2"), ""),
        "/robots.txt": answer(b"User-agent: zhubo\nCrawl-delay: 9\n", "text/plain"),
    }
    began = monotonic()
    await pages(web(website, pause=0.2), f"{home}/map")
    assert monotonic() - began >= 0.2


@pytest.mark.parametrize(
    ("robots", "code"),
    [
        (answer(b"", status="503 Busy"), "robots"),
        (redirect("http://10.0.0.1/robots.txt"), "private"),
        (b"", "broken"),
    ],
)
async def test_a_site_whose_wishes_cannot_be_known_is_left_alone(website: Website, robots: bytes, code: str) -> None:
    home = f"http://museum.example:{website.port}"
    website.pages |= {"/map": answer(urlset(f"{home}/zh"), ""), "/robots.txt": robots}
    with pytest.raises(WebError) as caught:
        await pages(web(website), f"{home}/map")
    assert caught.value.code == code
    assert "/zh" not in website.paths()


async def test_a_sitemap_that_is_too_large(website: Website) -> None:
    home = f"http://museum.example:{website.port}"
    listing = urlset(*(f"{home}/{number}" for number in range(300)))
    website.pages |= {"/map": answer(listing, "text/xml"), "/map.gz": answer(gzip.compress(listing), "")}
    for changes, code in (({"pages": 299}, "too_many"), ({"sitemap": 2000}, "too_large")):
        for path in ("/map", "/map.gz"):
            with pytest.raises(WebError) as caught:
                await pages(web(website, **changes), home + path)
            assert caught.value.code == code


SECRET = "内部机密 secret"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\0\1",
        ZH.encode(),
        b"<feed/>",
        b"<urlset><url><loc>http://a/</loc></url>",
        b'<!DOCTYPE urlset [<!ENTITY e SYSTEM "file://PATH">]><urlset><url><loc>http://a/&e;</loc></url></urlset>',
        b'<!DOCTYPE urlset SYSTEM "file://PATH"><urlset><url><loc>http://a/</loc></url></urlset>',
        b'<!DOCTYPE urlset [<!ENTITY % p SYSTEM "file://PATH"> %p;]><urlset/>',
        b'<!DOCTYPE l [<!ENTITY a "xxxxxxxxxx"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]><urlset>&b;</urlset>',
        '<?xml version="1.0" encoding="utf-16"?><!DOCTYPE urlset><urlset/>'.encode("utf-16"),
        b"<urlset><url><loc>http://a/&undeclared;</loc></url></urlset>",
    ],
)
def test_what_is_no_sitemap_opens_no_file(data: bytes, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(SECRET)
    with pytest.raises(WebError) as caught:
        parse_sitemap(data.replace(b"PATH", str(tmp_path / "secret").encode()), 10)
    assert caught.value.code == "sitemap"
    assert "secret" not in str(caught.value)


def test_an_image_or_a_translation_of_a_page_is_not_a_page() -> None:
    data = urlset(
        "http://a/一", dated="<lastmod>soon</lastmod><image:image xmlns:image='i'><loc>http://a/2</loc></image:image>"
    )
    assert [(entry.url, entry.dated) for entry in parse_sitemap(data, 1).entries] == [("http://a/一", None)]
