"""SRT and WebVTT to blocks: the sentences that are spoken, each with the second at which it begins."""

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass

from knowledge.documents import DocumentError
from knowledge.sentences import sentence_spans
from knowledge.structure import Draft, Parsed, one_line

_TIMES = re.compile(
    r"\s*(?:(\d+):)?(\d{1,2}):(\d{1,2})[,.](\d{1,3})\s*-->\s*(?:(\d+):)?(\d{1,2}):(\d{1,2})[,.](\d{1,3})"
)
_VOICE = re.compile(r"<v(?:\.[^\s>]*)?\s+([^>]{1,60})>")
_TAG = re.compile(r"</?[A-Za-z][^<>]{0,200}>|<[\d:.]{5,15}>|\{\\[^{}]{0,100}\}")
_ENDED = re.compile(r"[。！？!?….][”’」』）)\"']*$")
_SPEAKER = re.compile(r"^\s*(?:[\w·.\- ]{1,20}[：:]|[\[【(（].{1,20}[\]】)）]|[-–—] ?\S)")
_PAUSE = 3.0
"""Seconds of silence that end a sentence."""
_LONGEST = 400
"""Characters without a full stop after which a new sentence begins with the next cue."""


@dataclass(frozen=True, slots=True)
class _Cue:
    begin: float
    end: float
    text: str


def parse_subtitles(text: str) -> Parsed:
    """Raises DocumentError(`damaged`) for a file without a single cue."""
    cues = list(_cues(text))
    if not cues:
        raise DocumentError("damaged", "the transcript has no cue with a time; save it as SRT or WebVTT anew")
    punctuated = sum(bool(_ENDED.search(cue.text)) for cue in cues) * 5 >= len(cues)
    draft = Draft()
    spoken: list[_Cue] = []
    for cue in cues:
        if spoken and _begins(spoken, cue):
            _add(draft, spoken, punctuated)
            spoken = []
        spoken.append(cue)
    _add(draft, spoken, punctuated)
    return draft.parsed("")


def _cues(text: str) -> Iterator[_Cue]:
    """The cues that say something; a line that the cue before it had already, as in captions that roll, only once."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    before: list[str] = []
    index = 0
    while index < len(lines):
        times = _TIMES.match(lines[index])
        index += 1
        if times is None:
            continue
        said = []
        while index < len(lines) and lines[index].strip() and not _TIMES.match(lines[index]):
            said.append(_plain(lines[index]))
            index += 1
        fresh = [line for line in said if line and line not in before]
        before = said
        if fresh:
            yield _Cue(_seconds(*times.groups()[:4]), _seconds(*times.groups()[4:]), " ".join(fresh))


def _seconds(hours: str | None, minutes: str, seconds: str, fraction: str) -> float:
    return int(hours or 0) * 3600 + int(minutes) * 60 + int(seconds) + int(fraction.ljust(3, "0")) / 1000


def _plain(line: str) -> str:
    """Without formatting; the voice that speaks is kept as text."""
    return one_line(html.unescape(_TAG.sub("", _VOICE.sub(r"\1: ", line))))


def _begins(spoken: list[_Cue], cue: _Cue) -> bool:
    """Does something new begin with this cue: after a full stop or a pause, or with another speaker?"""
    last = spoken[-1]
    return (
        bool(_ENDED.search(last.text) or _SPEAKER.match(cue.text))
        or cue.begin - last.end > _PAUSE
        or sum(len(one.text) for one in spoken) > _LONGEST
    )


def _add(draft: Draft, spoken: list[_Cue], punctuated: bool) -> None:
    """Cues that belong together, as sentences; each begins when the cue does that holds its first letter."""
    text, begins = "", []
    for cue in spoken:
        han = text[-1:] > "\u2e7f" and cue.text[:1] > "\u2e7f"
        text += ("" if not text or han and punctuated else " ") + cue.text
        begins.append((len(text) - len(cue.text), cue.begin))
    for start, end in sentence_spans(text):
        at = max((moment for offset, moment in begins if offset <= start), default=begins[0][1])
        draft.add("speech", text[start:end], at=at)
