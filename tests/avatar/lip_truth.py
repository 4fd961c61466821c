"""Kokoro's speech with its own phoneme times, and the word times that another voice would tell of it."""

from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass

from avatar.engines.kokoro import Kokoro, KokoroOptions
from avatar.speech import Audio, PhonemeSpan, Utterance, WordSpan
from avatar.visemes import PAUSE
from configs.home import current
from configs.language import Lang


@dataclass(frozen=True, slots=True)
class Said:
    """`words`: English ones as written, Chinese ones as jieba cuts them, with the bounds of their sounds."""

    text: str
    lang: Lang
    voice: str
    phonemes: tuple[PhonemeSpan, ...]
    words: tuple[WordSpan, ...]
    audio: Audio

    def within(self, word: WordSpan) -> list[PhonemeSpan]:
        return [span for span in self.phonemes if span.phoneme and word.start - 1e-6 <= span.start < word.end - 1e-6]

    def finals(self) -> list[bool]:
        """For each word, whether a pause follows."""
        following = [*(word.start for word in self.words[1:]), float("inf")]
        return [start - word.end > PAUSE for word, start in zip(self.words, following, strict=True)]


async def said(texts: Iterable[str], voices: Iterable[str], lang: Lang) -> AsyncIterator[Said]:
    """Every text in every voice."""
    kokoro = Kokoro(KokoroOptions(threads=1), current())
    for voice in voices:
        for text in texts:
            parts = [part async for part in kokoro.synthesize(Utterance(text, lang, voice=voice))]
            words = [part for part in parts if isinstance(part, WordSpan)]
            pcm = b"".join(part.pcm for part in parts if isinstance(part, Audio))
            phonemes = tuple(part for part in parts if isinstance(part, PhonemeSpan))
            grouped = tuple(_grouped(text, words)) if lang == "zh" else tuple(words)
            yield Said(text, lang, voice, phonemes, grouped, Audio(pcm, kokoro.rate))
    await kokoro.aclose()


def _grouped(text: str, characters: list[WordSpan]) -> Iterable[WordSpan]:
    import jieba

    waiting = list(characters)
    for token in jieba.lcut(text):
        first = last = None
        size = 0
        while waiting and size < len(token) and waiting[0].text in token:
            last = waiting.pop(0)
            first, size = first or last, size + len(last.text)
        if first is not None and last is not None:
            yield WordSpan(token, first.start, last.end)
