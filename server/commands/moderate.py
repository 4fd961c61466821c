"""`zhubo moderate TEXT…`: what the guard makes of texts. With `--data` or `--harmless`: what moderation is worth."""

import argparse
import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from configs.engines import ConfigError, EngineSpec, build
from configs.home import current
from configs.language import detect
from configs.safety import SafetySettings
from server.commands.options import settings_from, with_settings

if TYPE_CHECKING:
    from agent.guard import Guard


def register(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = subparsers.add_parser("moderate", help="judge texts as the guard does, or measure moderation on data")
    with_settings(parser)
    parser.add_argument("texts", nargs="*", metavar="TEXT", help="what a user might say")
    parser.add_argument("--model", type=Path, metavar="FILE", help="a classifier besides the configured moderators")
    data = "CSV with columns `text` and `label` (0: harmless); what --model was trained on is left out"
    parser.add_argument("--data", type=Path, metavar="FILE", help=data)
    clean = "harmless texts: SQuAD .json, .jsonl with `question`, documents and folders of them"
    parser.add_argument("--harmless", nargs="+", action="extend", default=[], type=Path, metavar="PATH", help=clean)
    rate = "benign false positives that --model may have (default: 0.002)"
    parser.add_argument("--rate", type=float, default=0.002, metavar="R", help=rate)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    from agent.guard import Guard
    from knowledge.evaluation.datasets import DataError

    if not (arguments.texts or arguments.data or arguments.harmless):
        raise ConfigError("give texts to judge, or --data and --harmless to measure on")
    safety = _with_model(settings_from(arguments).safety, arguments)
    guard = Guard([build("moderators", spec, current()) for spec in safety.moderators], safety)
    try:
        asyncio.run(_judged(guard, arguments.texts) if arguments.texts else _measured(guard, arguments))
    except DataError as error:
        raise ConfigError(str(error)) from error
    return 0


def _with_model(safety: SafetySettings, arguments: argparse.Namespace) -> SafetySettings:
    if arguments.model is None:
        return safety
    options = {"file": str(arguments.model), "false_positives": arguments.rate}
    spec = EngineSpec(engine="classifier", options=options)
    return safety.model_copy(update={"moderators": (*safety.moderators, spec)})


async def _judged(guard: "Guard", texts: Sequence[str]) -> None:
    for text in texts:
        verdict = await guard.question(text, detect(text) or "zh")
        why = f" {verdict.category} {verdict.risk}" if verdict.category else ""
        sys.stdout.write(f"{verdict.action}{why}: {verdict.text}\n")


async def _measured(guard: "Guard", arguments: argparse.Namespace) -> None:
    from agent.moderation.classifier import Classifier
    from server.evaluation.moderation import curve, harmless, labelled, measure, parted, report, texts_of

    model = Classifier.load(arguments.model) if arguments.model else None
    figures = []
    if arguments.data:
        rows = labelled(arguments.data)
        share = model.head.share if model is not None and model.head.share < 1 else 0.0
        _, tested = parted(rows, share)
        sys.stdout.write(
            f"{arguments.data.name}: {len(rows)} texts, {len(tested)} not trained on (hash >= {share:g})\n"
        )
        for name, harmful in (("harmless", False), ("harmful", True)):
            figures.append(await measure(f"{arguments.data.name}, {name}", list(texts_of(tested, harmful)), guard))
        if model is not None:
            sys.stdout.write(f"\nthe classifier alone\n{curve(model, tested)}\n\nall moderators\n")
    for name, texts in harmless(arguments.harmless).items():
        figures.append(await measure(name, texts, guard))
    sys.stdout.write(report(figures) + "\n")
