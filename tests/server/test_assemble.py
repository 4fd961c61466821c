"""A service that cannot be opened says why, and everything that was built for it is closed."""

import asyncio
import importlib
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.commands import Say
from avatar.engines.tone import Tone
from configs.engines import ConfigError, EngineSpec, Options, build
from configs.home import Home
from configs.settings import load
from server.asking import ask, ask_all
from server.assemble import Service


class Recorded(Tone):
    """A stranger's voice that says when it was closed."""

    closed = threading.Event()
    built = threading.Event()
    go = threading.Event()

    def __init__(self, options: object, home: Home) -> None:
        super().__init__(Tone.Options(), home)
        self.built.set()
        self.go.wait(10)

    async def aclose(self) -> None:
        self.closed.set()


class Sleepy(Tone):
    """A stranger's voice whose backend never answers while it is warmed."""

    def __init__(self, options: object, home: Home) -> None:
        super().__init__(Tone.Options(), home)

    async def warm(self) -> None:
        await asyncio.Event().wait()


class Broken:
    class Options(Options):
        pass

    def __init__(self, options: object, home: Home) -> None:
        raise LookupError("no licence server\nat all")


@pytest.fixture(autouse=True)
def strangers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A distribution of somebody else's, installed: its entry points name the engines of this module."""
    folder = tmp_path / "site" / "strangers-1.0.dist-info"
    folder.mkdir(parents=True)
    (folder / "METADATA").write_text("Metadata-Version: 2.1\nName: strangers\nVersion: 1.0\n")
    (folder / "entry_points.txt").write_text(
        f"[zhubo.models]\nbroken = {__name__}:Broken\nabsent = {__name__}:Absent\n"
        f"[zhubo.voices]\nrecorded = {__name__}:Recorded\nsleepy = {__name__}:Sleepy\n"
    )
    monkeypatch.syspath_prepend(tmp_path / "site")
    importlib.invalidate_caches()
    for event in (Recorded.closed, Recorded.built, Recorded.go):
        event.clear()
    yield


def service(folder: Path, **environ: str) -> Service:
    return Service(load("test", environ=environ), Home(folder / "data", folder / "cache"))


def test_whatever_an_engines_constructor_raises_is_told(tmp_path: Path) -> None:
    home = Home(tmp_path, tmp_path)
    with pytest.raises(ConfigError, match=r"^models engine 'broken' cannot be built: LookupError: .*server at all"):
        build("models", EngineSpec(engine="broken"), home)
    with pytest.raises(ConfigError, match="models engine 'absent' cannot be loaded: AttributeError"):
        build("models", EngineSpec(engine="absent"), home)


def test_a_langchain_model_without_its_key_is_told_without_what_it_was_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    options = {"class": "langchain_openai:ChatOpenAI", "arguments": {"model": "m"}}
    with pytest.raises(ConfigError, match="models engine 'langchain'"):
        build("models", EngineSpec(engine="langchain", options=options), Home(tmp_path, tmp_path))
    options["arguments"] = {"model": "m", "api_key": "hush", "temperature": "hush"}
    with pytest.raises(ConfigError, match="temperature") as told:
        build("models", EngineSpec(engine="langchain", options=options), Home(tmp_path, tmp_path))
    assert "hush" not in str(told.value)


async def test_a_question_to_a_service_that_cannot_open_closes_what_was_built(tmp_path: Path) -> None:
    Recorded.go.set()
    broken = service(tmp_path, ZHUBO__MODEL__ENGINE="broken", ZHUBO__VOICE__ENGINE="recorded")
    with pytest.raises(ConfigError, match="LookupError"):
        await ask_all(broken, ["你好"], None, lambda _: None)
    assert Recorded.closed.is_set()
    assert broken.readiness().report["status"] == "failed"


async def test_a_voice_that_does_not_get_warm_keeps_nobody_waiting(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    waiting = service(tmp_path, ZHUBO__VOICE__ENGINE="sleepy", ZHUBO__LIMITS__FIRST_AUDIO="0.02")
    await asyncio.wait_for(waiting.open(), 10)
    assert waiting.readiness().serving and "the voice is not warm yet: out of time" in caplog.text
    await waiting.close()


async def test_an_engine_that_is_built_after_the_opening_was_cancelled_is_closed(tmp_path: Path) -> None:
    cancelled = service(tmp_path, ZHUBO__VOICE__ENGINE="recorded")
    opening = asyncio.create_task(cancelled.open())
    await asyncio.to_thread(Recorded.built.wait, 10)
    opening.cancel()
    await asyncio.gather(opening, return_exceptions=True)
    assert opening.cancelled() and not Recorded.closed.is_set()
    Recorded.go.set()
    await cancelled.close()
    assert Recorded.closed.is_set()


@pytest.mark.parametrize(
    ("question", "price"),
    [("成人票多少钱？", "成人票{}元。"), ("How much is an adult ticket?", "An adult ticket costs {} yuan.")],
    ids=["zh", "en"],
)
async def test_who_is_there_already_is_answered_from_a_base_that_was_made_anew(
    tmp_path: Path, question: str, price: str
) -> None:
    opened = service(tmp_path)
    await opened.open()
    try:
        bases, told = opened.bases, []
        await bases.create("east")
        presenter = opened.presenter_for("east")
        for number in ("60", "80"):
            await bases.get("east").publish([("门票.md", price.format(number).encode())])
            told.append(await ask(presenter, Say(question)))
            await bases.delete("east")
            told.append(await ask(presenter, Say(question)))
            await bases.create("east")
    finally:
        await opened.close()
    assert "60" in told[0].text and "80" in told[2].text
    assert [answer.fallback for answer in (told[1], told[3])] == ["knowledge_unavailable"] * 2
