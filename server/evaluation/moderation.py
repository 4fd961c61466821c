"""What moderation finds in texts that are harmless, and in texts that are known not to be."""

import csv
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from agent.guard import Guard
from agent.moderation.classifier import Classifier, share_of
from configs.language import Lang, detect
from knowledge.evaluation import datasets
from knowledge.evaluation.datasets import DataError
from knowledge.parse import FileLimits
from knowledge.sentences import sentences
from server.evaluation.corpora import documents

RATES = (0.005, 0.01, 0.02, 0.05)
_TEXT, _LABEL = ("text", "sentence", "content"), ("label", "toxic", "offensive")


@dataclass(frozen=True, slots=True)
class Labelled:
    text: str
    harmful: bool


@dataclass(frozen=True, slots=True)
class Figures:
    """Of some texts: how many the moderators found something sure in, how many the guard kept from being asked and
    from being said, and the milliseconds of computing that the moderators took for 50 and 95 of 100 of them."""

    name: str
    texts: int
    found: int
    asked: int
    said: int
    p50: float
    p95: float


def labelled(path: Path) -> list[Labelled]:
    """A CSV file with a text and a label, 0 for harmless, in named columns. Raises DataError."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = csv.DictReader(file)
            names = {name.strip().casefold(): name for name in rows.fieldnames or ()}
            text, label = (next((names[one] for one in wanted if one in names), None) for wanted in (_TEXT, _LABEL))
            if text is None or label is None:
                raise DataError(f"{path}: needs a column `text` and a column `label` (0: harmless)")
            found = [
                Labelled(row[text], row[label].strip() not in ("0", "")) for row in rows if row[text] and row[label]
            ]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path} cannot be read as CSV in UTF-8: {error}") from error
    return found


def parted(rows: Sequence[Labelled], share: float) -> tuple[list[Labelled], list[Labelled]]:
    """To train on and to test on: by the hash of the text, so that nobody chooses and copies stay together."""
    trained = [row for row in rows if share_of(row.text) < share]
    return trained, [row for row in rows if share_of(row.text) >= share]


def harmless(paths: Sequence[Path]) -> dict[str, list[str]]:
    """The sentences, and the questions, of SQuAD files, our own .jsonl and documents. Raises DataError."""
    result: dict[str, list[str]] = {}
    for path in paths:
        if path.suffix in (".json", ".jsonl"):
            data = datasets.load(path)
            texts = [one for passage in data.passages for one in sentences(passage.text)]
            result[path.name] = texts + [case.question for case in data.cases]
        else:
            result[path.name] = [one for passage in documents([path], FileLimits()) for one in sentences(passage.text)]
    return result


async def measure(name: str, texts: Sequence[str], guard: Guard) -> Figures:
    found = asked = said = 0
    spent: list[float] = []
    sure = guard.settings.policy.sure
    for text in texts:
        lang: Lang = detect(text) or "zh"
        began = time.process_time()
        findings = await guard.judge(text, lang, closed=True)
        spent.append((time.process_time() - began) * 1e3)
        found += any(finding.score >= sure for finding in findings)
        asked += (await guard.question(text, lang)).action not in ("pass", "flag")
        said += (await guard.answer(lang).feed(text)).action not in ("pass", "flag")
    spent.sort()
    return Figures(name, len(texts), found, asked, said, _at(spent, 0.5), _at(spent, 0.95))


def _at(ordered: Sequence[float], share: float) -> float:
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0


def report(figures: Iterable[Figures]) -> str:
    lines = [
        f"{'texts':<34}{'number':>8}{'found':>8}{'':>8}{'not asked':>11}{'not said':>10}{'cpu p50':>9}{'p95 ms':>9}"
    ]
    for one in figures:
        share = one.found / max(one.texts, 1)
        lines.append(
            f"{one.name:<34}{one.texts:>8}{one.found:>8}{share:>8.2%}{one.asked:>11}{one.said:>10}"
            f"{one.p50:>9.3f}{one.p95:>9.3f}"
        )
    return "\n".join(lines)


def curve(model: Classifier, rows: Sequence[Labelled]) -> str:
    """What a classifier alone finds: at its own thresholds, and where the rate is kept exactly on these texts."""
    scores = sorted(((model.score(row.text), row.harmful) for row in rows), reverse=True)
    clean = sum(not harmful for _, harmful in scores)
    lines = [f"{'rate':>6}{'threshold':>11}{'false positives':>17}{'recall':>8}{'recall at that rate exactly':>29}"]
    for rate in RATES:
        threshold = model.threshold(rate)
        over = [harmful for score, harmful in scores if score > threshold]
        wrong = over.count(False) / max(clean, 1)
        recall = over.count(True) / max(len(scores) - clean, 1)
        exact = _recall_at(scores, int(rate * clean)) / max(len(scores) - clean, 1)
        lines.append(f"{rate:>6.1%}{threshold:>11.2f}{wrong:>17.2%}{recall:>8.1%}{exact:>29.1%}")
    return "\n".join([*lines, f"area under the curve: {_area(scores):.3f}"])


def _recall_at(scores: Sequence[tuple[float, bool]], allowed: int) -> int:
    """Harmful texts that come before one harmless text too many."""
    right = wrong = 0
    for _, harmful in scores:
        wrong += not harmful
        if wrong > allowed:
            break
        right += harmful
    return right


def _area(scores: Sequence[tuple[float, bool]]) -> float:
    right = above = 0.0
    for _, tied in groupby(scores, key=lambda one: one[0]):
        kinds = [harmful for _, harmful in tied]
        above += kinds.count(False) * (right + kinds.count(True) / 2)
        right += kinds.count(True)
    return above / max(right * (len(scores) - right), 1)


def texts_of(rows: Iterable[Labelled], harmful: bool) -> Iterator[str]:
    return (row.text for row in rows if row.harmful is harmful)
