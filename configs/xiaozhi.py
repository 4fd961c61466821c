"""Smart speakers that speak the xiaozhi protocol."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from configs.section import Section

Device = Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z:._-]{1,64}$", to_lower=True)]
"""A Device-Id: the MAC address, in small letters."""


class XiaozhiSettings(Section):
    """`enabled`: they are served. `url`: the WebSocket's address as devices reach it; None: on the host they asked.
    `version`: of the binary frames that new devices are told to use. `base`: the knowledge base that they are answered
    from; None: the persona's. `minors`: their users are children.

    Where the server has a key, each device has a token of its own, and a new one is let in by its name in `devices`,
    or by the code that it shows and an operator confirms; with `activation` off everybody who reaches the address is.
    """

    enabled: bool = True
    url: str | None = Field(default=None, pattern=r"^wss?://[^\s]+$")
    version: int = Field(default=1, ge=1, le=3)
    activation: Literal["off", "code"] = "code"
    devices: tuple[Device, ...] = ()
    base: str | None = Field(default=None, pattern=r"^[a-z0-9][a-z0-9-]{0,39}$")
    minors: bool = False
    wake_words: tuple[str, ...] = ("你好小智", "小智小智", "嗨小智", "Hi Xiaozhi", "Hey Xiaozhi", "Hi ESP", "你好乐鑫")
    """Words that call the presenter: it greets. All else that a device sends as text is a question."""
    lead: float = Field(default=0.3, ge=0.06, le=2)
    """Seconds of sound that a device is given in advance."""
    idle: float = Field(default=120, gt=0)
    """Seconds without a frame either way after which a device is let go."""
