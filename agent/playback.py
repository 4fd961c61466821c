"""When the user will have heard what was sent: a client plays a turn from its first sound on, without a pause."""


class Playback:
    """Times in seconds on the session's clock. Reports of the client are believed over the estimate."""

    def __init__(self) -> None:
        self._sent = 0.0
        self._ends = 0.0

    def begin(self) -> None:
        """A new turn takes the place of what was still being played."""
        self._sent = self._ends = 0.0

    def sent(self, seconds: float, now: float) -> None:
        """`seconds` more of the turn are on their way."""
        self._sent += seconds
        self._ends = max(self._ends, now) + seconds

    def heard(self, seconds: float, now: float) -> None:
        if self._sent:
            self._ends = now + max(0.0, self._sent - seconds)

    def stop(self) -> None:
        self.begin()

    def remaining(self, now: float) -> float:
        return max(0.0, self._ends - now)
