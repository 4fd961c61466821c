"""One turn's emotions and gestures, laid on the words that are heard. No I/O.

What the model marked comes first; where it marked nothing, what the words and the tone call for. Feelings fade, and
opposed ones pass through neutral; a gesture ends before the next of its own, and is never made twice in a row.
"""

import math
import random
from dataclasses import dataclass

from avatar import expression
from avatar.expression import Choice, Tone
from avatar.lips import Cues
from avatar.markup import EmotionTag, GestureTag, Tag
from avatar.motion import EVERYTHING, LASTS, Emotion, EmotionCue, Gesture, GestureCue, Vocabulary
from avatar.script import Phrase
from avatar.sentences import speech_weight
from configs.language import Lang

SETTLE = 0.4
"""Seconds that a feeling takes to show; another does not begin before."""
HELD = 5.0
"""Seconds until a feeling is half of what it was."""
EBB = 2.5
"""Seconds from there to neutral."""
APART = 2.0
"""Seconds from one of the model's gestures to the next."""

_VALENCE: dict[Emotion, int] = {"happy": 1, "shy": 1, "sad": -1, "angry": -1}
_KIN: dict[Gesture, tuple[Gesture, ...]] = {
    "wave": ("welcome",),
    "welcome": ("present", "wave"),
    "present": ("welcome", "point_up"),
    "point_up": ("present",),
    "thumbs_up": ("welcome",),
}
"""What stands for a gesture that was made last."""
_PACE: dict[Lang, float] = {"zh": 4.6, "en": 5.2}
"""Weight spoken a second, until the voice itself has told."""


@dataclass(frozen=True, slots=True)
class Moves:
    """Cues in seconds from the phrase's first sample, ascending, none before the sound they go out with."""

    emotions: tuple[EmotionCue, ...] = ()
    gestures: tuple[GestureCue, ...] = ()


@dataclass(frozen=True, slots=True)
class _Want:
    """`at`: the character whose word it waits for; `own`: the planner's choice, not the model's mark."""

    at: int
    tag: Tag | Choice
    own: bool


