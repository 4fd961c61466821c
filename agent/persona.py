"""Who the presenter is: one YAML file, every line in both languages; lines that it lacks are the packaged ones."""

import difflib
from collections.abc import Iterable, Mapping, Sequence
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import AfterValidator, Field, StringConstraints, ValidationError, model_validator

from agent.avoidance import Topic
from agent.avoidance import avoided as avoided_topic
from agent.lines import Both, Intent, Lines, Lists, Part
from avatar.motion import EMOTIONS, GESTURES, Emotion, Gesture
from configs.engines import ConfigError
from configs.language import LANGUAGES, Lang
from configs.settings import BaseName

__all__ = ["Both", "Intent", "Lists", "Persona", "Topic", "Voices", "load"]

TOPICS = 3
"""Topics offered with a refusal: more cannot be kept in mind while listening."""

TOOLS = ("clock", "calendar", "arithmetic", "knowledge", "human")
"""The tools that are built in."""

_DEFAULTS = "_lines"


def _distinct(names: tuple[str, ...]) -> tuple[str, ...]:
    if doubled := sorted({name for name in names if names.count(name) > 1}):
        raise ValueError(f"{', '.join(doubled)} stands there twice")
    return names


ToolName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_*-]{1,64}$")]


class Voices(Part):
    """Names as the voice engine knows them; without one the engine's own choice speaks."""

    zh: Annotated[str, Field(min_length=1)] | None = None
    en: Annotated[str, Field(min_length=1)] | None = None

    def __getitem__(self, lang: Lang) -> str | None:
        return self.zh if lang == "zh" else self.en


class Persona(Lines):
    """`language`: what to speak where nothing tells. `style`: how it speaks, for the model. `suggestions` are questions
    to offer; `topics`: what to offer with a refusal; `avoid`: what it does not talk about.

    `bases`: the knowledge bases that it answers from, where a client's key names no other; `base: x` is short for
    `bases: [x]`. `tools`: the names of those it may use. `gestures`, `emotions`: those it likes.
    """

    language: Lang
    name: Both
    role: Both
    style: Both
    voice: Voices = Voices()
    suggestions: Lists
    topics: Lists
    avoid: tuple[Topic, ...] = ()
    bases: Annotated[tuple[BaseName, ...], Field(min_length=1), AfterValidator(_distinct)] = ("main",)
    tools: Annotated[tuple[ToolName, ...], AfterValidator(_distinct)] = TOOLS
    gestures: Annotated[tuple[Gesture, ...], AfterValidator(_distinct)] = GESTURES
    emotions: Annotated[tuple[Emotion, ...], AfterValidator(_distinct)] = EMOTIONS

    @model_validator(mode="before")
    @classmethod
    def _one_base(cls, tree: Any) -> Any:
        if not isinstance(tree, dict) or "base" not in tree:
            return tree
        if "bases" in tree:
            raise ValueError("either `base` or `bases`, not both")
        return {"bases": [tree["base"]]} | {key: value for key, value in tree.items() if key != "base"}

    @property
    def base(self) -> str:
        """The first of the knowledge bases: the one to begin with, and the one to name where one is named."""
        return self.bases[0]

    def refusal(self, lang: Lang) -> str:
        """The documents do not say; here is what they do say something about."""
        return self.refused[lang].replace("{topics}", _enumerated(self.topics[lang][:TOPICS], lang))

    def avoided(self, question: str, passages: Iterable[str] = ()) -> Topic | None:
        """What the question is about, where this persona does not talk about that. `passages`: the texts found for it,
        which may make a subject of it."""
        return avoided_topic(self.avoid, question, passages)


def load(name: str) -> Persona:
    """A packaged persona by its name, or any YAML file by its path; ConfigError says what is wrong in it."""
    own = name.endswith((".yaml", ".yml"))
    source = Path(name).expanduser() if own else _packaged(name)
    try:
        content, defaults = _read(source), _read(_packaged(_DEFAULTS))
    except OSError as error:
        shipped = "" if own else f"; there are {', '.join(names())}, or give the path of a YAML file"
        raise ConfigError(f"no persona {name!r}: {source} cannot be read{shipped}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(f"persona {name!r} is not YAML in UTF-8: {error}") from error
    if not isinstance(content, dict):
        raise ConfigError(f"persona {name!r} has to be a mapping of `name`, `role` and so on")
    try:
        return Persona.model_validate(_named(_completed(content, defaults)))
    except ValidationError as error:
        raise ConfigError(f"persona {name!r}, {'; '.join(_troubles(error))}") from error


def names() -> list[str]:
    """The personas that ship."""
    stems = (entry.name.removesuffix(".yaml") for entry in files("configs").joinpath("personas").iterdir())
    return sorted(stem for stem in stems if not stem.startswith(("_", ".")))


def _packaged(name: str) -> Traversable:
    return files("configs").joinpath("personas", f"{name}.yaml")


def _read(source: Traversable) -> Any:
    return yaml.safe_load(source.read_text(encoding="utf-8"))


def _completed(content: Mapping[str, Any], defaults: Mapping[str, Any]) -> dict[str, Any]:
    """The persona's own lines, and those it lacks; small talk is completed intent by intent."""
    whole = {**defaults, **content}
    if isinstance(own := content.get("smalltalk"), dict):
        whole["smalltalk"] = {**defaults["smalltalk"], **own}
    return whole


def _named(tree: dict[str, Any]) -> dict[str, Any]:
    """`{name}` and `{role}` replaced by the persona's own in every line."""
    own: dict[str, dict[str, str]] = {lang: {} for lang in LANGUAGES}
    for key in ("name", "role"):
        match tree.get(key):
            case {"zh": str(zh), "en": str(en)}:
                own["zh"][f"{{{key}}}"], own["en"][f"{{{key}}}"] = zh, en
    return {key: _replaced(value, own) for key, value in tree.items()}


def _replaced(value: Any, own: Mapping[str, Mapping[str, str]], lang: str = "") -> Any:
    match value:
        case dict():
            return {key: _replaced(inner, own, key if key in own else lang) for key, inner in value.items()}
        case list():
            return [_replaced(inner, own, lang) for inner in value]
        case str():
            for mark, text in own.get(lang, {}).items():
                value = value.replace(mark, text)
    return value


def _troubles(error: ValidationError) -> list[str]:
    """Where each trouble is and what to do about it."""
    told = []
    for trouble in error.errors():
        where, what = ".".join(str(part) for part in trouble["loc"]), trouble["msg"].removeprefix("Value error, ")
        match trouble["type"]:
            case "missing":
                what = (
                    "is missing; every line stands in both languages"
                    if where.endswith((".zh", ".en"))
                    else "is missing"
                )
            case "extra_forbidden":
                near = difflib.get_close_matches(where, Persona.model_fields, 1)
                what = "there is no such line" + (f"; do you mean `{near[0]}`?" if near else "")
        told.append(f"{where or 'the whole'}: {what}")
    return told


def _enumerated(topics: Sequence[str], lang: Lang) -> str:
    *others, last = topics
    if not others:
        return last
    return f"{'、'.join(others)}和{last}" if lang == "zh" else f"{', '.join(others)} and {last}"
