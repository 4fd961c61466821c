"""Whisper: names that it is told to expect, what it must not invent, long speech, and who is served first."""

import asyncio
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from avatar.engines.whisper import Whisper, WhisperOptions, cut
from avatar.engines.whisper_guards import doubtful, echoes, named, repeats, stock
from avatar.engines.whisper_model import Dropped
from avatar.engines.whisper_queue import Queue, Rank
from avatar.hearing import Expectation, Recognition, RecognizerError
from configs.engines import ConfigError
from configs.home import current
from tests.agent.noises import noise
from tests.avatar.voiced import hiss, music, silence, voiced

packaged = pytest.mark.packaged
LONG = (
    "Until what time can I still get in on a normal day?",
    "What does a ticket cost for two parents with two kids?",
    "How long is the whale skeleton in the Ocean Hall?",
    "Which film is shown in the dome at half past one?",
    "Can I borrow a wheelchair, and does it cost anything?",
    "How many people work at the museum?",
)


def engine(**options: object) -> Whisper:
    return Whisper(WhisperOptions.model_validate({"timeout": 120.0} | options), current())


async def heard(whisper: Whisper, pcm: bytes, expectation: Expectation = Expectation()) -> Recognition:  # noqa: B008
    hearing = whisper.hear(expectation)
    hearing.feed(pcm)
    try:
        return await hearing.finish()
    finally:
        await hearing.aclose()


@packaged
@pytest.mark.parametrize(
    ("lang", "said", "name", "others"),
    [
        ("zh", "球幕影院一共能坐多少人？", "球幕影院", ("海港科学馆", "恐龙厅", "寄存")),
        ("en", "Does Zhubo remember what I say?", "Zhubo", ("Harbour Science Museum", "Lighthouse Lectures")),
    ],
)
async def test_a_name_that_is_expected_is_understood(lang: str, said: str, name: str, others: tuple[str, ...]) -> None:
    whisper, pcm = engine(), await voiced(said, lang)  # type: ignore[arg-type]
    without = await heard(whisper, pcm, Expectation())
    expecting = await heard(whisper, pcm, Expectation(None, (*others[:1], name, *others[1:], "Ocean Hall", "海洋厅")))
    await whisper.aclose()
    assert name not in without.text, without
    assert name in expecting.text and expecting.lang == lang, expecting


@packaged
async def test_what_is_expected_is_not_heard_where_nobody_said_it() -> None:
    whisper = engine()
    expected = Expectation("zh", ("球幕影院", "海港科学馆", "恐龙厅", "寄存", "志愿者"))
    for sound in (hiss(3, -30), hiss(8, -55), music(5), noise("cough"), noise("door"), silence(30)):
        for asked in (expected, Expectation("en", ("Ocean Hall", "Lighthouse Lectures")), Expectation()):
            assert await heard(whisper, sound, asked) == Recognition("")
    await whisper.aclose()


@packaged
async def test_speech_longer_than_the_model_takes_at_once_is_heard_to_its_end() -> None:
    whisper = engine()
    pcm = silence(0.5).join([await voiced(text, "en") for text in (*LONG, *LONG[:-1], "Where can I leave my bike?")])
    assert len(pcm) > 32000 * 30
    recognition = await heard(whisper, pcm, Expectation("en"))
    await whisper.aclose()
    text = recognition.text.lower()
    assert recognition.lang == "en" and text.startswith("until what time") and "bike" in text[-40:]
    assert text.count("wheelchair") == 2 and text.count("skeleton") == 2


@packaged
async def test_what_was_understood_in_the_pause_is_not_worked_out_again() -> None:
    whisper = engine()
    counted: list[int] = []
    transcribe = whisper.model.transcribe
    whisper.model.transcribe = lambda *a: (counted.append(1), transcribe(*a))[1]  # type: ignore[method-assign]
    hearing = whisper.hear(Expectation("en"))
    following = asyncio.create_task(_drain(hearing))
    hearing.feed(await voiced("Where can I leave my luggage?", "en") + silence(0.4))
    async with asyncio.timeout(120):
        while not hearing._open:
            await asyncio.sleep(0.02)
        before = len(counted)
        hearing.feed(silence(0.2))
        assert "luggage" in (await hearing.finish()).text
        await following
    assert len(counted) == before
    await hearing.aclose()
    await whisper.aclose()


async def _drain(hearing: object) -> None:
    async for _ in hearing.partials():  # type: ignore[attr-defined]
        pass


@packaged
async def test_an_answer_that_takes_too_long_is_an_error() -> None:
    whisper = engine(timeout=0.2)
    release = threading.Event()
    whisper.model.transcribe = lambda *a: release.wait(60) and Recognition("")  # type: ignore[method-assign,assignment,return-value]
    with pytest.raises(RecognizerError) as told:
        await heard(whisper, hiss(1, -20))
    release.set()
    assert told.value.code == "timeout"
    await whisper.aclose()


