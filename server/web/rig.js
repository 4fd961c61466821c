/**
 * The presenter's drawing as data, and the one function that poses it: channel values in, a draw list out. Pure.
 *
 * A rig is a tree of joints (a transform each), a list of parts in painting order (a path, a paint, a joint) and tables of
 * channel values for mouth shapes, emotions and gestures. A channel is one number, 0 at rest: it turns or moves joints and
 * morphs paths linearly. A corrective is the product of two channels, for what is not linear.
 *
 * In a part or joint, a channel named `@x` is `<side>x`, where `side` belongs to the nearest joint that has one: both arms
 * share one drawing.
 */

/** @typedef {[number, number, number, number, number, number]} Matrix as of CanvasRenderingContext2D.transform */
/** @typedef {Record<string, number>} Channels */
/** @typedef {{linear?: number[], radial?: number[], stops: [number, string][]}} Gradient */
/** @typedef {{ops: string, points: Float64Array, matrix: Matrix}} Outline */
/**
 * @typedef {object} Shape one thing to paint
 * @property {string} part
 * @property {Outline} outline
 * @property {string|Gradient|null} fill
 * @property {string|Gradient|null} stroke
 * @property {number} width of the stroke
 * @property {number} alpha
 * @property {Outline|null} clip
 */

/** How many numbers each path operation takes; `E` is an ellipse: centre and radii. */
export const ARITY = { M: 2, L: 2, C: 6, E: 4, Z: 0 };

/** @type {Matrix} */
const IDENTITY = [1, 0, 0, 1, 0, 0];
const INVISIBLE = 0.01;

/** @param {Matrix} a @param {Matrix} b @returns {Matrix} first b, then a */
export function multiply(a, b) {
  return [
    a[0] * b[0] + a[2] * b[1],
    a[1] * b[0] + a[3] * b[1],
    a[0] * b[2] + a[2] * b[3],
    a[1] * b[2] + a[3] * b[3],
    a[0] * b[4] + a[2] * b[5] + a[4],
    a[1] * b[4] + a[3] * b[5] + a[5],
  ];
}

/**
 * Resolves names and numbers once, so that posing is arithmetic only.
 * @param {any} data presenter.json
 */
export function compile(data) {
  const paint = (/** @type {any} */ name) => {
    const value = data.paints[name] ?? data.palette[name];
    if (value === undefined) throw new Error(`no paint ${name}`);
    if (typeof value === "string") return value;
    return { ...value, stops: value.stops.map(([at, token]) => [at, data.palette[token] ?? token]) };
  };
  const joints = compileJoints(data.joints);
  const index = new Map(joints.map((joint, i) => [joint.name, i]));
  const parts = data.parts.flatMap((part) => compilePart(part, joints, index, paint));
  const instances = new Map(parts.map((part) => [`${part.name}/${part.instance}`, part]));
  for (const part of parts) {
    if (part.clipName === null) continue;
    part.clip = instances.get(`${part.clipName}/${part.instance}`) ?? instances.get(`${part.clipName}/0`) ?? null;
    if (part.clip === null) throw new Error(`${part.name} is clipped by ${part.clipName}, which does not exist`);
  }
  return { joints, parts, correctives: Object.entries(data.correctives) };
}

/** @param {any[]} list parents before children */
function compileJoints(list) {
  /** @type {any[]} */
  const joints = [];
  for (const joint of list) {
    const parent = joint.parent ? joints.findIndex((other) => other.name === joint.parent) : -1;
    if (joint.parent && parent < 0) throw new Error(`joint ${joint.name} comes before its parent ${joint.parent}`);
    const side = joint.side ?? (parent >= 0 ? joints[parent].side : "");
    const named = (table) => Object.entries(table ?? {}).map(([channel, value]) => [channel.replace("@", side), value]);
    joints.push({
      name: joint.name,
      parent,
      side,
      at: joint.at ?? [0, 0],
      pivot: joint.pivot ?? [0, 0],
      scale: joint.scale ?? [1, 1],
      turn: named(joint.turn),
      move: named(joint.move),
      stretch: named(joint.stretch),
    });
  }
  return joints;
}

