"""Smart speakers that speak the xiaozhi protocol."""

from configs.section import Section


class XiaozhiSettings(Section):
    """`enabled`: they are served."""

    enabled: bool = True
