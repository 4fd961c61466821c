"""What is sent in real time: which frame is due when, and what was heard of it. No I/O; the clock is the caller's."""

from collections import deque

from agent.commands import Heard
from server.protocols.base import Cut, Frame, Hold, Paced

_GRAIN = 1e-6
"""Seconds: clocks add up fractions."""


class Line:
    """What waits to be sent. `lead`: seconds of sound, a frame at least, that the client has in store at most.

    A client plays what it has without a pause, from the first frame on; a frame that comes too late starts it anew.
    """

    def __init__(self, lead: float) -> None:
        self._lead = lead
        self._waiting: deque[Paced] = deque()
        self._ends = 0.0
        """When the client will have played all that was sent."""
        self._turn, self._sent = 0, 0.0
        self._held = False
        self.ahead = 0.0
        """Seconds of sound that wait."""

    def __len__(self) -> int:
        return len(self._waiting)

    def put(self, item: Paced | Cut | Hold) -> None:
        match item:
            case Paced():
                self._waiting.append(item)
                self.ahead += item.seconds
            case Cut(instead):
                dropped = bool(self._waiting)
                self._waiting.clear()
                self._held, self.ahead, self._sent, self._ends = False, 0.0, 0.0, 0.0
                if dropped and instead is not None:
                    self._waiting.append(Paced(self._turn, instead))
            case Hold(on, fresh):
                self._held = on and not (fresh and self._sent and self._waiting)

    def due(self) -> float | None:
        """When the next frame is to be sent; a moment that is past: now. None: there is none, or it has to wait."""
        if self._held or not self._waiting:
            return None
        first = self._waiting[0]
        return self._ends - (0.0 if first.last else max(0.0, self._lead - first.seconds))

    def ready(self, now: float) -> bool:
        due = self.due()
        return due is not None and due <= now + _GRAIN

    def take(self, now: float) -> Frame | None:
        """The next frame, where it is due."""
        if not self.ready(now):
            return None
        item = self._waiting.popleft()
        self.ahead = max(0.0, self.ahead - item.seconds) if self._waiting else 0.0
        if item.turn != self._turn:
            self._turn, self._sent = item.turn, 0.0
        if item.seconds:
            self._sent += item.seconds
            self._ends = max(self._ends, now) + item.seconds
        return item.frame

    def heard(self, now: float) -> Heard | None:
        """How much of the turn that is being played, or is to be, was heard; None where none is."""
        if self._sent:
            return Heard(self._turn, max(0.0, self._sent - max(0.0, self._ends - now)))
        return Heard(self._waiting[0].turn, 0.0) if self.ahead > 0 else None
