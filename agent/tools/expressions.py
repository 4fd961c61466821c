"""Arithmetic as it is written and asked for, evaluated exactly on a bounded grammar of our own. No I/O.

sum     = product { (+ | -) product }
product = unary { (* | / | mod) unary }
unary   = - unary | power
power   = percent [ ^ unary ]
percent = ( NUMBER | "(" sum ")" ) { % }
"""

import re
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from agent.tools.numerals import NUMBER, value

LONGEST = 200
_TOKENS = 60
_NESTED = 20
_BITS = 512
"""Of a numerator or a denominator: some 150 digits on the way; what can be said is less."""

Fault = Literal["syntax", "zero", "large"]

_SPELT: tuple[tuple[str, str], ...] = (
    (rf"百分之\s*({NUMBER})", r"((\1)/100)"),
    (rf"({NUMBER})\s*分之\s*({NUMBER})", r"((\2)/(\1))"),
    (rf"(?:的\s*)?({NUMBER})\s*次[方幂]", r"^(\1)"),
    (r"的?平方|\bsquared\b", "^2"),
    (r"的?立方|\bcubed\b", "^3"),
    (r"\b(?:to|raised to) the power(?: of)?\b|\*\*", "^"),
    (r"加上?|\bplus\b", "+"),
    (r"减去?|\bminus\b|[−–—]", " - "),
    (r"乘以?|\btimes\b|\bmultiplied by\b|[×·∗]", "*"),
    (r"除以|\bdivided by\b|\bover\b|÷", "/"),
    (r"\bmod(?:ulo)?\b", "#"),
    (r"\bper ?cent\b", "%"),
    (r"%\s*(?:of\b|的)", "%*"),
    (r"的(?=\s*(?:\(|[0-9]+(?:\.[0-9]+)?\s*%))|\bof\b", "*"),
    (r"(?<=[0-9)])\s*x\s*(?=[0-9(])", "*"),
    (r"%(?=\s*[0-9(])", "#"),
)
_REWRITES = tuple((re.compile(pattern), into) for pattern, into in _SPELT)
_TOKEN = re.compile(rf"\s*(?:(?P<number>{NUMBER})|(?P<mark>[-+*/#^%()]))")


class ExpressionError(ValueError):
    """`code`: syntax, zero (a division by it), large."""

    def __init__(self, code: Fault) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Binary:
    operator: str
    left: "Tree"
    right: "Tree"


Tree = Fraction | Binary


def parsed(text: str) -> Tree:
    """The tree of an expression. Raises ExpressionError("syntax" or "large")."""
    if len(text) > LONGEST:
        raise ExpressionError("large")
    for pattern, into in _REWRITES:
        text = pattern.sub(into, text)
    parser = _Parser(_tokens(text))
    tree = parser.sum()
    if parser.rest:
        raise ExpressionError("syntax")
    return tree


def evaluated(tree: Tree) -> Fraction:
    """The exact value. Raises ExpressionError("zero" or "large")."""
    if isinstance(tree, Fraction):
        return tree
    left, right = evaluated(tree.left), evaluated(tree.right)
    match tree.operator:
        case "+":
            result = left + right
        case "-":
            result = left - right
        case "*":
            result = left * right
        case "^":
            result = _power(left, right)
        case operator:
            if right == 0:
                raise ExpressionError("zero")
            result = left / right if operator == "/" else left % right
    if max(result.numerator.bit_length(), result.denominator.bit_length()) > _BITS:
        raise ExpressionError("large")
    return result


def _power(base: Fraction, exponent: Fraction) -> Fraction:
    """A whole power, and a root never: it has no exact value."""
    if exponent.denominator != 1:
        raise ExpressionError("syntax")
    if base == 0 and exponent < 0:
        raise ExpressionError("zero")
    times = exponent.numerator
    if base in (0, 1, -1):
        times = times % 2 if base else min(times, 1)
    if (max(base.numerator.bit_length(), base.denominator.bit_length()) - 1) * abs(times) > _BITS:
        raise ExpressionError("large")
    return Fraction(base**times)


def _tokens(text: str) -> list[str | Fraction]:
    found: list[str | Fraction] = []
    at = 0
    while text[at:].strip():
        match = _TOKEN.match(text, at)
        number = value(match["number"]) if match and match["number"] else None
        if match is None or (match["number"] and number is None):
            raise ExpressionError("syntax")
        found.append(match["mark"] if number is None else number)
        at = match.end()
        if len(found) > _TOKENS:
            raise ExpressionError("large")
    return found


class _Parser:
    """Recursive descent; `rest` is what has not been read."""

    def __init__(self, tokens: list[str | Fraction]) -> None:
        self.rest = tokens[::-1]
        self._depth = 0

    def sum(self) -> Tree:
        tree = self._product()
        while (operator := self._taken("+-")) is not None:
            tree = Binary(operator, tree, self._product())
        return tree

    def _product(self) -> Tree:
        tree = self._unary()
        while (operator := self._taken("*/#")) is not None:
            tree = Binary(operator, tree, self._unary())
        return tree

    def _unary(self) -> Tree:
        self._depth += 1
        if self._depth > _NESTED:
            raise ExpressionError("large")
        tree = Binary("-", Fraction(0), self._unary()) if self._taken("-") else self._power()
        self._depth -= 1
        return tree

    def _power(self) -> Tree:
        base = self._percent()
        return Binary("^", base, self._unary()) if self._taken("^") else base

    def _percent(self) -> Tree:
        tree = self._atom()
        while self._taken("%"):
            tree = Binary("/", tree, Fraction(100))
        return tree

    def _atom(self) -> Tree:
        match self.rest.pop() if self.rest else None:
            case Fraction() as number:
                return number
            case "(":
                tree = self.sum()
                if self._taken(")"):
                    return tree
        raise ExpressionError("syntax")

    def _taken(self, operators: str) -> str | None:
        if self.rest and isinstance(self.rest[-1], str) and self.rest[-1] in operators:
            return str(self.rest.pop())
        return None
