"""What every reranker must do."""

import math
from collections.abc import Iterator
from typing import Any

import pytest

from configs.engines import EngineSpec, build
from configs.home import current
from knowledge.engines.openai_rerank import RerankEndpoint
from knowledge.rerank import RerankError
from tests.contract.model_server import ModelServer, model_server

PASSAGES = ["地下停车场限高两米一。", "成人票每张六十元。", "Drones are forbidden in the halls.", "", "\udce9 lone"]


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with model_server() as running:
        yield running


@pytest.fixture
def reranker(server: ModelServer) -> Iterator[RerankEndpoint]:
    options = {"base_url": server.url, "model": "bge-reranker-v2-m3", "api_key": "s3cret", "longest_wait": 0}
    made: RerankEndpoint = build("rerankers", EngineSpec(engine="openai", options=options), current())
    yield made
    made.close()


@pytest.mark.parametrize(("question", "best"), [("成人票多少钱？", 1), ("Are drones forbidden?", 2)])
def test_scores_are_finite_in_the_passages_order_and_best_for_the_answer(
    reranker: RerankEndpoint, question: str, best: int
) -> None:
    scores = reranker.scores(question, PASSAGES)
    assert len(scores) == len(PASSAGES) and all(map(math.isfinite, scores))
    assert scores.index(max(scores)) == best
    assert reranker.scores(question, []) == []
    assert reranker.identity == "openai:bge-reranker-v2-m3"


def test_a_request_is_the_protocols(server: ModelServer, reranker: RerankEndpoint) -> None:
    reranker.scores("几点？", ["一", "two"])
    path, headers, body = server.asked[0]
    assert path == "/v1/rerank" and headers["Authorization"] == "Bearer s3cret"
    expected = {"model": "bge-reranker-v2-m3", "query": "几点？", "documents": ["一", "two"], "top_n": 2}
    assert body == expected


@pytest.mark.parametrize("fault", ["401", "429", "500", "garbage", "another shape", "null"])
def test_a_failure_is_an_error_of_the_reranker(server: ModelServer, reranker: RerankEndpoint, fault: str) -> None:
    server.lasting = fault
    with pytest.raises(RerankError) as caught:
        reranker.scores("不可外传", ["一"])
    assert "不可外传" not in str(caught.value) and "s3cret" not in str(caught.value)
    server.lasting = None
    assert len(reranker.scores("几点？", ["一"])) == 1


@pytest.mark.parametrize(
    "results",
    [
        [],
        [{"index": 0, "relevance_score": 1.0}],
        [{"index": 0, "relevance_score": 1.0}, {"index": 0, "relevance_score": 1.0}],
        [{"index": 0, "relevance_score": 1.0}, {"index": 2, "relevance_score": 1.0}],
        [{"index": 0, "relevance_score": 1.0}, {"index": 1, "relevance_score": None}],
        [{"index": 0, "relevance_score": 1.0}, {"index": 1, "relevance_score": 1e999}],
        [{"index": 0, "relevance_score": 1.0}, {"index": 1, "relevance_score": "nan"}],
    ],
)
def test_scores_that_are_none_are_an_error(server: ModelServer, reranker: RerankEndpoint, results: Any) -> None:
    server.spoil = lambda answer: {"results": results}
    with pytest.raises(RerankError):
        reranker.scores("几点？", ["一", "two"])
