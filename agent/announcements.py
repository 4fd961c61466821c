"""What is said in the persona's words about the conversation itself, and the notice that goes with it."""

from collections.abc import AsyncGenerator
from typing import Literal

from agent.events import Notice, NoticeCode
from agent.performance import Emit
from agent.persona import Persona
from agent.turn import Spoken
from configs.language import Lang

Announcement = Literal["ai_notice", "reminder", "takeover", "returned", "handover", "alone", "over", "ended"]
_CODES: dict[Announcement, NoticeCode] = {
    "reminder": "reminder",
    "takeover": "takeover",
    "returned": "returned",
    "handover": "handover",
    "alone": "handover",
    "over": "minors",
    "ended": "ended",
}


async def announced(
    what: Announcement, persona: Persona, lang: Lang, turn: int, emit: Emit
) -> AsyncGenerator[Spoken, None]:
    text: str = getattr(persona, what)[lang]
    if what in _CODES:
        await emit(Notice(turn, _CODES[what], text))
    yield text, lang, "greeting"


async def words(text: str, lang: Lang) -> AsyncGenerator[Spoken, None]:
    """One text, as it stands."""
    yield text, lang, "answer"
