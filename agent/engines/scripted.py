"""A model without a model: it quotes the sentence of its prompt that answers best, or says what it is told to."""

import asyncio
import itertools
import re
from collections.abc import AsyncGenerator, Iterable, Sequence
from typing import Any, Literal

import orjson
from pydantic import Field

from agent import prompt
from agent.asked import Asked
from agent.engines.thinking import Thoughts
from agent.model import PLAINLY, Ask, Message, ModelError, Part, Returned, ToolCall
from configs.engines import Options
from configs.home import Home
from configs.language import Lang, detect
from knowledge.sentences import sentences

_TOKEN = re.compile(r"\s*[A-Za-z0-9]+|\s*[^\sA-Za-z0-9]|\s+$")
_THOUGHT = "<think>The visitor 访客 asks; I must not say this aloud.</think>\n\n"
_FOREIGN: dict[Lang, str] = {"zh": "The documents say that it is so.", "en": "资料里是这样说的。"}
_TORN = " [emotion:hap"

Flaw = Literal["endless", "torn tag", "thinking", "foreign", "breaks off", "silent", "unreachable"]


class ScriptedCall(Options):
    """`arguments`: an object, or the text of one that is none."""

    name: str
    arguments: dict[str, Any] | str = Field(default_factory=dict)


class ScriptedOptions(Options):
    """`answer`: what to say, whatever is asked; by language where a mapping. `delay`: seconds before the first
    token. `pace`: seconds from one token to the next. `window`: tokens that it says it takes.

    `calls`: what it calls before it answers, wherever tools are offered. `filled`: its answer where one of a schema is
    asked for, as an object or as text. `flaw`: what is wrong with it: `endless` says its answer for ever, `torn tag`
    ends in half a tag, `thinking` thinks aloud first, `foreign` answers in the other language, `breaks off` in the
    middle, `silent` says nothing for ever, `unreachable` fails at once.
    """

    answer: str | dict[Lang, str] | None = None
    delay: float = Field(default=0.0, ge=0)
    pace: float = Field(default=0.0, ge=0)
    window: int | None = Field(default=None, gt=0)
    calls: tuple[ScriptedCall, ...] = ()
    filled: dict[str, Any] | str | None = None
    flaw: Flaw | None = None


class Scripted:
    """Deterministic, and as fast as its options say; waits only on the loop's clock."""

    Options = ScriptedOptions

    def __init__(self, options: ScriptedOptions, home: Home) -> None:
        self._options = options

    @property
    def window(self) -> int | None:
        return self._options.window

    async def stream(self, messages: Sequence[Part], ask: Ask = PLAINLY) -> AsyncGenerator[str | ToolCall, None]:
        await asyncio.sleep(self._options.delay)
        if ask.offers and self._options.calls and not (messages and isinstance(messages[-1], Returned)):
            for number, call in enumerate(self._options.calls):
                yield ToolCall(f"call-{number}", call.name, _text(call.arguments))
            return
        if ask.schema is not None and self._options.filled is not None:
            yield _text(self._options.filled)
            return
        thoughts = Thoughts()
        async for token in self._tokens(messages):
            if text := thoughts.feed(token):
                yield text

    async def warm(self, messages: Sequence[Message]) -> None:
        pass

    async def aclose(self) -> None:
        pass

    async def _tokens(self, messages: Sequence[Part]) -> AsyncGenerator[str, None]:
        """The answer with its flaw, token by token."""
        answer = _TOKEN.findall(self._answer(messages))
        told: Iterable[str] = answer
        match self._options.flaw:
            case "endless":
                told = itertools.cycle(answer)
            case "torn tag":
                told = [*answer, *_TOKEN.findall(_TORN)]
            case "thinking":
                told = [*_TOKEN.findall(_THOUGHT), *answer]
            case "foreign":
                told = _TOKEN.findall(_FOREIGN[detect("".join(answer)) or "en"])
            case "breaks off":
                told = answer[: len(answer) // 2]
            case "silent":
                await asyncio.Event().wait()
            case "unreachable":
                raise ModelError("unreachable", "the scripted model is not there")
        for index, token in enumerate(told):
            if index and (self._options.pace or self._options.flaw == "endless"):
                await asyncio.sleep(self._options.pace)
            yield token
        if self._options.flaw == "breaks off":
            raise ModelError("interrupted", "the scripted model broke off its answer")

    def _answer(self, messages: Sequence[Part]) -> str:
        match self._options.answer:
            case None:
                return _quotation(messages)
            case str(answer):
                return answer
            case by_language:
                return by_language.get(detect(_last(messages)) or "en", "")


def _quotation(messages: Sequence[Part]) -> str:
    if messages and isinstance(messages[-1], Returned):
        return messages[-1].text
    asked = prompt.read(messages)
    if asked is None:
        return _last(messages)
    about = Asked.of(asked.question, asked.lang, {})
    return max(sentences(asked.text), key=lambda sentence: _fitness(about, sentence), default=asked.question)


def _last(messages: Sequence[Part]) -> str:
    """What was said last."""
    return next((part.text for part in reversed(messages) if isinstance(part, Message)), "")


def _fitness(about: Asked, sentence: str) -> float:
    return about.wording.coverage(sentence) + 0.25 * about.answerable(sentence)


def _text(json: dict[str, Any] | str) -> str:
    return json if isinstance(json, str) else orjson.dumps(json).decode()
