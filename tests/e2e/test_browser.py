"""The page in a real Chromium, on a real server with the scripted engines."""

import json
import os
import re
import shutil
import statistics
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Route, WebSocketRoute, expect, sync_playwright

from tests.e2e.serving import Served, serving

pytestmark = pytest.mark.e2e

QUESTIONS = {"zh": "成人票多少钱？", "en": "How much is an adult ticket?"}
LONG = {"zh": "学生票多少钱？", "en": "How much is a student ticket?"}
LOCALES = {"zh": "zh-CN", "en": "en-US"}
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
AUDIBLE = 0.01
SILENT = 0.001

HEADER = struct.Struct("<BBHIIf")


@dataclass
class Wire:
    """What went over the page's WebSocket, and ways to send the page what the server did not, and to cut the line.

    `held`: what the server says waits for `release`. `lost`: what the page says does not arrive.
    """

    events: list[dict[str, Any]] = field(default_factory=list)
    sound: list[bytes] = field(default_factory=list)
    sent: list[dict[str, Any]] = field(default_factory=list)
    microphone: list[bytes] = field(default_factory=list)
    inject: Callable[[str | bytes], None] = lambda frame: None
    drop: Callable[..., None] = lambda **closing: None
    held: bool = False
    lost: bool = False
    waiting: list[str | bytes] = field(default_factory=list)

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [event for event in self.events if event["type"] == kind]

    def tap(self, page: WebSocketRoute) -> None:
        server = page.connect_to_server()
        self.inject, self.drop = page.send, page.close

        def from_server(frame: str | bytes) -> None:
            if isinstance(frame, bytes):
                self.sound.append(frame)
            else:
                self.events.append(json.loads(frame))
            if self.held:
                self.waiting.append(frame)
            else:
                page.send(frame)

        def from_page(frame: str | bytes) -> None:
            if isinstance(frame, bytes):
                self.microphone.append(frame)
            else:
                self.sent.append(json.loads(frame))
            if not self.lost:
                server.send(frame)

        server.on_message(from_server)
        page.on_message(from_page)

    def release(self) -> None:
        self.held = False
        for frame in self.waiting:
            self.inject(frame)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Answers begin a moment late, as a real model's do: long enough to see that it is quiet."""
    pause = {"ZHUBO__MODEL__OPTIONS__DELAY": "0.5"}
    with serving(tmp_path_factory.mktemp("site"), environ=pause) as served:
        yield served


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


@dataclass
class Visit:
    page: Page
    wire: Wire

    def ask(self, question: str) -> None:
        self.page.locator("#question").fill(question)
        self.page.keyboard.press("Enter")

    def until(self, condition: str, seconds: float = 60) -> None:
        self.page.wait_for_function(f"() => {condition}", timeout=seconds * 1000)


@pytest.fixture
def visit(chromium: Browser, site: Served, request: pytest.FixtureRequest) -> Iterator[Visit]:
    """The page, connected, in the language the test asks for; the test fails if the console says anything is wrong."""
    lang = getattr(request, "param", "zh")
    context = chromium.new_context(viewport={"width": 1440, "height": 900}, locale=LOCALES[lang])
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda said: complaints.append(said.text) if said.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    wire = Wire()
    page.route_web_socket(re.compile(r"/ws$"), wire.tap)
    page.goto(site.url)
    visit = Visit(page, wire)
    visit.until("window.zhubo?.connection === 'open' && zhubo.presenter.frames > 2")
    yield visit
    context.close()
    assert complaints == []


both = pytest.mark.parametrize("visit, lang", [("zh", "zh"), ("en", "en")], indirect=["visit"], ids=["zh", "en"])


