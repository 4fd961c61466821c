"""Bodies of OpenAI's HTTP API, as its clients send them: what is not known here is let pass, as its reference wants."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

Role = Literal["system", "developer", "user", "assistant", "tool", "function"]
SoundFormat = Literal["mp3", "opus", "aac", "flac", "wav", "pcm"]
TextFormat = Literal["json", "text", "srt", "verbose_json", "vtt"]
Model = Annotated[str, Field(min_length=1, max_length=200)]


class ErrorBody(BaseModel):
    """`error` has `message`, `type`, `param` and `code`; codes are stable, the message says what to do."""

    error: dict[str, Any]


class PartBody(BaseModel):
    """A piece of a message; only text is understood. `text` or `refusal` where it is one of those."""

    type: str = Field(max_length=40)
    text: str | None = None
    refusal: str | None = None


class CalledBody(BaseModel):
    """`arguments`: JSON."""

    name: Annotated[str, Field(max_length=64)]
    arguments: str = ""


class CallBody(BaseModel):
    id: Annotated[str, Field(max_length=100)]
    function: CalledBody


class MessageBody(BaseModel):
    """`tool_calls`: what the assistant asked the client to do; `tool_call_id`: which of them this message answers."""

    role: Role
    content: str | list[PartBody] | None = None
    tool_calls: list[CallBody] | None = None
    tool_call_id: Annotated[str, Field(max_length=100)] | None = None


class FunctionBody(BaseModel):
    """`parameters`: a JSON schema of an object."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
    description: str | None = ""
    parameters: dict[str, Any] | None = None


class ToolBody(BaseModel):
    type: Literal["function"] = "function"
    function: FunctionBody


class StreamBody(BaseModel):
    """`include_usage`: one more chunk, without choices, tells the tokens."""

    include_usage: bool = False


class ChatBody(BaseModel):
    """Stateless: the messages are the conversation. The last one is what is answered; system and developer messages
    are instructions for the answer. `tools` are the client's own: it does what is called, and asks again with what
    came of it. `max_tokens` ends the answer, by our own estimate of tokens; sampling is the presenter's own, whatever
    `temperature` says."""

    model: Model
    messages: Annotated[list[MessageBody], Field(min_length=1, max_length=2000)]
    stream: bool | None = False
    stream_options: StreamBody | None = None
    max_tokens: Annotated[int, Field(ge=1)] | None = None
    max_completion_tokens: Annotated[int, Field(ge=1)] | None = None
    temperature: Annotated[float, Field(ge=0, le=2)] | None = None
    top_p: Annotated[float, Field(ge=0, le=1)] | None = None
    n: int | None = 1
    tools: Annotated[list[ToolBody], Field(max_length=64)] | None = None
    tool_choice: str | dict[str, Any] | None = None
    response_format: dict[str, Any] | None = None
    modalities: list[str] | None = None


class ItemBody(BaseModel):
    """A message; items of reasoning are let pass, others are refused."""

    type: str = Field(default="message", max_length=40)
    role: Role | None = None
    content: str | list[PartBody] | None = None


class ResponsesBody(BaseModel):
    """`previous_response_id`: the conversation that this goes on with, kept for an hour unless `store` is false."""

    model: Model
    input: str | Annotated[list[ItemBody], Field(min_length=1, max_length=2000)]
    instructions: str | None = None
    previous_response_id: Annotated[str, Field(max_length=100)] | None = None
    store: bool | None = True
    stream: bool | None = False
    max_output_tokens: Annotated[int, Field(ge=1)] | None = None
    temperature: Annotated[float, Field(ge=0, le=2)] | None = None
    top_p: Annotated[float, Field(ge=0, le=1)] | None = None
    metadata: Annotated[dict[str, Annotated[str, Field(max_length=512)]], Field(max_length=16)] | None = None
    tools: list[dict[str, Any]] | None = None
    tool_choice: str | dict[str, Any] | None = None
    text: dict[str, Any] | None = None
    background: bool | None = False


class VoiceBody(BaseModel):
    id: Annotated[str, Field(max_length=100)]


class SpeechBody(BaseModel):
    """`voice`: a name that the voice engine knows; one of OpenAI's, or none, is the persona's own. `instructions` and
    `model` change nothing: there is one voice. `notice`: ours; how the sound says at its beginning that it is
    AI-generated, where nothing else tells the listener."""

    model: Model
    input: Annotated[str, Field(min_length=1, max_length=4096)]
    voice: Annotated[str, Field(max_length=100)] | VoiceBody | None = None
    response_format: SoundFormat | None = "mp3"
    speed: Annotated[float, Field(ge=0.25, le=4)] | None = 1.0
    instructions: Annotated[str, Field(max_length=4096)] | None = None
    stream_format: Literal["audio", "sse"] | None = "audio"
    notice: Literal["none", "speech", "tone"] = "none"
