"""When the user will have heard what was sent: a client plays a turn from its first sound on, and pauses when told."""


class Playback:
    """Times in seconds on the session's clock. Reports of the client are believed over the estimate, as far as they
    can be true: nobody has heard what was not sent, nor more seconds of it than have passed."""

    def __init__(self) -> None:
        self._sent = self._begun = 0.0
        self._ends = 0.0
        self._paused: float | None = None
        """Since when nothing is played."""

    def begin(self) -> None:
        """A new turn takes the place of what was still being played."""
        self._sent = self._ends = 0.0
        self._paused = None

    def sent(self, seconds: float, now: float) -> None:
        """`seconds` more of the turn are on their way."""
        self._begun = self._begun if self._sent else now
        self._sent += seconds
        self._ends = max(self._ends, self._time(now)) + seconds

    def heard(self, seconds: float, now: float) -> None:
        if self._sent:
            heard = max(0.0, min(seconds, self._sent, now - self._begun))
            self._ends = self._time(now) + (self._sent - heard)  # nothing, to the last bit, where all of it was heard

    def pause(self, now: float) -> None:
        """The client plays on when it is told to."""
        if self._paused is None:
            self._paused = now

    def resume(self, now: float) -> None:
        if self._paused is not None:
            self._ends += now - self._paused
            self._paused = None

    @property
    def paused(self) -> bool:
        return self._paused is not None

    def stop(self) -> None:
        self.begin()

    def remaining(self, now: float) -> float:
        return max(0.0, self._ends - self._time(now))

    def position(self, now: float) -> float:
        """Seconds of the turn that were heard."""
        return max(0.0, round(self._sent - self.remaining(now), 6))  # no word is heard by an error of rounding

    def _time(self, now: float) -> float:
        return now if self._paused is None else self._paused
