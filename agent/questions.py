"""What kind of answer a question wants, and whether a sentence has one of that kind to give."""

import re
from typing import Literal

from configs.language import Lang

Kind = Literal[
    "contact", "price", "time", "age", "measure", "number", "discount", "name", "person", "floor", "place", "any"
]

_NUMERAL = "[零〇一二两三四五六七八九十百千万亿半\\d]"
_MONTHS = "january|february|march|april|may|june|july|august|september|october|november|december"
_DAYS = "(?:mon|tues|wednes|thurs|fri|satur|sun)days?|weekdays?|weekends?"
_NUMBERS = (
    "zero|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fourteen|fifteen|sixteen|eighteen"
    "|twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety|hundred|thousand|million|billion|half|quarter|dozen"
)
_UNITS: dict[Lang, str] = {
    "zh": "秒|分钟?|小时|天|日|周|个|月|年|点|米|厘米|毫米|公里|千米|平方|公顷|亩|英|公斤|千克|克|斤|吨|[KMG]B|升|度|次|倍|元|工作日|里|步|万|亿",
    "en": "seconds?|minutes?|hours?|days?|weeks?|months?|years?|met(?:re|er)s?|centimet(?:re|er)s?|millimet(?:re|er)s?"
    "|kilomet(?:re|er)s?|miles?|feet|foot|inch(?:es)?|yards?|square|hectares?|acres?|kilograms?|kg|km|cm|mm|m|tons?|tonnes?"
    "|grams?|pounds?|[kmg]b|lit(?:re|er)s?|degrees?|times|percent|%|yuan|dollars?|working|decades?|centur(?:y|ies)|walk",
}
_SURNAMES = (
    "赵钱孙李周吴郑王冯陈蒋沈韩杨朱秦许何吕张孔曹严金魏陶姜谢邹苏潘范彭鲁马方任袁柳唐薛贺罗郝安常于傅康伍余顾孟黄萧尹姚邵汪毛戴宋"
    "庞熊纪舒屈项祝董梁杜阮蓝贾路江童郭梅林钟徐邱骆高夏蔡田胡凌霍万柯卢莫房解应丁宣邓洪包左石崔吉龚程裴陆翁段侯宁刘叶白丘乔闻党谭曾"
    "沙游柴阎连习容向古易廖关欧"
)

