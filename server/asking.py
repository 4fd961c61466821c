"""Questions put to the whole presenter without a server, and the answers as they were given."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from agent.commands import Say
from agent.events import (
    Citation,
    Citations,
    Event,
    Fault,
    Motion,
    SentenceStarted,
    Speech,
    TextDelta,
    Timings,
    TurnEnded,
)
from agent.presenter import Presenter
from agent.session import Session
from avatar.labels import Label, labelled
from avatar.sound_labels import wav
from avatar.speech import Audio
from configs.engines import ConfigError
from configs.language import Lang
from knowledge.bases import UnknownBase
from server.assemble import Service
from server.protocols.events import cited, milliseconds


@dataclass
class Answer:
    """One answer as it was given; cue times are seconds from the answer's first sample."""

    question: str
    text: str = ""
    refused: bool = False
    citations: tuple[Citation, ...] = ()
    timings: Timings = Timings()
    fallback: str | None = None
    faults: list[str] = field(default_factory=list)
    audio: bytearray = field(default_factory=bytearray)
    rate: int = 0
    cues: list[dict[str, Any]] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        return {
            "question": self.question,
            "answer": self.text,
            "refused": self.refused,
            "citations": [cited(citation) for citation in self.citations],
            "timings": milliseconds(self.timings),
            "fallback": self.fallback or next(iter(self.faults), None),
        }


async def ask_all(
    service: Service,
    questions: Iterable[str],
    lang: Lang | None,
    show: Callable[[Answer], None],
    base: str | None = None,
) -> list[Answer]:
    """`base`: the knowledge base to answer from; the persona's where none is named. Raises ConfigError."""
    answers, bases = [], (base,) if base else service.persona.bases
    try:
        await service.open()
        try:
            presenter = service.presenter_for(*bases)
        except UnknownBase as error:
            raise ConfigError(str(error)) from error
        for name in bases:
            if (knowledge := service.bases.get(name)).state().trouble is None:
                await knowledge.settled()
        for question in questions:
            answers.append(await ask(presenter, Say(question, lang)))
            show(answers[-1])
    finally:
        await service.close()
    return answers


async def ask(presenter: Presenter, say: Say) -> Answer:
    """One question in a session of its own; returns when the whole answer has been spoken."""
    session, answer, at = Session(presenter), Answer(say.text), 0.0
    await session.say(say)
    while not isinstance(event := await session.event(), TurnEnded):
        at = event.at if isinstance(event, SentenceStarted) else at
        _record(answer, event, at)
    answer.refused, answer.fallback, answer.timings = event.refused, event.fallback, event.timings
    await session.close()
    return answer


def _record(answer: Answer, event: Event, at: float) -> None:
    match event:
        case TextDelta(text=text):
            answer.text += text
        case Speech(audio=audio):
            answer.audio += audio.pcm
            answer.rate = audio.rate
        case Motion():
            answer.cues.extend(_cues(event, at))
        case Citations(citations=citations):
            answer.citations = citations
        case Fault(code=code):
            answer.faults.append(code)
        case _:
            pass


def _cues(motion: Motion, at: float) -> Iterator[dict[str, Any]]:
    for viseme in motion.visemes:
        yield {"t": round(at + viseme.at, 3), "viseme": viseme.shape, "weight": round(viseme.weight, 2)}
    for emotion in motion.emotions:
        yield {"t": round(at + emotion.at, 3), "emotion": emotion.emotion, "intensity": round(emotion.intensity, 2)}
    for gesture in motion.gestures:
        yield {"t": round(at + gesture.at, 3), "gesture": gesture.gesture}


def write_wav(path: Path, answer: Answer, label: Label) -> None:
    if not answer.audio:
        raise ConfigError("there is no speech to write: the voice failed")
    path.write_bytes(labelled(wav(Audio(bytes(answer.audio), answer.rate)), "wav", label))
