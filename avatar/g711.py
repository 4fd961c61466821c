"""G.711, telephone sound of one byte a sample at 8 kHz: mu-law and A-law, by tables made from those of ITU-T G.711."""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

RATE = 8000
Law = Literal["mu", "a"]

_BIAS = 132
"""What mu-law adds to a magnitude (33 of 14 bits), so that each segment begins at a power of two."""


def decoded(data: bytes, law: Law) -> bytes:
    """Mono s16 of the codes."""
    return _DECODED[law][np.frombuffer(data, np.uint8)].astype("<i2").tobytes()


def encoded(pcm: bytes, law: Law) -> bytes:
    """Codes of mono s16, by the decision values of the law. Whole samples only."""
    return _ENCODED[law][np.frombuffer(pcm, "<i2").view(np.uint16)].tobytes()


def _mu_values() -> NDArray[np.int32]:
    code = ~np.arange(256, dtype=np.int32) & 0xFF
    magnitude = ((((code & 0x0F) << 3) + _BIAS) << ((code >> 4) & 7)) - _BIAS
    return np.where(code & 0x80, -magnitude, magnitude)


def _a_values() -> NDArray[np.int32]:
    code = np.arange(256, dtype=np.int32) ^ 0x55
    segment, step = (code >> 4) & 7, (code & 0x0F) << 4
    magnitude = np.where(segment == 0, step + 8, (step + 0x108) << np.maximum(segment - 1, 0))
    return np.where(code & 0x80, magnitude, -magnitude)


def _magnitudes() -> tuple[NDArray[np.int32], NDArray[np.bool_]]:
    """Of every sample as an unsigned number, and whether it is positive."""
    samples = np.arange(65536).astype(np.uint16).view(np.int16).astype(np.int32)
    return np.abs(samples), samples >= 0


def _mu_codes() -> NDArray[np.uint8]:
    magnitude, positive = _magnitudes()
    biased = np.minimum(magnitude + _BIAS, 32767)
    segment = _bits(biased) - 8
    code = segment << 4 | (biased >> (segment + 3)) & 0x0F
    codes: NDArray[np.uint8] = (~(code | np.where(positive, 0, 0x80)) & 0xFF).astype(np.uint8)
    return codes


def _a_codes() -> NDArray[np.uint8]:
    magnitude, positive = _magnitudes()
    magnitude = np.minimum(magnitude, 32767)
    segment = np.maximum(_bits(magnitude) - 8, 0)
    code = segment << 4 | (magnitude >> np.maximum(segment + 3, 4)) & 0x0F
    codes: NDArray[np.uint8] = ((code | np.where(positive, 0x80, 0)) ^ 0x55).astype(np.uint8)
    return codes


def _bits(numbers: NDArray[np.int32]) -> NDArray[np.int32]:
    return np.frexp(numbers.astype(np.float64))[1].astype(np.int32)


_DECODED = {"mu": _mu_values(), "a": _a_values()}
_ENCODED = {"mu": _mu_codes(), "a": _a_codes()}
