"""A written sentence made fit for the ear: what is only for the eye is silent, parentheses and lines become pauses."""

import re
from collections.abc import Callable

from configs.language import Lang

Match = re.Match[str]
Rule = tuple[re.Pattern[str], Callable[[Match], str | None]]
"""What is written, and how it is read; a reading of None leaves the place to the rules that follow."""

_PICTURES = (
    r"[\U0001f000-\U0001faff\U000e0020-\U000e007f\u2600-\u27bf\u2b00-\u2bff\u2300-\u23ff\u25a0-\u25ff"
    r"\ufe0e\ufe0f\u200b-\u200d\u20e3©®™]+"
)
_TOP = "com|cn|org|net|edu|gov|io|ai|app|dev|info|tv|co|uk|eu|hk|tw|de|fr|jp|museum"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_HOST = rf"(?:{_LABEL}\.){{1,8}}(?:{_TOP})(?![A-Za-z0-9-])"
_ADDRESS = rf"(?:https?://|(?=www\.|{_HOST}))(?:www\.)?(?P<host>(?:{_LABEL}\.){{1,8}}[A-Za-z]{{2,}})(?::\d+)?"
_PATH = r"(?P<path>/[!-~]*[A-Za-z0-9/=&#])?/?"
_MAIL = rf"(?P<name>[A-Za-z0-9][\w.+-]{{0,63}})@(?P<host>(?:{_LABEL}\.){{1,8}}[A-Za-z]{{2,}})"
_SAID = {
    "zh": {".": "点", "-": "杠", "_": "下划线", "+": "加", "@": "艾特", "/": "斜杠"},
    "en": {".": " dot ", "-": " dash ", "_": " underscore ", "+": " plus ", "@": " at ", "/": " slash "},
}
_DIGITS = {"zh": "零幺二三四五六七八九", "en": "zero one two three four five six seven eight nine".split()}  # noqa: SIM905
_PAUSES = "，,。.；;：:、！!？?…—\n"
_AFTER_PAUSE = {"zh": "，", "en": ", "}


_NEAR = 80
"""Characters on either side that decide on a reading; without a limit a long text would cost its square."""


def behind(match: Match) -> str:
    """What is written before."""
    return match.string[max(0, match.start() - _NEAR) : match.start()]


def ahead(match: Match) -> str:
    """What is written after."""
    return match.string[match.end() : match.end() + _NEAR]


def rules(lang: Lang) -> tuple[Rule, ...]:
    """The rules in the order they are tried. They leave numbers as they are, but for those in addresses."""
    pause = _AFTER_PAUSE[lang]

    def paused(match: Match) -> str:
        """A pause, unless one is there already or nothing comes before or after."""
        before, after = behind(match).rstrip(), ahead(match).lstrip()
        if not before or not after or after[0] in _PAUSES + "）)":
            return ""
        return pause if before[-1] not in _PAUSES + "（(" else pause.strip("，,")

    def address(match: Match) -> str:
        path = match["path"] or ""
        return _spelt(match["host"] + (path if re.fullmatch(r"/[a-z]{2,16}", path) else ""), lang)

    table: tuple[tuple[str, Callable[[Match], str | None]], ...] = (
        (_MAIL, lambda match: _spelt(match[0], lang)),
        (_ADDRESS + _PATH, address),
        (r"!?\[(?=[^\[\]\n]*\]\()", lambda match: ""),
        (r"\]\([^()\s]*\)", lambda match: ""),
        (r"([A-Za-z]+)\((e?s)\)", lambda match: match[1] + match[2]),
        (r"(?<=\d)\s?\*\s?(?=\d)", lambda match: "×"),
        (r"(?:(?<=\n)|\A)[ \t]{0,9}(?:#{1,6}|>|[-*+•·▪◦])[ \t]+", lambda match: ""),
        (r"\s{0,9}\n\s*(?:(?:#{1,6}|>|[-*+•·▪◦])[ \t]+)?", paused),
        (r"[ \t]{0,9}(?:[（【]|\((?!\d{3}\)\s?\d{3}[- ])|\[(?![^\[\]\n]*\]\()|[）)\]】](?!\()|\|)[ \t]*", paused),
        (r"\*+|`+|~~|(?<!\w)_+|_+(?!\w)", lambda match: ""),
        (r"\.{3,}|…{2,}|。{2,}", lambda match: "…"),
        (rf"[ \t]{{0,9}}{_PICTURES}[ \t]*", lambda match: " " if match[0].strip() != match[0] else ""),
        (r"\s{0,9}[→➜⇒]\s*", lambda match: "到" if lang == "zh" else " to "),
    )
    return tuple((re.compile(pattern), say) for pattern, say in table)


def _spelt(address: str, lang: Lang) -> str:
    """Words stay words; signs get their names, digits are read one by one."""
    said = ""
    for part in re.findall(r"[A-Za-z]+|\d|.", address):
        word = _DIGITS[lang][int(part)] if part.isdigit() else _SAID[lang].get(part, part)
        gap = lang == "en" and said[-1:].isalnum() and word[:1].isalnum()
        said += (" " if gap else "") + word
    return said.strip()
