"""What users tell of themselves, ask of it and want forgotten: found in their words, and in nobody else's."""

import json
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.engines.scripted import Scripted
from agent.memory import Memory, about
from agent.memory.conversation import fact_of
from agent.memory.noticing import noticed
from agent.memory.records import Exchange, Fact
from agent.memory.relevance import ranked
from agent.memory.requests import Forget, Show, requested
from agent.memory.telling import LONGEST, key, second_person, told
from configs.language import LANGUAGES, Lang
from tests.agent.remembering import cases
from tests.doubles import BreakingModel, scripted

DATA = Path(__file__).parents[1] / "data"
STATEMENTS = {
    "我叫李雷，住在杭州。": ["我叫李雷", "我住在杭州"],
    "我女儿七岁了，叫小雨，她喜欢恐龙。": ["我女儿七岁了", "我女儿叫小雨", "我女儿喜欢恐龙"],
    "请问，我爸爸72岁，要买票吗？": ["我爸爸72岁"],
    "你好！我对花生过敏。几点关门？": ["我对花生过敏"],
    "我养了两只猫，一只叫团子，一只叫毛球。": ["我养了两只猫，一只叫团子，一只叫毛球"],
    "我下周三要带学生来参观。": ["我下周三要带学生来参观"],
    "My name is Emily and I live in Bristol.": ["My name is Emily", "I live in Bristol"],
    "My daughter is seven and she loves dinosaurs, does she need a ticket?": [
        "My daughter is seven",
        "my daughter loves dinosaurs",
    ],
    "By the way, I'm allergic to nuts. Where is the café?": ["I'm allergic to nuts"],
    "I'm flying home next Friday.": ["I'm flying home next Friday"],
}
NOTHING = (
    "我想问一下几点开门。",
    "我要一张票。",
    "我觉得很好看。",
    "如果我明天来，我女儿可以免票吗？",
    "你叫什么名字？我可以拍照吗？",
    "他说他住在上海。",
    "请给我讲讲恐龙。",
    "我的密码是 123456。",
    "我的银行卡号是 6222020200112233445。",
    "我不知道。",
    "I'd like two tickets, please.",
    "I think it's great.",
    "If I come tomorrow, can I get in for free?",
    "What is your name? Can I take photos?",
    "He lives in London.",
    "Tell me about dinosaurs.",
    "My PIN is 4321.",
    "I don't know.",
    "I'm just looking, thanks.",
    "I have a question about the tickets.",
)


@pytest.mark.parametrize("text", STATEMENTS)
def test_statements_stand_alone_in_the_users_words(text: str) -> None:
    assert [one.text for one in told(text)] == STATEMENTS[text]


@pytest.mark.parametrize("text", NOTHING)
def test_questions_wishes_suppositions_and_secrets_are_no_facts(text: str) -> None:
    assert told(text) == ()


def test_visitors_questions_are_no_facts_and_are_not_answered_from_facts() -> None:
    facts = [fact for lang in LANGUAGES for name in ("facts", "facts-unseen") for fact in _facts(lang, name)]
    for lang in LANGUAGES:
        for name in ("visitors", "questions"):
            for line in (DATA / f"{name}.{lang}.jsonl").read_text("utf-8").splitlines():
                question = json.loads(line)["question"]
                assert {one.text for one in told(question)} <= {
                    "我爸爸72岁",
                    "我爸爸今年 65 岁",
                    "I lost my identity card",
                }
                assert about.answer(question, lang, ranked(question, lang, facts, time.time())) is None, question


def _facts(lang: Lang, name: str) -> list[Fact]:
    exchange = Exchange("c", 1, "", "", lang, time.time())
    return [fact_of(statement, "u", exchange) for case in cases(lang, name) for statement in told(case.says)]


@given(st.text(max_size=200) | st.from_regex(r"[我你她他的叫是住在岁，。？ ]{0,60}", fullmatch=True))
def test_any_text_is_read_without_harm(text: str) -> None:
    for one in told(text):
        assert 0 < len(one.text) <= LONGEST and "?" not in one.text and "？" not in one.text
        assert one.key and key(one.text, one.lang) == one.key
    for lang in LANGUAGES:
        requested(text, lang)
        about.asks(text, lang)


@pytest.mark.parametrize(
    ("earlier", "later"),
    [
        ("我叫李雷", "我的名字是李磊"),
        ("我住在杭州", "我们家搬到苏州了"),
        ("我女儿六岁", "我女儿今年七岁了"),
        ("我最喜欢的颜色是红色", "我最喜欢的颜色是绿色"),
        ("我喜欢咖啡", "我不太喜欢咖啡"),
        ("我对花生过敏", "其实我对花生也过敏"),
        ("My name is Emily", "Call me Em"),
        ("I live in Bristol", "I've just moved to Leeds"),
        ("My daughter is six", "My daughter is now seven"),
        ("My favourite colour is red", "My favourite colour is teal"),
        ("I like coffee", "I really don't like coffee"),
    ],
)
def test_what_is_said_later_of_the_same_thing_takes_its_place(earlier: str, later: str) -> None:
    lang: Lang = "en" if earlier.isascii() else "zh"
    assert key(earlier, lang) == key(told(later)[0].text, lang)


