"""What is sent in real time: which frame is due when, and what was heard of it. No I/O; the clock is the caller's."""

from collections import deque

from agent.commands import Heard
from server.protocols.base import Cut, Frame, Hold, Paced


class Line:
    """What waits to be sent. `lead`: seconds of sound that the client has in store at most.

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
            case Hold(on):
                self._held = on

    def due(self) -> float | None:
        """When the next frame is to be sent; a moment that is past: now. None: there is none, or it has to wait."""
        if self._held or not self._waiting:
            return None
        return self._ends - (0.0 if self._waiting[0].last else self._lead)

    def take(self, now: float) -> Frame | None:
        """The next frame, where it is due."""
        due = self.due()
        if due is None or due > now:
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
        """How much of the turn that is being played was heard; None where none is."""
        return Heard(self._turn, max(0.0, self._sent - max(0.0, self._ends - now))) if self._sent else None
