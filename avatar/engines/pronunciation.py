"""Text to Kokoro's phonemes in both languages, each stretch of them still knowing what was written."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from avatar.engines.english import Dialect, English
from avatar.engines.mandarin import Mandarin
from avatar.spoken import Group, groups
from configs.language import Lang

_TOKEN = re.compile(
    r"(?P<han>[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003134f]+)"
    r"|(?P<latin>[A-Za-z]+(?:['’][A-Za-z]+)*)"
    r"|(?P<mark>—+|[,.;:!?…()“”\"，、。；：！？《》「」『』【】（）\n]|\s-\s|––|--)"
)
_ACCENTS = str.maketrans("àáâãäåçèéêëìíîïñòóôõöùúûüýÿ", "aaaaaaceeeeiiiinooooouuuuyy")
_MARKS = {
    "，": ",", "、": ",", "。": ".", "；": ";", "：": ":", "！": "!", "？": "?", "《": "“", "「": "“", "『": "“",
    "【": "“", "》": "”", "」": "”", "』": "”", "】": "”", "（": "(", "）": ")", "\n": ",", "-": "—", "--": "—",
    "––": "—", "——": "—",
}  # fmt: skip
_OPENING = "“("


@dataclass(frozen=True, slots=True)
class Sound:
    """Phonemes, and the word, Han character or number they were `written` as; "" for marks and spaces."""

    written: str
    phonemes: str


@dataclass(frozen=True, slots=True)
class _Atom:
    """One word or character of the text as read: where it stands, and whether it follows without a space."""

    at: int
    written: str
    phonemes: str
    joined: bool


class Pronunciation:
    """Dictionaries are loaded when their language is first spoken."""

    def __init__(self, cache: Path, dialect: Dialect) -> None:
        self._cache, self._dialect = cache, dialect

    @cached_property
    def english(self) -> English:
        return English(self._dialect)

    @cached_property
    def mandarin(self) -> Mandarin:
        return Mandarin(self._cache)

    def sounds(self, text: str, lang: Lang) -> list[Sound]:
        """The whole of `text` in order; empty where nothing in it can be said."""
        read = list(groups(text, lang))
        owners = _owners(read)
        sounds: list[Sound] = []
        last: Group | None = None
        for atom in self._atoms("".join(group.spoken for group in read)):
            owner = owners[atom.at] if atom.written else None
            space = "" if atom.joined or not sounds else " "
            if owner is not None and owner is last:
                sounds[-1] = Sound(sounds[-1].written, sounds[-1].phonemes + space + atom.phonemes)
                continue
            if space and sounds[-1].phonemes[-1] not in _OPENING:
                sounds.append(Sound("", " "))
            sounds.append(Sound(owner.written.strip() if owner else atom.written, atom.phonemes))
            last = owner
        return sounds if any(sound.written for sound in sounds) else []

    def _atoms(self, said: str) -> Iterator[_Atom]:
        tokens = list(_TOKEN.finditer(said.translate(_ACCENTS)))
        for index, token in enumerate(tokens):
            if token["mark"]:
                mark = _MARKS.get(token[0].strip() or token[0], token[0][0])
                yield _Atom(token.start(), "", mark, mark not in _OPENING)
            elif token["han"]:
                yield from self._han(token)
            else:
                before, after = _neighbour(tokens, index - 1), _neighbour(tokens, index + 1)
                if phonemes := self.english.word(token[0], before, after):
                    yield _Atom(token.start(), said[token.start() : token.end()], phonemes, False)

    def _han(self, token: re.Match[str]) -> Iterator[_Atom]:
        at = token.start()
        for word in self.mandarin.words(token[0]):
            joined = False
            for char, phonemes in word:
                if phonemes:
                    yield _Atom(at, char, phonemes, joined)
                    joined = True
                at += 1


def _owners(read: list[Group]) -> list[Group | None]:
    """For each character as read, the group that put it into words; None where it stands as written."""
    return [group if group.spoken != group.written else None for group in read for _ in group.spoken]


def _neighbour(tokens: list[re.Match[str]], index: int) -> str:
    return tokens[index][0] if 0 <= index < len(tokens) and tokens[index]["latin"] else ""
