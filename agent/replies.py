"""What a presenter decides to do about a question, before the model is asked."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from agent.events import Citation, NoticeCode
from agent.model import Message, ToolCall
from avatar.expression import Tone
from avatar.script import Phrase
from configs.language import Lang


@dataclass(frozen=True, slots=True)
class Line:
    """Words to say as they stand. `fault`: the stable code of what kept a real answer away. `notice`: what the user
    has to be told besides."""

    text: str
    tone: Tone
    refused: bool = False
    fault: str | None = None
    notice: NoticeCode | None = None


@dataclass(frozen=True, slots=True)
class Errand:
    """A tool that the question itself calls for; no model is needed."""

    call: ToolCall


@dataclass(frozen=True, slots=True)
class Curated:
    """An answer of an editor's, to say word for word, and the row of the sheet that it stands in."""

    phrase: Phrase
    lang: Lang
    citations: tuple[Citation, ...] = ()


class Check(Protocol):
    """What may be said of the model's answer: `feed` it piece by piece, `finish` at its end."""

    @property
    def closed(self) -> bool:
        """Nothing more of the model's will be said."""
        ...

    @property
    def refused(self) -> bool:
        """The documents were found not to say."""
        ...

    @property
    def origin(self) -> int | None:
        """Which citation bears out what was given last; None where none does."""
        ...

    def feed(self, piece: str) -> str | None: ...
    def finish(self) -> str | None: ...

    def learn(self, texts: Sequence[str]) -> None:
        """What tools gave bears out an answer, too."""
        ...


class Unchecked:
    """Whatever the model says: for a presenter that may speak from the model's own knowledge."""

    closed = refused = False
    origin = None

    def feed(self, piece: str) -> str | None:
        return piece

    def finish(self) -> str | None:
        return None

    def learn(self, texts: Sequence[str]) -> None:
        pass


@dataclass(frozen=True, slots=True)
class Composed:
    """An answer that the model is to write, what it is held to, and what it is written from.

    `passages`: the prompt's, in its order. `tools`: the model may use them.
    """

    messages: tuple[Message, ...]
    check: Check
    citations: tuple[Citation, ...] = ()
    passages: tuple[str, ...] = ()
    tools: bool = False


Reply = Line | Errand | Curated | Composed


@dataclass(frozen=True, slots=True)
class Considered:
    """A reply to `question`, the words that may be used and remembered of what was asked ("" for none), and the
    milliseconds that retrieval took (None: there was none)."""

    reply: Reply
    question: str
    retrieval: float | None = None
