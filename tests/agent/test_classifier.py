"""The classifier: learns what it is shown, keeps to the rate of false alarms asked for, reads its own file only."""

import itertools
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.engines.classifier import Classifier, ClassifierOptions
from agent.moderation.classifier import Classifier as Model
from agent.moderation.classifier import ClassifierError, share_of
from agent.moderation.features import SIZE, features
from agent.moderation.training import TooFew, train
from configs.engines import ConfigError, EngineSpec, build
from configs.language import Lang
from tests.doubles import HOME

WORDS: dict[Lang, tuple[str, str, str]] = {
    "zh": (
        "我今天 他昨天 大家常常 老师有时 孩子们 邻居 朋友 妈妈".replace(" ", "|"),
        "参观|喜欢|介绍|路过|谈起|画了",
        "博物馆|展厅|鲸鱼|飞船|门票|商店",
    ),
    "en": (
        "I|we|the children|a teacher|my friend|somebody|the guide|they",
        "visit|like|describe|pass|mention|draw",
        "the museum|a hall|the whale|a rocket|the tickets|the shop",
    ),
}
BAD: dict[Lang, tuple[str, ...]] = {
    "zh": ("都是垃圾", "滚出去", "真恶心"),
    "en": ("are scum", "get out of here", "how disgusting"),
}


def texts(lang: Lang) -> tuple[list[str], list[bool]]:
    joint = "" if lang == "zh" else " "
    clean = [joint.join(words) for words in itertools.product(*(part.split("|") for part in WORDS[lang]))]
    bad = [f"{text}{'，' if lang == 'zh' else ', '}{BAD[lang][place % 3]}" for place, text in enumerate(clean[::2])]
    return clean + bad, [False] * len(clean) + [True] * len(bad)


@pytest.fixture(scope="module", params=["zh", "en"])
def trained(request: pytest.FixtureRequest) -> tuple[Lang, Model]:
    lang: Lang = request.param
    rows = [(text, bad) for text, bad in zip(*texts(lang), strict=True) if share_of(text) < 0.7]
    return lang, train([text for text, _ in rows], [bad for _, bad in rows], lang, "hate", 0.7)


def test_it_tells_texts_that_it_has_not_seen(trained: tuple[Lang, Model]) -> None:
    lang, model = trained
    unseen = [(text, bad) for text, bad in zip(*texts(lang), strict=True) if share_of(text) >= 0.7]
    threshold = model.threshold(0.005)
    assert sum(model.score(text) > threshold for text, bad in unseen if not bad) <= 0.005 * len(unseen)
    assert all(model.score(text) > threshold for text, bad in unseen if bad)
    assert model.threshold(0.0001) >= model.threshold(0.001) >= model.threshold(0.05)


def test_the_same_data_give_the_same_file(trained: tuple[Lang, Model], tmp_path: Path) -> None:
    lang, _ = trained
    first, second = tmp_path / "a", tmp_path / "b"
    for path in (first, second):
        train(*texts(lang), lang, "hate").save(path)
    assert first.read_bytes() == second.read_bytes()


async def test_the_engine_judges_its_own_language(trained: tuple[Lang, Model], tmp_path: Path) -> None:
    lang, model = trained
    model.save(tmp_path / "model")
    engine = build("moderators", EngineSpec(engine="classifier", options={"file": str(tmp_path / "model")}), HOME)
    assert isinstance(engine, Classifier)
    bad, other = f"大家{BAD['zh'][0]}" if lang == "zh" else f"they {BAD['en'][0]}", "zh" if lang == "en" else "en"
    (finding,) = await engine.judge(bad, lang)
    assert finding.category == "hate" and 0.5 < finding.score <= 1 and finding.span is None
    assert await engine.judge(bad, other) == ()
    assert await engine.judge("参观博物馆" if lang == "zh" else "visit the museum", lang) == ()


@pytest.mark.parametrize("harm", ["flipped", "cut", "foreign", "empty", "missing", "of another magic"])
def test_a_file_that_is_not_whole_is_refused(trained: tuple[Lang, Model], tmp_path: Path, harm: str) -> None:
    path = tmp_path / "model"
    trained[1].save(path)
    data = path.read_bytes()
    match harm:
        case "flipped":
            path.write_bytes(data[:-9] + bytes([data[-9] ^ 1]) + data[-8:])
        case "cut":
            path.write_bytes(data[:-1])
        case "foreign":
            path.write_bytes(b"\x80\x04pickle")
        case "empty":
            path.write_bytes(b"")
        case "missing":
            path.unlink()
        case _:
            path.write_bytes(data.replace(b"zhubo moderation 1", b"zhubo moderation 9"))
    with pytest.raises(ClassifierError):
        Model.load(path)
    with pytest.raises(ConfigError, match="model"):
        Classifier(ClassifierOptions(file=path), HOME)


def test_too_little_is_told() -> None:
    with pytest.raises(TooFew, match="50"):
        train(["a"] * 60 + ["b"] * 3, [False] * 60 + [True] * 3, "en", "hate")


@given(st.text(max_size=200))
def test_features_of_any_text(text: str) -> None:
    found = features(text)
    assert len(found) > 0 and found.min() >= 0 and found.max() < SIZE and np.all(np.diff(found) > 0)


def test_features_do_not_see_width_case_or_invisible_characters() -> None:
    assert np.array_equal(features("ＡＢ\u200bＣ 殺"), features("abc  杀"))


def test_a_sentence_costs_less_than_two_milliseconds(trained: tuple[Lang, Model]) -> None:
    spent = []
    for text in texts(trained[0])[0]:
        began = time.process_time()
        trained[1].score(text * 3)
        spent.append(time.process_time() - began)
    assert sorted(spent)[len(spent) // 2] < 0.002
