"""How Mandarin reads numbers and signs: patterns in the order they are tried, and what is said."""

import re
from collections.abc import Callable

from avatar.numerals import chinese, chinese_digits, counted

Match = re.Match[str]
Rule = tuple[re.Pattern[str], Callable[[Match], str]]

_NUMBER = r"(?:\d{1,3}(?:,\d{3})+(?![\d,])|\d+)(?:\.\d+)?(?!\.?\d)"
_CURRENCY = {"¥": "元", "$": "美元", "€": "欧元", "£": "英镑"}
_UNITS = {
    "km²": "平方公里", "km/h": "公里每小时", "km": "公里", "m/s": "米每秒", "m²": "平方米", "m³": "立方米",
    "cm": "厘米", "mm": "毫米", "nm": "纳米", "μm": "微米", "m": "米", "kg": "公斤", "mg": "毫克", "g": "克",
    "mL": "毫升", "ml": "毫升", "L": "升", "kWh": "千瓦时", "kW": "千瓦", "W": "瓦", "V": "伏", "Hz": "赫兹",
    "kHz": "千赫", "MHz": "兆赫", "GHz": "吉赫", "°C": "摄氏度", "℃": "摄氏度", "°F": "华氏度", "℉": "华氏度",
    "㎡": "平方米", "°": "度", "h": "小时", "min": "分钟", "ms": "毫秒", "s": "秒",
}  # fmt: skip
_SIGNS = {
    "&": "和", "+": "加", "=": "等于", "×": "乘", "÷": "除以", "@": "艾特", "%": "百分号", "‰": "千分号", "°": "度",
    "℃": "摄氏度", "℉": "华氏度", "㎡": "平方米", "²": "平方", "³": "立方", "½": "二分之一", "¼": "四分之一",
    "¾": "四分之三", "№": "第", "±": "正负",
}  # fmt: skip
_MEASURES = (
    "个|位|张|只|条|件|本|台|辆|次|种|人|天|年(?!级)|周(?!年)|小时|分钟|秒|元|块|米|公里|公斤|千克|克|吨|升|倍|名|家|场|"
    "杯|瓶|份|间|座|页|遍|岁|段|句|项|类|组|套|部|架|颗|头|匹|把|双|对|支|幅|所|道|款|平方|立方|厘米|毫米|摄氏度|度|点(?!\\d)"
)
_TELEPHONE = re.compile(r"(?:拨打|电话|热线|致电|拨|手机号?|呼叫)(?:是|为|号码)*[：: ]*$")
_PER = r"(?<=[元块美镑分])/(?=[人张位次天月年件个小时斤本周份台间晚])"


def _number(digits: str) -> str:
    whole, _, fraction = digits.replace(",", "").partition(".")
    return chinese(whole) + ("点" + chinese_digits(fraction) if fraction else "")


def _time(match: Match) -> str:
    hour, minute, second = match["h"], match["m"], match["s"]
    said = ("两" if int(hour) == 2 else chinese(str(int(hour)))) + "点"
    if minute != "00" or second:
        said += _sixty(minute) + "分"
    return said + (_sixty(second) + "秒" if second else "")


def _sixty(digits: str) -> str:
    return "零" + chinese(digits[1]) if digits[0] == "0" and digits != "00" else chinese(str(int(digits)))


def _date(match: Match) -> str:
    month, day = chinese(str(int(match["m"]))), chinese(str(int(match["d"])))
    return f"{chinese_digits(match['y'])}年{month}月{day}日"


def _telephone(match: Match) -> str:
    parts = re.findall(r"\d+", match[0])
    return ("加" if match[0][0] == "+" else "") + "，".join(chinese_digits(part, one="幺") for part in parts)


def _money(match: Match) -> str:
    return _number(match["n"]) + (match["scale"] or "") + _CURRENCY[match["c"]]


def _measure(match: Match) -> str:
    below = "零下" if match["minus"] and match["u"] in ("°C", "℃", "°F", "℉") else "负" if match["minus"] else ""
    number = "两" if match["n"] == "2" else _number(match["n"])
    return below + number + _UNITS[match["u"]]


