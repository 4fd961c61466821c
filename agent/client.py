"""What one session's client wants and has: its manner of being spoken to, its tools, its microphone."""

from dataclasses import replace

from agent.commands import Audible, Configure, OfferTools, ToolAnswered
from agent.events import Event
from agent.listening import Ear
from agent.situation import Situation
from agent.tools.remote import Ask, RemoteTools
from avatar.speech import Manner

Wish = Audible | Configure | OfferTools | ToolAnswered


class Client:
    """`ask` puts a call of one of its tools to it."""

    def __init__(self, ask: Ask, ear: Ear) -> None:
        self.tools = RemoteTools(ask)
        self.ear = ear
        self._instructions, self._manner, self._spoken = "", Manner(), True

    async def obey(self, wish: Wish) -> None:
        match wish:
            case Configure(instructions, manner, spoken):
                self._instructions = self._instructions if instructions is None else instructions
                self._manner = self._manner if manner is None else manner
                self._spoken = self._spoken if spoken is None else spoken
            case OfferTools(tools):
                self.tools.offer(tools)
            case ToolAnswered():
                self.tools.answered(wish)
            case _:
                await self.ear.handle(wish)

    def given(self, event: Event) -> None:
        self.ear.given(event)

    def minded(self, situation: Situation, instructions: str = "") -> Situation:
        """The situation with this client's wishes in it. `instructions`: for this answer alone."""
        whisper = "\n".join(filter(None, (self._instructions, instructions, situation.whisper)))
        return replace(situation, whisper=whisper, manner=self._manner, spoken=self._spoken)

    async def aclose(self) -> None:
        await self.ear.aclose()
