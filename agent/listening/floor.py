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
    the user's usual. `echo`: it is the presenter's own sound. `held`: seconds since the presenter paused, None: it has
    not."""

    speech: float
    paused: bool = False
    meant: Meant | None = None
    settled: bool = False
    failed: bool = False
    softer: float = 0.0
    echo: bool = False
    held: float | None = None


@dataclass(frozen=True, slots=True)
class Resume:
    reason: FloorReason


Decision = Literal["wait", "hold", "yield"] | Resume
_REASONS: dict[Meant, FloorReason] = {
    "nothing": "noise",
    "short": "noise",
    "laughter": "noise",
    "backchannel": "backchannel",
    "aside": "aside",
}


def decided(evidence: Evidence, lang: Lang, settings: ListeningSettings) -> Decision:
    """Words decide. Where none come in time, long loud speech does; what is too short to be a word is none."""
    far = evidence.softer > settings.background
    if evidence.echo:
        return Resume("echo")
    if evidence.paused and evidence.speech < settings.speech[lang] and evidence.meant in (None, "short"):
        return Resume("noise")
    if evidence.settled and not evidence.failed:
        return _judged(evidence.meant or "nothing", far)
    if evidence.meant in ("stop", "speech") and not far:
        return "yield"
    if evidence.paused and evidence.meant in ("backchannel", "laughter"):
        return Resume(_REASONS[evidence.meant])
    if evidence.failed or (evidence.held is not None and evidence.held >= settings.deciding):
        return _unheard(evidence, far, settings)
    if evidence.held is None and evidence.speech >= settings.speech[lang]:
        return "hold"
    return "wait"


def _judged(meant: Meant, far: bool) -> Decision:
    if meant in ("stop", "speech"):
        return Resume("background") if far else "yield"
    return Resume(_REASONS[meant])


def _unheard(evidence: Evidence, far: bool, settings: ListeningSettings) -> Decision:
    if far:
        return Resume("background")
    if evidence.meant in ("backchannel", "laughter", "aside"):
        return Resume(_REASONS[evidence.meant])
    return "yield" if evidence.speech >= settings.loud else Resume("noise")
