"""Questions put to the judge as asked and with their right passages hidden, and a sample to the whole presenter."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from agent.commands import Say
from agent.grounding import Grounding, Supported
from agent.guard import Guard
from agent.persona import load as load_persona
from agent.presenter import Presenter
from agent.tools.toolbox import Toolbox
from configs.engines import EngineSpec, build
from configs.home import Home
from configs.language import detect
from configs.settings import Settings
from knowledge.documents import Document, Retrieval
from knowledge.embedding import Vectors
from knowledge.evaluation.datasets import Case, Dataset, contains, golden
from knowledge.evaluation.index import Index
from knowledge.evaluation.refusal import Judged, Told
from server.asking import ask

_SILENT = EngineSpec(engine="tone")
"""What is said is read, not heard."""

Embed = Callable[[Sequence[str]], Vectors]


@dataclass(frozen=True, slots=True)
class Base:
    """An index in the place of the presenter's knowledge base."""

    index: Index
    embed: Embed

    async def search(self, question: str, count: int, *, also: Sequence[str] = ()) -> Retrieval:
        return self.retrieve(question, count, also)

    async def document(self, identifier: str, revision: int | None = None) -> Document | None:
        """The data sets' passages are what they are cut from."""
        return None

    def retrieve(self, question: str, count: int, also: Sequence[str] = ()) -> Retrieval:
        wordings = (question, *also)
        return self.index.retrieve(wordings, self.embed(wordings), count)


@dataclass(frozen=True, slots=True)
class Trial:
    """A question, and the passages that are hidden while it is asked."""

    case: Case
    hidden: frozenset[str]
    judged: Judged


def trials(dataset: Dataset, base: Base, count: int) -> list[Trial]:
    """Every question as asked and, where its right passages are known, with them hidden; `count`: passages judged."""
    grounding = Grounding()
    base.embed([case.question for case in dataset.cases])
    made = []
    for case, gold in zip(dataset.cases, golden(dataset.cases, base.index.passages), strict=True):
        for hidden in [frozenset[str](), gold][: 2 if gold and not case.unanswerable else 1]:
            made.append(Trial(case, hidden, _judged(dataset, case, hidden, base, count, grounding)))
    return made


async def tell(trial: Trial, base: Base, presenter: Presenter) -> Told:
    """The whole presenter's answer: retrieval, the judge, the model, and what is checked of its words."""
    with base.index.without(trial.hidden):
        answer = await ask(presenter, Say(trial.case.question, trial.judged.lang))
    right = not answer.refused and contains(answer.text, trial.case.accepted)
    return Told(trial.judged, answer.refused, right, answer.fallback is not None, answer.text)


@asynccontextmanager
async def presenting(settings: Settings, home: Home, base: Base) -> AsyncIterator[Presenter]:
    """The settings' persona and model on this base, and a voice that costs nothing. Raises ConfigError."""
    model, voice = build("models", settings.model, home), build("voices", _SILENT, home)
    try:
        persona = load_persona(settings.persona)
        presenter = Presenter(
            persona,
            model,
            voice,
            base,
            grounding=Grounding(),
            guard=Guard((), settings.safety),
            toolbox=Toolbox((), (), settings.tools),
            limits=settings.limits,
            settings=settings.knowledge,
            prompts=settings.prompt,
        )
        await presenter.warm()
        yield presenter
    finally:
        await model.aclose()
        await voice.aclose()


def _judged(
    dataset: Dataset, case: Case, hidden: frozenset[str], base: Base, count: int, grounding: Grounding
) -> Judged:
    with base.index.without(hidden):
        retrieval = base.retrieve(case.question, count)
    verdict = grounding.judge(case.question, detect(case.question) or dataset.lang, retrieval)
    return Judged(
        id=f"{dataset.name} {case.id}",
        group=case.group,
        lang=dataset.lang,
        known=not (case.unanswerable or hidden),
        support=verdict.support,
        answered=isinstance(verdict, Supported),
    )
