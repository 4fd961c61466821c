"""The device's tools: it is an MCP server at the other end of the socket. JSON-RPC in, JSON-RPC and commands out."""

import re
from collections.abc import Mapping
from typing import Any

from agent.commands import Control, OfferTools, RemoteTool, ToolAnswered

Json = dict[str, Any]

_WITHHELD = frozenset(
    "self." + name
    for name in (
        *(
            "get_system_info",
            "reboot",
            "upgrade_firmware",
            "screen.get_info",
            "screen.snapshot",
            "screen.preview_image",
        ),
        *("assets.set_download_url", "camera.take_photo"),
    )
)
"""What only the device's owner may call, and the camera: nothing here looks at pictures."""
_CONTROLS: Mapping[str, Control] = {
    "self.audio_speaker.set_volume": "volume",
    "self.screen.set_brightness": "brightness",
    "self.screen.set_theme": "theme",
    "self.get_device_status": "status",
}
_PAGES = 16
_TOOLS = 64
_WAITING = 64
"""Calls that were not answered."""
_DESCRIPTION = 1000


class DeviceTools:
    """`begin`, then `received` for whatever comes. Ids are counted: an answer to nothing of ours is dropped. What is on
    a page is offered before the next one is asked for, which may never come."""

    def __init__(self, vision: str) -> None:
        self._vision = vision
        self._id = 0
        self._listing: int | None = None
        self._opening: int | None = None
        self._found: dict[str, RemoteTool] = {}
        self._names: dict[str, str] = {}
        self._cursors: set[str] = set()
        self._calls: dict[int, str] = {}

    def begin(self) -> Json:
        """An address for pictures is always named: some devices do not start without one."""
        capabilities = {"vision": {"url": self._vision, "token": ""}}
        client = {"name": "zhubo", "version": "1"}
        request = self._request(
            "initialize", {"protocolVersion": "2024-11-05", "capabilities": capabilities, "clientInfo": client}
        )
        self._opening, self._listing = self._id, None
        self._found, self._names, self._cursors = {}, {}, set()
        return request

    def received(self, payload: object) -> list[Json | OfferTools | ToolAnswered]:
        match payload:
            case {"id": int(number), "result": dict(result)} if number == self._opening:
                self._opening = None
                return [{"jsonrpc": "2.0", "method": "notifications/initialized"}, self._list("")]
            case {"id": int(number), "result": dict(result)} if number == self._listing:
                return self._listed(result)
            case {"id": int(number), **rest} if number in self._calls:
                return [_answered(self._calls.pop(number), rest)]
            case {"id": int(number), "error": _} if number in (self._opening, self._listing):
                self._opening = self._listing = None
        return []

    def called(self, call: str, name: str, arguments: Json) -> Json:
        request = self._request("tools/call", {"name": self._names.get(name, name), "arguments": arguments})
        self._calls[self._id] = call
        while len(self._calls) > _WAITING:
            del self._calls[next(iter(self._calls))]
        return request

    def _listed(self, result: Json) -> list[Json | OfferTools | ToolAnswered]:
        tools = result.get("tools")
        for tool in tools if isinstance(tools, list) else ():
            self._keep(tool)
        offered = OfferTools(tuple(self._found.values()))
        match result.get("nextCursor"):
            case str(cursor) if cursor and cursor not in self._cursors and len(self._cursors) < _PAGES - 1:
                self._cursors.add(cursor)
                return [offered, self._list(cursor)]
        self._listing = None
        return [offered]

    def _keep(self, tool: Any) -> None:
        match tool:
            case {"name": str(name)} if name not in _WITHHELD and len(self._found) < _TOOLS and not _private(tool):
                ours = self._valid(name)
                schema, described = tool.get("inputSchema"), tool.get("description")
                self._found[name] = RemoteTool(
                    ours,
                    described[:_DESCRIPTION] if isinstance(described, str) else "",
                    schema if isinstance(schema, dict) else {"type": "object", "properties": {}},
                    _CONTROLS.get(name),
                )
                self._names[ours] = name

    def _valid(self, name: str) -> str:
        """Models call a tool by letters, digits, `_` and `-`, 64 at most."""
        plain = re.sub(r"[^A-Za-z0-9_-]", "_", name.removeprefix("self."))[:60] or "tool"
        number = 1
        while self._names.get(ours := plain if number == 1 else f"{plain}_{number}", name) != name:
            number += 1
        return ours

    def _list(self, cursor: str) -> Json:
        request = self._request("tools/list", {"cursor": cursor, "withUserTools": False})
        self._listing = self._id
        return request

    def _request(self, method: str, params: Json) -> Json:
        self._id += 1
        return {"jsonrpc": "2.0", "id": self._id, "method": method, "params": params}


def _private(tool: Mapping[Any, Any]) -> bool:
    """Meant for the user's own hands, not for a model."""
    annotations = tool.get("annotations")
    return isinstance(annotations, dict) and annotations.get("audience") == ["user"]


def _is_text(part: object) -> bool:
    return isinstance(part, dict) and part.get("type") == "text"


def _answered(call: str, answer: Mapping[Any, Any]) -> ToolAnswered:
    match answer:
        case {"result": {"content": list(content), **rest}}:
            texts = [str(part.get("text", "")) for part in content if _is_text(part)]
            return ToolAnswered(call, "\n".join(texts), rest.get("isError") is True)
        case {"error": {"message": str(message)}}:
            return ToolAnswered(call, message, failed=True)
    return ToolAnswered(call, "the device's answer was not understood", failed=True)
