"""Everything a turn can say, in the order it says it. Every event carries its turn's number."""

from dataclasses import dataclass
from typing import Literal

from avatar.motion import EmotionCue, GestureCue, Viseme
from avatar.speech import Audio, WordSpan
from configs.language import Lang
from knowledge.documents import Place

Speaker = Literal["presenter", "operator"]


@dataclass(frozen=True, slots=True)
class TurnStarted:
    """`by`: who speaks through the presenter's mouth."""

    turn: int
    lang: Lang
    by: Speaker = "presenter"


@dataclass(frozen=True, slots=True)
class TextDelta:
    """A clause of the answer, checked and free of markup, as soon as it is known: before it is spoken."""

    turn: int
    text: str


@dataclass(frozen=True, slots=True)
class SentenceStarted:
    """The next piece of speech. `at`: seconds from the turn's first sample to this sentence's first sample."""

    turn: int
    sentence: int
    text: str
    at: float


@dataclass(frozen=True, slots=True)
class Motion:
    """Cues for the audio that follows, in seconds from the sentence's first sample."""

    turn: int
    sentence: int
    visemes: tuple[Viseme, ...]
    emotions: tuple[EmotionCue, ...] = ()
    gestures: tuple[GestureCue, ...] = ()


@dataclass(frozen=True, slots=True)
class Caption:
    """Timed words for the audio that follows, in seconds from the sentence's first sample."""

    turn: int
    sentence: int
    words: tuple[WordSpan, ...]


@dataclass(frozen=True, slots=True)
class Speech:
    """A stretch of sound. `at`: seconds from the sentence's first sample."""

    turn: int
    sentence: int
    at: float
    audio: Audio


@dataclass(frozen=True, slots=True)
class SentenceEnded:
    """`seconds` is the exact length of the sentence's audio; 0 when its speech failed."""

    turn: int
    sentence: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Citation:
    """`quote` is the passage's own text at `place` in this revision of document `document`.

    `sentences`: the pieces of speech of this turn that it bears out, as `SentenceStarted` numbers them.
    """

    document: str
    title: str
    source: str
    quote: str
    place: Place
    revision: int = 0
    sentences: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Citations:
    turn: int
    citations: tuple[Citation, ...]


@dataclass(frozen=True, slots=True)
class Fault:
    """Something failed. `code` is stable; `message` is in the user's language and says what happens now."""

    turn: int
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Posture:
    """What the presenter does while it does not speak, or that it speaks."""

    turn: int
    posture: Literal["idle", "listening", "thinking", "speaking"]


NoticeCode = Literal["ai", "reminder", "minors", "takeover", "returned", "handover", "ended", "moderated"]


@dataclass(frozen=True, slots=True)
class Notice:
    """Something the user has to know that is no answer. `message`: in the user's language, to be shown."""

    turn: int
    code: NoticeCode
    message: str


@dataclass(frozen=True, slots=True)
class SpeechStarted:
    """The user began to speak. `utterance` counts from 1; `at`: seconds into the microphone's sound. Told at once
    where nothing is being said, else when the words are known to be meant for the presenter."""

    turn: int
    utterance: int
    at: float


@dataclass(frozen=True, slots=True)
class SpeechStopped:
    """The user's turn is over. `at`: seconds into the microphone's sound where they fell silent."""

    turn: int
    utterance: int
    at: float


@dataclass(frozen=True, slots=True)
class Committed:
    """What the user said is the conversation's from now on; what it was follows in `Transcribed`."""

    turn: int
    utterance: int


@dataclass(frozen=True, slots=True)
class Cleared:
    """What the microphone gave is forgotten."""

    turn: int


@dataclass(frozen=True, slots=True)
class Transcribed:
    """What the user says. `text` is all of it so far, and may be revised until `final`. `seconds` of sound."""

    turn: int
    utterance: int
    text: str
    lang: Lang | None
    final: bool
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Unheard:
    """The user's words could not be made out, by a fault, or there were none. `code` is stable; `message` is in the
    user's language and says what to do."""

    turn: int
    utterance: int
    code: str
    message: str


FloorState = Literal["ducked", "held", "resumed", "yielded"]
FloorReason = Literal["speech", "backchannel", "noise", "aside", "background", "echo", "interruption"]


@dataclass(frozen=True, slots=True)
class Floor:
    """Who has the floor while turn `turn` is being played: somebody speaks, so play on softly (`ducked`), or pause
    (`held`); it was nothing, go on from the same word (`resumed`); it was an interruption (`yielded`), the turn
    ends. `reason`: why."""

    turn: int
    state: FloorState
    reason: FloorReason


@dataclass(frozen=True, slots=True)
class ToolCalled:
    """The agent asks the client to do something. `arguments`: JSON. Answered by `ToolAnswered` with `call`. `more`:
    calls that follow at once, and wait for nothing."""

    turn: int
    call: str
    name: str
    arguments: str
    more: int = 0


@dataclass(frozen=True, slots=True)
class Timings:
    """Milliseconds from the question's arrival; None for a stage that was not reached."""

    retrieval: float | None = None
    first_text: float | None = None
    first_audio: float | None = None
    total: float | None = None


@dataclass(frozen=True, slots=True)
class TurnEnded:
    """`refused`: the documents do not say. `fallback`: the code of the fault that cut the answer short."""

    turn: int
    reason: Literal["done", "interrupted", "failed"]
    refused: bool = False
    fallback: str | None = None
    timings: Timings = Timings()


Event = (
    TurnStarted
    | TextDelta
    | SentenceStarted
    | Motion
    | Caption
    | Speech
    | SentenceEnded
    | Citations
    | Fault
    | Posture
    | Notice
    | SpeechStarted
    | SpeechStopped
    | Committed
    | Cleared
    | Transcribed
    | Unheard
    | Floor
    | ToolCalled
    | TurnEnded
)
Hearsay = SpeechStarted | SpeechStopped | Committed | Cleared | Transcribed | Unheard | Floor
"""What is told of the user rather than said to them: no turn's end withdraws it."""
