"""What the presenter says in the place of what may not be said, or asked."""

from collections.abc import Mapping

from agent.lines import Both
from configs.safety import Category

USUAL = Both(
    zh="抱歉，这个话题我不方便谈，我们聊点别的吧。",
    en="I'm sorry, that's not something I can talk about. Let's talk about something else.",
)
SAFE: Mapping[Category, Both] = {
    "self_harm": Both(
        zh="听起来您现在很难受。请马上和身边的人说说，或拨打心理援助热线12356；如有危险，请拨打110或120。",
        en="It sounds as if you are going through a hard time. Please talk to somebody near you now, or call a crisis "
        "line; if you are in danger, call the emergency number.",
    ),
    "injection": Both(
        zh="抱歉，我不能这样做。我是人工智能数字人，只做分内的事。您想了解什么？",
        en="I'm sorry, I can't do that. I'm an AI digital human and I keep to my job. What would you like to know?",
    ),
    "leak": Both(
        zh="抱歉，我的工作设置不对外公开。您想了解别的什么吗？",
        en="I'm sorry, how I am set up is not for telling. Is there anything else you would like to know?",
    ),
    "human": Both(zh="我是人工智能数字人，不是真人。", en="I'm an AI digital human, not a person."),
    "language": Both(zh="抱歉，我目前只会中文和英文。", en="Sorry, I only speak Chinese and English."),
    "endless": Both(zh="我就先说到这里。您还想了解什么？", en="Let me stop here. What else would you like to know?"),
    "unmoderated": Both(
        zh="抱歉，我暂时没法回答，请稍后再问一次。", en="Sorry, I can't answer right now. Please ask again in a moment."
    ),
    "insult": Both(zh="我们好好说话吧。您想了解什么？", en="Let's keep it friendly. What would you like to know?"),
}


def line(category: Category) -> Both:
    return SAFE.get(category, USUAL)
