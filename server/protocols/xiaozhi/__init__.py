"""The protocol of xiaozhi-esp32 smart speakers: JSON text frames, and Opus packets in binary ones."""

from server.protocols.xiaozhi.codec import FRAME, RATE, Outlet, Terms, XiaozhiCodec
from server.protocols.xiaozhi.framing import VERSIONS

__all__ = ["FRAME", "RATE", "VERSIONS", "Outlet", "Terms", "XiaozhiCodec"]
