"""`zhubo memory ACTION`: what is remembered of users, shown, exported and forgotten, also while a server runs."""

import argparse
import asyncio
import sys
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import orjson

from configs.engines import ConfigError
from configs.home import current
from server.commands.options import settings_from, with_settings

if TYPE_CHECKING:
    from agent.memory.memories import Memories

_PATIENCE = 5.0
Action = Callable[["Memories", argparse.Namespace], Awaitable[int]]


def register(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = subparsers.add_parser("memory", help="what is remembered of users: list, forget, export, retain")
    actions = parser.add_subparsers(required=True, metavar="ACTION")
    users = _action(actions, "list", listed, "the users that something is kept of, or what is remembered of one")
    users.add_argument("user", nargs="?")
    users.add_argument("--json", action="store_true", help="JSON instead of text")
    forget = _action(actions, "forget", forgotten, "forget a user without a trace, or one fact and where it was said")
    forget.add_argument("user")
    forget.add_argument("--fact", metavar="ID", help="this one alone")
    forget.add_argument("--yes", action="store_true", help="really")
    export = _action(actions, "export", exported, "all there is of a user, as JSON")
    export.add_argument("user")
    export.add_argument("file", nargs="?", type=Path, metavar="FILE", help="(default: standard output)")
    _action(actions, "retain", retained, "erase what is older than the settings allow; a server does it daily")


def _action(
    actions: "argparse._SubParsersAction[argparse.ArgumentParser]", name: str, does: Action, text: str
) -> argparse.ArgumentParser:
    parser = actions.add_parser(name, help=text, description=text)
    with_settings(parser)
    parser.set_defaults(run=partial(run, does))
    return parser


def run(does: Action, arguments: argparse.Namespace) -> int:
    from agent.memory.memories import Memories
    from agent.memory.records import RecordsError
    from server.remembering import records_of

    settings = settings_from(arguments)
    records = records_of(settings, current(), _PATIENCE)

    async def act() -> int:
        memories = Memories(records, settings.memory, settings.limits.history_exchanges)
        try:
            return await does(memories, arguments)
        finally:
            await memories.aclose()

    try:
        return asyncio.run(act())
    except RecordsError as error:
        sys.stderr.write(f"zhubo: {error.code}: {error}\n")
        return 1


async def listed(memories: "Memories", arguments: argparse.Namespace) -> int:
    from server.bodies.memory import MemoryBody, UserBody

    if arguments.user is None:
        users = [UserBody.of(tally) for tally in await memories.users()]
        lines = [
            f"{one.user or '(nobody in particular)'}  {one.facts} facts, {one.conversations} conversations, "
            f"{'agreed' if one.consent else 'not agreed'}, last {one.last:%Y-%m-%d}"
            for one in users
        ]
        _show([one.model_dump(mode="json") for one in users], lines, arguments.json)
        return 0
    body = MemoryBody.of(await memories.dossier(arguments.user))
    lines = [f"{fact.id}  {fact.said:%Y-%m-%d}  {fact.text}" for fact in body.facts]
    _show(body.model_dump(mode="json"), lines, arguments.json)
    return 0


async def forgotten(memories: "Memories", arguments: argparse.Namespace) -> int:
    if arguments.fact:
        if await memories.forget_fact(arguments.user, arguments.fact):
            return 0
        sys.stderr.write("zhubo: nothing of this id is remembered of this user\n")
        return 1
    if not arguments.yes:
        raise ConfigError("this forgets facts, conversations and consent for ever; say --yes")
    await memories.forget(arguments.user)
    return 0


async def exported(memories: "Memories", arguments: argparse.Namespace) -> int:
    from avatar.labels import Producer
    from server.bodies.memory import ExportBody

    label = Producer.of(settings_from(arguments).labels).label(str(uuid4()))
    body = ExportBody.of(await memories.dossier(arguments.user), label)
    data = orjson.dumps(body.model_dump(mode="json"), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
    if arguments.file is None:
        sys.stdout.write(data.decode())
        return 0
    try:
        arguments.file.touch(mode=0o600)
        arguments.file.write_bytes(data)
    except OSError as error:
        raise ConfigError(f"cannot write {arguments.file}: {error.strerror}") from error
    return 0


async def retained(memories: "Memories", _: argparse.Namespace) -> int:
    sys.stdout.write(f"{await memories.retain()} conversations and facts erased\n")
    return 0


def _show(data: object, lines: Sequence[str], as_json: bool) -> None:
    if as_json:
        sys.stdout.write(orjson.dumps(data, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE).decode())
    else:
        sys.stdout.writelines(f"{line}\n" for line in lines)
    sys.stdout.flush()
