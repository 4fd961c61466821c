"""A moderator that scores texts with a trained classifier (`zhubo train moderation`)."""

import math
from pathlib import Path

from pydantic import Field

from agent.moderation.classifier import Classifier as Model
from agent.moderation.classifier import ClassifierError
from agent.moderation.findings import Finding
from configs.engines import ConfigError, Options
from configs.home import Home
from configs.language import Lang


class ClassifierOptions(Options):
    """`false_positives`: the share of harmless texts that may be flagged wrongly; sets the threshold."""

    file: Path
    false_positives: float = Field(default=0.005, gt=0, le=0.1)


class Classifier:
    """Judges texts of its model's language, in a fraction of a millisecond; finds nothing in others."""

    Options = ClassifierOptions

    def __init__(self, options: ClassifierOptions, home: Home) -> None:
        try:
            self._model = Model.load(options.file.expanduser())
        except ClassifierError as error:
            raise ConfigError(str(error)) from error
        self._threshold = self._model.threshold(options.false_positives)

    async def judge(self, text: str, lang: Lang) -> tuple[Finding, ...]:
        if lang != self._model.head.lang:
            return ()
        over = self._model.score(text) - self._threshold
        return (Finding.of(self._model.head.category, 1 / (1 + math.exp(-over))),) if over > 0 else ()

    async def aclose(self) -> None:
        pass
