"""`zhubo kb ACTION`: everything an editor or operator does with knowledge bases, without a server."""

import argparse
from datetime import date
from functools import partial
from pathlib import Path

from server.commands.options import with_settings


def register(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = subparsers.add_parser("kb", help="make, fill, search and carry knowledge bases")
    actions = parser.add_subparsers(required=True, metavar="ACTION")
    for part in (_bases, _taking, _documents, _search, _curated, _editions, _carrying):
        part(actions)


def run(action: str, arguments: argparse.Namespace) -> int:
    from server.commands.kb.desk import perform

    return perform(action, arguments)


def _action(
    actions: "argparse._SubParsersAction[argparse.ArgumentParser]", name: str, does: str, text: str, base: bool = True
) -> argparse.ArgumentParser:
    """A parser for one action, done by `does`: a module of this package and a function in it."""
    parser = actions.add_parser(name, help=text, description=text)
    with_settings(parser)
    if base:
        parser.add_argument("--base", default="main", metavar="NAME", help="the knowledge base (default: main)")
    parser.add_argument("--json", action="store_true", help="JSON instead of text")
    parser.set_defaults(run=partial(run, does))
    return parser


def _bases(actions: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    _action(actions, "list", "bases:listed", "the knowledge bases and how much is in them", base=False)
    create = _action(actions, "create", "bases:created", "make a knowledge base", base=False)
    create.add_argument("name", help="lower-case letters, digits and hyphens")
    create.add_argument("--title", default="", help="what people call it")
    delete = _action(actions, "delete", "bases:deleted", "delete a knowledge base with all that is in it", base=False)
    delete.add_argument("name")
    delete.add_argument("--yes", action="store_true", help="really")
    _action(actions, "calibrate", "bases:calibrated", "measure from which support on this base answers")


def _taking(actions: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    ingest = _action(actions, "ingest", "taking:ingested", "put in all that can be read, as one edition")
    ingest.add_argument("paths", nargs="+", type=Path, metavar="PATH", help="files and folders")
    publish = _action(actions, "publish", "taking:published", "put documents in as one edition: all of them, or none")
    publish.add_argument("paths", nargs="+", type=Path, metavar="PATH", help="files and folders")
    publish.add_argument("--replace", action="store_true", help="documents that are not among these are gone")
    publish.add_argument("--note", default="", help="what to call the edition")
    page = _action(actions, "add-page", "taking:fetched", "put a page of the web in, or all that a sitemap lists")
    which = page.add_mutually_exclusive_group(required=True)
    which.add_argument("url", nargs="?", help="the page's address")
    which.add_argument("--sitemap", metavar="URL", help="the sitemap's address")
    page.add_argument("--tag", action="append", default=[], help="a tag for the pages; may be repeated")
    watch = _action(actions, "watch", "taking:watched", "keep the base as the files of a folder are, until stopped")
    watch.add_argument("folder", type=Path)


def _filters(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--lang", choices=("zh", "en"))
    parser.add_argument("--format", help="markdown, pdf, docx …")
    parser.add_argument("--tag", action="append", default=[], help="may be repeated: documents with all of them")


def _documents(actions: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    documents = _action(actions, "documents", "documents:listed", "the catalogue")
    _filters(documents)
    documents.add_argument("--text", default="", help="a part of the title")
    remove = _action(actions, "remove", "documents:removed", "take documents out of every answer")
    remove.add_argument("ids", nargs="+", metavar="ID")
    remove.add_argument("--forever", action="store_true", help="out of the editions that are kept, too")
    label = _action(actions, "label", "documents:labelled", "change a document's tags, summary or date")
    label.add_argument("id", metavar="ID")
    label.add_argument("--tag", action="append", help="may be repeated: these tags and no others")
    label.add_argument("--summary")
    label.add_argument("--dated", type=date.fromisoformat, metavar="YYYY-MM-DD")


def _search(actions: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    search = _action(actions, "search", "documents:found", "the passages that a question would be answered from")
    search.add_argument("question")
    search.add_argument("--count", type=int, help="passages (default: as configured)")
    search.add_argument("--explain", action="store_true", help="what the ranking comes from")
    _filters(search)
    search.add_argument(
        "--since", type=date.fromisoformat, metavar="YYYY-MM-DD", help="of documents dated from then on"
    )
    search.add_argument("--until", type=date.fromisoformat, metavar="YYYY-MM-DD", help="of documents dated until then")


def _curated(actions: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    faq = actions.add_parser("faq", help="answers that are said word for word")
    nested = faq.add_subparsers(required=True, metavar="ACTION")
    _action(nested, "list", "curated:listed", "every curated answer")
    add = _action(nested, "add", "curated:added", "add one")
    add.add_argument("--question", action="append", required=True, help="may be repeated: ways to ask it")
    add.add_argument("--answer", required=True)
    add.add_argument("--emotion")
    add.add_argument("--gesture")
    add.add_argument("--since", metavar="YYYY-MM-DD", help="the first day it holds")
    add.add_argument("--until", metavar="YYYY-MM-DD", help="the last day it holds")
    remove = _action(nested, "remove", "curated:removed", "remove some")
    remove.add_argument("ids", nargs="+", metavar="ID")
    load = _action(nested, "import", "curated:imported", "add all of an FAQ sheet (CSV, XLSX, JSON)")
    load.add_argument("file", type=Path)


def _editions(actions: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    _action(actions, "versions", "editions:listed", "what the base said and when")
    back = _action(actions, "rollback", "editions:rolled_back", "say again what an earlier edition said")
    back.add_argument(
        "edition", nargs="?", type=int, metavar="NUMBER", help="(default: the one before the current one)"
    )
    _action(actions, "rebuild", "editions:rebuilt", "make the indexes and vectors anew from the documents")


def _carrying(actions: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    export = _action(actions, "export", "bases:exported", "write the whole base to one archive")
    export.add_argument("file", type=Path)
    load = _action(actions, "import", "bases:imported", "make a knowledge base of an archive")
    load.add_argument("file", type=Path)
