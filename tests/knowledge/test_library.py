"""The library keeps what it acknowledged, replaces whole documents, and has one writer."""

from pathlib import Path

import pytest

from knowledge.documents import Document, KnowledgeUnavailable, Passage, Place
from knowledge.library import Library


def document(text: str, name: str = "a.md") -> tuple[Document, list[Passage]]:
    made = Document(name, "馆", name, "markdown", "zh", str(hash(text)), text)
    spans = [(index, index + 2) for index in range(0, len(text), 2)]
    return made, [
        Passage(f"{name}{text}{start}", name, "馆", text[start:end], Place(("门票", "Tickets"), None, start, end), name)
        for start, end in spans
    ]


def test_what_was_put_is_there_after_a_restart(tmp_path: Path) -> None:
    first, second = document("海港科学馆"), document("open daily", "b.md")
    library = Library(tmp_path)
    library.put(*first)
    library.put(*second)
    library.set_note("embedder", "x")
    library.close()
    again = Library(tmp_path)
    assert list(again.documents()) == [first, second]
    assert again.document("b.md") == second[0]
    assert again.document("c.md") is None
    assert again.note("embedder") == "x"
    again.close()


def test_putting_again_replaces_and_removing_removes_the_passages_too(tmp_path: Path) -> None:
    library = Library(tmp_path)
    library.put(*document("海港科学馆"))
    library.put(*document("新的"))
    assert list(library.documents()) == [document("新的")]
    library.remove("a.md")
    assert list(library.documents()) == []
    library.put(*document("新的"))
    library.close()


def test_a_put_that_fails_changes_nothing(tmp_path: Path) -> None:
    library = Library(tmp_path)
    before = document("海港科学馆")
    library.put(*before)
    made, passages = document("新的")
    with pytest.raises(KnowledgeUnavailable):
        library.put(made, [*passages, passages[0]])
    assert list(library.documents()) == [before]
    library.close()


def test_the_second_process_may_read_and_not_write(tmp_path: Path) -> None:
    writer = Library(tmp_path)
    writer.put(*document("海港科学馆"))
    reader = Library(tmp_path)
    assert not reader.writable
    assert len(list(reader.documents())) == 1
    with pytest.raises(KnowledgeUnavailable, match="another process"):
        reader.put(*document("x"))
    reader.close()
    writer.close()
    heir = Library(tmp_path)
    assert heir.writable
    heir.close()


def test_a_file_that_is_no_library_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "library.sqlite").write_bytes(b"not a database" * 100)
    with pytest.raises(KnowledgeUnavailable, match="cannot be opened"):
        Library(tmp_path)


def test_a_closed_library_is_unavailable(tmp_path: Path) -> None:
    library = Library(tmp_path)
    library.close()
    with pytest.raises(KnowledgeUnavailable):
        library.document("a")
    with pytest.raises(KnowledgeUnavailable):
        library.remove("a")
