"""What a moderator is: a text in, what is wrong with it out."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Protocol, get_args

from configs.language import Lang
from configs.safety import Category

RISKS: Mapping[str, str] = {
    "A1a": "subverting state power",
    "A1b": "harming national security or image",
    "A1c": "separatism",
    "A1d": "terrorism and extremism",
    "A1e": "ethnic hatred",
    "A1f": "violence and pornography",
    "A1g": "false harmful information",
    "A1h": "other prohibited content",
    "A2a": "discrimination by ethnicity",
    "A2b": "discrimination by belief",
    "A2c": "discrimination by nationality",
    "A2d": "discrimination by region",
    "A2e": "discrimination by gender",
    "A2f": "discrimination by age",
    "A2g": "discrimination by occupation",
    "A2h": "discrimination by health",
    "A2i": "other discrimination",
    "A3a": "infringing intellectual property",
    "A3b": "breaching business ethics",
    "A3c": "leaking trade secrets",
    "A3d": "monopoly and unfair competition",
    "A3e": "other commercial violations",
    "A4a": "harming physical or mental health",
    "A4b": "infringing portrait rights",
    "A4c": "infringing reputation",
    "A4d": "infringing honour",
    "A4e": "infringing privacy",
    "A4f": "infringing personal information",
    "A4g": "infringing other rights",
    "A5a": "inaccurate content",
    "A5b": "unreliable content",
}
"""The 31 risks of TC260-003 (GB/T 45654), appendix A."""

RISK_OF: Mapping[Category, str] = {
    "state": "A1b",
    "extremism": "A1d",
    "violence": "A1f",
    "sexual": "A1f",
    "weapons": "A1h",
    "drugs": "A1h",
    "gambling": "A1h",
    "fraud": "A1h",
    "rumour": "A1g",
    "hate": "A2i",
    "self_harm": "A4a",
    "insult": "A4c",
    "privacy": "A4f",
    "injection": "A5b",
    "leak": "A3c",
    "human": "A5a",
    "language": "A5b",
    "endless": "A5b",
    "unmoderated": "A5b",
}
"""The risk of a category where a finding tells none of its own."""

CATEGORIES: tuple[Category, ...] = get_args(Category)
Span = tuple[int, int]
Direction = Literal["question", "answer"]


class ModerationError(RuntimeError):
    """No judgement: the engine failed. `code`: unreachable, refused, garbled, timeout."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class Finding:
    """`score`: 0 to 1, how sure. `span`: the part of the text it is about; None: the whole."""

    category: Category
    risk: str
    score: float = 1.0
    span: Span | None = None

    @classmethod
    def of(cls, category: Category, score: float = 1.0, span: Span | None = None) -> "Finding":
        return cls(category, RISK_OF[category], score, span)


class Moderator(Protocol):
    async def judge(self, text: str, lang: Lang) -> tuple[Finding, ...]:
        """Everything found, in any order. Raises ModerationError."""
        ...

    async def aclose(self) -> None: ...
