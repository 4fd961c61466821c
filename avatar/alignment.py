"""Which sound of a text is heard when, found in the speech itself as it arrives: for a voice that tells no times.

A chain of states, several for each sound by how long it should last, walked by Viterbi's algorithm; what was told of
earlier audio stands. No I/O; a second of speech takes a millisecond.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from math import log
from typing import TYPE_CHECKING

import numpy as np

from avatar.acoustics import HOP, Likelihoods, features, level, moving
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
_STAY, _NEXT, _OVER = log(0.35), log(0.45), log(0.2)
_PASS = log(0.5)
"""Passing over a silence that there may be."""
_NEVER = -1e9


@dataclass(frozen=True, slots=True)
class _Sound:
    """`name`: "" is a silence, which may be left out. `states` that stand for it, and how likely it is to stay in one,
    to go on from it and to pass over it."""

    name: str
    states: int
    steps: tuple[float, float, float]


def _sound(name: str, seconds: float) -> _Sound:
    states = max(1, round(seconds / _STEP))
    return _Sound(name, states, (_STAY, _NEXT, _OVER if states > 1 else _OVER - 0.4))


def _silence(seconds: float) -> _Sound:
    leaving = HOP / max(2 * HOP, seconds)
    return _Sound("", 1, (log(1 - leaving), log(leaving), _PASS))


_BEGIN, _PAUSE, _JOIN = _silence(0.06), _silence(0.25), _silence(0.04)
"""Silences at the beginning, at a mark, and between two words."""


class Alignment:
    """`feed` the audio of one utterance; each call tells the sounds of what it was given, silences as ""."""

    def __init__(self, text: str, lang: Lang) -> None:
        self._sounds = _expected(spoken(text, lang), lang)
        self._likelihoods = Likelihoods((sound.name for sound in self._sounds), lang)
        states = [sound.states for sound in self._sounds]
        self._owner = np.arange(len(states)).repeat(states)
        self._column = np.array(self._likelihoods.places).repeat(states)
        stay, following, over = np.array([sound.steps for sound in self._sounds]).repeat(states, 0).T
        self._steps = np.full((3, len(stay)), _NEVER)
        """Coming to each state from the one before the one before, from the one before, and staying in it."""
        self._steps[0, 2:], self._steps[1, 1:], self._steps[2] = over[1:-1], following[:-1], stay
        self._scores: NDArray[np.float64] | None = None
        self._reached = 0
        self._loudness = np.zeros(0, np.float32)
        self._rest = np.zeros(0, np.float32)

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
        told = len(self._loudness)
        self._loudness = np.concatenate([self._loudness, found[:, -1]])
        fit = self._likelihoods.of(moving(found, level(self._loudness)))
        fit = _HEED * np.maximum(fit, fit.max(1, keepdims=True) - _APART)
        return self._spans(self._path(fit.take(self._column, 1)), told)

    def _path(self, fit: "NDArray[np.float64]") -> list[int]:
        """The likeliest state in each frame, given all frames so far."""
        count = len(self._owner)
        scores = np.full((len(fit) + 1, count + 2), _NEVER)
        """Of each state at the end of each frame, behind two that are never: whence a state may be come to."""
        begins = 0
        if self._scores is None:
            scores[1, 2:4] = (0.0, -0.7)[:count]
            scores[1, 2:] += fit[0]
            begins = 1
        else:
            scores[0] = self._scores
        row, step = scores.strides
        whence = np.ndarray((len(fit), 3, count), scores.dtype, scores, 0, (row, step, step))
        options, add, most = np.empty_like(self._steps), np.add, np.maximum.reduce
        for before, after, frame in zip(whence[begins:], scores[begins + 1 :, 2:], fit[begins:], strict=True):
            add(before, self._steps, options)
            most(options, 0, None, after)
            add(after, frame, after)
        self._scores = scores[-1] - scores[-1].max()
        return self._traced(scores)

    def _traced(self, scores: "NDArray[np.float64]") -> list[int]:
        state = int(scores[-1, 2:].argmax())
        path = [state]
        for row in range(len(scores) - 2, 0, -1):
            two, one, same = scores[row, state : state + 3].tolist()
            over, following, stay = self._steps[:, state].tolist()
            two, one, same = two + over, one + following, same + stay
            if same < one or same < two:
                state -= 1 if one >= two else 2
            path.append(state)
        return path[::-1]

    def _spans(self, path: list[int], told: int) -> list[PhonemeSpan]:
        """What was told already is not taken back: a sound that lies behind is held instead."""
        reached = np.maximum.accumulate([self._reached, *path])[1:]
        self._reached = int(reached[-1])
        owners = self._owner[reached]
        starts = [0, *(np.flatnonzero(np.diff(owners)) + 1).tolist()]
        ends = [*starts[1:], len(path)]
        return [
            PhonemeSpan(self._sounds[owner].name, (told + start) * HOP, (told + end) * HOP)
            for owner, start, end in zip(owners[starts].tolist(), starts, ends, strict=True)
        ]


def _expected(text: str, lang: Lang) -> list[_Sound]:
    """Every sound with its usual length; a run of Han characters is one word, whose syllables may stand apart."""
    sounds = [_BEGIN]
    tokens = list(_TOKEN.finditer(text))
    for index, token in enumerate(tokens):
        if token["mark"]:
            sounds[-1] = _PAUSE
            continue
        before, after = _neighbour(tokens, index - 1), _neighbour(tokens, index + 1)
        names = read(token[0], lang, before, after)
        final = index + 1 == len(tokens) or tokens[index + 1]["mark"] is not None
        sounds += _word(names, "en" if token["latin"] else "zh", final=final)
        sounds.append(_JOIN)
    return sounds


@lru_cache(maxsize=4096)
def _word(names: tuple[str, ...], lang: Lang, *, final: bool) -> tuple[_Sound, ...]:
    return tuple(map(_sound, names, lengths(names, lang, final=final)))


def _neighbour(tokens: list[re.Match[str]], index: int) -> str:
    return tokens[index][0] if 0 <= index < len(tokens) and tokens[index]["latin"] else ""
