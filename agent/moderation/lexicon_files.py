"""Lexicon files: YAML for a curated one, tab-separated lines for a long one."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, TypeAdapter, ValidationError

from agent.moderation.findings import CATEGORIES, RISKS
from agent.moderation.folding import bare, fold
from agent.moderation.lexicon import Term
from configs.engines import problems
from configs.safety import Category


class LexiconError(ValueError):
    """The file is no lexicon; the message says where, without quoting a term."""


def _known_risk(risk: str) -> str:
    if risk and risk not in RISKS:
        raise ValueError(f"no risk of TC260-003: {risk}")
    return risk


Risk = Annotated[str, BeforeValidator(_known_risk)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Detail(_Part):
    """What one term has of its own. `contexts` are added to those of its category."""

    exceptions: tuple[str, ...] = ()
    contexts: tuple[str, ...] = ()
    risk: Risk = ""
    score: float | None = Field(default=None, gt=0, le=1)


class Section(_Part):
    """Terms of one category: plain ones, and `term: [exception, …]` or `term: {exceptions: …, contexts: …}`."""

    risk: Risk = ""
    score: float = Field(default=1.0, gt=0, le=1)
    contexts: tuple[str, ...] = ()
    homophones: bool = False
    terms: tuple[str | dict[str, tuple[str, ...] | Detail], ...]


_SECTIONS: TypeAdapter[dict[Category, Section | tuple[Section, ...]]] = TypeAdapter(
    dict[Category, Section | tuple[Section, ...]]
)


def read(path: Path) -> tuple[Term, ...]:
    """Raises LexiconError, also where the file cannot be read."""
    try:
        text = path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise LexiconError(f"{path} cannot be read as UTF-8 text: {type(error).__name__}") from error
    try:
        terms = tuple(_lines(text) if path.suffix == ".tsv" else _sections(yaml.safe_load(text)))
    except yaml.MarkedYAMLError as error:
        line = f", line {error.problem_mark.line + 1}" if error.problem_mark else ""
        raise LexiconError(f"{path} is not YAML{line}") from error
    except ValidationError as error:
        where, what = problems(error)[0]
        raise LexiconError(f"{path}, {where or 'the whole'}: {what}") from error
    except (ValueError, yaml.YAMLError) as error:
        raise LexiconError(f"{path}: {error}") from error
    return terms


def _sections(content: Any) -> Iterator[Term]:
    for category, sections in _SECTIONS.validate_python(content).items():
        for section in (sections,) if isinstance(sections, Section) else sections:
            for entry in section.terms:
                for text, given in {entry: ()}.items() if isinstance(entry, str) else entry.items():
                    detail = given if isinstance(given, Detail) else Detail(exceptions=given)
                    yield _term(text, category, section, detail)


def _term(text: str, category: Category, section: Section, detail: Detail) -> Term:
    contexts = tuple(fold(context).text for context in (*section.contexts, *detail.contexts))
    risk, score = detail.risk or section.risk, detail.score or section.score
    return _sound(Term(text, category, risk, score, detail.exceptions, contexts, section.homophones))


def _lines(text: str) -> Iterator[Term]:
    """`term`, category, exceptions and contexts (each parted by `|`), with tabs between; `#` opens a remark."""
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        word, category, exceptions, contexts, *_ = (*(part.strip() for part in line.split("\t")), "", "", "", "")
        named = next((one for one in CATEGORIES if one == category), None)
        if named is None:
            raise LexiconError(f"line {number}: no such category; there are {', '.join(CATEGORIES)}")
        harmless = tuple(fold(context).text for context in contexts.split("|") if context)
        yield _sound(Term(word, named, exceptions=tuple(filter(None, exceptions.split("|"))), contexts=harmless))


def _sound(term: Term) -> Term:
    if len(bare(term.text)) < 2:
        raise LexiconError(f"a term of {term.category} is shorter than two letters: it would be found everywhere")
    return term
