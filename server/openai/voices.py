"""The names of OpenAI's voices, which its clients give where their user chose none."""

THEIRS = frozenset(
    ("alloy", "ash", "ballad", "coral", "echo", "fable", "nova", "onyx", "sage", "shimmer", "verse", "marin", "cedar")
)
"""The persona's voice stands for them."""
