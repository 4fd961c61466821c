"""A question without what is politeness and punctuation, so that a rule can be held against the whole of it. No I/O."""

import re
import unicodedata

from configs.language import Lang
from knowledge.courtesy import core

LONGEST = 60
"""Characters of a question that a rule may take; who asks at such length asks for more."""

_OPENING: dict[Lang, re.Pattern[str]] = {
    "zh": re.compile(
        "^(?:请|那么?|啊+|好的?|[你您](?:能|可以|可不可以|能不能)?(?:帮我)?(?=查|算|看)|[你您]?知道|帮我?(?:查|看|查查|看看)(?:一?下)?|一下)"
    ),
    "en": re.compile("^(?:so|well|and|do you know|tell me) "),
}
_CLOSING: dict[Lang, re.Pattern[str]] = {
    "zh": re.compile("(?:呢|吗|吧|[你您]知道)$"),
    "en": re.compile(" (?:then|exactly)$"),
}


def stripped(question: str, lang: Lang, keep: str = "") -> str:
    """Folded words and the characters of `keep`; empty for a question that is too long.

    Chinese without spaces, English with one between words and without apostrophes.
    """
    if len(question) > LONGEST:
        return ""
    folded = unicodedata.normalize("NFKC", core(question)).casefold().replace("'", "").replace("’", "")
    words = "".join(char if char.isalnum() or char in keep else " " for char in folded).split()
    bare = ("" if lang == "zh" else " ").join(words)
    for pattern in (_OPENING[lang], _CLOSING[lang]):
        while (shorter := pattern.sub("", bare, count=1).strip()) != bare and shorter:
            bare = shorter
    return bare
