"""Settings of the tools: what is wrong is named, and no secret is shown."""

import pytest
from pydantic import ValidationError

from configs.tools import McpEndpoint, McpProcess, ToolSettings


def test_servers_are_processes_or_endpoints() -> None:
    settings = ToolSettings.model_validate(
        {
            "timezone": "Europe/London",
            "mcp": [
                {"name": "weather", "command": ["weather-server"], "env": {"KEY": "sesame"}},
                {"name": "maps", "url": "https://maps.example.org/mcp", "headers": {"Authorization": "Bearer sesame"}},
            ],
        }
    )
    assert [type(server) for server in settings.mcp] == [McpProcess, McpEndpoint]
    assert "sesame" not in repr(settings) and "sesame" not in settings.model_dump_json()


@pytest.mark.parametrize(
    ("tree", "told"),
    [
        ({"timezone": "Asia/Atlantis"}, "no such time zone"),
        ({"timezone": "../../etc/passwd"}, "no such time zone"),
        ({"mcp": [{"name": "a", "command": []}]}, "at least 1"),
        ({"mcp": [{"name": "a", "url": "file:///etc/passwd"}]}, "pattern"),
        ({"mcp": [{"name": "Not A Name", "command": ["x"]}]}, "pattern"),
        ({"mcp": [{"name": "a", "command": ["x"]}, {"name": "a", "url": "http://x"}]}, "same name"),
        ({"langchain": [{"class": "no colon"}]}, "pattern"),
        ({"seconds": 0}, "greater than 0"),
        ({"second": 1}, "Extra inputs"),
    ],
)
def test_a_wrong_setting_is_named(tree: dict[str, object], told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        ToolSettings.model_validate(tree)
