from agent.memory import Memory, Transcript
from agent.model import Message
from avatar.speech import WordSpan


def transcript(*sentences: tuple[str, float]) -> Transcript:
    said, at = Transcript(), 0.0
    for text, seconds in sentences:
        said.started(text, at)
        said.played(seconds)
        said.ended()
        at += seconds
    return said


def test_only_what_was_heard_is_remembered() -> None:
    memory = Memory(3)
    memory.answered(1, "几点开门？", transcript(("上午十点开门。", 2.0), ("周一闭馆。", 1.0)))
    memory.cut(1, 2.0)
    assert memory.messages() == (Message("user", "几点开门？"), Message("assistant", "上午十点开门。"))


def test_a_cut_inside_a_sentence_keeps_whole_words() -> None:
    said = transcript(("The museum opens at ten.", 2.4))
    assert said.heard(1.0) == "The museum"
    assert transcript(("上午十点开门。", 2.0)).heard(1.0) == "上午十点"


def test_timed_words_decide_where_a_cut_falls() -> None:
    said = Transcript()
    said.started("It opens at ten.", 0.0)
    said.captioned([WordSpan("It", 0, 0.1), WordSpan("opens", 0.1, 0.3), WordSpan("at", 1.5, 1.6)])
    said.played(2.0)
    assert said.heard(1.0) == "It opens"


def test_nobody_has_heard_out_what_has_not_come_whole_and_a_clock_may_be_a_little_short() -> None:
    for words in ([], [WordSpan("It", 0, 0.1), WordSpan("opens", 0.1, 0.3), WordSpan("now", 0.4, 0.6)]):
        said = Transcript()
        said.started("It opens now.", 0.0)
        assert said.heard(0.0) == said.heard(0.1) == ""
        said.captioned(words)
        said.played(0.6)
        if words:
            assert said.heard(0.3) == "It opens" and said.heard(0.6) == "It opens now"
        said.ended()
        assert said.heard(0.5994) == "It opens now."


def test_a_question_whose_answer_nobody_heard_is_left_out() -> None:
    memory = Memory(3)
    memory.answered(1, "Hello?", transcript(("Hello there.", 2.0)))
    memory.cut(1, 0.0)
    assert memory.messages() == ()


def test_a_late_cut_of_an_earlier_turn_is_of_that_turn_alone_and_not_for_ever() -> None:
    memory = Memory(20)
    for turn in range(1, 11):
        memory.answered(turn, f"q{turn}", transcript((f"One {turn}.", 1.0), ("Two.", 1.0)))
    memory.cut(3, 1.0)
    memory.cut(2, 1.0)
    memory.cut(99, 0.0)
    answers = [message.text for message in memory.messages() if message.role == "assistant"]
    assert answers == [f"One {turn}." if turn == 3 else f"One {turn}.Two." for turn in range(1, 11)]


def test_old_exchanges_are_forgotten() -> None:
    memory = Memory(2)
    for turn in range(5):
        memory.answered(turn, f"q{turn}", transcript((f"a{turn}.", 1.0)))
    assert [message.text for message in memory.messages()] == ["q3", "a3.", "q4", "a4."]