def test_what_is_said_of_others_does_not() -> None:
    for one, other in (("我女儿七岁", "我儿子七岁"), ("我叫李雷", "我女儿叫李雷"), ("我喜欢咖啡", "我喜欢喝茶")):
        assert key(one, "zh") != key(other, "zh")
    for one, other in (("My son is seven", "My daughter is seven"), ("I like tea", "I like coffee")):
        assert key(one, "en") != key(other, "en")


def test_statements_are_told_back_in_the_second_person() -> None:
    assert second_person("我女儿在我妈妈家", "zh") == "您女儿在您妈妈家"
    assert second_person("I'm sure my dog likes me", "en") == "you're sure your dog likes you"
    assert second_person("I was born in Maine, which I miss", "en") == "you were born in Maine, which you miss"


def answered(question: str, lang: Lang, *statements: str) -> str | None:
    exchange = Exchange("c", 1, "", "", lang, time.time())
    facts = [fact_of(one, "u", exchange) for statement in statements for one in told(statement)]
    return about.answer(question, lang, ranked(question, lang, facts, time.time()))


def test_questions_about_oneself_are_answered_from_what_was_told() -> None:
    assert answered("我叫什么名字？", "zh", "我叫李雷。", "我住在杭州。") == "您告诉过我，您叫李雷。"
    assert answered("What is my daughter's name?", "en", "My daughter's name is Ada.", "My name is Di.") == (
        "You told me that your daughter's name is Ada."
    )
    both = answered("我喜欢什么？", "zh", "我喜欢喝茶。", "我喜欢下棋。") or ""
    assert "喝茶" in both and "下棋" in both


def test_what_was_told_in_the_other_language_is_quoted() -> None:
    assert answered("我叫什么名字？", "zh", "My name is Emily.") == "您告诉过我：“My name is Emily”。"
    assert answered("Where do I live?", "en", "我住在杭州。") == "You told me: “我住在杭州”."


def test_what_was_not_told_is_not_made_up() -> None:
    assert answered("你记得我叫什么吗？", "zh", "我住在杭州。") == "您还没有告诉过我。"
    assert answered("Do you remember my name?", "en", "My son's name is Al.") == "You have not told me that yet."
    assert answered("我儿子几岁？", "zh", "我女儿七岁。") is None
    assert answered("How old is my son?", "en", "My daughter is seven.") is None


@pytest.mark.parametrize(
    ("lang", "text", "request_"),
    [
        ("zh", "请忘掉我说过的一切，谢谢。", Forget("")),
        ("zh", "把关于我的信息全部删除", Forget("")),
        ("zh", "忘掉我的名字", Forget("我的名字")),
        ("zh", "你还记得关于我的哪些事？", Show()),
        ("en", "Please forget everything I told you.", Forget("")),
        ("en", "Can you delete all my data?", Forget("")),
        ("en", "Forget that I like coffee.", Forget("I like coffee")),
        ("en", "What do you remember about me?", Show()),
        *(
            ("zh", text, None)
            for text in (
                "忘了我的密码怎么办",
                "忘记我的包在哪里了",
                "我忘了。",
                "别忘了我的名字",
                "我的票忘了带",
                "忘掉我说过的一切了吗？",
                "你记得我叫什么吗？",
            )
        ),
        *(
            ("en", text, None)
            for text in ("I forgot.", "Don't forget my name", "What do you remember about dinosaurs?", "Forget it")
        ),
    ],
)
def test_requests_are_told_from_talk_of_forgetting(lang: Lang, text: str, request_: Forget | Show | None) -> None:
    assert requested(text, lang) == request_


def written(*facts: str) -> Scripted:
    return scripted(answer=json.dumps({"facts": facts}, ensure_ascii=False))


async def test_a_model_finds_what_rules_do_not_and_says_nothing_of_its_own() -> None:
    text = "说到吃的，花生可不行，我过敏"
    assert [one.text for one in await noticed(written("我花生过敏"), text, "zh")] == ["我花生过敏"]
    assert await noticed(written("我对牛奶过敏"), text, "zh") == (), "not the user's words"
    peanuts = "Nuts, by the way: never, I swell up"
    assert [one.text for one in await noticed(written("I swell up: nuts"), peanuts, "en")] == ["I swell up: nuts"]
    assert await noticed(written("I live in Paris"), peanuts, "en") == ()
    for model in (scripted(answer="很高兴认识您"), scripted(answer='{"facts": "x"}'), BreakingModel('{"facts": [')):
        assert await noticed(model, text, "zh") == ()
    assert await noticed(BreakingModel(stalls=True), text, "zh", seconds=0.01) == ()


@pytest.mark.parametrize(
    ("lang", "text", "answered_by_memory"),
    [
        ("zh", "忘掉我的名字", True),
        ("en", "Forget my name", True),
        ("zh", "删除我的订单", False),
        ("en", "Delete my account", False),
    ],
)
async def test_what_may_be_meant_for_the_documents_is_left_to_them(
    lang: Lang, text: str, answered_by_memory: bool
) -> None:
    assert (await Memory(3).reply(text, lang) is not None) == answered_by_memory
