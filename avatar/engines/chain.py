"""Several voices behind one another: the first that is well speaks, and the next one when it fails.

One that failed several times in a row is passed over for a while, then tried with one sentence (a circuit breaker, M.
Nygard, Release It!, 5.2). Voices change between sentences only: of a sentence that broke off, nothing is said again.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing
from dataclasses import replace
from typing import Annotated

from pydantic import AfterValidator, Field

from avatar.loudness import Levelled
from avatar.resampling import RATES, Resampler
from avatar.speech import Audio, SpeechPart, UnknownVoice, Utterance, Voice, VoiceError
from configs.engines import ConfigError, EngineSpec, Options, build, options_of
from configs.home import Home

log = logging.getLogger(__name__)


def _valid(specs: tuple[EngineSpec, ...]) -> tuple[EngineSpec, ...]:
    for spec in specs:
        if spec.engine == "chain":
            raise ValueError("a chain cannot be a link of a chain")
        options_of("voices", spec)
    return specs


class ChainOptions(Options):
    """`voices`: `{engine, options}` each, the preferred one first. `failures` in a row from which a voice is passed
    over for `rest` seconds. `first_audio`, `next_audio`: seconds of silence from which a voice has failed, but for the
    last one that is left: it is waited for as long as the presenter waits."""

    voices: Annotated[tuple[EngineSpec, ...], Field(min_length=1, max_length=8), AfterValidator(_valid)]
    failures: int = Field(3, ge=1)
    rest: float = Field(30.0, gt=0)
    first_audio: float = Field(2.0, gt=0)
    next_audio: float = Field(3.0, gt=0)


class Breaker:
    """Counts failures in a row. `allows` is True where the voice may speak, and then one that rested is on trial:
    nobody else is let through until its sentence has ended. Times by the clock of the loop."""

    def __init__(self, failures: int, rest: float) -> None:
        self._most, self._rest = failures, rest
        self._failures = 0
        self._until = 0.0
        self._trial = False

    @property
    def open(self) -> bool:
        return self._failures >= self._most

    def allows(self, now: float) -> bool:
        if not self.open:
            return True
        if self._trial or now < self._until:
            return False
        self._trial = True
        return True

    def well(self) -> None:
        self._failures, self._trial = 0, False

    def failed(self, now: float) -> None:
        self._failures, self._trial, self._until = self._failures + 1, False, now + self._rest

    def released(self) -> None:
        """The sentence was not finished, for no fault of the voice."""
        self._trial = False


class Link:
    """One voice of a chain. `name`: its engine's."""

    def __init__(self, name: str, voice: Voice, breaker: Breaker) -> None:
        self.name, self.breaker = name, breaker
        self.voice = Levelled(voice)


