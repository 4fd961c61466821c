"""The knowledge bases of one instance, side by side: each with a folder, a library and vectors of its own."""

import asyncio
import logging
import re
import shutil
import tempfile
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path

from knowledge.archive import pack, unpack
from knowledge.base import Engines, KnowledgeBase
from knowledge.database import FILE
from knowledge.documents import Document, DocumentError, KnowledgeUnavailable, Retrieval
from knowledge.embedding import Embedding
from knowledge.vectors import Patience

log = logging.getLogger(__name__)

MAIN = "main"
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
_TITLE = "title"
_MOST = 20_000_000_000
"""Bytes that an imported library may have."""


class UnknownBase(LookupError):
    """There is no knowledge base of this name."""


class Bases:
    """`folder` holds one folder a base; `main` is there from the first start on."""

    def __init__(
        self,
        folder: Path,
        engines: Engines,
        keep: int = 20,
        patience: Patience | None = None,
        today: Callable[[], date] = date.today,
    ) -> None:
        self._folder, self._engines, self._keep, self._patience, self._today = folder, engines, keep, patience, today
        self._bases: dict[str, KnowledgeBase] = {}
        self._titles: dict[str, str] = {}
        self._changing = asyncio.Lock()

    @property
    def embedding(self) -> Embedding:
        """Shared by all of them."""
        return self._engines.embedding

    async def open(self) -> None:
        """Raises KnowledgeUnavailable where the main library cannot be used; another one keeps only its own base, which
        then tells why, from being used."""
        names = await asyncio.to_thread(_found, self._folder)
        for name in sorted({MAIN, *names}):
            base = self._made(name)
            try:
                await self._admit(base)
            except (KnowledgeUnavailable, OSError, ValueError, TypeError, LookupError) as error:
                told = str(error) if isinstance(error, KnowledgeUnavailable) else self._damaged(name, error)
                await base.shut(told)
                if name == MAIN:
                    raise KnowledgeUnavailable(told) from error
                log.error("knowledge base %s cannot be used: %s", name, told)
                self._bases[name] = base

    async def close(self) -> None:
        bases = list(self._bases.values())
        self._bases.clear()
        await asyncio.gather(*(base.close() for base in bases))

    def names(self) -> list[str]:
        return sorted(self._bases)

    def title(self, name: str) -> str:
        self.get(name)
        return self._titles.get(name) or name

    def get(self, name: str) -> KnowledgeBase:
        """Raises UnknownBase."""
        try:
            return self._bases[name]
        except KeyError:
            raise UnknownBase(f"there is no knowledge base {name!r}") from None

    async def create(self, name: str, title: str = "") -> KnowledgeBase:
        """Raises DocumentError: `bad_name`, or `name_taken`."""
        async with self._changing:
            self._check(name)
            base = await self._open(name)
            await base.set_note(_TITLE, title or name)
            self._titles[name] = title or name
            return base

    async def delete(self, name: str) -> None:
        """Forget a base with everything in it. Raises UnknownBase, and DocumentError `main_stays`."""
        async with self._changing:
            base = self.get(name)
            if name == MAIN:
                raise DocumentError("main_stays", "the main knowledge base cannot be deleted; delete its documents")
            del self._bases[name]
            await base.forget()
            await base.close()
            await asyncio.to_thread(shutil.rmtree, self._folder / name, ignore_errors=True)

    async def export(self, name: str, path: Path) -> None:
        """Write one archive of a base, with the editions that are kept; its vectors can be made anew."""
        base = self.get(name)
        with tempfile.TemporaryDirectory(dir=path.parent) as folder:
            copy = Path(folder) / FILE
            await base.export(copy)
            await asyncio.to_thread(pack, copy, self.title(name), path)

    async def load(self, archive: Path, name: str) -> KnowledgeBase:
        """Make a base of an archive. Raises DocumentError for a bad name or archive; nothing is left of it then."""
        async with self._changing:
            self._check(name)
            folder = self._folder / name
            try:
                title = await asyncio.to_thread(unpack, archive, folder, _MOST)
                base = await self._open(name)
                await base.set_note(_TITLE, title or name)
            except BaseException as error:
                if (opened := self._bases.pop(name, None)) is not None:
                    await opened.close()
                await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
                match error:
                    case DocumentError():
                        raise
                    case OSError():
                        raise KnowledgeUnavailable(f"the archive cannot be unpacked: {error.strerror}") from error
                    case ValueError() | TypeError() | LookupError():
                        raise DocumentError("damaged", "the library in the archive is damaged") from error
                raise
            self._titles[name] = title or name
            return base

    async def _open(self, name: str) -> KnowledgeBase:
        base = self._made(name)
        await self._admit(base)
        return base

    async def _admit(self, base: KnowledgeBase) -> None:
        await base.open()
        self._bases[base.name] = base
        self._titles[base.name] = await base.note(_TITLE) or base.name

    def _damaged(self, name: str, error: Exception) -> str:
        """Without the values, which are the documents' own."""
        return f"the library in {self._folder / name} is damaged: {type(error).__name__}"

    def _made(self, name: str) -> KnowledgeBase:
        return KnowledgeBase(self._folder / name, self._engines, name, self._keep, self._patience, self._today)

    def _check(self, name: str) -> None:
        if not _NAME.fullmatch(name):
            raise DocumentError(
                "bad_name", "a name is made of a to z, 0 to 9 and hyphens, begins with no hyphen, 40 at most"
            )
        if name in self._bases:
            raise DocumentError("name_taken", f"there is a knowledge base {name!r} already")


class Named:
    """The base of a name, whichever that is when it is asked: one that is deleted and made anew is another one. Raises
    UnknownBase where there is none to begin with."""

    def __init__(self, bases: Bases, name: str) -> None:
        bases.get(name)
        self._bases, self._name = bases, name

    async def search(self, question: str, count: int, *, also: Sequence[str] = ()) -> Retrieval:
        """Raises KnowledgeUnavailable, also while there is none."""
        return await self._base().search(question, count, also=also)

    async def document(self, identifier: str, revision: int | None = None) -> Document | None:
        """Raises KnowledgeUnavailable, also while there is none."""
        return await self._base().document(identifier, revision)

    def _base(self) -> KnowledgeBase:
        try:
            return self._bases.get(self._name)
        except UnknownBase as error:
            raise KnowledgeUnavailable(str(error)) from error


def _found(folder: Path) -> list[str]:
    """Bases that are in the folder. A library of the first layout, beside the folder, becomes the main one."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        before, now = folder.parent / FILE, folder / MAIN / FILE
        if before.exists() and not now.exists():
            now.parent.mkdir(exist_ok=True)
            for tail in ("-wal", "-shm", ""):  # the library itself last: until then the move can be made again
                if (part := before.with_name(FILE + tail)).exists():
                    part.rename(now.with_name(FILE + tail))
        return [entry.name for entry in folder.iterdir() if _NAME.fullmatch(entry.name) and (entry / FILE).exists()]
    except OSError as error:
        raise KnowledgeUnavailable(f"the knowledge bases in {folder} cannot be read: {error.strerror}") from error
