"""A sentence's mouth cues and captions, made when the sound they belong to arrives. No I/O."""

import re
from dataclasses import dataclass

from avatar.alignment import Alignment
from avatar.motion import Viseme
from avatar.speech import Audio, PhonemeSpan, SpeechPart, WordSpan
from avatar.visemes import HELD, from_loudness, from_phonemes, from_words
from configs.language import Lang

_SAMPLES: dict[Lang, str] = {"zh": "好。", "en": "Hello."}
_NEXT = re.compile(r"(?P<mark>[\s\"”」』）)]*[,.;:?!，。；：？！、—…]|\s*$)|\W*(?P<word>[A-Za-z'’]*)")


@dataclass(frozen=True, slots=True)
class Cues:
    """Cues for `audio`, which starts `at` seconds into the sentence."""

    at: float
    audio: Audio
    visemes: tuple[Viseme, ...]
    words: tuple[WordSpan, ...]


class Lips:
    """Phoneme spans move the mouth where the voice gives them, else word spans, else where the sounds of `text` are
    found in the audio, and without a text how loud it is."""

    def __init__(self, lang: Lang, text: str = "") -> None:
        self._lang: Lang = lang
        self._text, self._place = text, 0
        self._phonemes: list[PhonemeSpan] = []
        self._words: list[WordSpan] = []
        self._alignment: Alignment | None = None
        self._timed = False
        self._open: float | None = None
        """Until when a word is known that no pause was thought to follow."""
        self.seconds = 0.0

    def feed(self, part: SpeechPart) -> Cues | None:
        match part:
            case PhonemeSpan():
                self._phonemes.append(part)
            case WordSpan():
                self._words.append(part)
            case Audio():
                return self._cues(part)
        return None

    def _cues(self, audio: Audio) -> Cues:
        at, words = self.seconds, tuple(self._words)
        visemes = self._visemes(audio, at)
        self._timed = self._timed or bool(self._phonemes or words)
        self._phonemes.clear()
        self._words.clear()
        self.seconds += audio.seconds
        return Cues(at, audio, visemes, words)

    def _visemes(self, audio: Audio, at: float) -> tuple[Viseme, ...]:
        if self._phonemes:
            return from_phonemes(self._phonemes)
        if self._words:
            return self._worded(at)
        if self._timed:
            return self._closing(at + audio.seconds, at)
        return self._found(audio, at)

    def _worded(self, at: float) -> tuple[Viseme, ...]:
        closing = self._closing(self._words[0].start - HELD, at)
        after, ending = self._following()
        self._open = None if ending else self._words[-1].end
        return closing + from_words(self._words, self._lang, after=after, ending=ending)

    def _closing(self, until: float, at: float) -> tuple[Viseme, ...]:
        """A pause that nothing announced: no word follows before `until`."""
        if self._open is None or self._open >= until:
            return ()
        shut, self._open = Viseme(max(at, self._open), "sil"), None
        return (shut,)

    def _following(self) -> tuple[str, bool]:
        """What the text has behind the words that are waiting: the next word, and whether a pause comes before it."""
        for word in self._words:
            place = self._text.find(word.text, self._place)
            if place < 0:
                return "", True
            self._place = place + len(word.text)
        found = _NEXT.match(self._text, self._place)
        return (found["word"] or "", found["mark"] is not None) if found else ("", True)

    def _found(self, audio: Audio, at: float) -> tuple[Viseme, ...]:
        if self._alignment is None:
            self._alignment = Alignment(self._text, self._lang)
        if not self._alignment.sayable:
            return from_loudness(audio, at)
        spans = self._alignment.feed(audio)
        return from_phonemes(spans, closed=self._alignment.ending)


def prepare() -> None:
    """Load all that lips are made with, the dictionary too, in 0.3 s: a voice that tells no sounds does so in `warm`,
    off the loop."""
    for lang, text in _SAMPLES.items():
        Lips(lang, text).feed(Audio(bytes(4800), 24000))
