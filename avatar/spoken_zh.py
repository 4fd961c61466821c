"""How Mandarin reads numbers and signs: patterns in the order they are tried, and what is said."""

import re
import unicodedata
from collections.abc import Callable

from avatar.numerals import chinese, chinese_digits, counted, raised, roman, scaled
from avatar.shaping import Match, Rule, ahead, behind

_NUMBER = r"(?:\d{1,3}(?:,\d{3}){1,9}(?![\d,])|\d+)(?:\.\d+)?(?!\.?\d)"
_TO = r"\s?[-–—−~～]\s?"
_CURRENCY = {"¥": "元", "$": "美元", "€": "欧元", "£": "英镑", "HK$": "港元", "NT$": "新台币", "A$": "澳元",
             "AU$": "澳元", "C$": "加元", "CA$": "加元", "S$": "新加坡元"}  # fmt: skip
_POWERS = {"k": 3, "K": 3, "m": 6, "M": 6, "mn": 6, "bn": 9, "B": 9}
_UNITS = {
    "km²": "平方公里", "km/s": "公里每秒", "km/h": "公里每小时", "km": "公里", "m/s": "米每秒",
    "m²": "平方米", "m³": "立方米",
    "cm²": "平方厘米", "cm³": "立方厘米", "cm": "厘米", "mm": "毫米", "nm": "纳米", "μm": "微米", "m": "米",
    "kg/m³": "公斤每立方米", "kg": "公斤", "mg/L": "毫克每升", "mg": "毫克", "μg/m³": "微克每立方米", "μg": "微克",
    "g": "克", "t": "吨", "mL": "毫升", "ml": "毫升", "L": "升", "kWh": "千瓦时", "kW": "千瓦", "MW": "兆瓦", "W": "瓦",
    "kV": "千伏", "V": "伏", "mAh": "毫安时", "Hz": "赫兹", "kHz": "千赫", "MHz": "兆赫", "GHz": "吉赫", "Pa": "帕",
    "hPa": "百帕", "kPa": "千帕", "MPa": "兆帕", "dB": "分贝", "mmHg": "毫米汞柱",
    "kJ": "千焦", "kcal": "千卡", "°C": "摄氏度",
    "℃": "摄氏度", "°F": "华氏度", "℉": "华氏度", "kbps": "千比特每秒", "Mbps": "兆比特每秒", "Gbps": "吉比特每秒",
    "㎡": "平方米", "°": "度", "h": "小时", "min": "分钟", "ms": "毫秒", "s": "秒",
}  # fmt: skip
_DEGREES = ("°C", "℃", "°F", "℉", "°")
_SIGNS = {
    "&": "和", "+": "加", "=": "等于", "×": "乘", "÷": "除以", "@": "艾特", "%": "百分号", "‰": "千分号", "°": "度",
    "℃": "摄氏度", "℉": "华氏度", "㎡": "平方米", "²": "平方", "³": "立方", "½": "二分之一", "¼": "四分之一",
    "¾": "四分之三", "№": "第", "±": "正负", "〇": "零", "≈": "约等于", "≥": "大于等于", "≤": "小于等于",
}  # fmt: skip
_MEASURES = (
    "个|位|张|只|条|件|本|台|辆|次|种|人|天|年(?!级)|周(?!年)|小时|分钟|秒|元|块|米|公里|公斤|千克|克|吨|升|倍|名|家|场|"
    "杯|瓶|份|间|座|页|遍|岁|段|句|项|类|组|套|部|架|颗|头|匹|把|双|对|支|幅|所|道|款|平方|立方|厘米|毫米|摄氏度|度|点(?!\\d)|"
    "门|节|顿|斤|里|亩|堂|轮|届|万|亿|千"
)
_MORE = r"(?:\d[\d-]*(?:或者?|和|、|/|及|以及))*$"
"""Further numbers of the same kind: "拨打110或120"."""
_TELEPHONE = re.compile(
    r"(?:拨打|电话|热线|致电|拨|手机号?|呼叫|客服|总机|分机|转接?|传真|火警|报警|急救|短信|微信号?|QQ号?)"
    r"(?:是|为|号码|号)*[：: ]*" + _MORE
)
_CODE = re.compile(
    r"(?:验证码|编号|单号|订单号|账号|帐号|卡号|尾号|工号|学号|证号|票号|密码|口令|编码|代码|序列号|邮编|邮政编码|证号码|身份证)"
    r"(?:是|为|号)*[：: ]*" + _MORE
)
_PER = r"(?<=[元块美镑分欧\d])/(?=[人张位次天月年件个小时斤本周份台间晚场节课])"
_ROOMS = r"室|房|教室|路(?!程|人|口)|次列车|次航班|航班|次高铁|号房|栋|次动车|号院"


