"""The protocol of xiaozhi-esp32 smart speakers: JSON text frames, and Opus packets in binary ones."""

from server.protocols.xiaozhi.codec import Outlet, Terms, XiaozhiCodec
from server.protocols.xiaozhi.framing import VERSIONS

__all__ = ["VERSIONS", "Outlet", "Terms", "XiaozhiCodec"]
