"""How large a WebSocket's message may be, by the path it was opened at: nothing larger is ever held in memory."""

from collections.abc import Mapping

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.http11 import Request


def sized(limits: Mapping[str, int]) -> type[WebSocketsSansIOProtocol]:
    """uvicorn's protocol with other limits, in bytes, at these paths."""

    class Sized(WebSocketsSansIOProtocol):
        def handle_connect(self, event: Request) -> None:
            limit = limits.get(event.path.partition("?")[0])
            if limit is not None:
                self.conn.max_message_size = limit
            super().handle_connect(event)

    return Sized