@packaged
async def test_a_broken_runtime_is_an_error_and_the_next_is_heard() -> None:
    whisper = engine()
    transcribe = whisper.model.transcribe

    def broken(*_: object) -> Recognition:
        raise MemoryError("no room")

    whisper.model.transcribe = broken  # type: ignore[method-assign]
    with pytest.raises(RecognizerError) as told:
        await heard(whisper, hiss(1, -20))
    assert told.value.code == "failed"
    whisper.model.transcribe = transcribe  # type: ignore[method-assign]
    assert "luggage" in (await heard(whisper, await voiced("Where can I leave my luggage?", "en"))).text
    await whisper.aclose()


@packaged
async def test_what_goes_beyond_the_longest_is_not_kept() -> None:
    whisper = engine(longest=2.0)
    hearing = whisper.hear()
    for _ in range(100):
        hearing.feed(silence(1.0))
    assert len(hearing._sound) == 64000
    await hearing.aclose()
    await whisper.aclose()


def test_a_folder_without_a_model_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=str(tmp_path)):
        Whisper(WhisperOptions(file=tmp_path), current())


async def test_those_who_have_finished_are_served_before_those_who_speak() -> None:
    queue, served = Queue(8, 1.0), list[str]()
    hold = threading.Event()

    def work(name: str) -> Recognition:
        served.append(name)
        return Recognition(name)

    first = queue.submit(Rank.FINAL, lambda dropped: hold.wait(60) and work("first") or Recognition(""))
    jobs = [
        queue.submit(rank, lambda dropped, name=name: work(name))  # type: ignore[misc]
        for rank, name in ((Rank.PARTIAL, "partial"), (Rank.PAUSE, "pause"), (Rank.FINAL, "final"))
    ]
    hold.set()
    await asyncio.gather(first.answer, *(job.answer for job in jobs))
    await queue.aclose()
    assert served == ["first", "final", "pause", "partial"]


async def test_a_partial_gives_way_to_who_has_finished() -> None:
    queue = Queue(8, 1.0)
    begun = threading.Event()

    def endless(dropped: object) -> Recognition:
        begun.set()
        while not dropped():  # type: ignore[operator]
            pass
        raise Dropped

    partial = queue.submit(Rank.PARTIAL, endless)
    await asyncio.to_thread(begun.wait, 60)
    final = queue.submit(Rank.FINAL, lambda dropped: Recognition("done"))
    async with asyncio.timeout(60):
        assert (await final.answer).text == "done"
    assert partial.answer.cancelled()
    await queue.aclose()


async def test_too_many_who_wait_are_told_so() -> None:
    queue, hold = Queue(2, 1.0), threading.Event()
    jobs = [queue.submit(Rank.FINAL, lambda dropped: Recognition("x") if hold.wait(60) else Recognition(""))]
    await asyncio.sleep(0)
    jobs += [queue.submit(Rank.FINAL, lambda dropped: Recognition("y")) for _ in range(2)]
    with pytest.raises(RecognizerError) as told:
        queue.submit(Rank.FINAL, lambda dropped: Recognition("z"))
    assert told.value.code == "overloaded"
    hold.set()
    assert [one.text for one in await asyncio.gather(*(job.answer for job in jobs))] == ["x", "y", "y"]
    await queue.aclose()
    with pytest.raises(RecognizerError):
        queue.submit(Rank.FINAL, lambda dropped: Recognition("late"))


def test_a_long_piece_is_cut_in_a_pause() -> None:
    import numpy as np

    sound = np.frombuffer(hiss(28, -20), "<i2").copy()
    sound[22 * 16000 : 23 * 16000] = 0
    assert 22 * 16000 < cut(sound) < 23 * 16000


@pytest.mark.parametrize("text", ["谢谢观看", "字幕由 Amara.org 社区提供", "Thank you for watching!"])
def test_the_ends_of_films_are_known(text: str) -> None:
    assert stock(text) and not stock("谢谢，请问字幕在哪里打开？") and not stock("Thank you. Where is the exit?")


@pytest.mark.parametrize(("text", "round_in_circles"), [
    ("好好好好好好好", True), ("I think so. " * 12, True), ("谢谢谢谢", False), ("no no no", False),
    ("科学馆几点开门？周末也开门吗？", False),
])  # fmt: skip
def test_going_round_in_circles_is_noticed(text: str, round_in_circles: bool) -> None:
    assert repeats(text) is round_in_circles


def test_a_prompt_that_is_read_back_is_noticed_and_a_name_that_is_asked_for_is_not() -> None:
    words = ("海港科学馆", "球幕影院", "恐龙厅")
    assert echoes("以下是普通话的句子。", "以下是普通话的句子。", words)
    assert echoes("海港科学馆、球幕影院、恐龙厅。", "", words)
    assert not echoes("球幕影院", "", words) and not echoes("球幕影院在哪里？", "", words)
    assert named("The Ocean Hall and Lighthouse Lectures.", ("Ocean Hall", "Lighthouse Lectures")) == 2
    assert named("The Ocean Hall, please.", ("Ocean Hall",)) == 0
    assert doubtful(-2.5, 0.0) and doubtful(-1.2, 0.5) and not doubtful(-0.5, 0.9)


@given(st.text(), st.lists(st.text()))
def test_any_text_is_judged(text: str, words: list[str]) -> None:
    assert repeats(text) in (True, False) and stock(text) in (True, False) and echoes(text, "", words) in (True, False)
