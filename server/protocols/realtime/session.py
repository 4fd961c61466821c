"""A Realtime session's settings: merged field by field, shown whole, and said as commands of ours."""

from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import ValidationError

from agent.commands import Configure, Listen, OfferTools, RemoteTool
from avatar.speech import Manner
from configs.language import LANGUAGES, Lang
from server.openai.voices import THEIRS
from server.protocols.events import Json
from server.protocols.realtime.bodies import Choice, Function, ResponseBody, SemanticVad, ServerVad, SessionBody
from server.protocols.realtime.refusal import Refusal

_PARTS = frozenset({"audio", "input", "output"})
_CLEARED = frozenset({"turn_detection", "transcription"})
"""What null turns off."""
_EAGERNESS: Mapping[str, float | None] = {"low": 1.5, "medium": None, "high": 0.4, "auto": None}
"""Seconds of silence that end a turn; None: as the server's settings say."""


@dataclass(frozen=True, slots=True)
class Defaults:
    """What holds where the client says nothing. `silence`: seconds that end a turn."""

    model: str
    silence: float
    threshold: float


def merged(session: SessionBody, patch: object) -> SessionBody:
    """The session with the fields that `patch` has; tools, whose check may take long, are checked once. Raises
    Refusal."""
    if not isinstance(patch, dict):
        raise Refusal("invalid_value", "session is an object / session 必须是一个对象", "session")
    over = {"type": session.type, **_said(patch)}
    try:
        said = SessionBody.model_validate(over)
        kept, over = session.model_dump(exclude_unset=True, exclude={"tools"}), {**over, "tools": ()}
        whole = SessionBody.model_validate(_merge(kept, over))
    except ValidationError as wrong:
        raise refused(wrong, "session") from wrong
    return whole.model_copy(update={"tools": said.tools if "tools" in said.model_fields_set else session.tools})


def _said(patch: Json) -> Json:
    """Without the nulls that say nothing: some clients send one for what they do not mean."""
    kept = {key: value for key, value in patch.items() if value is not None or key in _CLEARED}
    return {key: _said(value) if isinstance(value, dict) and key in _PARTS else value for key, value in kept.items()}


def _merge(base: Json, over: Json) -> Json:
    """Lists are replaced, and so is an object of another `type`."""
    joined = dict(base)
    for key, value in over.items():
        below = joined.get(key)
        same = isinstance(below, dict) and isinstance(value, dict) and below.get("type") == value.get("type")
        whole = key in ("parameters", "tool_choice", "format")
        joined[key] = _merge(below, value) if same and not whole and below is not None else value
    return joined


def refused(wrong: ValidationError, root: str) -> Refusal:
    problem = wrong.errors(include_url=False, include_input=False)[0]
    where = ".".join([root, *(str(part) for part in problem["loc"] if part not in ("server_vad", "semantic_vad"))])
    return Refusal("invalid_value", f"{where}: {problem['msg']} / 参数 {where} 不对", where)


def shown(session: SessionBody, id: str, defaults: Defaults) -> Json:
    """The whole session as it is in effect."""
    heard = session.audio.input
    input: Json = {
        "format": heard.format.shown(),
        "transcription": heard.transcription.model_dump(exclude_none=True) if heard.transcription else None,
        "noise_reduction": None,
        "turn_detection": _turns(session, defaults),
    }
    whole: Json = {"type": session.type, "object": "realtime.session", "id": id}
    if session.type == "transcription":
        return {**whole, "audio": {"input": input}, "include": None}
    choice = session.tool_choice
    spoken = session.audio.output
    output = {"format": spoken.format.shown(), "voice": spoken.voice, "speed": spoken.speed}
    return {
        **whole,
        "model": defaults.model,
        "output_modalities": list(session.output_modalities),
        "instructions": session.instructions,
        "tools": [tool.model_dump() for tool in session.tools],
        "tool_choice": choice.model_dump() if isinstance(choice, Choice) else choice,
        "max_output_tokens": "inf",
        "tracing": None,
        "prompt": None,
        "audio": {"input": input, "output": output},
        "include": None,
    }


def _turns(session: SessionBody, defaults: Defaults) -> Json | None:
    match session.audio.input.turn_detection:
        case ServerVad() as vad:
            silence = vad.silence_duration_ms or round(defaults.silence * 1000)
            known = {"threshold": vad.threshold or defaults.threshold, "silence_duration_ms": silence}
            return {**vad.model_dump(), **known, "idle_timeout_ms": None}
        case SemanticVad() as vad:
            return vad.model_dump()
        case None:
            return None


@dataclass(frozen=True, slots=True)
class Terms:
    """What one response is made by: the session's settings, and what it wants otherwise."""

    configure: Configure
    offer: OfferTools
    listen: Listen
    modality: str
    format: str
    voice: str | None

    @classmethod
    def of(cls, session: SessionBody, response: ResponseBody | None = None, context: str = "") -> "Terms":
        """`context`: what the conversation's system messages say."""
        wanted = response or ResponseBody()
        own = wanted.audio.output
        voice = own.voice or session.audio.output.voice
        modality = (wanted.output_modalities or session.output_modalities)[0]
        instructions = "\n".join(filter(None, (session.instructions, context)))
        manner = Manner(None if voice in THEIRS else voice, session.audio.output.speed)
        tools = session.tools if wanted.tools is None else wanted.tools
        choice = wanted.tool_choice or session.tool_choice
        return cls(
            Configure(instructions, manner, modality == "audio"),
            OfferTools(_offered(tools, choice)),
            _listen(session),
            modality,
            (own.format or session.audio.output.format).type,
            voice,
        )


def _offered(tools: tuple[Function, ...], choice: str | Choice) -> tuple[RemoteTool, ...]:
    """A model cannot be made to call a tool here; that it is the only one comes near to it."""
    if choice == "none":
        return ()
    named = [tool for tool in tools if not isinstance(choice, Choice) or tool.name == choice.name]
    return tuple(RemoteTool(tool.name, tool.description, tool.parameters) for tool in named)


def _listen(session: SessionBody) -> Listen:
    transcription = session.audio.input.transcription
    spoken = (transcription.language or "")[:2].lower() if transcription else ""
    lang: Lang | None = next((one for one in LANGUAGES if one == spoken), None)
    answered = session.type == "realtime"
    match session.audio.input.turn_detection:
        case ServerVad() as vad:
            silence = vad.silence_duration_ms / 1000 if vad.silence_duration_ms else None
            return Listen(
                answer=answered and vad.create_response,
                interrupt=vad.interrupt_response,
                silence=silence,
                threshold=vad.threshold,
                lang=lang,
            )
        case SemanticVad() as vad:
            return Listen(
                answer=answered and vad.create_response,
                interrupt=vad.interrupt_response,
                silence=_EAGERNESS[vad.eagerness],
                lang=lang,
            )
        case None:
            return Listen(turns="manual", answer=False, lang=lang)
