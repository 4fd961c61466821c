"""What the command line changes leaves a line in the audit log, too: who ran what, and how it ended."""

import getpass
import sys
from collections.abc import Sequence
from datetime import UTC, datetime

from agent.audit import Entry, written
from agent.chain import Chain
from configs.home import Home

LOG = "audit.jsonl"
_CHANGES = {
    "ingest": None,
    "kb": ("create", "delete", "calibrate", "ingest", "publish", "add-page", "watch", "remove", "label", "rollback")
    + ("rebuild", "import", "faq add", "faq remove", "faq import"),
    "memory": ("forget", "retain"),
}
"""Commands that change what an instance keeps, and which of their actions do; None: all."""


def change(arguments: Sequence[str]) -> str | None:
    """The command and its action, without what it is given: that may be somebody's name. None where nothing changes."""
    words = [word for word in arguments if not word.startswith("-")]
    actions = _CHANGES.get(words[0], ()) if words else ()
    if actions is None:
        return words[0]
    asked = next((action for action in actions if words[1 : 1 + len(action.split())] == action.split()), None)
    return f"{words[0]} {asked}" if asked else None


def record(home: Home, what: str, code: int) -> None:
    """A log that cannot be written stops nobody; it is told."""
    entry = Entry(f"command line {_user()}", what, detail={"exit": code})
    try:
        Chain(home.data / LOG).append(written(entry, datetime.now(UTC)))
    except OSError as error:
        sys.stderr.write(f"zhubo: the audit log cannot be written: {error}\n")


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "unknown"
