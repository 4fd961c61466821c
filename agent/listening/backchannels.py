"""Whom words are meant for that are said while the presenter speaks."""

from collections.abc import Sequence
from typing import Literal

from agent.listening.homophones import sound
from agent.listening.wordlists import Words, folded, words
from configs.language import Lang

Meant = Literal["nothing", "backchannel", "laughter", "aside", "stop", "speech", "short"]
"""Nobody said anything; they listen; they laugh or cough; somebody else is spoken to; the presenter is to be silent, or
to answer, in so few words that they are listed; it is spoken to; too little was heard to say."""

_ENOUGH: dict[Lang, int] = {"zh": 5, "en": 4}
"""Han characters, or words, of an unfinished text that can be judged: it is longer than what listeners say."""


def meant(text: str, lang: Lang, *, final: bool, names: Sequence[str] = ()) -> Meant:
    """`final`: that is all of it. `names`: the presenter's own."""
    listed = words(lang)
    text = _spelt(text, listed)
    plain = folded(text)
    if not plain or plain in listed.phantoms:
        return "nothing" if final else "short"
    if listed.laughter.match(plain):
        return "laughter"
    own = [name for name in map(folded, names) if name]
    if plain in listed.stops or plain in own or (final and plain in listed.asks):
        return "stop"
    if listed.backchannel.match(plain):
        return "backchannel"
    mine = any(name in plain for name in own)
    if not mine and _aside(text, listed):
        return "aside"
    if not final and listed.stop.match(plain):
        return "stop"
    if (alike := _alike(plain, listed, final)) is not None:
        return alike
    if final:
        return "speech"
    return "speech" if _count(plain, lang) >= _ENOUGH[lang] and (mine or not _calling(plain, listed)) else "short"


def _alike(plain: str, listed: Words, final: bool) -> Meant | None:
    """By how it sounds."""
    heard = sound(plain)
    if heard in listed.heard_stops or (final and heard in listed.heard_asks):
        return "stop"
    return "backchannel" if heard and listed.heard_backchannel.match(heard) else None


def _spelt(text: str, listed: Words) -> str:
    """Whom it calls first, spelt as it should be."""
    for length in (2, 3):
        if (called := listed.kin.get(sound(text[:length]))) is not None:
            return called + text[length:]
    return text


def _aside(text: str, listed: Words) -> bool:
    return any(pattern.search(text) for pattern in listed.asides)


def _calling(plain: str, listed: Words) -> bool:
    """It begins with a call to somebody, and what they are told is still to come."""
    first = plain.split()[0] if " " in plain else plain[:3]
    if listed.openings.match(plain) or listed.heard_openings.match(sound(plain)):
        return True
    return any(listed.called.match(one) for one in (first, plain[:2], plain))


def _count(plain: str, lang: Lang) -> int:
    return len(plain) if lang == "zh" else len(plain.split())
