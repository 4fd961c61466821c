"""Who is served now: one count of the conversations under way, whatever protocol they speak."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from server.assemble import Service
from server.auth import Grant
from server.protocols.base import Rejected

NO_BASE = Rejected("unknown_base", "the knowledge base of this key is not there / 没有这个密钥对应的知识库")
_STARTING = Rejected("starting", "the presenter is starting, try again in a few seconds / 正在启动，请稍候再试")
_BUSY = Rejected("busy", "too many visitors, try again in a minute / 访客太多，请一分钟后再试")


class Admission:
    def __init__(self, service: Service) -> None:
        self._service = service
        self._served = 0

    def bases(self, grant: Grant) -> Sequence[str]:
        """The knowledge bases that a grant's holder is answered from: that of its key, else the persona's."""
        return (grant.base,) if grant.base else self._service.persona.bases

    def minor(self, grant: Grant) -> bool:
        """Whether those who speak with a grant are taken for children, whatever they say."""
        return grant.minors or self._service.settings.conduct.minors_only

    def refusal(self, bases: Sequence[str]) -> Rejected | None:
        """Why a conversation cannot begin now; None where it can."""
        service = self._service
        if not service.readiness().serving:
            return _STARTING
        if self._served >= service.settings.server.sessions:
            return _BUSY
        if not set(bases) <= set(service.bases.names()):
            return NO_BASE
        return None

    @contextmanager
    def admitted(self) -> Iterator[None]:
        """While a conversation is under way. Ask `refusal` first."""
        self._served += 1
        try:
            yield
        finally:
            self._served -= 1
