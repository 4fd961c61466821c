"""What every embedder must do."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from configs.engines import EngineSpec, build
from configs.home import Home, current
from knowledge.embedding import Embedder, EmbedderError
from knowledge.engines.e5 import E5
from knowledge.engines.openai import OpenAIEmbeddings
from tests.contract.model_server import FAULTS, ModelServer, model_server

MODEL = {"model": "bge-m3"}
TEXTS = ["成人票每张六十元。", "The last entry is at 16:30.", "", "🙂", "a\0b", "\udce9 lone", "长句" * 400]


@pytest.fixture(scope="module", params=["hashing", "openai", pytest.param("e5", marks=pytest.mark.packaged)])
def embedder(request: pytest.FixtureRequest) -> Iterator[Embedder]:
    if request.param == "openai":
        with model_server() as server:
            made = build("embedders", EngineSpec(engine="openai", options={"base_url": server.url, **MODEL}), current())
            yield made
            made.close()
    else:
        yield build("embedders", EngineSpec(engine=request.param), current())


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


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with model_server() as running:
        yield running


@pytest.fixture
def remote(server: ModelServer, request: pytest.FixtureRequest) -> Iterator[OpenAIEmbeddings]:
    """Set further options by `@pytest.mark.parametrize("remote", [{…}], indirect=True)`."""
    options = {"base_url": server.url, "longest_wait": 0, **MODEL, **getattr(request, "param", {})}
    made = OpenAIEmbeddings(OpenAIEmbeddings.Options.model_validate(options), current())
    yield made
    made.close()


@pytest.mark.parametrize(
    "remote", [{"api_key": "s3cret", "question_prefix": "query: ", "passage_prefix": "文：", "batch": 2}], indirect=True
)
def test_a_request_is_the_protocols(server: ModelServer, remote: OpenAIEmbeddings) -> None:
    remote.embed(["一", "two", "三"], "passage")
    remote.embed(["几点？"], "question")
    assert [body["input"] for _, _, body in server.asked] == [["文：一", "文：two"], ["文：三"], ["query: 几点？"]]
    path, headers, body = server.asked[0]
    assert path == "/v1/embeddings" and headers["Authorization"] == "Bearer s3cret"
    assert body.keys() == {"model", "input", "encoding_format"} and body["model"] == "bge-m3"
    assert "s3cret" not in repr(remote) + remote.identity and server.url not in remote.identity


@pytest.mark.parametrize("remote", [{"base64": True, "dimensions": 32}], indirect=True)
def test_vectors_in_base64_and_shortened_are_the_same_vectors(server: ModelServer, remote: OpenAIEmbeddings) -> None:
    plain = OpenAIEmbeddings(OpenAIEmbeddings.Options(base_url=server.url, model="bge-m3", dimensions=32), current())
    np.testing.assert_allclose(remote.embed(TEXTS, "passage"), plain.embed(TEXTS, "passage"), atol=1e-6)
    plain.close()
    assert remote.dimension == 32 and {body["encoding_format"] for _, _, body in server.asked} == {"base64", "float"}


def test_vectors_follow_the_index_and_not_the_order_of_the_answer(
    server: ModelServer, remote: OpenAIEmbeddings
) -> None:
    ordered = remote.embed(TEXTS, "passage")
    server.backwards = True
    np.testing.assert_array_equal(remote.embed(TEXTS, "passage"), ordered)


@pytest.mark.parametrize("fault", ["429", "500"])
def test_an_overloaded_server_is_asked_again(server: ModelServer, remote: OpenAIEmbeddings, fault: str) -> None:
    server.faults = [fault, fault]
    assert remote.embed(["一"], "passage").shape == (1, remote.dimension)
    server.lasting = fault
    with pytest.raises(EmbedderError, match=fault):
        remote.embed(["一"], "passage")
    assert len(server.asked) == 3 + 3


@pytest.mark.parametrize("fault", ["401", "garbage", "another shape", "null"])
def test_an_answer_that_will_not_get_better_is_an_error_at_once(
    server: ModelServer, remote: OpenAIEmbeddings, fault: str
) -> None:
    server.lasting = fault
    with pytest.raises(EmbedderError) as caught:
        remote.embed(["不可外传"], "passage")
    assert len(server.asked) == 1 and "不可外传" not in str(caught.value) and "s3cret" not in str(caught.value)
    assert fault in FAULTS


def without_the_last(answer: dict[str, Any]) -> dict[str, Any]:
    return answer | {"data": answer["data"][:-1]}


def twice_the_last(answer: dict[str, Any]) -> dict[str, Any]:
    return answer | {"data": [*answer["data"], answer["data"][-1] | {"index": 99}]}


def first(embedding: Any) -> Any:
    def spoil(answer: dict[str, Any]) -> dict[str, Any]:
        answer["data"][0]["embedding"] = embedding
        return answer

    return spoil


@pytest.mark.parametrize(
    "spoil",
    [
        without_the_last,
        twice_the_last,
        *map(first, [[float("nan")] * 64, [0.0] * 64, [], [1.0], [[1.0] * 64], ["x"] * 64, None, "%%%", "AAAA"]),
    ],
)
def test_vectors_that_are_none_are_an_error(server: ModelServer, remote: OpenAIEmbeddings, spoil: Any) -> None:
    server.spoil = spoil
    with pytest.raises(EmbedderError):
        remote.embed(["一", "two"], "passage")


def test_a_model_that_changes_its_dimension_is_an_error(server: ModelServer, remote: OpenAIEmbeddings) -> None:
    remote.embed(["一"], "passage")
    server.spoil = first([1.0] * 8)
    with pytest.raises(EmbedderError, match="8 dimensions instead of 64"):
        remote.embed(["一"], "passage")


@pytest.mark.parametrize("remote", [{"timeout": 0.1, "attempts": 2}], indirect=True)
def test_a_silent_server_is_an_error_in_time(server: ModelServer, remote: OpenAIEmbeddings) -> None:
    server.silent = True
    with pytest.raises(EmbedderError, match="ReadTimeout"):
        remote.embed(["一"], "passage")
    assert len(server.asked) == 2


def test_a_server_that_is_not_there_is_an_error_and_may_come_later(server: ModelServer) -> None:
    options = OpenAIEmbeddings.Options(base_url="http://127.0.0.1:9/v1", model="bge-m3", attempts=1)
    remote = OpenAIEmbeddings(options, current())
    with pytest.raises(EmbedderError, match="cannot be reached"):
        remote.embed(["一"], "passage")
    remote.close()
