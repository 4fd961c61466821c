/** From viseme cues to the weights of mouth shapes at a moment. Pure. */

/** The mouth runs this many seconds ahead of the sound, as lips do. */
export const LEAD = 0.04;

const CLOSED = new Set(["PP", "FF"]);
const FASTEST = 0.04;
const SLOWEST = 0.08;
/** A closure that is not seen closed is not seen at all: nothing opens the lips again before this many seconds. */
const CLOSURE = 0.07;

/** @typedef {{shape: string, weight: number, start: number, fade: number}} Key one cross-fade, into `shape` */

/**
 * @param {[number, string, number][]} visemes seconds, shape, weight; ascending
 * @returns {Key[]} ascending
 */
export function keys(visemes) {
  let free = -Infinity;
  return visemes.map(([at, shape, weight], i) => {
    const lasts = i + 1 < visemes.length ? visemes[i + 1][0] - at : SLOWEST;
    const start = Math.max(at, free);
    const closed = CLOSED.has(shape);
    if (closed) free = start + CLOSURE;
    const fade = closed ? FASTEST : Math.min(SLOWEST, Math.max(FASTEST, lasts * 0.6));
    return { shape, weight: closed ? 1 : weight, start, fade };
  });
}

/**
 * Each key is laid over those before it, so the mouth never jumps, however short the cues.
 * @param {Key[]} list @param {number} position seconds on the cues' clock
 * @returns {Record<string, number>} weights that add up to 1
 */
export function weights(list, position) {
  /** @type {Record<string, number>} */
  const sum = {};
  const add = (shape, weight) => {
    if (weight > 0) sum[shape] = (sum[shape] ?? 0) + weight;
  };
  let rest = 1;
  for (let i = latest(list, position); i >= 0 && rest > 0.001; i -= 1) {
    const { shape, weight, start, fade } = list[i];
    const risen = smooth((position - start) / fade) * rest;
    add(shape, risen * weight);
    add("sil", risen * (1 - weight));
    rest -= risen;
  }
  add("sil", rest);
  return sum;
}

/** @param {Record<string, number>} mix @returns {string} the heaviest shape */
export function dominant(mix) {
  return Object.entries(mix).reduce((best, entry) => (entry[1] > best[1] ? entry : best), ["sil", 0])[0];
}

/** @param {Key[]} list @returns {number} index of the last key begun at `position`, or -1 */
function latest(list, position) {
  let low = 0;
  let high = list.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (list[middle].start <= position) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** @param {number} x */
function smooth(x) {
  const t = Math.min(1, Math.max(0, x));
  return t * t * (3 - 2 * t);
}
