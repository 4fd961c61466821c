"""A sitemap's bytes to the pages, or further sitemaps, that it lists."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from lxml import etree

from knowledge.addresses import WebError

_LONGEST = 4000


@dataclass(frozen=True, slots=True)
class Listed:
    url: str
    dated: date | None


@dataclass(frozen=True, slots=True)
class Sitemap:
    """`index`: it lists sitemaps, not pages."""

    index: bool
    entries: tuple[Listed, ...]


def parse_sitemap(data: bytes, most: int) -> Sitemap:
    """Raises WebError: `sitemap` for what is none, `too_many` for more than `most` entries."""
    parser = etree.XMLParser(target=_Target(most), resolve_entities=False, load_dtd=False, no_network=True)
    try:
        parser.feed(data)
        sitemap: Sitemap = parser.close()
    except etree.XMLSyntaxError as error:
        raise WebError("sitemap", f"the sitemap is not readable XML: {error.msg}") from error
    return sitemap


@dataclass(slots=True)
class _Target:
    """What the parser calls: no tree is built, so memory does not grow with the file."""

    most: int
    path: list[str] = field(default_factory=list)
    texts: dict[str, str] = field(default_factory=dict)
    entries: list[Listed] = field(default_factory=list)
    root: str = ""

    def doctype(self, name: str | None, public: str | None, system: str | None) -> None:
        raise WebError("sitemap", "the sitemap declares a document type, which no sitemap needs")

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        self.path.append(tag.rpartition("}")[2])
        if len(self.path) == 1:
            self.root = self.path[0]
            if self.root not in ("urlset", "sitemapindex"):
                raise WebError("sitemap", "this is not a sitemap: it is neither a urlset nor a sitemapindex")

    def data(self, text: str) -> None:
        if len(self.path) == 3 and self.path[1] in ("url", "sitemap") and self.path[2] in ("loc", "lastmod"):
            name = self.path[2]
            self.texts[name] = (self.texts.get(name, "") + text)[:_LONGEST]

    def end(self, tag: str) -> None:
        self.path.pop()
        if len(self.path) != 1:
            return
        url = self.texts.get("loc", "").strip()
        if url and len(self.entries) >= self.most:
            raise WebError("too_many", f"the sitemap lists more than {self.most}; raise the limit or name a part of it")
        if url:
            self.entries.append(Listed(url, _day(self.texts.get("lastmod", ""))))
        self.texts.clear()

    def close(self) -> Sitemap:
        return Sitemap(self.root == "sitemapindex", tuple(self.entries))


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text.strip()[:10])
    except ValueError:
        return None
