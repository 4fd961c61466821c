"""A text spoken by the voice without a server: its sound, its captions, and the notice that it is generated."""

from contextlib import AsyncExitStack, aclosing
from dataclasses import dataclass
from typing import Literal

from agent.pace import Stalled, paced
from agent.persona import load as load_persona
from avatar import notice
from avatar.captions import Line, shifted
from avatar.loudness import Levelled
from avatar.sentences import SentenceSplitter
from avatar.speech import Audio, PhonemeSpan, Utterance, Voice, VoiceError, WordSpan
from configs.home import Home
from configs.language import Lang, detect
from configs.settings import Limits, Settings
from server.building import aclose, built

Notice = Literal["speech", "tone"]


@dataclass(frozen=True, slots=True)
class Speech:
    audio: Audio
    lines: tuple[Line, ...]


async def speak(text: str, lang: Lang | None, settings: Settings, home: Home, told: Notice) -> Speech:
    """`text` behind its notice. Raises ConfigError for a voice that cannot be built, VoiceError for one that fails."""
    persona = load_persona(settings.persona)
    lang = lang or detect(text) or persona.language
    splitter = SentenceSplitter()
    async with AsyncExitStack() as parts:
        voice = Levelled(await built(parts, "voices", settings.voice, home, aclose), settings.speaking.loudness)
        told_aloud = [notice.SENTENCE[lang]] if told == "speech" else []
        reading = _Reading(voice, lang, persona.voice[lang], settings.limits)
        if told == "tone":
            reading.mark(notice.CAPTION[lang], notice.rhythm(voice.rate))
        for piece in [*told_aloud, *splitter.feed(text), *splitter.flush()]:
            await reading.say(piece.strip())
    return reading.speech


class _Reading:
    """Piece behind piece, on one clock."""

    def __init__(self, voice: Voice, lang: Lang, name: str | None, limits: Limits) -> None:
        self._voice, self._lang, self._name, self._limits = voice, lang, name, limits
        self._pcm = bytearray()
        self._lines: list[Line] = []

    @property
    def speech(self) -> Speech:
        return Speech(Audio(bytes(self._pcm), self._voice.rate), tuple(self._lines))

    @property
    def _seconds(self) -> float:
        return len(self._pcm) / 2 / self._voice.rate

    def mark(self, caption: str, audio: Audio) -> None:
        start = self._seconds
        self._pcm += audio.pcm
        self._lines.append(Line(caption, start, self._seconds))

    async def say(self, text: str) -> None:
        start, words = self._seconds, []
        utterance = Utterance(text, self._lang, voice=self._name)
        stream = paced(self._voice.synthesize(utterance), self._limits.first_audio, self._limits.next_audio)
        try:
            async with aclosing(stream) as spans:
                async for part in spans:
                    match part:
                        case Audio(pcm=pcm):
                            self._pcm += pcm
                        case WordSpan():
                            words.append(part)
                        case PhonemeSpan():
                            pass
        except Stalled as error:
            raise VoiceError(f"the voice gave nothing for {error.seconds:g} s") from error
        if self._seconds > start:
            self._lines.append(Line(text, start, self._seconds, shifted(words, start)))
