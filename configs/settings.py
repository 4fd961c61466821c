"""Typed settings: defaults, then a profile, then the operator's file, then `ZHUBO__…` of the environment."""

import os
import re
from collections.abc import Mapping
from importlib.resources import files
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import (
    AfterValidator,
    Field,
    SecretStr,
    StringConstraints,
    ValidationError,
    model_validator,
)

from configs.conduct import ConductSettings
from configs.engines import ConfigError, EngineSpec, Kind
from configs.labels import LabelSettings
from configs.listening import ListeningSettings
from configs.memory import MemorySettings
from configs.prompt import PromptSettings
from configs.safety import SafetySettings
from configs.section import Section
from configs.speaking import SpeakingSettings
from configs.tools import ToolSettings
from configs.wyoming import WyomingSettings
from configs.xiaozhi import XiaozhiSettings

PREFIX = "ZHUBO__"
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
"""A token of RFC 7230, section 3.2.6: what a WebSocket subprotocol may be made of."""
BASE_NAME = r"^[a-z0-9][a-z0-9-]{0,39}$"
"""What a knowledge base may be called: in an address, a file's name and a settings file alike."""
ENGINES: dict[str, Kind] = {
    "model": "models",
    "voice": "voices",
    "embedder": "embedders",
    "embedder_before": "embedders",
    "store": "stores",
    "reranker": "rerankers",
    "ocr": "ocr",
    "recognizer": "recognizers",
    "detector": "detectors",
    "turn_detector": "turn_detectors",
}
Tree = dict[str, Any]


def _token(key: SecretStr) -> SecretStr:
    """A page cannot set headers on a WebSocket: it sends the key as a subprotocol."""
    if not _TOKEN.fullmatch(key.get_secret_value()):
        raise ValueError("a key is made of one or more ASCII letters, digits and !#$%&'*+-.^_`|~")
    return key


Key = Annotated[SecretStr, AfterValidator(_token)]
BaseName = Annotated[str, StringConstraints(pattern=BASE_NAME)]


class KeySettings(Section):
    """A key whose holders see one knowledge base and no other: its documents, and what is answered from them.

    `write`: they may change what is in it, too. `minors`: their users are children, whatever a client says.
    """

    key: Key
    base: BaseName
    write: bool = False
    minors: bool = False


class ServerSettings(Section):
    """Where clients connect. Without a key only a loopback address is served."""

    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=0, le=65535)
    key: Key | None = None
    """The operator's key: every knowledge base, and making and deleting them. Where `keys` are set and this is not,
    that is left to the command line."""
    keys: tuple[KeySettings, ...] = ()
    origins: tuple[str, ...] = ()
    """Origins of other sites' pages that may connect, e.g. `https://www.example.org`."""
    sessions: int = Field(default=200, ge=1)
    """Connections served at once; one more is told that the presenter is busy."""
    message_bytes: int = Field(default=1_000_000, ge=1024)
    upload_bytes: int = Field(default=20_000_000, ge=1024)
    """The largest document."""
    publish_bytes: int = Field(default=200_000_000, ge=1024)
    """The largest set of documents published at once, and the largest archive imported."""
    hello_seconds: float = Field(default=10, gt=0)
    idle_seconds: float = Field(default=1800, ge=0)
    """In which nobody says or wants anything, nor hears anything, after which a client of zhubo.v1 or Realtime is let
    go; 0: never, as for a kiosk."""

    @model_validator(mode="after")
    def _tells_holders_apart(self) -> Self:
        secrets = [key.key.get_secret_value() for key in self.keys]
        secrets += [self.key.get_secret_value()] if self.key else []
        if len(set(secrets)) < len(secrets):
            raise ValueError("two of the keys are the same; each holder needs one of their own")
        return self


class WatchSettings(Section):
    """A folder whose documents are those of a knowledge base, as they change."""

    folder: Annotated[Path, AfterValidator(lambda folder: folder.expanduser().absolute())]
    base: BaseName = "main"


