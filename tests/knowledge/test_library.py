"""The library keeps what it acknowledged, publishes whole changes, returns to editions, and has one writer."""

import tempfile
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from knowledge.documents import Curated, Document, KnowledgeUnavailable, Passage, Place, QuestionAnswer
from knowledge.library import Change, Library, Volume

NAMES = st.sampled_from(["a.md", "b.md", "参观.md"])
STEPS = st.one_of(
    st.tuples(st.just("put"), NAMES, st.integers(0, 9)),
    st.tuples(st.just("remove"), NAMES, st.just(0)),
    st.tuples(st.just("answer"), NAMES, st.integers(0, 9)),
    st.tuples(st.just("unanswer"), NAMES, st.just(0)),
    st.tuples(st.just("back"), NAMES, st.integers(0, 20)),
    st.tuples(st.just("prune"), NAMES, st.integers(1, 5)),
)


def volume(text: str, name: str = "a.md", *answers: str) -> Volume:
    document = Document(
        name, "馆", name, "markdown", "zh", str(hash(text)), text, 0, date(2026, 5, 1), ("门票", "x"), "一句话"
    )
    passages = tuple(
        Passage(
            f"{name}{text}{start}",
            name,
            "馆",
            text[start : start + 2],
            Place(("门票", "Tickets"), 3, start, min(start + 2, len(text)), 1.5, (0, len(text))),
            name,
        )
        for start in range(0, len(text), 2)
    )
    curated = tuple(Curated(f"{name}.{answer}", QuestionAnswer((answer,), answer), "zh", name) for answer in answers)
    return Volume(document, passages, curated)


def held(library: Library) -> dict[str, str]:
    return {one.document.source: one.document.text for one in library.volumes(library.shelved().values())}


def test_what_was_published_is_there_after_a_restart(tmp_path: Path) -> None:
    library = Library(tmp_path)
    answer = Curated(
        "x", QuestionAnswer(("几点？",), "九点。", "happy", "wave", date(2026, 1, 1), date(2027, 1, 1)), "zh"
    )
    volumes, edition = library.publish(
        Change("first", [volume("海港科学馆", "a.md", "问"), volume("open", "b.md")], [], [answer])
    )
    library.set_note("embedder", "x")
    library.close()
    again = Library(tmp_path)
    assert (edition.number, edition.note, edition.documents, edition.passages) == (1, "first", 2, 5)
    assert list(again.volumes(again.shelved().values())) == [
        Volume(volumes[0].document, volumes[0].passages),
        Volume(volumes[1].document, volumes[1].passages),
    ]
    assert again.document("b.md") == volumes[1].document and again.document("c.md") is None
    assert again.curated() == [*volumes[0].curated, answer]
    assert again.note("embedder") == "x"
    assert again.excerpt(volumes[0].document.revision, 2, 5) == "科学馆" and again.excerpt(99, 0, 5) == ""
    again.close()


def test_a_change_that_fails_changes_nothing(tmp_path: Path) -> None:
    library = Library(tmp_path)
    library.publish(Change("", [volume("海港科学馆")]))
    bad = Volume(volume("新的").document, (Passage("p", "a.md", "馆", "x", Place((), None, 0, "x")),))  # type: ignore[arg-type]
    with pytest.raises(KnowledgeUnavailable):
        library.publish(Change("", [volume("open", "b.md"), bad], ["a.md"]))
    assert held(library) == {"a.md": "海港科学馆"} and len(library.editions()) == 1
    library.close()


@settings(max_examples=60, deadline=None)
@given(st.lists(STEPS, max_size=25))
def test_any_edition_that_is_kept_is_what_was_published(steps: list[tuple[str, str, int]]) -> None:
    """Held against the plainest model: a list of all states there were."""
    with tempfile.TemporaryDirectory() as folder:
        library = Library(Path(folder))
        documents: dict[str, str] = {}
        answers: dict[str, str] = {}
        states: list[tuple[dict[str, str], dict[str, str]]] = []
        for kind, name, number in steps:
            match kind:
                case "put":
                    documents = {**documents, name: f"{name} {number}"}
                    library.publish(Change("", [volume(documents[name], name)]))
                case "remove":
                    documents = {key: text for key, text in documents.items() if key != name}
                    library.publish(Change("", removed=[name]))
                case "answer":
                    answers = {**answers, name: str(number)}
                    library.publish(Change("", curated=[Curated(name, QuestionAnswer(("问",), str(number)), "zh")]))
                case "unanswer":
                    answers = {key: text for key, text in answers.items() if key != name}
                    library.publish(Change("", uncurated=[name]))
                case "prune":
                    library.prune(number)
                    continue
                case _:
                    known = [edition.number for edition in library.editions()]
                    if number not in known:
                        with pytest.raises(LookupError):
                            library.rollback(number, "")
                        continue
                    documents, answers = states[number - 1]
                    library.rollback(number, "")
            states.append((documents, answers))
            assert held(library) == documents
            assert {one.id: one.entry.answer for one in library.curated()} == answers
        gone = library.prune(1)
        passages = {p.id for one in library.volumes(library.shelved().values()) for p in one.passages}
        assert library.kept() == passages and passages.isdisjoint(gone)
        library.close()


def test_the_second_process_may_read_and_not_write(tmp_path: Path) -> None:
    writer = Library(tmp_path)
    writer.publish(Change("", [volume("海港科学馆")]))
    reader = Library(tmp_path)
    assert not reader.writable
    assert held(reader) == {"a.md": "海港科学馆"}
    with pytest.raises(KnowledgeUnavailable, match="another process"):
        reader.publish(Change("", [volume("x")]))
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
        library.publish(Change(""))
