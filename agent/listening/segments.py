"""Where speech begins, pauses and goes on, told from its probability frame by frame."""

from typing import Literal

Change = Literal["onset", "pause", "resumed"]

_ONSET = 2
"""Frames of speech in a row that begin it: one alone is a click."""
_HYSTERESIS = 0.15
"""How much less probable speech may be that goes on than speech that begins."""


class Segments:
    """Times in seconds of sound. `frame`: of a frame; `pause`: of silence that is one."""

    def __init__(self, frame: float, pause: float) -> None:
        self.threshold = 0.5
        self._frame, self._pause = frame, pause
        self._row = 0
        self._open = self._paused = self._ignoring = False
        self.speech = 0.0
        """Of the frames that were speech since the onset."""
        self.silence = 0.0
        """Since the last of them."""

    @property
    def speaking(self) -> bool:
        """Since an onset, pauses included."""
        return self._open

    @property
    def paused(self) -> bool:
        return self._paused

    def feed(self, probability: float) -> Change | None:
        bar = self.threshold - _HYSTERESIS if self._open and not self._paused else self.threshold
        spoken = probability >= max(0.01, bar)
        self._row = self._row + 1 if spoken else 0
        if self._ignoring:
            self.silence = 0.0 if spoken else self.silence + self._frame
            self._ignoring = self.silence < self._pause
            return None
        if not self._open:
            return self._begin() if self._row >= _ONSET else None
        return self._on(spoken)

    def end(self, *, ignoring: bool = False) -> None:
        """What was spoken is over. `ignoring`: and what still is, up to the next pause."""
        self._open = self._paused = False
        self._ignoring = ignoring and self.silence < self._pause
        self._row, self.speech, self.silence = 0, 0.0, 0.0

    def _begin(self) -> Change:
        self._open, self._paused = True, False
        self.speech, self.silence = self._row * self._frame, 0.0
        return "onset"

    def _on(self, spoken: bool) -> Change | None:
        if spoken and not self._paused:
            self.speech, self.silence = self.speech + self._frame, 0.0
            return None
        if spoken and self._row >= _ONSET:
            self._paused, self.silence = False, 0.0
            self.speech += self._row * self._frame
            return "resumed"
        self.silence += self._frame
        if not self._paused and self.silence >= self._pause - 1e-9:
            self._paused = True
            return "pause"
        return None
