"""What is done about what moderation finds, in questions and in answers."""

from collections.abc import Mapping
from functools import partial
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from configs.engines import EngineSpec
from configs.section import Section

Category = Literal[
    "state",
    "extremism",
    "violence",
    "sexual",
    "weapons",
    "drugs",
    "gambling",
    "fraud",
    "rumour",
    "hate",
    "self_harm",
    "insult",
    "privacy",
    "injection",
    "leak",
    "human",
    "language",
    "endless",
    "unmoderated",
]
"""`state`: for an operator's own list; none ships. `leak`: the system prompt told. `human`: a claim to be one.
`language`: neither Chinese nor English, or not the one asked for. `endless`: loops, and answers that do not end.
`unmoderated`: a moderator failed. The last seven are found by the guard itself."""

QuestionAction = Literal["pass", "flag", "mask", "block", "handover"]
AnswerAction = Literal["pass", "flag", "mask", "replace", "block", "handover"]
_SERIOUS: tuple[Category, ...] = ("state", "extremism", "sexual", "weapons", "drugs", "hate")
_MILDER: tuple[Category, ...] = ("violence", "insult", "gambling", "rumour", "self_harm")
_QUESTION: Mapping[Category, QuestionAction] = {
    **dict.fromkeys(_SERIOUS, "block"),
    "injection": "block",
    "fraud": "block",
    "self_harm": "block",
    "violence": "flag",
    "insult": "flag",
    "privacy": "pass",
    "unmoderated": "flag",
}
_ANSWER: Mapping[Category, AnswerAction] = {
    **dict.fromkeys(_SERIOUS, "block"),
    **dict.fromkeys(_MILDER, "replace"),
    "self_harm": "block",
    "fraud": "replace",
    "injection": "replace",
    "leak": "block",
    "human": "replace",
    "language": "replace",
    "endless": "block",
    "privacy": "pass",
    "unmoderated": "block",
}
_MINORS_QUESTION: Mapping[Category, QuestionAction] = {**_QUESTION, **dict.fromkeys(_MILDER, "block")}
_MINORS_ANSWER: Mapping[Category, AnswerAction] = {**_ANSWER, **dict.fromkeys(_MILDER, "block")}


def _laid(defaults: Mapping[Category, str], given: Any) -> Any:
    return {**defaults, **given} if isinstance(given, Mapping) else given


class Policy(Section):
    """The action for each category in `question` and in `answer`; those that a file names are laid over the defaults.

    pass, flag: goes on as it is, told in the log or not. mask: the words in question become a placeholder. replace: a
    safe line in the place of the clause, and the answer goes on. block: the safe line, and that is all. handover:
    the same, and a human is called. `otherwise`: for a category that has no action. `sure`: findings below this score
    only flag.
    """

    question: Annotated[dict[Category, QuestionAction], BeforeValidator(partial(_laid, _QUESTION))] = {**_QUESTION}
    answer: Annotated[dict[Category, AnswerAction], BeforeValidator(partial(_laid, _ANSWER))] = {**_ANSWER}
    otherwise: Literal["pass", "flag", "block"] = "flag"
    sure: float = Field(default=0.5, ge=0, le=1)


class MinorsPolicy(Policy):
    """Stricter where it is not said otherwise."""

    question: Annotated[dict[Category, QuestionAction], BeforeValidator(partial(_laid, _MINORS_QUESTION))] = {
        **_MINORS_QUESTION
    }
    answer: Annotated[dict[Category, AnswerAction], BeforeValidator(partial(_laid, _MINORS_ANSWER))] = {
        **_MINORS_ANSWER
    }
    otherwise: Literal["pass", "flag", "block"] = "block"
    sure: float = Field(default=0.3, ge=0, le=1)


class SafetySettings(Section):
    """Moderation before speech. Every moderator judges every question and every clause of an answer."""

    moderators: tuple[EngineSpec, ...] = (EngineSpec(engine="lexicon"),)
    policy: Policy = Policy()
    minors: MinorsPolicy = MinorsPolicy()
    """The policy where the user is a minor."""
    seconds: float = Field(default=0.3, gt=0)
    """For one judgement of one moderator; one that takes longer has failed."""
    closed: bool = True
    """What a moderator that failed did not judge is not said: the safe line is. Without it, it is flagged."""
    closed_question: bool = False
    """The same for questions: the model is not asked."""
    mask_model: bool = False
    """Personal data in the user's words is a placeholder before the model or the documents see it."""
    other_language: AnswerAction = "flag"
    """An answer in the other of Chinese and English than the one asked for. Documents may be quoted in their own."""
    answer_characters: int = Field(default=3000, ge=100)
    """The longest answer; the presenter then says so and stops."""

    def policy_for(self, minor: bool) -> Policy:
        return self.minors if minor else self.policy
