"""What an installation has and lacks for a profile, each finding with what to do about it."""

import os
import platform
import re
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from typing import Literal

from agent.persona import load as load_persona
from configs.engines import ConfigError, EngineSpec, Kind, options_of
from configs.home import Home
from configs.settings import ServerSettings, Settings, WatchSettings
from configs.weights.manifest import Model, packaged
from configs.weights.progress import size

_EXTRA = re.compile(r"extra == ['\"]([^'\"]+)['\"]")
_NEEDS: dict[tuple[Kind, str], tuple[str, str | None]] = {
    ("models", "llama"): ("offline", "qwen2.5-coder-0.5b-instruct"),
    ("models", "langchain"): ("langchain", None),
    ("voices", "kokoro"): ("offline", "kokoro-82m"),
    ("voices", "edge"): ("edge", None),
    ("recognizers", "whisper"): ("offline", "whisper-base"),
    ("detectors", "silero"): ("offline", "silero-vad"),
    ("embedders", "e5"): ("offline", "multilingual-e5-small"),
    ("embedders", "sentence-transformers"): ("sentence-transformers", None),
    ("stores", "chroma"): ("chroma", None),
    ("ocr", "rapidocr"): ("ocr", None),
}


@dataclass(frozen=True, slots=True)
class Finding:
    """`wrong`: the profile cannot run. `absent`: something that this profile can do without."""

    name: str
    verdict: Literal["well", "absent", "wrong"]
    detail: str
    advice: str = ""


def examine(settings: Settings, home: Home) -> Iterator[Finding]:
    """Everything worth knowing, the machine first. Reads no weights that were verified before, loads no engine."""
    yield from _machine()
    moderators: list[tuple[Kind, EngineSpec]] = [("moderators", spec) for spec in settings.safety.moderators]
    extras, engines = _requirements(), [*settings.engines().values(), *_links(settings.voice), *moderators]
    needed = {_NEEDS.get((kind, spec.engine), ("", None))[0] for kind, spec in engines} | {""}
    for extra, names in extras.items():
        yield _packages(extra, names, extra in needed)
    for kind, spec in engines:
        yield _engine(kind, spec)
    yield _persona(settings.persona)
    wanted = {name for kind, spec in engines if (name := _packaged_model(kind, spec))}
    for model in packaged().models:
        yield _weights(home, model, model.name in wanted)
    for name in sorted(wanted - {model.name for model in packaged().models}):
        yield Finding(f"model {name}", "wrong", "no packaged model has this name", "zhubo models list")
    yield _folder("data folder", home.data)
    yield _folder("cache folder", home.cache)
    for watched in settings.knowledge.watch:
        yield _watched(watched)
    yield _port(settings.server)
    yield from _tools()


def _links(voice: EngineSpec) -> Iterator[tuple[Kind, EngineSpec]]:
    """The voices of a chain. What is wrong with its options is told of the chain."""
    if voice.engine == "chain":
        with suppress(ConfigError):
            yield from (("voices", spec) for spec in getattr(options_of("voices", voice), "voices", ()))


def _machine() -> Iterator[Finding]:
    yield Finding("zhubo", "well", version("zhubo"))
    yield Finding("python", "well", f"{platform.python_version()} on {platform.platform()}")
    cores = f"{os.cpu_count()} cores"
    if hasattr(os, "sysconf"):
        cores += f", {size(os.sysconf('SC_PHYS_PAGES') * os.sysconf('SC_PAGE_SIZE'))} memory"
    yield Finding("machine", "well", f"{platform.machine()}, {cores}")


def _requirements() -> dict[str, list[str]]:
    """Distribution names by extra; the core's under the empty name."""
    found: dict[str, list[str]] = {"": []}
    for requirement in requires("zhubo") or ():
        name, _, marker = requirement.partition(";")
        extra = _EXTRA.search(marker)
        bare = re.split(r"[^A-Za-z0-9._-]", name.strip(), maxsplit=1)[0]
        if extra or not marker or _version(bare):
            found.setdefault(extra[1] if extra else "", []).append(bare)
    return found


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _packages(extra: str, names: list[str], needed: bool) -> Finding:
    title = f"packages [{extra}]" if extra else "packages"
    lacking = [name for name in names if _version(name) is None]
    if not lacking:
        return Finding(title, "well", ", ".join(f"{name} {_version(name)}" for name in names))
    target = f".[{extra}]" if extra else "."
    advice = f"in the source folder: .venv/bin/pip install -e '{target}'"
    return Finding(title, "wrong" if needed else "absent", f"not installed: {', '.join(lacking)}", advice)


