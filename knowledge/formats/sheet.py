"""Rows with named columns: an FAQ sheet's questions and answers, and the sentences any sheet's rows become."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Literal

from knowledge.documents import QuestionAnswer
from knowledge.limits import FileLimits, check_rows
from knowledge.stated import day
from knowledge.structure import Draft, names_columns, one_line

Role = Literal["question", "answer", "emotion", "gesture", "since", "until"]

_ROLES: dict[Role, str] = {
    "question": "question questions q similar 问题 問題 问 問 提问 问法 相似问题 相似问 相似问法 标准问题 标准问",
    "answer": "answer answers a reply response 答案 回答 答 答复 回复 标准答案",
    "emotion": "emotion mood 情绪 情緒 情感 表情",
    "gesture": "gesture action 动作 動作 手势 手勢",
    "since": "since from validfrom start startdate 生效 生效日期 生效时间 开始 开始日期 起始日期",
    "until": "until to validuntil end enddate expires 失效 失效日期 失效时间 结束 结束日期 截止 截止日期",
}
_ROLE = {name: role for role, names in _ROLES.items() for name in names.split()}
_BETWEEN = re.compile(r"[|｜\r\n]+")
_FIGURE = re.compile(r"[\d\W]+")
_LONGEST = 40
"""Characters of a column's name, at most."""


@dataclass(slots=True)
class Sheets:
    """Gathers the sheets of one file into a draft."""

    draft: Draft
    limits: FileLimits
    questions: list[QuestionAnswer] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    _rows: int = 0

    def add(self, rows: Iterable[Sequence[str]], header: bool | None = None) -> None:
        """`header`: does the first row name the columns? None judges by its looks; then lines above the table that
        fill one cell only are its caption. Raises DocumentError(`too_large`).
        """
        filled = (list(row) for row in self._counted(rows) if any(cell.strip() for cell in row))
        opening: list[list[str]] = []
        for row in filled:
            opening.append(row)
            if header or _different(row) > 1:
                break
        if not opening:
            return
        first = opening.pop()
        columns = _columns(first)
        if columns is not None:
            self._captions(opening)
            self.draft.table(chain([first], self._faq(columns, first, filled)), header=True)
        elif _different(first) < 2 and not header:
            self.draft.table([*opening, first], header=False)
        else:
            self._captions(opening)
            self.draft.table(chain([first], filled), header=header or _is_header(first))

    def _captions(self, rows: Iterable[Sequence[str]]) -> None:
        for row in rows:
            self.draft.add("paragraph", next(cell for cell in row if cell.strip()))

    def _counted(self, rows: Iterable[Sequence[str]]) -> Iterator[Sequence[str]]:
        for row in rows:
            self._rows += 1
            check_rows(self._rows, self.limits)
            yield row

    def _faq(self, columns: "_Faq", names: list[str], rows: Iterable[list[str]]) -> Iterator[list[str]]:
        """Keep each row's curated answer, and pass on what is said of it in words."""
        for row in rows:
            padded = [*row, *[""] * (len(names) - len(row))]
            entry, trouble = columns.entry(padded)
            if entry is not None:
                self.questions.append(entry)
            if trouble and trouble not in self.warnings:
                self.warnings.append(trouble)
            yield ["" if index in columns.silent else cell for index, cell in enumerate(padded)]


@dataclass(frozen=True, slots=True)
class _Faq:
    """Which columns of an FAQ sheet hold what."""

    at: dict[Role, list[int]]

    @property
    def silent(self) -> set[int]:
        """Columns that tell the presenter how to look, and are not text."""
        return {*self.at.get("emotion", ()), *self.at.get("gesture", ())}

    def entry(self, row: Sequence[str]) -> tuple[QuestionAnswer | None, str]:
        """A row's curated answer, where it has one; and what is wrong with the row."""
        asked = [one_line(part) for index in self.at["question"] for part in _BETWEEN.split(row[index])]
        questions = tuple(dict.fromkeys(filter(None, asked)))
        answer = self._first("answer", row)
        if not questions or not answer:
            return None, "rows without a question or an answer are no curated answers" if questions or answer else ""
        since, until = self._first("since", row), self._first("until", row)
        for told in filter(None, (since, until)):
            if day(told) is None:
                return None, f"{told[:40]!r} is no date; write it as 2030-12-31; the row is no curated answer"
        entry = QuestionAnswer(
            questions,
            answer,
            self._first("emotion", row) or None,
            self._first("gesture", row) or None,
            day(since),
            day(until),
        )
        return entry, ""

    def _first(self, role: Role, row: Sequence[str]) -> str:
        return next((one_line(row[index]) for index in self.at.get(role, ()) if row[index].strip()), "")


def has_role(name: str, role: Role) -> bool:
    """Is this the name of a column that holds such things in an FAQ sheet?"""
    return _ROLE.get(_plain(name)) == role


def _plain(name: str) -> str:
    return re.sub(r"[\W\d_]+", "", name).lower()


def _different(row: Sequence[str]) -> int:
    return len({cell.strip() for cell in row} - {""})


def _columns(names: Sequence[str]) -> _Faq | None:
    """The columns of an FAQ sheet; None where a question or an answer has none."""
    at: dict[Role, list[int]] = {}
    for index, name in enumerate(names):
        role = _ROLE.get(_plain(name))
        if role is not None:
            at.setdefault(role, []).append(index)
    return _Faq(at) if "question" in at and "answer" in at else None


def _is_header(row: Sequence[str]) -> bool:
    """Does a sheet's first row name its columns: all different, in words? Two columns must look the part."""
    names = [cell.strip() for cell in row]
    while names and not names[-1]:
        names.pop()
    if len(names) < 3:
        return names_columns(names)
    return (
        all(names[1:])
        and len(set(names)) == len(names)
        and all(len(name) <= _LONGEST and not _FIGURE.fullmatch(name) for name in names[1:])
    )