@both
def test_a_question_is_answered_with_sound_and_a_citation_that_opens(visit: Visit, lang: str) -> None:
    page = visit.page
    visit.ask(QUESTIONS[lang])
    visit.until(f"zhubo.player.state === 'speaking' && zhubo.player.rms() > {AUDIBLE}")
    assert page.evaluate("zhubo.player.audio") == "running"
    expect(page.locator("#caption .now")).to_be_visible()
    if shot := os.environ.get("ZHUBO_SCREENSHOT"):
        page.wait_for_timeout(900)
        page.screenshot(path=Path(shot).with_stem(f"{Path(shot).stem}-{lang}"))
    answer = page.locator("#messages .answer").last
    expect(answer.locator("p").first).to_contain_text("60")
    expect(page.locator("#log p").last).to_have_attribute("lang", "zh-CN" if lang == "zh" else "en")
    chip = answer.locator(".chip").first
    expect(chip).to_be_visible(timeout=60_000)
    chip.click()
    marked = page.locator("#source mark")
    expect(marked).to_be_visible()
    citation = visit.wire.of("citations")[-1]["citations"][0]
    assert marked.text_content() == citation["quote"]
    assert page.locator("#source h2").text_content() == citation["title"]
    expect(page.get_by_role("region", name={"zh": "资料原文", "en": "Text of the document"}[lang])).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#source")).to_be_hidden()
    visit.until("zhubo.player.state === 'idle'", 30)
    heard = [message["seconds"] for message in visit.wire.sent if message["type"] == "heard"]
    length = sum(event["seconds"] for event in visit.wire.of("sentence_ended"))
    assert heard == sorted(heard) and heard[-1] == pytest.approx(length, abs=0.05)


SAMPLE = """() => new Promise((done) => {
  const samples = [];
  const look = () => {
    const moment = zhubo.moment;
    if (moment) samples.push([moment.sentence, moment.position, zhubo.mouth.shape, zhubo.player.rms()]);
    if (zhubo.player.state === "idle" && samples.length) done(samples);
    else setTimeout(look, 15);
  };
  look();
})"""


Cues = dict[int, list[tuple[float, str]]]
Sample = tuple[int, float, str, float]


def cue(cues: Cues, sentence: int, position: float) -> str:
    return next((shape for at, shape in reversed(cues[sentence]) if at <= position), "sil")


def lips(cues: Cues, samples: list[Sample], shift: float) -> float:
    """The share of samples whose mouth is what the cues say `shift` seconds later."""
    return statistics.fmean(cue(cues, sentence, at + shift) == shape for sentence, at, shape, _ in samples)


def sound(cues: Cues, samples: list[Sample], shift: float) -> float:
    """The share of samples that are as loud or quiet as the cues say `shift` seconds later."""
    return statistics.fmean(
        (cue(cues, sentence, at + shift) != "sil") == (rms > AUDIBLE) for sentence, at, _, rms in samples
    )


@both
def test_the_mouth_and_the_sound_match_the_cues(visit: Visit, lang: str) -> None:
    visit.ask(LONG[lang])
    samples = [(sentence, at, shape, rms) for sentence, at, shape, rms in visit.page.evaluate(SAMPLE)]
    cues: Cues = {}
    for motion in visit.wire.of("motion"):
        cues.setdefault(motion["sentence"], []).extend((at, shape) for at, shape, _ in motion["visemes"])
    assert len(samples) > 60 and len({shape for _, _, shape, _ in samples}) >= 4
    shifts = [step / 100 for step in range(-40, 41)]
    for agreement in (lips, sound):
        shares = {shift: agreement(cues, samples, shift) for shift in shifts}
        best = max(shifts, key=shares.__getitem__)
        print(f"{lang} {agreement.__name__}: best at {best * 1000:+.0f} ms, {shares[best]:.0%}; as is {shares[0]:.0%}")
        assert abs(best) <= 0.1, f"{agreement.__name__} are {best * 1000:.0f} ms off"
        assert shares[best] > 0.8
        assert shares[best] > max(shares[-0.3], shares[0.3]) + 0.05


LAST_SOUND = """([selector, silent, letter, stall]) => { window.waited = new Promise((done) => {
  let began = null;
  let before = 0;
  let stalled = 0;
  let last = 0;
  if (letter === "key") document.addEventListener("keydown", () => { began = before = performance.now(); }, true);
  const listen = () => {
    const loud = zhubo.player.rms();
    const now = performance.now();
    if (began === null && letter !== "key" && loud > 10 * silent) {
      began = now;
      const target = document.querySelector(selector);
      if (letter === "") target.click();
      else {
        target.focus();
        document.execCommand("insertText", false, letter);
      }
    } else if (began !== null) {
      if (now - before > stall) stalled += now - before;
      if (loud >= silent) last = now - began - stalled;
    }
    before = now;
    if (began !== null && now - began - stalled > 380) done(last);
    else setTimeout(listen, 2);
  };
  listen();
}); }"""
"""Clicks, or types a letter, in the middle of a sound, or waits for a key. `window.waited`: milliseconds from then to
the last sound of the old answer, without stretches of more than `stall` in which the machine did not let the page run.
"""


