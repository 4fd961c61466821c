"""Who has the floor when somebody speaks while the presenter is heard."""

from dataclasses import dataclass
from typing import Literal

from agent.events import FloorReason
from agent.listening.backchannels import Meant
from configs.language import Lang
from configs.listening import ListeningSettings


@dataclass(frozen=True, slots=True)
class Evidence:
    """`speech`: seconds of it so far, `paused`: none for a moment. `meant`: of the words, None where there are none
    yet; `settled`: the words are all that was said up to the pause; `failed`: there will be none. `softer`: dB below
    the user's usual. `echo`: it is the presenter's own sound; `echoing`: that has come back before.
    `held`: seconds since the presenter paused, None: it has not."""

    speech: float
    paused: bool = False
    meant: Meant | None = None
    settled: bool = False
    failed: bool = False
    softer: float = 0.0
    echo: bool = False
    echoing: bool = False
    held: float | None = None


@dataclass(frozen=True, slots=True)
class Resume:
    reason: FloorReason


_COMING = 1.5
"""How much longer words are waited for that are sure to come: the first are there, or the last were said."""
_DOUBT = 2.0
"""How much longer somebody has to speak where it may be an echo: as long as it takes to know."""
Decision = Literal["wait", "hold", "yield"] | Resume
_REASONS: dict[Meant, FloorReason] = {
    "nothing": "noise",
    "short": "noise",
    "laughter": "noise",
    "backchannel": "backchannel",
    "aside": "aside",
}


def decided(evidence: Evidence, lang: Lang, settings: ListeningSettings) -> Decision:
    """Words decide: those that want silence or an answer, and any that take as long as a clause. Where none come in
    time, long loud speech does; what is too short to be a word is none."""
    far, brief = evidence.softer > settings.background, evidence.speech < settings.brief[lang]
    if evidence.echo:
        return Resume("echo")
    if evidence.paused and evidence.speech < settings.speech[lang] and evidence.meant in (None, "short"):
        return Resume("noise")
    if evidence.settled and not evidence.failed:
        return _judged(evidence.meant or "nothing", far, brief)
    if (evidence.meant == "stop" or (evidence.meant == "speech" and not brief)) and not far:
        return "yield"
    if evidence.paused and evidence.meant in ("backchannel", "laughter"):
        return Resume(_REASONS[evidence.meant])
    patience = settings.deciding * (_COMING if (evidence.paused and not brief) or evidence.meant == "short" else 1.0)
    if evidence.failed or (evidence.held is not None and evidence.held >= patience):
        return _unheard(evidence, far, settings)
    if evidence.held is None and evidence.speech >= settings.speech[lang] * (_DOUBT if evidence.echoing else 1.0):
        return "hold"
    return "wait"


def _judged(meant: Meant, far: bool, brief: bool) -> Decision:
    if meant in ("stop", "speech") and far:
        return Resume("background")
    if meant == "speech" and brief:
        return Resume("backchannel")
    if meant in ("stop", "speech"):
        return "yield"
    return Resume(_REASONS[meant])


def _unheard(evidence: Evidence, far: bool, settings: ListeningSettings) -> Decision:
    if far:
        return Resume("background")
    if evidence.meant in ("backchannel", "laughter", "aside"):
        return Resume(_REASONS[evidence.meant])
    return "yield" if evidence.speech >= settings.loud else Resume("noise")
