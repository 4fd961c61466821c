"""Every event as the JSON object that zhubo.v1 and the operator's desk send. Speech is a binary frame and has none."""

from typing import Any

from agent.events import (
    Caption,
    Citation,
    Citations,
    Cleared,
    Committed,
    Event,
    Fault,
    Floor,
    Hearsay,
    Motion,
    Notice,
    Posture,
    SentenceEnded,
    SentenceStarted,
    Speech,
    SpeechStarted,
    SpeechStopped,
    TextDelta,
    Timings,
    ToolCalled,
    Transcribed,
    TurnEnded,
    TurnStarted,
    Unheard,
)

Json = dict[str, Any]


def body(event: Event) -> Json:
    match event:
        case TurnStarted(turn, lang, by):
            return {"type": "turn_started", "turn": turn, "lang": lang, "by": by}
        case TextDelta(turn, text):
            return {"type": "text", "turn": turn, "text": text}
        case SentenceStarted(turn, sentence, text, at):
            return {"type": "sentence", "turn": turn, "sentence": sentence, "text": text, "at": round(at, 4)}
        case Motion():
            return _motion(event)
        case Caption(turn, sentence, words):
            timed = [[word.text, round(word.start, 3), round(word.end, 3)] for word in words]
            return {"type": "caption", "turn": turn, "sentence": sentence, "words": timed}
        case SentenceEnded(turn, sentence, seconds):
            return {"type": "sentence_ended", "turn": turn, "sentence": sentence, "seconds": round(seconds, 6)}
        case Citations(turn, citations):
            return {"type": "citations", "turn": turn, "citations": [cited(citation) for citation in citations]}
        case Fault(turn, code, message):
            return {"type": "error", "turn": turn, "code": code, "message": message}
        case Posture(turn, posture):
            return {"type": "posture", "turn": turn, "posture": posture}
        case Notice(turn, code, message):
            return {"type": "notice", "turn": turn, "code": code, "message": message}
        case TurnEnded():
            return _ended(event)
        case SpeechStarted() | SpeechStopped() | Committed() | Cleared() | Transcribed() | Unheard() | Floor():
            return _hearsay(event)
        case ToolCalled(turn, call, name, arguments):
            return {"type": "tool_call", "turn": turn, "call": call, "name": name, "arguments": arguments}
        case Speech():
            raise TypeError("speech is a binary frame")


def _hearsay(event: Hearsay) -> Json:
    match event:
        case SpeechStarted(turn, utterance, at):
            return {"type": "speech_started", "turn": turn, "utterance": utterance, "at": round(at, 3)}
        case SpeechStopped(turn, utterance, at):
            return {"type": "speech_stopped", "turn": turn, "utterance": utterance, "at": round(at, 3)}
        case Committed(turn, utterance):
            return {"type": "committed", "turn": turn, "utterance": utterance}
        case Cleared(turn):
            return {"type": "cleared", "turn": turn}
        case Transcribed(turn, utterance, text, lang, final, _):
            told = {"turn": turn, "utterance": utterance, "text": text, "lang": lang, "final": final}
            return {"type": "transcript", **told}
        case Unheard(turn, utterance, code, message):
            return {"type": "unheard", "turn": turn, "utterance": utterance, "code": code, "message": message}
        case Floor(turn, state, reason):
            return {"type": "floor", "turn": turn, "state": state, "reason": reason}


def _motion(event: Motion) -> Json:
    motion: Json = {
        "type": "motion",
        "turn": event.turn,
        "sentence": event.sentence,
        "visemes": [[round(v.at, 3), v.shape, round(v.weight, 2)] for v in event.visemes],
    }
    if event.emotions:
        motion["emotions"] = [[round(cue.at, 3), cue.emotion, round(cue.intensity, 2)] for cue in event.emotions]
    if event.gestures:
        motion["gestures"] = [[round(cue.at, 3), cue.gesture] for cue in event.gestures]
    return motion


def _ended(event: TurnEnded) -> Json:
    return {
        "type": "turn_ended",
        "turn": event.turn,
        "reason": event.reason,
        "refused": event.refused,
        "fallback": event.fallback,
        "timings": milliseconds(event.timings),
    }


def milliseconds(timings: Timings) -> dict[str, float | None]:
    stages = {
        "retrieval": timings.retrieval,
        "first_text": timings.first_text,
        "first_audio": timings.first_audio,
        "total": timings.total,
    }
    return {stage: None if value is None else round(value, 1) for stage, value in stages.items()}


def parted(before: str, text: str) -> str:
    """`text`, which begins anew, to stand after `before`: with a space between where both are English."""
    spaced = before == "" or before[-1].isspace() or text[:1].isspace()
    return text if spaced or not (before[-1].isascii() and text[:1].isascii()) else f" {text}"


def cited(citation: Citation) -> Json:
    place = citation.place
    return {
        "document": citation.document,
        "revision": citation.revision,
        "title": citation.title,
        "source": citation.source,
        "quote": citation.quote,
        "section": list(place.section),
        "page": place.page,
        "at": place.at,
        "start": place.start,
        "end": place.end,
        "sentences": list(citation.sentences),
    }
