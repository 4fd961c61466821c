"""Which sound of a text is heard when, found in the speech itself as it arrives: for a voice that tells no times.

A chain of states, several for each sound by how long it should last, walked by Viterbi's algorithm; what was told of
earlier audio stands. No I/O; a second of speech takes some milliseconds.
"""

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from avatar.acoustics import HOP, features, level, likelihoods, moving
from avatar.durations import lengths
from avatar.reading import read
from avatar.speech import Audio, PhonemeSpan
from avatar.spoken import spoken
from configs.language import Lang

if TYPE_CHECKING:
    from numpy.typing import NDArray

_TOKEN = re.compile(
    r"(?P<latin>[A-Za-z]+(?:['’][A-Za-z]+)*)|(?P<han>[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003134f])"
    r"|(?P<mark>[,.;:!?，。；：！？、—…])"
)
_STEP = 0.0125
"""Seconds of a sound that one state stands for."""
_HEED = 0.5
"""How much the sound counts against the expected durations."""
_APART = 16.0
"""The least likely sound counts as no further than this from the likeliest: no frame decides alone."""
_STAY, _NEXT, _OVER = np.log([0.35, 0.45, 0.2])
_PASS = np.log(0.5)
"""Passing over a silence that there may be."""
_PAUSE, _JOIN = 0.25, 0.04
"""Seconds of silence at a mark, and between two words."""
_NEVER = -1e9


@dataclass(frozen=True, slots=True)
class _Sound:
    """`name`: "" is a silence, which may be left out."""

    name: str
    seconds: float


class Alignment:
    """`feed` the audio of one utterance; each call tells the sounds of what it was given, silences as ""."""

    def __init__(self, text: str, lang: Lang) -> None:
        self._lang = lang
        self._sounds = _expected(spoken(text, lang), lang)
        self._names = sorted({sound.name for sound in self._sounds})
        states = [max(1, round(sound.seconds / _STEP)) if sound.name else 1 for sound in self._sounds]
        self._owner = np.repeat(np.arange(len(self._sounds)), states)
        places = [self._names.index(sound.name) for sound in self._sounds]
        self._place = np.array(places, np.intp)[self._owner]
        self._stay, self._next, self._over = self._steps()
        self._scores: NDArray[np.float64] | None = None
        self._reached = 0
        self._heard = np.zeros((0, 9), np.float32)
        self._rest = np.zeros(0, np.float32)
        self._frames = 0

    @property
    def sayable(self) -> bool:
        return any(sound.name for sound in self._sounds)

    @property
    def ending(self) -> bool:
        """The last sound has been reached."""
        last = max((place for place, sound in enumerate(self._sounds) if sound.name), default=0)
        return bool(self._owner[self._reached] >= last)

    def feed(self, audio: Audio) -> list[PhonemeSpan]:
        fresh = np.frombuffer(audio.pcm, "<i2").astype(np.float32) / np.float32(32768)
        samples: NDArray[np.float32] = np.concatenate([self._rest, fresh])
        whole = len(samples) - len(samples) % int(audio.rate * HOP)
        self._rest = samples[whole:]
        if whole == 0:
            return []
        found = features(samples[:whole], audio.rate)
        self._heard = np.concatenate([self._heard, found])
        fit = likelihoods(moving(found, level(self._heard)), self._names, self._lang)
        fit = _HEED * np.maximum(fit, fit.max(1, keepdims=True) - _APART)
        spans = self._spans(self._path(fit[:, self._place]))
        self._frames += len(found)
        return spans

    def _steps(self) -> "tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]":
        """For each state: staying in it, going on to the next, going on to the one after that."""
        count = np.bincount(self._owner)
        stay, following = np.full(len(self._owner), _STAY), np.full(len(self._owner), _NEXT)
        over = np.full(len(self._owner), _NEVER)
        for state, owner in enumerate(self._owner):
            sound = self._sounds[owner]
            if not sound.name:
                leaving = HOP / max(2 * HOP, sound.seconds)
                stay[state], following[state] = np.log(1 - leaving), np.log(leaving)
            if state + 2 < len(self._owner):
                passed = self._sounds[self._owner[state + 1]]
                alone = count[self._owner[state + 1]] == 1
                over[state] = _PASS if not passed.name else _OVER - 0.4 * alone
        return stay, following, over

    def _path(self, fit: "NDArray[np.float64]") -> list[int]:
        """The likeliest state in each frame, given all frames so far."""
        states = np.arange(len(self._owner))
        back = np.zeros((len(fit), len(states)), np.int64)
        ends: list[int] = []
        scores = self._scores
        for index, frame in enumerate(fit):
            if scores is None:
                scores = np.full(len(states), _NEVER)
                scores[:2] = (0.0, -0.7)[: len(states)]
            else:
                options = np.full((3, len(states)), _NEVER)
                options[0] = scores + self._stay
                options[1, 1:] = (scores + self._next)[:-1]
                options[2, 2:] = (scores + self._over)[:-2]
                best = options.argmax(0)
                back[index] = best
                scores = options[best, states]
            scores = scores + frame
            scores -= scores.max()
        assert scores is not None
        self._scores = scores
        state = int(scores.argmax())
        for index in range(len(fit) - 1, -1, -1):
            ends.append(state)
            state -= int(back[index, state])
        return ends[::-1]

    def _spans(self, path: list[int]) -> list[PhonemeSpan]:
        """What was told already is not taken back: a sound that lies behind is held instead."""
        found: list[PhonemeSpan] = []
        owners: list[int] = []
        for index, state in enumerate(path):
            self._reached = max(self._reached, state)
            owner = int(self._owner[self._reached])
            start, end = (self._frames + index) * HOP, (self._frames + index + 1) * HOP
            if owners and owners[-1] == owner:
                found[-1] = PhonemeSpan(found[-1].phoneme, found[-1].start, end)
            else:
                owners.append(owner)
                found.append(PhonemeSpan(self._sounds[owner].name, start, end))
        return found


def _expected(text: str, lang: Lang) -> list[_Sound]:
    """Every sound with its usual length; a run of Han characters is one word, whose syllables may stand apart."""
    sounds = [_Sound("", 0.06)]
    tokens = list(_TOKEN.finditer(text))
    for index, token in enumerate(tokens):
        if token["mark"]:
            sounds[-1] = _Sound("", _PAUSE)
            continue
        before, after = _neighbour(tokens, index - 1), _neighbour(tokens, index + 1)
        names = read(token[0], lang, before, after)
        final = index + 1 == len(tokens) or tokens[index + 1]["mark"] is not None
        spoken_in: Lang = "en" if token["latin"] else "zh"
        lasting = lengths(names, spoken_in, final=final)
        sounds += [_Sound(name, seconds) for name, seconds in zip(names, lasting, strict=True)]
        sounds.append(_Sound("", _JOIN))
    return sounds


def _neighbour(tokens: list[re.Match[str]], index: int) -> str:
    return tokens[index][0] if 0 <= index < len(tokens) and tokens[index]["latin"] else ""
