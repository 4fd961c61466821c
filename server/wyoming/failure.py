"""Why a client's request, and its connection with it, comes to an end."""


class Failure(Exception):
    """Told to the client before the connection is closed: there are clients that wait on after an error."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(code)
        self.code, self.message = code, message


class Gone(Exception):
    """The client is not there any more."""
