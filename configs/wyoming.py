"""Home Assistant's Wyoming protocol."""

from pydantic import Field

from configs.section import Section


class WyomingSettings(Section):
    """`port`: 0 for any; None: it is not served. The protocol knows no keys: only a loopback address is served unless
    `open` says that everybody who reaches it may speak to the presenter."""

    host: str = "127.0.0.1"
    port: int | None = Field(default=None, ge=0, le=65535)
    open: bool = False
