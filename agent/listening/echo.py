"""Whether what the microphone hears is the presenter: its sound, or its words.

The envelope of its sound in bands is compared with that of what was sent, at every delay up to `_LATE`: an echo is
softer, later and coloured, but rises and falls with it. The shorter the sound, the more alike it has to be, for
anything is like something for a moment; less so where it comes as late as an echo before.
"""

import math

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from agent.events import SentenceStarted, Speech
from agent.listening.wordlists import folded
from avatar.bands import bands
from avatar.hearing import RATE
from configs.language import Lang

_HOP = 0.02
_EDGES = (150, 300, 500, 800, 1200, 1800, 2700, 4000, 6000)
"""Hz."""
_EARLY, _LATE = 1.0, 1.2
"""Seconds before and after the estimated playing that a sound may have been played at."""
_LEAST = 0.3
"""Seconds of sound that can be compared."""
_NEAR = 5
"""Steps by which an echo may come sooner or later than the one before."""
_STEP = 2 * int(RATE * _HOP)
_LONGEST = 94
"""Frames of a detector that are compared: 3 s."""
_SILENT = -7.0
_MODULATED = 0.1
"""Of log power, about its mean: what changes less is no speech, and like any other such sound."""
_WORDS: dict[Lang, int] = {"zh": 4, "en": 3}
"""Han characters, or words, in a row that are no coincidence."""
_SHARE = 0.8
"""Of what was heard that the presenter said just now."""
_RECENT = 400
"""Characters."""

Envelope = NDArray[np.float32]


class Echo:
    def __init__(self) -> None:
        self._turn = 0
        self._sentence = 0.0
        self._played: list[tuple[float, Envelope]] = []
        """Where each stretch begins in the turn, and its envelope."""
        self._text = ""
        self._rest = b""
        self._heard: list[Envelope] = []
        self._lag: int | None = None
        """Steps from the first row that is compared with to where the last echo was found."""

    @property
    def known(self) -> bool:
        """There was an echo before: the user's client does not cancel it."""
        return self._lag is not None

    def said(self, event: SentenceStarted | Speech) -> None:
        """What the user's client has been given to play."""
        if event.turn != self._turn:
            self._turn, self._played = event.turn, []
        match event:
            case SentenceStarted(text=text, at=at):
                self._sentence = at
                self._text = (self._text + " " + text)[-_RECENT:]
            case Speech(at=at, audio=audio):
                self._played.append((self._sentence + at, envelope(audio.pcm, audio.rate)))

    def heard(self, pcm: bytes) -> None:
        sound = self._rest + pcm
        whole = len(sound) // _STEP * _STEP
        self._rest = sound[whole:]
        self._heard = [*self._heard[-_LONGEST:], envelope(sound[:whole], RATE)]

    def reset(self) -> None:
        self._rest, self._heard = b"", []

    def sounds(self, position: float) -> bool:
        """The sound of the microphone is that which was played from about `position` of the turn on."""
        seconds = sum(map(len, self._heard)) * _HOP
        if seconds < _LEAST or not self._played:
            return False
        scores = likenesses(np.concatenate(self._heard), self._around(position - _EARLY, position + seconds + _LATE))
        if scores.size and scores.max() >= 0.55 + 0.32 * math.exp((0.4 - seconds) / 0.5):
            self._lag = int(scores.argmax())
            return True
        if self._lag is None:
            return False
        near = scores[max(0, self._lag - _NEAR) : self._lag + _NEAR + 1]
        return bool(near.size and near.max() >= 0.5 + 0.3 * math.exp((0.2 - seconds) / 0.2))

    def repeats(self, text: str, lang: Lang, final: bool) -> bool:
        """The words are the presenter's own, in its order."""
        plain, spoken = folded(text), folded(self._text)
        heard, said = (list(plain), spoken) if lang == "zh" else (plain.split(), f" {spoken} ")
        least = _WORDS[lang]
        if len(heard) < least + (0 if final else 1):
            return False
        joint = "" if lang == "zh" else " "
        runs = [joint.join(heard[at : at + least]) for at in range(len(heard) - least + 1)]
        found = sum((run if lang == "zh" else f" {run} ") in said for run in runs)
        return found / len(runs) >= _SHARE

    def _around(self, begins: float, ends: float) -> Envelope:
        """Of the turn's sound, with silence where there is none."""
        rows = np.full((round((ends - begins) / _HOP), len(_EDGES) - 1), _SILENT, np.float32)
        for at, piece in self._played:
            start = round((at - begins) / _HOP)
            low, high = max(0, start), min(len(rows), start + len(piece))
            if low < high:
                rows[low:high] = piece[low - start : high - start]
        return rows


def envelope(pcm: bytes, rate: int) -> Envelope:
    """Log power in bands, a row each 20 ms. `pcm`: mono s16."""
    samples = np.frombuffer(pcm[: len(pcm) // 2 * 2], "<i2").astype(np.float32) / 32768
    hop = int(rate * _HOP)
    rows = samples[: len(samples) // hop * hop].reshape(-1, hop)
    if not len(rows):
        return np.zeros((0, len(_EDGES) - 1), np.float32)
    return np.log10(bands(rate, hop, _EDGES).powers(rows) + 10**_SILENT).astype(np.float32)


def likenesses(mine: Envelope, theirs: Envelope) -> NDArray[np.float64]:
    """The correlation of `mine` with each stretch of `theirs`, -1 to 1."""
    if not len(mine):
        return np.zeros(0)
    own = mine.astype(np.float64) - mine.mean(axis=0)  # each band without its mean: an echo is coloured
    norm = float(np.linalg.norm(own))
    if len(theirs) < len(mine) or norm < _MODULATED * math.sqrt(own.size):
        return np.zeros(0)
    windows = sliding_window_view(theirs.astype(np.float64), len(mine), axis=0)
    against = np.einsum("wbt,tb->w", windows, own / norm)
    power = ((windows - windows.mean(axis=2, keepdims=True)) ** 2).sum(axis=(1, 2))
    return np.asarray(against / np.sqrt(np.maximum(power, _MODULATED**2 * own.size)))