class Planner:
    """`open` a phrase when its speech begins, then `feed` it the sound as it comes.

    The same seed and the same speech give the same cues. `last`: the gesture that was made before this turn.
    """

    def __init__(self, vocabulary: Vocabulary = EVERYTHING, seed: int = 0, last: Gesture = "rest") -> None:
        self._vocabulary = vocabulary
        self._words = _Words()
        self._face = _Face()
        self._hands = _Hands(vocabulary, random.Random(seed), last)
        self._wants: list[_Want] = []
        self._first = True
        self._clock = self._seconds = 0.0

    @property
    def last(self) -> Gesture:
        """The gesture that was made last."""
        return self._hands.last

    def open(self, phrase: Phrase, tone: Tone, lang: Lang) -> None:
        """What the sound of the phrase before did not reach is due at once."""
        self._clock += self._seconds
        self._seconds = 0.0
        self._words.open(phrase.text, lang)
        late = [_Want(0, want.tag, want.own) for want in self._wants if not want.own]
        marked = [_Want(self._words.at(mark.at), mark.tag, own=False) for mark in phrase.marks]
        self._wants = sorted(late + marked + self._own(phrase, tone, lang), key=lambda want: want.at)
        self._first = False

    def feed(self, cues: Cues) -> Moves:
        """What is to be seen from `cues.audio` on, as far as it is known."""
        self._seconds = cues.at + cues.audio.seconds
        emotions: list[EmotionCue] = []
        gestures: list[GestureCue] = []
        heard = self._words.heard(cues)
        due = [want for want in self._wants if want.at < heard]
        self._wants = self._wants[len(due) :]
        for want in due:
            moment = self._clock + max(cues.at, self._words.start(want.at))
            emotions += self._face.until(moment)
            gestures += self._hands.until(moment)
            self._take(moment, want)
        end = self._clock + self._seconds
        emotions += self._face.until(end)
        gestures += self._hands.until(end)
        return self._moves(emotions, gestures, cues.at)

    def silent(self) -> Moves:
        """For a phrase that has no sound and is read instead: all of it from its beginning on."""
        due, self._wants = self._wants, []
        for want in due:
            self._take(self._clock, want)
        self._seconds = self._words.reading
        end = self._clock + self._seconds
        return self._moves(self._face.until(end), self._hands.until(end), 0.0)

    def _moves(self, emotions: list[EmotionCue], gestures: list[GestureCue], least: float) -> Moves:
        def within(moment: float) -> float:
            return round(max(least, moment - self._clock), 4)

        return Moves(
            tuple(EmotionCue(within(cue.at), cue.emotion, cue.intensity) for cue in emotions),
            tuple(GestureCue(within(cue.at), cue.gesture) for cue in gestures),
        )

    def _own(self, phrase: Phrase, tone: Tone, lang: Lang) -> list[_Want]:
        kinds = {type(mark.tag) for mark in phrase.marks}
        wants: list[_Want] = []
        if EmotionTag not in kinds and (felt := expression.feeling(phrase.text, tone, lang, self._first)):
            wants.append(_Want(self._words.at(felt.at), felt.tag, own=True))
        if GestureTag not in kinds and (choice := expression.gesture(phrase.text, tone, lang, self._first)):
            wants.append(_Want(self._words.at(choice.at), choice, own=True))
        return wants

    def _take(self, moment: float, want: _Want) -> None:
        match want.tag:
            case EmotionTag(emotion, intensity):
                if emotion in ("neutral", *self._vocabulary.emotions):
                    self._face.feel(moment, emotion, intensity, want.own)
            case GestureTag(gesture):
                self._hands.make(moment, gesture)
            case Choice(_, gestures, patience):
                self._hands.choose(moment, gestures, patience)


class _Words:
    """When each word of a phrase is heard: by the voice's own spans, else in proportion to its weight."""

    def __init__(self) -> None:
        self._text = ""
        self._lang: Lang = "zh"
        self._pace = dict(_PACE)
        self._spans: list[tuple[int, float]] = []
        self._cursor = self._guessed = 0
        self._seconds = self._weight = 0.0

    def open(self, text: str, lang: Lang) -> None:
        if self._seconds > 1 and not self._spans and (weight := speech_weight(self._text)):
            self._pace[self._lang] = weight / self._seconds
        self._text, self._lang = text, lang
        self._spans, self._cursor, self._seconds = [], 0, 0.0
        self._guessed, self._weight = 0, 0.0

    @property
    def reading(self) -> float:
        """Seconds that the phrase takes, about."""
        return speech_weight(self._text) / self._pace[self._lang]

    def at(self, character: int) -> int:
        """The first character of the word at or after `character`; of the last word where none comes after."""
        text = self._text
        after = next((i for i in range(character, len(text)) if text[i].isalnum()), None)
        if after is None:
            after = next((i for i in range(min(character, len(text)) - 1, -1, -1) if text[i].isalnum()), 0)
        while after and _joined(text[after - 1]) and _joined(text[after]):
            after -= 1
        return after

    def heard(self, cues: Cues) -> int:
        """The first character that is not heard by the end of `cues.audio`."""
        self._seconds = cues.at + cues.audio.seconds
        for word in cues.words:
            found = self._text.find(word.text, self._cursor) if word.text else -1
            if found >= 0:
                self._cursor = found + len(word.text)
                self._spans.append((self._cursor, word.start))
        if self._spans:
            return self._cursor
        while self._guessed < len(self._text) and self._weight < self._seconds * self._pace[self._lang]:
            self._weight += speech_weight(self._text[self._guessed])
            self._guessed += 1
        return self._guessed

    def start(self, character: int) -> float:
        if self._spans:
            return next((start for end, start in self._spans if end > character), 0.0)
        return speech_weight(self._text[:character]) / self._pace[self._lang]


