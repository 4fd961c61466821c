"""What of a question's wording matters: one spelling for what is written in several ways, and what must not differ."""

import re
import unicodedata
from dataclasses import dataclass

from configs.characters import simplified
from configs.numerals import BELOW_HUNDRED, HAN_DIGITS, HAN_UNITS
from knowledge.courtesy import core
from knowledge.lexical import question_terms

_HAN = re.compile(r"[\u3400-\u9fff]")
_MARKS = re.compile(r"(?<=\d)[.:/-](?=\d)|[%#+@&]|[\w\s]")
_TIGHT = re.compile(r"(?<=[\u3400-\u9fff]) | (?=[\u3400-\u9fff])")
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")
_SHORT = (
    (re.compile(r"\b(?:can't|cannot)\b"), "can not"),
    (re.compile(r"\bwon't\b"), "will not"),
    (re.compile(r"n't\b"), " not"),
    (re.compile(r"\b(what|where|when|who|how|that|there|it|he|she|here)'s\b"), r"\1 is"),
    (re.compile(r"\bcheck-(in|out|up)\b"), r"check \1"),
    (re.compile(r"'re\b"), " are"),
    (re.compile(r"'ll\b"), " will"),
    (re.compile(r"'ve\b"), " have"),
    (re.compile(r"\bi'm\b"), "i am"),
    (re.compile(r"\bi'd like\b"), "i would like"),
    (re.compile(r"\bwi-?fi\b"), "wifi"),
    (re.compile(r"\be-?mail\b"), "email"),
)
_CLOSER = re.compile("[吗呢吧嘛]+$")


def spelling(text: str) -> str:
    """One spelling for what is written with other case, width, marks, spaces, short forms or traditional characters."""
    text = simplified(unicodedata.normalize("NFKC", text).casefold()).replace("’", "'").replace("您", "你")
    text = _THOUSANDS.sub("", text)
    for short, long in _SHORT:
        text = short.sub(long, text)
    kept = "".join(match[0] for match in _MARKS.finditer(re.sub(r"[^\w\s%#+@&.:/-]", " ", text)))
    return _TIGHT.sub("", " ".join(kept.split()))


def plain(question: str) -> str:
    """A question's spelling without courtesies and final particles; the whole where nothing else is left."""
    spelt = spelling(core(question))
    return _CLOSER.sub("", spelt).strip() or spelt


_SAME: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern), word)
    for pattern, word in (
        ("星期|礼拜", "周"),
        ("周[天日]", "周日"),
        ("五一(?:劳动节)?|劳动节", "五一"),
        ("(?:十一|国庆节?)(?=假|放假|长假|期间|黄金周|$)|国庆节?", "国庆"),
        ("放假期间|假期|放假|长假", "假期"),
        ("付款|付钱|支付|付账|结账", "付款"),
        ("无线网络?|wifi", " wifi "),
        ("(?:价格|价钱|票价|价位)(?:是|要)?(?:多少|几)?(?:钱|元)?|多少钱|几块钱|几元|多少元", "多少钱"),
        ("(?:是多少|是什么|是啥)$", ""),
        ("在?(?:什么|哪个)(?:位置|地方)|(?:的)?位置在?(?:哪里|哪儿|哪)|在(?:哪里|哪儿|哪边|哪)|哪儿|哪边", "哪里"),
        ("多长时间|多少时间|多少天", "多久"),
        ("什么时候|什么时间|几点钟?|何时|哪天|哪一天|几号(?![线门楼])|(?:的)?时间是?", "何时"),
        ("如何|怎样|怎么样", "怎么"),
        ("多大的?(?=孩子|小孩|儿童)|几岁的?", "几岁"),
        ("游泳池|泳池", "游泳池"),
        ("小孩子?|小朋友|孩子", "孩子"),
        ("办理?(?!法|公|事)", "办理"),
        ("([能可会要收开是买付退])不(?:可以)?\\1", r"\1"),
        ("有没有", "有"),
        ("可不可以|能不能|能否|可否|是否|是不是", ""),
        (r"\b(?:begins?|starts?|commences?)\b", "start"),
        (r"\b(?:ends?|finish(?:es)?|stops?)\b", "end"),
        (r"\b(?:car park|parking lot|parking garage)\b", "car park"),
        (r"\b(?:at a time|at one time|at once)\b", "at once"),
        (r"\b(?:doctor|dr)\b", "dr"),
        (r"\b(?:train|railway) station\b", "railway station"),
        (r"\b(?:what|which) (?:time|day|days|hours?)\b|\bwhen\b", "when"),
        (r"\bmaximum number of\b", "how many"),
        (r"\b(?:prices?|costs?|fees? for)\b(?= of)|\bhow expensive\b", "how much"),
        (r"\b(?:identity|id) cards?\b", "identity card"),
        (r"\b(?:documents?|papers)\b", "documents"),
        (r"\b(?:kids?|children)\b", "children"),
        (r"\bpeople over (\w+)|\bover (\w+)s\b", r"over \1\2"),
    )
)
"""What is worded in several ways, and the wording taken for all of them."""


