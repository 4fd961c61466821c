"""Whether an answer gives away the system prompt: its canary, or a long run of its own words."""

import functools
import re

from agent.moderation.folding import bare
from agent.payloads import decoded, mirrored

RUN_HAN, RUN = 20, 60
"""Characters of a run that is no accident: in Chinese, and in letters."""
_PART = 8
"""Letters of a canary that give it away."""
_CLAUSE_HAN, _CLAUSE = 4, 9
_SECOND = re.compile(r"你|\byou(?:r|rs)?\b", re.IGNORECASE)


class Leaks:
    """`canary`: a word that is in the prompt and nowhere else. `prompt`: the whole; "" where none was given."""

    def __init__(self, canary: str, prompt: str) -> None:
        whole = bare(canary)
        self._parts = tuple(whole[start : start + _PART] for start in range(len(whole) - _PART + 1))
        self._prompt = bare(prompt)
        self._runs, self._runs_han = _runs(self._prompt)

    def found(self, text: str, piece: str) -> bool:
        """In whatever spelling or encoding: spaces, marks, width and case do not hide it. `piece`: the clause that
        `text` ends with; one that addresses somebody in the prompt's own words ("You are …") is the prompt's."""
        said, last = bare(text), bare(piece)
        addressed = len(last) >= (_CLAUSE if last.isascii() else _CLAUSE_HAN) and _SECOND.search(piece) is not None
        if self._tells(said) or (addressed and last in self._prompt):
            return True
        return any(part in other for other in map(bare, (*mirrored(text), *decoded(text))) for part in self._parts)

    def _tells(self, said: str) -> bool:
        if any(part in said for part in self._parts):
            return True
        return any(
            said[start : start + length] in runs
            for length, runs in ((RUN, self._runs), (RUN_HAN, self._runs_han))
            if runs
            for start in range(len(said) - length + 1)
        )


@functools.lru_cache(maxsize=64)
def _runs(prompt: str) -> tuple[frozenset[str], frozenset[str]]:
    """Every run of the prompt that is long enough: those of any letters, and those of Chinese alone."""
    runs = frozenset(prompt[start : start + RUN] for start in range(len(prompt) - RUN + 1))
    han = (prompt[start : start + RUN_HAN] for start in range(len(prompt) - RUN_HAN + 1))
    return runs, frozenset(run for run in han if not any(char.isascii() for char in run))
