"""What goes into a prompt: what stands in every one of a presenter's, and what one answer is made from."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from agent.model import Message, Offer
from agent.persona import Persona
from configs.language import Lang
from configs.prompt import PromptSettings
from knowledge.documents import Hit


@dataclass(frozen=True, slots=True)
class Mandate:
    """`grounded`: it answers from the documents alone. `canary`: a word that no answer may have in it; "" for none.
    `offers`: the tools that it may call."""

    persona: Persona
    settings: PromptSettings = PromptSettings()
    grounded: bool = True
    canary: str = ""
    offers: tuple[Offer, ...] = ()


@dataclass(frozen=True, slots=True)
class Material:
    """`text`: the evidence, already cut to size, for a brief prompt. The rest, but for the history, is for a full one.

    `hits`: passages, best first. `surroundings`: by passage, the text of the section that it was cut from. `earlier`:
    passages of the prompt before, in its order. `facts`: known of the user, what matters most first. `summary`: of what
    came before `history`, which is user and assistant by turns. `whisper`: an operator's instruction.
    """

    question: str
    lang: Lang
    text: str = ""
    hits: tuple[Hit, ...] = ()
    surroundings: Mapping[str, str] = field(default_factory=dict)
    earlier: tuple[str, ...] = ()
    facts: tuple[str, ...] = ()
    summary: str = ""
    history: tuple[Message, ...] = ()
    whisper: str = ""
