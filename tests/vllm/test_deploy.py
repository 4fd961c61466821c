"""The start scripts of deploy/vllm: shell that is right, and flags that the installed vLLM knows."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.vllm.server import BIN, ENVIRONMENT, ROOT

DEPLOY = ROOT / "deploy" / "vllm"
SCRIPTS = sorted(DEPLOY.glob("*.sh"))
STARTERS = {
    "one-gpu": {},
    "tensor-parallel": {"GPUS": "4"},
    "data-parallel": {"COPIES": "4", "ADDRESS": "10.0.0.1", "LOCAL": "2"},
    "ray-head": {"ADDRESS": "10.0.0.1", "NODES": "2", "GPUS": "8"},
    "ray-worker": {"ADDRESS": "10.0.0.2", "HEAD": "10.0.0.1"},
}
ECHO = '#!/bin/sh\necho "$(basename "$0")" "$@"\n'


@pytest.fixture(scope="module")
def known() -> set[str]:
    """Every flag that `vllm serve` takes."""
    told = subprocess.run(
        [str(BIN / "vllm"), "serve", "--help=all"], capture_output=True, text=True, env=ENVIRONMENT, check=True
    )
    return set(re.findall(r"(?<![\w-])--[a-z][a-z0-9-]+", told.stdout))


def started(folder: Path, script: str, **variables: str) -> str:
    """The commands that a script would run, where vllm, ray and python3 only say what they are given."""
    for name in ("vllm", "ray", "python3"):
        (folder / name).write_text(ECHO)
        (folder / name).chmod(0o755)
    environ = {"PATH": f"{folder}:/usr/bin:/bin", "VLLM_API_KEY": "k", **variables}
    ran = subprocess.run(
        ["bash", str(DEPLOY / f"{script}.sh"), "--seed", "1"], capture_output=True, text=True, env=environ, check=True
    )
    return ran.stdout


@pytest.mark.parametrize("script", STARTERS)
def test_a_script_starts_its_server_with_flags_that_vllm_knows(script: str, known: set[str], tmp_path: Path) -> None:
    said = started(tmp_path, script, **STARTERS[script])
    serving = "".join(line for line in said.splitlines() if line.startswith("vllm serve"))
    assert bool(serving) == (script != "ray-worker")
    flags = set(re.findall(r"(?<![\w-])--[a-z][a-z0-9-]+", serving))
    assert flags <= known, f"not flags of this vLLM: {flags - known}"
    assert script == "ray-worker" or {"--max-model-len", "--enable-prefix-caching", "--seed"} <= flags


def test_a_further_machine_of_data_parallel_has_no_http(known: set[str], tmp_path: Path) -> None:
    said = started(tmp_path, "data-parallel", ADDRESS="10.0.0.1", LOCAL="2", FIRST="2", COPIES="4")
    assert "--headless --data-parallel-start-rank 2" in said and "--api-server-count" not in said
    assert {"--headless", "--data-parallel-start-rank", "--api-server-count"} <= known


def test_no_server_is_opened_to_the_network_without_a_key(tmp_path: Path) -> None:
    with pytest.raises(subprocess.CalledProcessError) as caught:
        started(tmp_path, "one-gpu", VLLM_API_KEY="")
    assert "VLLM_API_KEY" in caught.value.stderr
    assert "vllm serve" in started(tmp_path, "one-gpu", VLLM_API_KEY="", HOST="127.0.0.1")


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.name)
def test_the_scripts_are_shell(script: Path) -> None:
    subprocess.run(["bash", "-n", str(script)], check=True)
    if shutil.which("shellcheck"):
        subprocess.run(["shellcheck", "-x", str(script)], check=True)


def test_every_flag_is_explained_in_both_languages() -> None:
    used = {flag for script in SCRIPTS for flag in re.findall(r"(?<![\w-])--[a-z][a-z0-9-]+", script.read_text())}
    for manual in ("README.md", "README.zh-CN.md"):
        explained = (DEPLOY / manual).read_text("utf-8")
        assert [flag for flag in sorted(used) if flag not in explained] == [], manual