class Chain:
    """Every voice is brought to the same loudness, and to the sample rate of the first."""

    Options = ChainOptions

    def __init__(self, options: ChainOptions, home: Home) -> None:
        voices = [(spec.engine, build("voices", spec, home)) for spec in options.voices]
        self._links = [Link(name, voice, Breaker(options.failures, options.rest)) for name, voice in voices]
        self._options = options
        for link in self._links:
            if link.voice.rate not in RATES:
                raise ConfigError(f"the voice {link.name!r} has {link.voice.rate} Hz; in a chain it is one of {RATES}")

    @property
    def rate(self) -> int:
        return self._links[0].voice.rate

    def resting(self) -> list[str]:
        """Names of the voices that are passed over."""
        return [link.name for link in self._links if link.breaker.open]

    async def warm(self) -> None:
        """Whoever cannot be warmed is left to its first sentence; an error only where nobody can."""
        results = await asyncio.gather(*(link.voice.warm() for link in self._links), return_exceptions=True)
        failures = [result for result in results if isinstance(result, Exception)]
        for link, result in zip(self._links, results, strict=True):
            if isinstance(result, Exception):
                log.warning("the voice %s is not warm yet: %s", link.name, result)
        if len(failures) == len(self._links):
            raise failures[0]

    async def synthesize(self, utterance: Utterance) -> AsyncGenerator[SpeechPart, None]:
        """A name of a voice belongs to the first that knows it; where that one fails, others speak as themselves."""
        told, strangers = list[str](), list[Link]()
        unknown: UnknownVoice | None = None
        for link in self._ready(told):
            try:
                async with aclosing(self._spoken(link, utterance, self._patience(link), told)) as parts:
                    async for part in parts:
                        yield part
                return
            except UnknownVoice as error:
                strangers.append(link)
                unknown = error
            except _Passed:
                continue
        if unknown is not None and len(strangers) == len(self._links):
            raise unknown
        own = replace(utterance, voice=None)
        for link in strangers:
            patience = self._options.first_audio if link is not strangers[-1] else None
            try:
                async with aclosing(self._spoken(link, own, patience, told)) as parts:
                    async for part in parts:
                        yield part
                return
            except (UnknownVoice, _Passed):
                continue
        raise VoiceError("no voice can speak: " + "; ".join(told))

    async def aclose(self) -> None:
        await asyncio.gather(*(link.voice.aclose() for link in self._links), return_exceptions=True)

    def _ready(self, told: list[str]) -> Iterator[Link]:
        for link in self._links:
            if link.breaker.allows(asyncio.get_running_loop().time()):
                yield link
            else:
                told.append(f"{link.name} rests after {self._options.failures} failures")

    def _patience(self, link: Link) -> float | None:
        """Seconds until the first sound; no limit where no other voice would be asked."""
        behind = self._links[self._links.index(link) + 1 :]
        return self._options.first_audio if any(not other.breaker.open for other in behind) else None

    async def _spoken(
        self, link: Link, utterance: Utterance, patience: float | None, told: list[str]
    ) -> AsyncGenerator[SpeechPart, None]:
        """Raises _Passed where the voice failed before it was heard, VoiceError where it broke off."""
        clock = asyncio.get_running_loop().time
        began, given, settled = clock(), False, False
        try:
            async with aclosing(self._watched(link, utterance, patience)) as parts:
                async for part in parts:
                    given = given or isinstance(part, Audio)
                    yield part
            settled = True
            link.breaker.well()
        except UnknownVoice:
            raise
        except VoiceError as error:
            settled = True
            link.breaker.failed(clock())
            told.append(f"{link.name}: {error}")
            log.warning("the voice %s failed: %s%s", link.name, error, "; it rests" if link.breaker.open else "")
            if given:
                raise
            raise _Passed from error
        finally:
            if not settled and not given and clock() - began > self._options.first_audio:
                link.breaker.failed(clock())  # nobody waits for it any longer
            elif not settled:
                link.breaker.released()

    async def _watched(
        self, link: Link, utterance: Utterance, patience: float | None
    ) -> AsyncGenerator[SpeechPart, None]:
        """What is known of a sound is held back until the sound is here: a voice that fails before leaves nothing."""
        resampler, waiting = Resampler(link.voice.rate, self.rate), list[SpeechPart]()
        async with aclosing(link.voice.synthesize(utterance)) as parts:
            while (part := await _next(parts, patience)) is not None:
                if not isinstance(part, Audio):
                    waiting.append(part)
                    continue
                patience = self._options.next_audio
                for one in waiting:
                    yield one
                waiting.clear()
                if pcm := resampler.feed(part.pcm):
                    yield Audio(pcm, self.rate)
        if pcm := resampler.flush():
            yield Audio(pcm, self.rate)


async def _next(parts: AsyncGenerator[SpeechPart, None], patience: float | None) -> SpeechPart | None:
    """None: that was all. Raises VoiceError, whatever the voice raised."""
    try:
        async with asyncio.timeout(patience):
            return await anext(parts, None)
    except TimeoutError as error:
        raise VoiceError(f"it gave nothing for {patience or 0:g} s") from error
    except VoiceError:
        raise
    except Exception as error:  # noqa: BLE001 - a stranger's voice may raise anything, and another one can speak
        raise VoiceError(f"it broke: {type(error).__name__}") from error


class _Passed(Exception):
    """The next voice is asked."""
