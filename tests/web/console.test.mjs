import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { Transcript } from "../../server/web/console_transcript.js";
import { PROBLEMS, WORDS } from "../../server/web/console_words.js";

const read = (name) => readFileSync(new URL(`../../server/web/${name}`, import.meta.url), "utf8");

test("a transcript grows clause by clause and tells who spoke", () => {
  const transcript = new Transcript();
  transcript.feed({ type: "asked", turn: 1, text: "成人票多少钱？" });
  transcript.feed({ type: "turn_started", turn: 1, lang: "zh", by: "presenter" });
  const [first] = transcript.feed({ type: "text", turn: 1, text: "成人票" });
  const [again] = transcript.feed({ type: "text", turn: 1, text: "60 元。" });
  assert.equal(first.id, again.id);
  transcript.feed({ type: "turn_ended", turn: 1, reason: "interrupted", refused: false });
  transcript.feed({ type: "turn_started", turn: 2, lang: "en", by: "operator" });
  transcript.feed({ type: "text", turn: 2, text: "Hello, this is Mei." });
  assert.deepEqual(
    transcript.entries.map(({ kind, text, code }) => [kind, text, code]),
    [
      ["user", "成人票多少钱？", null],
      ["says", "成人票60 元。", null],
      ["remark", "", "stopped"],
      ["operator", "Hello, this is Mei.", null],
    ],
  );
});

test("what a slow console missed is told, and an answer without its beginning still shows", () => {
  const transcript = new Transcript();
  transcript.feed({ type: "missed", count: 7 });
  transcript.feed({ type: "text", turn: 5, text: "rest of an answer" });
  transcript.feed({ type: "turn_ended", turn: 5, reason: "done", refused: true });
  assert.deepEqual(
    transcript.entries.map(({ kind, code, count }) => [kind, code, count]),
    [
      ["remark", "missed", 7],
      ["says", null, 0],
      ["remark", "unanswered", 0],
    ],
  );
  assert.deepEqual(transcript.feed({ type: "sentence", turn: 5 }), []);
});

test("a long session keeps its newest entries", () => {
  const transcript = new Transcript();
  for (let turn = 1; turn <= 1000; turn++) transcript.feed({ type: "asked", turn, text: `${turn}` });
  assert.equal(transcript.entries.length, 400);
  assert.equal(transcript.entries.at(-1).text, "1000");
});

test("the console asks for words that exist, in both languages, and for no others", () => {
  const asked = new Set(Object.values(PROBLEMS));
  for (const match of read("console.html").matchAll(/data-(?:tell|name|hint)="(\w+)"/g)) asked.add(match[1]);
  for (const match of read("console.js").matchAll(/\.tell\(\s*"(\w+)"/g)) asked.add(match[1]);
  const computed = ["connecting", "open", "waiting", "waitingUser", "answering", "taken", "denied"];
  const reasons = ["asked", "refused", "anger", "keyword", "presenter"];
  const kinds = ["user", "says", "operator", "stopped", "failed", "unanswered", "missed", "closed"];
  for (const word of [...computed, ...reasons, ...kinds]) asked.add(word);
  assert.deepEqual([...asked].sort(), Object.keys(WORDS).sort());
  for (const { zh, en } of Object.values(WORDS)) {
    assert.match(zh, /[\u4e00-\u9fff]/);
    assert.deepEqual(zh.match(/\{\w+\}/g), en.match(/\{\w+\}/g));
  }
});

test("the console needs no inline code", () => {
  assert.doesNotMatch(read("console.html"), /<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)/);
});
