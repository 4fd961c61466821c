"""A moderator that looks words up in lexicon files, and follows the files as they change."""

import asyncio
import logging
import time
from importlib.resources import files
from pathlib import Path

from pydantic import Field

from agent.engines.homophones import reading
from agent.moderation.findings import Finding
from agent.moderation.lexicon import Lexicon as Terms
from agent.moderation.lexicon import Term
from agent.moderation.lexicon_files import LexiconError, read
from configs.engines import ConfigError, Options
from configs.home import Home
from configs.language import Lang

log = logging.getLogger(__name__)
State = tuple[tuple[int, int], ...]


class LexiconOptions(Options):
    """`packaged`: the small lexicon that ships. `files`: an operator's own, .yaml or .tsv. `homophones`: find Chinese
    terms by their sound, too; None: where pypinyin is installed. `check`: seconds between two looks at the files."""

    packaged: bool = True
    files: tuple[Path, ...] = ()
    homophones: bool | None = None
    check: float = Field(default=1.0, ge=0)


class Lexicon:
    """Judges in well under a millisecond, on the event loop. A file that went bad is told in the log, once, and the
    terms that were read last stay."""

    Options = LexiconOptions

    def __init__(self, options: LexiconOptions, home: Home) -> None:
        self._check = options.check
        folder = Path(str(files("configs") / "lexicon"))
        packaged = sorted(folder.glob("*.yaml")) if options.packaged else []
        self._files = (*packaged, *(path.expanduser() for path in options.files))
        self._reading = reading() if options.homophones is not False else None
        if options.homophones and self._reading is None:
            raise ConfigError("homophones need pypinyin; see the extras in the README")
        self._state = self._look()
        self._looked = time.monotonic()
        self._loading: asyncio.Task[None] | None = None
        try:
            self._terms = self._load()
        except LexiconError as error:
            raise ConfigError(f"lexicon: {error}") from error

    async def judge(self, text: str, lang: Lang) -> tuple[Finding, ...]:
        self._follow()
        return self._terms.find(text)

    async def aclose(self) -> None:
        if self._loading is not None:
            self._loading.cancel()
            await asyncio.gather(self._loading, return_exceptions=True)

    def _follow(self) -> None:
        """Read the files again in the background when one of them has changed."""
        now = time.monotonic()
        if now - self._looked < self._check or (self._loading is not None and not self._loading.done()):
            return
        self._looked = now
        state = self._look()
        if state != self._state:
            self._state = state
            self._loading = asyncio.create_task(self._reload(), name="lexicon")

    async def _reload(self) -> None:
        try:
            self._terms = await asyncio.to_thread(self._load)
        except LexiconError as error:
            log.error("the lexicon stays as it was: %s", error)
        else:
            log.info("lexicon read again: %d terms", self._terms.size)

    def _load(self) -> Terms:
        terms: list[Term] = [term for path in self._files for term in read(path)]
        return Terms(terms, self._reading)

    def _look(self) -> State:
        """Times and sizes; (0, 0) for a file that is not there."""
        return tuple(map(_stat, self._files))


def _stat(path: Path) -> tuple[int, int]:
    try:
        stat = path.stat()
    except OSError:
        return 0, 0
    return stat.st_mtime_ns, stat.st_size
