"""What users tell of themselves, found by rules in their own words: nothing that is asked, supposed or about others."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from agent.memory import topics
from configs.language import Lang, detect
from knowledge.lexical import question_terms
from knowledge.sentences import sentences

LONGEST = 160
"""Characters of a statement; a longer one tells a story."""

_READ = 2000
"""Characters of what was said in one go that are looked at."""

SECRET = re.compile(
    r"密码|口令|验证码|身份证|护照|银行卡|信用卡|社保|\d{9,}|\b(?:password|passcode|pin|cvv|passport|social security"
    r"|credit card"
    r"|bank account)\b|[<>\[\]{}|\\]",
    re.IGNORECASE,
)
"""What is better not kept, and what is no sentence."""

_SPEAKER: Mapping[Lang, re.Pattern[str]] = {
    "zh": re.compile("[我俺咱]"),
    "en": re.compile(r"\b(?:i|my|me|mine|we|our|us)\b", re.IGNORECASE),
}
_DATE = {
    "zh": "今[天晚年]|明[天早晚年]|后[天年]|大后天|下个?(?:周|星期|礼拜|月)|这个?(?:周|星期|礼拜|月)"
    "|周[一二三四五六日天末]"
    r"|星期[一二三四五六日天]|\d+\s*[月号日]|[一二三四五六七八九十]+[月号]|月底|年底|国庆|春节|元旦|暑假|寒假|中秋|清明"
    r"|端午",
    "en": r"\b(?:tomorrow|tonight|this (?:weekend|month|evening|summer|winter)|next \w+|on (?:\w+day|the \d)|in "
    r"(?:january|february"
    r"|march|april|may|june|july|august|september|october|november|december|spring|summer|autumn|winter|\d+ \w+))\b",
}
_SUPPOSED: Mapping[Lang, re.Pattern[str]] = {
    "zh": re.compile("如果|假如|假设|要是|万一"),
    "en": re.compile(r"\b(?:if|unless|suppose|imagine|say) (?:i|we|my)\b", re.IGNORECASE),
}
"""What follows it in the sentence is not so."""

_US_ZH = "我们?(?:就|也|还|只是?|现在|刚才|刚刚?|再|先|都|已经|真的?|有点)*"
_WE = r"^(?:i|we)(?: (?:also|just|really|still|only|totally|do|quite|don't|do not|didn't|can't|cannot|couldn't))*"
_AM = r"^(?:i'm|i am|we're|we are)(?: (?:just|only|also|still|really|so|very|not|quite|a bit))*"
_NOT: Mapping[Lang, re.Pattern[str]] = {
    "zh": re.compile(
        "|".join(
            (
                "[?？你您]|[吗呢]$|什么|[谁哪]|多少|几(?:点|岁|个|时|号|路|楼|天)|怎么|怎样|如何|为什么",
                "是不是|有没有|能不能|可不可以",
                "请问|想问|想知道|告诉我|[给帮让带]我|要不要|该不该",
                f"{_US_ZH}不?(?:觉得|认为|以为|希望|感觉|同意|明白|懂|知道|相信|猜|建议|支持|决定|选|看看|试|等|不确定|没事|没问题)",
                f"{_US_ZH}(?:听不懂|没听|听到|听见|听说|看到|看见|问|说|谢|可以|能(?!力)|是说|是想|是问|的意思|的问题)",
                f"{_US_ZH}有(?:个?问题|.{{0,2}}疑问)|{_US_ZH}(?:走了|回头|要求|要走)",
                f"{_US_ZH}(?:想(?!念)|要)(?!.*(?:{_DATE['zh']}))(?!.*当)",
            )
        )
    ),
    "en": re.compile(
        "|".join(
            (
                r"\?|\byou\b|\byour\b|^(?:tell|give|show|let|let's|help|remind|please|thanks?|thank|excuse)\b",
                r"^(?:can|could|would|will|do|does|did|is|are|am|what|where|when|who|which|why|how)\b",
                rf"{_WE} (?:think|thought|guess|suppose|assume|believe|doubt|bet|wonder|hope|wish|expect|mean|feel"
                r" like)\b",
                rf"{_WE} (?:see|hear|find|found|understand|know|get it|got it|follow|remember|forgot|forget|decided)\b",
                rf"{_WE} (?:ask|asked|say|said|agree|disagree|appreciate|care|mind)\b",
                r"^(?:i|we)(?:'d| would| should| could| might| may)\b",
                r"^(?:on|in|at|for|with|after|before|during) (?:my|our)\b",
                rf"{_AM} (?:sure|sorry|fine|good|ok|okay|well|happy|glad|curious|confused|lost|done|ready|back|here"
                r"|serious)\b",
                rf"{_AM} (?:looking|wondering|asking|trying|thinking|talking|saying|hoping|kidding|joking"
                r"|afraid (?:i|that|not))\b",
                r"^(?:i|we) (?:have|had|'ve got|got) (?:an?|some|one|another|no|any|two|a few|a quick)? ?(?:\w+ )?"
                r"(?:questions?|problem|idea|clue|time|doubt|request|complaint|look)\b",
                r"^i (?:like|love|want|need|have) to (?:know|ask|hear|say)",
                r"^my (?:question|point|guess|understanding|opinion|problem|bad|apolog|pleasure|god|goodness|thought"
                r"|idea|concern)",
                rf"^(?:i|we)(?:'ll| will)? (?:want|need|take)(?: to)?\b(?!.*{_DATE['en']})(?!.*\bevery\b)"
                r"(?!.*\bto get\b)",
            )
        ),
        re.IGNORECASE,
    ),
}
"""Questions, requests, and what is only said of this moment or of the conversation itself."""

_FILLER: Mapping[Lang, re.Pattern[str]] = {
    "zh": re.compile(
        "(?:(?:你好|您好|大家好|嗨|对了|其实|嗯+|哦+|那个|那|顺便(?:说|提)一?[句下]?|另外|还有|跟你说|告诉你"
        "|请?你?(?:帮我)?(?:要|一定要)?记住|记一下"
        "|说起来|说实话|不过|但是?|因为|所以|而且|然后|是的|对|好的?|没错|啊|呃)[，,：:、\\s]*)+"
    ),
    "en": re.compile(
        r"(?:(?:hi|hello|hey|well|so|oh|ok|okay|yes|yeah|no|thanks|thank you|and|but|also|actually|anyway|honestly|plus"
        r"|because|since"
        r"|by the way|btw|just so you know|for your information|fyi|for the record|note that|(?:please |do "
        r")?(?:remember|note)(?: that)?"
        r"|you should know(?: that)?|keep in mind(?: that)?|i should (?:say|mention)(?: that)?|i (?:wanted to|must) "
        r"(?:say|tell you)(?: that)?"
        r"|there|everyone|sorry)\b[\s,:!.\-–—]*)+",
        re.IGNORECASE,
    ),
}
_ANEW = (
    "(?=(?:i|i'm|i've|i'll|my|she|he|they|we|can|could|do|does|is|are|what|where|when|how|which|will|would|should)\\b)"
)
_CLAUSES: Mapping[Lang, re.Pattern[str]] = {
    "zh": re.compile("[，,；;：]"),
    "en": re.compile(rf"\s*;\s*|,?\s+(?:and|but|so)\s+{_ANEW}|,\s+{_ANEW}", re.IGNORECASE),
}
_BECAUSE = ("因为", "所以")
_CARRIED = {
    "zh": re.compile(
        "今年|已经|叫|名叫|住|在|是|来自|当|从事|有|养|喜欢|爱|不|会|也|还|正在|学|刚|目前|现在|对|属|姓|做|每|平时"
        "|特别|最"
    ),
    "en": re.compile(r"(?:she|he|they)\b", re.IGNORECASE),
}
_PRONOUN = {"zh": re.compile("[她他它](?!们)"), "en": re.compile(r"(?:she|he|they)(?='s|'re|\b)", re.IGNORECASE)}
_ADDRESSED = re.compile("请|帮|麻烦|[你您]|可以|能|谢谢|给我|我想|想")
_PAIR = re.compile("[\u3400-\u9fff]{2}")
_LIGHT = re.compile(
    "其实|真的|非常|特别|比较|一直|也|还|很|最|挺|蛮|超级?|就|都|太|今年|现在|目前|了|不|没|讨厌|喜欢|爱"
    r"|\b(?:really|also|very|quite|usually|always|still|now|currently|actually|just|do|don't|do not|not|never"
    r"|absolutely|especially|like|love"
    r"|enjoy|hate|dislike)\b",
    re.IGNORECASE,
)
_OWNED: Mapping[Lang, re.Pattern[str]] = {
    "zh": re.compile("(?:我|我的|我家的?)([^，是叫]{1,14}?)(?:号码?)?(?:是|叫|为)"),
    "en": re.compile(r"my ([\w' -]{1,40}?)(?:'s| is| are| was)\b", re.IGNORECASE),
}
"""What of the speaker's a statement says the one value of: "my favourite colour"."""


