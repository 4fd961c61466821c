"""A Wyoming byte stream as frames: a line of JSON, then as many bytes of JSON data and of payload as it says."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

HEADER = 64 * 1024
"""Bytes of the longest header, its line end not counted."""
DATA = 256 * 1024
PAYLOAD = 1024 * 1024
"""Bytes: 32 seconds of what a microphone gives, in one chunk."""


@dataclass(frozen=True, slots=True)
class Frame:
    """`version`: of the sender's library; "" where it does not tell."""

    type: str
    data: Mapping[str, Any] = field(default_factory=dict)
    payload: bytes = b""
    version: str = ""


@dataclass(frozen=True, slots=True)
class Broken:
    """No frame, nor does one follow that could be found. `code`: bad_frame, too_large."""

    code: str
    message: str


@dataclass(frozen=True, slots=True)
class _Head:
    type: str
    data: Mapping[str, Any]
    version: str
    data_length: int
    payload_length: int


class Parser:
    """`feed` bytes as they come; whole frames come out, and, last of all, what broke the stream."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._head: _Head | None = None
        self._searched = 0
        self._broken = False

    def feed(self, data: bytes) -> list[Frame | Broken]:
        found: list[Frame | Broken] = []
        if self._broken:
            return found
        self._buffer += data
        while (one := self._next()) is not None:
            found.append(one)
            if isinstance(one, Broken):
                self._broken = True
                self._buffer.clear()
                break
        return found

    def _next(self) -> Frame | Broken | None:
        if self._head is None:
            head = self._line()
            if not isinstance(head, _Head):
                return head
            self._head = head
        head = self._head
        if len(self._buffer) < head.data_length + head.payload_length:
            return None
        data, rest = self._taken(head.data_length), dict(head.data)
        payload = self._taken(head.payload_length)
        self._head = None
        if data:
            more = _object(data)
            if more is None:
                return _bad("data is a JSON object in UTF-8", "data 须为 UTF-8 的 JSON 对象")
            rest |= more
        return Frame(head.type, rest, payload, head.version)

    def _line(self) -> _Head | Broken | None:
        end = self._buffer.find(b"\n", self._searched)
        if end > HEADER or (end < 0 and len(self._buffer) > HEADER):
            return _large("a header", HEADER)
        if end < 0:
            self._searched = len(self._buffer)
            return None
        line = self._taken(end + 1)
        self._searched = 0
        return _head(line)

    def _taken(self, count: int) -> bytes:
        taken = bytes(self._buffer[:count])
        del self._buffer[:count]
        return taken


def encoded(frame: Frame) -> bytes:
    header: dict[str, Any] = {"type": frame.type}
    if frame.version:
        header["version"] = frame.version
    data = orjson.dumps(frame.data) if frame.data else b""
    if data:
        header["data_length"] = len(data)
    if frame.payload:
        header["payload_length"] = len(frame.payload)
    return orjson.dumps(header) + b"\n" + data + frame.payload


def _head(line: bytes) -> _Head | Broken:
    header = _object(line)
    if header is None:
        return _bad("a header is one line with a JSON object in UTF-8", "每个事件以一行 UTF-8 的 JSON 对象开头")
    kind, version = header.get("type"), header.get("version")
    data = header.get("data")
    data = {} if data is None else data
    lengths = [_length(header.get(name)) for name in ("data_length", "payload_length")]
    if not isinstance(kind, str) or not kind or not isinstance(data, dict):
        return _bad("a header has a type, and its data is an object", "事件须有 type，data 须为对象")
    if lengths[0] is None or lengths[1] is None:
        return _bad("lengths are whole numbers from 0", "长度须为非负整数")
    if lengths[0] > DATA:
        return _large("data", DATA)
    if lengths[1] > PAYLOAD:
        return _large("a payload", PAYLOAD)
    return _Head(kind, data, version if isinstance(version, str) else "", lengths[0], lengths[1])


def _object(text: bytes) -> dict[str, Any] | None:
    try:
        found = orjson.loads(text)
    except orjson.JSONDecodeError:
        return None
    return found if isinstance(found, dict) else None


def _length(value: object) -> int | None:
    if value is None:
        return 0
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        return None
    return value


def _bad(english: str, chinese: str) -> Broken:
    return Broken("bad_frame", f"{english} / {chinese}")


def _large(what: str, most: int) -> Broken:
    return Broken("too_large", f"{what} has at most {most} bytes: send it in pieces / 最多 {most} 字节，请分段发送")
