"""`zhubo eval retrieval|refusal|answers --data FILE…`: what retrieval, the judge and whole answers are worth."""

import argparse
import asyncio
import sys
from collections.abc import Callable, Sequence
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from configs.engines import ConfigError, build
from configs.home import current
from server.commands.options import settings_from, with_settings

if TYPE_CHECKING:
    from knowledge.evaluation.datasets import Dataset
    from knowledge.evaluation.refusal import Told
    from server.evaluation.corpora import Corpora
    from server.evaluation.refusal import Base, Trial


def register(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = subparsers.add_parser(
        "eval", help="measure retrieval, refusal and answers on questions with known answers"
    )
    kinds = parser.add_subparsers(required=True, metavar="retrieval|refusal|answers")
    found = _kind(kinds, "retrieval", "is the right passage found? by words, by vectors, by both", _retrieval)
    refused = _kind(kinds, "refusal", "are questions refused whose right passages are not there?", _refusal)
    refused.add_argument(
        "--split", choices=("half",), help="fit the threshold on half of the articles, report the other"
    )
    refused.add_argument("--model", action="store_true", help="put a sample to the whole presenter too")
    refused.add_argument(
        "--sample", type=int, default=50, metavar="N", help="answerable and as many others (default: 50)"
    )
    for one in (found, refused):
        more = "further passages to find the right one among: one a line, or .jsonl with `text`, or SQuAD"
        one.add_argument("--distractors", nargs="+", action="extend", default=[], type=Path, metavar="FILE", help=more)
        one.add_argument("--index", type=Path, metavar="DIR", help="where vectors are kept for the next run")
    _kind(kinds, "answers", "are the whole presenter's answers right, and borne out?", _answers)


def _kind(kinds: Any, name: str, what: str, measure: Callable[[argparse.Namespace], dict[str, Any]]) -> Any:
    parser = kinds.add_parser(name, help=what)
    data = "questions: .json in SQuAD format, whose paragraphs are the passages, or .jsonl of our own"
    parser.add_argument("--data", nargs="+", action="extend", required=True, type=Path, metavar="FILE", help=data)
    documents = "documents that the questions are about: files and folders"
    parser.add_argument("--corpus", nargs="+", action="extend", default=[], type=Path, metavar="PATH", help=documents)
    parser.add_argument("--json", type=Path, metavar="OUT", help="write every figure, question by question")
    parser.add_argument("--compare", type=Path, metavar="EARLIER", help="the --json of an earlier run")
    with_settings(parser)
    parser.set_defaults(run=partial(run, measure), kind=name)
    return parser


def run(measure: Callable[[argparse.Namespace], dict[str, Any]], arguments: argparse.Namespace) -> int:
    from knowledge.documents import KnowledgeUnavailable
    from knowledge.embedding import EmbedderError
    from knowledge.evaluation import comparison
    from knowledge.evaluation.datasets import DataError
    from knowledge.store import StoreError

    out: Path | None = arguments.json
    if out is not None and not out.parent.is_dir():
        raise ConfigError(f"cannot write {out}: there is no such folder")
    figures = import_module(f"knowledge.evaluation.{arguments.kind}")
    try:
        before = comparison.earlier(arguments.compare, arguments.kind, figures.grouped) if arguments.compare else None
        result = measure(arguments)
        if before is not None:
            _say("\n" + comparison.report(figures.MEASURES, figures.grouped(result), before))
    except DataError as error:
        raise ConfigError(str(error)) from error
    except (EmbedderError, StoreError, KnowledgeUnavailable) as error:
        sys.stderr.write(f"zhubo: {error}\n")
        return 1
    if out is not None:
        out.write_bytes(orjson.dumps(result, option=orjson.OPT_INDENT_2))
    return 0


def _retrieval(arguments: argparse.Namespace) -> dict[str, Any]:
    from knowledge.evaluation import retrieval

    datasets, corpora = _datasets(arguments), _corpora(arguments)
    outcomes = [retrieval.measure(dataset, corpora.index(dataset), corpora.questions) for dataset in datasets]
    embedding = corpora.embedding([case.question for dataset in datasets for case in dataset.cases])
    _say(retrieval.report(outcomes, embedding))
    return retrieval.as_json(outcomes, embedding, corpora.embedder)


def _refusal(arguments: argparse.Namespace) -> dict[str, Any]:
    return asyncio.run(_refused(arguments))


async def _refused(arguments: argparse.Namespace) -> dict[str, Any]:
    from knowledge.evaluation import refusal
    from server.evaluation.refusal import Base, trials

    settings, datasets, corpora = settings_from(arguments), _datasets(arguments), _corpora(arguments)
    bases = [Base(corpora.index(dataset), corpora.questions) for dataset in datasets]
    made = [trials(one, base, settings.knowledge.passages) for one, base in zip(datasets, bases, strict=True)]
    judged = [trial.judged for ones in made for trial in ones]
    _say(refusal.report(judged, split=arguments.split is not None))
    _say("\n" + refusal.curves(judged))
    told = []
    if arguments.model:
        told = [one for base, ones in zip(bases, made, strict=True) for one in await _told(arguments, base, ones)]
        _say("\n" + refusal.stages(told))
    return refusal.as_json(judged, told)


async def _told(arguments: argparse.Namespace, base: "Base", trials: "Sequence[Trial]") -> "list[Told]":
    """A sample of a data set's questions put to the whole presenter."""
    from knowledge.evaluation.refusal import sample
    from server.evaluation.refusal import presenting, tell

    known = {trial.judged: trial for trial in trials}
    chosen, told = sample(list(known), arguments.sample), []
    async with presenting(settings_from(arguments), current(), base) as presenter:
        for number, one in enumerate(chosen, 1):
            told.append(await tell(known[one], base, presenter))
            if number % 10 == 0 or number == len(chosen):
                _progress(f"{number} of {len(chosen)} questions put to the presenter")
    return told


def _answers(arguments: argparse.Namespace) -> dict[str, Any]:
    return asyncio.run(_answered(arguments))


async def _answered(arguments: argparse.Namespace) -> dict[str, Any]:
    from knowledge.evaluation import answers as figures
    from knowledge.evaluation.datasets import DataError
    from server.evaluation.answers import answers, serving

    datasets, given = _datasets(arguments), []
    for dataset in datasets:
        if dataset.passages and not arguments.corpus:
            raise DataError(f"{dataset.name}: whole answers need documents: name them with --corpus PATH")
    async with serving(settings_from(arguments), current(), arguments.corpus) as presenter:
        for dataset in datasets:
            given += await answers(presenter, dataset, _progress)
    _say(figures.report(given))
    return figures.as_json(given)


def _datasets(arguments: argparse.Namespace) -> "list[Dataset]":
    from knowledge.evaluation.datasets import load

    return [load(path) for path in arguments.data]


def _corpora(arguments: argparse.Namespace) -> "Corpora":
    from knowledge.evaluation.datasets import distractors
    from knowledge.parse import FileLimits
    from server.evaluation.corpora import Corpora, documents

    settings, home = settings_from(arguments), current()
    others = documents(arguments.corpus, FileLimits(size=settings.server.upload_bytes))
    others += [passage for path in arguments.distractors for passage in distractors(path)]
    embedder = build("embedders", settings.embedder, home)
    return Corpora(embedder, arguments.index or home.cache / "evaluation", others, _progress)


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def _progress(line: str) -> None:
    """In place on a terminal, a line each elsewhere."""
    sys.stderr.write(f"\r{line}\x1b[K" if sys.stderr.isatty() else f"{line}\n")
    sys.stderr.flush()
