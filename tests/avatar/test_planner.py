"""Emotions and gestures on the words that are heard."""

import re
import time
from collections.abc import Iterable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from avatar import expression
from avatar.engines.kokoro import Kokoro, KokoroOptions
from avatar.engines.tone import Tone as ToneVoice
from avatar.engines.tone import ToneOptions
from avatar.expression import Tone
from avatar.lips import Cues, Lips
from avatar.markup import EmotionTag, GestureTag
from avatar.motion import EMOTIONS, GESTURES, EmotionCue, Gesture, GestureCue, Vocabulary
from avatar.planner import SETTLE, Planner
from avatar.script import Mark, Phrase, Script
from avatar.speech import Audio, Utterance, Voice, WordSpan
from configs.home import current
from configs.language import Lang

RATE = 1000


def spoken(text: str, letter: float = 0.1, spans: bool = True) -> list[Cues]:
    """Each character takes `letter` seconds; the spans of all words come with the first stretch, as Kokoro's do."""
    words = tuple(WordSpan(char, i * letter, (i + 1) * letter) for i, char in enumerate(text) if char.isalnum())
    total = len(text) * letter
    stretches, at = [], 0.0
    while at < total - 1e-9:
        seconds = min(0.4, total - at)
        audio = Audio(bytes(2 * round(seconds * RATE)), RATE)
        stretches.append(Cues(round(at, 4), audio, (), words if spans and at == 0 else ()))
        at += seconds
    return stretches


class Seen:
    """All cues of a turn, on the turn's clock."""

    def __init__(self, planner: Planner) -> None:
        self.planner = planner
        self.emotions: list[EmotionCue] = []
        self.gestures: list[GestureCue] = []
        self.seconds = 0.0

    def say(
        self, phrase: Phrase, tone: Tone = "answer", lang: Lang = "zh", spans: bool = True, letter: float = 0.1
    ) -> "Seen":
        self.planner.open(phrase, tone, lang)
        return self.hear(spoken(phrase.text, letter, spans))

    def hear(self, sound: Iterable[Cues]) -> "Seen":
        length = 0.0
        for cues in sound:
            moves = self.planner.feed(cues)
            assert all(cue.at >= cues.at for cue in (*moves.emotions, *moves.gestures)), "no cue after its sound"
            self.emotions += [EmotionCue(self.seconds + cue.at, cue.emotion, cue.intensity) for cue in moves.emotions]
            self.gestures += [GestureCue(self.seconds + cue.at, cue.gesture) for cue in moves.gestures]
            length = cues.at + cues.audio.seconds
        self.seconds += length
        return self

    @property
    def made(self) -> list[Gesture]:
        return [cue.gesture for cue in self.gestures if cue.gesture != "rest"]


def test_marks_are_placed_on_their_words() -> None:
    phrase = Phrase("欢迎来到科学馆。", (Mark(2, EmotionTag("shy", 0.7)), Mark(4, GestureTag("thumbs_up"))))
    seen = Seen(Planner()).say(phrase)
    assert seen.emotions == [EmotionCue(0.2, "shy", 0.7)]
    assert seen.gestures == [GestureCue(0.4, "thumbs_up")]


@pytest.mark.parametrize(
    ("text", "at", "word"),
    [
        ("Welcome to  the museum.", 10, "the"),
        ("Welcome.", 3, "Welcome"),
        ("好，再见！", 5, "见"),
        ("好，再见！", 1, "再"),
        ("好，再见！", 0, "好"),
    ],
)
def test_a_mark_goes_to_the_word_it_is_in_or_before_else_to_the_last(text: str, at: int, word: str) -> None:
    planner = Planner()
    planner.open(Phrase(text, (Mark(at, GestureTag("present")),)), "answer", "en")
    words = re.findall(r"[A-Za-z]+|[^\W_]", text)
    spans = tuple(WordSpan(one, number / 2, number / 2 + 0.5) for number, one in enumerate(words))
    moves = planner.feed(Cues(0, Audio(bytes(2 * RATE * 9), RATE), (), spans))
    assert moves.gestures[0] == GestureCue(words.index(word) / 2, "present")


