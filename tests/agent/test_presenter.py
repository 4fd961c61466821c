"""What the presenter makes of what the knowledge base finds: curated answers and questions that lean on the last."""

from collections.abc import AsyncGenerator, Sequence

import pytest

from agent.events import Citations, Event, Motion, Speech
from agent.presenter import Presenter
from agent.replies import Line
from agent.session import Session
from agent.situation import Situation
from avatar.remembered import Remembered
from avatar.speech import SpeechPart, Utterance
from configs.prompt import PromptSettings
from configs.settings import KnowledgeSettings
from knowledge.documents import Curated, Hit, Passage, Place, QuestionAnswer, Retrieval
from tests import virtual
from tests.agent.test_turn import end_of, text_of, turn_of
from tests.doubles import Facts, presenter, scripted, tone

WEST = {
    "西门开吗？": Curated(
        "a", QuestionAnswer(("西门开吗？",), "西门本周五前关闭，请走东门。", "sad", "present"), "zh", "faq"
    ),
    "Is the west gate open?": Curated(
        "b",
        QuestionAnswer(("Is the west gate open?",), "The west gate is closed until Friday.", "cross", "salute"),
        "en",
    ),
}


class Desk(Facts):
    """Has curated answers, and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, tuple[str, ...]]] = []

    async def search(self, question: str, count: int, *, also: Sequence[str] = ()) -> Retrieval:
        self.asked.append((question, tuple(also)))
        if (curated := WEST.get(question)) is None:
            return await super().search(question, count)
        row = Passage("p", "faq", "常见问题", f"{question}{curated.entry.answer}", Place((), None, 0, 20), "faq.csv")
        hits = (Hit(row, 1.0, 1.0, 1.0, None),) if curated.document else ()
        return Retrieval(question, hits, {"total": 0.1}, curated=curated)


class Counting:
    """The tone voice; counts the utterances it was asked to make."""

    def __init__(self) -> None:
        self._tone = tone()
        self.made: list[str] = []

    @property
    def rate(self) -> int:
        return self._tone.rate

    async def synthesize(self, utterance: Utterance) -> AsyncGenerator[SpeechPart, None]:
        self.made.append(utterance.text)
        async for part in self._tone.synthesize(utterance):
            yield part

    async def warm(self) -> None:
        pass

    async def aclose(self) -> None:
        pass


def conversation(by: Presenter, *questions: str) -> list[list[Event]]:
    async def go() -> list[list[Event]]:
        session = Session(by)
        turns = [await turn_of(session, question) for question in questions]
        await session.close()
        return turns

    return virtual.run(go())


@pytest.mark.parametrize("question", WEST)
def test_a_curated_answer_is_said_word_for_word_and_its_speech_is_made_once(question: str) -> None:
    voice = Counting()
    first, second = conversation(presenter(voice=Remembered(voice, 10_000_000), knowledge=Desk()), question, question)
    answer = WEST[question].entry.answer
    assert text_of(first) == text_of(second) == answer
    assert "".join(voice.made).replace(" ", "") == answer.replace(" ", "")
    sound = [b"".join(e.audio.pcm for e in turn if isinstance(e, Speech)) for turn in (first, second)]
    assert sound[0] == sound[1] != b""
    assert (end_of(first).reason, end_of(first).refused) == ("done", False)


def test_its_emotion_and_gesture_are_shown_and_the_sheets_row_is_cited() -> None:
    zh, en = conversation(presenter(knowledge=Desk()), *WEST)
    cue = next(event for event in zh if isinstance(event, Motion) and event.emotions)
    assert cue.emotions[0].emotion == "sad"
    assert cue.gestures[0].gesture == "present"
    cited = next(event for event in zh if isinstance(event, Citations)).citations
    assert [(one.source, one.quote) for one in cited] == [("faq.csv", "西门开吗？西门本周五前关闭，请走东门。")]
    other = next(event for event in en if isinstance(event, Motion) and event.emotions)
    assert other.emotions[0].emotion == "sad", "a name that is none is left out: bad news looks as it does"
    assert not any(isinstance(event, Citations) for event in en)


@pytest.mark.parametrize(
    ("first", "second", "word"),
    [("成人票多少钱？", "那儿童的呢？", "儿童"), ("How much is an adult ticket?", "And for children?", "children")],
)
def test_a_question_that_leans_on_the_last_is_searched_in_a_wording_that_stands(
    first: str, second: str, word: str
) -> None:
    desk = Desk()
    conversation(presenter(knowledge=desk), first, second)
    assert desk.asked[0] == (first, ())
    question, also = desk.asked[1]
    assert question == second and len(also) == 1 and word in also[0]
    assert "票" in also[0] or "ticket" in also[0]


def test_rewriting_can_be_turned_off() -> None:
    desk = Desk()
    by = presenter(knowledge=desk, settings=KnowledgeSettings(rewrite="off"))
    conversation(by, "成人票多少钱？", "那儿童的呢？")
    assert desk.asked[1] == ("那儿童的呢？", ())


@pytest.mark.parametrize(("whisper", "refused"), [("", True), ("成人票今天免费。", False)])
async def test_what_an_operator_whispers_is_not_refused_for_standing_in_no_document(
    whisper: str, refused: bool
) -> None:
    by = presenter(
        scripted(filled={"words": "", "verdict": "no"}),
        settings=KnowledgeSettings(verify="model"),
        prompts=PromptSettings(size="full"),
    )
    considered = await by.consider("成人票多少钱？", "zh", Situation(whisper=whisper))
    assert isinstance(considered.reply, Line) == refused


@pytest.mark.parametrize(
    ("question", "said", "first"),
    [
        ("西门开吗？", "您好，请问西门开吗，谢谢", "我第一次来。请问西门开吗？"),
        (
            "Is the west gate open?",
            "Excuse me, um, is the west gate open, please?",
            "I came by bus. Is the west gate open?",
        ),
    ],
)
def test_what_is_said_around_a_question_is_no_part_of_it(question: str, said: str, first: str) -> None:
    for wrapped in (said, first):
        desk = Desk()
        (turn,) = conversation(presenter(knowledge=desk), wrapped)
        assert text_of(turn) == WEST[question].entry.answer
        assert desk.asked[-1][0] == question


@pytest.mark.parametrize(
    ("said", "question", "topic"),
    [
        ("球幕影院真大。它有多少座位？", "它有多少座位？", "球幕影院"),
        ("The dome theatre looks great. How many seats does it have?", "How many seats does it have?", "dome theatre"),
    ],
)
def test_what_is_told_first_is_what_the_question_leans_on(said: str, question: str, topic: str) -> None:
    desk = Desk()
    conversation(presenter(knowledge=desk), said)
    assert desk.asked[0][0] == question and topic in desk.asked[0][1][0]
    if len(desk.asked) > 1:
        assert desk.asked[1:] == [(said, ())], "refused, it is looked up as it was said"