def _minus(match: Match) -> str:
    return "零下" if re.match(rf"{_NUMBER}\s?(?:摄氏|华氏)?度", match.string[match.end() :]) else "负"


def _plain(match: Match) -> str:
    digits, before, after = match[0], match.string[: match.start()], match.string[match.end() :]
    if _TELEPHONE.search(before) and digits.isdigit():
        return chinese_digits(digits, one="幺")
    named = re.search(r"[A-Za-z]-?$", before) or re.match(r"室|房|教室|路(?!程)|次列车|航班", after)
    if digits.isdigit() and (len(digits) >= 11 or (named and len(digits) >= 3)):
        return chinese_digits(digits)
    if digits == "2" and not re.search(r"[第A-Za-z]\s?$", before) and re.match(rf"\s?(?:{_MEASURES})", after):
        return counted(digits)
    return _number(digits)


def _rules() -> tuple[Rule, ...]:
    units = "|".join(sorted(map(re.escape, _UNITS), key=len, reverse=True))
    year = r"(?:1\d|20)\d{2}"
    table: tuple[tuple[str, Callable[[Match], str]], ...] = (
        (r"\+?86[- ]?1[3-9]\d{9}(?!\d)|\+\d{1,3}(?:[- ]\d{2,11})+|(?<!\d)1[3-9]\d(?:[- ]?\d{4}){2}(?!\d)", _telephone),
        (r"(?<!\d)0\d{2,3}[- ]\d{3,4}[- ]?\d{4}(?!\d)|(?<!\d)[48]00[- ]?\d{3,4}[- ]?\d{3,4}(?!\d)", _telephone),
        (rf"(?<!\d)(?P<y>{year})(?P<c>[-/.])(?P<m>0?[1-9]|1[0-2])(?P=c)(?P<d>3[01]|[12]\d|0?[1-9])(?!\d)", _date),
        (r"(?<![\d.])(?P<h>[01]?\d|2[0-4])[:：](?P<m>[0-5]\d)(?:[:：](?P<s>[0-5]\d))?(?![\d:：])", _time),
        (
            rf"(?<!\d){year}(?=\s?年(?!前|后|历史|来|以)|[-–—~～到至]{year}\s?年)",
            lambda match: chinese_digits(match[0]),
        ),
        (rf"(?P<c>[¥$€£])\s?(?P<n>{_NUMBER})(?P<scale>[十百千]?[万亿])?", _money),
        (rf"(?P<n>{_NUMBER})\s?%", lambda match: "百分之" + _number(match["n"])),
        (rf"(?P<n>{_NUMBER})\s?‰", lambda match: "千分之" + _number(match["n"])),
        (rf"(?P<minus>(?<![\w%])[-−])?(?P<n>{_NUMBER})\s?(?P<u>{units})(?![A-Za-z0-9])", _measure),
        (r"(?<![\d/])(?P<a>\d+)/(?P<b>\d+)(?![\d/])", lambda match: f"{chinese(match['b'])}分之{chinese(match['a'])}"),
        (r"(?P<a>\d+)[:：](?P<b>\d+)(?![\d:：])", lambda match: f"{chinese(match['a'])}比{chinese(match['b'])}"),
        (r"\d+(?:\.\d+){2,}", lambda match: "点".join(map(chinese, match[0].split(".")))),
        (_NUMBER, _plain),
        (r"\d+", lambda match: chinese_digits(match[0])),
        (r"(?<=[\d%℃°元岁层楼号点分月日年米时m])\s?[-–—−~～]\s?(?=[¥$€£]?\d)", lambda match: "到"),
        (r"(?<![\w%])[-−](?=\d)", _minus),
        (r"(?<=[A-Za-z])-(?=\d)", lambda match: ""),
        (_PER, lambda match: "每"),
        (r"#(?=\d)", lambda match: ""),
        (r"(?<=[A-Za-z0-9])\.(?=[a-z])", lambda match: "点"),
        ("|".join(map(re.escape, _SIGNS)), lambda match: _SIGNS[match[0]]),
    )
    return tuple((re.compile(pattern), say) for pattern, say in table)


RULES = _rules()
