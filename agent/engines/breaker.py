"""A circuit breaker: whether to ask a server that has been failing. No I/O; times come from the caller's clock."""


class Breaker:
    """Opens after `limit` failures in a row; from then on one request in `rest` seconds may try whether it is well."""

    def __init__(self, limit: int, rest: float) -> None:
        self._limit, self._rest = limit, rest
        self._failures = 0
        self._until = 0.0

    @property
    def open(self) -> bool:
        return self._failures >= self._limit

    def admits(self, now: float) -> bool:
        """Whether a request may be made; the caller makes it, for an open breaker admits no other meanwhile."""
        if not self.open:
            return True
        if now < self._until:
            return False
        self._until = now + self._rest
        return True

    def succeeded(self) -> None:
        self._failures = 0

    def failed(self, now: float) -> None:
        self._failures += 1
        self._until = now + self._rest

    def relent(self, now: float) -> None:
        """The server says that it is well: the next request may try it at once."""
        self._until = now
