"""What was said, and of the answers only what was heard."""

import re
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from agent.model import Message
from avatar.speech import WordSpan

_WORD_END = re.compile(r"(?<=[\u3400-\u9fff])|(?<=\S)(?=\s)|$")


@dataclass(slots=True)
class _Spoken:
    text: str
    at: float
    seconds: float = 0.0
    words: list[WordSpan] = field(default_factory=list)


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

    @property
    def text(self) -> str:
        return "".join(sentence.text for sentence in self._sentences).strip()

    def heard(self, seconds: float) -> str:
        """The text up to the last word that began before `seconds`."""
        return "".join(_heard(sentence, seconds - sentence.at) for sentence in self._sentences).strip()


def _heard(sentence: _Spoken, seconds: float) -> str:
    if seconds <= 0:
        return ""
    if seconds >= sentence.seconds:
        return sentence.text
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


class Memory:
    """The conversation so far, as question and answer heard. `size`: exchanges a prompt is given."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._exchanges: deque[tuple[str, str]] = deque(maxlen=max(size, 1))
        self._last: tuple[int, Transcript] | None = None

    def messages(self) -> tuple[Message, ...]:
        """The last exchanges for a prompt, oldest first; a question whose answer nobody heard is left out."""
        recent = [exchange for exchange in self._exchanges if exchange[1]] if self._size else []
        return tuple(
            message for asked, heard in recent for message in (Message("user", asked), Message("assistant", heard))
        )

    def answered(self, turn: int, question: str, transcript: Transcript) -> None:
        self._exchanges.append((question, transcript.text))
        self._last = (turn, transcript)

    def cut(self, turn: int, seconds: float) -> None:
        """Playback of turn `turn`, the last one, stopped after `seconds`: keep what was heard."""
        if self._last is not None and self._last[0] == turn:
            question, _ = self._exchanges.pop()
            self._exchanges.append((question, self._last[1].heard(seconds)))
