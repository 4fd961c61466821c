"""A tool that hands the conversation over to a human."""

from collections.abc import Mapping
from typing import Any

from agent.tools.tool import Arguments, Context, Result
from agent.wishes import wants_human
from configs.language import Lang

_SAID: dict[Lang, str] = {
    "zh": "好的，我这就请人工客服来接待您，请稍等。",
    "en": "Of course. I'm handing you over to one of my colleagues; one moment, please.",
}


class Human:
    """Calling it is the hand-over: the session goes on from `Result.handover`."""

    name = "human"
    description: Mapping[Lang, str] = {
        "zh": "把对话转交给真人工作人员。用户要求人工，或你无法帮助时使用。",
        "en": "Hand the conversation over to a human. Use it when the user asks for a person or you cannot help.",
    }
    parameters: Mapping[str, Any] = {"type": "object", "properties": {}, "additionalProperties": False}
    seconds: float | None = None

    async def call(self, arguments: Arguments, context: Context) -> Result:
        return Result(_SAID[context.lang], handover=True)

    def hears(self, question: str, lang: Lang) -> Arguments | None:
        return {} if wants_human(question) else None
