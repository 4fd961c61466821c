"""What a text recognizer is: the lines of a picture."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]
"""Of shape (height, width, 3): red, green, blue."""


class OcrError(RuntimeError):
    """The recognizer failed."""


@dataclass(frozen=True, slots=True)
class Written:
    """A line of text in a picture, with its box in pixels from the top left."""

    text: str
    left: float
    top: float
    right: float
    bottom: float


class TextRecognizer(Protocol):
    """Blocking. Raises OcrError."""

    def lines(self, picture: Picture) -> Sequence[Written]:
        """In any order."""
        ...
