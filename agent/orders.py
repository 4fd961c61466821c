"""Sentences of a document that speak to the model rather than to the reader: no evidence for anything."""

import re

from agent.moderation.folding import fold
from agent.payloads import decoded

_ORDER = re.compile(
    r"<\|[a-z_]+\|?>|\[/?inst\]|<</?sys>>|^\W*(?:system|assistant|系统(?:提示|消息|指令)?|助手)\s*[:：]"
    r"|\b(?:ignore|disregard|forget|override)\b.{0,30}\b(?:instructions?|prompts?|rules|above|previous|prior|context)\b"
    r"|\b(?:tell|inform|convince|ask|instruct) the (?:users?|visitors?|viewers?|customers?) (?:that|to)\b"
    r"|\byou are (?:now|no longer)\b|\b(?:new|system) (?:instructions?|prompt)s?\s*[:：]"
    r"|(?:忽略|无视|忘记|忘掉|不要理会|覆盖).{0,12}(?:指令|提示|规则|设定|内容|要求)|(?:告诉|让|要求|说服|通知)(?:用户|观众|对方|提问者)"
    r"|(?:从现在(?:起|开始)|现在)你(?:是|不再|必须|只)|(?:新的?|系统)(?:指令|提示)\s*[:：]"
    r"|\bsystem prompt\b|\bthe (?:assistant|chat ?bot|ai|model) (?:must|shall|should now|has to)"
    r" (?:say|read|tell|answer|reveal|repeat|reply|respond|obey)\b|系统提示|提示词"
    r"|请?(?:助手|机器人|模型)(?:必须|务必|现在)?(?:把|将|说|念|回答|回复|重复|告诉)",
    re.IGNORECASE,
)


def gives_orders(text: str) -> bool:
    """Neither look-alikes, invisible characters nor an encoding hide one. Orders in other words pass; what a model
    makes of them has still to be borne out."""
    return _ORDER.search(fold(text).text) is not None or any(True for _ in decoded(text))
