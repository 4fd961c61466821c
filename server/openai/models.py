"""The models that a client may name: the persona as it is, and the persona answering from one knowledge base."""

import time
from collections.abc import Sequence
from pathlib import Path

from server.admission import Admission
from server.assemble import Service
from server.auth import Grant
from server.openai.errors import Json, Wrong


class Catalogue:
    """`guide` answers from what the persona, or the caller's key, is given; `guide:main` from that base alone."""

    def __init__(self, service: Service, admission: Admission) -> None:
        self._service, self._admission = service, admission
        self._persona = Path(service.settings.persona).stem
        self._created = int(time.time())

    def listed(self, grant: Grant) -> list[Json]:
        return [self._shown(name) for name in self._models(grant)]

    def shown(self, grant: Grant, model: str) -> Json:
        """Raises Wrong."""
        self.bases(grant, model)
        return self._shown(model)

    def bases(self, grant: Grant, model: str) -> Sequence[str]:
        """The knowledge bases that this model answers from. Raises Wrong for one that the key does not open, too."""
        known = self._models(grant)
        if model not in known:
            told = "there is no such model for this key; see GET /v1/models / 没有这个模型，见 GET /v1/models"
            raise Wrong(404, "model_not_found", f"{told}: {', '.join(list(known)[:20])}", "model")
        return known[model]

    def _models(self, grant: Grant) -> dict[str, Sequence[str]]:
        names = [name for name in self._service.bases.names() if grant.sees(name)]
        own: dict[str, Sequence[str]] = {f"{self._persona}:{name}": (name,) for name in names}
        return {self._persona: tuple(self._admission.bases(grant)), **own}

    def _shown(self, name: str) -> Json:
        return {"id": name, "object": "model", "created": self._created, "owned_by": "zhubo"}
