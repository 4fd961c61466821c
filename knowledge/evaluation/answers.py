"""Whole answers: right ones, wrongly given and wrongly refused ones, what bears them out, and how long they took."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from configs.language import LANGUAGES, Lang
from knowledge.evaluation import tables
from knowledge.evaluation.bootstrap import estimates
from knowledge.evaluation.comparison import Groups
from knowledge.evaluation.measures import percentile
from knowledge.lexical import question_terms

MEASURES = ("right", "refused")

BORNE_OUT = 0.6
"""Share of a clause's informative terms that must occur in what is cited for it."""

_CLAUSE = re.compile(r"[。！？!?；;，,]+(?!\d)|\.+(?=\s|$)|\n")
_NUMBER = re.compile(r"\d+(?:[.,:]\d+)*")


@dataclass(frozen=True, slots=True)
class Given:
    """One answer. `clauses`: for each whether the cited passages bear it out; `timings`: milliseconds, by stage."""

    id: str
    lang: Lang
    unanswerable: bool
    refused: bool
    right: bool
    failed: bool
    clauses: tuple[bool, ...]
    timings: Mapping[str, float]
    answer: str = ""


def borne_out(answer: str, cited: Sequence[str]) -> tuple[bool, ...]:
    """For each clause of an answer: do its numbers all, and its informative words mostly, occur in what is cited?"""
    whole = " ".join(cited)
    terms, numbers = question_terms(whole), set(_NUMBER.findall(whole))
    return tuple(_is_borne_out(clause, terms, numbers) for clause in clauses(answer))


def clauses(answer: str) -> list[str]:
    """The parts of an answer that say something by themselves; a comma within a number ends none."""
    return [clause.strip() for clause in _CLAUSE.split(answer) if any(map(str.isalnum, clause))]


def report(given: Sequence[Given]) -> str:
    rows = [_row(name, ones) for name, ones in _groups(given)]
    head = ["answers", "answerable", "right", "wrong", "refused", "unanswerable", "refused rightly"]
    head += ["clauses borne out", "failed"]
    stages = list(dict.fromkeys(stage for one in given for stage in one.timings))
    times = [[name, *(_times(ones, stage) for stage in stages)] for name, ones in _groups(given)]
    return f"{tables.table(head, rows)}\n\n{tables.table(['ms, p50 / p95', *stages], times)}"


def as_json(given: Sequence[Given]) -> dict[str, Any]:
    return {
        "kind": "answers",
        "questions": [
            {"id": o.id, "lang": o.lang, "unanswerable": o.unanswerable, "refused": o.refused, "right": o.right}
            | {"failed": o.failed, "clauses": list(o.clauses), "timings": dict(o.timings), "answer": o.answer}
            for o in given
        ],
    }


def grouped(tree: Any) -> Groups:
    """What `as_json` gave, the answerable and the others of each language by themselves."""
    groups: dict[str, dict[str, Sequence[float]]] = {}
    for one in tree["questions"]:
        kind = "unanswerable" if one["unanswerable"] else "answerable"
        groups.setdefault(f"{one['lang']} {kind}", {})[one["id"]] = (one["right"], one["refused"])
    return groups


def _is_borne_out(clause: str, terms: set[str], numbers: set[str]) -> bool:
    wanted = question_terms(clause)
    occurring = sum(term in terms for term in wanted)
    return set(_NUMBER.findall(clause)) <= numbers and occurring >= BORNE_OUT * len(wanted)


def _row(name: str, ones: Sequence[Given]) -> list[str]:
    whole = [one for one in ones if not one.failed]
    known, unknown = ([one for one in whole if one.unanswerable is side] for side in (False, True))
    said = [all_borne for one in whole if not one.refused for all_borne in one.clauses]
    return [
        name,
        str(len(known)),
        _share([one.right for one in known]),
        _share([not (one.right or one.refused) for one in known]),
        _share([one.refused for one in known]),
        str(len(unknown)),
        _share([one.refused for one in unknown]),
        _share(said),
        str(len(ones) - len(whole)),
    ]


def _share(values: Sequence[bool]) -> str:
    return tables.interval(estimates(np.array(values, np.float64).reshape(-1, 1))[0]) if values else "-"


def _times(ones: Sequence[Given], stage: str) -> str:
    values = [one.timings[stage] for one in ones if stage in one.timings]
    return f"{percentile(values, 0.5):.0f} / {percentile(values, 0.95):.0f}" if values else "-"


def _groups(given: Sequence[Given]) -> Iterator[tuple[str, list[Given]]]:
    langs = [lang for lang in LANGUAGES if any(one.lang == lang for one in given)]
    for lang in langs:
        yield lang, [one for one in given if one.lang == lang]
    if len(langs) > 1:
        yield "all", list(given)
