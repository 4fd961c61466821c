"""An answer as it grows out of a turn's events: its text, what bears it out, and why it ended. Pure."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from agent.events import Citation, Citations, Event, Fault, Notice, TextDelta, ToolCalled, TurnEnded
from agent.tokens import cut, estimate
from server.openai.errors import Json, Wrong
from server.protocols.events import cited, parted

Finish = Literal["stop", "length", "content_filter", "tool_calls"]
Address = Callable[[Citation], str]
"""Where a citation's document can be read."""


@dataclass(frozen=True, slots=True)
class Heading:
    """What stands over every answer. `created`: seconds since 1970. `aigc`: its implicit label. `prompt`: tokens of
    what was asked, as they are estimated."""

    id: str
    model: str
    created: int
    aigc: Json
    prompt: int


class Draft:
    """`most`: tokens of the answer. `closed`: nothing more will be taken."""

    def __init__(self, most: int | None, address: Address) -> None:
        self.text = ""
        self.finish: Finish = "stop"
        self.refused = self.closed = False
        self.fault: Fault | None = None
        self.calls: list[ToolCalled] = []
        """What the client is to do before there is an answer."""
        self._citations: list[tuple[int, Citation]] = []
        self._spans: dict[int, list[tuple[int, int]]] = {}
        self._most, self._address = most, address

    def feed(self, event: Event) -> str:
        """The text that this adds."""
        match event:
            case TextDelta(turn, text) if not self.closed:
                return self._add(turn, text)
            case Citations(turn, citations):
                self._citations += [(turn, one) for one in citations]
            case Notice(code="moderated"):
                self.finish = "content_filter"
            case ToolCalled() if not self.closed:
                self.calls.append(event)
                self.closed, self.finish = event.more == 0, "tool_calls"
            case Fault() if self.fault is None:
                self.fault, self.closed = event, True
            case TurnEnded(refused=refused):
                self.refused = self.refused or refused
        return ""

    @property
    def tokens(self) -> int:
        return estimate(self.text)

    @property
    def citations(self) -> list[Json]:
        return [cited(one) for _, one in self._citations]

    @property
    def annotations(self) -> list[Json]:
        """One for each stretch of the text that a citation bears out, in the order of the text."""
        found = [
            {"start_index": start, "end_index": end, "title": one.title, "url": self._address(one)}
            for turn, one in self._citations
            for start, end in self._borne_out(turn, one)
        ]
        return sorted(found, key=lambda one: int(one["start_index"]))

    def _add(self, turn: int, text: str) -> str:
        if self.text and turn not in self._spans:
            text = parted(self.text, text)
        if self._most is not None and self.tokens + estimate(text) > self._most:
            text = cut(text, self._most - self.tokens)
            self.finish, self.closed = "length", True
        self._spans.setdefault(turn, []).append((len(self.text), len(self.text) + len(text)))
        self.text += text
        return text

    def _borne_out(self, turn: int, citation: Citation) -> list[tuple[int, int]]:
        spans = self._spans.get(turn, [])
        if not citation.sentences:
            return [(spans[0][0], spans[-1][1])] if spans else []
        joined: list[tuple[int, int]] = []
        for start, end in (spans[at] for at in citation.sentences if at < len(spans)):
            if joined and joined[-1][1] == start:
                joined[-1] = joined[-1][0], end
            else:
                joined.append((start, end))
        return joined


def failed(fault: Fault) -> Wrong:
    """What kept the answer away; what was said of it before stands."""
    told = (
        f"the answer failed ({fault.code}): try again in a moment; the reason is in the server's log / "
        f"回答失败（{fault.code}）：请稍后再试，原因见服务器日志"
    )
    return Wrong(503, fault.code, told, headers={"Retry-After": "2"})
