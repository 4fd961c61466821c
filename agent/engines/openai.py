"""Any server that speaks the OpenAI chat protocol: vLLM, llama.cpp's server, a hosted model; one, or several alike."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Any

import orjson
from pydantic import Field, model_validator

from agent.engines import wire
from agent.engines.deltas import Deltas
from agent.engines.endpoint import Admission, Endpoint, Served
from agent.engines.endpoints import Endpoints
from agent.engines.hedge import first_of
from agent.engines.written import WrittenCalls
from agent.model import PLAINLY, Ask, Message, ModelError, Part, ToolCall
from configs.engines import Options
from configs.home import Home

_ITS_FAULT = ("unreachable", "interrupted", "garbled")
"""Codes that count against the server."""

_PASSED_ON = (*_ITS_FAULT, "busy", "refused")
"""Codes after which another server may still answer, as long as nothing was said."""


class OpenAIOptions(Options):
    """`endpoints`: servers of the same model, any of which may answer. `base_url`, `model` and `api_key` beside it are
    what those have in common; without `endpoints` they are the only one.

    `connect`: seconds in which it is known that no server is there. `hedge`: seconds of silence after which a second
    server is asked too, and the first to speak is taken. `extra`: more of the request body, such as `top_p`.
    """

    endpoints: tuple[Served, ...] = Field(min_length=1)
    connect: float = Field(default=1.4, gt=0)
    hedge: float | None = Field(default=None, gt=0)
    admission: Admission = Admission()
    temperature: float = Field(default=0.0, ge=0)
    max_tokens: int = Field(default=160, gt=0)
    extra: dict[str, Any] = Field(default_factory=dict)

    @model_validator(mode="before")
    @classmethod
    def _listed(cls, given: Any) -> Any:
        if not isinstance(given, dict):
            return given
        shared = {name: given[name] for name in Served.model_fields if name in given}
        rest = {name: value for name, value in given.items() if name not in shared}
        endpoints = rest.get("endpoints", [{}])
        if isinstance(endpoints, list | tuple):
            rest["endpoints"] = [shared | one if isinstance(one, dict) else one for one in endpoints]
        return rest


class OpenAI:
    """Streams over one kept-alive connection per running answer; closing the stream closes its connection.

    A server that fails before it has said anything is replaced by the next; one that breaks off later is not. Where
    all have too much to do, that is said at once (`busy`). Health, load and window are watched from `warm` on.
    """

    Options = OpenAIOptions

    def __init__(self, options: OpenAIOptions, home: Home) -> None:
        self._options = options
        patience = options.connect / len(options.endpoints)
        servers = [Endpoint(served, options.admission, patience) for served in options.endpoints]
        self._endpoints = Endpoints(servers, options.admission.every)

    @property
    def window(self) -> int | None:
        return self._endpoints.window

    def stream(self, messages: Sequence[Part], ask: Ask = PLAINLY) -> AsyncGenerator[str | ToolCall, None]:
        attempts = (self._answer(server, messages, ask) for server in self._endpoints.to_ask(ask.session))
        return first_of(attempts, self._options.hedge, _passed_on)

    async def warm(self, messages: Sequence[Message]) -> None:
        """One token's worth of the prompt that every turn begins with fills each server's prefix cache."""
        await self._endpoints.watch()
        filled = await asyncio.gather(
            *(self._fill(server, messages) for server in self._endpoints.servers), return_exceptions=True
        )
        failures = [failure for failure in filled if failure is not None]
        if len(failures) == len(filled):
            raise failures[0]

    async def aclose(self) -> None:
        await self._endpoints.aclose()

    async def _answer(
        self, server: Endpoint, messages: Sequence[Part], ask: Ask
    ) -> AsyncGenerator[str | ToolCall, None]:
        deltas, said, written = Deltas(), False, WrittenCalls([offer.name for offer in ask.offers])
        try:
            async with aclosing(server.body(self._request(server, messages, ask), ask.session)) as body:
                async for data in body:
                    for delta in deltas.feed(data):
                        if not said:
                            said = True
                            server.breaker.succeeded()
                        for heard in written.feed(delta):
                            yield heard
            if not deltas.finished:
                raise ModelError("interrupted", "the model server broke off its answer")
            if not said:
                raise ModelError("empty", "the model server sent an answer without text")
            for heard in written.finish():
                yield heard
        except ModelError as error:
            if error.code in _ITS_FAULT:
                server.failed()
            raise

    async def _fill(self, server: Endpoint, messages: Sequence[Message]) -> None:
        async with aclosing(server.body(self._request(server, messages, PLAINLY, max_tokens=1), "")) as body:
            async for _ in body:
                pass

    def _request(self, server: Endpoint, messages: Sequence[Part], ask: Ask, max_tokens: int | None = None) -> bytes:
        body: dict[str, Any] = {
            "model": server.model,
            "messages": wire.messages(messages),
            "temperature": self._options.temperature,
            "max_tokens": max_tokens or self._options.max_tokens,
            "stream": True,
        }
        if ask.offers:
            body["tools"] = wire.tools(ask.offers)
        if ask.schema is not None:
            body["response_format"] = wire.response_format(ask.schema)
        return orjson.dumps(body | self._options.extra)


def _passed_on(error: ModelError) -> bool:
    return error.code in _PASSED_ON