class WebSettings(Section):
    """What is fetched from the web. Addresses that are not public are refused unless `allow` names their network.

    `pages`: the most that a sitemap may list. `seconds`: for one page, redirects and all. `pause`: the longest wait
    between two pages of a site that asks for one.
    """

    allow: tuple[IPv4Network | IPv6Network, ...] = ()
    """Networks that may be fetched from although they are not public, e.g. `10.1.0.0/16`."""
    ports: frozenset[Annotated[int, Field(ge=1, le=65535)]] = frozenset({80, 443})
    pages: int = Field(default=500, ge=1)
    seconds: float = Field(default=60, gt=0)
    pause: float = Field(default=10, ge=0)


class ParsingSettings(Section):
    """What reading one file may cost, in a process of its own that is ended at the limit: seconds of computing, bytes
    of memory, and seconds in all."""

    cpu: float = Field(default=60, gt=0)
    memory: int = Field(default=2_000_000_000, ge=500_000_000)
    wall: float = Field(default=120, gt=0)


class KnowledgeSettings(Section):
    sample: bool = False
    """Ingest the sample documents into an empty knowledge base at the first start."""
    watch: tuple[WatchSettings, ...] = ()
    web: WebSettings = WebSettings()
    parsing: ParsingSettings = ParsingSettings()
    rewrite: Literal["rules", "model", "off"] = "rules"
    """How a question that leans on the one before ("and on Sundays?") is completed before it is looked for."""
    labels: Literal["keywords", "model"] = "keywords"
    """Who gives documents their tags and summary."""

    passages: int = Field(default=6, ge=1, le=20)
    editions: int = Field(default=20, ge=1)
    """Editions of a base that can be returned to."""
    sentences: bool = True
    """Sentences have vectors of their own: finds and judges better, and costs as much again to make."""
    calibrate: bool = True
    """Fit the support from which a base answers on the base itself, in the background, when its documents change."""
    bulk: bool = False
    """A second embedder, as large as the first, for what is indexed: no question then waits for a passage."""
    verify: Literal["off", "model"] = "off"
    """Whether the model is asked, before it answers, if the passages answer at all: refuses better, one call later."""
    grounded: bool = True
    """Answer from the documents alone: refuse what they do not say and check every clause. Without it the model
    may also speak from its own knowledge, unchecked."""

    @model_validator(mode="after")
    def _tells_folders_apart(self) -> Self:
        marks = [(watch.base, watch.folder.name) for watch in self.watch]
        if len(set(marks)) < len(marks):
            raise ValueError("watch: two folders of one base have the same name, which goes before their documents'")
        return self


class Limits(Section):
    """Seconds an engine may be silent before the presenter falls back, and the longest question."""

    first_token: float = Field(default=10, gt=0)
    next_token: float = Field(default=5, gt=0)
    first_audio: float = Field(default=10, gt=0)
    next_audio: float = Field(default=5, gt=0)
    retrieval: float = Field(default=5, gt=0)
    question_characters: int = Field(default=2000, ge=1)
    history_exchanges: int = Field(default=3, ge=0)
    speech_bytes: int = Field(default=64_000_000, ge=0)
    """The speech of curated answers that is remembered."""


class Settings(Section):
    profile: str
    persona: str = "guide"
    """Name of a persona that ships, or the path of a persona file."""
    model: EngineSpec
    voice: EngineSpec
    embedder: EngineSpec
    embedder_before: EngineSpec | None = None
    """The one before `embedder`: answers with the vectors it made until those of `embedder` are complete."""
    store: EngineSpec
    reranker: EngineSpec | None = None
    """Orders the best passages anew; none by default."""
    ocr: EngineSpec | None = None
    """Reads images and scanned pages; without one they are refused."""
    recognizer: EngineSpec | None = None
    """Makes words of speech; without one the presenter cannot be spoken to."""
    detector: EngineSpec | None = None
    """Tells speech from other sound. A recogniser needs one."""
    turn_detector: EngineSpec | None = None
    """Tells from the sound whether a speaker who paused has finished; none by default."""
    server: ServerSettings = ServerSettings()
    listening: ListeningSettings = ListeningSettings()
    speaking: SpeakingSettings = SpeakingSettings()
    xiaozhi: XiaozhiSettings = XiaozhiSettings()
    wyoming: WyomingSettings = WyomingSettings()
    knowledge: KnowledgeSettings = KnowledgeSettings()
    prompt: PromptSettings = PromptSettings()
    labels: LabelSettings = LabelSettings()
    memory: MemorySettings = MemorySettings()
    conduct: ConductSettings = ConductSettings()
    safety: SafetySettings = SafetySettings()
    tools: ToolSettings = ToolSettings()
    limits: Limits = Limits()

    def engines(self) -> dict[str, tuple[Kind, EngineSpec]]:
        """Those that are set, by the name of their setting."""
        found = {name: (kind, getattr(self, name)) for name, kind in ENGINES.items()}
        return {name: (kind, spec) for name, (kind, spec) in found.items() if spec is not None}


