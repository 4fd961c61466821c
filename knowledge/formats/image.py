"""A picture to blocks: the text that a recognizer finds in it."""

import io
import warnings
from statistics import median
from zlib import error as ZlibError

import numpy as np
from PIL import Image, UnidentifiedImageError

from knowledge.documents import DocumentError
from knowledge.formats.pages import Line, blocks
from knowledge.limits import FileLimits
from knowledge.ocr import Picture, TextRecognizer, Written
from knowledge.structure import Parsed, one_line

HOW = "install zhubo[ocr] and set `ocr: {engine: rapidocr}`"
_DAMAGE = (UnidentifiedImageError, OSError, ValueError, SyntaxError, EOFError, LookupError, TypeError, ZlibError)
_STEPS = 3
"""Boxes around recognised lines are uneven: their height is told in thirds of the usual one."""


def parse_image(data: bytes, limits: FileLimits, recognizer: TextRecognizer | None) -> Parsed:
    """Raises DocumentError: `unsupported` without a recognizer, `damaged`, `too_large` or `empty`; and OcrError."""
    if recognizer is None:
        raise DocumentError("unsupported", f"text in pictures is not recognised; {HOW}")
    lines = recognised(_picture(data, limits), 1, recognizer)
    if not lines:
        raise DocumentError("empty", "no text was found in the picture")
    return blocks(lines).parsed("")


def recognised(picture: Picture, page: int, recognizer: TextRecognizer) -> list[Line]:
    """The lines of a picture from top to bottom; pieces at one height are one line."""
    found = [written for written in recognizer.lines(picture) if one_line(written.text)]
    rows: list[list[Written]] = []
    for written in sorted(found, key=lambda one: one.top + one.bottom):
        middle = (written.top + written.bottom) / 2
        if rows and middle < rows[-1][0].bottom - (rows[-1][0].bottom - rows[-1][0].top) * 0.3:
            rows[-1].append(written)
        else:
            rows.append([written])
    step = median(one.bottom - one.top for one in found) / _STEPS if found else 1
    return [_line(sorted(row, key=lambda one: one.left), page, step) for row in rows]


def _line(row: list[Written], page: int, step: float) -> Line:
    height = max(one.bottom - one.top for one in row)
    return Line(one_line(" ".join(one.text for one in row)), round(height / step) * step, row[-1].right, page)


def _picture(data: bytes, limits: FileLimits) -> Picture:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            image = Image.open(io.BytesIO(data))
            if image.width * image.height > limits.pixels:
                raise Image.DecompressionBombError
            return np.asarray(image.convert("RGB"), dtype=np.uint8)
    except Image.DecompressionBombError as error:
        raise DocumentError(
            "too_large", f"the picture has more than {limits.pixels / 1e6:.0f} million pixels; make it smaller"
        ) from error
    except _DAMAGE as error:
        raise DocumentError("damaged", "the picture cannot be read; save it anew") from error
