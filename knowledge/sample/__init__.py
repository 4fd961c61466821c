"""Sample documents of our own writing, about a fictional science museum and about Zhubo itself, in both languages."""

from collections.abc import Iterator
from importlib.resources import files

from knowledge.parse import SUFFIXES


def sample_documents() -> Iterator[tuple[str, bytes]]:
    """Each file's name and bytes, in the order of the names."""
    entries = [entry for entry in files(__name__).iterdir() if entry.name.endswith(tuple(SUFFIXES))]
    for entry in sorted(entries, key=lambda entry: entry.name):
        yield entry.name, entry.read_bytes()
