"""What statements and questions about oneself are about: whose, and which of the things that people tell."""

import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass

from configs.language import Lang

_PEOPLE: Mapping[str, tuple[str, str]] = {
    "daughter": ("女儿|闺女", "daughters?"),
    "son": ("儿子", "sons?"),
    "child": ("孩子|小孩|宝宝|娃", "child|children|kids?|baby"),
    "wife": ("妻子|老婆|太太|媳妇", "wife"),
    "husband": ("丈夫|老公", "husband"),
    "partner": ("男朋友|女朋友|男友|女友|爱人|对象|伴侣|未婚[夫妻]", "partner|girlfriend|boyfriend|fianc[eé]e?"),
    "mother": ("母亲|妈妈|老妈|(?<=我)妈", "mother|mum|mom|mummy|mommy"),
    "father": ("父亲|爸爸|老爸|(?<=我)爸", "father|dad|daddy"),
    "brother": ("哥哥|弟弟|兄弟|(?<=我)[哥弟]", "brothers?"),
    "sister": ("姐姐|妹妹|姐妹|(?<=我)[姐妹]", "sisters?"),
    "grandmother": ("奶奶|外婆|姥姥|祖母", "grandmother|grandma|granny|nan"),
    "grandfather": ("爷爷|外公|姥爷|祖父", "grandfather|grandpa|granddad"),
    "grandchild": ("孙子|孙女|外孙女?", "grandson|granddaughter|grandchild|grandchildren|grandkids"),
    "dog": ("小狗|狗", "dogs?|puppy|puppies"),
    "cat": ("小猫|猫", "cats?|kittens?"),
    "pet": ("宠物", "pets?"),
    "friend": ("朋友", "friends?"),
    "colleague": ("同事|老板|上司", "colleagues?|boss|coworkers?"),
    "car": ("汽车|车子", "car"),
}
_KINDS: Mapping[str, frozenset[str]] = {
    "child": frozenset({"daughter", "son", "child"}),
    "pet": frozenset({"dog", "cat", "pet"}),
    "partner": frozenset({"wife", "husband", "partner"}),
}
_NUMBER = (
    r"(?:\d{1,3}|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fourteen|fifteen|sixteen"
    r"|seventeen|eighteen|nineteen|(?:twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety)(?:[ -]\w+)?)"
)
_TRADES = (
    "老师|教师|医生|护士|律师|厨师|司机|警察|工人|农民|学生|职员|经理|老板|记者|作家|画家|演员|军人|会计|程序员|设计师"
    "|工程师|科学家"
    "|师|员|医|商人|家庭主妇|自由职业"
)
_ZH_PLACE = "哪里|哪儿|哪|什么地方|何处"


@dataclass(frozen=True, slots=True)
class _Subject:
    """How a statement says it and how a question asks for it, in one language. `one`: a user has only one at a time."""

    says: re.Pattern[str]
    asks: re.Pattern[str]


def _subject(says: str, asks: str) -> _Subject:
    return _Subject(re.compile(says, re.IGNORECASE), re.compile(asks, re.IGNORECASE))