def profiles() -> list[str]:
    folder = files("configs") / "profiles"
    return sorted(entry.name.removesuffix(".yaml") for entry in folder.iterdir() if entry.name.endswith(".yaml"))


def load(profile: str = "offline", file: Path | None = None, environ: Mapping[str, str] = os.environ) -> Settings:
    """The effective settings. Raises ConfigError that names the wrong key and where it was set."""
    if profile not in profiles():
        raise ConfigError(f"no profile {profile!r}; there are: {', '.join(profiles())}")
    packaged = (files("configs") / "profiles" / f"{profile}.yaml").read_text("utf-8")
    tree = _parse(packaged, f"profile {profile}")
    origins = [f"profile {profile}"]
    if file is not None:
        tree = merge(tree, _read(file))
        origins.append(str(file))
    tree = merge(tree, environment(environ))
    try:
        return Settings.model_validate({"profile": profile, **tree})
    except ValidationError as error:
        raise ConfigError(explain(error, origins)) from error


def overlaid(settings: Settings, sections: Mapping[str, Tree], origin: str) -> Settings:
    """Settings with some sections' values replaced. Raises ConfigError that names the wrong key."""
    changed = {name: {**dict(iter(getattr(settings, name))), **values} for name, values in sections.items()}
    try:
        return Settings.model_validate({**dict(settings), **changed})
    except ValidationError as error:
        raise ConfigError(explain(error, [origin])) from error


def environment(environ: Mapping[str, str]) -> Tree:
    """`ZHUBO__MODEL__OPTIONS__BASE_URL=x` as `{model: {options: {base_url: x}}}`; `[…]` and `{…}` are YAML."""
    tree: Tree = {}
    for variable in sorted(environ):
        if not variable.startswith(PREFIX):
            continue
        *path, last = variable.removeprefix(PREFIX).lower().split("__")
        node = tree
        for key in path:
            node = node.setdefault(key, {})
            if not isinstance(node, dict):
                raise ConfigError(f"environment variable {variable} sets a part of a value that is set whole")
        text = environ[variable]
        node[last] = _yaml(text, f"environment variable {variable}") if text[:1] in ("[", "{") else text
    return tree


def merge(base: Tree, over: Tree) -> Tree:
    """`over` laid on `base`; naming another engine drops the options meant for the first one."""
    if "engine" in over and over["engine"] != base.get("engine"):
        return over
    merged = dict(base)
    for key, value in over.items():
        below = merged.get(key)
        merged[key] = merge(below, value) if isinstance(below, dict) and isinstance(value, dict) else value
    return merged


def explain(error: ValidationError, origins: list[str]) -> str:
    """One line a wrong key: where, what, and what was given there (never the value of a secret)."""
    lines = []
    for problem in error.errors():
        where = ".".join(str(part) for part in problem["loc"])
        what = "no such setting" if problem["type"] == "extra_forbidden" else problem["msg"]
        lines.append(f"{where}: {what}")
    return f"settings ({', '.join(origins)}, {PREFIX}* environment): " + "; ".join(lines)


def _read(file: Path) -> Tree:
    try:
        text = file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"cannot read settings file {file}: {error}") from error
    return _parse(text, str(file))


def _parse(text: str, origin: str) -> Tree:
    tree = _yaml(text, origin)
    if tree is None:
        return {}
    if not isinstance(tree, dict):
        raise ConfigError(f"{origin} must be a mapping of settings, not a {type(tree).__name__}")
    return tree


def _yaml(text: str, origin: str) -> Any:
    """Raises ConfigError that says where the text is wrong without quoting it: it may hold a secret."""
    try:
        return yaml.safe_load(text)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        place = f", line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise ConfigError(f"{origin} is not YAML{place}: {error.problem}") from error
    except (yaml.YAMLError, ValueError) as error:
        raise ConfigError(f"{origin} is not YAML: {error}") from error
