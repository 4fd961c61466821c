"""One utterance in, one ordered stream of events out. Cancelling the task is the whole of barge-in."""

import logging
import time
from collections.abc import AsyncGenerator, AsyncIterable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import replace
from datetime import UTC, datetime
from typing import Literal

from agent.commands import Say
from agent.events import Citation, Citations, Fault, Notice, Posture, Speaker, Timings, TurnEnded, TurnStarted
from agent.guard import AnswerGuard
from agent.model import Ask, ModelError, Part, ToolCall
from agent.moderation.loops import Loops
from agent.pace import Stalled, paced
from agent.performance import Emit, Performance
from agent.presenter import Presenter
from agent.replies import Check, Composed, Curated, Errand, Line, Unchecked
from agent.situation import NOTHING, Situation
from agent.tools.calling import Answering
from agent.tools.tool import Context
from agent.tools.toolbox import Done
from avatar.expression import Tone
from avatar.markup import stripped
from avatar.motion import Gesture, Vocabulary
from avatar.script import Phrase, Script
from configs.language import Lang

log = logging.getLogger(__name__)

Spoken = tuple[str, Lang, Tone]
"""Words to say, in which language and how. Those of tone "answer" are moderated; the others are the persona's own."""


class Turn:
    """`run`, or `relay`, once. Text runs ahead of speech.

    `last`: the gesture that was made last, before it and in the end.
    `asked`: what may be remembered of the question, None until it was judged; `passages`: those that its answer was
    given from.
    """

    def __init__(self, number: int, presenter: Presenter, emit: Emit, last: Gesture = "rest") -> None:
        self.number = number
        self.asked: str | None = None
        self.passages: tuple[str, ...] = ()
        self._presenter, self._emit = presenter, emit
        self._performance = Performance(number, presenter, emit, last)
        self._began = time.monotonic()
        self._retrieval: float | None = None
        self._keep = False
        self._lang = presenter.persona.language
        self._open = False
        self._situation = NOTHING
        self._guard: AnswerGuard
        self._fallback: str | None = None
        self._refused = False

    @property
    def last(self) -> Gesture:
        return self._performance.last

    async def run(self, say: Say, situation: Situation = NOTHING) -> TurnEnded:
        await self._begin(self._presenter.language(say.text, say.lang), "presenter", situation)
        await self._emit(Posture(self.number, "thinking"))
        await self._performance.during(self._think(say.text))
        return self._ended()

    async def relay(
        self,
        lines: AsyncIterable[Spoken],
        lang: Lang,
        by: Speaker = "presenter",
        question: str = "",
        situation: Situation = NOTHING,
    ) -> TurnEnded:
        """Words that are not the model's, as they come: an operator's, a client's, or a notice's. They may be long, and
        say one thing again and again. `question`: the user's before."""
        await self._begin(lang, by, situation, given=True)
        self.asked = await self._presenter.admitted(question, lang, situation)
        await self._performance.during(self._relay(lines))
        return self._ended()

    async def apologise(self, lang: Lang) -> TurnEnded:
        """What is said where the turn itself broke: a defect of ours, which the viewer should not hear as silence.
        `lang`: of one that broke before it began."""
        if not self._open:
            await self._begin(lang, "presenter", NOTHING)
        apology = self._presenter.persona.fallback[self._lang]
        await self._fail("internal", apology)
        await self._performance.during(self._recite(Phrase(apology), "apology"))
        return self._ended()

    async def _begin(self, lang: Lang, by: Speaker, situation: Situation, *, given: bool = False) -> None:
        self._lang, self._situation, self._open = lang, situation, True
        self._guard = self._presenter.guard.answer(lang, minor=situation.minor, given=given)
        self._performance.manner, self._performance.spoken = situation.manner, situation.spoken
        await self._emit(TurnStarted(self.number, lang, by))

    async def _relay(self, lines: AsyncIterable[Spoken]) -> None:
        async for text, self._lang, tone in lines:
            await self._recite(Phrase(stripped(text)), tone)

    def _ended(self) -> TurnEnded:
        reason: Literal["done", "failed"] = "failed" if self._fallback else "done"
        return TurnEnded(self.number, reason, self._refused, self._fallback, self.timings())

    def timings(self) -> Timings:
        spoken = self._performance
        return Timings(
            self._retrieval,
            self._since(spoken.first_text),
            self._since(spoken.first_audio),
            self._since(time.monotonic()),
        )

    def _since(self, moment: float | None) -> float | None:
        return None if moment is None else (moment - self._began) * 1000

    async def _think(self, question: str, *, errands: bool = True) -> None:
        considered = await self._presenter.consider(question, self._lang, self._situation, errands=errands)
        self.asked, self._retrieval = considered.question, considered.retrieval
        match considered.reply:
            case Line() as line:
                await self._tell(line)
            case Errand(call):
                await self._run(call, question)
            case Curated(phrase, lang, citations):
                self._lang, self._keep = lang, True
                await self._recite(phrase, "answer")
                await self._cite(citations)
            case Composed() as composed:
                await self._compose(composed)

    async def _tell(self, line: Line) -> None:
        self._refused = line.refused
        if line.fault is not None:
            await self._fail(line.fault, line.text)
        if line.notice is not None:
            await self._emit(Notice(self.number, line.notice, line.text))
        await self._recite(Phrase(line.text), line.tone)

    async def _run(self, call: ToolCall, question: str) -> None:
        """The tool's sentence, or an answer without it where it has none."""
        outcome = await self._presenter.toolbox.run(call, self._context())
        if not outcome.said:
            await self._think(question, errands=False)
            return
        if isinstance(outcome, Done) and outcome.handover:
            await self._hand_over()
        else:
            await self._recite(Phrase(stripped(outcome.text)), "answer")

    async def _hand_over(self) -> None:
        line = self._presenter.persona.handover[self._lang]
        await self._tell(Line(line, "greeting", notice="handover"))

    async def _compose(self, composed: Composed) -> None:
        """The model's answer, checked against the evidence piece by piece; if it fails, an apology and a quotation."""
        check, self.passages = composed.check, composed.passages
        prompt = self._presenter.opening(self._lang).text
        self._guard = self._presenter.guard.answer(self._lang, prompt, minor=self._situation.minor)
        answering = Answering(self._stream, self._presenter.toolbox, self._context(), self._fill)
        stream = answering.text if composed.tools else self._untooled
        sources: dict[int, int] = {}
        pending, learnt = Phrase(""), 0
        try:
            async with aclosing(self._phrases(stream(composed.messages, Ask(self._situation.session)))) as phrases:
                async for phrase in phrases:
                    done = [one.text for one in answering.outcomes if isinstance(one, Done)]
                    check.learn(done[learnt:])
                    learnt, pending = len(done), pending + phrase
                    if (text := check.feed(phrase.text)) is not None:
                        await self._answer(pending.said_as(text), check, sources)
                        pending = Phrase("")
                    if check.closed or self._guard.ended or answering.handover:
                        break
        except (ModelError, Stalled) as error:
            log.warning("model failed: %s", error)
            apology = self._presenter.persona.fallback[self._lang]
            await self._fail(f"model_{error.code}", apology)
            await self._recite(Phrase(apology), "apology")
        if answering.handover:
            await self._hand_over()
        elif (text := check.finish()) is not None:
            await self._answer(Phrase(stripped(text)), check, sources)
        own = composed.citations if isinstance(check, Unchecked) else _cited(composed.citations, sources)
        await self._cite((*own, *answering.citations))

    async def _answer(self, phrase: Phrase, check: Check, sources: dict[int, int]) -> None:
        """Say what the check let through; `sources` gets the citation of each piece of it."""
        self._refused = check.refused
        own = await self._recite(phrase, "refusal" if check.refused else "answer")
        if check.origin is not None:
            sources |= dict.fromkeys(own, check.origin)

    async def _recite(self, phrase: Phrase, tone: Tone) -> list[int]:
        """Say it in pieces; one that the splitter cut already stays whole. Those not replaced by a safe line."""
        own: list[int] = []
        for piece in phrase.cut(self._performance.count):
            if tone == "answer":
                verdict = await self._guard.feed(piece.text)
                piece = piece.said_as(verdict.text)
                if verdict.action == "handover":
                    await self._emit(Notice(self.number, "handover", verdict.text))
            if piece.text.strip():
                if tone != "answer" or verdict.action in ("pass", "flag", "mask"):
                    own.append(self._performance.count)
                await self._performance.say(piece, self._lang, tone, keep=self._keep)
        return own

    async def _phrases(self, stream: AsyncGenerator[str, None]) -> AsyncGenerator[Phrase, None]:
        """The model's text in speakable pieces, whitespace kept, until it goes round in circles."""
        persona, loops = self._presenter.persona, Loops()
        script = Script(Vocabulary(persona.emotions, persona.gestures))
        async with aclosing(stream) as deltas:
            async for delta in deltas:
                for phrase in script.feed(delta):
                    yield phrase
                    if loops.feed(phrase.text):
                        return
        for phrase in script.flush():
            yield phrase

    async def _untooled(self, messages: Sequence[Part], ask: Ask) -> AsyncGenerator[str, None]:
        async with aclosing(self._stream(messages, ask)) as items:
            async for item in items:
                if isinstance(item, str):
                    yield item

    def _stream(self, messages: Sequence[Part], ask: Ask) -> AsyncGenerator[str | ToolCall, None]:
        limits = self._presenter.limits
        return paced(self._presenter.model.stream(messages, ask), limits.first_token, limits.next_token)

    async def _fill(self) -> None:
        """Something to say while a tool works."""
        fillers = self._presenter.persona.fillers[self._lang]
        await self._recite(Phrase(fillers[self.number % len(fillers)]), "greeting")

    def _context(self) -> Context:
        return Context(self._lang, self._situation.session, self._situation.user, datetime.now(UTC))

    async def _cite(self, citations: tuple[Citation, ...]) -> None:
        if citations:
            await self._emit(Citations(self.number, citations))

    async def _fail(self, code: str, message: str) -> None:
        self._fallback = code
        await self._emit(Fault(self.number, code, message))


def _cited(citations: Sequence[Citation], sources: Mapping[int, int]) -> tuple[Citation, ...]:
    """The citations that bear out something that was said, each with the pieces of speech that it does."""
    spoken = [tuple(at for at, origin in sources.items() if origin == number) for number in range(len(citations))]
    return tuple(replace(one, sentences=at) for one, at in zip(citations, spoken, strict=True) if at)
