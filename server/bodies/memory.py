"""What is told of users' memories."""

from datetime import UTC, datetime

from agent.memory.memories import Dossier, Kept
from agent.memory.records import Exchange, Fact, Tally
from avatar.labels import Label
from configs.language import Lang
from server.bodies.base import Asked, Given


class ConsentBody(Asked):
    given: bool


class UserBody(Given):
    user: str
    conversations: int
    facts: int
    consent: bool
    last: datetime

    @classmethod
    def of(cls, tally: Tally) -> "UserBody":
        return cls(
            user=tally.user,
            conversations=tally.conversations,
            facts=tally.facts,
            consent=tally.consent,
            last=_time(tally.last),
        )


class FactBody(Given):
    """`key`: what it is about; a later fact of the same key takes its place."""

    id: str
    text: str
    lang: Lang
    key: str
    said: datetime

    @classmethod
    def of(cls, fact: Fact) -> "FactBody":
        return cls(id=fact.id, text=fact.text, lang=fact.lang, key=fact.key, said=_time(fact.said))


class MemoryBody(Given):
    user: str
    consent: bool
    consented: datetime | None
    facts: list[FactBody]
    conversations: int

    @classmethod
    def of(cls, dossier: Dossier) -> "MemoryBody":
        return cls(
            user=dossier.user,
            consent=bool(dossier.consent and dossier.consent.given),
            consented=_time(dossier.consent.at) if dossier.consent else None,
            facts=[FactBody.of(fact) for fact in dossier.facts],
            conversations=len(dossier.conversations),
        )


class ExchangeBody(Given):
    turn: int
    asked: str
    heard: str
    lang: Lang
    at: datetime

    @classmethod
    def of(cls, one: Exchange) -> "ExchangeBody":
        return cls(turn=one.turn, asked=one.asked, heard=one.heard, lang=one.lang, at=_time(one.at))


class ConversationBody(Given):
    persona: str
    base: str
    started: datetime
    last: datetime
    summary: str
    exchanges: list[ExchangeBody]

    @classmethod
    def of(cls, kept: Kept) -> "ConversationBody":
        one = kept.conversation
        return cls(
            persona=one.persona,
            base=one.base,
            started=_time(one.started),
            last=_time(one.last),
            summary=kept.summary.text if kept.summary else "",
            exchanges=[ExchangeBody.of(exchange) for exchange in kept.exchanges],
        )


class ExportBody(Given):
    """All there is of a user; without the ids by which conversations are gone on with. `AIGC`: the implicit label of
    what was generated of it (GB 45438-2025)."""

    user: str
    consent: bool
    consented: datetime | None
    facts: list[FactBody]
    conversations: list[ConversationBody]
    AIGC: dict[str, str]

    @classmethod
    def of(cls, dossier: Dossier, label: Label) -> "ExportBody":
        return cls(
            user=dossier.user,
            consent=bool(dossier.consent and dossier.consent.given),
            consented=_time(dossier.consent.at) if dossier.consent else None,
            facts=[FactBody.of(fact) for fact in dossier.facts],
            conversations=[ConversationBody.of(kept) for kept in dossier.conversations],
            AIGC=label.aigc,
        )


def _time(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
