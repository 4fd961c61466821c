"""How a session stands in the eyes of operators, and what is told to one whose command cannot be obeyed."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from agent.conduct import Reason
from configs.language import Lang


class Refused(RuntimeError):
    """An operator's command that cannot be obeyed now. `code`: gone, taken, not_taken, full, unreached."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class Standing:
    """`state`: `waiting` is the user, for the operator's answer. `wanted`: why a human is, if one is. `refusals`:
    answers in a row that the documents did not give. `whispers`: operators' instructions that hold. `reached`: what is
    said unasked gets to the user now."""

    id: str
    since: datetime
    lang: Lang
    state: Literal["answering", "waiting", "taken"]
    operator: str | None
    refusals: int
    wanted: Reason | None
    wanted_since: datetime | None
    whispers: int
    reached: bool = True
