import assert from "node:assert/strict";
import { test } from "node:test";
import { pieces } from "../../server/web/captions.js";
import { locate, place, timeCode } from "../../server/web/citations.js";
import { decodeSound, subprotocols } from "../../server/web/connection.js";
import { latest } from "../../server/web/cues.js";
import { Identity } from "../../server/web/identity.js";
import { Idle } from "../../server/web/idle.js";
import { Language, WORDS } from "../../server/web/language.js";
import { posture } from "../../server/web/posture.js";
import { Turns } from "../../server/web/turns.js";

test("a caption's pieces join to its sentence", () => {
  const zh = pieces("成人票，60元。", [
    ["成", 0, 0.2],
    ["人", 0.2, 0.4],
    ["票", 0.4, 0.6],
    ["60", 0.7, 1],
    ["元", 1, 1.2],
  ]);
  assert.equal(zh.map(({ text }) => text).join(""), "成人票，60元。");
  assert.deepEqual(
    zh.filter(({ start }) => start === null).map(({ text }) => text),
    ["，", "。"],
  );
  const en = pieces("It's 60, isn't it?", [
    ["It's", 0, 0.2],
    ["60", 0.2, 0.5],
    ["nowhere", 0.5, 0.6],
    ["isn't", 0.6, 0.8],
    ["it", 0.8, 1],
  ]);
  assert.equal(en.map(({ text }) => text).join(""), "It's 60, isn't it?");
  assert.equal(en.filter(({ start }) => start !== null).length, 4);
});

test("a quotation is found by its place, counted in characters, and by its words where the document changed", () => {
  const text = "𠮷野家 😀 票价：成人票60元。票价：成人票60元。";
  const quote = "成人票60元";
  const second = Array.from(text).join("").length - Array.from("成人票60元。").length;
  const start = Array.from(text).length - 7;
  const found = locate(text, { start, end: start + 7, quote });
  assert.equal(found.quote, quote);
  assert.equal(found.before.length, second);
  assert.equal(found.before + found.quote + found.after, text);
  assert.equal(locate("new heading " + text, { start: 0, end: 3, quote }).quote, quote);
  assert.equal(locate(text, { start: 0, end: 3, quote: "not there" }).quote, "𠮷野家");
});

test("a citation's place is told in both languages: page, slide or time", () => {
  const cited = { title: "指南", section: ["指南", "票价"], source: "guide.pdf", page: 3, at: null };
  const told = (citation) => [new Language(["zh"]), new Language(["en"])].map((language) => place(citation, language));
  assert.deepEqual(told(cited), ["票价 › 第 3 页", "票价 › Page 3"]);
  assert.deepEqual(told({ ...cited, source: "Talk.PPTX" }), ["票价 › 第 3 张幻灯片", "票价 › Slide 3"]);
  assert.deepEqual(told({ ...cited, page: null, at: 754.2 }), ["票价 › 12:34 处", "票价 › at 12:34"]);
  assert.deepEqual([0, 7.9, 3723].map(timeCode), ["0:00", "0:07", "1:02:03"]);
});

test("a long document is cut around its quotation", () => {
  const { before, quote, after } = locate(`${"a".repeat(9000)}QUOTE${"b".repeat(9000)}`, {
    start: 9000,
    end: 9005,
    quote: "QUOTE",
  });
  assert.ok(
    before.startsWith("…a") && quote === "QUOTE" && after.endsWith("b…") && before.length + after.length < 9000,
  );
});

test("a sound frame is read as docs/protocol.md has it", () => {
  const data = new ArrayBuffer(20);
  const view = new DataView(data);
  view.setUint8(0, 1);
  view.setUint16(2, 3, true);
  view.setUint32(4, 70000, true);
  view.setFloat32(12, 1.5, true);
  view.setInt16(16, -2, true);
  view.setInt16(18, 32767, true);
  assert.deepEqual(decodeSound(data), { sentence: 3, turn: 70000, at: 1.5, pcm: Int16Array.of(-2, 32767) });
  view.setUint8(0, 2);
  assert.equal(decodeSound(data), null);
  assert.equal(decodeSound(new ArrayBuffer(3)), null);
});

test("a key goes into the subprotocol, unless it has what no token may have", () => {
  assert.deepEqual(subprotocols(null), ["zhubo.v1"]);
  assert.deepEqual(subprotocols("aZ09-._~+!"), ["zhubo.v1", "zhubo.key.aZ09-._~+!"]);
  for (const key of ["a b", "a,b", "a/b=", "密钥", "a\n"]) assert.equal(subprotocols(key), null, key);
});

test("every word is said in both languages, with the same blanks in it", () => {
  const blanks = (text) => (text.match(/\{\w+\}/g) ?? []).sort().join();
  for (const [word, said] of Object.entries(WORDS)) {
    assert.deepEqual(Object.keys(said), ["zh", "en"], word);
    assert.ok(said.zh && said.en, word);
    assert.equal(blanks(said.zh), blanks(said.en), word);
  }
});

