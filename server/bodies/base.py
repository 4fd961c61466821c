"""What every body is made from, and what is told when a request cannot be done."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, StringConstraints

Line = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2000)]
Tag = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=60)]


class Asked(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Given(BaseModel):
    model_config = ConfigDict(from_attributes=True)


class Problem(Given):
    """What kept a request from being done: `code: message`. Codes are stable; the message says what to do."""

    detail: str