def _number(digits: str) -> str:
    whole, _, fraction = digits.replace(",", "").partition(".")
    return chinese(whole) + ("点" + chinese_digits(fraction) if fraction else "")


def _amount(digits: str, after: str = "") -> str:
    """A number before a measure word or a scale, where a lone 2 is 两."""
    return "两" if digits == "2" and not after.startswith(("百", "十")) else _number(digits)


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


def _ancient(match: Match) -> str:
    """公元前221年 digit by digit, 公元前3000年 as a number."""
    return _number(match[0]) if match[0].endswith("00") else chinese_digits(match[0])


def _telephone(match: Match) -> str:
    parts = re.findall(r"\d+", match[0])
    return ("加" if match[0][0] == "+" else "") + "，".join(chinese_digits(part, one="幺") for part in parts)


def _money(match: Match) -> str:
    currency = _CURRENCY[match["c"] if match["c"] in _CURRENCY else match["c"][-1]]
    amounts = [amount for amount in (match["n"], match["to"]) if amount]
    if power := _POWERS.get(match["letter"] or "", 0):
        return "到".join(_number(scaled(amount, power)) for amount in amounts) + currency
    scale = match["scale"] or ""
    return "到".join(_amount(_cents(amount), scale or "元") for amount in amounts) + scale + currency


def _cents(amount: str) -> str:
    """12.50 is 12.5, 3.00 is 3."""
    return amount.rstrip("0").rstrip(".") if "." in amount else amount


def _percent(match: Match) -> str:
    share = "百分之" if match["sign"] == "%" else "千分之"
    low = share + _number(match["low"]) + "到" if match["low"] else ""
    return low + share + _number(match["n"])


def _measure(match: Match) -> str:
    unit, frost = match["u"], behind(match).endswith(("零下", "零上", "-", "−", "±"))
    below = "零下" if match["minus"] and unit in _DEGREES else "负" if match["minus"] else ""
    number = _number(match["n"]) if below or frost else _amount(match["n"])
    return below + number + _UNITS[unit]


def _minus(match: Match) -> str | None:
    before, after = behind(match), ahead(match)
    if (
        before
        and re.match(r"[A-Za-z0-9%\u3400-\u9fff)）]", before[-1])
        and not re.search("[温为是至到达约降于在场—]$", before)
    ):
        return None
    degrees = rf"{_NUMBER}(?:{_TO}[-−]?{_NUMBER}|[到至][-−]?{_NUMBER})?\s?(?:[°℃℉]|(?:摄氏|华氏)?度)"
    return "零下" if re.match(degrees, after) else "负"


def _plain(match: Match) -> str:
    digits, before, after = match[0], behind(match), ahead(match)
    if not digits.isdigit():
        return _number(digits)
    if _TELEPHONE.search(before) and len(digits) >= 3 or (_CODE.search(before) and len(digits) >= 4):
        return chinese_digits(digits, one="幺")
    lettered = re.search(r"[A-Za-z_]-?$", before)
    named = lettered or re.match(_ROOMS, after) or re.match(rf"\d*(?:或|和|、)\d+(?:{_ROOMS})", after)
    if len(digits) >= 11 or (named and len(digits) >= 3):
        return chinese_digits(
            digits, one="一" if lettered and len(digits) == 4 and digits[:2] in ("19", "20") else "幺"
        )
    if digits == "2" and not re.search(r"[第A-Za-z]\s?$|零[下上]$", before):
        to = rf"(?:{_TO}\d+|[到至、]\d+)?"
        storeys = after.startswith("层") and re.search("[共有分为高达仅各]$", before)
        return counted(digits) if storeys or re.match(rf"{to}\s?(?:{_MEASURES})", after) else _number(digits)
    return _number(digits)