def test_without_spans_the_voices_own_pace_tells_where_a_word_is() -> None:
    phrase = Phrase("成人票每张六十元学生票每张三十元", (Mark(8, EmotionTag("surprised")),))
    seen = Seen(Planner()).say(phrase, spans=False, letter=0.3)
    assert 1 < seen.emotions[0].at < 3.4
    again = Phrase(phrase.text, (Mark(8, EmotionTag("shy")),))
    began = seen.seconds
    seen.say(again, spans=False, letter=0.3)
    assert next(cue.at for cue in seen.emotions if cue.emotion == "shy") == pytest.approx(began + 8 * 0.3, abs=0.01)


def test_without_spans_a_mark_inside_a_word_goes_to_its_beginning() -> None:
    seen = Seen(Planner()).say(Phrase("Welcome to it", (Mark(5, EmotionTag("shy")),)), lang="en", spans=False)
    assert seen.emotions == [EmotionCue(0.0, "shy")]


def test_what_one_phrase_did_not_reach_the_next_begins_with() -> None:
    planner = Planner()
    planner.open(Phrase("短", (Mark(1, EmotionTag("sad")),)), "answer", "zh")
    planner.open(Phrase("后来"), "answer", "zh")
    assert planner.feed(spoken("后来")[0]).emotions == (EmotionCue(0.0, "sad"),)


def test_opposed_feelings_pass_through_neutral_and_none_follows_at_once() -> None:
    marks = (Mark(0, EmotionTag("happy")), Mark(8, EmotionTag("sad", 0.8)), Mark(9, EmotionTag("thinking")))
    seen = Seen(Planner()).say(Phrase("今天馆里很热闹可惜明天就要闭馆了大家", marks[:2]))
    assert [cue.emotion for cue in seen.emotions] == ["happy", "neutral", "sad"]
    assert [cue.at for cue in seen.emotions] == pytest.approx([0, 0.8, 0.8 + SETTLE])
    seen = Seen(Planner()).say(Phrase("今天馆里很热闹可惜明天就要闭馆了大家", marks))
    assert [cue.emotion for cue in seen.emotions] == ["happy", "neutral", "thinking"]


def test_a_feeling_fades() -> None:
    seen = Seen(Planner()).say(Phrase("的" * 100, (Mark(0, EmotionTag("surprised", 0.8)),)))
    assert [(cue.emotion, cue.intensity) for cue in seen.emotions] == [
        ("surprised", 0.8),
        ("surprised", 0.4),
        ("neutral", 1.0),
    ]


def test_a_gesture_ends_and_is_not_made_again_by_itself() -> None:
    phrase = Phrase("的" * 60, (Mark(0, GestureTag("point_up")), Mark(35, GestureTag("point_up"))))
    seen = Seen(Planner()).say(phrase)
    assert [cue.gesture for cue in seen.gestures] == ["point_up", "rest", "present"]
    assert seen.gestures[1].at == pytest.approx(2.8)


def test_the_models_own_rest_ends_a_gesture() -> None:
    seen = Seen(Planner()).say(Phrase("的" * 60, (Mark(0, GestureTag("think")), Mark(10, GestureTag("rest")))))
    assert seen.gestures == [GestureCue(0.0, "think"), GestureCue(1.0, "rest")]


LISTING = {"present", "point_up", "welcome"}


