"""A real `vllm serve` on loopback, from .venv-vllm, in a process group of its own."""

import os
import re
import signal
import subprocess
import time
from pathlib import Path

import httpx

from configs.home import current
from configs.weights.manifest import require

ROOT = Path(__file__).parents[2]
BIN = ROOT / ".venv-vllm" / "bin"
ENVIRONMENT = {
    "HF_HUB_OFFLINE": "1",
    "VLLM_NO_USAGE_STATS": "1",
    "DO_NOT_TRACK": "1",
    "VLLM_CPU_KVCACHE_SPACE": "1",
    "VLLM_CPU_OMP_THREADS_BIND": "0-1",
}
TOOLS = ("--enable-auto-tool-choice", "--tool-call-parser", "hermes")
STRUCTURED = ("--structured-outputs-config", '{"backend": "xgrammar", "disable_any_whitespace": true}')
_MODEL = "qwen2.5-coder-0.5b-instruct"
_START = 420.0


class Server:
    """`start`, `kill` and `start` again serve on the same port. `name` is what the model is called."""

    name = "qwen"

    def __init__(self, folder: Path, port: int, log: Path, *flags: str) -> None:
        self._folder, self.port, self._log, self._flags = folder, port, log, flags
        self._process: subprocess.Popen[bytes] | None = None
        self.root = f"http://127.0.0.1:{port}"
        self.url = f"{self.root}/v1"

    def start(self) -> float:
        """Seconds until it is well."""
        began = time.monotonic()
        command = [
            *(str(BIN / "vllm"), "serve", str(self._folder), "--host", "127.0.0.1", "--port", str(self.port)),
            *("--served-model-name", self.name, "--dtype", "bfloat16", "--max-model-len", "4096"),
            *("--max-num-seqs", "16", "--block-size", "32", "--enforce-eager", *self._flags),
        ]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                command, stdout=log, stderr=log, env={**os.environ, **ENVIRONMENT}, start_new_session=True
            )
        while not self._well():
            assert self._process.poll() is None, f"vllm ended: {self._log.read_text('utf-8', 'replace')[-3000:]}"
            assert time.monotonic() - began < _START, f"vllm is not well after {_START:g} s: see {self._log}"
            time.sleep(0.5)
        return time.monotonic() - began

    def kill(self) -> None:
        """Every process of it, at once."""
        self._signal(signal.SIGKILL)

    def stop(self) -> None:
        self._signal(signal.SIGTERM)

    def version(self) -> str:
        return str(httpx.get(f"{self.root}/version").json()["version"])

    def gauge(self, name: str) -> float:
        """A metric of vLLM's, summed over its labels."""
        return gauge(httpx.get(f"{self.root}/metrics").text, name)

    def _well(self) -> bool:
        try:
            return httpx.get(f"{self.root}/health", timeout=2).status_code == 200
        except httpx.HTTPError:
            return False

    def _signal(self, number: int) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        os.killpg(process.pid, number)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def gauge(metrics: str, name: str) -> float:
    values = re.findall(rf"^vllm:{name}(?:\{{[^}}\n]*\}})? (\S+)$", metrics, re.MULTILINE)
    assert values, f"vLLM has no metric {name}"
    return sum(map(float, values))


def weights() -> Path:
    """The packaged model as a folder that vLLM loads: made once, beside the packaged one."""
    folder = current().cache / "vllm" / _MODEL
    if not (folder / "model.safetensors").exists():
        packaged = require(current(), _MODEL, f"{_MODEL}-q4_k_m.gguf")
        maker = Path(__file__).with_name("hugging_face.py")
        subprocess.run([str(BIN / "python"), str(maker), str(packaged), str(folder)], check=True)
    return folder
