"""A GGUF file run by llama.cpp in this process."""

import asyncio
import os
import secrets
import threading
from collections.abc import AsyncGenerator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from pathlib import Path
from typing import Any

from pydantic import Field

from agent.engines import wire
from agent.engines.thinking import Thoughts
from agent.model import PLAINLY, Ask, Message, ModelError, Part, ToolCall
from configs.engines import ConfigError, Options
from configs.home import Home
from configs.weights.manifest import require

_BATCH = 128
"""Prompt tokens between two chances to stop; 64 costs 8 % of the prefill speed."""

_PREFIXES = 2
"""Prompts kept in memory: one for each language begins alike."""

Chunk = dict[str, Any]


def _cores() -> int:
    return os.cpu_count() or 1


class LlamaOptions(Options):
    """`model`: a packaged one, of those that `zhubo models list` says write the answers; `file`: a GGUF file of your
    own instead. `threads`: for writing; one less than the cores leaves room for the voice, which speaks meanwhile.
    `prefill_threads`: for reading the prompt, when nothing else of the turn runs. `context`: tokens of one answer's
    prompt and text. `parallel`: answers at once; others wait. Two at once on two busy cores were ten times slower
    than one after the other.
    """

    model: str = "qwen2.5-coder-0.5b-instruct"
    file: Path | None = None
    threads: int = Field(default_factory=lambda: max(1, _cores() - 1), ge=1)
    prefill_threads: int = Field(default_factory=_cores, ge=1)
    context: int = Field(default=2048, ge=256)
    parallel: int = Field(default=1, ge=1)
    temperature: float = Field(default=0.0, ge=0)
    max_tokens: int = Field(default=160, gt=0)


class Llama:
    """Its server part listens on loopback behind a key that nobody knows; we call it in process."""

    Options = LlamaOptions

    def __init__(self, options: LlamaOptions, home: Home) -> None:
        self._options = options
        path = options.file or require(home, options.model, f"{options.model}-q4_k_m.gguf")
        self._server = _server(path, options)
        self._threads = ThreadPoolExecutor(options.parallel, thread_name_prefix="llama")

    @property
    def window(self) -> int | None:
        return self._options.context

    async def stream(self, messages: Sequence[Part], ask: Ask = PLAINLY) -> AsyncGenerator[str | ToolCall, None]:
        """Offers are not passed on: a model of this size writes calls that are none, and rules call tools instead."""
        finished = said = False
        thoughts = Thoughts()
        async with aclosing(self._chunks(self._request(messages, self._options.max_tokens, ask))) as chunks:
            async for chunk in chunks:
                choice = _choice(chunk)
                text = thoughts.feed(choice.get("delta", {}).get("content") or "")
                if choice.get("finish_reason") is not None:
                    finished = True
                    text += thoughts.flush()
                if text:
                    said = True
                    yield text
        if not finished:
            raise ModelError("interrupted", "the model stopped in the middle of its answer")
        if not said:
            raise ModelError("empty", "the model's answer has no text")

    async def warm(self, messages: Sequence[Message]) -> None:
        async with aclosing(self._chunks(self._request(messages, 1, PLAINLY))) as chunks:
            async for chunk in chunks:
                _choice(chunk)

    async def aclose(self) -> None:
        await asyncio.to_thread(self._threads.shutdown, cancel_futures=True)

    def _request(self, messages: Sequence[Part], max_tokens: int, ask: Ask) -> Chunk:
        request: Chunk = {
            "messages": wire.messages(messages),
            "temperature": self._options.temperature,
            "max_tokens": max_tokens,
            "stream": True,
            "return_progress": True,
        }
        if ask.schema is not None:
            request["response_format"] = wire.response_format(ask.schema)
        return request

    async def _chunks(self, request: Chunk) -> AsyncGenerator[Chunk, None]:
        """What the server part sends, read in a thread of its own; the queue has room for one whole answer."""
        loop, stop = asyncio.get_running_loop(), threading.Event()
        room = self._options.max_tokens + self._options.context // _BATCH + 8
        queue: asyncio.Queue[Chunk | None] = asyncio.Queue(room)

        def deliver(chunk: Chunk) -> bool:
            if not stop.is_set():
                loop.call_soon_threadsafe(queue.put_nowait, chunk)
            return stop.is_set()

        work = loop.run_in_executor(self._threads, self._answer, request, deliver)
        work.add_done_callback(lambda _: queue.put_nowait(None))
        try:
            while (chunk := await queue.get()) is not None:
                yield chunk
            await work
        finally:
            stop.set()
            work.cancel()

    def _answer(self, request: Chunk, deliver: Callable[[Chunk], bool]) -> None:
        try:
            self._server.handle_chat_completions(request, deliver)
        except (RuntimeError, TypeError, ValueError) as error:
            raise ModelError("refused", f"llama.cpp refused the prompt: {type(error).__name__}") from error


def _choice(chunk: Chunk) -> Chunk:
    if "error" in chunk:
        kind = chunk["error"].get("type")
        code = "too_long" if kind == "exceed_context_size_error" else "refused"
        raise ModelError(code, f"llama.cpp refused the prompt: {kind}")
    choices = chunk.get("choices") or [{}]
    choice: Chunk = choices[0]
    return choice


def _server(path: Path, options: LlamaOptions) -> Any:
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = str(path)
    params.n_parallel = max(options.parallel, _PREFIXES)
    params.n_ctx = options.context * params.n_parallel
    params.n_batch = params.n_ubatch = _BATCH
    params.cpuparams.n_threads = options.threads
    params.cpuparams_batch.n_threads = options.prefill_threads
    params.cpuparams.poll = params.cpuparams_batch.poll = 0
    params.cache_ram_mib = 0
    params.verbosity = 0
    params.ui = params.endpoint_slots = False
    params.api_keys = [secrets.token_hex()]
    try:
        return xllamacpp.Server(params)
    except RuntimeError as error:
        raise ConfigError(f"llama.cpp cannot load {path}: {error}") from error
