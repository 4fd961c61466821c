"""Whom words are meant for that are said while the presenter speaks."""

from typing import Literal

from agent.listening.wordlists import Words, folded, words
from configs.language import Lang

Meant = Literal["nothing", "backchannel", "laughter", "aside", "stop", "speech", "short"]
"""Nobody said anything; they listen; they laugh or cough; somebody else is spoken to; the presenter is to be silent, or
is spoken to; too little was heard to say."""

_ENOUGH: dict[Lang, int] = {"zh": 3, "en": 3}
"""Han characters, or words, of an unfinished text that can be judged."""


def meant(text: str, lang: Lang, *, final: bool, name: str = "") -> Meant:
    """`final`: that is all of it. `name`: the presenter's own."""
    listed, plain = words(lang), folded(text)
    if not plain or plain in listed.phantoms:
        return "nothing" if final else "short"
    if listed.laughter.match(plain):
        return "laughter"
    if listed.backchannel.match(plain) and plain not in listed.stops:
        return "backchannel"
    mine = bool(name) and folded(name) in plain
    if not mine and _aside(text, listed):
        return "aside"
    if plain in listed.stops or (not final and listed.stop.match(plain)):
        return "stop"
    if final:
        return "speech"
    return "speech" if _count(plain, lang) >= _ENOUGH[lang] and (mine or not _calling(plain, listed)) else "short"


def _aside(text: str, listed: Words) -> bool:
    return any(pattern.search(text) for pattern in listed.asides)


def _calling(plain: str, listed: Words) -> bool:
    """It begins with a call to somebody, and what they are told is still to come."""
    first = plain.split()[0] if " " in plain else plain[:3]
    return any(listed.called.match(one) for one in (first, plain[:2], plain))


def _count(plain: str, lang: Lang) -> int:
    return len(plain) if lang == "zh" else len(plain.split())