@pytest.mark.parametrize(
    ("text", "lang", "tone", "emotion", "gestures"),
    [
        ("您好，欢迎来到科学馆。", "zh", "answer", "happy", {"wave", "welcome"}),
        ("Hello and welcome to the museum.", "en", "answer", "happy", {"wave", "welcome"}),
        ("谢谢您的提问。", "zh", "answer", "happy", {"welcome", "present"}),
        ("Thank you for asking.", "en", "answer", "happy", {"welcome", "present"}),
        ("再见。", "zh", "answer", "happy", {"wave"}),
        ("Goodbye.", "en", "answer", "happy", {"wave"}),
        ("成人票每张60元。", "zh", "answer", "happy", LISTING),
        ("An adult ticket costs 60 yuan.", "en", "answer", "happy", LISTING),
        ("首先请买票。", "zh", "answer", "happy", LISTING),
        ("First, buy a ticket.", "en", "answer", "happy", LISTING),
        ("您想看哪个展厅？", "zh", "answer", "happy", {"welcome", "present"}),
        ("Which hall would you like?", "en", "answer", "happy", {"welcome", "present"}),
        ("资料里没有提到这一点。", "zh", "refusal", "thinking", {"think"}),
        ("My documents don't say.", "en", "refusal", "thinking", {"think"}),
        ("我这边出了点问题。", "zh", "apology", "sad", set()),
        ("Something went wrong.", "en", "apology", "sad", set()),
        ("抱歉，没有票了。", "zh", "answer", "sad", set()),
        ("Sorry, no tickets are left.", "en", "answer", "sad", set()),
        ("地震造成多人受伤。", "zh", "answer", "sad", set()),
        ("Several people were injured in the earthquake.", "en", "answer", "sad", set()),
        ("太好了，您来得正是时候！", "zh", "answer", "happy", {"thumbs_up"}),
        ("Congratulations on your visit!", "en", "answer", "happy", {"thumbs_up"}),
    ],
)
def test_unmarked_words_are_accompanied_as_they_call_for(
    text: str, lang: Lang, tone: Tone, emotion: str, gestures: set[str]
) -> None:
    seen = Seen(Planner()).say(Phrase(text), tone, lang)
    assert [cue.emotion for cue in seen.emotions][:1] == [emotion]
    assert set(seen.made) <= gestures and bool(seen.made) == bool(gestures)


@pytest.mark.parametrize("mark", ["!", "！", "?", "？", "一"])
def test_marks_without_end_take_no_time(mark: str) -> None:
    began, text = time.process_time(), mark * 10_000 + "x"
    expression.feeling(text, "answer", "zh", first=False)
    expression.gesture(text, "answer", "zh", first=False)
    assert time.process_time() - began < 0.5


def test_the_models_feeling_is_not_overruled_while_it_lasts() -> None:
    seen = Seen(Planner()).say(Phrase("可惜的是，", (Mark(0, EmotionTag("sad")),))).say(Phrase("欢迎您再来！"))
    assert [cue.emotion for cue in seen.emotions] == ["sad"]


def test_only_the_personas_vocabulary_is_shown() -> None:
    marks = (Mark(0, EmotionTag("happy")), Mark(0, GestureTag("wave")))
    seen = Seen(Planner(Vocabulary(("thinking",), ("think",))))
    for phrase in (Phrase("您好！", marks), Phrase("成人票60元，" * 20), Phrase("谢谢！")):
        seen.say(phrase)
    assert (seen.emotions, seen.gestures) == ([], [])


ANSWERS: dict[Lang, Sequence[str]] = {
    "zh": ["成人票每张60元。", "第二，学生票30元！", "您还想了解什么？", "展厅在二楼。", "谢谢您。", "抱歉，闭馆了。"],
    "en": [
        "It costs 60 yuan. ",
        "Second, it is open! ",
        "What else? ",
        "The hall is here. ",
        "Thanks. ",
        "Sorry, closed. ",
    ],
}


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("marked", [False, True])
def test_no_gesture_twice_in_a_row_over_fifty_sentences(lang: Lang, marked: bool) -> None:
    def turn(seed: int) -> Seen:
        seen = Seen(Planner(seed=seed))
        for number in range(50):
            marks = (Mark(0, GestureTag("wave")),) if marked else ()
            seen.say(Phrase(ANSWERS[lang][number % 6], marks), lang=lang)
        return seen

    seen = turn(1)
    _natural(seen)
    assert len(seen.made) >= 4 and len(set(seen.made)) >= 2
    again, other = turn(1), turn(2)
    assert (again.emotions, again.gestures) == (seen.emotions, seen.gestures)
    assert marked or other.made != seen.made


