"""Real clients, each in an environment of its own: made once from a pinned list, kept beside the project's own."""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
PLACE = ROOT / ".venv-clients"


def python(name: str) -> Path:
    """The interpreter of the environment that `NAME.txt` (pinned requirements) beside this file describes."""
    wanted = (HERE / f"{name}.txt").read_bytes()
    folder = PLACE / name
    interpreter, mark = folder / "bin" / "python", folder / ".ready"
    if not _ready(mark, wanted):
        shutil.rmtree(folder, ignore_errors=True)
        _run([sys.executable, "-m", "venv", str(folder)])
        _run([str(interpreter), "-m", "pip", "install", "--quiet", "--no-deps", "-r", str(HERE / f"{name}.txt")])
        mark.write_text(_digest(wanted))
    return interpreter


def node(name: str) -> Path:
    """The folder whose `node_modules` is what `NAME/package-lock.json` beside this file says."""
    source, folder = HERE / name, PLACE / name
    wanted = (source / "package-lock.json").read_bytes()
    mark = folder / ".ready"
    if not _ready(mark, wanted):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        for part in ("package.json", "package-lock.json"):
            shutil.copy(source / part, folder / part)
        _run(["npm", "ci", "--no-audit", "--no-fund", "--loglevel", "error"], folder)
        mark.write_text(_digest(wanted))
    for program in source.glob("*.mjs"):
        shutil.copy(program, folder / program.name)
    return folder


def _ready(mark: Path, wanted: bytes) -> bool:
    return mark.exists() and mark.read_text() == _digest(wanted)


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _run(command: list[str], folder: Path | None = None) -> None:
    made = subprocess.run(command, cwd=folder, env={**os.environ}, capture_output=True, text=True)
    assert made.returncode == 0, f"{' '.join(command)}: {made.stdout}{made.stderr}"
