import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { ARITY, blend, compile, pose } from "../../server/web/rig.js";

const data = JSON.parse(readFileSync(new URL("../../avatar/rig/presenter.json", import.meta.url)));
const rig = compile(data);
const shape = (shapes, part, instance = 0) => shapes.filter((other) => other.part === part)[instance];
const heights = ({ outline }) => Array.from(outline.points).filter((_, i) => i % 2 === 1);
const opening = (shapes) => {
  const values = heights(shape(shapes, "mouth"));
  return Math.max(...values) - Math.min(...values);
};

test("every pose of every table is finite and every path has its numbers", () => {
  for (const table of [data.visemes, data.emotions, data.gestures]) {
    for (const [name, channels] of Object.entries(table)) {
      for (const { part, outline } of pose(rig, channels)) {
        const wanted = [...outline.ops].reduce((sum, op) => sum + ARITY[op], 0);
        assert.equal(outline.points.length, wanted, `${part} in ${name}`);
        assert.ok([...outline.points, ...outline.matrix].every(Number.isFinite), `${part} in ${name}`);
      }
    }
  }
});

test("every channel of the tables moves something", () => {
  const shown = (channels) =>
    JSON.stringify(pose(rig, channels), (_, value) => (value instanceof Float64Array ? [...value] : value));
  const still = shown({});
  const names = [data.visemes, data.emotions, data.gestures].flatMap((table) =>
    Object.values(table).flatMap(Object.keys),
  );
  for (const name of new Set(names)) assert.notEqual(shown({ [name]: 0.5 }), still, name);
});

test("the lips meet for sil and PP, and no two mouth shapes look the same", () => {
  assert.equal(opening(pose(rig, data.visemes.sil)), 0);
  assert.equal(opening(pose(rig, data.visemes.PP)), 0);
  assert.ok(opening(pose(rig, data.visemes.aa)) > 1.3 * opening(pose(rig, data.visemes.E)));
  const parts = ["mouth", "upper lip", "lower lip", "upper teeth", "lower teeth", "tongue"];
  const faces = Object.values(data.visemes).map((channels) => {
    const shapes = pose(rig, channels);
    const tip = shape(shapes, "tongue tip") ? 10 : 0;
    return [tip, ...parts.flatMap((part) => [...shape(shapes, part).outline.points])];
  });
  for (const [i, a] of faces.entries()) {
    for (const b of faces.slice(i + 1)) assert.ok(Math.max(...a.map((value, k) => Math.abs(value - b[k]))) > 3);
  }
});

test("a closed eye is closed, with a smile or without", () => {
  for (const squint of [0, 0.5, 1]) {
    const { ops, points } = shape(pose(rig, { lids: 1, squint }), "eye white").outline;
    assert.equal(ops, "MCCZ");
    for (const t of [0.25, 0.5, 0.75]) {
      const upper = height(
        points.slice(1, 8).filter((_, i) => i % 2 === 0),
        t,
      );
      const lower = height(
        points.slice(7, 14).filter((_, i) => i % 2 === 0),
        1 - t,
      );
      assert.ok(Math.abs(upper - lower) < 3, `squint ${squint}: ${upper} and ${lower}`);
    }
  }
});

test("hands stay inside the view in every gesture", () => {
  const { centre, width } = data.view;
  for (const [name, channels] of Object.entries(data.gestures)) {
    for (const { part, outline, width: stroke } of pose(rig, channels)) {
      if (!/palm|index|middle|ring|pinky|thumb/.test(part)) continue;
      const { points, matrix } = outline;
      for (let i = 0; i < points.length; i += 2) {
        const x = matrix[0] * points[i] + matrix[2] * points[i + 1] + matrix[4];
        assert.ok(Math.abs(x - centre) + stroke / 2 < width / 2 + 6, `${part} of ${name} at ${x}`);
      }
    }
  }
});

test("blending is linear", () => {
  assert.deepEqual(blend({ a: { open: 1 }, b: { open: 0.5, wide: 1 } }, { a: 0.5, b: 0.5, c: 1 }), {
    open: 0.75,
    wide: 0.5,
  });
});

test("a part that names no joint is refused", () => {
  const broken = { ...data, parts: [{ name: "hat", on: ["sky"], ops: "ML", points: [0, 0, 1, 1] }] };
  assert.throws(() => compile(broken), /hat: no joint sky/);
});

/** Of a cubic curve at `t`. */
function height([a, b, c, d], t) {
  const s = 1 - t;
  return s ** 3 * a + 3 * s * s * t * b + 3 * s * t * t * c + t ** 3 * d;
}
