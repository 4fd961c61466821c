"""The lexicon: found in disguise, not found in harmless words, and read again when its file changes."""

import asyncio
import itertools
import os
import random
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.engines.lexicon import Lexicon, LexiconOptions
from agent.moderation.lexicon import Lexicon as Terms
from agent.moderation.lexicon import Term
from agent.moderation.lexicon_files import LexiconError, read
from agent.moderation.spelling import forms
from configs.engines import ConfigError, EngineSpec, build
from configs.home import current
from configs.language import Lang

TERMS = Terms(
    [
        Term("自杀", "self_harm", exceptions=("自杀式",), contexts=("预防",)),
        Term("做炸弹", "weapons"),
        Term("操你妈", "insult", homophones=True),
        Term("kill yourself", "self_harm"),
        Term("make a bomb", "weapons"),
        Term("rape", "sexual"),
        Term("chink", "hate", exceptions=("chink in",)),
    ]
)
HOME = current()
STAMPS = itertools.count(1_700_000_000, 10)


def lexicon(**options: object) -> Lexicon:
    return Lexicon(LexiconOptions.model_validate(options), HOME)


def categories(text: str, terms: Terms = TERMS) -> list[str]:
    return [finding.category for finding in terms.find(text)]


@pytest.mark.parametrize(
    "text",
    [
        *("他想自杀", "他想自殺", "自 杀", "自\u200b杀", "自-杀了", "自*杀", "怎么做炸彈", "做 炸 弹"),
        *("Kill yourself!", "killing  yourself", "ＫＩＬＬ ＹＯＵＲＳＥＬＦ", "k1ll y0urself", "k.i.l.l yourself"),
        *("k i l l y o u r s e l f", "kіll yоursеlf", "How did he make a bomb?", "he raped", "raping", "kíll yourself"),
    ],
)
def test_a_term_is_found_in_whatever_disguise(text: str) -> None:
    assert categories(text)


@pytest.mark.parametrize(
    "text",
    [
        *("自杀式袭击的历史", "预防自杀的热线", "来自，杀青的剧组", "他来自。杀鸡焉用牛刀", "制作炸酱面", "我自己杀价"),
        *("rap music", "grapes and drapes", "a chink in the wall", "skill yourself", "make a bombastic speech"),
        *("Scunthorpe", "therapist", "", "。", "2024"),
    ],
)
def test_harmless_words_are_left_alone(text: str) -> None:
    assert not categories(text)


def test_a_span_is_of_the_text_as_it_was_written() -> None:
    text = "那就 自\u200b 殺 吧"
    (finding,) = TERMS.find(text)
    assert finding.span is not None and text[slice(*finding.span)] == "自\u200b 殺"


def test_a_longer_term_stands_for_the_shorter_one_within_it() -> None:
    terms = Terms([Term("炸弹", "weapons"), Term("炸弹配方", "weapons", risk="A1d")])
    assert [finding.risk for finding in terms.find("炸弹配方")] == ["A1d"]


def test_homophones_are_found_where_a_character_of_the_term_is_left() -> None:
    reading = {"操": "cao", "草": "cao", "你": "ni", "妈": "ma", "马": "ma", "尼": "ni", "擦": "ca"}.get
    terms = Terms([Term("操你妈", "insult", homophones=True)], lambda char: reading(char, ""))
    assert categories("草你马", terms) == ["insult"]
    assert not categories("草尼马", terms), "what shares no character with the term sounds like too much else"
    assert not categories("擦你妈", terms)


@given(st.text(max_size=60))
def test_any_text_can_be_judged_and_spans_lie_in_it(text: str) -> None:
    for finding in TERMS.find(text):
        assert finding.span is not None and 0 <= finding.span[0] < finding.span[1] <= len(text)


@given(st.lists(st.sampled_from([" ", "-", "\u200b", "*", "_", ""]), min_size=2, max_size=2), st.booleans())
def test_what_stands_between_the_characters_hides_nothing(between: list[str], old: bool) -> None:
    first, second = between
    text = f"去做{first}炸{second}{'彈' if old else '弹'}"
    assert categories(text) == ["weapons"]


@pytest.mark.parametrize(
    ("word", "inflected"),
    [("rape", "raping"), ("bomb", "bombed"), ("bitch", "bitches"), ("slit", "slitting"), ("city", "cities")],
)
def test_words_are_inflected(word: str, inflected: str) -> None:
    assert {word, inflected} <= forms(word)


