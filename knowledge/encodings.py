"""Bytes of a text file to text: byte order marks, UTF-8, and the Chinese encodings told apart by plausibility.

GB18030 decodes nearly every Big5 file without an error, so trying encodings one after the other answers wrongly in
silence. Here every encoding that decodes the bytes is weighed by how ordinary the characters are that it yields.
"""

import codecs
import unicodedata
from dataclasses import dataclass

from knowledge.documents import DocumentError

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_NARROW = ("gb18030", "big5", "cp1252")
_WIDE = ("utf-16-le", "utf-16-be")
_COMMON = frozenset(
    "的一是不了在人有我他这中大来上个国到说们为子和你地出道也时年得就那要下以生会自着去之过家学对可她里后小么心多天而能好都然没"
    "日于起还发成事只作当想看文无开手十用主行方又如前所本见经头面公同三已老从动两长知民样现分将外但身些与高意进把法此实回二理"
    "美点月明其种声全工己话儿者向情部正名定女问力机给等几很业最间新什打便位因重被走电四第门相次东政海口使教西再平真听世气信北"
    "少关并内加化由却代军产入先山五太水万市场馆请开放票价元时间分钟"
    "這個來說們為時會過對裡後麼還發當無經頭麗麽從動兩長樣現將與進實種聲話兒處問機給幾業間電門東氣關並內產萬場館請開價鐘"
)
_PUNCTUATION = frozenset("，。、；：？！“”‘’（）《》〈〉【】「」『』—…·～\u3000")
_SAMPLE = 20_000
_DOUBTFUL = 0.25
"""Below this mean plausibility the text is none of ours and the general detector is asked."""
_UNREADABLE = 0.2


@dataclass(frozen=True, slots=True)
class Decoded:
    text: str
    encoding: str
    warnings: tuple[str, ...] = ()


def decode(data: bytes) -> Decoded:
    """The text of `data`. Raises DocumentError(`encoding`) when too much of it is readable in no encoding."""
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return _checked(data[len(mark) :].decode(encoding, "replace"), encoding)
    if b"\0" in data[:_SAMPLE] and len(data) % 2 == 0:
        return _single(data, _WIDE)
    if (text := _strict(data, "utf-8")) is not None:
        return Decoded(text, "utf-8")
    lines = data.split(b"\n")
    ours = [_is_utf8(line) for line in lines]
    if any(ours):
        return _mixed(lines, ours)
    return _single(data, _NARROW + _WIDE)


def _single(data: bytes, encodings: tuple[str, ...]) -> Decoded:
    reading = _best(data, encodings)
    if reading is not None:
        return _checked(*reading)
    from charset_normalizer import from_bytes

    guess = from_bytes(data).best()
    return _checked(data.decode("utf-8", "replace"), "utf-8") if guess is None else _checked(str(guess), guess.encoding)


def _mixed(lines: list[bytes], ours: list[bool]) -> Decoded:
    """A UTF-8 file with lines that are not: those are read together, in the encoding that suits them best."""
    strange = b"\n".join(line for line, utf8 in zip(lines, ours, strict=True) if not utf8)
    _, encoding = _best(strange, _NARROW) or ("", "utf-8")
    text = "\n".join(
        line.decode("utf-8" if utf8 else encoding, "replace") for line, utf8 in zip(lines, ours, strict=True)
    )
    decoded = _checked(text, encoding)
    if encoding == "utf-8":
        return decoded
    warning = f"the file mixes encodings: UTF-8 and {encoding}; each line was read in its own"
    return Decoded(decoded.text, f"utf-8+{encoding}", (warning, *decoded.warnings))


def _is_utf8(line: bytes) -> bool:
    """Valid UTF-8 beyond ASCII, and not by chance."""
    if line.isascii():
        return False
    text = _strict(line, "utf-8")
    return text is not None and _plausibility(text) >= _DOUBTFUL


def _strict(data: bytes, encoding: str) -> str | None:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError:
        return None


def _best(data: bytes, encodings: tuple[str, ...]) -> tuple[str, str] | None:
    """The most plausible reading and its encoding; None where no reading is plausible."""
    readings = [
        (_plausibility(text[:_SAMPLE]), text, encoding)
        for encoding in encodings
        if (text := _strict(data, encoding)) is not None
    ]
    score, text, encoding = max(readings, key=lambda reading: reading[0], default=(-3.0, "", ""))
    return (text, encoding) if score >= _DOUBTFUL else None


def _plausibility(text: str) -> float:
    """Mean weight of what is not plain ASCII; 1 where all of it is."""
    telling = [_weight(character) for character in text if not " " <= character <= "~" and character not in "\t\r\n"]
    return sum(telling) / len(telling) if telling else 1.0


def _weight(character: str) -> float:
    """How ordinary a character is in Chinese or English writing, from -3 to 2."""
    if character in _COMMON:
        return 2
    if character in _PUNCTUATION:
        return 1
    if "\u4e00" <= character <= "\u9fff":
        return 1 if _frequent(character) else -0.7
    category = unicodedata.category(character)
    if category in ("Cc", "Cn", "Co", "Cs"):
        return -3
    if "\uff01" <= character <= "\uff5e" or "\u2010" <= character <= "\u206f":
        return 0.8
    if character < "\u0250":
        return 0.5 if character.isalpha() else 0
    return -1


def _frequent(character: str) -> bool:
    """Level 1 of GB 2312 (3755 characters) or of Big5 (5401)."""
    simplified = character.encode("gb2312", "ignore")
    if simplified and 0xB0 <= simplified[0] <= 0xD7:
        return True
    traditional = character.encode("big5", "ignore")
    return bool(traditional) and 0xA4 <= traditional[0] <= 0xC6


def _checked(text: str, encoding: str) -> Decoded:
    damaged = text.count("\ufffd")
    if damaged > _UNREADABLE * max(len(text), 1):
        raise DocumentError(
            "encoding", "most of the text is in no encoding that can be recognised; save it as UTF-8 and try again"
        )
    warnings = (f"{damaged} characters could not be read and were replaced",) if damaged else ()
    return Decoded(text, encoding, warnings)
