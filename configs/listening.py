"""How the user is heard."""

from pydantic import Field

from configs.language import Lang
from configs.section import Section


class Seconds(Section):
    """By the language that is spoken."""

    zh: float = Field(gt=0)
    en: float = Field(gt=0)

    def __getitem__(self, lang: Lang) -> float:
        return self.zh if lang == "zh" else self.en


class ListeningSettings(Section):
    """`threshold`: the probability from which sound is speech.

    A turn ends after a silence of `complete` where what was said can stand by itself, `unfinished` where it cannot end
    there, or is not known yet, else `silence`. `speech`: the least of it that makes the presenter pause.
    `brief`: seconds of speech that are too few for more than a sign of listening, or one of the words listed as stops.
    `deciding`: seconds that it waits for words (half as long again where the user has fallen silent), then `loud`
    seconds of speech are an interruption. `background`: dB
    below the user's usual from which it is somebody else. `prefix`: seconds of sound before the speech that belong to
    it; `pause`: of silence after which what was said is looked at; `gap`: without any sound from a client, which then
    counts as silence. `longest`: seconds of an utterance. `recognition`: seconds that a recogniser may take.
    `anticipate`: documents are searched for what was said so far. `speculate`: the answer is begun as soon as what was
    said can stand by itself, and taken back if the user goes on: sooner by 0.1 s, for answers begun in vain.
    `names`: most titles of documents that a recogniser is told to expect.
    """

    threshold: float = Field(default=0.5, gt=0, lt=1)
    silence: Seconds = Seconds(zh=0.6, en=0.6)
    complete: Seconds = Seconds(zh=0.25, en=0.25)
    unfinished: Seconds = Seconds(zh=1.5, en=1.5)
    speech: Seconds = Seconds(zh=0.2, en=0.2)
    brief: Seconds = Seconds(zh=0.7, en=0.7)
    deciding: float = Field(default=2.0, gt=0)
    loud: float = Field(default=1.0, gt=0)
    background: float = Field(default=10.0, gt=0)
    prefix: float = Field(default=0.3, ge=0, le=2)
    pause: float = Field(default=0.2, gt=0)
    gap: float = Field(default=0.5, gt=0)
    longest: float = Field(default=60.0, gt=1, le=300)
    recognition: float = Field(default=15.0, gt=0)
    anticipate: bool = True
    speculate: bool = False
    names: int = Field(default=48, ge=0, le=500)
