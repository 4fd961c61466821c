"""Whether a user may be remembered beyond the conversation."""

import logging

from agent.memory import Memory
from agent.memory.records import RecordsError

log = logging.getLogger(__name__)


async def kept(memory: Memory, given: bool) -> bool:
    """False where it could not be written down."""
    try:
        await memory.consent(given)
    except RecordsError as error:
        log.warning("a user's consent could not be kept: %s", error.code)
        return False
    return True