test("only the newest turn is followed", () => {
  const turns = new Turns();
  turns.asked();
  assert.ok(turns.started(1) && turns.follows(1) && turns.active);
  assert.equal(turns.cut(), 1);
  assert.ok(!turns.follows(1) && !turns.active);
  turns.asked();
  assert.ok(!turns.follows(1));
  assert.ok(turns.started(2) && turns.follows(2) && !turns.follows(1));
  turns.ended(1);
  assert.ok(turns.active);
  turns.ended(2);
  assert.ok(!turns.active && turns.follows(2));
  assert.equal(turns.cut(), null);
});

test("a question given up before its turn began is not followed", () => {
  const turns = new Turns();
  turns.asked();
  assert.equal(turns.cut(), null);
  assert.ok(!turns.active);
  turns.asked();
  assert.equal(turns.started(1), false);
  assert.ok(!turns.follows(1) && turns.active);
  assert.equal(turns.started(2), true);
  assert.ok(turns.follows(2));
});

test("a question that was not taken has no turn to wait for", () => {
  const turns = new Turns();
  turns.asked();
  turns.refused();
  assert.ok(!turns.active);
  turns.asked();
  assert.ok(turns.started(1));
});

test("what was spoken is waited for until its turn begins, or nothing was understood", () => {
  const turns = new Turns();
  turns.spoke(1);
  assert.ok(turns.active);
  turns.unheard(1);
  assert.ok(!turns.active);
  turns.spoke(2);
  turns.spoke(3);
  assert.ok(turns.started(1) && turns.follows(1));
  turns.ended(1);
  assert.ok(!turns.active, "two utterances are one turn where the user went on");
});

test("what was spoken and given up is not followed, what follows is", () => {
  const turns = new Turns();
  turns.spoke(1);
  assert.equal(turns.cut(), null);
  assert.ok(!turns.active);
  assert.equal(turns.started(1), false);
  turns.spoke(2);
  turns.cut();
  turns.unheard(2);
  turns.asked();
  assert.ok(turns.started(2) && turns.follows(2));
});

test("eyes blink now and then, and are open in between", () => {
  const idle = new Idle(() => 0.5);
  let blinks = 0;
  let before = 0;
  let open = 0;
  for (let i = 0; i < 3000; i += 1) {
    const { lids } = idle.channels(i / 50, 1 / 50, 1);
    if (lids > 0.9 && before <= 0.9) blinks += 1;
    if (lids === 0) open += 1;
    before = lids;
  }
  assert.ok(blinks >= 10 && blinks <= 30, `${blinks} blinks a minute`);
  assert.ok(open > 2600);
});

test("the cue that holds is the last whose moment has come", () => {
  const list = [
    [0, "happy", 1],
    [0.8, "neutral", 1],
    [0.8, "shy", 0.5],
    [2, "sad", 1],
  ];
  assert.deepEqual(
    [-0.1, 0, 0.79, 0.8, 1.99, 2, 99].map((position) => latest(list, position)),
    [-1, 0, 0, 2, 2, 3, 3],
  );
  assert.equal(latest([], 1), -1);
});

test("the presenter speaks, listens, thinks or idles", () => {
  const rest = { speaking: false, typing: false, owed: false, told: null };
  assert.equal(posture(rest), "idle");
  assert.equal(posture({ ...rest, speaking: true, typing: true }), "speaking");
  assert.equal(posture({ ...rest, typing: true, owed: true }), "listening");
  assert.equal(posture({ ...rest, owed: true }), "thinking", "before the server has said anything");
  assert.equal(posture({ ...rest, owed: true, told: "thinking" }), "thinking");
  assert.equal(posture({ ...rest, owed: true, told: "speaking" }), "listening", "a pause in an answer is no thought");
  assert.equal(posture({ ...rest, owed: true, told: "listening" }), "listening");
  assert.equal(posture({ ...rest, told: "speaking" }), "idle");
});

test("a tab goes on with its session, and a user is known again only where they agreed", () => {
  const storage = () => {
    const kept = new Map();
    return {
      getItem: (key) => kept.get(key) ?? null,
      setItem: (key, value) => kept.set(key, value),
      removeItem: (key) => kept.delete(key),
    };
  };
  const [tab, browser] = [storage(), storage()];
  const identity = new Identity(tab, browser, () => "secret-of-this-tab");
  assert.deepEqual(identity.hello, { user: "secret-of-this-tab" });
  identity.session = "session-1";
  assert.deepEqual(new Identity(tab, browser).hello, { resume: "session-1", user: "secret-of-this-tab" });
  assert.equal(identity.remembered, false);
  identity.remembered = true;
  const later = new Identity(storage(), browser, () => "another");
  assert.deepEqual([later.hello, later.remembered], [{ user: "secret-of-this-tab" }, true]);
  later.remembered = false;
  assert.equal(later.hello.user, "secret-of-this-tab");
  identity.session = null;
  assert.deepEqual(new Identity(storage(), browser, () => "another").hello, { user: "another" });
  assert.match(new Identity(storage(), storage()).hello.user, /^[0-9a-f]{32}$/);
});