@dataclass(frozen=True, slots=True)
class Told:
    """A statement in the user's words, able to stand alone. Of statements of one `key` the last one holds."""

    text: str
    lang: Lang
    key: str


def told(text: str) -> tuple[Told, ...]:
    """Every statement that users make of themselves, in order."""
    found = []
    for sentence in sentences(text[:_READ]):
        lang = detect(sentence)
        if lang is not None:
            found += [
                Told(statement, lang, key(statement, lang))
                for statement in _statements(sentence.strip(" .。!！~～…\"'”’"), lang)
                if len(statement) <= LONGEST and not SECRET.search(statement)
            ]
    return tuple(found)


def key(statement: str, lang: Lang) -> str:
    """What the statement is about, in the same words for every way of saying it that the rules can see."""
    topic = topics.said(statement, lang)
    if only := topic.about & topics.ONLY:
        return f"{'+'.join(sorted(topic.whose)) or 'self'}: {sorted(only)[0]}"
    if owned := _OWNED[lang].match(statement):
        return f"my {owned[1].casefold().removeprefix('的')}"
    words = question_terms(_LIGHT.sub(" ", statement)) or question_terms(statement)
    return " ".join(sorted(word for word in words if not _PAIR.fullmatch(word)))


def _statements(sentence: str, lang: Lang) -> Iterator[str]:
    """Its clauses that are statements of oneself; one without a subject goes on with that of the clause before it."""
    current, subject = "", ""
    for clause in _clauses(sentence, lang):
        bare = clause[match.end() :] if (match := _FILLER[lang].match(clause)) else clause
        if not bare:
            continue
        if _SUPPOSED[lang].search(bare):
            break
        if _NOT[lang].search(bare):
            if current:
                yield current
            current = ""
            continue
        carried = _carried(bare, subject, lang)
        if _SPEAKER[lang].search(carried or bare) and not bare.startswith(_BECAUSE):
            if current:
                yield current
            current = carried or bare
            subject = _subject(current, lang) or subject
        elif current and lang == "zh" and not _ADDRESSED.match(bare) and not bare.startswith("我"):
            current += f"，{clause}"
        else:
            if current:
                yield current
            current = ""
    if current:
        yield current


