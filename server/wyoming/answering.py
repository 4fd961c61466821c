"""The user's words answered by the agent, in text."""

from agent.commands import Say
from agent.events import Fault, TextDelta, TurnEnded, TurnStarted
from agent.persona import Persona
from agent.session import Session
from configs.language import detect
from server.protocols.events import parted
from server.protocols.wyoming import Ask, answers
from server.wyoming.conversations import Conversation
from server.wyoming.wire import Reply


class Answering:
    """One question. `pieces`: the client takes an answer in pieces before the whole; `notice`: that this is an AI is
    said first in a new conversation."""

    def __init__(self, persona: Persona, ask: Ask, reply: Reply, *, pieces: bool, notice: bool) -> None:
        self._persona, self._ask, self._reply = persona, ask, reply
        self._pieces, self._notice = pieces, notice
        self._text = ""
        self._begun = False

    async def run(self, conversation: Conversation) -> None:
        """Tells the answer. What was said since the last one goes before it."""
        ask, session = self._ask, conversation.session
        if self._notice and not conversation.told:
            lang = ask.lang or detect(ask.text) or self._persona.language
            self._text = self._persona.ai_notice[lang]
        for text in conversation.meanwhile():
            await self._piece(parted(self._text, text))
        done = await self._told(session, await session.say(Say(ask.text, ask.lang)))
        await self._end(self._text.strip(), done=done)
        conversation.told = True

    async def decline(self, reason: str) -> None:
        """There is no answer now; `reason` is what the user is told."""
        await self._end(reason, done=False)

    async def _told(self, session: Session, number: int) -> bool:
        """Whether it is an answer. What the session says besides at once goes with it: that a human is called, or that
        nobody is there."""
        done = await self._answered(session, number)
        while session.stage.pending:
            done = await self._answered(session, number) and done
        return done

    async def _answered(self, session: Session, number: int) -> bool:
        """From turn `number` on, the next that is not cut short: one that an operator takes over goes on in another."""
        failed = begun = False
        while True:
            match await session.event():
                case TurnStarted():
                    failed = begun = False
                case TextDelta(text=text):
                    await self._piece(text if begun else parted(self._text, text))
                    begun = True
                case Fault():
                    failed = True
                case TurnEnded(turn, reason, refused) if turn >= number and reason != "interrupted":
                    return reason == "done" and not (refused or failed)
                case _:
                    pass

    async def _piece(self, text: str) -> None:
        told, self._text = self._text, self._text + text
        if self._pieces:
            text = text if self._begun else told + text
            await self._begin()
            await self._reply(answers.handled_chunk(text))

    async def _end(self, text: str, *, done: bool) -> None:
        if self._pieces:
            await self._begin()
        await self._reply(answers.handled(text, self._ask.context, done=done))
        if self._pieces:
            await self._reply(answers.handled_stop())

    async def _begin(self) -> None:
        if not self._begun:
            self._begun = True
            await self._reply(answers.handled_start(self._ask.context))
