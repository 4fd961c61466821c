"""`make bench`: our server beside the bare minimum and a real peer in one run, then the offline profile's own figures.

With `--harness FOLDER`, which holds the load client, the timed model and voice, and the other servers, all servers
take the same turns on the same schedule: server pinned to one core, client and back end to the other. Latencies are
"overhead": first sound at the client less the time that the model and the voice themselves take.
"""

import argparse
import asyncio
import json
import os
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from agent.commands import Say
from configs.home import Home, current
from configs.language import LANGUAGES
from configs.settings import load
from knowledge.bases import MAIN
from server.asking import Answer, ask
from server.assemble import Service

ROOT = Path(__file__).parents[2]
ENVIRONMENT = ROOT / ".venv-bench"
PACKAGES = ("picows", "uvloop", "psutil", "websockets", "orjson", "fastapi", "uvicorn[standard]", "aiavatar")
BACKEND = 18_000
CASES = ((100, 6.0, 2), (50, 6.0, 2), (10, 4.0, 4))


@dataclass(frozen=True)
class Contender:
    label: str
    adapter: str
    path: str
    ready: str
    command: tuple[str, ...]
    environ: dict[str, str]
    port: int


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--harness", type=Path, help="folder of the load client and the other servers")
    parser.add_argument("--repeats", type=int, default=1)
    parser.add_argument("--earlier", type=Path, nargs="*", default=[], help="checkouts of ours to measure as well")
    parser.add_argument("--no-offline", action="store_true", help="leave out the offline profile")
    arguments = parser.parse_args()
    if arguments.harness:
        side_by_side(arguments.harness.resolve(), arguments.repeats, [tree.resolve() for tree in arguments.earlier])
    else:
        say("no --harness FOLDER: the comparison with other servers is left out")
    if not arguments.no_offline:
        asyncio.run(offline())
    return 0


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def side_by_side(harness: Path, repeats: int, earlier: Sequence[Path]) -> None:
    python = str(environment())
    rows: list[dict[str, object]] = []
    with tempfile.TemporaryDirectory() as folder, running(pinned(1, python, "fake_backend.py"), harness, BACKEND):
        for _ in range(repeats):
            for contender in contenders(python, Path(folder), earlier):
                with running(pinned(0, *contender.command), harness, contender.port, contender.environ) as process:
                    await_ready(contender)
                    for case in CASES:
                        rows.append(measure(harness, python, contender, process.pid, case))
    show(rows)


def contenders(python: str, folder: Path, earlier: Sequence[Path] = ()) -> Iterator[Contender]:
    yield Contender("bare websockets", "bare", "/", "", (python, "srv_bare.py", "18101", "--uvloop"), {}, 18_101)
    for label, tree in (("zhubo", ROOT), *((tree.name, tree) for tree in earlier)):
        yield Contender(label, "zhubo", "/ws", "/readyz", ours(18_106), settings(folder, tree), 18_106)
    yield Contender("aiavatar", "aiavatar", "/ws", "", (python, "srv_aiavatar.py", "18103"), {}, 18_103)


def ours(port: int) -> tuple[str, ...]:
    return (sys.executable, "-m", "server", "serve", "--profile", "test", "--port", str(port))


def settings(folder: Path, tree: Path) -> dict[str, str]:
    """The test profile with retrieval on, and the harness's timed model and voice; its answers are not documents'."""
    api = f"http://127.0.0.1:{BACKEND}/v1"
    data = Path(tempfile.mkdtemp(dir=folder))
    return {
        "PYTHONPATH": str(tree),
        "ZHUBO_DATA": str(data),
        "ZHUBO__KNOWLEDGE__GROUNDED": "false",
        "ZHUBO__MODEL__ENGINE": "openai",
        "ZHUBO__MODEL__OPTIONS__BASE_URL": api,
        "ZHUBO__MODEL__OPTIONS__MODEL": "fake",
        "ZHUBO__VOICE__ENGINE": "openai",
        "ZHUBO__VOICE__OPTIONS__BASE_URL": api,
        "ZHUBO__VOICE__OPTIONS__MODEL": "tts",
        "ZHUBO__VOICE__OPTIONS__VOICES": "{zh: x, en: x}",
    }


def pinned(core: int, *command: str) -> tuple[str, ...]:
    return ("taskset", "-c", str(core), *command) if shutil.which("taskset") else command