_ASKS: dict[Lang, dict[Kind, str]] = {
    "zh": {
        "contact": "(?:电话|号码|邮箱|邮件地址|网址)(?:号码)?",
        "discount": "几折|打折|折扣|优惠",
        "price": "多少钱|几块钱|几元|多少元|怎么收费|贵不贵|贵吗|(?<=[价费金])(?:是|要)?多少|多少(?=[工租押][资金]|费|薪|价)",
        "time": "什么时候|何时|几点钟?|几时|哪一?[年天日月]|什么时间|几[月号](?!线)|(?:星期|周|礼拜)几",
        "age": "[几多][大少]?(?:岁|年纪)",
        "measure": "多[久长大高远重深快宽早晚]时?间?",
        "number": "多少|几[个位座间次天年种台辆条分小]|百分之几",
        "name": "叫(?:什么|啥)(?:名字)?|名字(?:是|叫)什么",
        "person": "谁|哪位|什么人",
        "floor": "[几哪]一?[楼层]",
        "place": "哪里|哪儿|在哪|什么地方|哪一?个?(?:厅|展区|展厅|房间)|怎么走",
    },
    "en": {
        "discount": "cheaper|discount|reduced|reduction",
        "contact": "(?:phone|telephone)(?: number)?|e-?mail(?: address)?|web ?site",
        "price": "how much (?:is|are|was|were|does|do|did|will|would|for|to)\\b|what (?:does|do|did|will|is the)\\b"
        "(?=.*\\b(?:cost|price|fee|charge)s?\\b)|(?:price|cost|fee|fare)s?\\b",
        "time": "^when\\b|\\bwhen (?:is|are|was|were|do|does|did|can|will)\\b|what (?:time|day|date|year|month)"
        "|(?:in |on )?which (?:day|year|month)|(?:opening|closing) (?:hours|times?)|how (?:early|late)",
        "age": "how old|what age",
        "measure": "how (?:long|far|big|large|tall|high|deep|heavy|wide|often|fast|hot|cold|much)"
        "(?: ahead| in advance)?",
        "number": "how many|what (?:percentage|number|share)",
        "name": "(?=\\b(?:called|named)\\b)|(?:the|its|your) name\\b",
        "person": "^who\\b|\\bwho(?:se|m)?\\b",
        "floor": "(?:on )?(?:which|what) floor",
        "place": "^where\\b|\\bwhere (?:is|are|was|can|do|does|did|should)\\b|(?:in )?which (?:hall|room|gallery|building)",
    },
}
_HAS: dict[Lang, dict[Kind, str]] = {
    "zh": {
        "contact": "\\d{3,4}-\\d{3,}|\\d{5,}|@|https?:|www\\.",
        "discount": "[%％折]|免费|半价|优惠|减免",
        "price": f"{_NUMERAL}+\\s*(?:亿|万)?(?:元|块|角|分钱|欧|美元|英镑|[%％])|免费|不收|无需付费|[¥￥$€]",
        "time": f"{_NUMERAL}|早|晚|上午|下午|周末|每[天日周月年]|全天|春|夏|秋|冬|节|世纪",
        "age": f"{_NUMERAL}\\s*周?岁|成年",
        "measure": f"{_NUMERAL}\\s*(?:多|几)?\\s*(?:{_UNITS['zh']})",
        "number": f"{_NUMERAL}|免费|[每数]",
        "name": f"[“《「]|名叫|叫做|称为|[A-Z]|[{_SURNAMES}][\\u4e00-\\u9fff]",
        "person": f"先生|女士|博士|教授|院长|老师|院士|公司|团队|研究所|大学|·|[A-Z][a-z]+|[{_SURNAMES}][\\u4e00-\\u9fff]",
        "floor": "[一二三四五六七八九十\\d]\\s*[楼层]|地下|顶层|楼顶|屋顶",
        "place": "在|位于|[一二三四五六七八九十\\d]\\s*[楼层号]|厅|路|街|旁|侧|内|外|口|处|室|馆|站|台|广场|州|国|市|省|城|洋|海",
    },
    "en": {
        "discount": "%|\\b(?:percent|half|off|free|discount|reduced|cheaper|less)\\b",
        "contact": "\\d{3,4}-\\d{3,}|\\d{5,}|@|https?:|www\\.|\\bwebsite\\b",
        "price": f"(?:\\d|\\b(?:{_NUMBERS}))[\\d,.]*\\s*(?:yuan|rmb|dollars?|euros?|pounds?|cents?|pence|francs?|%|percent|(?:m|b)illion)"
        "|[$€£¥]\\s*\\d|\\bfree\\b|no charge|half price|\\bno (?:rent|fee)",
        "time": f"\\d|\\b(?:{_MONTHS}|{_DAYS}|daily|noon|midnight|mornings?|afternoons?|evenings?|nights?|every|spring"
        f"|summer|autumn|winter|century|centuries|years?|always|early|late|during|after|before|until|{_NUMBERS})\\b",
        "age": f"\\b(?:age|ages|aged|over|under|between) (?:of )?(?:\\d|(?:{_NUMBERS})\\b)"
        f"|(?:\\d|\\b(?:{_NUMBERS})) (?:or over|and over|years?|and above|or older)\\b",
        "measure": f"(?:\\d|\\b(?:{_NUMBERS}))[\\d.,]*[\\s-]*(?:\\w+ )?(?:{_UNITS['en']})\\b|\\bevery\\b",
        "number": f"\\d|\\b(?:{_NUMBERS}|first|second|third|every|many|few|several|single|both|only|none)\\b",
        "name": '(?-i:(?<!^)\\b[A-Z][a-z]+)|["“]',
        "person": "(?-i:(?<!^)\\b[A-Z][a-z]+)|(?-i:^[A-Z][\\w'-]+ [A-Z])",
        "floor": "\\b(?:floors?|basement|storey|level|roof)\\b",
        "place": "\\b(?:in|on|at|near|beside|behind|opposite|next to|from|to|through|between|under|inside|outside|floor"
        "|hall|room|street|road|building|entrance|north|south|east|west|lobby)\\b",
    },
}
_ASKING = {lang: {kind: re.compile(p, re.I) for kind, p in kinds.items()} for lang, kinds in _ASKS.items()}
_HAVING = {lang: {kind: re.compile(p, re.I) for kind, p in kinds.items()} for lang, kinds in _HAS.items()}


def kind_of(question: str, lang: Lang) -> tuple[Kind, tuple[int, int]]:
    """The first kind that the question's words ask for, and the span of the words that do."""
    for kind, asks in _ASKING[lang].items():
        if match := asks.search(question):
            return kind, match.span()
    return "any", (0, 0)


SOFT: frozenset[Kind] = frozenset({"name", "person", "place"})
"""Kinds that a text may have to give without our seeing it."""


def can_answer(text: str, kind: Kind, lang: Lang) -> bool:
    """Has the text anything of that kind: a figure, a time, a name, a place?"""
    return kind == "any" or _HAVING[lang][kind].search(text) is not None


_FOCUS = {
    "zh": re.compile(r"的([\u3400-\u9fff]{2,6}?)(?=是|有|叫|怎|如何|多|几|吗|[？?]|$)"),
    "en": re.compile(
        r"^(?:what|which) (?!is\b|are\b|was\b|were\b|do\b|does\b|did\b|can\b|will\b|time\b)(\w+)"
        r"|^(?:what|who)(?:'s| is| are| was| were) (?:the |its |your )?(?:[\w'-]+ )*?([\w-]+)(?= of\b| in\b| at\b| on\b| for\b|\?|$)",
        re.I,
    ),
}


def focus(question: str, lang: Lang) -> tuple[int, int]:
    """The span of the noun that is asked for: what a thing's *password* is, which *university*."""
    if match := _FOCUS[lang].search(question):
        return next(span for group in range(1, len(match.groups()) + 1) if (span := match.span(group)) != (-1, -1))
    return (0, 0)
