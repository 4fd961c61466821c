"""Any server that speaks the OpenAI chat protocol: vLLM, llama.cpp's server, a hosted model."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Any

import orjson
from pydantic import Field, SecretStr

from agent.model import Message, ModelError
from configs.engines import Options
from configs.home import Home
from configs.http import Client, HttpError, Response

_DATA = b"data:"
_DONE = b"[DONE]"
_LONGEST_EVENT = 1 << 20


class OpenAIOptions(Options):
    """`base_url`: up to `/chat/completions`. `extra`: more fields of the request body, such as `top_p`."""

    base_url: str
    api_key: SecretStr | None = None
    model: str
    temperature: float = Field(default=0.0, ge=0)
    max_tokens: int = Field(default=160, gt=0)
    extra: dict[str, Any] = Field(default_factory=dict)


class Deltas:
    """`feed` the bytes of a server-sent event stream as they come, take the text deltas out. No I/O.

    `finished`: the model said why it stopped. A stream that ends without it was cut off, even where it ends
    with `[DONE]`: a server that is shut down in the middle of an answer sends that too.
    """

    def __init__(self) -> None:
        self.finished = False
        self._rest = b""

    def feed(self, data: bytes) -> list[str]:
        *lines, self._rest = (self._rest + data).split(b"\n")
        if len(self._rest) > _LONGEST_EVENT:
            raise ModelError("garbled", "the model server sent an event longer than 1 MB")
        return [text for line in lines if line.startswith(_DATA) and (text := self._delta(line))]

    def _delta(self, line: bytes) -> str:
        payload = line[len(_DATA) :].strip()
        if payload == _DONE:
            return ""
        try:
            event = orjson.loads(payload)
            if "error" in event:
                raise ModelError("interrupted", "the model server reported an error in the middle of its answer")
            if not event["choices"]:
                return ""
            choice = event["choices"][0]
            self.finished = self.finished or choice.get("finish_reason") is not None
            content = choice.get("delta", {}).get("content") or ""
        except (orjson.JSONDecodeError, LookupError, TypeError, AttributeError) as error:
            raise ModelError("garbled", "the model server sent an event that cannot be read") from error
        if not isinstance(content, str):
            raise ModelError("garbled", "the model server sent text that is not text")
        return content


class OpenAI:
    """Streams over one kept-alive connection per running answer; closing the stream closes its connection."""

    Options = OpenAIOptions

    def __init__(self, options: OpenAIOptions, home: Home) -> None:
        self._options = options
        headers = {"Content-Type": "application/json", "Accept": "text/event-stream"}
        if options.api_key is not None:
            headers["Authorization"] = f"Bearer {options.api_key.get_secret_value()}"
        self._client = Client(options.base_url, headers=headers)

    async def stream(self, messages: Sequence[Message]) -> AsyncGenerator[str, None]:
        deltas, said = Deltas(), False
        async with aclosing(self._body(self._request(messages, self._options.max_tokens))) as body:
            async for data in body:
                for text in deltas.feed(data):
                    said = True
                    yield text
        if not deltas.finished:
            raise ModelError("interrupted", "the model server broke off its answer")
        if not said:
            raise ModelError("empty", "the model server sent an answer without text")

    async def warm(self, messages: Sequence[Message]) -> None:
        """One token's worth of the prompt that every turn begins with fills the server's prefix cache."""
        async with aclosing(self._body(self._request(messages, 1))) as body:
            async for _ in body:
                pass

    async def aclose(self) -> None:
        await self._client.aclose()

    def _request(self, messages: Sequence[Message], max_tokens: int) -> bytes:
        body = {
            "model": self._options.model,
            "messages": [{"role": message.role, "content": message.text} for message in messages],
            "temperature": self._options.temperature,
            "max_tokens": max_tokens,
            "stream": True,
        }
        return orjson.dumps(body | self._options.extra)

    async def _body(self, request: bytes) -> AsyncGenerator[bytes, None]:
        arrived = False
        try:
            async with self._client.post("/chat/completions", request) as response:
                arrived = True
                if response.status != 200:
                    raise await _refusal(response)
                async for data in response:
                    yield data
        except HttpError as error:
            code, what = ("interrupted", "broke off its answer") if arrived else ("unreachable", "cannot be reached")
            raise ModelError(code, f"the model server {what}: {error}") from error


async def _refusal(response: Response) -> ModelError:
    """The status and the error's type; its message may quote the user's words and stays out."""
    try:
        kind = orjson.loads(await response.text())["error"]["type"]
    except (orjson.JSONDecodeError, LookupError, TypeError):
        kind = "no reason given"
    return ModelError("refused", f"the model server answered {response.status} ({str(kind)[:80]})")
