"""Every question of some data sets put to a whole service."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory

from agent.commands import Say
from agent.presenter import Presenter
from configs.home import Home
from configs.settings import Settings
from knowledge.base import KnowledgeBase
from knowledge.bases import MAIN, UnknownBase
from knowledge.documents import DocumentError
from knowledge.evaluation.answers import Given, borne_out
from knowledge.evaluation.datasets import Case, DataError, Dataset, contains
from knowledge.evaluation.vectors import Progress
from knowledge.ingest import sources
from server.asking import ask
from server.assemble import Service


@asynccontextmanager
async def serving(settings: Settings, home: Home, corpus: Sequence[Path]) -> AsyncIterator[Presenter]:
    """The persona on its own knowledge base or, where a corpus is named, on one that has nothing else.

    Raises DataError, ConfigError and KnowledgeUnavailable.
    """
    with TemporaryDirectory() as folder:
        known = settings.knowledge.model_copy(update={"sample": settings.knowledge.sample and not corpus})
        settings = settings.model_copy(update={"knowledge": known})
        service = Service(settings, Home(Path(folder), home.cache) if corpus else home)
        base = MAIN if corpus else service.persona.base
        try:
            await service.open()
            await _learn(service.bases.get(base), corpus)
            yield service.presenter_for(base)
        except UnknownBase as error:
            raise DataError(f"{error}; name documents with --corpus PATH") from error
        finally:
            await service.close()


async def answers(presenter: Presenter, dataset: Dataset, progress: Progress) -> list[Given]:
    """Those questions of which the data say what a right answer is."""
    cases = [case for case in dataset.cases if case.accepted or case.unanswerable]
    given = []
    for number, case in enumerate(cases, 1):
        given.append(await _given(presenter, dataset, case))
        if number % 10 == 0 or number == len(cases):
            progress(f"{dataset.name}: {number} of {len(cases)} answered")
    return given


async def _given(presenter: Presenter, dataset: Dataset, case: Case) -> Given:
    answer = await ask(presenter, Say(case.question, dataset.lang))
    return Given(
        id=f"{dataset.name} {case.id}",
        lang=dataset.lang,
        unanswerable=case.unanswerable,
        refused=answer.refused,
        right=not answer.refused and contains(answer.text, case.accepted),
        failed=answer.fallback is not None,
        clauses=borne_out(answer.text, [citation.quote for citation in answer.citations]),
        timings={stage: spent for stage, spent in asdict(answer.timings).items() if spent is not None},
        answer=answer.text,
    )


async def _learn(knowledge: KnowledgeBase, corpus: Sequence[Path]) -> None:
    """Take the corpus in, and wait for the vectors."""
    found = sources(corpus)
    if corpus and not found:
        raise DataError("there is no document in the paths of --corpus")
    for name, path in found:
        try:
            await knowledge.ingest(name, await asyncio.to_thread(path.read_bytes))
        except DocumentError as error:
            raise DataError(f"{name}: {error.code}: {error}") from error
        except OSError as error:
            raise DataError(f"{name}: cannot be read: {error.strerror}") from error
    if knowledge.state().trouble is None:
        await knowledge.settled()
