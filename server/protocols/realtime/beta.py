"""The names of the Realtime beta (`OpenAI-Beta: realtime=v1`): a client's in, ours out."""

from typing import Any

from server.protocols.events import Json

HEADER, SUBPROTOCOL = "realtime=v1", "openai-beta.realtime-v1"
_EVENTS = {
    "response.output_audio.": "response.audio.",
    "response.output_audio_transcript.": "response.audio_transcript.",
    "response.output_text.": "response.text.",
}
_FORMATS = {"pcm16": "audio/pcm", "g711_ulaw": "audio/pcmu", "g711_alaw": "audio/pcma"}
_NAMES = {name: old for old, name in _FORMATS.items()}
_INPUT = ("turn_detection", "input_audio_transcription", "input_audio_format", "input_audio_noise_reduction")
_OUTPUT = ("voice", "output_audio_format", "speed")


def inward(message: Json) -> Json:
    """A beta client's event as one of today's. What is not as the beta has it is left for the codec to refuse."""
    match message:
        case {"type": "session.update", "session": dict(session)}:
            return {**message, "session": _session(session, "realtime")}
        case {"type": "transcription_session.update", "session": dict(session)}:
            return {**message, "type": "session.update", "session": _session(session, "transcription")}
        case {"type": "response.create", "response": dict(response)}:
            return {**message, "response": _response(response)}
        case {"type": "conversation.item.create", "item": dict(item)}:
            return {**message, "item": _item(item, {"text": "output_text", "audio": "output_audio"})}
    return message


def outward(event: Json) -> Json | None:
    """One of our events as the beta names it; None for one that it does not have."""
    kind: str = event["type"]
    if kind == "conversation.item.done":
        return None
    if kind == "conversation.item.added":
        kind = "conversation.item.created"
    for name, old in _EVENTS.items():
        kind = kind.replace(name, old)
    told = {**event, "type": kind}
    if kind.startswith("session."):
        told["session"] = flat(event["session"])
        told["type"] = f"transcription_{kind}" if event["session"]["type"] == "transcription" else kind
    if isinstance(event.get("item"), dict):
        told["item"] = _item(event["item"], {"output_text": "text", "output_audio": "audio"})
    if isinstance(event.get("response"), dict):
        told["response"] = _answered(event["response"])
    return told


def _session(session: Json, kind: str) -> Json:
    if isinstance(session.get("audio"), dict) or session.get("type") == kind:
        return session  # it speaks as today's do already
    other = {name: value for name, value in session.items() if name not in (*_INPUT, *_OUTPUT, "modalities")}
    nested: Json = {**other, "type": kind}
    if "modalities" in session:
        nested["output_modalities"] = _modalities(session["modalities"])
    heard = {"turn_detection": session[_INPUT[0]]} if _INPUT[0] in session else {}
    if _INPUT[1] in session:
        heard["transcription"] = session[_INPUT[1]]
    if _INPUT[2] in session:
        heard["format"] = _format(session[_INPUT[2]])
    audio = {"input": heard} if heard else {}
    if spoken := _spoken(session):
        audio["output"] = spoken
    return {**nested, "audio": audio} if audio else nested


def _spoken(given: Json) -> Json:
    spoken: Json = {name: given[name] for name in ("voice", "speed") if name in given}
    if "output_audio_format" in given:
        spoken["format"] = _format(given["output_audio_format"])
    return spoken


def _format(name: Any) -> Json:
    return {"type": _FORMATS.get(name, name) if isinstance(name, str) else name}


def _modalities(given: Any) -> Any:
    return ["audio"] if isinstance(given, list) and "audio" in given else given


def _response(response: Json) -> Json:
    told = {name: value for name, value in response.items() if name not in (*_OUTPUT, "modalities")}
    if "modalities" in response:
        told["output_modalities"] = _modalities(response["modalities"])
    if spoken := _spoken(response):
        told["audio"] = {"output": spoken}
    return told


def _item(item: Json, names: dict[str, str]) -> Json:
    """Only what the presenter says is named otherwise."""
    content = item.get("content")
    if item.get("role") != "assistant" or not isinstance(content, list):
        return item
    return {**item, "content": [_renamed(part, names) for part in content]}


def _renamed(part: Any, names: dict[str, str]) -> Any:
    if not isinstance(part, dict) or not isinstance(part.get("type"), str):
        return part
    return {**part, "type": names.get(part["type"], part["type"])}


def flat(session: Json) -> Json:
    audio = session.get("audio", {})
    heard, spoken = audio.get("input", {}), audio.get("output", {})
    other = {name: value for name, value in session.items() if name not in ("audio", "type", "output_modalities")}
    told: Json = {
        **other,
        "turn_detection": heard.get("turn_detection"),
        "input_audio_transcription": heard.get("transcription"),
        "input_audio_format": _NAMES[heard["format"]["type"]],
    }
    if spoken:
        told |= {
            "modalities": _both(session["output_modalities"]),
            "voice": spoken["voice"],
            "speed": spoken["speed"],
            "output_audio_format": _NAMES[spoken["format"]["type"]],
            "max_response_output_tokens": told.pop("max_output_tokens", "inf"),
        }
    return told


def _both(modalities: list[str]) -> list[str]:
    return ["audio", "text"] if "audio" in modalities else modalities


def _answered(response: Json) -> Json:
    other = {name: value for name, value in response.items() if name not in ("audio", "output_modalities")}
    spoken = response["audio"]["output"]
    return {
        **other,
        "modalities": _both(response["output_modalities"]),
        "voice": spoken["voice"],
        "output_audio_format": _NAMES[spoken["format"]["type"]],
        "output": [_item(one, {"output_text": "text", "output_audio": "audio"}) for one in response["output"]],
    }
