"""The embedder of the OpenAI protocol against a vLLM that pools. This model's vectors are no good for retrieval."""

from contextlib import closing

import numpy as np
import pytest

from configs.home import current
from knowledge.embedding import EmbedderError
from knowledge.engines.openai import OpenAIEmbeddings
from tests.vllm.server import Server

FLAGS = ("--runner", "pooling", "--convert", "embed")
TEXTS = ["成人票每张60元。", "An adult ticket costs 60 yuan.", "闭馆", "", "🙂"]


def embedder(served: Server, **options: object) -> OpenAIEmbeddings:
    settings = {"base_url": served.url, "model": served.name, "timeout": 60} | options
    return OpenAIEmbeddings(OpenAIEmbeddings.Options.model_validate(settings), current())


def test_texts_of_both_languages_become_unit_vectors_each_its_own(served: Server) -> None:
    plain, packed = embedder(served, batch=2), embedder(served, base64=True)
    vectors = plain.embed(TEXTS, "passage")
    assert vectors.shape == (len(TEXTS), 896) and plain.dimension == 896
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    np.testing.assert_allclose(packed.embed(TEXTS, "passage"), vectors, atol=0.02)
    alone = plain.embed(TEXTS[:1], "passage")[0]
    assert float(alone @ vectors[0]) > 0.99 > float(alone @ vectors[2])
    plain.close()
    packed.close()


def test_a_refusal_is_an_error_of_the_embedder(served: Server) -> None:
    with closing(embedder(served, model="another")) as unknown, pytest.raises(EmbedderError, match="404"):
        unknown.embed(["票价"], "question")
    with closing(embedder(served, attempts=1)) as once, pytest.raises(EmbedderError, match="400"):
        once.embed(["word " * 6000], "passage")
