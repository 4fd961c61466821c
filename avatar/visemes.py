"""Mouth shapes from what is known of a sound: its phonemes, else its words, else only how loud it is.

Shares and weights follow the phonetics of both languages; the shapes are the Oculus set of 15.
"""

from collections.abc import Iterable, Iterator

from avatar.durations import lengths
from avatar.motion import Shape, Viseme
from avatar.phonemes import AFTER, BEFORE, PAUSES
from avatar.reading import read
from avatar.speech import Audio, PhonemeSpan, WordSpan
from configs.language import Lang

SHORTEST = 0.025
"""Seconds; nothing shorter than the voice's own 25 ms grid is shown."""
HELD = 0.06
"""Seconds; a pause shorter than this is no closed mouth but the join of two words."""
_EPSILON = 1e-6

Part = tuple[Shape, float, float]
"""Shape, its share of the phoneme's time, its weight."""

_SINGLE: tuple[tuple[str, Shape, float], ...] = (
    ("pbmɸβ", "PP", 1.0),
    ("fvʋ", "FF", 1.0),
    ("θðT", "TH", 1.0),
    ("tdɾʔʈɖɽ", "DD", 1.0),
    ("nlɳɲʎ", "nn", 1.0),
    ("kɡgŋcɟqɴ", "kk", 1.0),
    ("hxχɣç", "kk", 0.5),
    ("ʧʤʃʒꭧʂʥʣ", "CH", 1.0),
    ("ʨɕʝ", "CH", 0.7),
    ("szʦS", "SS", 1.0),
    ("rɹɻʁɨ", "RR", 1.0),
    ("ɚɜ", "RR", 0.8),
    ("aɑɐ", "aa", 1.0),
    ("ʌ", "aa", 0.6),
    ("əᵊ", "aa", 0.4),
    ("æ", "aa", 0.8),
    ("eɛøœ", "E", 1.0),
    ("ɤ", "E", 0.7),
    ("ijɪᵻ", "ih", 0.9),
    ("oɔɒ", "oh", 1.0),
    ("uwʊɯɰ", "ou", 1.0),
    ("yɥY", "ou", 0.8),
)
_PHONEMES: dict[str, tuple[Part, ...]] = {
    **{symbol: ((shape, 1.0, weight),) for symbols, shape, weight in _SINGLE for symbol in symbols},
    "A": (("E", 0.6, 1.0), ("ih", 0.4, 1.0)),
    "I": (("aa", 0.6, 1.0), ("ih", 0.4, 1.0)),
    "O": (("oh", 0.6, 1.0), ("ou", 0.4, 1.0)),
    "Q": (("oh", 0.6, 1.0), ("ou", 0.4, 1.0)),
    "W": (("aa", 0.6, 1.0), ("ou", 0.4, 1.0)),
    "Y": (("oh", 0.55, 1.0), ("ih", 0.45, 1.0)),
}
PAUSE = 0.12
"""Seconds between two words from which the first one ends a clause."""


def shapes(phoneme: str) -> tuple[Part, ...]:
    """Shapes of one phoneme, in order; none for a pause, a stress or tone mark, or an unknown symbol."""
    bare = [symbol for symbol in phoneme if symbol not in AFTER and symbol not in BEFORE and symbol not in PAUSES]
    known = [parts for symbol in bare if (parts := _PHONEMES.get(symbol))]
    return tuple((shape, share / len(known), weight) for parts in known for shape, share, weight in parts)


def from_phonemes(spans: Iterable[PhonemeSpan], *, closed: bool = True) -> tuple[Viseme, ...]:
    """Mouth shapes on the spans' own clock: ascending, neighbours differ, `closed` at the end."""
    found: list[Viseme] = []
    end = 0.0
    for span in spans:
        if not found and shapes(span.phoneme) == ():
            found.append(Viseme(span.start, "sil"))
        elif found and span.start - end > HELD:
            _show(found, Viseme(end, "sil"))
        for viseme in _within(span):
            _show(found, viseme)
        end = max(end, span.end)
    if closed and found and found[-1].shape != "sil":
        _show(found, Viseme(end, "sil"))
    return tuple(found)


def from_words(words: Iterable[WordSpan], lang: Lang, *, after: str = "", ending: bool = True) -> tuple[Viseme, ...]:
    """For a voice that only knows its words: each word's time is shared out among its sounds by their usual lengths.

    `after`: the word that follows. `ending`: whether a pause does, in which the mouth closes. Measured against
    Kokoro's own durations this errs by 20 to 22 ms inside a word (docs/voices.md).
    """
    listed = tuple(words)
    texts = ["", *(word.text for word in listed), after]
    ends = [word.start - before.end > PAUSE for before, word in zip(listed, listed[1:], strict=False)]
    spans: list[PhonemeSpan] = []
    for index, (word, final) in enumerate(zip(listed, [*ends, ending], strict=False)):
        spans += _spread(word, read(word.text, lang, texts[index], texts[index + 2]), lang, final)
    return from_phonemes(spans, closed=ending)


def from_loudness(audio: Audio, at: float) -> tuple[Viseme, ...]:
    """The last resort, for a voice that knows no timings: the louder each 40 ms, the wider the mouth."""
    import numpy as np

    step = int(audio.rate * 0.04)
    samples = np.frombuffer(audio.pcm, "<i2").astype(np.float32) / 32768
    found: list[Viseme] = []
    for start in range(0, len(samples), step):
        loudness = float(np.sqrt(np.mean(np.square(samples[start : start + step]))))
        shape: Shape = "sil" if loudness < 0.01 else "E" if loudness < 0.06 else "aa"
        weight = 1.0 if shape == "sil" else round(min(1.0, 0.3 + 5 * loudness), 1)
        _show(found, Viseme(at + start / audio.rate, shape, weight))
    return tuple(found)


def _within(span: PhonemeSpan) -> Iterator[Viseme]:
    parts = shapes(span.phoneme)
    length = span.end - span.start
    if not parts:
        if length >= HELD and not set(span.phoneme) - PAUSES:
            yield Viseme(span.start, "sil")
        return
    if min(share for _, share, _ in parts) * length < SHORTEST - _EPSILON:
        shape, _, weight = max(parts, key=lambda part: part[1])
        yield Viseme(span.start, shape, weight)
        return
    at = span.start
    for shape, share, weight in parts:
        yield Viseme(at, shape, weight)
        at += share * length


def _show(found: list[Viseme], viseme: Viseme) -> None:
    """Append; what lasted too short gives way, but for closed lips, and equal neighbours are one."""
    if found and viseme.at - found[-1].at < SHORTEST - _EPSILON:
        short = found[-1]
        if short.shape in ("PP", "FF"):
            viseme = Viseme(short.at + SHORTEST, viseme.shape, viseme.weight)
        else:
            viseme = Viseme(found.pop().at, viseme.shape, viseme.weight)
    if not found or (found[-1].shape, found[-1].weight) != (viseme.shape, viseme.weight):
        found.append(viseme)


def _spread(word: WordSpan, sounds: tuple[str, ...], lang: Lang, final: bool) -> Iterator[PhonemeSpan]:
    sounds = sounds or ("",)
    spoken_in: Lang = "en" if word.text.isascii() and word.text.isalpha() else lang
    weights = lengths(sounds, spoken_in, final=final)
    scale = (word.end - word.start) / sum(weights)
    at = word.start
    for sound, weight in zip(sounds, weights, strict=True):
        yield PhonemeSpan(sound, at, at + weight * scale)
        at += weight * scale
