"""How speech is finished, whichever voice made it."""

from configs.section import Section


class SpeakingSettings(Section):
    pass
