"""What is said in the persona's words about the conversation itself, and the notice that goes with it."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Literal

from agent.events import Event, Notice, NoticeCode
from agent.performance import Emit
from agent.persona import Both, Persona
from agent.turn import Spoken
from configs.language import Lang, detect

Announcement = Literal[
    "greeting", "ai_notice", "reminder", "takeover", "returned", "handover", "alone", "over", "ended"
]
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


def promises_a_human(event: Event, persona: Persona) -> bool:
    """Where no operator is there, the session says so in one more turn."""
    alone = persona.alone
    return isinstance(event, Notice) and event.code == "handover" and event.message not in (alone.zh, alone.en)


async def words(text: str, lang: Lang) -> AsyncGenerator[Spoken, None]:
    """One text, as it stands."""
    yield text, lang, "answer"


async def awaited(line: "asyncio.Future[str]", hold: str, lang: Lang, patience: float) -> AsyncGenerator[Spoken, None]:
    """The operator's line, and before it, as long as it does not come, a word of patience now and then."""
    while not line.done():
        await asyncio.wait({line}, timeout=patience)
        if not line.done():
            patience *= 2
            yield hold, lang, "apology"
    yield line.result(), detect(line.result()) or lang, "answer"


def shown(line: Both, lang: Lang | None) -> str:
    """In both languages where nothing tells which one the user reads."""
    return line[lang] if lang else f"{line['zh']} / {line['en']}"