@contextmanager
def running(
    command: Sequence[str], folder: Path, port: int, environ: dict[str, str] | None = None
) -> "Iterator[subprocess.Popen[bytes]]":
    env = {**os.environ, "BACKEND": str(BACKEND), **(environ or {})}
    with open(os.devnull, "wb") as nowhere:
        process = subprocess.Popen(command, cwd=folder, env=env, stdout=nowhere, stderr=nowhere)
    with ExitStack() as stack:
        stack.callback(process.wait)
        stack.callback(process.send_signal, signal.SIGTERM)
        await_port(port, process)
        yield process


def await_port(port: int, process: "subprocess.Popen[bytes]") -> None:
    for _ in range(600):
        if process.poll() is not None:
            raise SystemExit(f"{process.args} ended with {process.returncode}")
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise SystemExit(f"{process.args} does not listen on {port}")


def await_ready(contender: Contender) -> None:
    """Until the server says it is ready, where it can; then a moment for everything to settle."""
    url = f"http://127.0.0.1:{contender.port}{contender.ready}"
    for _ in range(600 if contender.ready else 0):
        try:
            urllib.request.urlopen(url, timeout=5).close()
            break
        except OSError:
            time.sleep(0.1)
    time.sleep(1)


def measure(
    harness: Path, python: str, contender: Contender, pid: int, case: tuple[int, float, int]
) -> dict[str, object]:
    sessions, period, turns = case
    url = f"ws://127.0.0.1:{contender.port}{contender.path}"
    client = str(Path(__file__).with_name("zhubo_client.py"))
    command = pinned(1, python, client, str(harness), contender.adapter, url, "--pid", str(pid))
    load = ("-n", str(sessions), "--turns", str(turns), "--period", str(period), "--label", contender.label)
    done = subprocess.run([*command, *load], cwd=harness, capture_output=True, text=True, timeout=300)
    if done.returncode:
        raise SystemExit(f"{contender.label}, {sessions} sessions: {done.stderr[-2000:]}")
    row: dict[str, object] = json.loads(done.stdout.splitlines()[-1])
    say(json.dumps(row))
    return row


def show(rows: list[dict[str, object]]) -> None:
    say("| server | sessions | overhead p50 en / zh ms | p95 ms | CPU ms/turn | lost or late | KB/session |")
    say("|---|---|---|---|---|---|---|")
    for row in sorted(rows, key=lambda row: (row["n"], row["label"])):  # type: ignore[arg-type, return-value]
        lost = int(str(row["turns"])) - int(str(row["ok"]))
        say(
            f"| {row['label']} | {row['n']} | {row['en_p50']} / {row['zh_p50']} | {row['ov_p95']} "
            f"| {row['cpu_ms_turn']} | {lost}/{row['turns']} | {row['rss_kb_sess_after']} |"
        )


def environment() -> Path:
    """An environment of its own for the load client and the peer, made once."""
    python = ENVIRONMENT / "bin" / "python"
    if not (ENVIRONMENT / "made").exists():
        subprocess.run([sys.executable, "-m", "venv", str(ENVIRONMENT)], check=True)
        subprocess.run([str(python), "-m", "pip", "install", "-q", *PACKAGES], check=True)
        (ENVIRONMENT / "made").touch()
    return python


async def offline() -> None:
    """Every answerable sample question asked of the whole offline presenter in this process, one at a time."""
    with tempfile.TemporaryDirectory() as folder:
        service = Service(load("offline", environ={}), Home(Path(folder), current().cache))
        began = time.monotonic()
        await service.open()
        say(f"offline: questions taken {time.monotonic() - began:.1f} s after the start, with an empty data folder")
        await service.bases.get(MAIN).settled()
        say(f"offline: every vector made after {time.monotonic() - began:.1f} s")
        for lang in LANGUAGES:
            questions = [json.loads(line) for line in (ROOT / f"tests/data/questions.{lang}.jsonl").open("rb")]
            asked = [Say(item["question"]) for item in questions if not item.get("unanswerable")]
            summarise(lang, [await ask(service.presenter_for(MAIN), question) for question in asked])
        say(f"offline: {psutil.Process().memory_info().rss / 1e6:.0f} MB resident")
        await service.close()


def summarise(lang: str, answers: list[Answer]) -> None:
    for stage in ("retrieval", "first_text", "first_audio"):
        values = sorted(value for answer in answers if (value := getattr(answer.timings, stage)) is not None)
        say(f"offline {lang} {stage}: p50 {statistics.median(values):.0f} ms, max {values[-1]:.0f} ms ({len(values)})")
    spoken = sum(len(answer.audio) / 2 / answer.rate for answer in answers)
    taken = sum(answer.timings.total or 0 for answer in answers) / 1000
    say(f"offline {lang}: {spoken:.1f} s of speech in {taken:.1f} s, real-time factor {taken / spoken:.2f}")


if __name__ == "__main__":
    sys.exit(main())
