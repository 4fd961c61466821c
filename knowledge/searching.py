"""One search from question to hits: curated answers, words, vectors, fusion and, where there is one, a reranker."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from time import perf_counter

from knowledge.dense import DenseIndex
from knowledge.documents import ANYTHING, Curated, Filter, Hit, KnowledgeUnavailable, Retrieval
from knowledge.embedding import EmbedderError, Vectors
from knowledge.rerank import RerankError, Reranking
from knowledge.retrieve import WORDS, Mix, Nearest, Wording
from knowledge.stacks import Stacks
from knowledge.vectors import Patience

_RERANKED = 20
"""Hits that a reranker is given."""
Timings = dict[str, float]


@dataclass(frozen=True, slots=True)
class _Meant:
    """A wording with its vector; without one, `reason` says why."""

    text: str
    vector: Vectors | None
    reason: str | None = None


class Search:
    def __init__(self, stacks: Stacks, reranker: Reranking | None, patience: Patience) -> None:
        self._stacks, self._reranker, self._patience = stacks, reranker, patience

    async def run(self, questions: Sequence[str], count: int, only: Filter, mix: Mix, today: date) -> Retrieval:
        """`questions`: the question, then other wordings of it. Raises KnowledgeUnavailable."""
        with self._stacks.dense.serving.lent() as index:
            return await self._found(index, questions, count, only, mix, today)

    async def _found(
        self, index: DenseIndex, questions: Sequence[str], count: int, only: Filter, mix: Mix, today: date
    ) -> Retrieval:
        """All of it by the vectors of one embedder."""
        began = perf_counter()
        timings: Timings = {}
        question = questions[0]
        if (exact := self._stacks.answers.exact(question, today)) is not None:
            return await self._curated(question, exact, timings, began)
        meant = await self._meant(index, questions, mix, timings)
        if (curated := await self._paraphrase(index, meant[0], today)) is not None:
            return await self._curated(question, curated, timings, began)
        wordings, reason = await self._wordings(index, meant, only, timings)
        wider = max(count, _RERANKED) if self._reranker else count
        ranking = await self._stacks.search(wordings, wider, only, mix)
        timings |= ranking.timings
        hits, doubt = await self._reranked(question, ranking.hits, count, timings)
        told, identity = _total(timings, began), index.embedding.identity
        return Retrieval(question, hits, told, reason or doubt, ranking.weights, embedder=identity)

    async def _curated(self, question: str, curated: Curated, timings: Timings, began: float) -> Retrieval:
        """With the row of its sheet, where it is from one."""
        hits: tuple[Hit, ...] = ()
        if curated.document is not None:
            only = Filter(documents=frozenset({curated.document}))
            hits = (await self._stacks.search([Wording(curated.entry.questions[0])], 1, only, WORDS)).hits
        return Retrieval(question, hits, _total(timings, began), curated=curated)

    async def _meant(self, index: DenseIndex, questions: Sequence[str], mix: Mix, timings: Timings) -> list[_Meant]:
        if mix.vectors == 0:
            return [_Meant(question, None) for question in questions]
        if index.passages.broken:
            raise KnowledgeUnavailable(index.passages.trouble or "the vector store cannot be read")
        if not index.passages.any and not index.questions.any:
            return [_Meant(question, None, index.passages.lack) for question in questions]
        began = perf_counter()
        meant = []
        for question in questions:
            try:
                meant.append(_Meant(question, await index.embedding.question(question, self._patience.question)))
            except EmbedderError as error:
                meant.append(_Meant(question, None, str(error)))
        timings["embedding"] = (perf_counter() - began) * 1e3
        return meant

    async def _wordings(
        self, index: DenseIndex, meant: Sequence[_Meant], only: Filter, timings: Timings
    ) -> tuple[list[Wording], str | None]:
        """The wordings with their neighbours, and why there are none where there are none."""
        if all(one.vector is None for one in meant):
            return [Wording(one.text) for one in meant], meant[0].reason
        began = perf_counter()
        among = await self._stacks.allowed(only) if only != ANYTHING else None
        shown = self._stacks.passages if among is None else len(among)
        wordings: list[Wording] = []
        reason = meant[0].reason
        for one in meant:
            nearest: Nearest | None = None
            if one.vector is not None:
                try:
                    nearest = _closer(index, await index.passages.nearest(one.vector, shown, among), one.vector)
                    reason = reason or (index.passages.lack if nearest is None else None)
                except TimeoutError as error:
                    reason = str(error)
            wordings.append(Wording(one.text, nearest))
        timings["vectors"] = (perf_counter() - began) * 1e3
        return wordings, reason

    async def _paraphrase(self, index: DenseIndex, meant: _Meant, today: date) -> Curated | None:
        """A curated answer to the same question in other words; none while its vectors are being made."""
        answers = self._stacks.answers
        if meant.vector is None or not len(answers):
            return None
        try:
            nearest = await index.questions.nearest(meant.vector, len(answers.wordings()))
        except TimeoutError:
            return None
        return answers.paraphrase(meant.text, nearest.similarities, today) if nearest else None

    async def _reranked(
        self, question: str, hits: tuple[Hit, ...], count: int, timings: Timings
    ) -> tuple[tuple[Hit, ...], str | None]:
        """In the reranker's order; as they are, saying why, where it fails or is late."""
        if self._reranker is None or not hits:
            return hits[:count], None
        began = perf_counter()
        texts = [hit.passage.text for hit in hits]
        try:
            scores = await self._reranker.scores(question, texts, self._patience.question)
        except RerankError as error:
            return hits[:count], str(error)
        scored = [replace(hit, rerank=float(score)) for hit, score in zip(hits, scores, strict=True)]
        timings["rerank"] = (perf_counter() - began) * 1e3
        return tuple(sorted(scored, key=lambda hit: -(hit.rerank or 0.0))[:count]), None


def _closer(index: DenseIndex, nearest: Nearest | None, vector: Vectors) -> Nearest | None:
    sentences = index.sentences
    if nearest is None or sentences is None:
        return nearest
    return replace(nearest, closer=lambda ids: sentences.cosines(vector, ids))


def _total(timings: Timings, began: float) -> Timings:
    return timings | {"total": (perf_counter() - began) * 1e3}
