"""A recording as words: where somebody speaks is found first, then each stretch of speech is made out by itself."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass

from avatar.hearing import RATE, Detector, Expectation, Recognition, Recognizer, RecognizerError
from configs.language import LANGUAGES, Lang
from server.openai.errors import Wrong

_GAP, _AROUND = 0.6, 0.3
"""Seconds of silence that part two stretches, and that are kept on either side of one."""
_LONGEST, _SEEK = 28.0, 8.0
"""Seconds of a stretch, and of its end in which the softest place is looked for."""
_AT_ONCE = 2 * RATE
_PATIENCE = 120.0

_CODES = {"overloaded": 429, "refused": 502}


@dataclass(frozen=True, slots=True)
class Segment:
    """Seconds from the recording's first sample."""

    start: float
    end: float
    text: str
    lang: Lang | None


class Transcriber:
    def __init__(self, recognizer: Recognizer, detector: Detector, threshold: float) -> None:
        self._recognizer, self._detector, self._threshold = recognizer, detector, threshold

    async def segments(self, pcm: bytes, expectation: Expectation) -> AsyncGenerator[Segment, None]:
        """Those in which something was said; closing it stops the work. `pcm`: 16 kHz mono s16. Raises Wrong."""
        detection = self._detector.listen()
        told: list[float] = []
        for start in range(0, len(pcm), _AT_ONCE):
            told += await detection.feed(pcm[start : start + _AT_ONCE])
        for begin, end in stretches(told, self._detector.frame, self._threshold, len(pcm) // 2):
            heard = await self._heard(pcm[2 * begin : 2 * end], expectation)
            if heard.text:
                yield Segment(begin / RATE, end / RATE, heard.text, heard.lang)

    async def _heard(self, pcm: bytes, expectation: Expectation) -> Recognition:
        hearing = self._recognizer.hear(expectation)
        try:
            for start in range(0, len(pcm), _AT_ONCE):
                hearing.feed(pcm[start : start + _AT_ONCE])
            async with asyncio.timeout(_PATIENCE):
                return await hearing.finish()
        except TimeoutError as error:
            raise _failed("timeout") from error
        except RecognizerError as error:
            raise _failed(error.code) from error
        finally:
            await hearing.aclose()


def stretches(told: Sequence[float], frame: int, threshold: float, samples: int) -> list[tuple[int, int]]:
    """Where somebody speaks, in samples: ascending, none longer than `_LONGEST`. `told`: the probability by frames."""
    gap, around, longest = (round(seconds * RATE / frame) for seconds in (_GAP, _AROUND, _LONGEST))
    found: list[tuple[int, int]] = []
    for at, probability in enumerate(told):
        if probability < threshold:
            continue
        if found and at - found[-1][1] <= gap:
            found[-1] = found[-1][0], at + 1
        else:
            found.append((at, at + 1))
    cut: list[tuple[int, int]] = []
    for begin, end in found:
        begin, end = max(0, begin - around), end + around
        while end - begin > longest:
            last = min(begin + longest, len(told))
            place = min(range(last - round(_SEEK * RATE / frame), last), key=lambda at: told[at])
            cut.append((begin, place))
            begin = place
        cut.append((begin, end))
    return [(begin * frame, min(end * frame, samples)) for begin, end in cut if begin * frame < samples]


def joined(segments: Sequence[Segment]) -> str:
    """Chinese without spaces between, English with."""
    text = ""
    for one in segments:
        text += (" " if text and (one.lang == "en" or text[-1:].isascii()) else "") + one.text
    return text


def spoken(segments: Sequence[Segment], expected: Lang | None) -> Lang | None:
    """The language of most of it."""
    langs: list[Lang] = [one.lang for one in segments if one.lang is not None]
    most: Lang = max(LANGUAGES, key=langs.count)
    return most if langs else expected


def _failed(code: str) -> Wrong:
    told = "speech recognition failed: try again in a moment / 语音识别失败，请稍后再试"
    return Wrong(_CODES.get(code, 503), f"recognizer_{code}", told, headers={"Retry-After": "2"})
