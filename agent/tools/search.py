"""A tool that looks something up in the presenter's own documents."""

from collections.abc import Mapping
from typing import Any, Protocol

from agent.events import Citation
from agent.tools.tool import Arguments, Context, Result, ToolError
from configs.language import Lang
from knowledge.documents import KnowledgeUnavailable, Passage, Retrieval

PASSAGES = 4
_NOTHING: dict[Lang, str] = {"zh": "资料里没有提到。", "en": "The documents don't say."}
_AWAY: dict[Lang, str] = {"zh": "资料暂时无法查阅。", "en": "The documents cannot be read at the moment."}


class Knowledge(Protocol):
    async def search(self, question: str, count: int) -> Retrieval: ...


class Search:
    """Its result is the passages, each with what it is cited by; a curated answer comes alone."""

    name = "knowledge"
    description: Mapping[Lang, str] = {
        "zh": "在资料库里查找与问题有关的段落。",
        "en": "Look up passages about a question in the documents.",
    }
    parameters: Mapping[str, Any] = {
        "type": "object",
        "properties": {"query": {"type": "string", "minLength": 1, "maxLength": 300}},
        "required": ["query"],
        "additionalProperties": False,
    }
    seconds: float | None = None

    def __init__(self, knowledge: Knowledge) -> None:
        self._knowledge = knowledge

    async def call(self, arguments: Arguments, context: Context) -> Result:
        try:
            found = await self._knowledge.search(arguments["query"], PASSAGES)
        except KnowledgeUnavailable as error:
            raise ToolError("unavailable", _AWAY[context.lang]) from error
        passages = [hit.passage for hit in found.hits]
        cited = tuple(_cited(passage) for passage in passages)
        if found.curated is not None:
            return Result(found.curated.entry.answer, citations=cited)
        text = "\n\n".join(f"{number}. {one.title}: {one.text}" for number, one in enumerate(passages, 1))
        return Result(text or _NOTHING[context.lang], citations=cited)


def _cited(passage: Passage) -> Citation:
    return Citation(passage.document, passage.title, passage.source, passage.text, passage.place, passage.revision)
