"""How a written word sounds next to its neighbours: from the dictionary where its package is installed, else by rule.

For the mouth of a voice that tells when each word is said, but not which sounds it makes.
"""

import re
from functools import cache, lru_cache

from avatar.engines.english import English
from avatar.phonemes import of, sounds
from configs.language import Lang

_LATIN = re.compile("[A-Za-z]+(?:['’][A-Za-z]+)*")
_COMMON = {
    "a": "ə", "all": "ɔl", "an": "ən", "and": "ænd", "any": "ɛni", "are": "ɑɹ", "as": "æz", "away": "əwA",
    "be": "bi", "been": "bɪn", "before": "bəfɔɹ", "by": "bI", "call": "kɔl", "come": "kʌm", "could": "kʊd",
    "do": "du", "does": "dʌz", "every": "ɛvɹi", "from": "fɹʌm", "give": "ɡɪv", "good": "ɡʊd", "great": "ɡɹAt",
    "has": "hæz", "have": "hæv", "here": "hɪɹ", "his": "hɪz", "how": "hW", "i": "I", "is": "ɪz", "know": "nO",
    "live": "lɪv", "many": "mɛni", "minute": "mɪnət", "new": "nu", "now": "nW", "of": "ʌv", "on": "ɔn",
    "one": "wʌn", "only": "Onli", "or": "ɔɹ", "other": "ʌðəɹ", "our": "Wəɹ", "people": "pipəl", "said": "sɛd",
    "should": "ʃʊd", "some": "sʌm", "talk": "tɔk", "the": "ðə", "their": "ðɛɹ", "there": "ðɛɹ", "they": "ðA",
    "to": "tə", "today": "tədA", "two": "tu", "us": "ʌs", "walk": "wɔk", "was": "wʌz", "water": "wɔtəɹ",
    "were": "wɜɹ", "what": "wʌt", "where": "wɛɹ", "who": "hu", "would": "wʊd", "you": "ju", "your": "jʊɹ",
}  # fmt: skip
"""Words that are said otherwise than they are written, and said often."""


@cache
def dictionary() -> English | None:
    """Loaded when it is first asked for, in 0.3 s: a voice that needs it does so, off the loop, in `warm`."""
    try:
        return English("us")
    except ImportError:
        return None


def read(word: str, lang: Lang, before: str = "", after: str = "") -> tuple[str, ...]:
    """The sounds of `word` between its neighbours; of several words or a number, of each in turn."""
    if not _LATIN.fullmatch(word):
        return _one(word, lang) if len(word) == 1 else of(word, lang)
    known = dictionary()
    if known is not None:
        return tuple(sounds(known.word(word, before, after)))
    if (common := _COMMON.get(word.lower())) is not None:
        return tuple(sounds(common))
    return of(word, lang)


@lru_cache(maxsize=4096)
def _one(character: str, lang: Lang) -> tuple[str, ...]:
    return of(character, lang)
