"""The guard: every question before the model has it, every clause of an answer before it is spoken."""

import asyncio
import logging
import secrets
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal, get_args

from agent import privacy, safe_lines
from agent.humanity import claims_humanity
from agent.injection import examine, neutral
from agent.model import Message, Part
from agent.moderation.findings import Direction, Finding, ModerationError, Moderator, Span
from agent.moderation.leaks import Leaks
from agent.moderation.loops import Loops
from agent.moderation.tongues import foreign, other
from agent.payloads import decoded
from configs.language import LANGUAGES, Lang
from configs.safety import Category, Policy, SafetySettings

log = logging.getLogger(__name__)

Action = Literal["pass", "flag", "mask", "replace", "block", "handover"]
Tell = Callable[[Direction, Action, Category, str | None], None]
_SEVERITY: dict[Action, int] = {action: rank for rank, action in enumerate(get_args(Action))}
_TAIL = 80
"""Characters said last that are judged again with the next clause: a word may begin in one and end in the other."""
_CLAIM_TAIL = 12
_CANARY, _CANARY_LENGTH = "aehilnorstu", 14
"""Letters alone: whatever encodes them, what is decoded reads as words."""
_REPLACED = 3
"""Clauses replaced in one answer, with which it ends."""
_MASK: dict[Lang, str] = {"zh": "某某", "en": "something"}


@dataclass(frozen=True, slots=True)
class Verdict:
    """`text`: what may be used of a question, or said in the place of a clause; "" for nothing.

    `category` and `risk` (TC260-003) of what decided; None where nothing was found.
    """

    action: Action
    text: str
    category: Category | None = None
    risk: str | None = None


@dataclass(frozen=True, slots=True)
class _Decision:
    action: Action
    finding: Finding


class Guard:
    """One for all sessions. `canary`: a token of this process that stands in the system prompt and is never said.
    `counts`: verdicts other than pass, by direction, category and action."""

    def __init__(self, moderators: Sequence[Moderator], settings: SafetySettings, tell: Tell = lambda *_: None) -> None:
        """`tell`: hears of every verdict other than pass, for the audit log."""
        self._moderators, self.settings, self._tell = tuple(moderators), settings, tell
        self.canary = "".join(secrets.choice(_CANARY) for _ in range(_CANARY_LENGTH))
        self.counts: Counter[tuple[Direction, Category, Action]] = Counter()

    async def question(self, text: str, lang: Lang, history: Sequence[Part] = (), *, minor: bool = False) -> Verdict:
        """Of the user's words, before anything is made of them. `history`: what was said before."""
        clean = neutral(text).strip()
        earlier = next(
            (said.text for said in reversed(history) if isinstance(said, Message) and said.role == "user"), ""
        )
        if not clean or _attacks(text, earlier):
            findings = [Finding.of("injection")]
        else:
            findings = await self.judge(clean, lang, f"{earlier[-_TAIL:]} ", closed=self.settings.closed_question)
        policy = self.settings.policy_for(minor)
        decisions = [_Decision(_question_action(policy, one), one) for one in (*findings, *_personal(clean))]
        verdict = self.settle("question", decisions, clean, lang)
        if self.settings.mask_model and verdict.action in ("pass", "flag", "mask"):
            return replace(verdict, text=privacy.masked(verdict.text, lang))
        return verdict

    def answer(self, lang: Lang, prompt: str = "", *, minor: bool = False, given: bool = False) -> "AnswerGuard":
        """For one answer. `prompt`: the system prompt, which it must not give away. `given`: words that a client wants
        read, which may be long and say one thing again and again."""
        return AnswerGuard(self, lang, Leaks(self.canary, prompt), self.settings.policy_for(minor), given=given)

    async def judge(self, text: str, lang: Lang, tail: str = "", *, closed: bool) -> list[Finding]:
        """What the moderators find in `text`, spans in it; of `tail`, only what goes on in the text.

        A moderator that fails or takes too long is a finding of its own; `closed` tells its score.
        """
        whole, begins = tail + text, len(tail)
        judged = await asyncio.gather(*(self._judged(one, whole, lang, closed) for one in self._moderators))
        return [one for found in judged for one in map(lambda it: _within(it, begins), found) if one is not None]

    async def _judged(self, moderator: Moderator, text: str, lang: Lang, closed: bool) -> tuple[Finding, ...]:
        try:
            async with asyncio.timeout(self.settings.seconds):
                return await moderator.judge(text, lang)
        except (ModerationError, TimeoutError) as error:
            log.warning("moderation failed: %s", str(error) or "out of time")
        except Exception as error:  # noqa: BLE001 - a stranger's engine may raise anything, and nothing may slip through
            log.error("moderation broke: %s", type(error).__name__)
        return (Finding.of("unmoderated", 1.0 if closed else 0.0),)

    def settle(self, direction: Direction, decisions: Sequence[_Decision], text: str, lang: Lang) -> Verdict:
        """The verdict, told in the log and counted without the text."""
        decided = _worst(decisions)
        if decided is None or decided.action == "pass":
            return Verdict("pass", text)
        found = decided.finding
        self.counts[direction, found.category, decided.action] += 1
        self._tell(direction, decided.action, found.category, found.risk)
        log.info("%s: %s for %s (%s, %.2f)", direction, decided.action, found.category, found.risk, found.score)
        match decided.action:
            case "flag":
                said = text
            case "mask":
                said = _masked(text, [one.finding.span for one in decisions if one.action == "mask"], lang)
            case _:
                said = safe_lines.line(found.category)[lang]
        return Verdict(decided.action, said, found.category, found.risk)


