"""The passages that the bench puts in the way."""

from itertools import islice

import pytest

from knowledge.documents import Passage
from knowledge.evaluation.datasets import passage
from tests.bench.distractors import PASSAGE, recombined

ZH = "第{}座馆在{}年建成，收藏了许多来自海边的旧物，每天都有人来看。第{}位馆长在{}年退休，以后仍常常回来讲他的故事。"
EN = (
    "The hall number {} was built in {} and keeps a great many old things from the sea, and people come to see. "
    "Its keeper number {} retired in {} and still comes back quite often to tell the stories of the early years there."
)


@pytest.mark.parametrize("text", [ZH, EN])
def test_sentences_of_different_articles_are_recombined_the_same_way_every_time(text: str) -> None:
    articles: list[Passage] = [passage(f"馆 {at}", text.format(at, 1900 + at, at, 1950 + at)) for at in range(12)]
    made = list(islice(recombined(articles, 1), 50))
    assert made == list(islice(recombined(articles, 1), 50)) and made != list(islice(recombined(articles, 2), 50))
    assert len(set(made)) == 50 and all(len(one.encode()) in PASSAGE for one in made)
    assert not any(one in article.text for one in made for article in articles)
