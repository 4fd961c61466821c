"""What the user said and wants answered, in the order in which they did, however long it takes to be understood."""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from agent.commands import Add, Reply, Say
from agent.events import Transcribed, Unheard
from agent.listening.ear import Host
from agent.listening.utterance import Utterance
from avatar.hearing import Recognition, RecognizerError
from configs.language import detect

_MOST = 16
"""Things that wait to be understood or answered; the oldest words are let go beyond them."""
_MESSAGES = {
    "nothing_to_answer": "没有可以回答的话。 / There is nothing to answer.",
    "nothing_heard": "没有听清，请再说一遍。 / I did not catch that: please say it again.",
    "timeout": "语音识别太慢，请再说一遍，或者打字。 / Speech recognition is slow: please say it again, or type.",
    "": "语音识别出了故障，请再说一遍，或者打字。 / Speech recognition failed: please say it again, or type.",
}


@dataclass(frozen=True, slots=True)
class Ended:
    """An utterance that is over. `answer`: at once, else when `Reply` asks for it. `after`: not before the presenter
    has been heard out."""

    utterance: Utterance
    answer: bool
    after: bool = False


Item = Ended | Add | Reply


class Replying:
    """`busy`: the user speaks, so that an answer has to wait for more words."""

    def __init__(self, host: Host, busy: Callable[[], bool], understood: Callable[[Utterance], bool]) -> None:
        self._host, self._busy, self._understood = host, busy, understood
        self._items: deque[Item] = deque()
        self._filled = asyncio.Event()
        self._words: list[str] = []
        self._typed = False
        self._last: tuple[int, str] = (0, "")
        self._due = self._missed = False
        self._now: Utterance | None = None

    @property
    def waiting(self) -> bool:
        return bool(self._items) or self._now is not None

    def put(self, item: Item) -> None:
        if len(self._items) >= _MOST:
            old = self._items.popleft()
            if isinstance(old, Ended):
                old.utterance.close()
                self._unheard(old.utterance, "overloaded", "recognizer_")
        self._items.append(item)
        self._filled.set()

    def withdraw(self) -> None:
        """No `Reply` that waits is wanted any more."""
        self._items = deque(item for item in self._items if not isinstance(item, Reply))

    def take_back(self, turn: int, answer: bool) -> None:
        """The user went on before turn `turn` had answered anything: its question is the beginning of theirs.
        `answer`: also where nothing follows that can be understood."""
        if self._last[0] == turn:
            self._words.insert(0, self._last[1])
            self._due = self._due or answer

    def quiet(self) -> None:
        """Nobody speaks any more: what waited for more words is answered."""
        self._filled.set()

    async def run(self) -> None:
        while True:
            await self._filled.wait()
            self._filled.clear()
            while self._items:
                await self._do(self._items.popleft())
            await self._answer_due()

    async def aclose(self) -> None:
        waiting = [item.utterance for item in self._items if isinstance(item, Ended)]
        for utterance in [*waiting, *([self._now] if self._now else [])]:
            await utterance.aclose()
        self._items.clear()

    async def _do(self, item: Item) -> None:
        match item:
            case Add(text):
                self._words.append(text)
                self._typed = True
            case Reply(instructions) if self._words:
                await self._answer(instructions)
            case Reply() if self._missed:  # what it was to answer was not understood
                self._missed = False
                self._host.tell(_nothing(self._host.stage.number))
            case Reply():
                await self._host.greet()
            case Ended(utterance, answer, after):
                self._now = utterance
                try:
                    heard = await self._heard(utterance)
                finally:
                    await utterance.aclose()
                    self._now = None
                self._missed = heard is None and not answer
                if heard is not None:
                    self._words.append(heard.text)
                    self._due = self._due or answer
                    if answer and after:
                        await self._host.stage.silent()
                await self._answer_due()

    async def _heard(self, utterance: Utterance) -> Recognition | None:
        try:
            heard = await utterance.done()
        except RecognizerError as error:
            self._unheard(utterance, error.code, "recognizer_")
            return None
        if not self._understood(utterance):
            self._unheard(utterance, "nothing_heard")
            return None
        lang = heard.lang or detect(heard.text)
        turn = self._host.stage.number
        self._host.tell(Transcribed(turn, utterance.number, heard.text, lang, True, utterance.seconds))
        return heard

    async def _answer_due(self) -> None:
        if self._due and self._words and not self._busy():
            await self._answer("")

    async def _answer(self, instructions: str) -> None:
        joint = "\n" if self._typed else " "
        text, self._words, self._due, self._typed = joint.join(self._words), [], False, False
        self._missed = False
        self._last = (await self._host.say(Say(text, instructions=instructions)), text)

    def _unheard(self, utterance: Utterance, code: str, kind: str = "") -> None:
        message = _MESSAGES.get(code, _MESSAGES[""])
        self._host.tell(Unheard(self._host.stage.number, utterance.number, f"{kind}{code}", message))


def _nothing(turn: int) -> Unheard:
    return Unheard(turn, 0, "nothing_to_answer", _MESSAGES["nothing_to_answer"])
