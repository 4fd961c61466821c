from datetime import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from configs.engines import ConfigError, EngineSpec, options_of
from configs.settings import load, merge, overlaid, profiles


@pytest.mark.parametrize("profile", ["offline", "production", "test"])
def test_every_profile_loads_and_its_options_are_valid(profile: str) -> None:
    settings = load(profile, environ={})
    assert settings.profile == profile
    assert settings.engines().keys() >= {"model", "voice", "embedder", "store"}
    for kind, spec in settings.engines().values():
        options_of(kind, spec)


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


KEYS = "[{key: hush-east, base: east, write: true}, {key: hush-west, base: west}]"


def test_keys_of_single_bases_are_read_and_never_shown() -> None:
    settings = load("test", environ={"ZHUBO__SERVER__KEYS": KEYS})
    east, west = settings.server.keys
    assert (east.base, east.write, west.base, west.write) == ("east", True, "west", False)
    assert "hush" not in repr(settings) and "hush" not in settings.model_dump_json()
    assert overlaid(settings, {"server": {"port": 1}}, "here").server.keys == settings.server.keys


@pytest.mark.parametrize(
    ("environ", "told"),
    [
        ({"SERVER__KEY": "hush-east", "SERVER__KEYS": KEYS}, "two of the keys are the same"),
        ({"SERVER__KEYS": "[{key: hush 密, base: east}]"}, "server.keys.0.key: .*a key is made of one or more ASCII"),
        ({"SERVER__KEYS": "[{key: hush, base: East}]"}, "server.keys.0.base: "),
        ({"SERVER__KEYS": "[{key: hush}]"}, "server.keys.0.base: Field required"),
        ({"KNOWLEDGE__WATCH": "[{folder: /a/docs}, {folder: /b/docs}]"}, "two folders of one base have the same name"),
        ({"KNOWLEDGE__WATCH": "[{folder: /a, base: 馆}]"}, "knowledge.watch.0.base: "),
        ({"KNOWLEDGE__WEB__ALLOW": "[10.0.0.1/8]"}, "knowledge.web.allow.0"),
        ({"KNOWLEDGE__REWRITE": "never"}, "knowledge.rewrite: Input should be 'rules', 'model' or 'off'"),
        ({"RERANKER__OPTIONS__X": "1"}, "reranker.engine: Field required"),
    ],
)
def test_what_is_wrong_with_a_knowledge_setting_is_told(environ: dict[str, str], told: str) -> None:
    with pytest.raises(ConfigError, match=told) as error:
        load("test", environ={f"ZHUBO__{name}": value for name, value in environ.items()})
    assert "hush" not in str(error.value)


def test_watched_folders_and_open_networks_are_read() -> None:
    environ = {
        "ZHUBO__KNOWLEDGE__WATCH": "[{folder: /资料/公告}, {folder: /docs/公告, base: east}]",
        "ZHUBO__KNOWLEDGE__WEB__ALLOW": "[10.1.0.0/16, 'fd00::/8']",
        "ZHUBO__OCR__ENGINE": "rapidocr",
    }
    settings = load("test", environ=environ)
    assert [(str(watch.folder), watch.base) for watch in settings.knowledge.watch] == [
        ("/资料/公告", "main"),
        ("/docs/公告", "east"),
    ]
    assert [str(network) for network in settings.knowledge.web.allow] == ["10.1.0.0/16", "fd00::/8"]
    assert settings.engines()["ocr"] == ("ocr", EngineSpec(engine="rapidocr")) and "reranker" not in settings.engines()


def test_the_embedder_before_is_an_engine_and_there_is_none_by_default() -> None:
    settings = load("test", environ={"ZHUBO__EMBEDDER_BEFORE": "{engine: hashing, options: {dimension: 64}}"})
    spec = EngineSpec(engine="hashing", options={"dimension": 64})
    assert settings.engines()["embedder_before"] == ("embedders", spec)
    assert load("test", environ={}).embedder_before is None


def test_a_limit_for_children_leaves_the_others_as_strict() -> None:
    minors = load("test", environ={"ZHUBO__CONDUCT__MINORS__REMINDER": "60"}).conduct.minors
    assert (minors.reminder, minors.again, minors.most) == (60, 900, 2400)
    assert (minors.night, minors.morning) == (time(22), time(6))
    lifted = load("test", environ={"ZHUBO__CONDUCT__MINORS": "{most: null, night: null}"}).conduct.minors
    assert lifted.most is lifted.night is None and lifted.reminder == 1800


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
