"""The `zhubo` command. Each sub-command is a module of server/commands, imported when it is asked for."""

import argparse
import os
import sys
from collections.abc import Sequence
from importlib import import_module

_ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")
"""Numeric libraries read these as they load. Their idle threads spin, at the expense of the voice and the model."""

_COMMANDS = {name: name for name in ("serve", "ask", "say", "ingest", "kb", "memory", "models", "config", "doctor")} | {
    "audit": "audit",
    "eval": "evaluate",
    "moderate": "moderate",
    "train": "train",
}
"""The module of each command."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code: 0 done, 1 failed, 2 used wrongly or configured wrongly."""
    for variable in _ONE_THREAD:
        os.environ.setdefault(variable, "1")
    given = sys.argv[1:] if argv is None else argv
    arguments = _parser(given).parse_args(argv)
    code = _run(arguments)
    from server.recording import change, record

    if (changed := change(given)) is not None:
        from configs.home import current

        record(current(), changed, code)
    return code


def _run(arguments: argparse.Namespace) -> int:
    from configs.engines import ConfigError

    try:
        code: int = arguments.run(arguments)
    except ConfigError as error:
        sys.stderr.write(f"zhubo: {error}\n")
        return 2
    except KeyboardInterrupt:
        return 130
    return code


def _parser(argv: Sequence[str]) -> argparse.ArgumentParser:
    """Only the command asked for is imported; for help, all are."""
    parser = argparse.ArgumentParser(prog="zhubo", description="Zhubo 主播: a conversational digital human")
    subparsers = parser.add_subparsers(required=True, metavar="COMMAND")
    asked = [name for name in _COMMANDS if argv and argv[0] == name]
    for name in asked or _COMMANDS:
        import_module(f"server.commands.{_COMMANDS[name]}").register(subparsers)
    return parser


if __name__ == "__main__":
    sys.exit(main())