_IDLE = re.compile(
    "能(?![源量力])|会(?![员议所])|着(?!装)|操作|具体|大概|大约|一般|通常|现在|目前|到底|究竟|一共|总共|每?一?[张份](?=多少钱)|你们这?[里边]?|我"
    r"|\b(?:allowed|possible|permitted|costs?|charged?|located|situated|find|still|must|guys|exactly|currently|actually|usually|normally"
    r"|generally|really|here|there)\b"
)
"""Words that a question may have or not."""


@dataclass(frozen=True, slots=True)
class Facets:
    """What two wordings of one question have in common. `asks`: the kind of answer; `names`: in other letters."""

    figures: frozenset[str]
    days: frozenset[str]
    negated: bool
    asks: frozenset[str]
    turns: frozenset[str]
    names: frozenset[str]


_DAY = re.compile(
    "周[一二三四五六日末]|今天|今日|明天|明日|后天|昨天|前天|今晚|明晚|平时|工作日|节假日|五一|国庆|元旦|春节|中秋|端午|清明|除夕|圣诞节?"
    "|早上|上午|中午|下午|晚上|夜里|(?:十[一二]?|[一二三四五六七八九])月|春天|夏天|秋天|冬天|暑假|寒假"
    r"|\b(?:mon|tues|wednes|thurs|fri|satur|sun)day|\bweekend|\bweekday|\btoday|\btomorrow|\byesterday|\btonight"
    r"|\beaster|\bchristmas"
    r"|\bnew year|\bpublic holiday|\bmorning|\bafternoon|\bevening|\bnight"
    r"|\b(?:january|february|march|april|june|july|august"
    r"|september|october|november|december)\b|\b(?:in|of) may\b|\b(?:spring|summer|autumn|winter)\b"
)
_NEGATION = re.compile(
    r"不(?!同|仅|但|管|过|少|好意思|锈)|没(?!收)|未(?!来|成年)|无(?!线|障碍|人机)|非(?!常)|别(?!的|人|墅)|勿|\bnot\b|\bno\b|\bnever\b|\bwithout\b|\bnobody\b|\bnone\b"
)
_ASKS: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (name, re.compile(pattern))
    for name, pattern in (
        ("price", r"多少钱|贵|\bhow much\b|\bprice\b|\bcosts?\b|\bexpensive\b"),
        ("where", r"哪里|\bwhere\b"),
        ("when", r"何时|\bwhen\b"),
        ("which", r"(?<!为)什么|哪(?!里)"),
        ("why", r"为什么|为何|为啥|\bwhy\b"),
        ("who", r"谁|哪位|\bwho\b|\bwhom\b|\bwhose\b"),
        ("duration", r"多久|多长时间|\bhow long\b"),
        ("distance", r"多远|\bhow far\b"),
        ("frequency", r"\bhow often\b|多久(?:换|一次)"),
        ("age", r"几岁|\bhow old\b|\bages?\b"),
        ("size", r"多[大高重深宽]|\bhow (?:big|large|high|tall|heavy|deep|wide)\b"),
        ("count", r"几(?!何|岁)|多少(?!钱)|\bhow many\b"),
        ("how", r"怎么|\bhow (?:do|can|to|should|would|may|must|is|are|was|does|did)\b"),
    )
)
_TURNS: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (name, re.compile(pattern))
    for name, pattern in (
        ("from", r"从|过来|\bfrom\b"),
        ("again", r"补(?!贴|助)|重新|\breplac|\breissue|\bagain\b"),
        ("start", r"开始|\bstart\b"),
        ("end", r"结束|截止|\bend\b"),
        ("lost", r"丢|遗失|\blost\b|\blose\b|\bstolen\b"),
        ("cancel", r"取消|退|\bcancel|\brefund|\breturn"),
        ("change", r"改|更换|\bchang|\bmove\b|\bexchang"),
        ("longer", r"续|延|\brenew|\bextend"),
        ("pass on", r"转让|\btransfer"),
        ("least", r"最少|至少|最低|最早|\bleast\b|\bminimum\b|\bearliest\b"),
        ("most", r"最多|最高|最晚|最迟|\bmost\b|\bmaximum\b|\blatest\b"),
        ("above", r"以上|超过|满|\bover\b|\babove\b|\bolder\b"),
        ("below", r"以下|不足|\bunder\b|\bbelow\b|\byounger\b"),
        ("before", r"之?前(?!台)|\bbefore\b"),
        ("after", r"之?后(?!备)|\bafter\b"),
        ("else", r"其[他它余]|别的|除了|另外|\bother\b|\belse\b|\bexcept\b"),
        ("young", r"儿童|孩子|婴|未成年|\bchild|\bbab(?:y|ies)|\bunderage\b"),
        ("student", r"学生|\bstudent|\bpupil"),
        ("old", r"老人|老年|长者|\bsenior|\bpensioner"),
        ("grown", r"成人|成年(?<!未成年)|大人|\badult"),
        ("group", r"团体|集体|\bgroup"),
        ("abroad", r"外国|外籍|境外|护照|\bforeign|\bpassport"),
    )
)
"""Words that make another question of one, even where they are all that was added."""
_DIGITS = re.compile(r"\d+(?:[.:/-]\d+)*")
_NUMERAL = re.compile("[零〇一二两三四五六七八九十百千万]+")
_VAGUE = ("一", "万", "千", "百")
"""Numerals that are parts of other words more often than figures."""
_NUMBER = {word: str(value) for word, value in BELOW_HUNDRED.items() if value != 1}
"""Without "one", which is more often no figure."""
_LATIN = re.compile(r"[a-z][a-z0-9]*")


