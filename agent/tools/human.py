"""A tool that hands the conversation over to a human."""

import re
from collections.abc import Mapping
from typing import Any

from agent.tools.tool import Arguments, Context, Result
from agent.tools.wording import stripped
from configs.language import Lang

_SAID: dict[Lang, str] = {
    "zh": "好的，我这就请人工客服来接待您，请稍等。",
    "en": "Of course. I'm handing you over to one of my colleagues; one moment, please.",
}
_WHO = "(?:真人|人工|活人|人类)"
_ZH = re.compile(
    f"(?:我?(?:要|想要?|需要|请|希望)?(?:帮我|给我)?(?:转接?到?|接通?|换(?:成)?|呼叫|联系|找一?[个位]?))"
    f"(?:一下)?(?:{_WHO}(?:客服|服务|坐席|座席|工作人员|来)?|(?:你们的?)?(?:客服人员|工作人员|客服))(?:吗)?"
    f"|{_WHO}(?:客服|服务)?|我?(?:要|想)(?:和|跟|同)(?:{_WHO}|工作人员|客服)(?:客服)?(?:说话|讲话|聊|谈|沟通|说|聊聊|谈谈)"
    f"|(?:有没有|有|叫){_WHO}(?:客服|服务)?(?:吗)?"
)
_PERSON = (
    "(?:an? |the |some |your )?(?:real |actual |live |human )*"
    "(?:human(?: being)?|person|agent|operator|representative"
    "|someone|somebody|staff(?: member)?|colleague|receptionist)"
)
_EN = re.compile(
    "(?:(?:i (?:want|need|would like|wish|d like)|id like|can i|could i|may i|let me)(?: please)? )?(?:to )?"
    f"(?:(?:talk|speak|chat) (?:to|with) {_PERSON}(?: real| human)?"
    f"|(?:get|call|fetch|find|transfer|connect|put|hand)(?: me| us)?(?: over| through)?(?: to| with)? {_PERSON})"
    "|human|agent|operator|representative|(?:(?:talk|speak) to )?customer (?:service|support)"
)
_MATCHERS: dict[Lang, re.Pattern[str]] = {"zh": _ZH, "en": _EN}


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
        return {} if _MATCHERS[lang].fullmatch(stripped(question, lang)) else None
