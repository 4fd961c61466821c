"""Greetings and the like, which no document answers and no model is needed for."""

import re
import unicodedata

from agent.persona import Intent, Persona
from configs.language import Lang

_ASIDE = re.compile("好的?|嗯+|哦+|那|请问|oh|ok|okay|well|so|great|yes")
_LONGEST = 40
"""Characters; longer texts ask for something else besides."""

_ZH: dict[Intent, tuple[str, ...]] = {
    "wellbeing": ("[你您]?(最近|今天)?(过得|感觉|心情)?(还?好吗|怎么样|好不好|如何)",),
    "hello": (
        "(你|您|大家|各位)好|嗨|哈[喽啰罗]|嘿|在吗|在不在|早安?|晚安",
        "(早上|上午|中午|下午|晚上)好|很高兴(认识|见到)[你您]",
    ),
    "thanks": ("(非常|十分|太)?(谢谢|感谢|多谢|谢了|辛苦)(了|[你您]们?|[你您]的(帮助|讲解|回答))*|谢+",),
    "farewell": ("(那)?(再见|拜拜|回见|回头见|下次见|明天见|先走了|我走了)|没有?(别的)?(问题|事)了",),
    "who": (
        "[你您](到底|究竟)?(是谁|是什么人|叫什么(名字)?|是哪位|贵姓)|[你您]的名字(是什么|叫什么)?",
        "请?(做?个?自我介绍|介绍(一下)?[你您]?自己)(一下)?",
    ),
    "able": (
        "[你您](都|还)?(能|会|可以)(帮我|回答|[做干讲说聊])*[些点]?(什么|啥|哪些(事|事情|问题)?)(忙|问题)?",
        "[你您]有(什么|哪些)(功能|用处|本领)|我?(可以|能)[问向]?[你您]?问?些?(什么|哪些)(问题)?",
        "[你您](能|可以)(怎么)?帮助?我(吗|什么)?|怎么(用|使用)[你您]",
    ),
    "human": (
        "[你您](到底|究竟)?(是|是不是)([一]?[个台])?({being})(还是([一]?[个台])?({being}))?",
        "我?(是不是|是)?在?[和跟]({being})(说话|聊天|对话)",
    ),
    "compliment": ("[你您]?(真|好|太|很|非常|[讲说]得)+(棒|好|厉害|聪明|可爱|漂亮|好听|清楚|好看)极?了?",),
}
_EN: dict[Intent, tuple[str, ...]] = {
    "hello": (
        "(hello|hi|hey|hiya|howdy|greetings)( there| again| everyone| all)?|good (morning|afternoon|evening|day)",
        "(nice|good|pleased) to meet you|are you there|anyone there",
    ),
    "wellbeing": (
        "(how are you( doing)?|hows it going|how is it going|how do you (do|feel)|whats up|are you ok(ay)?)( today)?",
    ),
    "thanks": (
        "(many |ok(ay)? |great |cool )?(thanks|thank you|thx|cheers|much appreciated)"
        "( a lot| so much| very much| again| for (your|the) (help|answer|time|tour))*",
    ),
    "farewell": (
        "(ok(ay)? )?(good ?bye|bye( bye)?|see you|see ya|farewell|take care|good night)"
        "( later| soon| then| tomorrow| around)?",
        "i have to go|thats all|no more questions",
    ),
    "who": (
        "who are you|what are you|what ?i?s your name|do you have a name|who am i (talking|speaking) (to|with)",
        "(please |can you |could you )?(introduce yourself|tell me about yourself)",
    ),
    "able": (
        "what (can|do) you do( for me)?|(how|what) can you help( me)?( with)?|can you help( me)?|help( me)?",
        "what (can|should|may) i ask( you)?( about)?|what( topics)? do you know( about)?|what is your purpose",
        "what are you able to do",
    ),
    "human": (
        "are you (really )?(an? )?({being})( or (just )?(an? )?({being}))?",
        "am i (talking|speaking|chatting) (to|with) (an? )?({being})( or (an? )?({being}))?",
    ),
    "compliment": (
        "(you are|youre|that was|thats|that is|this is)?( so| very| really| pretty)*"
        " ?(great|good|nice|awesome|amazing|cool|brilliant|smart|helpful|cute|funny|wonderful|excellent)( job| work)?",
        "well done|i (like|love) you",
    ),
}
_BEING: dict[Lang, str] = {
    "zh": "真人|人类|活人|人|机器人|机器|人工智能|ai|数字人|虚拟人|程序|电脑",
    "en": "(real |actual )?(human( being)?|person|man|woman|robot|(chat)?bot|machine|ai|computer|program)|real|alive",
}
_INTENTS: dict[Lang, dict[Intent, tuple[str, ...]]] = {"zh": _ZH, "en": _EN}
_FILLERS: dict[Lang, str] = {
    "zh": "(请问|那个|嗯+|哦+|啊+|好的?|那|喂)*(?:{body})[啊呀呢哦哈嘛吧啦哟吗]*",
    "en": "(?:(?:oh|well|so|um|please|ok|okay|and|excuse me)\\s)*(?:{body})(?: please| (?:my )?friend| buddy)?",
}
_MATCHERS = {
    lang: {
        intent: re.compile(_FILLERS[lang].format(body="|".join(patterns).replace("{being}", _BEING[lang])))
        for intent, patterns in intents.items()
    }
    for lang, intents in _INTENTS.items()
}


def reply(text: str, lang: Lang, persona: Persona) -> str | None:
    """What to say to a greeting, thanks, a question about the presenter itself; None for anything else.

    The whole text has to be small talk, so that "你好，几点关门？" is still a question; several pieces of
    small talk ("Hi! Who are you?") are answered by the last.
    """
    pieces = [_bare(piece, lang, persona) for piece in re.split("[，。！？、；,.!?;~～\n]+", text)]
    spoken = [piece for piece in pieces if piece and not _ASIDE.fullmatch(piece)]
    if not spoken or len(text) > _LONGEST:
        return None
    intents = [_intent(piece, lang) for piece in spoken]
    last = intents[-1]
    if last is None or None in intents:
        return None
    line = persona.smalltalk.get(last)
    return line[lang] if line else None


def _intent(text: str, lang: Lang) -> Intent | None:
    return next((intent for intent, matcher in _MATCHERS[lang].items() if matcher.fullmatch(text)), None)


def _bare(text: str, lang: Lang, persona: Persona) -> str:
    """Words only, folded, without the presenter's own name where it is an address and not the whole."""
    folded = unicodedata.normalize("NFKC", text).casefold().replace("'", "").replace("’", "")
    words = " ".join("".join(char if char.isalnum() else " " for char in folded).split())
    name = persona.name[lang].casefold()
    without = words.replace(name, "").strip() if lang == "zh" else re.sub(rf"\b{re.escape(name)}\b", "", words).strip()
    bare = without.replace(" ", "") if lang == "zh" else " ".join(without.split())
    return bare or ("你好" if name in words and lang == "zh" else "hello" if name in words else "")
