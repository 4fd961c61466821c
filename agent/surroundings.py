"""The text of the section that a passage was cut from: what it needs around it to be understood."""

from collections.abc import Sequence
from typing import Protocol

from knowledge.documents import Document, Hit


class Documents(Protocol):
    async def document(self, identifier: str, revision: int | None = None) -> Document | None: ...


async def surroundings(documents: Documents, hits: Sequence[Hit]) -> dict[str, str]:
    """By passage; none where it is the whole section, or its document is gone. Raises KnowledgeUnavailable.

    Of several bases another may have a document of the same id: one without the passage in its place is not its own.
    """
    texts: dict[tuple[str, int], Document | None] = {}
    found: dict[str, str] = {}
    for passage in (hit.passage for hit in hits):
        place, key = passage.place, (passage.document, passage.revision)
        if place.parent is None or place.parent == (place.start, place.end):
            continue
        if key not in texts:
            texts[key] = await documents.document(*key)
        document = texts[key]
        if document is not None and document.text[place.start : place.end] == passage.text:
            found[passage.id] = document.text[slice(*place.parent)]
    return found
