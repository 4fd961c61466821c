from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson
import pytest

from agent.chain import Chain
from server.__main__ import main
from server.recording import change


@pytest.fixture(autouse=True)
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Chain:
    """Two entries, of three days ago and of now."""
    monkeypatch.setenv("ZHUBO_DATA", str(tmp_path))
    chain = Chain(tmp_path / "audit.jsonl")
    for at, what in ((datetime.now(UTC) - timedelta(days=3), "take over"), (datetime.now(UTC), "give back")):
        chain.append({"at": at.isoformat(), "who": "operator 梅", "what": what, "session": "s1", "detail": {"a": 1}})
    return chain


def test_a_whole_log_is_told_to_be(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["audit", "verify"]) == 0
    assert capsys.readouterr().out == "whole: 2 entries in 1 files\n"


def test_an_altered_line_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "audit.jsonl"
    file.write_bytes(file.read_bytes().replace(b"take over", b"give back"))
    assert main(["audit", "verify"]) == 1
    assert "audit.jsonl, line 1: the line, or the one before it, was altered" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("since", "count"),
    [((), 2), (("--since", "1d"), 1), (("--since", "2020-01-01"), 2), (("--since", "2999-01-01"), 0)],
)
def test_entries_are_shown_from_a_moment_on(
    since: tuple[str, ...], count: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["audit", "show", *since]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == count and all("operator 梅" in line and "a=1" in line for line in lines)


def test_entries_are_shown_as_they_are_written(capsys: pytest.CaptureFixture[str], log: Chain) -> None:
    assert main(["audit", "show", "--json"]) == 0
    assert [orjson.loads(line) for line in capsys.readouterr().out.splitlines()] == list(log.records())


def test_a_moment_that_is_none_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["audit", "show", "--since", "yesterdayish"])
    assert "--since" in capsys.readouterr().err


def test_no_log_yet_is_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ZHUBO_DATA", str(tmp_path / "elsewhere"))
    assert main(["audit", "verify"]) == 0 and main(["audit", "show"]) == 0
    assert "0 entries" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["kb", "faq", "add", "--base", "main"], "kb faq add"),
        (["kb", "remove", "票价.md"], "kb remove"),
        (["memory", "forget", "alice", "--yes"], "memory forget"),
        (["ingest", "guide.pdf"], "ingest"),
        (["kb", "search", "remove"], None),
        (["kb", "faq", "list"], None),
        (["ask", "几点开门？"], None),
        ([], None),
    ],
)
def test_what_changes_something_is_known_by_its_command_and_nothing_it_was_given(
    arguments: list[str], told: str | None
) -> None:
    assert change(arguments) == told


def test_a_change_by_the_command_line_is_recorded_and_a_look_is_not(
    log: Chain, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ZHUBO_PROFILE", "test")
    assert main(["memory", "list"]) == 0
    assert main(["memory", "forget", "alice", "--yes"]) in (0, 1)
    last = list(log.records())[2:]
    assert [(entry["what"], entry["who"].split()[:2]) for entry in last] == [("memory forget", ["command", "line"])]
    assert "alice" not in str(last) and log.verify() is None