@dataclass(frozen=True, slots=True)
class Sense:
    """A question's terms and facets, after words that say the same were made the same."""

    terms: frozenset[str]
    facets: Facets

    @property
    def words(self) -> frozenset[str]:
        """The terms without the pairs of characters, which another order of words breaks."""
        return frozenset(term for term in self.terms if len(term) == 1 or not _HAN.match(term))

    @classmethod
    def of(cls, question: str) -> "Sense":
        bare = plain(question)
        for pattern, word in _SAME:
            bare = pattern.sub(word, bare)
        bare = _IDLE.sub(" ", bare) if _IDLE.sub("", bare).strip() else bare
        figured = _LATIN.sub(lambda match: _NUMBER.get(match[0], match[0]), _NUMERAL.sub(_written, bare))
        return cls(frozenset(question_terms(figured)), _facets(bare))


def _facets(text: str) -> Facets:
    days = frozenset(match[0].strip() for match in _DAY.finditer(text))
    timeless = _DAY.sub(" ", text)
    figures = {match[0] for match in _DIGITS.finditer(timeless)}
    for match in _NUMERAL.finditer(timeless):
        ordinal = timeless[match.end() : match.end() + 1] in tuple("号楼层月点") or timeless[: match.start()].endswith(
            "第"
        )
        if match[0] not in _VAGUE or ordinal:
            figures.add(str(_number(match[0])))
    figures |= {_NUMBER[word] for word in _LATIN.findall(timeless) if word in _NUMBER}
    asks = frozenset(name for name, pattern in _ASKS if pattern.search(text))
    names = frozenset(_LATIN.findall(timeless)) if _HAN.search(text) else frozenset()
    negated = len(_NEGATION.findall(text)) % 2 == 1
    turns = frozenset(name for name, pattern in _TURNS if pattern.search(text))
    return Facets(frozenset(figures), days, negated, asks, turns, names)


def _written(numeral: re.Match[str]) -> str:
    return numeral[0] if numeral[0] in _VAGUE else str(_number(numeral[0]))


def _number(numeral: str) -> int:
    total, section, digit = 0, 0, 0
    for char in numeral:
        if char in HAN_DIGITS:
            digit = HAN_DIGITS[char]
        elif char == "万":
            total, section, digit = (total + section + digit) * 10000, 0, 0
        else:
            section, digit = section + (digit or 1) * HAN_UNITS[char], 0
    return total + section + digit
