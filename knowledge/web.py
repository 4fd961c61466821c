"""Web pages for the knowledge base: one by its address, or all that a sitemap lists; never what is not public."""

import asyncio
import ssl
from collections import deque
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from urllib.robotparser import RobotFileParser

import httpx

from knowledge.addresses import WebError, checked, resolve
from knowledge.media import changed, endings, inflated, named, recoded
from knowledge.pinned import Pinned, Resolve, WebLimits, body
from knowledge.sitemap import Listed, Sitemap, parse_sitemap

_ROBOTS_BYTES = 500_000
_LEVELS = 2
_UNASKED = ("url", "elsewhere", "robots")
"""Why a page was skipped without a request."""


@dataclass(frozen=True, slots=True)
class Version:
    """What a server calls the state of a page: given back to it, it says whether the page has changed."""

    etag: str | None = None
    modified: str | None = None


@dataclass(frozen=True, slots=True)
class Fetched:
    """A page, to be taken in as `ingest(name, data, dated=dated)`.

    `source`: the address that was asked for. `landed`: the one that answered, after redirects. `name`: the former as
    people read it; the same for the same address and type of document.
    """

    source: str
    landed: str
    name: str
    data: bytes
    dated: date | None
    version: Version


@dataclass(frozen=True, slots=True)
class Skipped:
    """A page that a sitemap lists and that was not taken: WebError's codes, `unchanged` or `twice`."""

    source: str
    code: str
    message: str


class Web:
    """Every call raises WebError and nothing else."""

    def __init__(
        self, limits: WebLimits | None = None, *, resolver: Resolve = resolve, context: ssl.SSLContext | None = None
    ) -> None:
        self._limits = limits or WebLimits()
        self._pinned = Pinned(self._limits, resolver, context)

    async def page(self, url: str, known: Version | None = None) -> Fetched | None:
        """The page now; None when the server says that it still is as `known`."""
        limits = self._limits
        asked = checked(url, limits.ports)
        async with self._pinned.answer(asked, _conditions(known)) as (landed, response):
            if response.status_code == 304 and known is not None:
                return None
            _successful(response)
            headers = response.headers
            kind = headers.get("content-type", "")
            suffixes = endings(landed, kind)
            data = await body(response, limits.size)
        return Fetched(
            source=str(asked),
            landed=str(landed),
            name=named(asked, suffixes),
            data=await asyncio.to_thread(recoded, data, kind),
            dated=changed(headers.get("last-modified")),
            version=Version(headers.get("etag"), headers.get("last-modified")),
        )

    async def site(self, url: str, known: Mapping[str, Version] | None = None) -> AsyncIterator[Fetched | Skipped]:
        """The pages of a sitemap, or of the sitemaps that an index lists, one after the other.

        Pages of other hosts are skipped. Raises WebError when the sitemap or the site's robots.txt cannot be read.
        `known`: versions by source.
        """
        home = checked(url, self._limits.ports)
        robots = await self._robots(home)
        delay = min(float(robots.crawl_delay(self._pinned.agent) or 0), self._limits.pause)
        seen: set[str] = set()
        pause = 0.0
        async for listed in self._listed(home):
            if isinstance(listed, Skipped):
                yield listed
                continue
            await asyncio.sleep(pause)
            outcome = await self._listed_page(listed, home, robots, known or {})
            pause = 0.0 if isinstance(outcome, Skipped) and outcome.code in _UNASKED else delay
            if isinstance(outcome, Fetched):
                if outcome.landed in seen:
                    outcome = Skipped(outcome.source, "twice", "it leads to a page that is here already")
                else:
                    seen.add(outcome.landed)
            yield outcome

    async def _listed_page(
        self, listed: Listed, home: httpx.URL, robots: RobotFileParser, known: Mapping[str, Version]
    ) -> Fetched | Skipped:
        try:
            url = self._at_home(listed, home)
            if not robots.can_fetch(self._pinned.agent, str(url)):
                raise WebError("robots", "the site's robots.txt asks not to fetch it")
            page = await self.page(str(url), known.get(str(url)))
        except WebError as error:
            return Skipped(listed.url, error.code, str(error))
        if page is None:
            return Skipped(str(url), "unchanged", "the page is as it was")
        return replace(page, dated=listed.dated or page.dated)

    async def _listed(self, home: httpx.URL) -> AsyncIterator[Listed | Skipped]:
        """The entries of all sitemaps; the first sitemap must be readable, a further one is skipped if it is not."""
        todo = deque([(home, 1)])
        count = 0
        while todo:
            url, level = todo.popleft()
            try:
                sitemap = await self._sitemap(url, self._limits.pages - count)
                if sitemap.index and level == _LEVELS:
                    raise WebError("sitemap", "a sitemap index that is listed by another is not read")
            except WebError as error:
                if level == 1:
                    raise
                yield Skipped(str(url), error.code, str(error))
                continue
            for listed in sitemap.entries:
                count += 1
                if not sitemap.index:
                    yield listed
                    continue
                try:
                    todo.append((self._at_home(listed, home), level + 1))
                except WebError as error:
                    yield Skipped(listed.url, error.code, str(error))

    def _at_home(self, listed: Listed, home: httpx.URL) -> httpx.URL:
        url = checked(listed.url, self._limits.ports)
        if url.raw_host != home.raw_host:
            raise WebError("elsewhere", f"it is not on {home.host}, where the sitemap is")
        return url

    async def _sitemap(self, url: httpx.URL, most: int) -> Sitemap:
        async with self._pinned.answer(url) as (_, response):
            _successful(response)
            data = await body(response, self._limits.sitemap)
        if data.startswith(b"\x1f\x8b"):
            data = await asyncio.to_thread(inflated, data, self._limits.sitemap)
        return await asyncio.to_thread(parse_sitemap, data, most)

    async def _robots(self, home: httpx.URL) -> RobotFileParser:
        """The site's wishes: none where it has no robots.txt; it must answer, though (RFC 9309)."""
        robots = RobotFileParser()
        async with self._pinned.answer(home.join("/robots.txt")) as (_, response):
            if response.status_code >= 500:
                raise WebError("robots", f"the site's robots.txt answers {response.status_code}; try again later")
            text = await body(response, _ROBOTS_BYTES) if response.status_code == 200 else b""
        robots.parse(text.decode("utf-8-sig", "replace").splitlines())
        return robots


def _conditions(known: Version | None) -> dict[str, str]:
    if known is None:
        return {}
    pairs = (("If-None-Match", known.etag), ("If-Modified-Since", known.modified))
    return {name: value for name, value in pairs if value and value.isascii() and value.isprintable()}


def _successful(response: httpx.Response) -> None:
    if response.status_code != 200:
        raise WebError("status", f"the server answers {response.status_code} instead of the page; open it in a browser")
