"""Settings of the tools: what a call may cost, the presenter's time zone, and where strangers' tools are."""

from typing import Annotated, Any, Self
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field, SecretStr, StringConstraints, model_validator

from configs.section import Section


def _known(zone: str) -> str:
    try:
        ZoneInfo(zone)
    except (LookupError, ValueError, OSError) as error:
        raise ValueError("no such time zone; one looks like Asia/Shanghai or UTC") from error
    return zone


ServerName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,19}$")]
ClassName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][\w.]*:[A-Za-z_]\w*$")]


class LangChainToolSettings(Section):
    """`class`: "package.module:name" of a tool or of a class of tools; `arguments`: what a class is given."""

    tool: ClassName = Field(alias="class")
    arguments: dict[str, Any] = Field(default_factory=dict)


class McpProcess(Section):
    """An MCP server that is started as a process of its own and ends with the service.

    `name` goes before the names of its tools: `weather_today`. `env` is all that it is given besides PATH, HOME and
    the like. `allow`: which of its tools are taken, by name or pattern. `seconds`: how long a call may take.
    """

    name: ServerName
    command: Annotated[tuple[str, ...], Field(min_length=1)]
    env: dict[str, SecretStr] = Field(default_factory=dict)
    allow: tuple[str, ...] = ("*",)
    seconds: float | None = Field(default=None, gt=0)


class McpEndpoint(Section):
    """An MCP server that is reached over streamable HTTP. `headers`: such as Authorization."""

    name: ServerName
    url: Annotated[str, StringConstraints(pattern=r"^https?://")]
    headers: dict[str, SecretStr] = Field(default_factory=dict)
    allow: tuple[str, ...] = ("*",)
    seconds: float | None = Field(default=None, gt=0)


McpSettings = McpProcess | McpEndpoint


class ToolSettings(Section):
    """`seconds`: how long a call may take, unless the tool says otherwise. `result_characters`: how much of a result
    the model reads."""

    seconds: float = Field(default=8, gt=0)
    result_characters: int = Field(default=2000, ge=100)
    timezone: Annotated[str, AfterValidator(_known)] = "Asia/Shanghai"
    """Where the presenter is: what "now" and "today" mean."""
    langchain: tuple[LangChainToolSettings, ...] = ()
    mcp: tuple[McpSettings, ...] = ()

    @model_validator(mode="after")
    def _tells_servers_apart(self) -> Self:
        names = [server.name for server in self.mcp]
        if len(set(names)) < len(names):
            raise ValueError("mcp: two servers have the same name, which goes before their tools'")
        return self
