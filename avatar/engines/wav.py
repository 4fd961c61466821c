"""A WAV file while it arrives: its head (RIFF, Microsoft and IBM 1991), then 16-bit PCM, of one channel or the mean of
two. Streamed heads that do not know their length (0 or 2^32-1) are taken to go on to the end."""

import struct

import numpy as np

_HEAD = 4096
"""Bytes within which the samples begin."""
_OPEN = (0, 2**32 - 1, 2**31 - 1, 2**31 - 1 + 36)
_PCM, _EXTENSIBLE = 1, 0xFFFE


class WavError(ValueError):
    """The bytes are not the expected kind of WAV."""


class Wav:
    """`feed` bytes cut anywhere, take PCM (mono s16) out. `rate`: Hz, 0 until the head is here."""

    def __init__(self) -> None:
        self.rate = 0
        self._channels = 0
        self._waiting = b""
        self._left: int | None = None
        """Bytes of samples still to come; None: no end is known."""

    def feed(self, data: bytes) -> bytes:
        self._waiting += data
        if self.rate == 0 and not self._headed():
            return b""
        size = 2 * self._channels
        whole = len(self._waiting) if self._left is None else min(len(self._waiting), self._left)
        whole -= whole % size
        found, self._waiting = self._waiting[:whole], self._waiting[whole:]
        if self._left is not None:
            self._left -= whole
            if self._left < size:
                self._waiting, self._left = b"", 0
        if self._channels == 2:
            pairs = np.frombuffer(found, "<i2").reshape(-1, 2).astype(np.int32)
            return bytes((pairs.sum(1) // 2).astype("<i2").tobytes())
        return found

    def _headed(self) -> bool:
        """Whether the samples have begun; what came before them is taken off."""
        waiting = self._waiting
        if len(waiting) < 12:
            return False
        if waiting[:4] != b"RIFF" or waiting[8:12] != b"WAVE":
            raise WavError("no RIFF head")
        at, rate, channels = 12, 0, 0
        while len(waiting) >= at + 8:
            name, size = waiting[at : at + 4], struct.unpack("<I", waiting[at + 4 : at + 8])[0]
            if name == b"data":
                if rate == 0:
                    raise WavError("samples before their description")
                self.rate, self._channels, self._waiting = rate, channels, waiting[at + 8 :]
                self._left = None if size in _OPEN else size
                return True
            if name == b"fmt " and len(waiting) >= at + 24:
                kind, channels, rate, _, _, bits = struct.unpack("<HHIIHH", waiting[at + 8 : at + 24])
                if kind not in (_PCM, _EXTENSIBLE) or bits != 16 or channels not in (1, 2):
                    raise WavError(f"{bits}-bit samples of {channels} channels in format {kind}, not 16-bit PCM")
            at += 8 + size + size % 2
        if at > _HEAD or len(waiting) > _HEAD:
            raise WavError("no samples within the first bytes")
        return False