def _natural(seen: Seen) -> None:
    made = seen.made
    assert all(one != other for one, other in zip(made, made[1:], strict=False))
    starts = [cue.at for cue in seen.gestures if cue.gesture != "rest"]
    assert all(later - earlier >= SETTLE - 1e-3 for earlier, later in zip(starts, starts[1:], strict=False))
    assert [cue.at for cue in seen.gestures] == sorted(cue.at for cue in seen.gestures)
    times = [cue.at for cue in seen.emotions]
    assert all(later - earlier >= SETTLE - 1e-3 for earlier, later in zip(times, times[1:], strict=False))
    valence = {"happy": 1, "shy": 1, "sad": -1, "angry": -1}
    felt = [valence.get(cue.emotion, 0) for cue in seen.emotions]
    assert all(one * other >= 0 for one, other in zip(felt, felt[1:], strict=False))


TAG = st.one_of(
    st.builds(EmotionTag, st.sampled_from(EMOTIONS), st.floats(0, 1)), st.builds(GestureTag, st.sampled_from(GESTURES))
)
PHRASE = st.builds(
    lambda text, marks: Phrase(text, tuple(Mark(min(at, len(text)), tag) for at, tag in marks)),
    st.text("好的，您！?60 ab.", min_size=1, max_size=40),
    st.lists(st.tuples(st.integers(0, 40), TAG), max_size=4),
)


@given(st.lists(PHRASE, max_size=12), st.booleans(), st.integers(0, 9))
def test_whatever_the_model_marks_faces_and_hands_move_as_people_do(
    phrases: list[Phrase], spans: bool, seed: int
) -> None:
    seen = Seen(Planner(seed=seed))
    for phrase in phrases:
        seen.say(phrase, spans=spans)
    _natural(seen)


def test_a_phrase_without_sound_is_acted_too() -> None:
    planner = Planner()
    planner.open(Phrase("抱歉，我暂时发不出声音。"), "apology", "zh")
    assert [cue.emotion for cue in planner.silent().emotions] == ["sad"]


@pytest.mark.packaged
@pytest.mark.parametrize(
    ("lang", "text", "feels", "moves"),
    [
        ("zh", "[emotion:happy 0.8]成人票每张60元，[emotion:thinking]学生票[gesture:point_up]半价。", "学", "半"),
        (
            "en",
            "[emotion:happy 0.8]An adult ticket costs $60, [emotion:thinking]but students [gesture:point_up]pay half.",
            "but",
            "pay",
        ),
    ],
)
async def test_kokoros_own_word_spans_place_the_marks(lang: Lang, text: str, feels: str, moves: str) -> None:
    voice = Kokoro(KokoroOptions(), current())
    words, seen, seconds = await _performed(voice, lang, text)
    await voice.aclose()
    starts = {word.text: word.start for word in words}
    assert seen.emotions[0].emotion == "happy" and seen.emotions[0].at == pytest.approx(words[0].start, abs=1e-3)
    thinking = next(cue for cue in seen.emotions if cue.emotion == "thinking")
    pointing = next(cue for cue in seen.gestures if cue.gesture == "point_up")
    print([(word.text, word.start) for word in words], seen.emotions, seen.gestures)
    assert thinking.at == pytest.approx(starts[feels], abs=1e-3)
    assert pointing.at == pytest.approx(starts[moves], abs=1e-3)
    assert pointing.at < seconds


async def test_the_tones_word_spans_place_the_marks() -> None:
    words, seen, _ = await _performed(ToneVoice(ToneOptions(), current()), "en", "See the [gesture:present]tide hall.")
    assert seen.gestures[0] == GestureCue(pytest.approx(words[2].start, abs=1e-3), "present")


async def _performed(voice: Voice, lang: Lang, text: str) -> tuple[list[WordSpan], Seen, float]:
    """One sentence, spoken whole."""
    script, planner = Script(), Planner()
    phrase = sum(script.feed(text) + script.flush(), Phrase(""))
    planner.open(phrase, "answer", lang)
    lips, sound, words = Lips(lang), list[Cues](), list[WordSpan]()
    async for part in voice.synthesize(Utterance(phrase.text.strip(), lang)):
        if isinstance(part, WordSpan):
            words.append(part)
        if cues := lips.feed(part):
            sound.append(cues)
    seen = Seen(planner).hear(sound)
    return words, seen, seen.seconds
