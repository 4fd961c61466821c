"""The tools that every presenter has; which of them are used is the persona's to say."""

from agent.tools.arithmetic import Arithmetic
from agent.tools.calendar import Calendar
from agent.tools.clock import Clock
from agent.tools.human import Human
from agent.tools.search import Knowledge, Search
from agent.tools.tool import Tool
from configs.tools import ToolSettings


def built_in(settings: ToolSettings, knowledge: Knowledge) -> tuple[Tool, ...]:
    """Those that recognise a question by rules come in the order in which they are asked."""
    zone = settings.timezone
    return (Human(), Clock(zone), Calendar(zone), Arithmetic(), Search(knowledge))
