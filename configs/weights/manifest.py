"""The weights Zhubo knows: a typed reading of manifest.yaml, and where each file lies on this machine."""

import functools
from importlib.metadata import PackageNotFoundError, distribution
from importlib.resources import files
from pathlib import Path, PurePosixPath
from typing import Annotated, Any

import yaml
from pydantic import AfterValidator, Base64Bytes, BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from configs.engines import ConfigError
from configs.home import Home
from configs.weights.integrity import Identity


def _inside(path: str) -> str:
    pure = PurePosixPath(path)
    if pure.is_absolute() or ".." in pure.parts or "\\" in path or not pure.parts:
        raise ValueError("must be a relative path that stays inside its folder")
    return path


Inside = Annotated[str, AfterValidator(_inside)]
WheelName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*==[A-Za-z0-9][A-Za-z0-9.+!]*$")]
TarballName = Annotated[str, StringConstraints(pattern=r"^(@[a-z0-9._-]+/)?[a-z0-9][a-z0-9._-]*@[0-9][A-Za-z0-9.+-]*$")]
Repository = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*$")]


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Wheel(_Entry):
    """One member of a wheel, `name==version`, of the Python package index this machine uses."""

    wheel: WheelName
    member: Inside

    @property
    def title(self) -> str:
        return self.wheel


class Tarball(_Entry):
    """One member of an npm package's tarball, `name@version`."""

    npm: TarballName
    member: Inside

    @property
    def title(self) -> str:
        return self.npm


Member = Wheel | Tarball


class Parts(_Entry):
    """Archive members that make up the file when joined in order."""

    parts: Annotated[tuple[Member, ...], Field(min_length=1)]

    @property
    def title(self) -> str:
        return ", ".join(dict.fromkeys(part.title for part in self.parts))


class Installed(_Entry):
    """A file of an installed Python distribution."""

    installed: str
    member: Inside

    @property
    def title(self) -> str:
        return f"the installed {self.installed}"


class Hub(_Entry):
    """A file of a model hub's repository at a revision."""

    hub: Repository
    revision: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][\w.-]*$")]
    file: Inside

    @property
    def title(self) -> str:
        return f"{self.hub} at {self.revision}"


class Local(_Entry):
    """A file on this machine; `~` is the user's home."""

    local: str

    @property
    def title(self) -> str:
        return self.local


Source = Parts | Installed | Hub | Local


class WeightFile(_Entry):
    """One file: what it is to the byte, and its sources, first to last choice."""

    path: Inside
    size: Annotated[int, Field(gt=0)]
    sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
    sources: Annotated[tuple[Source, ...], Field(min_length=1)]
    append: Base64Bytes = b""

    @property
    def identity(self) -> Identity:
        return Identity(self.size, self.sha256)

    def named(self, template: str) -> str:
        """A member's or hub file's name, with the file's own path put in."""
        return template.replace("{path}", self.path)


class Model(_Entry):
    """The files of one model."""

    name: Inside
    purpose: str
    licence: str
    group: str
    files: Annotated[tuple[WeightFile, ...], Field(min_length=1)]

    @property
    def size(self) -> int:
        return sum(file.size for file in self.files)

    def folder(self, home: Home) -> Path:
        return home.cache / "models" / self.name

    def place(self, home: Home, file: WeightFile) -> Path:
        """Where the file lies: in the cache, or else in the installed distribution that brings it."""
        cached = self.folder(home) / file.path
        if not cached.exists():
            for source in file.sources:
                if isinstance(source, Installed) and (path := _installed(source, file)):
                    return path
        return cached

    def stamp(self, home: Home, file: WeightFile) -> Path:
        """Where it is noted that the file was found sound."""
        path = self.folder(home) / file.path
        return path.with_name(f".{path.name}.verified")

    def flaw(self, home: Home, file: WeightFile, *, afresh: bool = False) -> str | None:
        """What is wrong with the file on this machine; None where it is present and sound."""
        path = self.place(home, file)
        if not path.is_file():
            return "missing"
        flaw = file.identity.flaw(path, self.stamp(home, file), afresh=afresh)
        return f"damaged: {flaw}" if flaw else None


class Manifest(_Entry):
    """Every model, by name."""

    models: tuple[Model, ...]

    def model(self, name: str) -> Model:
        for model in self.models:
            if model.name == name:
                return model
        raise ConfigError(f"no model {name!r}; known: {', '.join(model.name for model in self.models)}")

    def group(self, name: str) -> tuple[Model, ...]:
        chosen = tuple(model for model in self.models if model.group == name)
        if not chosen:
            groups = dict.fromkeys(model.group for model in self.models)
            raise ConfigError(f"no group of models {name!r}; known: {', '.join(groups)}")
        return chosen


def parse(text: str) -> Manifest:
    """A manifest from YAML; ConfigError says which entry is wrong."""
    try:
        content: Any = yaml.safe_load(text)
        return Manifest.model_validate(content)
    except yaml.YAMLError as error:
        raise ConfigError(f"the model manifest is not YAML: {error}") from error
    except ValidationError as error:
        problems = (f"{'.'.join(map(str, problem['loc']))}: {problem['msg']}" for problem in error.errors())
        raise ConfigError(f"model manifest: {'; '.join(problems)}") from error


@functools.cache
def packaged() -> Manifest:
    """The manifest this version of Zhubo was built with."""
    return parse(files("configs.weights").joinpath("manifest.yaml").read_text(encoding="utf-8"))


def require(home: Home, model: str, file: str) -> Path:
    """The verified path of a model's file; ConfigError says what to run where it is missing or damaged."""
    entry = packaged().model(model)
    for candidate in entry.files:
        if candidate.path == file:
            if flaw := entry.flaw(home, candidate):
                path = entry.place(home, candidate)
                raise ConfigError(f"{path} is {flaw}; run `zhubo models pull {model}`")
            return entry.place(home, candidate)
    raise ConfigError(f"model {model!r} has no file {file!r}; it has: {', '.join(one.path for one in entry.files)}")


def _installed(source: Installed, file: WeightFile) -> Path | None:
    try:
        path = Path(str(distribution(source.installed).locate_file(file.named(source.member))))
    except PackageNotFoundError:
        return None
    return path if path.is_file() else None