/** One compiled part for each joint it is drawn on. */
function compilePart(part, joints, index, paint) {
  const count = [...part.ops].reduce((sum, op) => sum + ARITY[op], 0);
  if (count !== part.points.length) throw new Error(`${part.name}: ${part.points.length} numbers for ${count}`);
  return part.on.map((jointName, instance) => {
    const joint = index.get(jointName);
    if (joint === undefined) throw new Error(`${part.name}: no joint ${jointName}`);
    const named = (channel) => channel.replace("@", joints[joint].side);
    const morphs = Object.entries(part.morphs ?? {}).map(([channel, deltas]) => {
      if (deltas.length !== count) throw new Error(`${part.name}: morph ${channel} has ${deltas.length} numbers`);
      return [named(channel), Float64Array.from(deltas)];
    });
    return {
      name: part.name,
      instance,
      joint,
      ops: part.ops,
      points: Float64Array.from(part.points),
      morphs,
      fill: part.fill ? paint(part.fill) : null,
      stroke: part.stroke ? paint(part.stroke) : null,
      width: part.width ?? 0,
      clipName: part.clip ?? null,
      clip: null,
      alpha: part.alpha ?? 1,
      fades: Object.entries(part.fades ?? {}).map(([channel, by]) => [named(channel), by]),
    };
  });
}

/**
 * @param {ReturnType<typeof compile>} rig
 * @param {Channels} channels those left out are 0
 * @returns {Shape[]} in painting order
 */
export function pose(rig, channels) {
  /** @type {Channels} */
  const values = { ...channels };
  for (const [name, [a, b]] of rig.correctives) values[name] = (values[a] ?? 0) * (values[b] ?? 0);
  /** @type {Matrix[]} */
  const matrices = [];
  for (const joint of rig.joints)
    matrices.push(jointMatrix(joint, values, joint.parent < 0 ? IDENTITY : matrices[joint.parent]));
  const outline = (part) => ({ ops: part.ops, points: morphed(part, values), matrix: matrices[part.joint] });
  /** @type {Shape[]} */
  const shapes = [];
  for (const part of rig.parts) {
    let alpha = part.alpha;
    for (const [channel, by] of part.fades) alpha += by * (values[channel] ?? 0);
    alpha = Math.min(1, alpha);
    if (alpha < INVISIBLE) continue;
    shapes.push({
      part: part.name,
      outline: outline(part),
      fill: part.fill,
      stroke: part.stroke,
      width: part.width,
      alpha,
      clip: part.clip ? outline(part.clip) : null,
    });
  }
  return shapes;
}

/** @returns {Matrix} parent · at · move · turn and scale about the pivot */
function jointMatrix(joint, values, parent) {
  let [x, y] = joint.at;
  let degrees = 0;
  let [scaleX, scaleY] = joint.scale;
  for (const [channel, [dx, dy]] of joint.move) {
    x += dx * (values[channel] ?? 0);
    y += dy * (values[channel] ?? 0);
  }
  for (const [channel, by] of joint.turn) degrees += by * (values[channel] ?? 0);
  for (const [channel, [sx, sy]] of joint.stretch) {
    scaleX += sx * (values[channel] ?? 0);
    scaleY += sy * (values[channel] ?? 0);
  }
  const cos = Math.cos((degrees * Math.PI) / 180);
  const sin = Math.sin((degrees * Math.PI) / 180);
  const [px, py] = joint.pivot;
  const a = cos * scaleX,
    b = sin * scaleX,
    c = -sin * scaleY,
    d = cos * scaleY;
  return multiply(parent, [a, b, c, d, x + px - a * px - c * py, y + py - b * px - d * py]);
}

/** @returns {Float64Array} the part's points under `values` */
function morphed(part, values) {
  const points = Float64Array.from(part.points);
  for (const [channel, deltas] of part.morphs) {
    const value = values[channel] ?? 0;
    if (value === 0) continue;
    for (let i = 0; i < points.length; i += 1) points[i] += deltas[i] * value;
  }
  return points;
}

/**
 * Adds weighted rows of a table: `blend(data.visemes, {aa: 0.7, sil: 0.3})`.
 * @param {Record<string, Channels>} table @param {Channels} weights @returns {Channels}
 */
export function blend(table, weights) {
  /** @type {Channels} */
  const sum = {};
  for (const [name, weight] of Object.entries(weights)) {
    for (const [channel, value] of Object.entries(table[name] ?? {}))
      sum[channel] = (sum[channel] ?? 0) + weight * value;
  }
  return sum;
}
