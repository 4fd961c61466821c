"""What a persona says as it stands: every line in both languages."""

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from configs.language import Lang

Intent = Literal["hello", "wellbeing", "thanks", "farewell", "who", "able", "human", "compliment"]


def _complete(line: str) -> str:
    if "{" in line or "}" in line:
        raise ValueError("only {name} and {role} can stand in braces, and {topics} in `refused`")
    return line


def _with_topics(line: str) -> str:
    if line.count("{topics}") != 1:
        raise ValueError("needs {topics} once: it is where the topics are offered")
    _complete(line.replace("{topics}", ""))
    return line


Line = Annotated[str, Field(min_length=1), AfterValidator(_complete)]


class Part(BaseModel):
    """Base of what a persona is made of."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Both(Part):
    """One line in both languages."""

    zh: Line
    en: Line

    def __getitem__(self, lang: Lang) -> str:
        return self.zh if lang == "zh" else self.en


class Offering(Part):
    """One line in both languages with `{topics}` in it."""

    zh: Annotated[str, AfterValidator(_with_topics)]
    en: Annotated[str, AfterValidator(_with_topics)]

    def __getitem__(self, lang: Lang) -> str:
        return self.zh if lang == "zh" else self.en


class Lists(Part):
    """Some lines in both languages."""

    zh: Annotated[tuple[Line, ...], Field(min_length=1)]
    en: Annotated[tuple[Line, ...], Field(min_length=1)]

    def __getitem__(self, lang: Lang) -> tuple[str, ...]:
        return self.zh if lang == "zh" else self.en


class Lines(Part):
    """Every one has a default, in `configs/personas/_lines.yaml`.

    `greeting` opens a session, `ai_notice` one that has no face to show the label on. `refused`: the documents do not
    say; `blocked`: what may not be said; `unclear`, `other_language`, `too_long`: of the question. `fallback`,
    `voiceless`, `unavailable`: when the model, the voice or the knowledge base fails; `unkept`: a consent could not be
    kept; `busy`: too many ask at once.
    `fillers`: while a tool works. `handover`: a person is being called; `alone`: one was, and none is there;
    `takeover`, `returned`: one speaks from now on, or no longer; `hold`: and is slow to answer. `over`: a child's time
    is up. `reminder`: after long use; `minors`: their mode begins; `ended`: the user gave the exit word.
    """

    greeting: Both
    ai_notice: Both
    smalltalk: dict[Intent, Both]
    refused: Offering
    blocked: Both
    unclear: Both
    other_language: Both
    too_long: Both
    fallback: Both
    voiceless: Both
    unavailable: Both
    unkept: Both
    busy: Both
    fillers: Lists
    handover: Both
    alone: Both
    takeover: Both
    hold: Both
    returned: Both
    reminder: Both
    minors: Both
    over: Both
    ended: Both

    @model_validator(mode="after")
    def _admits_what_it_is(self) -> Self:
        """The law asks for it: GB 45438-2025 for the notice, every rule on digital humans for the answer."""
        for name, line in (("ai_notice", self.ai_notice), ("smalltalk.human", self.smalltalk.get("human"))):
            if line is not None and not (_says(line.zh, _AI_ZH) and _says(line.en, _AI_EN)):
                raise ValueError(f"{name} has to say that this is 人工智能 or AI, in each language")
        if not (_says(self.ai_notice.zh, _MADE_ZH) and _says(self.ai_notice.en, _MADE_EN)):
            raise ValueError("ai_notice has to say that what is said is 生成 or 合成, generated or synthesized")
        return self


_AI_ZH, _AI_EN = ("人工智能", "AI"), ("AI", "rtificial intelligence")
_MADE_ZH, _MADE_EN = ("生成", "合成"), ("generated", "synthesi")


def _says(line: str, words: tuple[str, ...]) -> bool:
    return any(word in line for word in words)
