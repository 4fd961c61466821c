"""`zhubo ingest PATH…`: put documents into the knowledge base of this instance."""

import argparse
import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from configs.engines import build
from configs.home import Home, current
from configs.settings import Settings
from server.commands.options import settings_from, with_settings

if TYPE_CHECKING:
    from knowledge.base import KnowledgeBase
    from knowledge.parse import FileLimits


def register(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = subparsers.add_parser("ingest", help="put documents into the knowledge base")
    parser.add_argument(
        "paths", nargs="+", type=Path, metavar="PATH", help="a file, or a folder of Markdown, text, HTML, PDF and DOCX"
    )
    with_settings(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    return asyncio.run(ingest(arguments.paths, settings_from(arguments), current()))


async def ingest(paths: list[Path], settings: Settings, home: Home) -> int:
    """0 when every file is in; 1 when one could not be read, or when the knowledge base cannot be used."""
    from knowledge.base import KnowledgeBase
    from knowledge.documents import KnowledgeUnavailable
    from knowledge.embedding import EmbedderError
    from knowledge.ingest import sources
    from knowledge.parse import FileLimits
    from knowledge.store import StoreError

    found = sources(paths)
    if not found:
        sys.stderr.write("zhubo: there is no document in these paths\n")
        return 1
    limits = FileLimits(size=settings.server.upload_bytes)
    try:
        embedder = build("embedders", settings.embedder, home)
        store = build("stores", settings.store, home)
    except (EmbedderError, StoreError) as error:
        sys.stderr.write(f"zhubo: {error}\n")
        return 1
    knowledge = KnowledgeBase(home.data, embedder, store, limits)
    try:
        await knowledge.open()
        taken = [await _take(knowledge, name, path, limits) for name, path in found]
        await _finish(knowledge)
    except (KnowledgeUnavailable, EmbedderError, StoreError) as error:
        sys.stderr.write(f"zhubo: {error}\n")
        return 1
    finally:
        await knowledge.close()
    return 0 if all(taken) else 1


async def _take(knowledge: "KnowledgeBase", name: str, path: Path, limits: "FileLimits") -> bool:
    """Ingest one file and say what became of it; False when it cannot become a document."""
    from knowledge.documents import DocumentError, KnowledgeUnavailable
    from knowledge.parse import check_size

    try:
        check_size(name, (await asyncio.to_thread(path.stat)).st_size, limits)
        done = await knowledge.ingest(name, await asyncio.to_thread(path.read_bytes))
    except DocumentError as error:
        sys.stderr.write(f"{name}: {error.code}: {error}\n")
        return False
    except OSError as error:
        sys.stderr.write(f"{name}: unreadable: {error.strerror}\n")
        return False
    except KnowledgeUnavailable:
        raise
    except Exception as error:  # noqa: BLE001 - whatever is wrong with one file does not keep the others out
        sys.stderr.write(f"{name}: failed: {error!r}\n")
        return False
    what = "unchanged" if done.unchanged else f"{done.document.passages} passages"
    sys.stdout.write(f"{name}: {what} ({done.document.title})\n")
    for warning in done.warnings:
        sys.stderr.write(f"{name}: {warning}\n")
    return True


async def _finish(knowledge: "KnowledgeBase") -> None:
    """Wait for the vectors, showing how many are left; a store that fails does not keep us."""
    settled = asyncio.create_task(knowledge.settled())
    while not settled.done():
        await asyncio.wait({settled}, timeout=0.5)
        state = knowledge.state()
        if state.trouble is not None:
            sys.stderr.write(f"zhubo: vectors will be made at the next start: {state.trouble}\n")
            break
        if sys.stdout.isatty():
            sys.stdout.write(f"\r{state.pending} vectors to make \x1b[K" if state.pending else "\r\x1b[K")
            sys.stdout.flush()
    settled.cancel()
    state = knowledge.state()
    sys.stdout.write(f"{state.documents} documents, {state.passages} passages\n")
