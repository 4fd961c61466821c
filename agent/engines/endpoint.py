"""One model server: asked over HTTP, and looked at now and then: is it well, how busy, how much does it take?"""

import asyncio
import logging
from collections.abc import AsyncGenerator
from typing import Any

import orjson
from pydantic import Field, SecretStr

from agent.engines.breaker import Breaker
from agent.engines.load import Load
from agent.model import ModelError
from configs.engines import Options
from configs.http import Client, HttpError, Response

log = logging.getLogger(__name__)

_FAILURES = 3
"""In a row, before a server is left alone for a while."""

_REST = 2.0
"""Seconds between two tries of a server that is left alone."""

_PATIENCE = 2.0
"""Seconds for one page of a server's health; one that computes on the cores that serve it is slow to tell."""

_LOOKS_FRESH = 5.0
"""Looks at the health after which an old load no longer counts."""

_TOO_LONG = {"input_tokens", "max_tokens", "context_length_exceeded", "exceed_context_size_error"}
"""How vLLM, hosted models and llama.cpp name a prompt that does not fit, in an error's param, code or type."""


class Served(Options):
    """`base_url`: up to `/chat/completions`, as in http://127.0.0.1:8001/v1."""

    base_url: str
    model: str
    api_key: SecretStr | None = None


class Admission(Options):
    """When a server is too busy for another answer: this many requests wait in its queue, or this share of its
    cache is in use. Read from vLLM's own metrics every `every` seconds; a server without any is never too busy.
    """

    waiting: int = Field(default=8, ge=1)
    cache: float = Field(default=0.98, gt=0, le=1)
    every: float = Field(default=1.0, gt=0)


class Endpoint:
    """One server. `window`: tokens of a prompt and its answer together, as it says itself."""

    def __init__(self, served: Served, admission: Admission, connect_timeout: float) -> None:
        self.model = served.model
        self.window: int | None = None
        self.breaker = Breaker(_FAILURES, _REST)
        self.running = 0
        self._admission = admission
        root = served.base_url.rstrip("/")
        self._api = "/v1" if root.endswith("/v1") else ""
        self.name = f"{root} {served.model}"
        headers = {"Content-Type": "application/json"}
        if served.api_key is not None:
            headers["Authorization"] = f"Bearer {served.api_key.get_secret_value()}"
        self._client = Client(root.removesuffix("/v1"), headers=headers, connect_timeout=connect_timeout)
        self._load: tuple[float, Load] | None = None
        self._watched, self._known = True, False

    @property
    def busy(self) -> bool:
        if self._load is None:
            return False
        at, load = self._load
        fresh = asyncio.get_running_loop().time() - at < _LOOKS_FRESH * self._admission.every
        return fresh and (load.waiting >= self._admission.waiting or load.cache >= self._admission.cache)

    def failed(self) -> None:
        """It may come back with another window."""
        self.breaker.failed(asyncio.get_running_loop().time())
        self._known = False

    async def body(self, request: bytes, session: str) -> AsyncGenerator[bytes, None]:
        """What the server answers to a request for a completion, as it arrives. Raises ModelError."""
        arrived = False
        headers = {"Accept": "text/event-stream"}
        if session and session.isascii() and session.isprintable():
            headers["X-Session-ID"] = session
        self.running += 1
        try:
            async with self._client.post(f"{self._api}/chat/completions", request, headers) as response:
                arrived = True
                if response.status != 200:
                    raise await self._refusal(response)
                async for data in response:
                    yield data
        except HttpError as error:
            code, what = ("interrupted", "broke off its answer") if arrived else ("unreachable", "cannot be reached")
            raise ModelError(code, f"the model server {what}: {error}") from error
        finally:
            self.running -= 1

    async def _refusal(self, response: Response) -> ModelError:
        """The status and the error's type; its message may quote the user's words and stays out."""
        kind, marks = "no reason given", set[Any]()
        try:
            error = orjson.loads(await response.text())["error"]
            kind = str(error["type"])[:80]
            marks = {kind, error.get("param"), error.get("code")}
        except (orjson.JSONDecodeError, LookupError, TypeError, AttributeError):
            pass
        told = f"the model server answered {response.status} ({kind})"
        if response.status >= 500:
            return ModelError("unreachable", told)
        if response.status == 429:
            return ModelError("busy", told)
        if marks & _TOO_LONG:
            await self._learn_window()
            return ModelError("too_long", told)
        return ModelError("refused", told)

    async def look(self) -> None:
        """See whether it is well, how busy it is and, at first and after a failure, how long its window is."""
        if not self._watched:
            return
        now = asyncio.get_running_loop().time
        health = await self._asked("/health")
        if health is None:
            self._load = None
            if not self.breaker.open:
                self.failed()
                if self.breaker.open:
                    log.warning("model server %s is down", self.name)
            return
        if self.breaker.open:
            self.breaker.relent(now())
        if not self._known:
            await self._learn_window()
        status, metrics = await self._asked("/metrics") or (0, b"")
        load = Load.read(metrics) if status == 200 else None
        self._load = (now(), load) if load else None
        self._watched = health[0] != 404

    async def _learn_window(self) -> None:
        _, body = await self._asked(f"{self._api}/models") or (0, b"")
        try:
            lengths = {model["id"]: model.get("max_model_len") for model in orjson.loads(body)["data"]}
        except (orjson.JSONDecodeError, LookupError, TypeError, AttributeError):
            return
        length = lengths.get(self.model)
        self.window = length if isinstance(length, int) and length > 0 else None
        self._known = True

    async def _asked(self, path: str) -> tuple[int, bytes] | None:
        """A status below 500 and the body; None from a server that is not well."""
        try:
            async with asyncio.timeout(_PATIENCE), self._client.get(path) as response:
                body = b"".join([data async for data in response])
                return (response.status, body) if response.status < 500 else None
        except (HttpError, TimeoutError):
            return None

    async def aclose(self) -> None:
        await self._client.aclose()