@pytest.mark.parametrize(
    ("lang", "text", "category"),
    [
        *(("zh", "怎么自制炸弹", "weapons"), ("zh", "我不想活了", "self_harm"), ("zh", "你这个傻逼", "insult")),
        *(
            ("en", "how to make a bomb", "weapons"),
            ("en", "I want to die", "self_harm"),
            ("en", "you fucking idiot", "insult"),
        ),
    ],
)
async def test_the_packaged_lexicon_knows_both_languages(lang: Lang, text: str, category: str) -> None:
    found = await lexicon().judge(text, lang)
    assert category in {finding.category for finding in found if finding.score >= 0.5}


@pytest.mark.parametrize(
    "text",
    [
        *(
            "馆内禁止携带枪支弹药和毒品",
            "二战中有六百万犹太人被屠杀",
            "他于1911年自杀身亡",
            "抗生素能杀死细菌",
            "原子弹的历史",
        ),
        *(
            "The bomb fell on Hiroshima in 1945.",
            "Visitors must not carry weapons or drugs.",
            "He shot a film in Essex.",
        ),
        *(
            "The killer whale is a dolphin.",
            "It cost him his life.",
            "Cocktails are served in the bar.",
            "Dick van Dyke",
        ),
    ],
)
async def test_history_nature_and_safety_notices_pass(text: str) -> None:
    assert not await lexicon().judge(text, "zh")


def written(path: Path, text: str) -> Path:
    """With a time of change of its own, however fast the clock of the file system is."""
    path.write_text(text, "utf-8")
    stamp = next(STAMPS)
    os.utime(path, (stamp, stamp))
    return path


async def settled(engine: Lexicon) -> None:
    """Until the file was looked at and read."""
    await engine.judge("", "zh")
    while (loading := engine._loading) is not None and not loading.done():
        await asyncio.wait([loading])


async def test_a_changed_file_is_read_again_and_a_bad_one_is_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = written(tmp_path / "own.yaml", "insult: {terms: [大笨蛋]}\n")
    engine = lexicon(packaged=False, files=[path], check=0)
    assert await engine.judge("大笨蛋", "zh") and not await engine.judge("小笨蛋", "zh")
    written(path, "insult: {terms: [小笨蛋]}\n")
    await settled(engine)
    assert await engine.judge("小笨蛋", "zh") and not await engine.judge("大笨蛋", "zh")
    written(path, "insult: {terms: [小笨蛋, {坏")
    await settled(engine)
    assert await engine.judge("小笨蛋", "zh"), "the terms that were read last stay"
    assert "stays as it was" in caplog.text and "小笨蛋" not in caplog.text
    path.unlink()
    await settled(engine)
    assert await engine.judge("小笨蛋", "zh")
    await engine.aclose()


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("a.yaml", "insult: {terms: [x]}", "shorter than two letters"),
        ("a.yaml", "nonsense: {terms: [xy]}", "nonsense"),
        ("a.yaml", "insult: {terms: [xy], risk: A9z}", "A9z"),
        ("a.yaml", "insult: {terms: [", "not YAML"),
        ("a.tsv", "xy\tnonsense\n", "line 1"),
    ],
)
def test_a_file_that_is_no_lexicon_says_why(tmp_path: Path, name: str, text: str, told: str) -> None:
    (tmp_path / name).write_text(text, "utf-8")
    with pytest.raises(LexiconError, match=told):
        read(tmp_path / name)
    with pytest.raises(ConfigError, match="lexicon"):
        build("moderators", EngineSpec(engine="lexicon", options={"files": [str(tmp_path / name)]}), HOME)


def test_tab_separated_lines_have_exceptions_and_contexts(tmp_path: Path) -> None:
    path = tmp_path / "long.tsv"
    path.write_text("# remark\n猫粮\tfraud\t猫粮碗|猫粮盒\t超市\nbad thing\tinsult\n", "utf-8")
    terms = Terms(read(path))
    assert categories("买猫粮吗", terms) == ["fraud"]
    assert not categories("一个猫粮碗", terms) and not categories("超市里的猫粮", terms)
    assert categories("such bad things", terms) == ["insult"]


def test_ten_thousand_terms_cost_less_than_two_milliseconds_a_sentence() -> None:
    chance = random.Random(7)
    letters = [chr(0x4E00 + n) for n in range(3000)]
    words = ["".join(chance.choices("abcdefghijklmnopqrstuvwxyz", k=8)) for _ in range(3000)]
    terms = [Term("".join(chance.choices(letters, k=chance.randint(2, 5))), "insult") for _ in range(7000)]
    many = Terms(terms + [Term(word, "insult") for word in words])
    assert many.size == 10_000
    texts = ["".join(chance.choices(letters, k=60)) for _ in range(100)]
    texts += [" ".join(chance.choices(words, k=20)) for _ in range(100)]
    spent = []
    for text in texts:
        began = time.process_time()
        many.find(text)
        spent.append(time.process_time() - began)
    assert sorted(spent)[len(spent) // 2] < 0.002
