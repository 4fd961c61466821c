"""What a question is asked in: the conversation so far, who asks, and what an operator wants minded."""

from dataclasses import dataclass

from agent.model import Message
from avatar.speech import Manner


@dataclass(frozen=True, slots=True)
class Situation:
    """`history`: user and assistant by turns, answers as heard; `summary`: what was said before it. `facts`: what
    the user once told of themselves. `whisper`: an operator's instruction. `minor`: the user is a child.
    `passages`: those that the last answer was given from, in their order. `manner`: how the client wants to be spoken
    to; `spoken`: False where it wants text alone.
    """

    session: str = ""
    user: str | None = None
    history: tuple[Message, ...] = ()
    summary: str = ""
    facts: tuple[str, ...] = ()
    whisper: str = ""
    minor: bool = False
    passages: tuple[str, ...] = ()
    manner: Manner = Manner()
    spoken: bool = True


NOTHING = Situation()
