"""What a knowledge base finds, as a LangChain retriever."""

import asyncio
from dataclasses import dataclass
from typing import Any, Protocol

from langchain_core.callbacks import AsyncCallbackManagerForRetrieverRun, CallbackManagerForRetrieverRun
from langchain_core.documents import Document
from langchain_core.retrievers import BaseRetriever
from pydantic import Field

from knowledge.documents import Hit, Retrieval


class Searchable(Protocol):
    async def search(self, question: str, count: int) -> Retrieval: ...


@dataclass(frozen=True, slots=True)
class _Home:
    """The event loop that the knowledge base lives in."""

    loop: asyncio.AbstractEventLoop


class Retriever(BaseRetriever):
    """Made where the knowledge base's event loop runs. `invoke` is for other threads, `ainvoke` for that loop.

    `base`: anything with `search(question, count)`, such as a KnowledgeBase, whose KnowledgeUnavailable goes through.
    """

    base: Any
    count: int = Field(default=5, ge=1)

    def model_post_init(self, context: Any) -> None:
        super().model_post_init(context)
        self._home = _Home(asyncio.get_running_loop())

    def _get_relevant_documents(self, query: str, *, run_manager: CallbackManagerForRetrieverRun) -> list[Document]:
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            return asyncio.run_coroutine_threadsafe(self._found(query), self._home.loop).result()
        raise RuntimeError("inside an event loop use ainvoke, which does not block it")

    async def _aget_relevant_documents(
        self, query: str, *, run_manager: AsyncCallbackManagerForRetrieverRun
    ) -> list[Document]:
        return await self._found(query)

    async def _found(self, query: str) -> list[Document]:
        base: Searchable = self.base
        return [document(hit) for hit in (await base.search(query, self.count)).hits]


def document(hit: Hit) -> Document:
    """A passage with where it stands: the character span is that of its document's text."""
    passage, place = hit.passage, hit.passage.place
    metadata = {
        "document": passage.document,
        "source": passage.source,
        "title": passage.title,
        "revision": passage.revision,
        "section": list(place.section),
        "page": place.page,
        "at": place.at,
        "start": place.start,
        "end": place.end,
        "score": hit.score,
        "dense": hit.dense,
        "rerank": hit.rerank,
    }
    return Document(id=passage.id, page_content=passage.text, metadata=metadata)
