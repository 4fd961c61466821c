"""EPUB to blocks: its pages in the order of the book, each named by the table of contents if it has no heading."""

import io
import posixpath
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from lxml import etree

from knowledge.documents import DocumentError
from knowledge.encodings import decode
from knowledge.formats.damage import DAMAGE
from knowledge.formats.html import read_html
from knowledge.stated import day, keywords
from knowledge.structure import Draft, Parsed, one_line

_CONTAINER = "META-INF/container.xml"
_ENCRYPTION = "META-INF/encryption.xml"
_PAGES = frozenset(("application/xhtml+xml", "text/html"))
_HEADING = re.compile(r"<h[1-6][\s>]", re.IGNORECASE)


def parse_epub(data: bytes) -> Parsed:
    """Raises DocumentError: `damaged`, `encrypted` or `too_large`."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return _Book(archive).parsed()
    except DocumentError:
        raise
    except (*DAMAGE, etree.LxmlError, NotImplementedError) as error:
        raise DocumentError("damaged", f"the book cannot be read: {error}") from error


@dataclass(frozen=True, slots=True)
class _Item:
    path: str
    media: str
    properties: str


class _Book:
    """Only entries of the archive are ever read: a name that leads out of it names nothing."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        self._entries = set(archive.namelist())
        container = self._xml(_CONTAINER)
        self._path = unquote(next(iter(container.xpath("//*[local-name()='rootfile']/@full-path"))))
        self._package = self._xml(self._path)
        self._items = {
            str(item.get("id")): _Item(
                self._resolved(self._path, item.get("href")), item.get("media-type") or "", item.get("properties") or ""
            )
            for item in self._package.xpath("//*[local-name()='manifest']/*[local-name()='item']")
        }

    def parsed(self) -> Parsed:
        pages = [
            self._items[name].path
            for name in self._package.xpath("//*[local-name()='spine']/*[local-name()='itemref']/@idref")
            if name in self._items and self._items[name].media in _PAGES and "nav" not in self._items[name].properties
        ]
        pages = [path for path in dict.fromkeys(pages) if path in self._entries]
        self._check_encryption(pages)
        names = self._contents()
        draft = Draft()
        for path in pages:
            text = decode(self._archive.read(path)).text
            if path in names and not _HEADING.search(text):
                draft.add("heading", names[path], 1)
            read_html(text, draft)
        title = next(self._stated("title"), "")
        dated = next((found for told in self._stated("date") if (found := day(told))), None)
        return draft.parsed(title or draft.first("heading"), dated=dated, tags=keywords(list(self._stated("subject"))))

    def _stated(self, name: str) -> Iterator[str]:
        for element in self._package.xpath(f"//*[local-name()='metadata']//*[local-name()='{name}']"):
            if text := one_line("".join(element.itertext())):
                yield text

    def _check_encryption(self, pages: list[str]) -> None:
        """Fonts are often encrypted; pages only in books that are protected from copying."""
        if _ENCRYPTION not in self._entries:
            return
        locked = {unquote(uri) for uri in self._xml(_ENCRYPTION).xpath("//*[local-name()='CipherReference']/@URI")}
        if locked.intersection(pages):
            raise DocumentError("encrypted", "the book is protected from copying; take a copy that is not")

    def _contents(self) -> dict[str, str]:
        """What the table of contents calls each page, at its first mention."""
        names: dict[str, str] = {}
        for item in self._items.values():
            if item.path not in self._entries:
                continue
            if item.media == "application/x-dtbncx+xml":
                for point in self._xml(item.path).xpath("//*[local-name()='navPoint']"):
                    label = "".join(point.xpath("./*[local-name()='navLabel']//text()"))
                    for link in point.xpath("./*[local-name()='content']/@src"):
                        names.setdefault(self._resolved(item.path, link), label)
            elif "nav" in item.properties.split():
                for anchor in self._xml(item.path).xpath("//*[local-name()='a'][@href]"):
                    names.setdefault(self._resolved(item.path, anchor.get("href")), "".join(anchor.itertext()))
        return names

    def _resolved(self, base: str, link: str | None) -> str:
        """The entry that a link names; nothing for what is not in the archive."""
        try:
            parts = urlsplit(link or "")
        except ValueError:
            return ""
        if parts.scheme or parts.netloc:
            return ""
        return posixpath.normpath(posixpath.join(posixpath.dirname(base), unquote(parts.path)))

    def _xml(self, path: str) -> "etree._Element":
        parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, recover=True)
        root = etree.fromstring(self._archive.read(path), parser)
        if root is None:
            raise DocumentError("damaged", f"the book's {posixpath.basename(path)} cannot be read")
        return root
