"""Whether a piece of an answer is in a language that it should not be in."""

import re

from configs.language import Lang

_HAN = re.compile(r"[\u3400-\u9fff]")
_LATIN = re.compile(r"[A-Za-z\u00c0-\u024f]")
_LETTER = re.compile(r"[^\W\d_]")
_WORD = re.compile(r"[a-z\u00c0-\u024f]+(?:'[a-z]+)?")
_SURE = 6
"""Letters or words from which on a language can be told."""
_FEWEST, _SIGNS = 4, 0.3
"""Latin words of which so many have to be, or look, foreign."""
_OTHER: dict[Lang, int] = {"zh": 12, "en": 6}
"""Words, Chinese characters: a piece of the other language that is no mere name or title."""

_ENGLISH = frozenset(
    _WORD.findall(
        "the of and to in is it you that he was for on are with as his they be at this have from or had by not but "
        "what we when your can said there an each which do their if will about many then them would like so these her "
        "him has more could no my than been its who did get may over new our i a am us me she"
    )
)
_FOREIGN = frozenset(
    _WORD.findall(
        "le la les des du un une et est dans que qui pour pas sur avec ce cette sont nous vous je il elle mais ou au "
        "aux der die das und ist nicht ein eine mit von zu den dem auf für sich wir ich sie auch es werden wird el los "
        "las de en por para con una como pero más está son muy su al del lo o che di per non sono questo della nel è "
        "anche gli um uma não com os dos mas você ao em het een van dat op voor zijn niet ook"
    )
)
"""Of French, German, Spanish, Italian, Portuguese and Dutch."""


def foreign(text: str) -> bool:
    """Neither Chinese nor English; names and quotations of a few words are no language."""
    letters = len(_LETTER.findall(text))
    han = len(_HAN.findall(text))
    strange = letters - han - len(_LATIN.findall(text))
    if letters >= _SURE and strange > 0.4 * letters:
        return True
    words = _WORD.findall(text.casefold())
    others = sum(word in _FOREIGN and word not in _ENGLISH for word in words)
    english = sum(word in _ENGLISH for word in words)
    marked = sum(any(ord(char) > 0x7F for char in word) for word in words)
    signs = others + marked
    return len(words) >= max(_FEWEST, han) and others > 0 and signs > 2 * english and signs >= _SIGNS * len(words)


def other(text: str, lang: Lang) -> bool:
    """In the other of the two languages, and more than a name of it."""
    han, words = len(_HAN.findall(text)), len(_WORD.findall(text.casefold()))
    return words >= _OTHER["en"] and han * 4 < words if lang == "zh" else han >= _OTHER["zh"] and words * 4 < han
