"""How much the model is told with a question."""

from typing import Literal, Self

from pydantic import Field

from configs.section import Section


class PromptSettings(Section):
    """`brief`: who it is and the few sentences that answer, for a model that loses the thread of more. `full`: the
    whole persona, rules for speech, tools and cues, several passages with their surroundings, facts and a summary.

    `tokens`: of a prompt at most, as they are estimated. `answer_tokens`: left free in the model's window for what it
    writes; no less than the engine lets it write.
    """

    size: Literal["brief", "full"] = "brief"
    tokens: int = Field(default=1800, ge=400)
    answer_tokens: int = Field(default=160, ge=16)

    def within(self, window: int | None) -> Self:
        """For a model that takes `window` tokens, prompt and answer together; None: not known."""
        if window is None or window >= self.tokens + self.answer_tokens:
            return self
        return self.model_copy(update={"tokens": max(window - self.answer_tokens, 1)})
