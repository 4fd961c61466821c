import pytest
from hypothesis import given
from hypothesis import strategies as st

from avatar.markup import EmotionTag, GestureTag
from avatar.script import Mark, Phrase, Script
from avatar.sentences import SentenceSplitter


def phrases(text: str, size: int = 1000) -> list[Phrase]:
    script = Script()
    out = [phrase for start in range(0, len(text), size) for phrase in script.feed(text[start : start + size])]
    return out + script.flush()


@pytest.mark.parametrize("size", [1, 3, 1000])
@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "[emotion:happy]欢迎来到[gesture:wave]科学馆。[emotion:sad 0.5]今天闭馆。[gesture:think]",
            [
                Phrase("欢迎来到科学馆。", (Mark(0, EmotionTag("happy")), Mark(4, GestureTag("wave")))),
                Phrase("今天闭馆。", (Mark(0, EmotionTag("sad", 0.5)), Mark(5, GestureTag("think")))),
            ],
        ),
        (
            "Welcome to the [gesture:wave] museum. [emotion:sad] We are closed [gesture:think] today. Bye.",
            [
                Phrase("Welcome to the museum.", (Mark(14, GestureTag("wave")),)),
                Phrase(" We are closed today.", (Mark(0, EmotionTag("sad")), Mark(14, GestureTag("think")))),
                Phrase(" Bye."),
            ],
        ),
    ],
)
def test_a_tag_keeps_its_place(text: str, said: list[Phrase], size: int) -> None:
    assert phrases(text, size) == said


def test_the_last_of_several_tags_on_one_place_counts() -> None:
    [phrase] = phrases("[emotion:happy][gesture:wave]" * 1000 + "[emotion:sad]好的。")
    assert phrase.marks == (Mark(0, GestureTag("wave")), Mark(0, EmotionTag("sad")))


TAGGED = st.lists(
    st.sampled_from(["[emotion:happy]", "[gesture:wave]", "好的", "。", "，", " well", ". ", "!", "\n", "**"]),
    max_size=30,
).map("".join)


@given(TAGGED, st.integers(1, 9))
def test_phrases_are_what_the_splitter_makes_of_the_words_and_marks_stand_inside(text: str, size: int) -> None:
    got = phrases(text, size)
    assert got == phrases(text)
    assert all(0 <= mark.at <= len(phrase.text) for phrase in got for mark in phrase.marks)
    whole = sum(got, Phrase(""))
    splitter = SentenceSplitter()
    assert whole.cut() == got or whole.text != "".join(splitter.feed(whole.text) + splitter.flush())


def test_what_a_check_let_through_keeps_the_marks_of_its_words() -> None:
    held = Phrase("根据资料，", (Mark(0, EmotionTag("happy")),)) + Phrase(
        "成人票60元。", (Mark(3, GestureTag("present")),)
    )
    assert held.marks == (Mark(0, EmotionTag("happy")), Mark(8, GestureTag("present")))
    assert held.said_as("根据资料，成人票60元。") == held
    assert held.said_as("成人票60元。").marks == (Mark(0, EmotionTag("happy")), Mark(3, GestureTag("present")))
    assert held.said_as("成人票每张[gesture:wave]60元。") == Phrase("成人票每张60元。")
