"""The pure half of the Kokoro voice: sounds cut into clauses, and what the model returns made into timed speech."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from avatar.engines.pronunciation import Sound
from avatar.phonemes import AFTER, BEFORE, PAUSES
from avatar.speech import PhonemeSpan, WordSpan

RATE = 24000
FRAME = 600
"""Samples in one frame of the model's durations: 25 ms."""
LEAD = 2
"""Frames by which the sound runs ahead of the predicted durations: measured as 45 and 55 ms, English and Mandarin."""
LIMIT = 510
"""Tokens the model takes at once; a voice file has a style for each count."""

# The model's alphabet, from the config.json published with Kokoro-82M: runs of symbols and the first one's number.
_RUNS = {
    1: ";:,.!?", 9: '—…"()“” \u0303ʣʥʦʨᵝꭧAI', 31: "O", 33: "Q", 35: "ST", 39: "W", 41: "Yᵊabcdef",
    50: "hijklmnopqrstuvwxyzɑɐɒæ", 75: "βɔɕç", 80: "ɖðʤə", 85: "ɚɛɜ", 90: "ɟ", 92: "ɡ", 99: "ɥ", 101: "ɨɪʝ",
    110: "ɯɰŋɳɲɴø", 118: "ɸθœ", 123: "ɹ", 125: "ɾɻ", 128: "ʁɽʂʃʈʧ", 135: "ʊʋ", 138: "ʌɣɤ", 142: "χʎ", 147: "ʒʔ",
    156: "ˈˌː", 162: "ʰ", 164: "ʲ", 169: "↓", 171: "→↗↘", 177: "ᵻ",
}  # fmt: skip
VOCABULARY = {symbol: first + index for first, run in _RUNS.items() for index, symbol in enumerate(run)}

_QUIET = 0.01
_ENDINGS = {",": 6, ";": 8, ":": 8, "—": 8, ".": 14, "!": 14, "?": 14, "…": 14}
"""Frames of silence left after a clause that ends in this mark."""


@dataclass(frozen=True, slots=True)
class Clause:
    """One run of the model: its audio (mono s16) and its spans in samples' time, from its own first sample."""

    pcm: bytes
    words: tuple[WordSpan, ...]
    phonemes: tuple[PhonemeSpan, ...]


def cut(sounds: Sequence[Sound], longest: int) -> Iterator[list[Sound]]:
    """`sounds` in stretches of at most `longest` tokens that can be said, cut after a mark where there is one."""
    clause: list[Sound] = []
    for sound in _short(sounds, longest):
        while _tokens(clause) + len(sound.phonemes) > longest:
            place = _place(clause)
            yield from _sayable(clause[:place])
            clause = clause[place:]
        clause.append(sound)
    yield from _sayable(clause)


def timed(sounds: Sequence[Sound], audio: npt.NDArray[np.float32], frames: npt.NDArray[np.int64]) -> Clause:
    """`frames`: how many 25 ms frames each token lasts, the model's own first and last ones included.

    The long silence around the speech is cut in whole frames, so the spans tile the audio to the sample.
    """
    total = int(frames.sum())
    edges = [0, *(max(0, edge - LEAD) for edge in np.cumsum(frames[:-1]).tolist()), total]
    first, last = _heard(audio, sounds[-1].phonemes[-1])
    pcm = np.clip(np.rint(audio[first * FRAME : last * FRAME] * 32767), -32768, 32767).astype("<i2").tobytes()
    words, at = [], 1
    for sound in sounds:
        until = at + len(sound.phonemes)
        if sound.written:
            words.append((sound.written, edges[at], edges[until]))
        at = until
    symbols = "".join(sound.phonemes for sound in sounds)
    return Clause(
        pcm,
        tuple(WordSpan(*span) for span in _within(words, first, last)),
        tuple(PhonemeSpan(*span) for span in _within(_merged(symbols, edges), first, last)),
    )


def _short(sounds: Sequence[Sound], longest: int) -> Iterator[Sound]:
    """What the model's alphabet can write; a sound too long for one run, such as a number of 300 digits, in several."""
    for sound in sounds:
        phonemes = "".join(filter(VOCABULARY.__contains__, sound.phonemes))
        for start in range(0, len(phonemes), longest):
            yield Sound(sound.written if start == 0 else "", phonemes[start : start + longest])


def _tokens(sounds: Sequence[Sound]) -> int:
    return sum(len(sound.phonemes) for sound in sounds)


def _place(clause: Sequence[Sound]) -> int:
    """Where to cut a clause that is full: after its last mark, else its last space, else at its end."""
    for marks in (_ENDINGS.keys(), {" "}):
        for index in range(len(clause) - 1, len(clause) // 3, -1):
            if clause[index].phonemes in marks:
                return index + 1
    return len(clause)


def _sayable(clause: list[Sound]) -> Iterator[list[Sound]]:
    while clause and clause[0].phonemes in (" ", *_ENDINGS):
        clause = clause[1:]
    while clause and clause[-1].phonemes == " ":
        clause = clause[:-1]
    if any(set(sound.phonemes) - PAUSES for sound in clause):
        yield clause


def _heard(audio: npt.NDArray[np.float32], ending: str) -> tuple[int, int]:
    """The frames worth keeping: from just before the first sound to a pause after the last."""
    peaks = np.abs(audio).reshape(-1, FRAME).max(axis=1)
    loud = np.flatnonzero(peaks > _QUIET)
    if len(loud) == 0:
        return 0, len(peaks)
    return max(0, int(loud[0]) - 1), min(len(peaks), int(loud[-1]) + 1 + _ENDINGS.get(ending, 2))


def _merged(symbols: str, edges: list[int]) -> list[tuple[str, int, int]]:
    """(phoneme, first frame, end frame): tone, length and stress marks are part of their sound, pauses are ""."""
    merged: list[tuple[str, int, int]] = [("", 0, edges[1])]
    waiting = False
    for symbol, (start, end) in zip(symbols, pairwise(edges[1:-1]), strict=True):
        name, begun, _ = merged[-1]
        if symbol in BEFORE:
            merged.append(("", start, end))
            waiting = True
        elif symbol in PAUSES:
            merged[-1:] = [("", begun, end)] if name == "" else [merged[-1], ("", start, end)]
        elif waiting:
            merged[-1] = (symbol, begun, end)
            waiting = False
        elif symbol in AFTER and name:
            merged[-1] = (name + symbol, begun, end)
        else:
            merged.append((symbol, start, end))
    name, begun, _ = merged[-1]
    merged[-1:] = [("", begun, edges[-1])] if name == "" else [merged[-1], ("", edges[-2], edges[-1])]
    return merged


def _within(spans: list[tuple[str, int, int]], first: int, last: int) -> Iterator[tuple[str, float, float]]:
    """Spans in seconds from frame `first`; what lies outside the kept frames is cut off."""
    for name, start, end in spans:
        start, end = max(start, first), min(end, last)
        if start < end:
            yield name, (start - first) * FRAME / RATE, (end - first) * FRAME / RATE
