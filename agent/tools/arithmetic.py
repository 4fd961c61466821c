"""A tool that calculates, exactly where a number can be said exactly."""

import re
import unicodedata
from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Any

from agent.tools.expressions import LONGEST, Binary, ExpressionError, Fault, Tree, evaluated, parsed
from agent.tools.tool import Arguments, Context, Result, ToolError
from configs.language import Lang

_SAYABLE = 10**15
_PLACES = 6
_FAULTS: dict[Fault, dict[Lang, str]] = {
    "syntax": {"zh": "这个算式我看不懂。", "en": "I can't read that calculation."},
    "zero": {"zh": "零不能作除数。", "en": "Dividing by zero isn't possible."},
    "large": {"zh": "这个数太大了，我算不了。", "en": "That is too large for me to work out."},
}
_ASKED: dict[Lang, re.Pattern[str]] = {
    "zh": re.compile(
        r"(?:请问|那么?|请|麻烦|[你您](?:能|可以)?|帮我|告诉我|知道|一下)*(?P<order>(?:计算|算)(?:一下|一?算)?)?[:：,，]?"
        r"(?P<sum>.+?)(?P<ask>(?:等于|是|得|=)+(?:多少|几|什么)?|[=?]|(?<=[的次])结果(?:是多少)?)?[呢啊呀]?"
    ),
    "en": re.compile(
        r"(?:(?:hello|hi|hey|please|so|ok|okay|and|well|can you|could you|tell me)[, ]+)*"
        r"(?P<order>(?:what ?s|what is|what does|how much is|how much s|calculate|compute|work out|whats)\s+)?"
        r"(?P<sum>.+?)(?P<ask>\s*(?:=|equals?|is|make|makes)(?:\s*what)?|)(?:[, ]+please)?"
    ),
}
_WRITTEN = re.compile(r"[0-9]+(?:[-/.][0-9]+)+")
"""A date, a telephone number, 24/7: a calculation only where it is said to be one."""


class Arithmetic:
    name = "arithmetic"
    description: Mapping[Lang, str] = {
        "zh": "准确计算一个算式：+ - * / ^、百分号、括号，数字也可以用中文或英文写。",
        "en": "Work out a calculation exactly: + - * / ^, per cent, parentheses, numbers in figures or words.",
    }
    parameters: Mapping[str, Any] = {
        "type": "object",
        "properties": {"expression": {"type": "string", "description": "(12 + 8) * 15%", "minLength": 1}},
        "required": ["expression"],
        "additionalProperties": False,
    }
    seconds: float | None = None

    async def call(self, arguments: Arguments, context: Context) -> Result:
        try:
            value = evaluated(parsed(_folded(arguments["expression"]).rstrip("= ")))
            return Result(_said(value, context.lang))
        except ExpressionError as error:
            raise ToolError(error.code, _FAULTS[error.code][context.lang]) from error

    def hears(self, question: str, lang: Lang) -> Arguments | None:
        if len(question) > LONGEST:
            return None
        asked = _ASKED[lang].fullmatch(_folded(question).rstrip("?.。! "))
        if asked is None:
            return None
        expression = asked["sum"].strip()
        told = bool(asked["ask"]) or (lang == "zh" and bool(asked["order"]))
        if _WRITTEN.fullmatch(expression) and not told:
            return None
        try:
            return {"expression": expression} if _calculates(parsed(expression)) else None
        except ExpressionError:
            return None


def _calculates(tree: Tree) -> bool:
    """Is there anything to work out but a percentage or a negative number?"""
    match tree:
        case Binary("/", left, Fraction(numerator=100)) | Binary("-", Fraction(numerator=0), left):
            return _calculates(left)
        case Binary():
            return True
        case _:
            return False


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold().replace("'", "").replace("’", "").strip()


def _said(value: Fraction, lang: Lang) -> str:
    if abs(value) >= _SAYABLE or 0 < abs(value) < Fraction(1, _SAYABLE):
        raise ExpressionError("large")
    figures, exact = _figures(value)
    if lang == "zh":
        return f"结果{'是' if exact else '约为'}{figures}。"
    return f"The answer is {'' if exact else 'about '}{figures}."


def _figures(value: Fraction) -> tuple[str, bool]:
    """Decimals, six at most or, of a small number, six that tell; and whether that is all of it."""
    places = _PLACES
    while abs(value) * 10**places < 10 ** (_PLACES - 1) and value:
        places += 1
    rounded = round(value, places) if value.denominator > 1 else value
    text = f"{Decimal(rounded.numerator) / Decimal(rounded.denominator):f}"
    return (text.rstrip("0").rstrip(".") if "." in text else text), rounded == value
