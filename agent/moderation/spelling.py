"""English words as a lexicon compares them: inflected, with figures for letters, spelled out."""

import re
from dataclasses import dataclass

_WORD = re.compile(r"[a-z0-9@$]+(?:[!|*][a-z0-9@$]+)*(?:['’][a-z]+)?")
_LEET = str.maketrans("013457@$!|", "oieastasil")
_VOWELS = frozenset("aeiou")
_SPELLED = 3
"""Letters that stand alone in a row, from which on they are one word spelled out."""


@dataclass(frozen=True, slots=True)
class Word:
    """`hidden`: it was spelled out or written with figures."""

    text: str
    start: int
    end: int
    hidden: bool = False


def words(text: str) -> list[Word]:
    """Of a folded text."""
    found: list[Word] = []
    letters: list[re.Match[str]] = []
    for match in _WORD.finditer(text):
        alone = match.end() - match.start() == 1
        if not alone or (letters and text[letters[-1].end() : match.start()].count("\n")):
            found += _joined(letters)
            letters = []
        if alone:
            letters.append(match)
        else:
            found.append(_word(match))
    return found + _joined(letters)


def _joined(letters: list[re.Match[str]]) -> list[Word]:
    if len(letters) < _SPELLED:
        return [_word(match) for match in letters]
    text = "".join(match.group() for match in letters).translate(_LEET)
    return [Word(text, letters[0].start(), letters[-1].end(), hidden=True)]


def _word(match: re.Match[str]) -> Word:
    text = match.group()
    if text.isalpha():
        return Word(text, match.start(), match.end())
    plain = re.sub(r"['’]s?$|['’]", "", text)
    hidden = not plain.isalpha() and any(char.isalpha() for char in plain)
    plain = plain.translate(_LEET).replace("*", "") if hidden else plain
    return Word(plain, match.start(), match.end(), hidden)


def forms(word: str) -> set[str]:
    """A word and what it looks like inflected."""
    if not word.isalpha():
        return {word}
    if word.endswith("e"):
        made = {f"{word}s", f"{word}d", f"{word}r", f"{word}rs", f"{word[:-1]}ing"}
    elif word.endswith("y") and word[-2:-1] not in _VOWELS:
        made = {f"{word[:-1]}ies", f"{word[:-1]}ied", f"{word}ing"}
    else:
        twice = word + word[-1] if re.search(r"(?:^|[^aeiou])[aeiou][^aeiouwxy]$", word) else word
        made = {f"{base}{ending}" for base in {word, twice} for ending in ("ed", "ing", "er", "ers")}
        made.add(f"{word}es" if word.endswith(("s", "x", "z", "ch", "sh")) else f"{word}s")
    return {word, *made}
