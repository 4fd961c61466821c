"""Where operators sit: the sessions that are live, who of them wants a human, and what operators do about it."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from agent.audit import Audit, Detail, Entry, fingerprint
from agent.commands import Direction, GiveBack, Line, TakeOver, Whisper
from agent.session import Session
from agent.standing import Refused, Standing
from agent.watchers import Watcher

_OPERATORS = 50


class Operator:
    """One connection of an operator's. `changed` is set when the list of sessions is another."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.changed = asyncio.Event()
        self.changed.set()


@dataclass(frozen=True, slots=True)
class _Taken:
    operator: Operator
    lapse: asyncio.Task[None] | None = None
    """Gives the session back after the grace, where its operator is gone."""


class Desk:
    """Knows a session for as long as it lives, and keeps nothing of it. Every direction goes to the audit log."""

    def __init__(self, audit: Audit, grace: float = 15.0) -> None:
        self._audit, self._grace = audit, grace
        self._sessions: dict[str, Session] = {}
        self._operators: set[Operator] = set()
        self._taken: dict[str, _Taken] = {}

    @contextmanager
    def seating(self, session: Session) -> Iterator[None]:
        """`session` can be seen and directed meanwhile."""
        session.changed, session.staffed = self._announce, lambda: bool(self._operators)
        self._release(session.id)  # whom a client that came back goes on with is nobody's yet
        self._sessions[session.id] = session
        self._announce()
        try:
            yield
        finally:
            if self._sessions.get(session.id) is session:
                del self._sessions[session.id]
                self._release(session.id)
            self._announce()

    @contextmanager
    def attended(self, name: str) -> Iterator[Operator]:
        """An operator is there. Who comes back before the grace is over has their sessions still. Raises Refused where
        too many are."""
        if len(self._operators) >= _OPERATORS:
            raise Refused("full", f"{_OPERATORS} operators are connected already")
        operator = Operator(name)
        self._operators.add(operator)
        self._record(operator, "joined")
        for id, taken in list(self._taken.items()):
            if taken.operator.name == name and taken.lapse is not None:
                self._hold(id, operator)
        self._announce()
        try:
            yield operator
        finally:
            self._operators.discard(operator)
            self._record(operator, "left")
            for id, taken in list(self._taken.items()):
                if taken.operator is not operator:
                    continue
                here = next((one for one in self._operators if one.name == name), None)
                if here is not None:
                    self._hold(id, here)
                else:
                    lapse = asyncio.create_task(self._lapse(id, name), name=f"grace of {id}")
                    self._taken[id] = _Taken(operator, lapse)
            self._announce()

    @property
    def operators(self) -> tuple[str, ...]:
        return tuple(sorted(operator.name for operator in self._operators))

    def standings(self) -> list[Standing]:
        """Those that want a human come first, the longest waiting at their head; then the newest."""
        standings = [replace(one.standing(), reached=one.reached()) for one in self._sessions.values()]
        standings.sort(key=lambda one: one.since, reverse=True)
        return sorted(standings, key=_queued)

    @contextmanager
    def watch(self, operator: Operator, id: str) -> Iterator[Watcher]:
        """Raises Refused where there is no such session."""
        with self._session(id).watch() as watcher:
            self._record(operator, "watch", id)
            yield watcher

    async def direct(self, operator: Operator, id: str, direction: Direction) -> None:
        """Raises Refused: gone, taken by another, not taken, full, unreached."""
        session = self._session(id)
        self._permit(operator, id, direction)
        if isinstance(direction, Line) and not session.reached() and session.standing().state != "waiting":
            raise Refused("unreached", "this user hears nothing between their questions: say it when they ask again")
        match direction:
            case TakeOver():
                self._hold(id, operator)
                direction = TakeOver(operator.name)
            case GiveBack():
                self._release(id)
            case _ if id in self._taken and self._taken[id].operator.name == operator.name:
                self._hold(id, operator)  # whose earlier connection may be dead without our knowing
        await session.direct(direction)
        what, detail = _told(direction)
        self._record(operator, what, id, detail)

    async def close(self) -> None:
        """No session is given back any more."""
        lapses = [taken.lapse for taken in self._taken.values() if taken.lapse is not None]
        for lapse in lapses:
            lapse.cancel()
        await asyncio.gather(*lapses, return_exceptions=True)

    def _session(self, id: str) -> Session:
        if id not in self._sessions:
            raise Refused("gone", "there is no such session any more")
        return self._sessions[id]

    def _permit(self, operator: Operator, id: str, direction: Direction) -> None:
        """Operators are known by their names: one key is all of theirs."""
        taken = self._taken.get(id)
        others = taken is not None and taken.operator.name != operator.name
        match direction:
            case TakeOver() if taken is not None and others and taken.lapse is None:
                raise Refused("taken", f"{taken.operator.name} has taken over this session")
            case GiveBack() if taken is None or others:
                raise Refused("not_taken", "you have not taken over this session")
            case Line() if taken is not None and others:
                raise Refused("taken", f"{taken.operator.name} has taken over this session")

    def _hold(self, id: str, operator: Operator) -> None:
        self._release(id)
        self._taken[id] = _Taken(operator)

    def _release(self, id: str) -> None:
        taken = self._taken.pop(id, None)
        if taken is not None and taken.lapse is not None:
            taken.lapse.cancel()

    async def _lapse(self, id: str, name: str) -> None:
        await asyncio.sleep(self._grace)
        self._taken.pop(id, None)
        session = self._sessions.get(id)
        if session is not None:
            await session.direct(GiveBack())
            self._record(None, "give back", id, {"instead_of": name})

    def _announce(self) -> None:
        for operator in self._operators:
            operator.changed.set()

    def _record(self, by: Operator | None, what: str, session: str = "", detail: Detail | None = None) -> None:
        self._audit.record(Entry(f"operator {by.name}" if by else "presenter", what, session, detail or {}))


def _queued(standing: Standing) -> tuple[bool, float]:
    since = standing.wanted_since
    return since is None, since.timestamp() if since else 0.0


def _told(direction: Direction) -> tuple[str, Detail]:
    """What the audit log keeps of a direction: never its words."""
    match direction:
        case Whisper(text):
            return ("whisper", fingerprint(text)) if text.strip() else ("whispers withdrawn", {})
        case Line(text):
            return "line", fingerprint(text)
        case TakeOver():
            return "take over", {}
        case GiveBack():
            return "give back", {}
