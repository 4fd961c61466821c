"""Small talk is answered by the persona; a question never is."""

import pytest

from agent import smalltalk
from agent.persona import Intent, load
from configs.language import Lang, detect

GUIDE = load("guide")

TALK: list[tuple[str, Intent]] = [
    ("你好", "hello"),
    ("您好！", "hello"),
    ("小澜，你好呀～", "hello"),
    ("早上好", "hello"),
    ("小澜", "hello"),
    ("Hello!", "hello"),
    ("hi there", "hello"),
    ("Good morning, Lan", "hello"),
    ("你好吗？", "wellbeing"),
    ("How are you today?", "wellbeing"),
    ("非常感谢！", "thanks"),
    ("好的，谢谢你的讲解", "thanks"),
    ("Thank you very much.", "thanks"),
    ("OK thanks", "thanks"),
    ("再见", "farewell"),
    ("好的拜拜！", "farewell"),
    ("Bye bye!", "farewell"),
    ("See you later", "farewell"),
    ("你是谁？", "who"),
    ("请问您叫什么名字？", "who"),
    ("自我介绍一下", "who"),
    ("Who are you?", "who"),
    ("What's your name?", "who"),
    ("你好，你是谁？", "who"),
    ("Hi! Who are you?", "who"),
    ("你能做什么？", "able"),
    ("你可以帮我做什么", "able"),
    ("我可以问你什么问题？", "able"),
    ("What can you do?", "able"),
    ("How can you help me?", "able"),
    ("你是真人吗？", "human"),
    ("你是机器人还是真人？", "human"),
    ("你是AI吗", "human"),
    ("Are you a real person?", "human"),
    ("Are you human or a robot?", "human"),
    ("Am I talking to a machine?", "human"),
    ("讲得真好！", "compliment"),
    ("You're great!", "compliment"),
]


@pytest.mark.parametrize(("text", "intent"), TALK)
def test_small_talk_is_answered_in_its_language(text: str, intent: Intent) -> None:
    lang: Lang = detect(text) or "en"
    assert smalltalk.reply(text, lang, GUIDE) == GUIDE.smalltalk[intent][lang]


@pytest.mark.parametrize(
    "text",
    [
        "你好，请问几点关门？",
        "谢谢，那学生票呢？",
        "你们几点开门？",
        "机器人剧场在哪里？",
        "谁创办了科学馆？",
        "馆里有机器人吗？",
        "你好世界是什么展品？",
        "好",
        "Hello, when do you open?",
        "Thanks, and what about students?",
        "Who founded the museum?",
        "Is there a robot theatre?",
        "What can children do in the museum?",
        "Are you open on Mondays?",
        "Do humans feed the fish?",
        "",
        "!!!",
        "hi " * 40,
    ],
)
def test_a_question_is_not_small_talk(text: str) -> None:
    assert smalltalk.reply(text, detect(text) or "en", GUIDE) is None


def test_it_never_claims_to_be_a_person() -> None:
    assert "不是真人" in GUIDE.smalltalk["human"]["zh"] and "人工智能" in GUIDE.smalltalk["human"]["zh"]
    assert "not a person" in GUIDE.smalltalk["human"]["en"] and "AI" in GUIDE.smalltalk["human"]["en"]
