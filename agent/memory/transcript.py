"""An answer as it was delivered, and how much of it was heard."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from avatar.speech import WordSpan

_ROUNDING = 0.01
"""Seconds by which a client's clock may be short of the sound that it has played to its end."""
_WORD_END = re.compile(r"(?<=[\u3400-\u9fff])|(?<=\S)(?=\s)|$")


@dataclass(slots=True)
class _Spoken:
    text: str
    at: float
    seconds: float = 0.0
    words: list[WordSpan] = field(default_factory=list)
    whole: bool = False


class Transcript:
    """One answer as it was delivered, on the turn's clock (seconds from its first sample)."""

    def __init__(self) -> None:
        self._sentences: list[_Spoken] = []

    def started(self, text: str, at: float) -> None:
        self._sentences.append(_Spoken(text, at))

    def captioned(self, words: Sequence[WordSpan]) -> None:
        self._sentences[-1].words.extend(words)

    def played(self, seconds: float) -> None:
        """The sentence's audio delivered so far is `seconds` long."""
        self._sentences[-1].seconds = seconds

    def ended(self) -> None:
        """The sentence has been delivered whole: until then nobody can have heard it out."""
        self._sentences[-1].whole = True

    @property
    def text(self) -> str:
        return "".join(sentence.text for sentence in self._sentences).strip()

    def heard(self, seconds: float) -> str:
        """The text up to the last word that began before `seconds`."""
        return "".join(_heard(sentence, seconds - sentence.at) for sentence in self._sentences).strip()


def _heard(sentence: _Spoken, seconds: float) -> str:
    if sentence.whole and seconds >= sentence.seconds - _ROUNDING:
        return sentence.text
    if seconds <= 0 or sentence.seconds <= 0:
        return ""
    if sentence.words:
        return _through_words(sentence, seconds)
    reached = round(len(sentence.text) * seconds / sentence.seconds)
    end = _WORD_END.search(sentence.text, reached)
    return sentence.text[: end.end()] if end else sentence.text


def _through_words(sentence: _Spoken, seconds: float) -> str:
    end = 0
    for word in sentence.words:
        if word.start >= seconds:
            break
        found = sentence.text.find(word.text, end)
        end = found + len(word.text) if found >= 0 else end
    return sentence.text[:end]