def _clauses(sentence: str, lang: Lang) -> list[str]:
    return [clause.strip(" ,，") for clause in _CLAUSES[lang].split(sentence) if clause and clause.strip(" ,，")]


def _subject(statement: str, lang: Lang) -> str:
    """Who the next clause goes on about: the speaker, or the one of theirs that this one brings up."""
    who = topics.person(statement, lang)
    if lang == "zh":
        return f"我{who}" if who else "我"
    return f"my {who}" if who else ""


def _carried(clause: str, subject: str, lang: Lang) -> str | None:
    """The clause with its subject."""
    if not subject:
        return None
    if (match := _PRONOUN[lang].match(clause)) and subject != "我":
        return f"{subject}{clause[match.end() :]}"
    return f"{subject}{clause}" if lang == "zh" and _CARRIED["zh"].match(clause) else None


def second_person(statement: str, lang: Lang) -> str:
    """The statement as said to the user: "my daughter is seven" as "your daughter is seven"."""
    if lang == "zh":
        return re.sub("我们|咱们", "你们", statement).replace("我", "您").replace("俺", "您")
    return _turned(statement)


_TURNS = {
    "i'm": "you're",
    "i've": "you've",
    "i'll": "you'll",
    "i'd": "you'd",
    "i am": "you are",
    "i was": "you were",
    "am i": "are you",
    "i": "you",
    "me": "you",
    "my": "your",
    "mine": "yours",
    "myself": "yourself",
    "we're": "you're",
    "we": "you",
    "us": "you",
    "our": "your",
}
_TURNED = re.compile(rf"\b(?:{'|'.join(sorted(_TURNS, key=len, reverse=True))})\b(?!')", re.IGNORECASE)


def _turned(statement: str) -> str:
    return _TURNED.sub(lambda match: _TURNS[match[0].casefold()], statement)
