"""The page's pure modules, by node's own test runner; and what they must agree on with the Python side."""

import json
import re
import shutil
import subprocess
from importlib.resources import files
from pathlib import Path

import pytest

from avatar.motion import EMOTIONS, GESTURES, LASTS, SHAPES

HERE = Path(__file__).parent
WEB = Path(str(files("server") / "web"))
RIG = json.loads((files("avatar") / "rig" / "presenter.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("suite", sorted(HERE.glob("*.test.mjs")), ids=lambda suite: suite.name)
def test_node_suite(suite: Path) -> None:
    node = shutil.which("node")
    assert node, "the tests of the page need Node.js 20 or later"
    run = subprocess.run([node, "--test", str(suite)], capture_output=True, text=True, timeout=600)
    assert run.returncode == 0, run.stdout[-6000:] + run.stderr[-2000:]
    assert re.search(r"^# pass [1-9]", run.stdout, re.MULTILINE)


def test_the_rig_draws_exactly_what_motion_can_say() -> None:
    assert tuple(RIG["visemes"]) == SHAPES
    assert tuple(RIG["emotions"]) == EMOTIONS
    assert tuple(RIG["gestures"]) == GESTURES
    assert RIG["holds"] == dict(LASTS) and set(LASTS) == set(GESTURES) - {"rest"}


def test_the_badge_says_what_the_law_asks_for_in_every_language() -> None:
    [badge] = re.findall(r"^  badge: (.*)$", (WEB / "language.js").read_text(encoding="utf-8"), re.MULTILINE)
    for text in re.findall(r'"([^"]*)"', badge):
        assert "数字人" in text and "AI生成" in text and "AI-generated" in text
    assert 'data-say="badge"' in (WEB / "index.html").read_text(encoding="utf-8")


def test_the_page_needs_no_inline_code_and_nothing_from_elsewhere() -> None:
    page = (WEB / "index.html").read_text(encoding="utf-8")
    assert not re.search(r"<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)", page)
    for file in [*WEB.glob("*.js"), *WEB.glob("*.css"), WEB / "index.html"]:
        text = file.read_text(encoding="utf-8").replace("http://www.w3.org/2000/svg", "")
        assert not re.search(
            r"https?://|innerHTML|outerHTML|insertAdjacentHTML|\beval\(|document\.write|createObjectURL|[\"'`]blob:",
            text,
        ), file.name


def test_the_dictionary_has_the_words_the_page_asks_for_and_no_others() -> None:
    words = (WEB / "language.js").read_text(encoding="utf-8")
    asked = set(re.findall(r'data-(?:say|label|placeholder)="(\w+)"', (WEB / "index.html").read_text(encoding="utf-8")))
    for file in WEB.glob("*.js"):
        asked |= set(re.findall(r'\.say\("(\w+)"', file.read_text(encoding="utf-8")))
    known = set(re.findall(r"^  (\w+): \{", words, re.MULTILINE))
    states = {"connecting", "open", "waiting", "denied", "malformed", "ended", "starting", "busy", "unknown_base"}
    troubles = re.search(r"const TROUBLES = \{(.*?)\};", (WEB / "hearing.js").read_text(encoding="utf-8"), re.DOTALL)
    assert troubles
    asked |= set(re.findall(r': "(\w+)"', troubles[1]))
    assert asked | states == known and len(asked) > 20
