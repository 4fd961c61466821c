"""Where `zhubo kb` works: the knowledge bases, opened for one action, and what is said of it."""

import argparse
import asyncio
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib import import_module

import orjson
from pydantic import BaseModel

from configs.engines import ConfigError
from configs.home import Home, current
from configs.settings import Settings
from knowledge.addresses import WebError
from knowledge.base import KnowledgeBase
from knowledge.bases import Bases, UnknownBase
from knowledge.documents import DocumentError, KnowledgeUnavailable
from knowledge.embedding import EmbedderError
from knowledge.store import StoreError
from server.commands.options import settings_from
from server.stock import opened


class Refused(RuntimeError):
    """An action that is not done; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Desk:
    bases: Bases
    settings: Settings
    home: Home
    arguments: argparse.Namespace

    @property
    def base(self) -> KnowledgeBase:
        """The one that was named."""
        return self.bases.get(self.arguments.base)

    def show(self, data: BaseModel | Sequence[BaseModel], lines: Iterable[str]) -> None:
        """The same as JSON, where that was asked for, or as text."""
        if self.arguments.json:
            one = data.model_dump(mode="json") if isinstance(data, BaseModel) else None
            plain = one or [each.model_dump(mode="json") for each in data if isinstance(each, BaseModel)]
            sys.stdout.write(orjson.dumps(plain, option=orjson.OPT_INDENT_2).decode() + "\n")
        else:
            sys.stdout.writelines(f"{line}\n" for line in lines)
        sys.stdout.flush()

    async def settled(self) -> None:
        """Wait for the vectors, showing how many are left; a store that fails does not keep us."""
        knowledge, shown = self.base, sys.stdout.isatty() and not self.arguments.json
        settled = asyncio.create_task(knowledge.settled())
        while not settled.done():
            await asyncio.wait({settled}, timeout=0.5)
            state = knowledge.state()
            if state.trouble is not None:
                sys.stderr.write(f"zhubo: vectors will be made at the next start: {state.trouble}\n")
                break
            if shown:
                sys.stdout.write(f"\r{state.pending} vectors to make \x1b[K" if state.pending else "\r\x1b[K")
                sys.stdout.flush()
        settled.cancel()


def perform(action: str, arguments: argparse.Namespace) -> int:
    """Do one action; 1 where it could not be done, which is told in one line."""
    module, name = action.split(":")
    does = getattr(import_module(f"server.commands.kb.{module}"), name)
    settings, home = settings_from(arguments), current()

    async def act() -> int:
        async with opened(settings, home) as bases:
            code: int = await does(Desk(bases, settings, home, arguments))
            return code

    try:
        return asyncio.run(act())
    except ExceptionGroup as group:  # engines are built side by side
        raise ConfigError("; ".join(map(str, group.exceptions))) from group
    except (DocumentError, WebError) as error:
        sys.stderr.write(f"zhubo: {error.code}: {error}\n")
    except (KnowledgeUnavailable, UnknownBase, EmbedderError, StoreError, Refused) as error:
        sys.stderr.write(f"zhubo: {error}\n")
    return 1
