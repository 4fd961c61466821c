"""A model without a model: it quotes the sentence of its prompt that answers best, or says what it is told to."""

import asyncio
import re
from collections.abc import AsyncGenerator, Sequence

from pydantic import Field

from agent import prompt
from agent.asked import Asked
from agent.model import Message
from configs.engines import Options
from configs.home import Home
from configs.language import Lang, detect
from knowledge.sentences import sentences

_TOKEN = re.compile(r"\s*[A-Za-z0-9]+|\s*[^\sA-Za-z0-9]|\s+$")


class ScriptedOptions(Options):
    """`answer`: what to say, whatever is asked; by language where a mapping. `delay`: seconds before the first
    token. `pace`: seconds from one token to the next."""

    answer: str | dict[Lang, str] | None = None
    delay: float = Field(default=0.0, ge=0)
    pace: float = Field(default=0.0, ge=0)


class Scripted:
    """Deterministic, and as fast as its options say; waits only on the loop's clock."""

    Options = ScriptedOptions

    def __init__(self, options: ScriptedOptions, home: Home) -> None:
        self._options = options

    async def stream(self, messages: Sequence[Message]) -> AsyncGenerator[str, None]:
        await asyncio.sleep(self._options.delay)
        for index, token in enumerate(_TOKEN.findall(self._answer(messages))):
            if index and self._options.pace:
                await asyncio.sleep(self._options.pace)
            yield token

    async def warm(self, messages: Sequence[Message]) -> None:
        pass

    async def aclose(self) -> None:
        pass

    def _answer(self, messages: Sequence[Message]) -> str:
        match self._options.answer:
            case None:
                return _quotation(messages)
            case str(answer):
                return answer
            case by_language:
                lang = detect(messages[-1].text) if messages else None
                return by_language.get(lang or "en", "")


def _quotation(messages: Sequence[Message]) -> str:
    asked = prompt.read(messages)
    if asked is None:
        return messages[-1].text if messages else ""
    about = Asked.of(asked.question, asked.lang, {})
    return max(sentences(asked.text), key=lambda sentence: _fitness(about, sentence), default=asked.question)


def _fitness(about: Asked, sentence: str) -> float:
    return about.wording.coverage(sentence) + 0.25 * about.answerable(sentence)