class _Face:
    """Feelings on the turn's clock: what is felt now, what comes next and when."""

    def __init__(self) -> None:
        self._now: Emotion = "neutral"
        self._intensity = 1.0
        self._since = -math.inf
        self._next: tuple[float, Emotion, float] | None = None
        self._fades = math.inf
        self._marked_until = -math.inf

    def feel(self, moment: float, emotion: Emotion, intensity: float, own: bool) -> None:
        """The model's feelings are not overruled while they last."""
        if own and moment < self._marked_until:
            return
        if not own:
            self._marked_until = moment + HELD
        if emotion == "neutral" or intensity <= 0:
            emotion, intensity = "neutral", 1.0
        self._next = (max(moment, self._since + SETTLE), emotion, intensity)

    def until(self, moment: float) -> list[EmotionCue]:
        """What changes before `moment`."""
        cues = []
        while True:
            if self._next is not None and self._next[0] < moment:
                cues += self._change(*self._next)
            elif self._next is None and self._fades < moment:
                cues += self._fade()
            else:
                return cues

    def _change(self, at: float, emotion: Emotion, intensity: float) -> list[EmotionCue]:
        self._next = None
        if _VALENCE.get(self._now, 0) * _VALENCE.get(emotion, 0) < 0:
            self._next = (at + SETTLE, emotion, intensity)
            emotion, intensity = "neutral", 1.0
        self._fades = math.inf if emotion == "neutral" else at + HELD
        if (emotion, intensity) == (self._now, self._intensity):
            return []
        self._now, self._intensity, self._since = emotion, intensity, at
        return [EmotionCue(at, emotion, intensity)]

    def _fade(self) -> list[EmotionCue]:
        at = self._fades
        if self._intensity > 0.4:
            self._intensity, self._fades = self._intensity / 2, at + EBB
        else:
            self._now, self._intensity, self._fades = "neutral", 1.0, math.inf
        self._since = at
        return [EmotionCue(at, self._now, self._intensity)]


class _Hands:
    """Gestures on the turn's clock: which is made now and until when."""

    def __init__(self, vocabulary: Vocabulary, dice: random.Random, last: Gesture) -> None:
        self.last = last
        self._known = vocabulary.gestures
        self._dice = dice
        self._cues: list[GestureCue] = []
        self._since = self._ends = -math.inf
        self._moving = self._own = False

    def make(self, moment: float, gesture: Gesture) -> None:
        """The model's gesture takes the place of the planner's own, or of one that has been seen."""
        if gesture == "rest":
            self._ends = min(self._ends, max(moment, self._since + SETTLE))
            return
        if moment < self._since + (SETTLE if self._own else APART):
            return
        fit = [one for one in (gesture, *_KIN.get(gesture, ())) if one in self._known and one != self.last]
        if fit:
            self._begin(moment, fit[0], own=False)

    def choose(self, moment: float, gestures: tuple[Gesture, ...], patience: float) -> None:
        fit = [one for one in gestures if one in self._known and one != self.last]
        if fit and moment >= self._ends + patience:
            self._begin(moment, self._dice.choice(fit), own=True)

    def until(self, moment: float) -> list[GestureCue]:
        """What changes before `moment`."""
        cues, self._cues = self._cues, []
        if self._moving and self._ends < moment:
            self._moving = False
            cues.append(GestureCue(self._ends, "rest"))
        return cues

    def _begin(self, moment: float, gesture: Gesture, own: bool) -> None:
        self._cues.append(GestureCue(moment, gesture))
        self.last, self._moving, self._own = gesture, True, own
        self._since, self._ends = moment, moment + LASTS[gesture]


def _joined(char: str) -> bool:
    return char.isascii() and (char.isalnum() or char in "'-")