def _fraction(match: Match) -> str:
    return f"{chinese(match['b'])}分之{chinese(match['a'])}"


def _pressure(match: Match) -> str:
    return f"{chinese(match['a'])}，{chinese(match['b'])}毫米汞柱"


def _versus(match: Match) -> str:
    return f"{chinese(match['a'])}比{chinese(match['b'])}"


def _scores(match: Match) -> str | None:
    """11:9、8:11 are scores, for 11:9 is no time; 8:10、9:15 may both be times."""
    if all(re.match(r"\d+[:：][0-5]\d$", one) for one in re.split("[、，,]\\s?", match[0])):
        return None
    return re.sub(r"(\d+)[:：](\d+)", lambda one: f"{chinese(one[1])}比{chinese(one[2])}", match[0])


def _power(match: Match) -> str:
    return f"十的{'负' if set(match['e']) & set('⁻-−') else ''}{chinese(raised(match['e']))}次方"


def _roman(match: Match) -> str | None:
    if not match[0].isascii():
        return chinese(str(int(unicodedata.numeric(match[0]))))
    number = roman(match[0])
    return None if number is None else chinese(str(number))


def _dates(year: str) -> tuple[tuple[str, Callable[[Match], str | None]], ...]:
    long = "".join(
        f"(?<!{word})" for word in ("距今", "距今约", "已有", "历经", "长达", "超过", "近", "约", "逾", "的")
    )
    until = rf"(?={_TO}{year}\s?(?:年|学年|赛季)|[到至]{year}\s?年)"
    return (
        (rf"(?<!\d)(?P<y>{year})(?P<c>[-/.])(?P<m>0?[1-9]|1[0-2])(?P=c)(?P<d>3[01]|[12]\d|0?[1-9])(?!\d)", _date),
        (r"(?<![\d.])(?P<h>[01]?\d|2[0-4])[:：](?P<m>[0-5]\d)(?:[:：](?P<s>[0-5]\d))?(?![\d:：])", _time),
        (r"(?<=公元前)\d{3,4}(?=年)|(?<=公元)\d{3,4}(?=年)", _ancient),
        (rf"(?<!\d){long}{year}(?=\s?年(?!前|后|历史|来|以|的历史)|\s?学年|\s?赛季|[届级])", _year),
        (rf"(?<!\d)(?P<a>{year})[-–—](?P<b>\d{{2}})(?=\s?年|\s?赛季)", _reigned),
        (rf"(?<!\d){year}{until}", _year),
        (r"(?<=[（(])(?P<a>\d{3,4})[-–—](?P<b>\d{3,4})(?=年?[）)])", _reigned),
        (r"(?<!\d)[0-9][05](?=后(?!来|面|退|的?[天年月]))", _year),
    )


def _reigned(match: Match) -> str:
    return f"{chinese_digits(match['a'])}到{chinese_digits(match['b'])}"


def _year(match: Match) -> str:
    return chinese_digits(match[0])


