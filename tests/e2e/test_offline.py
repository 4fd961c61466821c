"""The offline profile, whole: packaged models, real questions, and not one connection to anywhere else."""

from collections.abc import Iterator
from ipaddress import ip_address
from pathlib import Path

import psutil
import pytest
from websockets.asyncio.client import connect

from tests.e2e.serving import Served, serving
from tests.e2e.test_server import QUESTIONS, ask, greet, of

pytestmark = [pytest.mark.e2e, pytest.mark.packaged]

WATCH = """
import os, sys

def watch(event, arguments):
    if event in ("socket.connect", "socket.bind", "socket.sendto"):
        note(event, arguments[1])
    elif event == "socket.getaddrinfo":
        note(event, arguments[0])

def note(event, address):
    host = address[0] if isinstance(address, tuple) else address
    with open(os.environ["WATCHED"], "a") as file:
        file.write(f"{event} {host!r}\\n")

sys.addaudithook(watch)
"""


@pytest.fixture(scope="module")
def offline(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Served, Path]]:
    folder = tmp_path_factory.mktemp("offline")
    (folder / "sitecustomize.py").write_text(WATCH)
    watched = folder / "watched.txt"
    environ = {"PYTHONPATH": str(folder), "WATCHED": str(watched)}
    with serving(folder, "--profile", "offline", environ=environ, wait=600) as served:
        yield served, watched


@pytest.mark.parametrize("lang", QUESTIONS)
async def test_it_answers_aloud_from_the_documents(offline: tuple[Served, Path], lang: str) -> None:
    served, _ = offline
    async with connect(served.ws, max_size=None) as client:
        await greet(client)
        frames = await ask(client, QUESTIONS[lang])
    end = of(frames, "turn_ended")[0]
    assert (end["reason"], end["refused"], end["fallback"]) == ("done", False, None)
    assert "60" in "".join(frame["text"] for frame in of(frames, "text"))
    assert sum(sentence["seconds"] for sentence in of(frames, "sentence_ended")) > 0.5
    assert of(frames, "motion") and of(frames, "caption") and of(frames, "citations")


async def test_it_connects_to_nothing_but_this_machine(offline: tuple[Served, Path]) -> None:
    served, watched = offline
    async with connect(served.ws, max_size=None) as client:
        await greet(client)
        await ask(client, QUESTIONS["zh"])
    for line in watched.read_text().splitlines():
        _, _, host = line.partition(" ")
        assert local(host.strip("'")), line
    for connection in psutil.Process(served.process.pid).net_connections():
        for address in (connection.laddr, connection.raddr):
            assert not address or local(address.ip), connection


def local(host: str) -> bool:
    if host in ("", "localhost", "None") or host.startswith(("/", "\\x00", "b'")):
        return True
    return ip_address(host).is_loopback


async def test_what_the_documents_do_not_say_is_refused(offline: tuple[Served, Path]) -> None:
    served, _ = offline
    async with connect(served.ws, max_size=None) as client:
        await greet(client)
        for question in ("馆长的工资是多少？", "What is the director's salary?"):
            frames = await ask(client, question)
            assert of(frames, "turn_ended")[0]["refused"] is True
