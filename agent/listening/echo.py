"""Whether what the microphone hears is the presenter: its sound, or its words.

The envelope of its sound in bands is compared with that of what was sent, at every delay up to `_LATE`: an echo is
softer, later and coloured, but rises and falls with it.
"""

import numpy as np
from numpy.typing import NDArray

from agent.events import SentenceStarted, Speech
from agent.listening.wordlists import folded
from avatar.hearing import RATE
from configs.language import Lang

_HOP = 0.02
_EDGES = (150, 300, 500, 800, 1200, 1800, 2700, 4000, 6000)
"""Hz."""
_EARLY, _LATE = 0.5, 1.2
"""Seconds before and after the estimated playing that a sound may have been played at."""
_LEAST = 0.4
"""Seconds of sound that can be compared."""
_ALIKE = 0.72
_KEPT = 30.0
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
        self._sound = b""

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
        self._sound = (self._sound + pcm)[-3 * RATE * 2 :]

    def reset(self) -> None:
        self._sound = b""

    def sounds(self, position: float) -> bool:
        """The sound of the microphone is that which was played from about `position` of the turn on."""
        seconds = len(self._sound) / 2 / RATE
        if seconds < _LEAST or not self._played:
            return False
        mine = envelope(self._sound, RATE)
        return likeness(mine, self._around(position - _EARLY - 0.5, position + seconds + _LATE)) >= _ALIKE

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
        pieces = [one for at, one in self._played if at + len(one) * _HOP > begins and at < ends]
        return np.concatenate(pieces) if pieces else np.zeros((0, len(_EDGES) - 1), np.float32)


def envelope(pcm: bytes, rate: int) -> Envelope:
    """Log power in bands, a row each 20 ms. `pcm`: mono s16."""
    samples = np.frombuffer(pcm[: len(pcm) // 2 * 2], "<i2").astype(np.float32) / 32768
    hop = int(rate * _HOP)
    rows = samples[: len(samples) // hop * hop].reshape(-1, hop)
    if not len(rows):
        return np.zeros((0, len(_EDGES) - 1), np.float32)
    power = np.abs(np.fft.rfft(rows * np.hanning(hop).astype(np.float32), axis=1)) ** 2
    bins = np.searchsorted(np.fft.rfftfreq(hop, 1 / rate), _EDGES)
    bands = [power[:, low : max(low + 1, high)].sum(axis=1) for low, high in zip(bins, bins[1:], strict=False)]
    return np.log10(np.stack(bands, axis=1) + 1e-7).astype(np.float32)


def likeness(mine: Envelope, theirs: Envelope) -> float:
    """The best correlation of `mine` with a stretch of `theirs`, -1 to 1."""
    count = len(mine)
    if len(theirs) < count or not count:
        return 0.0
    own = _centred(mine)
    return max(float((own * _centred(theirs[at : at + count])).sum()) for at in range(len(theirs) - count + 1))


def _centred(bands: Envelope) -> Envelope:
    """Each band without its mean (an echo is coloured), all of it of norm 1."""
    centred: Envelope = bands - bands.mean(axis=0)
    norm = float(np.linalg.norm(centred))
    return centred / norm if norm > 1e-6 else centred