class AnswerGuard:
    """`feed` one answer clause by clause. `ended`: nothing more of it may be said."""

    def __init__(self, guard: Guard, lang: Lang, leaks: Leaks, policy: Policy, *, given: bool = False) -> None:
        self._guard, self._lang, self._leaks, self._policy = guard, lang, leaks, policy
        self._loops = None if given else Loops()
        self._tail, self._heard = "", ""
        self._length = self._replaced = 0
        self._told: set[Category] = set()
        self.ended = False

    async def feed(self, piece: str) -> Verdict:
        """What may be said in the place of this clause, whose whitespace is kept."""
        if self.ended:
            return Verdict("block", "")
        clean = neutral(piece)
        findings = [*self._own(clean), *_personal(clean)]
        findings += await self._guard.judge(clean, self._lang, self._tail, closed=self._guard.settings.closed)
        self._heard = (self._heard + clean)[-4 * _TAIL :]
        decisions = [_Decision(self._action(one), one) for one in findings]
        verdict = self._guard.settle("answer", decisions, clean, self._lang)
        return self._followed(verdict)

    def _followed(self, verdict: Verdict) -> Verdict:
        match verdict.action:
            case "pass" | "flag" | "mask":
                self._tail = (self._tail + verdict.text)[-_TAIL:]
                self._length += len(verdict.text)
            case "replace":
                self._replaced += 1
                self._tail = ""
                self.ended = self._replaced >= _REPLACED
            case "block" | "handover":
                self.ended = True
        if verdict.action in ("replace", "block", "handover") and verdict.category is not None:
            text = "" if verdict.category in self._told else verdict.text
            self._told.add(verdict.category)
            return Verdict(verdict.action, text, verdict.category, verdict.risk)
        return verdict

    def _own(self, piece: str) -> list[Finding]:
        """What needs no moderator."""
        found: list[Category] = []
        heard = f"{self._heard}{piece}"
        if self._leaks.found(heard, piece):
            found.append("leak")
        if self._loops is not None and (self._loops.feed(piece) or self._too_long(piece)):
            found.append("endless")
        before = self._tail[-_CLAIM_TAIL:]
        claims = any(claims_humanity(said, lang) for lang in LANGUAGES for said in (piece, before + piece.strip()))
        if claims and not any(claims_humanity(before, lang) for lang in LANGUAGES):
            found.append("human")
        if foreign(piece):
            found.append("language")
        if any(True for _ in decoded(piece)):
            found.append("injection")
        return [Finding.of(category) for category in found] + (
            [Finding.of("language", 0.0)] if "language" not in found and other(piece, self._lang) else []
        )

    def _too_long(self, piece: str) -> bool:
        return self._length + len(piece) > self._guard.settings.answer_characters

    def _action(self, finding: Finding) -> Action:
        if finding.category == "language" and finding.score == 0:
            return self._guard.settings.other_language
        action: Action = self._policy.answer.get(finding.category, self._policy.otherwise)
        sure = finding.score >= self._policy.sure or finding.category in self._told
        return action if sure else _unsure(action)


def _question_action(policy: Policy, finding: Finding) -> Action:
    if finding.category == "unmoderated":
        return "block" if finding.score else policy.question.get("unmoderated", "flag")
    action: Action = policy.question.get(finding.category, policy.otherwise)
    return _unsure(action) if finding.score < policy.sure else action


def _unsure(action: Action) -> Action:
    return "pass" if action == "pass" else "flag"


def _worst(decisions: Sequence[_Decision]) -> _Decision | None:
    return max(decisions, key=lambda one: (_SEVERITY[one.action], one.finding.score), default=None)


def _attacks(text: str, earlier: str) -> bool:
    """By itself, or together with what was said before where that alone is none: an attack split over two turns."""
    if examine(text) is not None:
        return True
    return bool(earlier) and examine(f"{earlier} {text}") is not None and examine(earlier) is None


def _within(finding: Finding, begins: int) -> Finding | None:
    """Its span in the text that begins at `begins` of what was judged; None where it is wholly before that."""
    if finding.span is None:
        return finding
    start, end = finding.span
    if end <= begins:
        return None
    return Finding(finding.category, finding.risk, finding.score, (max(0, start - begins), end - begins))


def _personal(text: str) -> list[Finding]:
    return [Finding.of("privacy", 1.0, (one.start, one.end)) for one in privacy.found(text)]


def _masked(text: str, spans: Sequence[Span | None], lang: Lang) -> str:
    """None is the whole text. Personal data gets words of its own."""
    whole = len(text) - len(text.lstrip()), len(text.rstrip())
    personal = {(one.start, one.end) for one in privacy.found(text)}
    pieces, at = [], 0
    for start, end in sorted(span or whole for span in spans if span not in personal):
        if start >= at:
            pieces += [text[at:start], _MASK[lang]]
        at = max(at, end)
    said = "".join([*pieces, text[at:]])
    return said if personal.isdisjoint(spans) else privacy.masked(said, lang)
