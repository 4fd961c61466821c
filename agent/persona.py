"""Who the presenter is: one YAML file, every line in both languages."""

from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from configs.engines import ConfigError
from configs.language import Lang
from configs.settings import BaseName

Intent = Literal["hello", "wellbeing", "thanks", "farewell", "who", "able", "human", "compliment"]
Line = Annotated[str, Field(min_length=1)]
TOPICS = 3
"""Topics offered with a refusal: more cannot be kept in mind while listening."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Both(_Part):
    """One line in both languages."""

    zh: Line
    en: Line

    def __getitem__(self, lang: Lang) -> str:
        return self.zh if lang == "zh" else self.en


class Lists(_Part):
    """Some lines in both languages."""

    zh: Annotated[tuple[Line, ...], Field(min_length=1)]
    en: Annotated[tuple[Line, ...], Field(min_length=1)]

    def __getitem__(self, lang: Lang) -> tuple[str, ...]:
        return self.zh if lang == "zh" else self.en


def _with_topics(lines: Both) -> Both:
    if lines.zh.count("{topics}") != 1 or lines.en.count("{topics}") != 1:
        raise ValueError("needs {topics} once in each language")
    return lines


class Persona(_Part):
    """`base`: the knowledge base that the persona answers from, where a client's key names no other.
    `language`: what to speak where nothing tells. `greeting` opens a session; `suggestions` are questions to
    offer; `topics`: what to offer with a refusal.
    `refused` has `{topics}` in it. `fallback`, `voiceless`, `unavailable`: when the model, the voice or the
    knowledge base fails.
    """

    base: BaseName = "main"
    language: Lang
    name: Both
    role: Both
    greeting: Both
    suggestions: Lists
    topics: Lists
    smalltalk: dict[Intent, Both]
    refused: Annotated[Both, AfterValidator(_with_topics)]
    unclear: Both
    other_language: Both
    too_long: Both
    fallback: Both
    voiceless: Both
    unavailable: Both

    def refusal(self, lang: Lang) -> str:
        """The documents do not say; here is what they do say something about."""
        return self.refused[lang].replace("{topics}", _enumerated(self.topics[lang][:TOPICS], lang))


def load(name: str) -> Persona:
    """A packaged persona by its name, or any YAML file by its path; ConfigError says which line is wrong."""
    own = name.endswith((".yaml", ".yml"))
    source = Path(name).expanduser() if own else files("configs").joinpath("personas", f"{name}.yaml")
    try:
        content: Any = yaml.safe_load(source.read_text(encoding="utf-8"))
        return Persona.model_validate(content)
    except OSError as error:
        raise ConfigError(f"no persona {name!r}: {source} cannot be read") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(f"persona {name!r} is not YAML in UTF-8: {error}") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise ConfigError(f"persona {name!r}, {where or 'the whole'}: {first['msg']}") from error


def _enumerated(topics: Sequence[str], lang: Lang) -> str:
    *others, last = topics
    if not others:
        return last
    return f"{'、'.join(others)}和{last}" if lang == "zh" else f"{', '.join(others)} and {last}"
