"""Whether a sentence claims that its speaker is human: what the presenter never says."""

import re
import unicodedata

from configs.language import Lang

_SURELY_ZH = "((,?(其实|真的|确实|就|也|当然|可|绝对|本来|的确|都))+,?)?"
_ONE_ZH = "(一?[个名位])?"
_END_ZH = "(?=[啊呀哦呢啦嘛的]*(?:[，。！!,.；;、~～…]|$))"
_PERSON_ZH = f"(真人|人类|活人|真实的人|真正的人|活生生的人|有血有肉的人|(男|女)(人|孩子?|生|士|性)|人{_END_ZH})"
_THING_ZH = "(机器人|机器|ai|人工智能|程序|软件|电脑|数字人|虚拟人|虚拟主播)"
_SURELY_EN = (
    "(?:(?:really|actually|definitely|indeed|just|also|truly|in fact|of course|absolutely|very much|only|100%),? ?)*"
)
_PERSON_EN = (
    r"(?:(?:an? )?(?:real|actual|living|genuine|live|flesh and blood|normal|ordinary|fellow)[ ,]*)*"
    r"(?:an? )?(?:human(?: being)?|person|man|woman|girl|boy|guy|lady|gentleman)\b"
    "(?![- ]?(?:like|shaped|made|voiced|looking))"
)
_THING_EN = (
    r"(?:an? )?(?:chat ?bot|bot|robot|machine|ai|artificial intelligence|computer|program|avatar|digital human)\b"
)

_CLAIMS: dict[Lang, re.Pattern[str]] = {
    "zh": re.compile(
        f"(我们?|本人){_SURELY_ZH}是{_ONE_ZH}(真正?的|活生生的|普通的?|如假包换的)*{_PERSON_ZH}"
        f"|(我们?|本人){_SURELY_ZH}(并|才|可)*不是{_ONE_ZH}(什么)?{_THING_ZH}{_END_ZH}"
        "|我(们)?(和|跟|与)(您|你|大家)们?一样(都)?是(个|一个)?(真?人|人类)|我有血有肉|作为(一[个名位])?(真人|人类)(?!的(助手|朋友))"
    ),
    "en": re.compile(
        rf"\b(?:i am|i'm|im|we are|we're),? {_SURELY_EN}{_PERSON_EN}"
        rf"|\b(?:i am|i'm|im) (?:definitely |certainly |absolutely |most certainly )?not {_THING_EN}(?= ?(?:[.,!;]|$))"
        r"|\bi'?m? ?(?:am )?made of flesh\b|\bas an? (?:fellow )?(?:real )?human(?: being)?(?= ?[,.!]| myself)"
    ),
}
_SUPPOSED: dict[Lang, re.Pattern[str]] = {
    "zh": re.compile(
        "如果|假如|要是|假装|假设|是否|是不是|以为|当[作成]|问我|装作|不(会|能|可|要)(说|声称|自称|认为|觉得)|并非"
    ),
    "en": re.compile(
        r"\b(if|whether|pretend\w*|imagine|wish|suppose|think|thought|asked|believe|claim|said|tell|told|not that)\b"
    ),
}
_QUESTION: dict[Lang, re.Pattern[str]] = {"zh": re.compile("[吗么]?[？?]$|吗$"), "en": re.compile(r"\?$")}
_SENTENCE = re.compile(r"(?<=[。！？!?；;])|(?<=\.)\s+|\n+")
_QUOTED = re.compile('“[^”]*”|"[^"]*"|「[^」]*」|《[^》]*》')


def claims_humanity(text: str, lang: Lang) -> bool:
    """ "我是真人" and "I am a real person" do; "我不是真人", a question, a supposition and a quotation do not."""
    return any(_claims(sentence.strip(), lang) for sentence in _SENTENCE.split(_folded(text)))


def _claims(sentence: str, lang: Lang) -> bool:
    found = _CLAIMS[lang].search(sentence)
    if found is None or _QUESTION[lang].search(sentence):
        return False
    return not _SUPPOSED[lang].search(sentence[: found.start()])


def _folded(text: str) -> str:
    plain = unicodedata.normalize("NFKC", text).casefold().replace("’", "'")
    return " ".join(_QUOTED.sub(" ", plain).split())
