"""What every embedder must do."""

from pathlib import Path

import numpy as np
import pytest

from configs.engines import EngineSpec, build
from configs.home import Home, current
from knowledge.embedding import Embedder, EmbedderError
from knowledge.engines.e5 import E5

TEXTS = ["成人票每张六十元。", "The last entry is at 16:30.", "", "🙂", "a\0b", "\udce9 lone", "长句" * 400]


@pytest.fixture(scope="module", params=["hashing", pytest.param("e5", marks=pytest.mark.packaged)])
def embedder(request: pytest.FixtureRequest) -> Embedder:
    made: Embedder = build("embedders", EngineSpec(engine=request.param), current())
    return made


def test_vectors_are_unit_float32_rows(embedder: Embedder) -> None:
    vectors = embedder.embed(TEXTS, "passage")
    assert vectors.shape == (len(TEXTS), embedder.dimension) and vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-3)
    assert embedder.embed([], "passage").shape == (0, embedder.dimension)


def test_a_text_has_the_same_vector_alone_and_among_others(embedder: Embedder) -> None:
    together = embedder.embed(TEXTS[:3], "passage")
    for text, vector in zip(TEXTS[:3], together, strict=True):
        np.testing.assert_allclose(embedder.embed([text], "passage")[0], vector, atol=1e-5)


@pytest.mark.parametrize(
    ("question", "answer", "other"),
    [
        ("成人票多少钱？", "成人票每张六十元。", "地下停车场限高两米一。"),
        ("When is the last entry?", "The last entry is at 16:30.", "Drones are forbidden in the halls."),
    ],
)
def test_the_answer_is_nearer_than_another_passage(embedder: Embedder, question: str, answer: str, other: str) -> None:
    passages = embedder.embed([answer, other], "passage")
    near, far = passages @ embedder.embed([question], "question")[0]
    assert near > far


def test_identity_names_the_weights(embedder: Embedder) -> None:
    assert embedder.identity.strip()


@pytest.mark.packaged
def test_e5_finds_meaning_across_languages() -> None:
    embedder: Embedder = build("embedders", EngineSpec(engine="e5"), current())
    passages = embedder.embed(["自行车停在东门外的车棚。", "The café sells coffee and noodles."], "passage")
    bike, coffee = passages @ embedder.embed(["Where can I leave my bike?"], "question")[0]
    assert bike > coffee


@pytest.mark.packaged
def test_weights_that_are_not_there_are_an_error_of_the_embedder(tmp_path: Path) -> None:
    with pytest.raises(EmbedderError, match="none.bin"):
        E5(E5.Options(path=tmp_path / "none.bin"), Home(tmp_path, tmp_path))
