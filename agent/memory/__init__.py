"""What a conversation remembers: what was heard, its summary, and, of users who agree, what they said of themselves."""

from agent.memory.conversation import Memory, Recalled
from agent.memory.transcript import Transcript

__all__ = ["Memory", "Recalled", "Transcript"]
