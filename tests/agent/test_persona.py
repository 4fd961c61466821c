"""A persona is one YAML file with every line in both languages."""

from pathlib import Path

import pytest
import yaml

from agent.persona import load
from configs.engines import ConfigError
from configs.language import detect

GUIDE = load("guide")


def written(folder: Path, **changes: object) -> str:
    content = GUIDE.model_dump(mode="json") | changes
    file = folder / "own.yaml"
    file.write_text(yaml.safe_dump(content, allow_unicode=True), "utf-8")
    return str(file)


def test_every_spoken_line_of_the_guide_is_in_its_language() -> None:
    lines = [GUIDE.greeting, GUIDE.unclear, GUIDE.other_language, GUIDE.too_long, GUIDE.fallback, GUIDE.unavailable]
    for line in [*lines, GUIDE.voiceless, *GUIDE.smalltalk.values()]:
        assert detect(line["zh"]) == "zh"
        assert detect(line["en"]) == "en"


def test_a_refusal_names_what_it_can_help_with() -> None:
    assert GUIDE.refusal("zh").endswith("我可以为您介绍开放时间、门票和展厅。")
    assert GUIDE.refusal("en").endswith("about opening hours, tickets and the exhibition halls.")


def test_an_own_persona_is_loaded_from_its_path(tmp_path: Path) -> None:
    path = written(tmp_path, name={"zh": "小海", "en": "Marina"})
    assert load(path).name["en"] == "Marina"


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"greeting": {"zh": "您好"}}, "greeting.en"),
        ({"greetings": {}}, "greetings"),
        ({"refused": {"zh": "没有。", "en": "No."}}, "topics"),
        ({"topics": {"zh": [], "en": ["x"]}}, "topics.zh"),
    ],
)
def test_a_wrong_persona_says_what_is_wrong(tmp_path: Path, changes: dict[str, object], where: str) -> None:
    with pytest.raises(ConfigError, match=where):
        load(written(tmp_path, **changes))


def test_a_persona_that_is_not_there_or_not_yaml_is_a_configuration_error(tmp_path: Path) -> None:
    broken = tmp_path / "broken.yaml"
    broken.write_bytes(b"name: [\xff")
    for name in ("nobody", str(tmp_path / "none.yaml"), str(broken)):
        with pytest.raises(ConfigError):
            load(name)
