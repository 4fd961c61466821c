"""A recogniser without a model: it hears what it is told to, word by word as sound arrives; for tests."""

import asyncio
import re
from collections.abc import AsyncGenerator
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from avatar.hearing import RATE, Expectation, Recognition, RecognizerError
from configs.engines import Options
from configs.home import Home
from configs.language import Lang, detect

_UNITS = re.compile(r"\s*(?:[A-Za-z0-9]+(?:['’.,:][A-Za-z0-9]+)*|\S)[^\w\s]*")
_MOST = 60 * RATE * 2

_ANYTHING = Expectation()
Code = Literal["unreachable", "timeout", "overloaded", "refused", "failed"]


class ScriptedEarsOptions(Options):
    """`texts`: what is heard, one an utterance in turn; "" is nothing. Where a language is expected, those in it alone.
    `lang`: what they are told to be in, else each text's own. `pace`: seconds of sound that reveal one Han character
    or word to a partial, 0: no partials. `delay`: seconds until it has finished. `fails`: the code of the error that
    each utterance ends in, in turn like the texts; null for one that does not.
    """

    texts: tuple[str, ...] = ("科学馆几点开门？", "When does the museum open?")
    lang: Lang | None = None
    pace: float = Field(0.2, ge=0)
    delay: float = Field(0.0, ge=0)
    fails: Annotated[
        tuple[Code | None, ...], BeforeValidator(lambda given: given if isinstance(given, list | tuple) else (given,))
    ] = (None,)


class ScriptedEars:
    """Deterministic; waits only on the loop's clock. An utterance takes its text when the first sound arrives."""

    Options = ScriptedEarsOptions

    def __init__(self, options: ScriptedEarsOptions, home: Home) -> None:
        self._options = options
        self._taken: dict[Lang | None, int] = {}
        self._utterances = 0

    def hear(self, expectation: Expectation = _ANYTHING) -> "ScriptedHearing":
        return ScriptedHearing(self, self._options, expectation.lang)

    async def warm(self) -> None:
        """Nothing is lazy."""

    async def aclose(self) -> None:
        """Nothing is open."""

    def take(self, lang: Lang | None) -> tuple[Recognition, Code | None]:
        """The next text, and how it ends."""
        texts = [text for text in self._options.texts if lang is None or not text or detect(text) in (lang, None)]
        number = self._taken.get(lang, 0)
        self._taken[lang] = number + 1
        fails = self._options.fails
        code = fails[self._utterances % len(fails)] if fails else None
        self._utterances += 1
        text = texts[number % len(texts)] if texts else ""
        return Recognition(text, (self._options.lang or detect(text)) if text else None), code


class ScriptedHearing:
    def __init__(self, engine: ScriptedEars, options: ScriptedEarsOptions, lang: Lang | None) -> None:
        self._engine, self._options, self._lang = engine, options, lang
        self._recognition: Recognition | None = None
        self._code: Code | None = None
        self._heard = 0
        self._ended = False
        self._news = asyncio.Event()

    def feed(self, pcm: bytes) -> None:
        if self._ended or not pcm:
            return
        if self._recognition is None:
            self._recognition, self._code = self._engine.take(self._lang)
        self._heard = min(_MOST, self._heard + len(pcm))
        self._news.set()

    async def partials(self) -> AsyncGenerator[Recognition, None]:
        shown = ""
        while not self._ended:
            await self._news.wait()
            self._news.clear()
            text = self._revealed()
            if text != shown and not self._ended:
                shown = text
                yield Recognition(text, self._recognition.lang if self._recognition else None)

    async def finish(self) -> Recognition:
        self._end()
        if self._recognition is None:
            return Recognition("")
        await asyncio.sleep(self._options.delay)
        if self._code is not None:
            raise RecognizerError(self._code, f"the scripted recogniser fails: {self._code}")
        return self._recognition

    async def aclose(self) -> None:
        self._end()

    def _end(self) -> None:
        self._ended = True
        self._news.set()

    def _revealed(self) -> str:
        if self._recognition is None or not self._options.pace:
            return ""
        units = _UNITS.findall(self._recognition.text)
        return "".join(units[: int(self._heard / (2 * RATE) / self._options.pace)]).strip()
