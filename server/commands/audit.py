"""`zhubo audit show|verify`: who did what, and whether the log is whole."""

import argparse
import sys
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

from agent.chain import Chain
from configs.home import Home, current
from server.recording import LOG


def register(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = subparsers.add_parser("audit", help="read the audit log, or check that nothing of it was changed")
    actions = parser.add_subparsers(required=True, metavar="ACTION")
    text = "every entry, the oldest first"
    show = actions.add_parser("show", help=text, description=text)
    show.add_argument(
        "--since", type=_moment, metavar="WHEN", help="a date, 2026-11-24 or 2026-11-24T09:30, or 2d, 12h"
    )
    show.add_argument("--json", action="store_true", help="the lines as they are written")
    show.set_defaults(run=run_show)
    text = "1 and the place, where a line was altered, taken out or put in"
    verify = actions.add_parser("verify", help=text, description=text)
    verify.set_defaults(run=run_verify)


def audit_log(home: Home) -> Chain:
    return Chain(home.data / LOG)


def run_show(arguments: argparse.Namespace) -> int:
    for entry in audit_log(current()).records():
        if arguments.since is None or _moment(str(entry.get("at", ""))) >= arguments.since:
            sys.stdout.write((orjson.dumps(entry).decode() if arguments.json else _line(entry)) + "\n")
    return 0


def run_verify(arguments: argparse.Namespace) -> int:
    chain = audit_log(current())
    broken = chain.verify()
    if broken is not None:
        sys.stderr.write(f"zhubo: the audit log is not whole: {broken.file}, line {broken.line}: {broken.problem}\n")
        return 1
    files = chain.files()
    sys.stdout.write(f"whole: {sum(1 for _ in chain.records())} entries in {len(files)} files\n")
    return 0


def _moment(text: str) -> datetime:
    """A date with or without a time, local where no zone is given; or how long ago."""
    unit = {"d": "days", "h": "hours", "m": "minutes"}.get(text[-1:])
    if unit is not None and text[:-1].isdecimal():
        return datetime.now(UTC) - timedelta(**{unit: int(text[:-1])})
    return datetime.fromisoformat(text).astimezone(UTC)


def _line(entry: dict[str, Any]) -> str:
    told = [f"{name}={value}" for name, value in entry.get("detail", {}).items()]
    parts = [entry.get("at", "?"), entry.get("who", "?"), entry.get("what", "?"), entry.get("session", ""), *told]
    return "  ".join(str(part) for part in parts if part != "")