def _engine(kind: Kind, spec: EngineSpec) -> Finding:
    title = f"{kind.removesuffix('s')} engine"
    try:
        options_of(kind, spec)
    except ConfigError as error:
        return Finding(title, "wrong", str(error), "see `zhubo config check`")
    return Finding(title, "well", spec.engine)


def _persona(name: str) -> Finding:
    try:
        persona = load_persona(name)
    except ConfigError as error:
        return Finding("persona", "wrong", str(error), "see docs/agent.md")
    return Finding("persona", "well", f"{name}, {persona.name.zh} / {persona.name.en}")


def _packaged_model(kind: Kind, spec: EngineSpec) -> str | None:
    """The packaged model an engine loads; none where its options name a file of the operator's own."""
    _, model = _NEEDS.get((kind, spec.engine), ("", None))
    if spec.options.get("file"):
        return None
    return spec.options.get("model", model) if spec.engine == "llama" else model


def _weights(home: Home, model: Model, needed: bool) -> Finding:
    flaws = [f"{file.path} {flaw}" for file in model.files if (flaw := model.flaw(home, file))]
    if not flaws:
        return Finding(f"model {model.name}", "well", f"{size(model.size)}, {model.licence}")
    rest = f" and {len(flaws) - 1} more" if len(flaws) > 1 else ""
    advice = f"zhubo models pull {model.name}"
    return Finding(f"model {model.name}", "wrong" if needed else "absent", flaws[0] + rest, advice)


def _folder(name: str, folder: Path) -> Finding:
    existing = next(path for path in (folder, *folder.parents) if path.exists())
    if not existing.is_dir() or not os.access(existing, os.W_OK | os.X_OK):
        variable = f"ZHUBO_{name.split()[0].upper()}"
        return Finding(name, "wrong", f"{folder} cannot be written to", f"set {variable} to a folder of yours")
    held = sum(path.lstat().st_size for path in folder.rglob("*") if path.is_file())
    free = shutil.disk_usage(existing).free
    return Finding(name, "well", f"{folder}, {size(held)} used, {size(free)} free")


def _watched(watched: WatchSettings) -> Finding:
    title = f"watched folder {watched.folder.name}"
    if not watched.folder.is_dir():
        return Finding(title, "wrong", f"{watched.folder} is no folder", "see knowledge.watch in `zhubo config check`")
    return Finding(title, "well", f"{watched.folder}, into {watched.base}")


def _port(server: ServerSettings) -> Finding:
    with socket.socket(socket.AF_INET6 if ":" in server.host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((server.host, server.port))
        except OSError as error:
            detail = f"{server.host}:{server.port}: {error.strerror}"
            return Finding("port", "absent", detail, "if that is not Zhubo already: zhubo serve --port N")
    return Finding("port", "well", f"{server.host}:{server.port} is free")


def _tools() -> Iterator[Finding]:
    for title, programs in (
        ("chromium", ("chromium", "chromium-browser", "google-chrome")),
        ("ffmpeg", ("ffmpeg",)),
    ):
        path = next((path for name in programs if (path := shutil.which(name))), None)
        advice = "" if path else f"only the tests need it: apt-get install {title}"
        yield Finding(title, "well" if path else "absent", path or "not found", advice)
    if shutil.which("fc-list"):
        listed = subprocess.run(["fc-list", ":lang=zh-cn", "family"], capture_output=True, text=True, check=False)
        fonts = sorted({line.split(",")[0].strip() for line in listed.stdout.splitlines()})
        advice = (
            "" if fonts else "Chinese text shows as boxes in this machine's browsers: apt-get install fonts-noto-cjk"
        )
        yield Finding("Chinese fonts", "well" if fonts else "absent", ", ".join(fonts[:4]) or "none", advice)
