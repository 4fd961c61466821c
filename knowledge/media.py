"""What a web server sends: whether it is a document, by what name it is taken in, and its bytes unpacked."""

import codecs
import re
import zlib
from datetime import date
from email.message import Message
from email.utils import parsedate_to_datetime
from pathlib import PurePosixPath
from urllib.parse import unquote_to_bytes

import httpx

from knowledge.addresses import WebError
from knowledge.parse import SUFFIXES

_OFFICE = "application/vnd.openxmlformats-officedocument"
_TYPES: dict[str, tuple[str, ...]] = {
    "text/html": (".html", ".htm", ".xhtml"),
    "application/xhtml+xml": (".xhtml", ".html", ".htm"),
    "text/plain": (".txt", ".text", ".md", ".markdown", ".csv", ".srt", ".vtt", ".jsonl", ".json"),
    "text/markdown": (".md", ".markdown"),
    "text/csv": (".csv",),
    "text/vtt": (".vtt",),
    "application/x-subrip": (".srt",),
    "application/json": (".json", ".jsonl"),
    "application/x-ndjson": (".jsonl",),
    "application/epub+zip": (".epub",),
    "application/pdf": (".pdf",),
    f"{_OFFICE}.wordprocessingml.document": (".docx",),
    f"{_OFFICE}.presentationml.presentation": (".pptx",),
    f"{_OFFICE}.spreadsheetml.sheet": (".xlsx",),
}
"""The usual ending of each type of document first."""
_CHARSETS = re.compile(r"ascii|big5|cp12|euc|gb|hz|iso8859|koi8|latin|shift|utf-(8|16)")
_UNSAID = ("", "application/octet-stream", "binary/octet-stream")
_ESCAPED = re.compile(r"(?:%[89A-Fa-f][0-9A-Fa-f])+")


def endings(url: httpx.URL, kind: str) -> tuple[str, ...]:
    """The endings that suit what an address gave, the address's own or else the usual one first.

    `kind`: its Content-Type header. WebError(`type`) for no document.
    """
    media = kind.partition(";")[0].strip().lower()
    suffix = PurePosixPath(url.path).suffix.lower()
    suiting = (suffix,) if media in _UNSAID else _TYPES.get(media, ())
    suiting = tuple(ending for ending in suiting if ending in SUFFIXES)
    if not suiting:
        raise WebError("type", f"the address gives {media[:80] or 'data of no stated type'}, which is not a document")
    return (suffix, *suiting) if suffix in suiting else suiting


def named(url: httpx.URL, suffixes: tuple[str, ...]) -> str:
    """The address as people read it, ending in one of `suffixes`.

    An ending that it lacks is added behind `#`, so that the name still leads to the page.
    """
    name = f"{url.scheme}://{_host(url)}{_ESCAPED.sub(_readable, url.raw_path.decode('ascii'))}"
    return name if PurePosixPath(name).suffix.lower() in suffixes else f"{name}#{suffixes[0]}"


def recoded(data: bytes, kind: str) -> bytes:
    """Text in the encoding that the server names, in UTF-8 with its mark, which outweighs what the page says."""
    message = Message()
    message["Content-Type"] = kind
    charset = message.get_content_charset("")
    if message.get_content_maintype() != "text" or not charset or data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data
    try:
        codec = codecs.lookup("gb18030" if charset in ("gb2312", "gbk", "x-gbk") else charset)
        if codec.name == "utf-8" or not _CHARSETS.match(codec.name):
            return data
        return codecs.BOM_UTF8 + data.decode(codec.name).encode()
    except (LookupError, ValueError):
        return data


def inflated(data: bytes, most: int) -> bytes:
    """A gzip file's content; it is not unpacked beyond `most` bytes. WebError: `too_large` or `broken`."""
    stream = zlib.decompressobj(31)
    try:
        content = stream.decompress(data, most + 1)
    except zlib.error as error:
        raise WebError("broken", f"what came is damaged: {error}") from error
    if len(content) > most:
        raise too_large(most)
    if not stream.eof or stream.unused_data.strip(b"\0"):
        raise WebError("broken", "what came is incomplete, or goes on behind its end")
    return content


def too_large(most: int) -> WebError:
    return WebError("too_large", f"there is more than {most / 1e6:g} MB at the address; give a smaller part of it")


def changed(header: str | None) -> date | None:
    """The day that a Last-Modified header says."""
    try:
        return parsedate_to_datetime(header).date() if header else None
    except ValueError:
        return None


def _host(url: httpx.URL) -> str:
    host = f"[{url.host}]" if ":" in url.host else url.host
    return host if url.port is None else f"{host}:{url.port}"


def _readable(escaped: re.Match[str]) -> str:
    try:
        text = unquote_to_bytes(escaped[0]).decode()
    except UnicodeDecodeError:
        return escaped[0]
    return text if text.isprintable() else escaped[0]
