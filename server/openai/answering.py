"""One question, answered as text in a session of its own: it begins with the client's history and keeps nothing."""

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing

from agent.announcements import promises_a_human
from agent.commands import Configure, OfferTools, Say, ToolAnswered
from agent.conduct import Conduct
from agent.events import Event, ToolCalled, TurnEnded
from agent.memory import Memory
from agent.memory.records import Exchange
from agent.presenter import Presenter
from agent.session import Session
from agent.situation import Situation
from configs.language import detect
from server.admission import Admission
from server.assemble import Service
from server.auth import Grant
from server.openai.conversation import Asked
from server.openai.errors import Wrong
from server.protocols.base import Rejected

_WAIT = {"starting": "5", "busy": "20"}


class Answering:
    def __init__(self, service: Service, admission: Admission) -> None:
        self._service, self._admission = service, admission

    async def events(self, grant: Grant, bases: tuple[str, ...], asked: Asked) -> AsyncGenerator[Event, None]:
        """Until the answer is given; closing it stops the answer. Raises Wrong where it cannot begin now."""
        refusal = self._admission.refusal(bases)
        if refusal is not None:
            raise turned_away(refusal)
        with self._admission.admitted():
            presenter = self._service.presenter_for(*bases)
            conduct = Conduct(self._service.settings.conduct, minor=grant.minors)
            memory = await _remembered(presenter, asked, conduct.minor)
            session = Session(presenter, memory=memory, conduct=conduct)
            try:
                await session.handle(Configure(spoken=False))
                await session.handle(OfferTools(asked.tools))
                await session.say(Say(asked.question, instructions=asked.instructions))
                async with aclosing(_told(session, presenter, list(asked.done))) as told:
                    async for event in told:
                        yield event
            finally:
                await session.close()


async def _told(session: Session, presenter: Presenter, done: list[tuple[str, str]]) -> AsyncGenerator[Event, None]:
    """Until the answer has been given, or the client is to do something first."""
    owed = waits = False
    while True:
        event = await session.event()
        if isinstance(event, ToolCalled) and (given := _taken(done, event.name)) is not None:
            await session.handle(ToolAnswered(event.call, given))
        else:
            yield event
            waits = waits or isinstance(event, ToolCalled)
        if waits and isinstance(event, ToolCalled) and event.more == 0:
            return
        owed = owed or promises_a_human(event, presenter.persona)  # nobody sits behind a request
        if isinstance(event, TurnEnded):
            if not owed:
                return
            owed = False


def turned_away(refusal: Rejected) -> Wrong:
    if refusal.code == "unknown_base":
        return Wrong(404, refusal.code, refusal.message)
    status = 429 if refusal.code == "busy" else 503
    return Wrong(status, refusal.code, refusal.message, headers={"Retry-After": _WAIT.get(refusal.code, "5")})


def _taken(done: list[tuple[str, str]], name: str) -> str | None:
    """The first result of this tool that is left: the model asks again for what its client has done already."""
    for at, (tool, text) in enumerate(done):
        if tool == name:
            del done[at]
            return text
    return None


async def _remembered(presenter: Presenter, asked: Asked, minor: bool) -> Memory:
    """What the client says was said, without the questions that would not have been answered."""
    langs = [detect(question) or presenter.persona.language for question, _ in asked.history]
    situation = Situation(minor=minor)
    admitted = await asyncio.gather(
        *(
            presenter.admitted(question, lang, situation)
            for (question, _), lang in zip(asked.history, langs, strict=True)
        )
    )
    now = time.time()
    exchanges = [
        Exchange("", number, question, answer, lang, now)
        for number, (question, (_, answer), lang) in enumerate(zip(admitted, asked.history, langs, strict=True), 1)
        if question
    ]
    return Memory(len(exchanges) + 1, exchanges=exchanges)
