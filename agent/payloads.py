"""Texts hidden in a text: base64, hex, percent signs, ROT13, written backwards. Decoded, where they are readable."""

import base64
import binascii
import codecs
import re
from collections.abc import Iterator
from urllib.parse import unquote_to_bytes

_BASE64 = re.compile(r"(?<![A-Za-z0-9+/_-])[A-Za-z0-9+/_-]{16,}={0,2}(?![A-Za-z0-9+/_-])")
_HEX = re.compile(r"(?<![0-9A-Za-z])(?:(?:0x|\\x)?[0-9A-Fa-f]{2}[\s,]{0,2}){8,}(?![0-9A-Za-z])")
_PERCENT = re.compile(r"(?:%[0-9A-Fa-f]{2}){4,}(?:[\w.%+-]*)")
_ESCAPED = re.compile(r"(?:\\u[0-9A-Fa-f]{4}){4,}")
_BINARY = re.compile(r"(?:[01]{8}\s?){6,}")
_FEWEST = 6
"""Characters of a text that is worth reading."""


def decoded(text: str) -> Iterator[str]:
    """What only an encoding can have brought into a text: readable words."""
    for pattern, decode in (
        (_BASE64, _base64),
        (_HEX, _hex),
        (_PERCENT, unquote_to_bytes),
        (_ESCAPED, _escaped),
        (_BINARY, _binary),
    ):
        for match in pattern.finditer(text):
            if (plain := _readable(decode(match.group()))) is not None:
                yield plain


def mirrored(text: str) -> Iterator[str]:
    """What the text may say in ROT13 and backwards: any text gives both, so they prove nothing by themselves."""
    yield codecs.encode(text, "rot13")
    yield text[::-1]


def _base64(text: str) -> bytes:
    bared = text.rstrip("=")
    try:
        return base64.b64decode(bared + "=" * (-len(bared) % 4), altchars=b"-_" if set("-_") & set(bared) else None)
    except (binascii.Error, ValueError):
        return b""


def _hex(text: str) -> bytes:
    figures = re.sub(r"0x|\\x|[\s,]", "", text)
    return bytes.fromhex(figures) if len(figures) % 2 == 0 else b""


def _escaped(text: str) -> bytes:
    codes = [int(code, 16) for code in re.findall(r"\\u([0-9A-Fa-f]{4})", text)]
    return "".join(map(chr, codes)).encode("utf-8", "replace")


def _binary(text: str) -> bytes:
    return bytes(int(octet, 2) for octet in re.findall("[01]{8}", text))


def _readable(data: bytes) -> str | None:
    """UTF-8 of which nearly all are letters and spaces."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        return None
    letters = sum(char.isalpha() or char in " ,.!?'，。！？" for char in text)
    common = sum(char in " etaoinshrdlu" or "\u4e00" <= char <= "\u9fff" for char in text.lower())
    sound = len(text) >= _FEWEST and letters >= 0.9 * len(text) and common >= 0.6 * len(text)
    return text if sound else None
