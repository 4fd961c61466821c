"""The settings of an OpenAI Realtime session that have an effect here; what has none is left out, not refused."""

from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from agent.tools.remote import MOST
from agent.tools.schemas import bounded

FORMATS = Literal["audio/pcm", "audio/pcmu", "audio/pcma"]
PCM_RATE = 24000


class Body(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class Sparing(Body):
    """One whose nulls say nothing."""

    @model_validator(mode="before")
    @classmethod
    def _said(cls, given: object) -> object:
        return {key: value for key, value in given.items() if value is not None} if isinstance(given, dict) else given


class Format(Body):
    """16-bit little-endian mono at 24 kHz, or G.711 at 8 kHz."""

    type: FORMATS = "audio/pcm"
    rate: int | None = None

    @model_validator(mode="after")
    def _has_its_rate(self) -> Self:
        rate = PCM_RATE if self.type == "audio/pcm" else 8000
        if self.rate not in (None, rate):
            raise ValueError(
                f"{self.type} has a rate of {rate} here, not {self.rate} / {self.type} 的采样率只能是 {rate}"
            )
        return self

    def shown(self) -> dict[str, Any]:
        return {"type": self.type, "rate": PCM_RATE} if self.type == "audio/pcm" else {"type": self.type}


class ServerVad(Sparing):
    """None: as the server's settings say."""

    type: Literal["server_vad"]
    threshold: float | None = Field(default=None, gt=0, lt=1)
    prefix_padding_ms: int = Field(default=300, ge=0)
    silence_duration_ms: int | None = Field(default=None, gt=0, le=10_000)
    create_response: bool = True
    interrupt_response: bool = True


class SemanticVad(Sparing):
    type: Literal["semantic_vad"]
    eagerness: Literal["low", "medium", "high", "auto"] = "auto"
    create_response: bool = True
    interrupt_response: bool = True


class Transcription(Body):
    model: str | None = Field(default=None, max_length=200)
    language: str | None = Field(default=None, max_length=40)
    prompt: str | None = Field(default=None, max_length=20_000)


class Input(Body):
    format: Format = Format()
    transcription: Transcription | None = None
    turn_detection: Annotated[ServerVad | SemanticVad, Field(discriminator="type")] | None = ServerVad(
        type="server_vad"
    )


class Output(Body):
    format: Format = Format()
    voice: str | None = Field(default=None, max_length=64)
    speed: float = Field(default=1.0, ge=0.25, le=1.5)

    @field_validator("voice", mode="before")
    @classmethod
    def _named(cls, voice: object) -> object:
        """A voice of one's own is given by its id."""
        return voice.get("id") if isinstance(voice, dict) else voice


class Audio(Body):
    input: Input = Input()
    output: Output = Output()


class Function(Sparing):
    type: Literal["function"]
    name: str = Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")
    description: str = Field(default="", max_length=4096)
    parameters: dict[str, Any] = Field(default_factory=lambda: {"type": "object", "properties": {}})

    @field_validator("parameters")
    @classmethod
    def _fits(cls, parameters: dict[str, Any]) -> dict[str, Any]:
        """Raises ValueError for what no model could be told of."""
        bounded(parameters)
        return parameters


class Choice(Body):
    type: Literal["function"]
    name: str = Field(max_length=64)


Modality = Literal["audio", "text"]


class SessionBody(Body):
    type: Literal["realtime", "transcription"] = "realtime"
    instructions: str = Field(default="", max_length=20_000)
    output_modalities: tuple[Modality] = ("audio",)
    tools: tuple[Function, ...] = Field(default=(), max_length=MOST)
    tool_choice: Literal["auto", "none", "required"] | Choice = "auto"
    audio: Audio = Audio()


class ResponseOutput(Sparing):
    format: Format | None = None
    voice: str | None = Field(default=None, max_length=64)


class ResponseAudio(Sparing):
    output: ResponseOutput = ResponseOutput()


class ResponseBody(Sparing):
    """What `response.create` wants otherwise than the session has it; None: as the session."""

    instructions: str | None = Field(default=None, max_length=20_000)
    output_modalities: tuple[Modality] | None = None
    tools: tuple[Function, ...] | None = Field(default=None, max_length=MOST)
    tool_choice: Literal["auto", "none", "required"] | Choice | None = None
    audio: ResponseAudio = ResponseAudio()
    conversation: Literal["auto", "none"] = "auto"
    input: list[dict[str, Any]] | None = Field(default=None, max_length=256)
    metadata: dict[Annotated[str, Field(max_length=64)], Annotated[str, Field(max_length=512)]] | None = Field(
        default=None, max_length=16
    )
