"""`zhubo ingest PATH…`: put documents into the main knowledge base of this instance; short for `zhubo kb ingest`."""

import argparse
from pathlib import Path

from server.commands.options import with_settings


def register(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = subparsers.add_parser("ingest", help="put documents into the knowledge base")
    parser.add_argument("paths", nargs="+", type=Path, metavar="PATH", help="files, and folders of documents")
    with_settings(parser)
    parser.set_defaults(run=run, base="main", json=False)


def run(arguments: argparse.Namespace) -> int:
    from server.commands.kb.desk import perform

    return perform("taking:ingested", arguments)
