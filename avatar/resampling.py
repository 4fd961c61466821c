"""Sound at another sample rate: a polyphase FIR low-pass, fed piece by piece.

The kernel is a sinc in a Kaiser window (Oppenheim and Schafer, Discrete-Time Signal Processing, 7.5.3): flat up to
0.41 of the lower rate, 70 dB down from half of it on, so that nothing folds back into what is kept.
"""

import math
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

RATES = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000)
"""Hz that sound may come and go at."""

_CROSSINGS = 24
"""Zero crossings of the sinc on either side: 1.5 ms of delay at 16 kHz."""
_CUTOFF = 0.455
"""Where the kernel is 6 dB down, of the lower rate."""
_BETA = 6.76
"""Of the Kaiser window, for 70 dB."""
_AT_ONCE = 4096

Floats = NDArray[np.float64]


class Resampler:
    """Mono s16. What comes out does not depend on how the sound was cut; an odd byte waits for its other half.

    Raises ValueError for a rate that is not one of `RATES`.
    """

    def __init__(self, source: int, target: int) -> None:
        if source not in RATES or target not in RATES:
            raise ValueError(f"sound at {source} Hz cannot be made {target} Hz; rates are {', '.join(map(str, RATES))}")
        common = math.gcd(source, target)
        self._up, self._down = target // common, source // common
        self._odd = b""
        self._bank = _bank(source, target) if source != target else None
        self._reset()

    def feed(self, pcm: bytes) -> bytes:
        data = self._odd + pcm if self._odd else pcm
        whole = len(data) - len(data) % 2
        self._odd = data[whole:]
        if self._bank is None:
            return data[:whole]
        self._fed += whole // 2
        return self._through(np.frombuffer(data[:whole], "<i2").astype(np.float64))

    def flush(self) -> bytes:
        """The rest; the next sound begins anew. In all, ceil(samples * target / source) samples came out."""
        self._odd = b""
        if self._bank is None:
            return b""
        wanted = -(-self._fed * self._up // self._down)
        rest = self._through(np.zeros(self._bank.shape[1]))
        kept = rest[: max(0, len(rest) - 2 * (self._next - wanted))]
        self._reset()
        return kept

    def _reset(self) -> None:
        reach = 0 if self._bank is None else self._bank.shape[1] // 2
        self._held: Floats = np.zeros(max(0, reach - 1))
        self._start = -len(self._held)
        """The input's number of the first sample that is held."""
        self._next = self._fed = 0
        """The output's number of the next sample, and how many samples came in."""

    def _through(self, samples: Floats) -> bytes:
        assert self._bank is not None
        taps = self._bank.shape[1]
        held = np.concatenate([self._held, samples])
        known = max(0, self._start + len(held) - taps // 2)
        """Input samples whose whole surroundings are there."""
        ready = max(0, (known * self._up - 1) // self._down + 1 - self._next)
        made = []
        for begin in range(self._next, self._next + ready, _AT_ONCE):
            numbers = np.arange(begin, min(begin + _AT_ONCE, self._next + ready), dtype=np.int64) * self._down
            places, phases = numbers // self._up, numbers % self._up
            at = places - taps // 2 + 1 - self._start
            windows = np.lib.stride_tricks.sliding_window_view(held, taps)[at]
            made.append(np.einsum("ij,ij->i", windows, self._bank[phases]))
        self._next += ready
        keep = self._next * self._down // self._up - taps // 2 + 1 - self._start
        keep = min(max(0, keep), len(held))
        self._held, self._start = held[keep:], self._start + keep
        return _s16(np.concatenate(made)) if made else b""


def resampled(pcm: bytes, source: int, target: int) -> bytes:
    """All of a sound at once."""
    resampler = Resampler(source, target)
    return resampler.feed(pcm) + resampler.flush()


@lru_cache(maxsize=32)
def _bank(source: int, target: int) -> Floats:
    """(phases, taps): phase p weighs the samples around a place p/phases after the middle tap; each sums to 1."""
    phases = target // math.gcd(source, target)
    share = min(1.0, target / source)
    reach = math.ceil(_CROSSINGS / share)
    offsets = np.arange(-reach + 1, reach + 1)[None, :] - np.arange(phases)[:, None] / phases
    shape = np.i0(_BETA * np.sqrt(np.maximum(0.0, 1 - (offsets / reach) ** 2)))
    kernel = np.sinc(2 * _CUTOFF * share * offsets) * shape
    bank: Floats = kernel / kernel.sum(axis=1, keepdims=True)
    return bank


def _s16(samples: NDArray[Any]) -> bytes:
    return bytes(np.clip(np.rint(samples), -32768, 32767).astype("<i2").tobytes())
