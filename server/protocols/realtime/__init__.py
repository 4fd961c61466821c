"""The OpenAI Realtime API as a codec: pure, over the same session as every other protocol."""

from server.protocols.realtime.bodies import SessionBody
from server.protocols.realtime.codec import Dialect, RealtimeCodec
from server.protocols.realtime.session import Defaults

__all__ = ["Defaults", "Dialect", "RealtimeCodec", "SessionBody"]
