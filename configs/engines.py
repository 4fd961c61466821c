"""Engines by name: found through standard entry points, built from validated options."""

from importlib.metadata import EntryPoint, entry_points
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from configs.home import Home

Kind = Literal[
    "models",
    "voices",
    "embedders",
    "stores",
    "rerankers",
    "ocr",
    "moderators",
    "recognizers",
    "detectors",
    "turn_detectors",
]


class ConfigError(ValueError):
    """A setting is wrong; the message says which one and what to do."""


class Options(BaseModel):
    """Base of every engine's options: an unknown key is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class EngineSpec(BaseModel):
    """`{engine: name, options: {…}}` as it stands in a settings file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    engine: str
    options: dict[str, Any] = Field(default_factory=dict)


def installed(kind: Kind) -> dict[str, EntryPoint]:
    """Every engine of a kind that this environment offers, ours and strangers' alike."""
    return {point.name: point for point in sorted(entry_points(group=f"zhubo.{kind}"))}


def engine_class(kind: Kind, spec: EngineSpec) -> Any:
    points = installed(kind)
    if spec.engine not in points:
        offered = ", ".join(points) or "none"
        raise ConfigError(f"no engine {spec.engine!r} among the {kind}; installed: {offered}")
    try:
        return points[spec.engine].load()
    except Exception as error:  # noqa: BLE001 - a stranger's module may raise anything
        raise ConfigError(f"{kind} engine {spec.engine!r} cannot be loaded: {reason(error)}") from error


def options_of(kind: Kind, spec: EngineSpec) -> Options:
    """The options validated by the engine's own model, without building the engine."""
    cls = engine_class(kind, spec)
    try:
        options: Options = cls.Options.model_validate(spec.options)
    except ValidationError as error:
        where, what = problems(error)[0]
        raise ConfigError(f"{kind} engine {spec.engine!r}, option {where!r}: {what}") from error
    return options


def build(kind: Kind, spec: EngineSpec, home: Home) -> Any:
    """The engine itself: `Engine(options, home)`. Heavy imports and model loading happen here.

    Raises ConfigError whatever kept the engine from being built.
    """
    options = options_of(kind, spec)
    try:
        return engine_class(kind, spec)(options, home)
    except ConfigError:
        raise
    except ImportError as error:
        raise ConfigError(
            f"{kind} engine {spec.engine!r} needs a package that is not installed ({error.name}); "
            f"see the extras in the README"
        ) from error
    except Exception as error:  # noqa: BLE001 - a stranger's engine may raise anything
        raise ConfigError(f"{kind} engine {spec.engine!r} cannot be built: {reason(error)}") from error


def problems(error: ValidationError) -> list[tuple[str, str]]:
    """Where and what, without the values that were given: one of them may be a secret."""
    return [(".".join(map(str, problem["loc"])), problem["msg"]) for problem in error.errors()]


def reason(error: Exception) -> str:
    """An error's type and message in one line, for the operator."""
    if isinstance(error, ValidationError):
        told = "; ".join(": ".join(filter(None, problem)) for problem in problems(error))
    else:
        told = " ".join(str(error).split())
    return f"{type(error).__name__}: {told}" if told else type(error).__name__
