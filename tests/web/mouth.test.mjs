import assert from "node:assert/strict";
import { test } from "node:test";
import { dominant, keys, weights } from "../../server/web/mouth.js";

const SHAPES = ["sil", "PP", "FF", "TH", "DD", "kk", "CH", "SS", "nn", "RR", "aa", "E", "ih", "oh", "ou"];
const cues = (seed, count) => {
  let at = 0;
  let state = seed;
  const next = () => (state = (state * 1103515245 + 12345) % 2147483648) / 2147483648;
  return Array.from({ length: count }, () => {
    const cue = [at, SHAPES[Math.floor(next() * SHAPES.length)], next() < 0.3 ? next() : 1];
    at += 0.02 + 0.2 * next();
    return cue;
  });
};

test("weights add up to one and never jump, whatever the cues", () => {
  for (let seed = 1; seed < 40; seed += 1) {
    const list = keys(cues(seed, 30));
    let before = weights(list, -0.1);
    for (let t = -0.1; t < 6; t += 0.002) {
      const now = weights(list, t);
      assert.ok(Math.abs(Object.values(now).reduce((a, b) => a + b) - 1) < 1e-9);
      for (const shape of SHAPES) assert.ok(Math.abs((now[shape] ?? 0) - (before[shape] ?? 0)) < 0.15);
      before = now;
    }
  }
});

for (const shape of ["PP", "FF"]) {
  for (const lasts of [0.03, 0.05, 0.08, 0.15]) {
    test(`${shape} of ${lasts * 1000} ms is seen closed for 40 ms`, () => {
      const list = keys([
        [0, "aa", 1],
        [0.2, shape, 0.5],
        [0.2 + lasts, "oh", 1],
        [0.22 + lasts, "aa", 1],
        [0.5, "sil", 1],
      ]);
      let closed = 0;
      for (let t = 0; t < 0.6; t += 0.001) if ((weights(list, t)[shape] ?? 0) >= 0.9) closed += 1;
      assert.ok(closed >= 40, `${closed} ms`);
    });
  }
}

test("a long cue has the mouth to itself", () => {
  const list = keys([
    [0, "sil", 1],
    [0.5, "aa", 1],
    [1, "ih", 1],
  ]);
  assert.deepEqual(weights(list, 0.4), { sil: 1 });
  assert.deepEqual(weights(list, 0.8), { aa: 1 });
  assert.equal(dominant(weights(list, 1.2)), "ih");
});

test("before the first cue, and without cues, the mouth is shut", () => {
  assert.equal(dominant(weights(keys([[0.3, "aa", 1]]), 0.2)), "sil");
  assert.deepEqual(weights([], 1), { sil: 1 });
});