@both
def test_the_first_letter_silences_the_answer_and_its_late_frames_are_dropped(visit: Visit, lang: str) -> None:
    page, wire = visit.page, visit.wire
    visit.ask(LONG[lang])
    visit.until(f"zhubo.player.position > 0.3 && zhubo.player.rms() > {AUDIBLE}")
    old = page.evaluate("zhubo.player.turn")
    page.evaluate(LAST_SOUND, ["#question", SILENT, QUESTIONS[lang][0], 30])
    waited = page.evaluate("window.waited")
    print(f"{lang}: silent after {waited:.0f} ms")
    assert waited <= 150
    assert page.evaluate("zhubo.player.state") == "idle"
    assert page.locator("#question").input_value() == QUESTIONS[lang][0]
    expect(page.locator("#messages .answer").last).to_contain_text(wire.of("text")[0]["text"].strip())
    page.keyboard.type(QUESTIONS[lang][1:])
    page.keyboard.press("Enter")
    for frame in [frame for frame in wire.sound if HEADER.unpack(frame[:16])[3] == old][-20:]:
        wire.inject(frame)
    wire.inject(json.dumps({"type": "text", "turn": old, "text": "LATE", "seq": 9999}))
    assert page.evaluate(f"zhubo.player.rms() < {SILENT} || zhubo.player.turn === {old + 1}")
    expect(page.locator(".question").last).to_have_text(QUESTIONS[lang])
    visit.until(f"zhubo.player.turn === {old + 1} && zhubo.player.rms() > {AUDIBLE}")
    interrupts = [message for message in wire.sent if message["type"] == "interrupt"]
    assert [message["turn"] for message in interrupts] == [old] and 0.3 <= interrupts[0]["heard"] < 10
    expect(page.locator("#messages")).not_to_contain_text("LATE")
    expect(page.locator("#messages .answer").nth(1).locator(".note")).to_have_count(1)


@pytest.mark.parametrize("way", ["button", "key"])
def test_stop_is_silent_at_once_and_shuts_the_mouth(visit: Visit, way: str) -> None:
    page = visit.page
    visit.ask(LONG["zh"])
    visit.until(f"zhubo.player.position > 0.3 && zhubo.player.rms() > {AUDIBLE}")
    page.evaluate(LAST_SOUND, ["#stop", SILENT, "" if way == "button" else "key", 30])
    if way == "key":
        page.keyboard.press("Escape")
    assert page.evaluate("window.waited") <= 150
    assert page.evaluate("[zhubo.player.state, zhubo.mouth.shape, zhubo.moment]") == ["idle", "sil", None]
    expect(page.locator("#stop")).to_be_hidden()
    expect(page.locator("#caption")).to_be_hidden()
    expect(page.locator(".answer").last.locator(".note")).to_have_text("已停止")
    assert page.evaluate("zhubo.player.rms()") < SILENT


def test_muted_keeps_the_clock_and_the_captions(visit: Visit) -> None:
    page = visit.page
    page.locator("#mute").click()
    visit.ask(LONG["zh"])
    visit.until("zhubo.player.position > 0.5 && zhubo.mouth.shape !== 'sil'")
    assert page.evaluate("zhubo.player.rms()") < SILENT
    expect(page.locator("#caption .now")).to_be_visible()
    page.locator("#captions").click()
    expect(page.locator("#caption")).to_be_hidden()
    page.locator("#mute").click()
    visit.until(f"zhubo.player.rms() > {AUDIBLE}")


