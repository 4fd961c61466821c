"""The model's text as phrases to speak, each with the tags that stand in it and where. No I/O."""

from collections.abc import Iterable
from dataclasses import dataclass

from avatar.markup import Markup, Piece, Tag, stripped
from avatar.motion import EVERYTHING, Vocabulary
from avatar.sentences import SentenceSplitter


@dataclass(frozen=True, slots=True)
class Mark:
    """`tag` belongs to the word at, else after, character `at` of its phrase; at the phrase's end, to its last word."""

    at: int
    tag: Tag


@dataclass(frozen=True, slots=True)
class Phrase:
    """A piece of speech, whitespace kept."""

    text: str
    marks: tuple[Mark, ...] = ()

    def __add__(self, other: "Phrase") -> "Phrase":
        return Phrase(self.text + other.text, self.marks + _moved(other.marks, len(self.text)))

    def said_as(self, text: str) -> "Phrase":
        """What was let through of it: earlier marks go to its beginning. Other words are nobody's cue."""
        if not self.text.endswith(text):
            return Phrase(stripped(text))
        return Phrase(text, _moved(self.marks, len(text) - len(self.text)))

    def cut(self, spoken: int = 0) -> "list[Phrase]":
        """In pieces as `SentenceSplitter` makes them, after `spoken` others."""
        splitter = SentenceSplitter(spoken)
        return _dealt(splitter.feed(self.text) + splitter.flush(), self.marks)


class Script:
    """`feed` the model's text as it comes, take phrases out, `flush` at its end.

    A tag after the last word of a phrase goes to the next one; where none follows, to that word if it still can.
    """

    def __init__(self, vocabulary: Vocabulary = EVERYTHING) -> None:
        self._markup = Markup(vocabulary)
        self._splitter = SentenceSplitter()
        self._marks: list[Mark] = []
        self._waiting = 0

    def feed(self, text: str) -> list[Phrase]:
        return [phrase for piece in self._markup.feed(text) for phrase in self._taken(piece)]

    def flush(self) -> list[Phrase]:
        phrases = [phrase for piece in self._markup.flush() for phrase in self._taken(piece)]
        return phrases + _dealt(self._splitter.flush(), self._marks)

    def _taken(self, piece: Piece) -> list[Phrase]:
        if not isinstance(piece, str):
            self._mark(piece)
            return []
        self._waiting += len(piece)
        phrases = []
        for text in self._splitter.feed(piece):
            marks = [mark for mark in self._marks if mark.at < len(text)]
            phrases.append(Phrase(text, tuple(marks)))
            self._marks = list(_moved(self._marks[len(marks) :], -len(text)))
            self._waiting -= len(text)
        return phrases

    def _mark(self, tag: Tag) -> None:
        """Of tags of a kind on one place, the last counts."""
        at = self._waiting
        self._marks = [mark for mark in self._marks if mark.at < at or type(mark.tag) is not type(tag)]
        self._marks.append(Mark(at, tag))


def _moved(marks: Iterable[Mark], by: int) -> tuple[Mark, ...]:
    return tuple(Mark(max(0, mark.at + by), mark.tag) for mark in marks)


def _dealt(texts: list[str], marks: Iterable[Mark]) -> list[Phrase]:
    """Consecutive texts, each with its own of the marks; the last has what stands at its end, or after it."""
    phrases, start, left = [], 0, list(marks)
    for number, text in enumerate(texts, 1):
        end = start + len(text)
        own = left if number == len(texts) else [mark for mark in left if mark.at < end]
        phrases.append(Phrase(text, tuple(Mark(min(mark.at - start, len(text)), mark.tag) for mark in own)))
        left, start = left[len(own) :], end
    return phrases
