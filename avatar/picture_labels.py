"""PNG and the label in it: the property AIGC of the TC260 namespace in its XMP packet."""

import re
import struct
import zlib
from collections.abc import Iterator
from xml.sax.saxutils import escape, unescape

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_KEYWORD = b"XML:com.adobe.xmp\0"
_LONGEST = 1_000_000
"""Bytes of an XMP packet; a compressed one may claim any length."""
_DESCRIPTION = (
    '<rdf:Description rdf:about="" xmlns:TC260="http://www.tc260.org.cn/ns/AIGC/1.0/">'
    "<TC260:AIGC>{}</TC260:AIGC></rdf:Description>"
)
_PACKET = (
    '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">'
    '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">{}</rdf:RDF></x:xmpmeta><?xpacket end="w"?>'
)
_OWN = re.compile(r"<rdf:Description[^<>]*><TC260:AIGC>[^<]*</TC260:AIGC></rdf:Description>")
_ELEMENT = re.compile(r"<TC260:AIGC>([^<]*)</TC260:AIGC>|TC260:AIGC=(?:\"([^\"]*)\"|'([^']*)')")


def written(data: bytes, label: str) -> bytes:
    """`data` with the label in its XMP, whatever else that holds; raises ValueError where it is no whole PNG."""
    chunks = list(_chunks(data))
    description = _DESCRIPTION.format(escape(label))
    packet = next((text for chunk in chunks if (text := _xmp(*chunk)) is not None), None)
    if packet is not None and "</rdf:RDF>" in packet:
        packet = _OWN.sub("", packet).replace("</rdf:RDF>", description + "</rdf:RDF>", 1)
    else:
        packet = _PACKET.format(description)
    head, *rest = (chunk for chunk in chunks if _xmp(*chunk) is None)
    held = _KEYWORD + b"\0\0\0\0" + packet.encode("utf-8")
    return _SIGNATURE + b"".join(_chunk(*chunk) for chunk in [head, (b"iTXt", held), *rest])


def read(data: bytes) -> str | None:
    """The label's text."""
    for chunk in _chunks(data):
        packet = _xmp(*chunk)
        found = _ELEMENT.search(packet) if packet else None
        if found:
            text = next(group for group in found.groups() if group is not None)
            return unescape(text, {"&quot;": '"', "&apos;": "'"})
    return None


def _xmp(kind: bytes, held: bytes) -> str | None:
    """The XMP packet in an iTXt chunk: keyword, compression flag and method, language, translated keyword, text."""
    if kind != b"iTXt" or not held.startswith(_KEYWORD) or len(held) < len(_KEYWORD) + 4:
        return None
    compressed, rest = held[len(_KEYWORD)], held[len(_KEYWORD) + 2 :]
    text = rest.split(b"\0", 2)[-1]
    if compressed:
        try:
            text = zlib.decompressobj().decompress(text, _LONGEST)
        except zlib.error as error:
            raise ValueError("the picture's XMP cannot be decompressed") from error
    return text[:_LONGEST].decode("utf-8", "replace")


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    if not data.startswith(_SIGNATURE):
        raise ValueError("this is not a PNG file")
    at, kind = len(_SIGNATURE), b""
    while kind != b"IEND":
        size, kind = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8]
        if at + 12 + size > len(data) or (at == len(_SIGNATURE) and kind != b"IHDR"):
            raise ValueError("the PNG file is cut short or damaged")
        yield kind, data[at + 8 : at + 8 + size]
        at += 12 + size


def _chunk(kind: bytes, held: bytes) -> bytes:
    return struct.pack(">I", len(held)) + kind + held + struct.pack(">I", zlib.crc32(kind + held))
