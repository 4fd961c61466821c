import assert from "node:assert/strict";
import { test } from "node:test";
import { Timeline, readingSeconds } from "../../server/web/timeline.js";

const near = (a, b) => assert.ok(Math.abs(a - b) < 1e-9, `${a} and ${b}`);

test("stretches that come in time are laid end to end, across sentences too", () => {
  const line = new Timeline();
  line.open(0, "one", 0, {});
  const first = line.sound(10, 0, 0, 0.2);
  near(first, 10.06);
  near(line.sound(10.01, 0, 0.2, 0.2), first + 0.2);
  line.open(1, "two", 0.4001, {});
  near(line.sound(10.02, 1, 0, 0.5), first + 0.4);
  const { sentence, position } = line.locate(first + 0.65);
  assert.equal(sentence.text, "two");
  near(position, 0.25);
});

test("a pause between sentences is kept", () => {
  const line = new Timeline();
  line.open(0, "one", 0, {});
  line.open(1, "two", 0.5, {});
  const first = line.sound(0, 0, 0, 0.2);
  near(line.sound(0, 1, 0, 0.2), first + 0.5);
  assert.equal(line.locate(first + 0.3), null);
});

test("a late stretch moves the clock back, and the cues with it", () => {
  const line = new Timeline();
  line.open(0, "one", 0, {});
  const first = line.sound(0, 0, 0, 0.2);
  const late = line.sound(1, 0, 0.2, 0.2);
  near(late, 1.02);
  near(line.locate(late + 0.1).position, 0.3);
  near(line.heard(late + 0.1), 0.3);
  line.open(1, "two", 0.4, {});
  near(line.sound(1, 1, 0, 0.2), late + 0.2);
  assert.equal(line.locate(first + 0.5), null);
});

test("what was heard is never more than what was sent", () => {
  const line = new Timeline();
  assert.equal(line.heard(5), 0);
  line.open(0, "one", 0, {});
  const first = line.sound(0, 0, 0, 0.2);
  assert.equal(line.heard(0), 0);
  near(line.heard(first + 0.1), 0.1);
  near(line.heard(first + 9), 0.2);
  assert.ok(line.over(first + 0.2) && !line.over(first + 0.1));
});

test("a sentence without sound is shown for its reading time, then speech goes on", () => {
  const line = new Timeline();
  line.open(0, "lost", 0, {});
  line.silence(3, 0, 1.5);
  assert.equal(line.locate(4).sentence.silent, true);
  line.open(1, "two", 0, {});
  const start = line.sound(3.1, 1, 0, 1);
  near(start, 4.5);
  near(line.heard(start + 0.5), 0.5);
});

test("what was heard never falls, whatever moves the clock", () => {
  const line = new Timeline();
  line.open(0, "one", 0, {});
  const first = line.sound(0, 0, 0, 1);
  const plan = [
    [0.5, () => line.open(1, "失声", 1, {}) ?? line.silence(0.5, 1, 2)],
    [0.6, () => line.open(2, "two", 1, {}) ?? line.sound(0.6, 2, 0, 0.5)],
    [4, () => line.sound(4, 2, 0.5, 0.5)],
  ];
  let before = 0;
  for (let now = 0; now < 6; now += 0.01) {
    while (plan.length && now >= plan[0][0]) plan.shift()[1]();
    const heard = line.heard(now);
    assert.ok(heard >= before - 1e-9, `${before} fell to ${heard} at ${now}`);
    before = heard;
  }
  near(line.heard(first + 0.8), 0.8);
  near(line.heard(first + 2), 1);
  near(before, 2);
});

test("a spoken sentence is not silenced by its end", () => {
  const line = new Timeline();
  line.open(0, "one", 0, {});
  const first = line.sound(0, 0, 0, 0.2);
  line.silence(0.1, 0, 5);
  assert.equal(line.locate(first + 0.3), null);
});

test("another clock keeps everything in its place", () => {
  const line = new Timeline();
  line.open(0, "one", 0, {});
  const first = line.sound(100, 0, 0, 1);
  line.rebase(-90);
  near(line.locate(first - 90 + 0.4).position, 0.4);
  near(line.sound(10.2, 0, 1, 1), first - 90 + 1);
});

test("sound of a sentence that was not announced is dropped", () => {
  assert.equal(new Timeline().sound(0, 7, 0, 1), null);
});

test("both languages are given time to be read", () => {
  assert.ok(readingSeconds("成人票每张六十元，学生票半价。") > 2.5);
  assert.ok(readingSeconds("An adult ticket costs sixty yuan.") > 2);
});
