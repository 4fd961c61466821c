"""A question without what is said around it: greetings, thanks, "could you tell me", hesitation. No I/O."""

import functools
import re
from importlib.resources import files
from typing import Literal

import yaml

from configs.characters import simplified
from configs.language import LANGUAGES, Lang
from knowledge.sentences import sentences

_AROUND = " \t\r\n，,、。.;；:：！!?？~～…—"
_HAN = re.compile(r"[\u3400-\u9fff]")
_TIGHT = re.compile(r"(?<=[\u3400-\u9fff]) (?=[\u3400-\u9fff])")
_SPEAKS = re.compile(r"\w")
_SAYS_NOTHING = re.compile(
    r"[\W吗呢吧啊呀的了么你您我]*|(?:what|how|why|when|where|who|which|is|it|\W)*", re.IGNORECASE
)
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
    patterns = [*_addresses(name), *(one for lang in LANGUAGES for one in _courtesies(lang))]
    for _ in range(_MOST):
        before = bare
        for pattern in patterns:
            shorter = " ".join(_trimmed(pattern.sub(" ", bare)).split())
            bare = bare if _SAYS_NOTHING.fullmatch(shorter) else shorter
        bare = bare if bare != before else _TIGHT.sub("", bare)
        if bare == before:
            break
    if not _SPEAKS.search(bare):
        return text
    return f"{bare}？" if _HAN.search(bare) else f"{_cased(bare)}?"


def parted(question: str) -> tuple[str, str]:
    """Of a question in several sentences, as `core` gives it: what it tells besides, and the last sentence that asks.

    ("", question) where it is one sentence, where none asks, and where the answer may depend on what is told.
    """
    said = [sentence for sentence in sentences(question) if _SPEAKS.search(sentence)]
    asked = [core(sentence) for sentence in said]
    marked = [at for at, sentence in enumerate(said[:-1]) if sentence.endswith(("?", "？"))]
    guessed = [at for at, sentence in enumerate(asked) if _finds("asks", sentence)]
    asking = [at for at in guessed if at in marked or at == len(said) - 1] or marked or guessed
    if len(said) < 2 or not asking:
        return "", question
    said[-1] = said[-1].rstrip("?？")
    told = ("" if _HAN.search(question) else " ").join(said[: asking[-1]] + said[asking[-1] + 1 :])
    return ("", question) if _finds("conditions", told) else (told, asked[asking[-1]])


def _finds(what: Literal["asks", "conditions"], sentence: str) -> bool:
    return _sought(what, "zh" if _HAN.search(sentence) else "en").search(sentence) is not None


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
    opens = content["opens"].replace("{next}", content["next"])
    start, end = ("^(?:{})", "(?=.{{1,20}}$)(?:{})$")
    if lang == "en":
        start, end = r"^(?:{})(?![\w'-])", r"(?<![\w'])(?=.{{1,60}}$)(?:{})$"
    whole = (content["hesitates"], start.format(opens), end.format(content["closes"]))
    return tuple(re.compile(pattern, re.IGNORECASE) for pattern in whole)


@functools.cache
def _sought(what: Literal["asks", "conditions"], lang: Lang) -> re.Pattern[str]:
    return re.compile(_content(lang)[what], re.IGNORECASE)


def _content(lang: Lang) -> dict[str, str]:
    content: dict[Lang, dict[str, str]] = yaml.safe_load(
        files("configs").joinpath("courtesies.yaml").read_text("utf-8")
    )
    return {key: "".join(expression.splitlines()) for key, expression in content[lang].items()}
