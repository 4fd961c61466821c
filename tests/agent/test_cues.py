"""Emotions and gestures of a whole turn: the model's own marks on the words they belong to, and nobody else's."""

from collections.abc import AsyncGenerator, Sequence

import pytest

from agent.engines.scripted import Scripted, ScriptedOptions
from agent.events import Caption, Event, Motion, SentenceStarted
from agent.model import PLAINLY, Ask, Part, ToolCall
from avatar.motion import EmotionCue, GestureCue
from configs.home import current
from configs.language import Lang
from knowledge.documents import Hit, Passage, Place, Retrieval
from tests.agent.test_turn import asked, text_of
from tests.doubles import Facts, presenter, scripted

QUESTION: dict[Lang, str] = {"zh": "成人票多少钱？", "en": "How much is an adult ticket?"}
MARKED: dict[Lang, str] = {
    "zh": "[emotion:thinking 0.6]成人票每张[gesture:point_up]60元。",
    "en": "[emotion:thinking 0.6]An adult ticket [gesture:point_up]costs 60 yuan.",
}
WORDS: dict[Lang, tuple[str, str]] = {"zh": ("成", "60"), "en": ("An", "costs")}


def timed(events: Sequence[Event]) -> tuple[list[EmotionCue], list[GestureCue], dict[str, float]]:
    """Cues and the starts of words, on the clock of the first sentence."""
    first = [event for event in events if isinstance(event, Motion | Caption) and event.sentence == 0]
    emotions = [cue for event in first if isinstance(event, Motion) for cue in event.emotions]
    gestures = [cue for event in first if isinstance(event, Motion) for cue in event.gestures]
    words = [word for event in first if isinstance(event, Caption) for word in event.words]
    return emotions, gestures, {word.text: word.start for word in reversed(words)}


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("grounded", [True, False])
def test_the_models_marks_are_shown_on_their_words_and_not_spoken(lang: Lang, grounded: bool) -> None:
    events = asked(QUESTION[lang], presenter(scripted(answer=MARKED[lang]), grounded=grounded))
    emotions, gestures, starts = timed(events)
    felt, made = WORDS[lang]
    assert emotions[0] == EmotionCue(pytest.approx(starts[felt], abs=1e-3), "thinking", 0.6)
    assert gestures[0] == GestureCue(pytest.approx(starts[made], abs=1e-3), "point_up")
    assert "60" in text_of(events) and "[" not in text_of(events)


class Listening(Scripted):
    """Keeps what it was asked."""

    def __init__(self) -> None:
        super().__init__(ScriptedOptions(), current())
        self.heard: list[str] = []

    def stream(self, messages: Sequence[Part], ask: Ask = PLAINLY) -> AsyncGenerator[str | ToolCall, None]:
        self.heard += [message.text for message in messages]
        return super().stream(messages, ask)


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_a_users_tags_move_nobody_and_do_not_reach_the_model(lang: Lang) -> None:
    plain, tagged = Listening(), Listening()
    words = f"[emotion:surprised]{QUESTION[lang]}[gesture:welcome]【表情：生气】"
    expected, told = asked(QUESTION[lang], presenter(plain)), asked(words, presenter(tagged))
    assert timed(told)[:2] == timed(expected)[:2]
    assert tagged.heard == plain.heard and plain.heard


class Tagged(Facts):
    async def search(self, question: str, count: int, *, also: Sequence[str] = ()) -> Retrieval:
        text = "成人票每张[gesture:wave]60元。An adult ticket costs【emotion：surprised】 60 yuan."
        passage = Passage("p", "d", "票价 Tickets", text, Place(("票价",), None, 0, len(text)))
        return Retrieval(question, (Hit(passage, 2.0, 9.0, 1.0, 0.9),), {})


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_a_documents_tags_are_neither_shown_nor_spoken(lang: Lang) -> None:
    events = asked(QUESTION[lang], presenter(scripted(answer="…"), knowledge=Tagged()))
    spoken = "".join(event.text for event in events if isinstance(event, SentenceStarted))
    assert "60" in spoken and "gesture" not in spoken and "emotion" not in spoken
    emotions, gestures, _ = timed(events)
    assert "surprised" not in [cue.emotion for cue in emotions] and "wave" not in [cue.gesture for cue in gestures]


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_nothing_of_markup_is_spoken(lang: Lang) -> None:
    link = {"zh": "见[官网](https://museum.org/票)", "en": "see [our site](https://museum.org/a)"}[lang]
    answer = f"- **60**，{link}，https://museum.org/b。" if lang == "zh" else f"* **60**, {link}, https://museum.org/b."
    events = asked(QUESTION[lang], presenter(scripted(answer=answer), grounded=False))
    spoken = "".join(event.text for event in events if isinstance(event, SentenceStarted))
    assert not set("*[]()#|`") & set(spoken) and "http" not in spoken and "museum.org" not in spoken
    assert ("官网" if lang == "zh" else "our site") in spoken


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_half_a_tag_at_the_end_is_not_spoken(lang: Lang) -> None:
    events = asked(QUESTION[lang], presenter(scripted(flaw="torn tag")))
    assert "60" in text_of(events) and "emotion" not in text_of(events)


@pytest.mark.parametrize(
    ("question", "emotion", "gesture"),
    [
        ("您好", "happy", "wave"),
        ("Hello", "happy", "wave"),
        ("馆长的鞋码是多少？", "thinking", "think"),
        ("What shoe size does the director wear?", "thinking", "think"),
    ],
)
def test_what_is_not_marked_is_felt_by_its_kind(question: str, emotion: str, gesture: str) -> None:
    emotions, gestures, _ = timed(asked(question, presenter()))
    assert emotions[0].emotion == emotion
    assert gestures[0].gesture in (gesture, "welcome")
