"""A question without what is said around it: greetings, thanks, "could you tell me", hesitation. No I/O."""

import functools
import re
from importlib.resources import files

import yaml

from configs.characters import simplified
from configs.language import LANGUAGES, Lang
from knowledge.sentences import sentences

_AROUND = " \t\r\n，,、。.;；:：！!?？~～…—"
_HAN = re.compile(r"[\u3400-\u9fff]")
_TIGHT = re.compile(r"(?<=[\u3400-\u9fff]) (?=[\u3400-\u9fff])")
_SPEAKS = re.compile(r"\w")
_MOST = 9
"""Courtesies of a kind that are taken away: who has more in store asks nothing."""
_TRADITIONAL = 1 / 6
"""Share of its Chinese characters from which on a text is taken to be written in traditional ones."""
_LONGEST = 400
"""Characters; a longer text is left as it is."""
_ME = re.compile(r"(?<![\w'])i(?![\w-])")


def core(text: str, name: str = "") -> str:
    """The question alone, in simplified characters, with its mark; the whole text where it is nothing but courtesy.

    `name`: whose it is to answer, which an address may begin or end with. What is all in small letters gets its
    capitals: a question is one text, however it was typed or heard.
    """
    bare = _trimmed(_in_one_script(text))
    if len(bare) > _LONGEST:
        return text
    for _ in range(_MOST):
        before = bare
        for pattern in [*_addresses(name), *(one for lang in LANGUAGES for one in _courtesies(lang))]:
            shorter = _trimmed(pattern.sub(" ", bare))
            bare = shorter if _SPEAKS.search(shorter) else bare
        if bare == before:
            break
    if not _SPEAKS.search(bare):
        return text
    bare = _TIGHT.sub("", " ".join(bare.split()))
    return f"{bare}？" if _HAN.search(bare) else f"{_cased(bare)}?"


def parted(question: str) -> tuple[str, str]:
    """Of a question in several sentences, as `core` gives it: what it tells before it asks, and what it asks at last.

    ("", question) where it is one sentence, or none asks.
    """
    said = [sentence for sentence in sentences(question) if _SPEAKS.search(sentence)]
    asked = [core(sentence) for sentence in said]
    marked = [sentence.endswith(("?", "？")) for sentence in said[:-1]] + [False]  # the last mark is of `core`'s making
    asking = [at for at, one in enumerate(asked) if marked[at] or _asks(one)]
    if len(said) < 2 or not asking:
        return "", question
    joint = "" if _HAN.search(question) else " "
    return joint.join(said[: asking[-1]]), asked[asking[-1]]


def _asks(sentence: str) -> bool:
    return _asking("zh" if _HAN.search(sentence) else "en").search(sentence) is not None


def _in_one_script(text: str) -> str:
    """Simplified where it is written in traditional characters; one that a name has stays."""
    found = simplified(text)
    changed = sum(one != other for one, other in zip(text, found, strict=True))
    return found if changed >= _TRADITIONAL * len(_HAN.findall(text)) else text


def _trimmed(text: str) -> str:
    return text.strip(_AROUND)


def _cased(text: str) -> str:
    return _ME.sub("I", text[0].upper() + text[1:]) if text.islower() or text[0].islower() else text


@functools.lru_cache(maxsize=64)
def _addresses(name: str) -> tuple[re.Pattern[str], ...]:
    """A name where it is an address: behind a greeting or before a mark at the beginning, behind a mark at the end."""
    if not name:
        return ()
    one = rf"(?:{re.escape(name)})+"
    greeting = "(?:hello|hi|hey|ok|okay)[ ,]+|[嗨嘿]|哈[喽啰罗]|[你您]好"
    greeted = rf"^(?:(?:(?:{greeting})[，, ]*{one}(?![\w'])[，, ]*){{1,5}}|{one}(?=[，,、。.！!：:…]|[你您]好))"
    return re.compile(greeted, re.IGNORECASE), re.compile(rf"[，,。.？?！!]+\s*{one}$", re.IGNORECASE)


@functools.cache
def _courtesies(lang: Lang) -> tuple[re.Pattern[str], ...]:
    """What hesitates, what opens and what closes, as `configs/courtesies.yaml` has it."""
    content = _content(lang)
    opens, closes, hesitates = ("".join(content[key].splitlines()) for key in ("opens", "closes", "hesitates"))
    start, end = (
        (r"^(?:{})(?![\w'])", r"(?<![\w'])(?=.{{1,60}}$)(?:{})$")
        if lang == "en"
        else ("^(?:{})", "(?=.{{1,20}}$)(?:{})$")
    )
    return tuple(re.compile(pattern, re.IGNORECASE) for pattern in (hesitates, start.format(opens), end.format(closes)))


@functools.cache
def _asking(lang: Lang) -> re.Pattern[str]:
    return re.compile("".join(_content(lang)["asks"].splitlines()), re.IGNORECASE)


def _content(lang: Lang) -> dict[str, str]:
    content: dict[Lang, dict[str, str]] = yaml.safe_load(
        files("configs").joinpath("courtesies.yaml").read_text("utf-8")
    )
    return content[lang]