def _rules() -> tuple[Rule, ...]:
    units = "|".join(sorted(map(re.escape, _UNITS), key=len, reverse=True))
    verdict = "战胜|取胜|获胜|击败|领先|落后|不敌|战平|负于|大胜|完胜|逆转|险胜|战成"
    table: tuple[tuple[str, Callable[[Match], str | None]], ...] = (
        (r"\+?86[- ]?1[3-9]\d{9}(?!\d)|\+\d{1,3}(?:[- ]\d{2,11})+|(?<!\d)1[3-9]\d(?:[- ]?\d{4}){2}(?!\d)", _telephone),
        (r"(?<!\d)0\d{2,3}[- ]\d{3,4}[- ]?\d{4}(?!\d)|(?<!\d)[48]00[- ]?\d{3,4}[- ]?\d{3,4}(?!\d)", _telephone),
        (r"(?<!\d)\d{1,2}[:：]\d{1,2}(?:[、，,]\s?\d{1,2}[:：]\d{1,2}){1,9}(?!\d)", _scores),
        *_dates(r"(?:1\d|20)\d{2}"),
        (r"(?<![\d.,])10(?P<e>⁻?[⁰¹²³⁴⁵⁶⁷⁸⁹]+|\^[-−]?\d{1,3})", _power),
        (
            rf"(?P<c>(?:HK|NT|US|AU|CA|A|C|S)\$|[¥$€£])\s?(?P<n>{_NUMBER})(?:{_TO}[¥$€£]?(?P<to>{_NUMBER}))?"
            r"(?P<scale>[十百千]?(?:万亿|[万亿]))?(?P<letter>(?:[kKmMB]|mn|bn)(?![A-Za-z]))?元?",
            _money,
        ),
        (rf"(?:(?P<low>{_NUMBER})%?{_TO})?(?P<n>{_NUMBER})\s?(?P<sign>[%‰])", _percent),
        (r"(?P<h>\d+)\s?h\s?(?P<m>\d+)\s?min(?![A-Za-z])", lambda m: f"{_amount(m['h'])}小时{_amount(m['m'])}分钟"),
        (rf"(?P<minus>(?<![\w%])[-−])?(?P<n>{_NUMBER})\s?(?P<u>{units})(?![A-Za-z0-9])", _measure),
        (r"(?<!\d)\d{1,2}[·•]\d{1,2}(?!\d)", lambda match: chinese_digits(re.sub(r"\D", "", match[0]))),
        (r"(?<!\d)\d{3,4}(?=[pP](?![A-Za-z]))", lambda match: chinese_digits(match[0], one="幺")),
        (r"(?<!\d)(?P<a>\d{2,3})/(?P<b>\d{2,3})\s?mmHg", _pressure),
        (r"(?<![\d/])(?P<a>\d+)/(?P<b>\d+)(?![\d/])", _fraction),
        (r"(?P<n>\d+)\s?(?P<v>[½¼¾])", lambda match: f"{chinese(match['n'])}又{_SIGNS[match['v']]}"),
        (r"(?P<a>\d+)[:：](?P<b>\d+)(?![\d:：])", _versus),
        (rf"(?<!\d)(?P<a>\d{{1,3}})[-–—](?P<b>\d{{1,3}})(?=\s?(?:{verdict}))", _versus),
        (r"(?<=比分)(?P<a>\d{1,3})[-–—](?P<b>\d{1,3})(?!\d)", _versus),
        (r"[\u2160-\u216b\u2170-\u217b]|[IVX]{1,5}(?=[世期级])|[IVX]{2,5}(?=型)", _roman),
        (r"\d+(?:\.\d+){2,}", lambda match: "点".join(map(chinese, match[0].split(".")))),
        (_NUMBER, _plain),
        (r"\d+", lambda match: chinese_digits(match[0])),
        (rf"(?<=[\d%℃°元岁层楼号点分月日年米时m]){_TO}(?=[¥$€£]?[-−]?\d)", lambda match: "到"),
        (r"[-−](?=\d)", _minus),
        (r"(?<=[A-Za-z])-(?=\d)", lambda match: ""),
        (r"(?<=\d)>(?=\s?\d)", lambda match: "大于"),
        (r"(?<=\d)<(?=\s?\d)", lambda match: "小于"),
        (r">\s?(?=[\d¥$])", lambda match: "超过"),
        (r"<\s?(?=[\d¥$])", lambda match: "不到"),
        (r"[~～](?=\s?[\d¥$])", lambda match: "约"),
        (r"[~～]", lambda match: ""),
        (_PER, lambda match: "每"),
        (r"(?<=\d)\+(?=[场个人家项种位名岁年天所件座款])", lambda match: "多"),
        (r"[⁰¹⁴⁵⁶⁷⁸⁹⁺⁻]+", lambda match: ""),
        (r"(?<=[A-Za-z])&(?=[A-Za-z])", lambda match: " and "),
        (r"#(?=\d)", lambda match: ""),
        (r"(?<=[A-Za-z0-9])\.(?=[a-z])", lambda match: "点"),
        ("|".join(map(re.escape, _SIGNS)), lambda match: _SIGNS[match[0]]),
    )
    return tuple((re.compile(pattern), say) for pattern, say in table)


RULES = _rules()
