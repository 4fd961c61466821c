from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from configs.engines import ConfigError, EngineSpec, options_of
from configs.settings import load, merge, profiles


@pytest.mark.parametrize("profile", ["offline", "production", "test"])
def test_every_profile_loads_and_its_options_are_valid(profile: str) -> None:
    settings = load(profile, environ={})
    assert settings.profile == profile
    for kind, spec in (
        ("models", settings.model),
        ("voices", settings.voice),
        ("embedders", settings.embedder),
        ("stores", settings.store),
    ):
        options_of(kind, spec)  # type: ignore[arg-type]  # literals of a loop


def test_an_unknown_profile_lists_those_there_are() -> None:
    with pytest.raises(ConfigError, match="no profile 'offlin'; there are: offline, production, test"):
        load("offlin", environ={})


def test_the_environment_reaches_an_engines_options() -> None:
    settings = load("production", environ={"ZHUBO__MODEL__OPTIONS__BASE_URL": "http://127.0.0.1:9/v1"})
    assert settings.model.options["base_url"] == "http://127.0.0.1:9/v1"
    assert settings.model.options["model"] == "Qwen/Qwen2.5-7B-Instruct"


def test_naming_another_engine_drops_the_first_ones_options() -> None:
    settings = load("production", environ={"ZHUBO__MODEL__ENGINE": "scripted"})
    assert settings.model == EngineSpec(engine="scripted")


def test_a_misspelt_setting_is_named_with_its_place(tmp_path: Path) -> None:
    file = tmp_path / "zhubo.yaml"
    file.write_text("server:\n  prot: 9000\n", "utf-8")
    with pytest.raises(ConfigError, match="server.prot: no such setting"):
        load("test", file, {})
    with pytest.raises(ConfigError, match="modle: no such setting"):
        load("test", environ={"ZHUBO__MODLE__ENGINE": "x"})


def test_a_file_that_is_not_a_mapping_or_not_yaml_is_told_so(tmp_path: Path) -> None:
    file = tmp_path / "设置.yaml"
    file.write_text("- 1\n- 2\n", "utf-8")
    with pytest.raises(ConfigError, match="must be a mapping"):
        load("test", file, {})
    file.write_text("a: [1", "utf-8")
    with pytest.raises(ConfigError, match="is not YAML"):
        load("test", file, {})
    with pytest.raises(ConfigError, match="cannot read"):
        load("test", tmp_path / "missing.yaml", {})


def test_an_unknown_engine_lists_what_is_installed() -> None:
    with pytest.raises(ConfigError, match="no engine 'kokro' among the voices; installed: .*kokoro.*tone"):
        options_of("voices", EngineSpec(engine="kokro"))


def test_an_unknown_option_is_named() -> None:
    with pytest.raises(ConfigError, match="voices engine 'tone', option 'loudness'"):
        options_of("voices", EngineSpec(engine="tone", options={"loudness": 3}))


def test_a_secret_is_never_shown() -> None:
    settings = load("test", environ={"ZHUBO__SERVER__KEY": "hush-hush"})
    assert "hush" not in repr(settings) and "hush" not in settings.model_dump_json()


def test_profiles_are_those_that_ship() -> None:
    assert profiles() == ["offline", "production", "test"]


TREES = st.recursive(
    st.integers(), lambda inner: st.dictionaries(st.sampled_from("abc"), inner, max_size=3), max_leaves=6
).filter(lambda tree: isinstance(tree, dict))


@given(TREES, TREES)
def test_what_is_laid_over_wins_and_the_rest_stays(base: dict[str, object], over: dict[str, object]) -> None:
    merged = merge(base, over)
    assert merge(merged, over) == merged
    assert set(merged) == set(base) | set(over)
