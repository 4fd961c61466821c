"""The words for numbers, in both languages."""

HAN_DIGITS = {
    char: value
    for value, chars in enumerate(("零〇", "一", "二两", "三", "四", "五", "六", "七", "八", "九"))
    for char in chars
}
HAN_UNITS = {"十": 10, "百": 100, "千": 1000, "万": 10_000, "亿": 100_000_000}
_SMALL = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen"
)
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety"
BELOW_HUNDRED = {word: value for value, word in enumerate(_SMALL.split())}
BELOW_HUNDRED |= {word: 20 + 10 * index for index, word in enumerate(_TENS.split())}
