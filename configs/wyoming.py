"""Home Assistant's Wyoming protocol."""

from pydantic import Field

from configs.section import Section


class WyomingSettings(Section):
    """`port`: 0 for any; None: it is not served. The protocol knows no keys: only a loopback address is served unless
    `open` says that everybody who reaches it may speak to the presenter.

    `base`: the knowledge base that questions are answered from; None: the persona's. `minors`: its users are children.
    `notice`: the first answer of a conversation says first that an AI speaks; turn it off where users know.
    `connections`: at once. `idle`: seconds without a byte either way after which a client is let go. `forget`: seconds
    after its last question until a conversation ends; `conversations` are known at most. `characters`: of a text
    that is read aloud at once.
    """

    host: str = "127.0.0.1"
    port: int | None = Field(default=None, ge=0, le=65535)
    open: bool = False
    base: str | None = Field(default=None, pattern=r"^[a-z0-9][a-z0-9-]{0,39}$")
    minors: bool = False
    notice: bool = True
    connections: int = Field(default=64, ge=1)
    idle: float = Field(default=120, gt=0)
    forget: float = Field(default=900, gt=0)
    conversations: int = Field(default=256, ge=1)
    characters: int = Field(default=20_000, ge=1)
