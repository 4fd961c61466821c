"""Captions of a speech as WebVTT, its words timed, and as SRT."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from avatar.speech import WordSpan


@dataclass(frozen=True, slots=True)
class Line:
    """One piece of speech as written; seconds from the speech's first sample, its words' as well."""

    text: str
    start: float
    end: float
    words: tuple[WordSpan, ...] = ()


def webvtt(lines: Iterable[Line]) -> str:
    """A cue a line, with a time stamp before each word but the first."""
    cues = (f"{_span(line, '.')}\n{''.join(_timed(line))}\n" for line in lines)
    return "\n".join(["WEBVTT\n", *cues])


def srt(lines: Iterable[Line]) -> str:
    return "\n".join(f"{number}\n{_span(line, ',')}\n{_flat(line.text)}\n" for number, line in enumerate(lines, 1))


def _span(line: Line, point: str) -> str:
    return f"{_clock(line.start, point)} --> {_clock(line.end, point)}"


def _clock(seconds: float, point: str) -> str:
    milliseconds = round(seconds * 1000)
    minutes, rest = divmod(milliseconds, 60_000)
    return f"{minutes // 60:02}:{minutes % 60:02}:{rest // 1000:02}{point}{rest % 1000:03}"


def _timed(line: Line) -> Iterator[str]:
    """The text with its words' times; a time stamp lies between those of the cue and after the one before."""
    text, at = _flat(line.text), 0
    latest = round(line.start * 1000)
    for span in line.words:
        found = text.find(span.text, at) if span.text else -1
        if found < 0:
            continue
        yield _escaped(text[at:found])
        if latest < (now := round(span.start * 1000)) < round(line.end * 1000):
            yield f"<{_clock(span.start, '.')}>"
            latest = now
        yield _escaped(span.text)
        at = found + len(span.text)
    yield _escaped(text[at:])


def _flat(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip().replace("-->", "→")


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def shifted(words: Sequence[WordSpan], seconds: float) -> tuple[WordSpan, ...]:
    """Spans on a later clock."""
    return tuple(WordSpan(word.text, word.start + seconds, word.end + seconds) for word in words)