_ZH: Mapping[str, _Subject] = {
    "name": _subject("(?<!一只)(?<!一个)叫(?!我|你|他|她)|名字|姓名|^我姓", "叫什么|叫啥|名字|姓什么|贵姓|我是谁|称呼"),
    "age": _subject(r"[\d一二三四五六七八九十百两]+\s*周?岁", "几岁|多大(?![码号尺])|年龄|岁数|多少岁|年纪"),
    "birthday": _subject(r"生日|出生于|生于|[日号年]出生", "生日|[什何]么?时候?出生|哪[年天]出生"),
    "home": _subject("住(?=在|址|\\S{2})|家(?:就)?在|搬到|搬去", f"住|家.{{0,4}}在(?:{_ZH_PLACE})"),
    "origin": _subject(
        r"来自|老家|家乡|籍贯|是[^，]{1,8}人$|从\S+来的?$",
        f"(?:{_ZH_PLACE})的?人|老家|家乡|来自|籍贯|从(?:{_ZH_PLACE})来",
    ),
    "raised": _subject("长大", "长大"),
    "job": _subject(
        rf"工作|上班|职业|从事|退休|干了\S*年|(?:是|当|做)[^，]{{0,10}}(?:{_TRADES})$",
        "是做什么|做什么(?:工作|的)|职业|工作|干什么的|上班|干哪行|干嘛的",
    ),
    "school": _subject(
        "读(?:大学|小学|中学|高中|研|博|书)|上(?:大学|小学|中学|高中|幼儿园|学)|念书|年级|毕业|专业|学的是",
        "上学|读书|念书|读什么|上什么|上几|专业|年级|毕业|哪所?学校|学什么",
    ),
    "allergy": _subject("过敏|不耐受", "过敏|不耐受|忌口"),
    "health": _subject("病|症|手术|轮椅|拐杖|不方便|怀孕|近视|失眠|听力|视力", "病|症|手术|不方便|身体|健康|医院"),
    "pet": _subject("养了?.*[猫狗鸟鱼兔龟鼠]|宠物", "宠物|养了?(?:什么|几)"),
    "skill": _subject(
        "会[弹拉吹打说讲唱画下写编做]|[弹拉吹].*[琴笛箫鼓号]", "会(?:什么|哪|[弹拉吹打说讲唱画])|乐器|特长|才艺"
    ),
    "learning": _subject("在学|学习|开始学", "在学|学(?:什么|哪)"),
    "married": _subject("结婚|离婚|单身|已婚|未婚", "结婚|离婚|单身|已婚"),
}
_EN: Mapping[str, _Subject] = {
    "name": _subject(
        r"\bname(?:'s| is| was)|\bcalled\b|\bcall me\b|^i(?:'m| am) [A-Z]\w+(?: [A-Z]\w+)?$",
        r"\bname\b|\bcalled\b|who am i|call me",
    ),
    "age": _subject(
        rf"years? old|-year-old|\b(?:turned|turning) {_NUMBER}|\b(?:is|am|are|i'm|turned|turning|turns|just turned) "
        rf"(?:now |nearly |almost |only )?{_NUMBER}(?= and\b|$)",
        r"how old|\bage\b|what age",
    ),
    "birthday": _subject(
        r"birthday|\bborn on\b|\bborn in (?:\d|jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)",
        r"birthday|when was (?:i|my \w+) born",
    ),
    "home": _subject(
        r"\blives? (?:in|at|on|near|with|by)\b|\bliving in\b|\bbased in\b|\bmoved to\b|\bhome (?:is|town is) in",
        r"\blive\b|\blives\b|\bmy address\b|\bbased\b",
    ),
    "origin": _subject(
        r"\b(?:am|'m|is|come|comes|came)(?: originally)? from\b|hometown|^i(?:'m| am) [A-Z]\w*(?:an|ese|ish|ch)$",
        r"\bwhere\b.*\bfrom\b|hometown|nationality",
    ),
    "raised": _subject(r"\bgrew up\b|\braised\b", r"\bgrow up\b|\bgrew up\b|\braised\b"),
    "job": _subject(
        r"\bworks?(?:ed|ing)? (?:as|at|in|for)\b|\bjob\b|\bretired\b|\bprofession\b|\bteach(?:es)?\b"
        r"|\b(?:am|'m|is) an? (?!big |huge |vegetarian|vegan|fan|member|visitor|tourist|twin|only|bit|little|morning"
        r"|night)[\w' -]*$",
        r"\bjob\b|for a living|\bprofession\b|\boccupation\b|what do i do\s*\?|what does my \w+ do\s*\?"
        r"|\bwhere\b.*\bwork\b|\bi work\b|what.*work as",
    ),
    "school": _subject(
        r"\bstud(?:y|ies|ied|ying)\b|\b(?:school|university|college|grade|kindergarten)\b|graduated",
        r"\bstudy(?:ing)?\b|\bschool\b|\buniversity\b|\bcollege\b|\bgrade\b|graduate",
    ),
    "allergy": _subject(r"allerg|intoleran", r"allerg|intoleran"),
    "health": _subject(
        r"diabet|asthma|wheelchair|surgery|pregnant|colou?r-?blind|\bdeaf\b|arthritis|epilep",
        r"\bhealth\b|condition|illness|wheelchair|medical",
    ),
    "pet": _subject(
        r"\b(?:have|has|own|got|keep)\b.*\b(?:cats?|dogs?|rabbits?|hamsters?|parrots?|birds?|fish|turtles?|pets?)\b",
        r"\bpets?\b",
    ),
    "married": _subject(r"\bmarried\b|\bdivorced\b|\bsingle\b", r"\bmarried\b|\bdivorced\b|\bsingle\b"),
}
_SUBJECTS: Mapping[Lang, Mapping[str, _Subject]] = {"zh": _ZH, "en": _EN}
ONLY = frozenset({"name", "age", "birthday", "home", "origin", "raised", "job", "married"})
"""What one has only one of at a time: the last said takes the place of the earlier."""


@dataclass(frozen=True, slots=True)
class Topic:
    """`whose`: those of the speaker's people and animals that are spoken of; none: the speaker. `about`: names of
    subjects, the same in both languages."""

    whose: frozenset[str]
    about: frozenset[str]

    def answered_by(self, statement: "Topic") -> bool:
        return self.concerns(statement) and bool(self.about & statement.about)

    def concerns(self, statement: "Topic") -> bool:
        """Is it about the same person? A question about children is also about a daughter."""
        if not self.whose:
            return not statement.whose or bool(self.about & statement.about & {"pet"})
        return any(statement.whose & _KINDS.get(one, frozenset({one})) for one in self.whose)


@functools.lru_cache(maxsize=4096)
def said(text: str, lang: Lang) -> Topic:
    """Of a statement."""
    return Topic(_whose(text, lang), _about(text, lang, asking=False))


def asked(question: str, lang: Lang) -> Topic:
    return Topic(_whose(question, lang), _about(question, lang, asking=True))


def person(text: str, lang: Lang) -> str | None:
    """The first of the speaker's people that a text speaks of, as it calls them: "女儿", "daughter"."""
    matches = [match for pattern in _people(lang).values() if (match := pattern.search(text))]
    return min(matches, key=lambda match: match.start())[0] if matches else None


def _whose(text: str, lang: Lang) -> frozenset[str]:
    return frozenset(name for name, pattern in _people(lang).items() if pattern.search(text))


def _about(text: str, lang: Lang, *, asking: bool) -> frozenset[str]:
    subjects = _SUBJECTS[lang].items()
    return frozenset(name for name, one in subjects if (one.asks if asking else one.says).search(text))


@functools.cache
def _people(lang: Lang) -> Mapping[str, re.Pattern[str]]:
    """In English only as somebody's own: "my daughter", not "I like cats"."""
    if lang == "zh":
        return {name: re.compile(words[0]) for name, words in _PEOPLE.items()}
    return {
        name: re.compile(
            rf"(?<=\bmy )(?:\w+ )?\b(?:{words[1]})\b|\b(?:have|has|got) (?:\w+ ){{0,3}}(?:{words[1]})\b", re.IGNORECASE
        )
        for name, words in _PEOPLE.items()
    }
