"""A question without what is politeness and punctuation, so that a rule can be held against the whole of it. No I/O."""

import re
import unicodedata

from configs.language import Lang

LONGEST = 60
"""Characters of a question that a rule may take; who asks at such length asks for more."""

_OPENING: dict[Lang, re.Pattern[str]] = {
    "zh": re.compile(
        "^(?:[你您]好|嗨|哈喽|请问|请|麻烦[你您]?|那么?|嗯+|哦+|啊+|好的?|[你您](?:能|可以|可不可以|能不能)?(?:帮我)?(?=告诉|查|算|看)"
        "|[你您]?知道|我?(?:想|要)(?:知道|问)(?:一?下)?|(?:能|可以)?告诉我(?:一下)?|帮我?(?:查|看|查查|看看)(?:一?下)?|一下)"
    ),
    "en": re.compile(
        "^(?:hello|hi|hey|excuse me|please|so|well|um|ok(?:ay)?|and|sorry"
        "|(?:can|could|would|will) you(?: please)?(?= tell)"
        "|(?:do you|would you happen to) know|i (?:want|would like|d like) to know|(?:please )?tell me|by the way) "
    ),
}
_CLOSING: dict[Lang, re.Pattern[str]] = {
    "zh": re.compile("(?:呢|啊|呀|哦|哈|嘛|吗|吧|啦|谢谢|谢了|[你您]知道)$"),
    "en": re.compile(" (?:please|thanks|thank you|then|exactly|do you know)$"),
}


def stripped(question: str, lang: Lang, keep: str = "") -> str:
    """Folded words and the characters of `keep`; empty for a question that is too long.

    Chinese without spaces, English with one between words and without apostrophes.
    """
    if len(question) > LONGEST:
        return ""
    folded = unicodedata.normalize("NFKC", question).casefold().replace("'", "").replace("’", "")
    words = "".join(char if char.isalnum() or char in keep else " " for char in folded).split()
    bare = ("" if lang == "zh" else " ").join(words)
    for pattern in (_OPENING[lang], _CLOSING[lang]):
        while (shorter := pattern.sub("", bare, count=1).strip()) != bare and shorter:
            bare = shorter
    return bare
