"""`zhubo train moderation --data FILE.csv --out FILE`: a classifier of harmful texts, from labelled ones."""

import argparse
import sys
import time
from pathlib import Path
from typing import get_args

from configs.engines import ConfigError
from configs.language import LANGUAGES
from configs.safety import Category


def register(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = subparsers.add_parser("train", help="train the moderation classifier on labelled texts")
    kinds = parser.add_subparsers(required=True, metavar="moderation")
    moderation = kinds.add_parser("moderation", help="a classifier of harmful texts; the same data give the same file")
    data = "CSV with columns `text` and `label` (0: harmless, else harmful)"
    moderation.add_argument("--data", type=Path, required=True, metavar="FILE", help=data)
    moderation.add_argument("--out", type=Path, required=True, metavar="FILE", help="where the classifier is written")
    moderation.add_argument("--lang", choices=LANGUAGES, default="zh", help="the texts' language (default: zh)")
    what = "what the harmful texts are (default: hate)"
    moderation.add_argument("--category", choices=get_args(Category), default="hate", metavar="NAME", help=what)
    kept = "the share of the texts, by hash, that is trained on; the others are for `zhubo moderate` (default: 1)"
    moderation.add_argument("--share", type=_share, default=1.0, metavar="S", help=kept)
    moderation.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    from agent.moderation.training import TooFew, train
    from knowledge.evaluation.datasets import DataError
    from server.evaluation.moderation import labelled, parted

    out: Path = arguments.out
    if not out.parent.is_dir() or out.is_dir():
        raise ConfigError(f"cannot write {out}: no such folder, or it is one")
    began = time.perf_counter()
    try:
        rows, _ = parted(labelled(arguments.data), arguments.share)
        texts, harmful = [row.text for row in rows], [row.harmful for row in rows]
        model = train(texts, harmful, arguments.lang, arguments.category, arguments.share)
    except (DataError, TooFew) as error:
        raise ConfigError(f"{arguments.data}: {error}") from error
    model.save(out)
    clean, others = model.head.rows
    seconds = time.perf_counter() - began
    sys.stdout.write(f"trained on {clean} harmless and {others} other texts in {seconds:.1f} s: {out}\n")
    return 0


def _share(text: str) -> float:
    share = float(text)
    if not 0 < share <= 1:
        raise argparse.ArgumentTypeError("a share is more than 0 and at most 1")
    return share
