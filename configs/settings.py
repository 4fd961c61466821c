"""Typed settings: defaults, then a profile, then the operator's file, then `ZHUBO__…` of the environment."""

import os
import re
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator

from configs.engines import ConfigError, EngineSpec

PREFIX = "ZHUBO__"
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
"""A token of RFC 7230, section 3.2.6: what a WebSocket subprotocol may be made of."""
Tree = dict[str, Any]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ServerSettings(_Section):
    """Where clients connect. Without a key only a loopback address is served."""

    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=0, le=65535)
    key: SecretStr | None = None
    origins: tuple[str, ...] = ()
    """Origins of other sites' pages that may connect, e.g. `https://www.example.org`."""
    sessions: int = Field(default=200, ge=1)
    """Connections served at once; one more is told that the presenter is busy."""
    message_bytes: int = Field(default=1_000_000, ge=1024)
    upload_bytes: int = Field(default=20_000_000, ge=1024)
    hello_seconds: float = Field(default=10, gt=0)

    @field_validator("key")
    @classmethod
    def _is_a_token(cls, key: SecretStr | None) -> SecretStr | None:
        """A page cannot set headers on a WebSocket: it sends the key as a subprotocol."""
        if key is not None and not _TOKEN.fullmatch(key.get_secret_value()):
            raise ValueError("a key is made of one or more ASCII letters, digits and !#$%&'*+-.^_`|~")
        return key


class KnowledgeSettings(_Section):
    sample: bool = False
    """Ingest the sample documents into an empty knowledge base at the first start."""
    passages: int = Field(default=6, ge=1, le=20)
    grounded: bool = True
    """Answer from the documents alone: refuse what they do not say and check every clause. Without it the model
    may also speak from its own knowledge, unchecked."""


class Limits(_Section):
    """Seconds an engine may be silent before the presenter falls back, and the longest question."""

    first_token: float = Field(default=10, gt=0)
    next_token: float = Field(default=5, gt=0)
    first_audio: float = Field(default=10, gt=0)
    next_audio: float = Field(default=5, gt=0)
    retrieval: float = Field(default=5, gt=0)
    question_characters: int = Field(default=2000, ge=1)
    history_exchanges: int = Field(default=3, ge=0)


class Settings(_Section):
    profile: str
    persona: str = "guide"
    """Name of a persona that ships, or the path of a persona file."""
    model: EngineSpec
    voice: EngineSpec
    embedder: EngineSpec
    store: EngineSpec
    server: ServerSettings = ServerSettings()
    knowledge: KnowledgeSettings = KnowledgeSettings()
    limits: Limits = Limits()


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
    changed = {name: {**dict(getattr(settings, name)), **values} for name, values in sections.items()}
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
