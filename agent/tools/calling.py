"""A model's answer with tools: what it asks for is run between its words, round by round, within limits."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import replace

from agent.events import Citation
from agent.model import Ask, Called, ModelError, Part, ToolCall
from agent.tools.tool import Context
from agent.tools.toolbox import Done, Failed, Outcome, Toolbox

Stream = Callable[[Sequence[Part], Ask], AsyncGenerator[str | ToolCall, None]]

ROUNDS = 3
"""Times that tools are run for one answer; then the model is asked without any."""

CALLS = 4
"""Calls of one round."""

PATIENCE = 0.6
"""Seconds of silence before the presenter says that it is looking something up."""


class Answering:
    """One answer: take `text` once, to its end. `outcomes`: every call that was run, as it was.

    `waiting` is awaited, once at most, when the tools take longer than `PATIENCE`.
    """

    def __init__(
        self, stream: Stream, toolbox: Toolbox, context: Context, waiting: Callable[[], Awaitable[None]]
    ) -> None:
        self._stream, self._toolbox, self._context, self._waiting = stream, toolbox, context, waiting
        self._waited = False
        self.outcomes: list[Outcome] = []

    @property
    def citations(self) -> tuple[Citation, ...]:
        found = [citation for one in self.outcomes if isinstance(one, Done) for citation in one.citations]
        return tuple(dict.fromkeys(found))

    @property
    def handover(self) -> bool:
        return any(isinstance(one, Done) and one.handover for one in self.outcomes)

    async def text(self, messages: Sequence[Part], ask: Ask) -> AsyncGenerator[str, None]:
        """The model's words alone; they end at a hand-over, which is the caller's to announce.

        Raises ModelError: what the stream raises, and `garbled` where a model asks for tools without end.
        """
        parts, allowed = list(messages), replace(ask, offers=self._toolbox.offers(self._context.lang))
        for number in range(ROUNDS + 1):
            if number == ROUNDS:
                allowed = replace(ask, offers=())
            said, calls = "", list[ToolCall]()
            async with aclosing(self._stream(parts, allowed)) as items:
                async for item in items:
                    match item:
                        case ToolCall():
                            calls.append(item)
                        case str():
                            said += item
                            yield item
            if not calls:
                return
            if number == ROUNDS:
                break
            outcomes = await self._run(calls)
            if self.handover:
                return
            parts += [Called(tuple(calls), said), *(one.returned for one in outcomes)]
        if not said:
            raise ModelError("garbled", f"the model asks for tools after {ROUNDS} rounds of them")

    async def _run(self, calls: Sequence[ToolCall]) -> list[Outcome]:
        async with asyncio.TaskGroup() as tasks:
            running = [tasks.create_task(self._toolbox.run(call, self._context)) for call in calls[:CALLS]]
            _, pending = await asyncio.wait(running, timeout=None if self._waited else PATIENCE)
            if pending:
                self._waited = True
                await self._waiting()
        ran = [task.result() for task in running]
        self.outcomes += ran
        return ran + [Failed(call, "too_many", f"at most {CALLS} tools at once") for call in calls[CALLS:]]
