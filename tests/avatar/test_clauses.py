"""What Kokoro returns made into clauses whose spans tile their audio to the sample."""

from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from avatar.engines.clauses import FRAME, RATE, VOCABULARY, Clause, cut, timed
from avatar.engines.pronunciation import Sound

SOUNDS = st.lists(
    st.one_of(
        st.sampled_from(
            [Sound("", " "), Sound("", ","), Sound("", "."), Sound("好", "xau↓"), Sound("USB", "jˈu ˈɛs bˈi")]
        ),
        st.text(st.sampled_from(list(VOCABULARY)), min_size=1, max_size=60).map(lambda symbols: Sound("word", symbols)),
    ),
    min_size=1,
    max_size=30,
)


def _seconds(frame: int) -> float:
    return frame * FRAME / RATE


def _spoken(clause: Clause) -> float:
    return len(clause.pcm) / 2 / RATE


@given(SOUNDS, st.integers(20, 60))
def test_cutting_loses_no_word_and_never_exceeds_the_model(sounds: list[Sound], longest: int) -> None:
    clauses = list(cut(sounds, longest))
    assert all(0 < sum(len(sound.phonemes) for sound in clause) <= longest for clause in clauses)
    pieces = [sound for clause in clauses for sound in clause]
    said = "".join(sound.phonemes for sound in pieces if sound.written or sound.phonemes not in " ,.")
    assert set("".join(sound.phonemes for sound in sounds)) - set(said) <= set(' ;:,.!?—…"()“”')


def test_what_the_model_cannot_write_is_left_out() -> None:
    sounds = [Sound("馆", "kwa\u00a0→n"), Sound("", "\t"), Sound("", "!")]
    assert list(cut(sounds, 20)) == [[Sound("馆", "kwa→n"), Sound("", "!")]]


def test_a_long_text_is_cut_after_its_last_mark() -> None:
    word, comma = Sound("word", "wˈɜɹd"), Sound("", ",")
    clauses = list(cut([word, word, word, comma, word, word], 24))
    assert [[sound.written for sound in clause] for clause in clauses] == [
        ["word", "word", "word", ""],
        ["word", "word"],
    ]


@given(SOUNDS, st.data())
def test_spans_tile_the_audio_exactly(sounds: list[Sound], data: st.DataObject) -> None:
    tokens = sum(len(sound.phonemes) for sound in sounds)
    frames = np.array(data.draw(st.lists(st.integers(1, 20), min_size=tokens + 2, max_size=tokens + 2)))
    audio = np.zeros(int(frames.sum()) * FRAME, np.float32)
    loud = data.draw(st.lists(st.integers(0, int(frames.sum()) - 1), max_size=6))
    for frame in loud:
        audio[frame * FRAME + 7] = 0.5
    clause = timed(sounds, audio, frames)
    assert clause.phonemes[0].start == 0 and clause.phonemes[-1].end == _spoken(clause)
    assert all(earlier.end == later.start for earlier, later in pairwise(clause.phonemes))
    assert all(earlier.end <= later.start for earlier, later in pairwise(clause.words))
    assert np.count_nonzero(np.frombuffer(clause.pcm, "<i2")) == len(set(loud))


def test_marks_belong_to_their_sound_and_silence_has_no_name() -> None:
    frames = np.array([18, 2, 3, 4, 2, 3, 4, 5, 6])
    audio = np.zeros(int(frames.sum()) * FRAME, np.float32)
    audio[16 * FRAME : 40 * FRAME] = 0.2
    clause = timed([Sound("好", "xa↓"), Sound("", " "), Sound("a", "ˈA"), Sound("", ".")], audio, frames)
    found = [(span.phoneme, span.start, span.end) for span in clause.phonemes]
    assert [name for name, _, _ in found] == ["", "x", "a↓", "", "A", ""]
    assert [start for _, start, _ in found] == [_seconds(frame) for frame in (0, 1, 3, 10, 12, 19)]
    assert [word.text for word in clause.words] == ["好", "a"]
    assert (clause.words[0].start, clause.words[1].end) == (_seconds(1), _seconds(19))


def test_the_long_silence_around_speech_is_cut_to_a_pause() -> None:
    frames = np.array([20, 5, 5, 5, 40, 20])
    audio = np.zeros(int(frames.sum()) * FRAME, np.float32)
    audio[20 * FRAME : 30 * FRAME] = 0.2
    lengths = {mark: _spoken(timed([Sound("好", "xau"), Sound("", mark)], audio, frames)) for mark in ",."}
    assert lengths["."] > lengths[","] > _seconds(11)
    assert lengths["."] < _seconds(30)
