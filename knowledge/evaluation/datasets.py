"""Questions with known answers: SQuAD files, our own JSONL, and passages that only stand in the way."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import orjson
from pydantic import BaseModel, Field, ValidationError

from configs.engines import problems
from configs.language import Lang, detect
from knowledge.documents import Passage, Place


class DataError(ValueError):
    """A data file cannot be used; the message says where it is wrong and what to do."""


@dataclass(frozen=True, slots=True)
class Case:
    """One question.

    `group`: the article it belongs to; what stays together when a set is split. `evidence`: what the right passages
    contain; None where the data do not say. `accepted`: strings of which an answer must contain one.
    """

    id: str
    question: str
    group: str
    evidence: str | None = None
    accepted: tuple[str, ...] = ()
    unanswerable: bool = False


@dataclass(frozen=True, slots=True)
class Dataset:
    """`passages`: the paragraphs of a SQuAD file, each of them whole; none for JSONL, which is about a corpus."""

    name: str
    lang: Lang
    cases: tuple[Case, ...]
    passages: tuple[Passage, ...] = ()


class _Answer(BaseModel):
    text: str


class _Asked(BaseModel):
    id: str | int
    question: str = Field(min_length=1)
    answers: list[_Answer] = []
    is_impossible: bool = False


class _Paragraph(BaseModel):
    context: str = Field(min_length=1)
    qas: list[_Asked]


class _Article(BaseModel):
    title: str = ""
    paragraphs: list[_Paragraph]


class _Squad(BaseModel):
    data: list[_Article]


class _Line(BaseModel):
    question: str = Field(min_length=1)
    evidence: str | None = Field(default=None, min_length=1)
    answer_any: list[str] = []
    unanswerable: bool = False
    document: str = ""


class _Text(BaseModel):
    text: str = Field(min_length=1)
    title: str = ""


M = TypeVar("M", bound=BaseModel)


def load(path: Path) -> Dataset:
    """`.json` is read as SQuAD, `.jsonl` as our own. Raises DataError."""
    match path.suffix.lower():
        case ".json":
            cases, passages = _squad(path)
        case ".jsonl":
            cases, passages = _lines(path), []
        case _:
            raise DataError(f"{path}: name it .json (SQuAD format) or .jsonl (one question a line)")
    if not cases:
        raise DataError(f"{path}: there is no question in it")
    langs = Counter(detect(case.question) or "en" for case in cases)
    return Dataset(path.name, max(langs, key=lambda lang: langs[lang]), tuple(cases), tuple(passages))


def distractors(path: Path) -> list[Passage]:
    """Passages without questions: one a line of text, `{"text": …, "title": …}` a line of JSONL, or SQuAD's paragraphs.

    Raises DataError.
    """
    match path.suffix.lower():
        case ".json":
            passages = _squad(path)[1]
        case ".jsonl":
            found = [_valid(_Text, row, f"{path}, line {number}") for number, row in _rows(path)]
            passages = [passage(text.title, text.text) for text in found]
        case _:
            passages = [passage("", line.strip()) for line in _text(path).splitlines() if line.strip()]
    if not passages:
        raise DataError(f"{path}: there is no passage in it")
    return passages


def passage(title: str, text: str) -> Passage:
    """A passage that is a whole document's text, or one of an article's paragraphs; its id tells its content."""
    document = hashlib.sha256(title.encode()).hexdigest()[:16]
    name = hashlib.sha256(f"{title}\n{text}".encode()).hexdigest()[:20]
    return Passage(f"{document}.{name}", document, title, text, Place((), None, 0, len(text)))


def distinct(passages: Iterable[Passage]) -> list[Passage]:
    """Each id once, in the order of its first."""
    return list({passage.id: passage for passage in passages}.values())


def golden(cases: Sequence[Case], passages: Sequence[Passage]) -> list[frozenset[str]]:
    """For each case the ids of the passages that contain its evidence; blanks and case make no difference."""
    texts = [(passage.id, _bare(passage.text)) for passage in passages]
    known: dict[str, frozenset[str]] = {"": frozenset()}
    for evidence in {_bare(case.evidence or "") for case in cases} - {""}:
        known[evidence] = frozenset(identifier for identifier, text in texts if evidence in text)
    return [known[_bare(case.evidence or "")] for case in cases]


def contains(answer: str, accepted: Iterable[str]) -> bool:
    """Is one of the accepted strings in the answer? Blanks and case make no difference."""
    return any(_bare(one) in _bare(answer) for one in accepted)


def _squad(path: Path) -> tuple[list[Case], list[Passage]]:
    try:
        tree = orjson.loads(_text(path))
    except orjson.JSONDecodeError as error:
        raise DataError(f"{path}, line {error.lineno}: not JSON: {error.msg}") from error
    cases, passages = [], []
    for number, article in enumerate(_valid(_Squad, tree, str(path)).data):
        title = article.title.replace("_", " ")
        for paragraph in article.paragraphs:
            passages.append(passage(title, paragraph.context))
            for asked in paragraph.qas:
                accepted = tuple(dict.fromkeys(answer.text for answer in asked.answers))
                unanswerable = asked.is_impossible
                group = f"{number} {title}"
                cases.append(Case(str(asked.id), asked.question, group, paragraph.context, accepted, unanswerable))
    return cases, distinct(passages)


def _lines(path: Path) -> list[Case]:
    cases = []
    for number, row in _rows(path):
        line = _valid(_Line, row, f"{path}, line {number}")
        if line.unanswerable and (line.evidence or line.answer_any):
            raise DataError(f"{path}, line {number}: unanswerable, and yet it has an evidence or answers; drop either")
        unanswerable = line.unanswerable or not (line.evidence or line.answer_any)
        group = line.document or str(number)
        cases.append(Case(str(number), line.question, group, line.evidence, tuple(line.answer_any), unanswerable))
    return cases


def _rows(path: Path) -> Iterator[tuple[int, Any]]:
    for number, line in enumerate(_text(path).split("\n"), 1):
        if not line.strip():
            continue
        try:
            yield number, orjson.loads(line)
        except orjson.JSONDecodeError as error:
            raise DataError(f"{path}, line {number}: not JSON: {error.msg}; one object a line is needed") from error


def _valid(model: type[M], tree: Any, where: str) -> M:
    try:
        return model.model_validate(tree)
    except ValidationError as error:
        key, what = problems(error)[0]
        raise DataError(": ".join(filter(None, [where, key, what]))) from error


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: not UTF-8; save it as UTF-8") from error
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}") from error


def _bare(text: str) -> str:
    return "".join(text.split()).casefold()
