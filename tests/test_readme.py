"""The plug-in that the READMEs show is made, installed and asked."""

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize("readme", ["README.md", "README.zh-CN.md"])
def test_the_engine_of_the_readme_plugs_in(readme: str, tmp_path: Path) -> None:
    text = (ROOT / readme).read_text("utf-8")
    blocks = dict(re.findall(r"^```(python|toml)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL))
    package, installed = tmp_path / "my_package", tmp_path / "my_package-1.0.dist-info"
    package.mkdir()
    installed.mkdir()
    (package / "__init__.py").touch()
    (package / "parrot.py").write_text(blocks["python"], "utf-8")
    points = tomllib.loads(blocks["toml"])["project"]["entry-points"]["zhubo.models"]
    (installed / "METADATA").write_text("Metadata-Version: 2.1\nName: my-package\nVersion: 1.0\n")
    lines = "".join(f"{name} = {target}\n" for name, target in points.items())
    (installed / "entry_points.txt").write_text(f"[zhubo.models]\n{lines}")
    environ = {
        **os.environ,
        "PYTHONPATH": str(tmp_path),
        "ZHUBO_DATA": str(tmp_path / "data"),
        "ZHUBO__MODEL__ENGINE": "parrot",
        "ZHUBO__KNOWLEDGE__GROUNDED": "false",
    }
    command = [sys.executable, "-m", "server", "ask", "--profile", "test", "成人票多少钱？"]
    done = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert "问题：成人票多少钱？" in done.stdout, "the parrot repeats its prompt"
