"""`zhubo kb documents|remove|label|search`."""

import sys
from collections.abc import Iterator

from server.bodies.documents import Labels, Summary, chosen
from server.bodies.search import FilterBody, Found, Question, Result
from server.commands.kb.asked import asked
from server.commands.kb.desk import Desk, Refused
from server.timecode import time_code


async def listed(desk: Desk) -> int:
    arguments = desk.arguments
    entries = chosen(desk.base.documents(), arguments.lang, arguments.format, arguments.tag, arguments.text)
    found = [Summary.model_validate(entry) for entry in entries]
    desk.show(found, map(_line, found))
    return 0


async def removed(desk: Desk) -> int:
    forever = desk.arguments.forever
    gone = {identifier: await desk.base.remove(identifier, forever=forever) for identifier in desk.arguments.ids}
    for identifier, there in gone.items():
        if not there:
            sys.stderr.write(f"zhubo: unknown_document: {identifier}; `zhubo kb documents` lists the ids\n")
    return 0 if all(gone.values()) else 1


async def labelled(desk: Desk) -> int:
    arguments = desk.arguments
    given = {
        name: value
        for name, value in (("tags", arguments.tag), ("summary", arguments.summary), ("dated", arguments.dated))
        if value is not None
    }
    labels = asked(Labels, **given)
    entry = await desk.base.label(arguments.id, **labels.given())
    if entry is None:
        raise Refused(f"unknown_document: {arguments.id}; `zhubo kb documents` lists the ids")
    body = Summary.model_validate(entry)
    desk.show(body, [_line(body)])
    return 0


async def found(desk: Desk) -> int:
    arguments = desk.arguments
    filters = {"tags": arguments.tag, "since": arguments.since, "until": arguments.until}
    filters |= {"langs": [arguments.lang]} if arguments.lang else {}
    filters |= {"formats": [arguments.format]} if arguments.format else {}
    question = asked(
        Question,
        question=arguments.question,
        count=arguments.count or desk.settings.knowledge.passages,
        filter=asked(FilterBody, **filters),
        explain=arguments.explain,
    )
    await desk.settled()
    retrieval = await desk.base.search(question.question, question.count or 1, only=question.filter.filter())
    result = Result.of(retrieval, question.explain)
    desk.show(result, _result(result))
    return 0


def _line(summary: Summary) -> str:
    dated = f", {summary.dated}" if summary.dated else ""
    tags = f" [{', '.join(summary.tags)}]" if summary.tags else ""
    return f"{summary.id}  {summary.source}: {summary.title} ({summary.passages} passages{dated}){tags}"


def _result(result: Result) -> Iterator[str]:
    if result.degraded:
        yield f"by words alone: {result.degraded}"
    if result.curated:
        yield f"curated answer {result.curated.id}: {result.curated.answer}"
    if not (result.curated or result.passages):
        yield "nothing is found"
    for rank, passage in enumerate(result.passages, 1):
        yield f"{rank}. {_place(passage)}  {passage.score:.2f}"
        if (why := passage.explanation) is not None:
            dense = "–" if why.dense is None else f"{why.dense:.3f}"
            rerank = "" if why.rerank is None else f", rerank {why.rerank:.3f}"
            yield f"   words {why.lexical:.2f}, coverage {why.coverage:.2f}, vectors {dense}{rerank}"
        yield f"   {passage.text}"
    if (trace := result.trace) is not None:
        weights = sorted(trace.weights.items(), key=lambda item: -item[1])
        yield "terms: " + ", ".join(f"{term} {weight:.2f}" for term, weight in weights)
        yield "ms: " + ", ".join(f"{stage} {value:.1f}" for stage, value in trace.timings.items())
        if trace.enough is not None:
            yield f"answers from support {trace.enough:.3f} on"


def _place(passage: Found) -> str:
    parts = [passage.title, *(heading for heading in passage.section if heading != passage.title)]
    parts += [f"p. {passage.page}"] if passage.page else []
    parts += [time_code(passage.at)] if passage.at is not None else []
    return " › ".join(parts)
