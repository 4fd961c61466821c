"""The web as the settings let it be fetched."""

from configs.settings import Settings
from knowledge.pinned import WebLimits
from knowledge.web import Web


def web(settings: Settings) -> Web:
    return Web(WebLimits(size=settings.server.upload_bytes, **dict(settings.knowledge.web)))
