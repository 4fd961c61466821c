"""Names and terms that a recogniser should expect, from the titles and headings of what the presenter knows. Pure."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence

from configs.language import LANGUAGES, Lang, detect

_PARTS = re.compile(
    r"[\s,，.。:：;；、|/（）()【】\[\]《》“”\"'?？!！—–-]*[,，。:：;；、|/（）()【】\[\]《》“”\"?？!！—–]+\s*"
)
_JOINTS = re.compile(r"与|和|及|以及")
_NUMBERING = re.compile(r"^(?:第?[一二三四五六七八九十百\d]+[章节条步、.．)）]?|[ivxIVX]+[.)])\s*(?=\D)")
_EMPTY = {
    *("简介", "概述", "说明", "其他", "附录", "目录", "介绍", "总结", "注意事项", "常见问题", "联系我们", "参考"),
    *("overview", "introduction", "summary", "contents", "other", "appendix", "notes", "faq", "references", "about"),
}
_LONGEST = {"zh": 12, "en": 40}


def hot_words(headings: Iterable[str], most: int = 20) -> list[str]:
    """At most `most` terms in each language, what stands in most headings first, then in the order given; the two
    languages take turns, so that a prompt that is cut short has both."""
    found: dict[Lang, Counter[str]] = {lang: Counter() for lang in LANGUAGES}
    spelt: dict[str, str] = {}
    for heading in headings:
        for term in dict.fromkeys(_terms(heading)):
            key = term.lower()
            lang = detect(term)
            if lang is not None:
                found[lang][spelt.setdefault(key, term)] += 1
    lists = [[term for term, _ in found[lang].most_common(most)] for lang in LANGUAGES]
    return _in_turn(lists)


def _terms(heading: str) -> Iterable[str]:
    for part in _PARTS.split(f"{heading} "):
        bare = _NUMBERING.sub("", part.strip().strip("#*_` ")).strip()
        pieces = _JOINTS.split(bare) if detect(bare) == "zh" else [bare]
        for term in pieces if all(len(piece) >= 2 for piece in pieces) else [bare]:
            lang = detect(term)
            if lang and 2 <= len(term) <= _LONGEST[lang] and term.lower() not in _EMPTY:
                yield term


def _in_turn(lists: Sequence[Sequence[str]]) -> list[str]:
    longest = max(map(len, lists), default=0)
    return [words[index] for index in range(longest) for words in lists if index < len(words)]
