"""A persona is one YAML file with every line in both languages; what it leaves out, it has from the packaged lines."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from agent.lines import Both, Lines, Lists, Offering
from agent.persona import TOOLS, Persona, load, names
from avatar.motion import EMOTIONS, GESTURES
from configs.engines import ConfigError
from configs.language import LANGUAGES, detect

GUIDE = load("guide")
SMALL: dict[str, Any] = {
    "language": "en",
    "name": {"zh": "小海", "en": "Marina"},
    "role": {"zh": "港口的向导", "en": "the guide of the harbour"},
    "suggestions": {"zh": ["几点开船？"], "en": ["When does the ferry leave?"]},
    "topics": {"zh": ["船票", "航线"], "en": ["tickets", "routes"]},
}


def written(folder: Path, content: dict[str, Any]) -> str:
    file = folder / "own.yaml"
    file.write_text(yaml.safe_dump(content, allow_unicode=True), "utf-8")
    return str(file)


def small(folder: Path, **changes: object) -> Persona:
    return load(written(folder, SMALL | changes))


def spoken(persona: Persona) -> list[Both | Offering]:
    lines: list[Both | Offering] = [*persona.smalltalk.values(), *(topic.instead for topic in persona.avoid)]
    for name in Lines.model_fields:
        match getattr(persona, name):
            case Both() | Offering() as line:
                lines.append(line)
            case Lists(zh=zh, en=en):
                lines += [Both(zh=one, en=other) for one, other in zip(zh, en, strict=True)]
    return lines


@pytest.mark.parametrize("name", ["guide", "anchor"])
def test_every_spoken_line_of_a_persona_that_ships_is_in_its_language(name: str) -> None:
    persona = load(name)
    assert len(lines := spoken(persona)) > 28
    for line in [*lines, persona.style]:
        for lang in LANGUAGES:
            assert detect(line[lang]) == lang
            assert "{" not in line[lang].replace("{topics}", "")


def test_two_personas_ship() -> None:
    assert names() == ["anchor", "guide"]


def test_a_refusal_names_what_it_can_help_with() -> None:
    assert GUIDE.refusal("zh").endswith("我可以为您介绍开放时间、门票和展厅。")
    assert GUIDE.refusal("en").endswith("about opening hours, tickets and the exhibition halls.")


def test_a_small_persona_has_the_packaged_lines_with_its_own_name_and_role(tmp_path: Path) -> None:
    persona = small(tmp_path)
    assert persona.greeting["zh"].startswith("您好，我是小海，港口的向导。")
    assert persona.greeting["en"].startswith("Hello, I'm Marina, the guide of the harbour.")
    assert persona.smalltalk["who"]["en"].startswith("I'm Marina, the guide of the harbour,")
    assert persona.refusal("en").endswith("about tickets and routes.")
    assert (persona.bases, persona.base, persona.tools) == (("main",), "main", TOOLS)
    assert (persona.emotions, persona.gestures, persona.voice["zh"]) == (EMOTIONS, GESTURES, None)


def test_its_own_lines_go_first_small_talk_one_by_one(tmp_path: Path) -> None:
    own = {"zh": "我是{name}。", "en": "{name} it is."}
    persona = small(tmp_path, busy=own, smalltalk={"who": own})
    assert persona.busy["zh"] == persona.smalltalk["who"]["zh"] == "我是小海。"
    assert persona.busy["en"] == "Marina it is."
    assert persona.smalltalk["thanks"]["en"] == "You're welcome!"


def test_a_persona_that_was_dumped_is_loaded_as_it_was(tmp_path: Path) -> None:
    assert load(written(tmp_path, GUIDE.model_dump(mode="json"))) == GUIDE


@pytest.mark.parametrize(
    ("given", "bases"), [({"base": "west"}, ("west",)), ({"bases": ["west", "main"]}, ("west", "main"))]
)
def test_one_base_or_several(tmp_path: Path, given: dict[str, object], bases: tuple[str, ...]) -> None:
    persona = small(tmp_path, **given)
    assert persona.bases == bases and persona.base == "west"


def test_what_it_likes_and_may_use(tmp_path: Path) -> None:
    persona = small(
        tmp_path,
        voice={"zh": "zf_xiaoni"},
        gestures=["wave"],
        emotions=[],
        tools=["clock", "weather"],
        fillers={"zh": ["稍等。"], "en": ["One moment.", "Hold on."]},
    )
    assert (persona.voice["zh"], persona.voice["en"]) == ("zf_xiaoni", None)
    assert (persona.gestures, persona.emotions, persona.tools) == (("wave",), (), ("clock", "weather"))
    assert persona.fillers["en"] == ("One moment.", "Hold on.")


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"greeting": {"zh": "您好"}}, "greeting.en: is missing; every line stands in both languages"),
        ({"greetings": {}}, "greetings: there is no such line; do you mean `greeting`"),
        ({"smalltalk": {"joke": {"zh": "笑", "en": "Ha"}}}, "smalltalk.joke"),
        ({"refused": {"zh": "没有。", "en": "No."}}, r"refused.zh: needs \{topics\} once.*refused.en: needs"),
        ({"busy": {"zh": "我是{nam}", "en": "x"}}, r"busy.zh: only \{name\} and \{role\}"),
        ({"topics": {"zh": [], "en": ["x"]}}, "topics.zh"),
        ({"name": {"zh": "小海"}}, "name.en: is missing"),
        ({"voice": {"fr": "x"}}, "voice.fr: there is no such line"),
        ({"gestures": ["dance"]}, "gestures.0: Input should be 'rest', 'wave'"),
        ({"emotions": ["happy", "happy"]}, "emotions: happy stands there twice"),
        ({"tools": ["rm -rf"]}, "tools.0"),
        ({"bases": []}, "bases"),
        ({"bases": ["a", "a"]}, "bases: a stands there twice"),
        ({"base": "a", "bases": ["b"]}, "either `base` or `bases`"),
        ({"ai_notice": {"zh": "您好，请讲。", "en": "Hello."}}, "ai_notice has to say that this is 人工智能 or AI"),
        ({"ai_notice": {"zh": "我是人工智能。", "en": "I am an AI."}}, "ai_notice has to say .*生成"),
        ({"smalltalk": {"human": {"zh": "我是真人。", "en": "I am."}}}, "smalltalk.human has to say"),
        ({"fillers": {"zh": [], "en": ["x"]}}, "fillers.zh"),
        ({"avoid": [{"name": {"zh": "政治", "en": "politics"}}]}, "avoid.0.phrases: is missing"),
    ],
)
def test_a_wrong_persona_says_what_is_wrong_and_what_to_do(
    tmp_path: Path, changes: dict[str, object], told: str
) -> None:
    with pytest.raises(ConfigError, match=told):
        small(tmp_path, **changes)


def test_every_fault_is_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"gestures\.0.*greet"):
        small(tmp_path, gestures=["dance"], greet="x")


def test_a_persona_that_is_not_there_or_not_yaml_is_a_configuration_error(tmp_path: Path) -> None:
    broken, listed = tmp_path / "broken.yaml", tmp_path / "listed.yaml"
    broken.write_bytes(b"name: [\xff")
    listed.write_text("- name", "utf-8")
    for name, told in (
        ("nobody", "anchor, guide"),
        (str(tmp_path / "none.yaml"), "cannot be read"),
        (str(broken), "not YAML"),
        (str(listed), "has to be a mapping"),
    ):
        with pytest.raises(ConfigError, match=told):
            load(name)