def spoken(turn: int, sentence: int, seconds: float, rate: int = 24000) -> Iterator[bytes]:
    """A hum, as the server would send it."""
    samples = [8000 if n // 60 % 2 else -8000 for n in range(int(seconds * rate))]
    for start in range(0, len(samples), 4800):
        piece = samples[start : start + 4800]
        yield HEADER.pack(1, 0, sentence, turn, 0, start / rate) + struct.pack(f"<{len(piece)}h", *piece)


def test_sound_that_comes_before_any_gesture_waits_for_one_and_a_voiceless_sentence_is_shown(visit: Visit) -> None:
    page, wire = visit.page, visit.wire
    for event in (
        {"type": "turn_started", "turn": 1, "lang": "zh"},
        {"type": "sentence", "turn": 1, "sentence": 0, "text": "没有声音。", "at": 0},
        {"type": "sentence_ended", "turn": 1, "sentence": 0, "seconds": 0},
        {"type": "sentence", "turn": 1, "sentence": 1, "text": "有声音。", "at": 0},
        {"type": "motion", "turn": 1, "sentence": 1, "visemes": [[0, "aa", 1.0]]},
    ):
        wire.inject(json.dumps(event))
    for frame in spoken(1, 1, 4):
        wire.inject(frame)
    wire.inject(json.dumps({"type": "turn_ended", "turn": 1, "reason": "done", "refused": False}))
    expect(page.locator("#caption")).to_have_text("没有声音。")
    assert page.evaluate("[zhubo.mouth.shape, zhubo.player.audio, zhubo.player.rms()]") == ["sil", "none", 0]
    expect(page.locator("#caption")).to_have_text("有声音。")
    visit.until("zhubo.mouth.shape === 'aa'")
    page.locator("#unlock").click()
    visit.until(f"zhubo.player.rms() > {AUDIBLE} && zhubo.player.audio === 'running'")
    assert 0 < page.evaluate("zhubo.player.position") < 4
    expect(page.locator("#unlock")).to_be_hidden()


def test_a_lost_connection_is_shown_and_found_again(visit: Visit) -> None:
    page, wire = visit.page, visit.wire
    visit.ask(LONG["zh"])
    visit.until("zhubo.player.state === 'speaking'")
    wire.drop()
    expect(page.locator("#status")).to_have_attribute("data-state", "waiting")
    assert page.evaluate("zhubo.player.state") == "idle"
    expect(page.locator("#status")).to_have_attribute("data-state", "open")
    assert [message["type"] for message in wire.sent].count("hello") == 2
    visit.ask(QUESTIONS["zh"])
    expect(page.locator(".answer").last.locator("p").first).to_contain_text("60")
    visit.until(f"zhubo.player.rms() > {AUDIBLE}")


def test_a_question_on_a_lost_line_is_not_lost_in_silence(visit: Visit) -> None:
    page, wire = visit.page, visit.wire
    wire.lost = True
    visit.ask(QUESTIONS["zh"])
    expect(page.locator("#stop")).to_be_visible()
    wire.drop()
    expect(page.locator(".notice:not(.told)")).to_have_text("连接中断，回答没有说完。")
    expect(page.locator("#stop")).to_be_hidden()


def test_words_before_the_welcome_do_not_keep_the_greeting_away(visit: Visit) -> None:
    page, wire = visit.page, visit.wire
    wire.held = True
    page.reload()
    visit.until("window.zhubo?.connection === 'connecting'")
    visit.ask(QUESTIONS["zh"])
    expect(page.locator("#messages .notice")).to_have_count(1)
    wire.release()
    expect(page.locator("#status")).to_have_attribute("data-state", "open")
    visit.until("document.querySelector('#messages').firstElementChild.matches('.greeting')")
    expect(page.locator("#suggested button").first).to_be_visible()


def turn(number: int, *events: dict[str, Any], refused: bool = False, failed: bool = False) -> Iterator[str]:
    """A turn without speech, as the server would send it."""
    ended = {"type": "turn_ended", "reason": "failed" if failed else "done", "refused": refused}
    for event in ({"type": "turn_started", "lang": "en"}, *events, ended):
        yield json.dumps({"turn": number, **event})


def cited(*documents: str) -> dict[str, Any]:
    place: dict[str, Any] = {"quote": "words", "section": [], "page": None, "at": None, "start": 0, "end": 5}
    return {
        "type": "citations",
        "citations": [{"document": name, "revision": 1, "title": name, "source": "", **place} for name in documents],
    }


def test_months_of_talk_leave_a_hundred_messages(visit: Visit) -> None:
    page, wire = visit.page, visit.wire
    for number in range(1, 131):
        for frame in turn(number, *({"type": "text", "text": f"{number}{part}"} for part in "abc")):
            wire.inject(frame)
    last = page.locator("#messages .answer").last
    expect(last).to_have_text("130a130b130c")
    assert page.locator("#messages > li").count() == 100
    assert last.evaluate("(item) => item.firstElementChild.childNodes.length") == 1
    assert page.locator("#messages > .greeting").count() == 1


def test_a_failure_says_why_and_a_refusal_cites_nothing(visit: Visit) -> None:
    page, wire = visit.page, visit.wire
    text = {"type": "text", "text": "Half of"}
    error = {"type": "error", "code": "internal", "message": "It broke."}
    frames = [
        *turn(1, text, error, failed=True),
        *turn(2, text, {**error, "message": "Half of"}, failed=True),
        *turn(3, text, cited("a"), refused=True),
    ]
    for frame in frames:
        wire.inject(frame)
    notes = page.locator("#messages .note")
    expect(notes).to_have_text(["It broke.", "这次没能回答完整。", "资料中没有相关内容"])
    expect(page.locator("#messages .citations")).to_have_count(0)


def test_a_slow_document_does_not_cover_a_later_one(visit: Visit) -> None:
    page, slow = visit.page, list[Route]()
    page.route("**/documents/slow?revision=*", lambda route: slow.append(route))
    page.route("**/documents/quick?revision=*", lambda route: route.fulfill(json={"text": "words of the quick one"}))
    for frame in turn(1, cited("slow", "quick")):
        visit.wire.inject(frame)
    page.locator(".chip").first.click()
    page.keyboard.press("Escape")
    page.locator(".chip").last.click()
    expect(page.locator(".source-text")).to_have_text("words of the quick one")
    with page.expect_response("**/documents/slow?revision=*") as answered:
        slow[0].fulfill(json={"text": "words of the slow one"})
    answered.value.finished()
    page.wait_for_timeout(50)
    expect(page.locator(".source-text")).to_have_text("words of the quick one")


def test_a_wrong_key_is_told_apart_from_a_lost_connection(chromium: Browser, tmp_path: Path) -> None:
    key = "right+key"
    with serving(tmp_path, environ={"ZHUBO__SERVER__KEY": key}) as served:
        context = chromium.new_context(locale="en-US")
        page = context.new_page()
        for visit, (given, state) in enumerate({"wrong": "denied", "a%20b": "malformed", key: "open"}.items()):
            page.goto(f"{served.url}/?{visit}#key={given}")
            expect(page.locator("#status")).to_have_attribute("data-state", state)
            assert key not in page.url
        page.get_by_role("button", name="中文").click()
        expect(page.locator("#status-text")).to_have_text("已连接")
        context.close()


FOCUSED = "document.activeElement.id || document.activeElement.value || document.activeElement.textContent"
SMALL = """[...document.querySelectorAll("button, input")]
  .filter((target) => target.checkVisibility() && Math.min(target.offsetWidth, target.offsetHeight) < 44)
  .map((target) => target.id)"""


@both
def test_the_keyboard_reaches_everything_in_order_and_ai_is_marked(visit: Visit, lang: str) -> None:
    page = visit.page
    expect(page.locator("#badge")).to_be_visible()
    expect(page.locator("#badge")).to_have_text("AI 数字人 · AI生成 / AI-generated")
    assert page.evaluate("document.activeElement.id") == "question"
    order = []
    for _ in range(18):
        page.keyboard.press("Tab")
        order.append(page.evaluate(FOCUSED))
    suggestions = visit.wire.of("welcome")[0]["persona"]["suggestions"][lang]
    assert order[:2] == ["talk", "send"]
    first = order.index("mute")
    reached = order[first : first + 9 + len(suggestions)]
    assert reached == ["mute", "captions", "zh", "en", "messages", *suggestions, "call", "question", "talk", "send"]
    assert page.evaluate(SMALL) == []


def test_the_page_changes_language_without_losing_the_conversation(visit: Visit) -> None:
    page = visit.page
    visit.ask(QUESTIONS["zh"])
    expect(page.locator(".answer").last.locator("p").first).to_contain_text("60")
    page.get_by_role("button", name="English").click()
    assert page.evaluate("document.documentElement.lang") == "en"
    expect(page.get_by_role("textbox", name="Ask a question")).to_be_visible()
    expect(page.locator("#status-text")).to_have_text("Connected")
    expect(page.locator(".question")).to_have_text(QUESTIONS["zh"])


def test_markup_in_words_stays_words(visit: Visit) -> None:
    page = visit.page
    visit.ask("<img src=x onerror=document.title='taken'><b>多少钱</b>")
    expect(page.locator(".question").last).to_contain_text("<img src=x")
    assert page.locator("#messages img, #messages b").count() == 0
    assert page.title() == "数字人主播"


def test_a_phone_has_the_presenter_above_and_the_input_in_sight(chromium: Browser, site: Served) -> None:
    context = chromium.new_context(viewport={"width": 390, "height": 844}, locale="en-US", has_touch=True)
    page = context.new_page()
    page.goto(site.url)
    expect(page.locator("#status-text")).to_have_text("Connected")
    stage, talk, composer = (page.locator(part).bounding_box() for part in (".stage", ".talk", "#composer"))
    assert stage and talk and composer
    assert stage["y"] + stage["height"] <= talk["y"]
    assert composer["y"] + composer["height"] <= 844
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    context.close()


def say(wire: Wire, *events: dict[str, Any]) -> None:
    for event in events:
        wire.inject(json.dumps(event))


def test_feelings_and_gestures_come_at_their_moments_and_outlast_a_pause(visit: Visit) -> None:
    page, wire = visit.page, visit.wire
    page.locator("#name").click()
    emotions = [[0, "happy", 0.8], [2, "neutral", 1], [4, "sad", 0.7]]
    gestures = [[1, "wave"], [3, "rest"], [5, "point_up"]]
    say(
        wire,
        {"type": "turn_started", "turn": 1, "lang": "zh", "by": "presenter"},
        {"type": "posture", "turn": 1, "posture": "speaking"},
        {"type": "sentence", "turn": 1, "sentence": 0, "text": "有声音。", "at": 0},
        {
            "type": "motion",
            "turn": 1,
            "sentence": 0,
            "visemes": [[0, "aa", 1.0]],
            "emotions": emotions,
            "gestures": gestures,
        },
    )
    page.evaluate(
        """() => {
          window.seen = [];
          const look = () => {
            const now = `${zhubo.presenter.emotion} ${zhubo.presenter.gesture}`;
            if (window.seen.at(-1) !== now) window.seen.push(now);
            requestAnimationFrame(look);
          };
          look();
        }"""
    )
    for frame in spoken(1, 0, 6):
        wire.inject(frame)
    visit.until("zhubo.presenter.gesture === 'point_up'")
    visit.until("zhubo.player.state === 'waiting'")
    assert page.evaluate("[zhubo.presenter.emotion, zhubo.presenter.posture]") == ["sad", "listening"]
    say(wire, {"type": "turn_ended", "turn": 1, "reason": "done", "refused": False})
    visit.until("zhubo.player.state === 'idle' && zhubo.presenter.emotion === 'neutral'")
    seen = page.evaluate("window.seen.slice(window.seen.indexOf('happy rest'))")
    order = ["happy rest", "happy wave", "neutral wave", "neutral rest", "sad rest", "sad point_up"]
    assert seen[: len(order)] == order


@both
def test_it_listens_while_one_types_and_thinks_while_one_waits(visit: Visit, lang: str) -> None:
    page = visit.page
    assert page.evaluate("zhubo.presenter.posture") == "idle"
    page.locator("#question").fill(QUESTIONS[lang])
    assert page.evaluate("zhubo.presenter.posture") == "listening"
    page.keyboard.press("Enter")
    assert page.evaluate("zhubo.presenter.posture") == "thinking"
    visit.until("zhubo.presenter.posture === 'speaking'")
    visit.until("zhubo.presenter.posture === 'idle'", 40)


PERSON = {
    "zh": ("转人工", "工作人员正在为您服务", "工作人员"),
    "en": ("Talk to a person", "A member of staff is answering", "Staff"),
}


@both
def test_a_person_can_be_asked_for_and_is_shown_while_they_answer(visit: Visit, lang: str) -> None:
    page, wire = visit.page, visit.wire
    call, answering, staff = PERSON[lang]
    wire.lost = True
    page.get_by_role("button", name=call).click()
    assert wire.sent[-1] == {"type": "call"}
    say(wire, {"type": "notice", "turn": 0, "code": "takeover", "message": "MESSAGE"})
    expect(page.locator("#messages .told").last).to_have_text("MESSAGE")
    expect(page.locator("#log")).to_contain_text("MESSAGE")
    expect(page.locator("#attended")).to_have_text(answering)
    expect(page.locator("#call")).to_be_hidden()
    say(
        wire,
        {"type": "turn_started", "turn": 1, "lang": lang, "by": "operator"},
        {"type": "posture", "turn": 1, "posture": "listening"},
        {"type": "text", "turn": 1, "text": "FROM A PERSON"},
    )
    expect(page.locator(".answer.operator")).to_have_text("FROM A PERSON")
    assert page.locator(".answer.operator").get_attribute("data-by") == staff
    assert page.evaluate("zhubo.presenter.posture") == "listening"
    say(wire, {"type": "turn_ended", "turn": 1, "reason": "done", "refused": False})
    say(wire, {"type": "notice", "turn": 0, "code": "returned", "message": "BACK"})
    expect(page.locator("#attended span")).to_be_hidden()
    expect(page.get_by_role("button", name=call)).to_be_visible()
    expect(page.locator("#badge")).to_be_visible()


@both
def test_it_remembers_only_who_agreed(visit: Visit, lang: str) -> None:
    page, wire = visit.page, visit.wire
    name = {"zh": "记住我", "en": "Remember me"}[lang]
    wire.lost = True
    welcome = {**wire.of("welcome")[0], "memory": False}
    say(wire, welcome)
    expect(page.get_by_role("switch")).to_be_hidden()
    say(wire, {**welcome, "memory": True})
    switch = page.get_by_role("switch", name=name)
    assert not switch.is_checked()
    user = wire.sent[0]["user"]
    assert page.evaluate("localStorage.length") == 0
    switch.check()
    assert wire.sent[-1] == {"type": "consent", "given": True}
    assert page.evaluate("localStorage.getItem('zhubo.user')") == user
    switch.uncheck()
    assert wire.sent[-1] == {"type": "consent", "given": False}
    assert page.evaluate("localStorage.length") == 0


@both
def test_a_session_goes_on_in_its_tab_with_what_was_said(visit: Visit, lang: str) -> None:
    page, wire = visit.page, visit.wire
    first = wire.of("welcome")[0]
    assert "resume" not in wire.sent[0]
    page.reload()
    visit.until("window.zhubo?.connection === 'open'")
    hello = [message for message in wire.sent if message["type"] == "hello"][-1]
    assert hello["resume"] == first["session"] and hello["user"] == wire.sent[0]["user"]
    history = [{"question": QUESTIONS[lang], "answer": "60"}, {"question": "", "answer": "61"}]
    for _ in range(2):
        say(wire, {**first, "resumed": True, "history": history})
    expect(page.locator("#messages .question")).to_have_text([QUESTIONS[lang]])
    expect(page.locator("#messages .answer:not(.greeting)")).to_have_text(["60", "61"])


@both
def test_a_conversation_that_is_over_begins_anew_with_the_next_question(visit: Visit, lang: str) -> None:
    page, wire = visit.page, visit.wire
    say(wire, {"type": "notice", "turn": 0, "code": "ended", "message": "BYE"})
    wire.drop(code=1000)
    expect(page.locator("#status")).to_have_attribute("data-state", "ended")
    page.wait_for_timeout(1200)
    assert [message["type"] for message in wire.sent].count("hello") == 1
    visit.ask(QUESTIONS[lang])
    expect(page.locator(".question")).to_have_text(QUESTIONS[lang])
    expect(page.locator(".answer").last).to_contain_text("60")
    assert "resume" not in [message for message in wire.sent if message["type"] == "hello"][-1]
