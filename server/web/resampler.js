/**
 * Sound at another sample rate: a low-pass of a sinc in a Kaiser window, as a polyphase filter, fed piece by piece.
 * Flat up to 7/16 of the lower rate and 66 dB down from half of it on, so that nothing folds back. Pure.
 */

const PASS = 7 / 16;
const STOP = 1 / 2;
/** dB that the stop-band is down: the window's shape and length follow (Kaiser 1974). */
const DOWN = 66;
const BETA = 0.1102 * (DOWN - 8.7);

export class Resampler {
  #up;
  #down;
  #reach;
  /** A row of weights for each phase. @type {Float32Array[]} */
  #bank;
  #line;
  #filled;
  /** Where the next sample falls: whole samples into the line, and `up`ths of one. */
  #place;
  #phase = 0;

  /** @param {number} source @param {number} target both in Hz */
  constructor(source, target) {
    const common = divisor(source, target);
    this.#up = target / common;
    this.#down = source / common;
    const lower = Math.min(source, target);
    const taps = ((DOWN - 8) * source) / (2.285 * 2 * Math.PI * (STOP - PASS) * lower);
    this.#reach = source === target ? 1 : Math.ceil(taps / 2);
    const cutoff = ((PASS + STOP) * lower) / source;
    this.#bank = Array.from({ length: this.#up }, (_, phase) => row(phase / this.#up, this.#reach, cutoff));
    this.#line = new Float32Array(4 * this.#reach + 1024);
    this.#filled = this.#place = this.#reach - 1;
  }

  /** @param {Float32Array} samples @returns {Float32Array} all that can be told so far; the rest comes with the next */
  feed(samples) {
    if (this.#up === this.#down) return samples.slice();
    const made = new Float32Array(Math.ceil(((samples.length + 1) * this.#up) / this.#down) + 1);
    let count = 0;
    for (let from = 0; from < samples.length; ) {
      const piece = samples.subarray(from, from + this.#line.length - this.#filled);
      this.#line.set(piece, this.#filled);
      this.#filled += piece.length;
      from += piece.length;
      count = this.#make(made, count);
      this.#forget();
    }
    return made.subarray(0, count);
  }

  /** @param {Float32Array} made @param {number} count */
  #make(made, count) {
    while (this.#place + this.#reach < this.#filled) {
      const weights = this.#bank[this.#phase];
      const start = this.#place - this.#reach + 1;
      let sum = 0;
      for (let tap = 0; tap < weights.length; tap += 1) sum += weights[tap] * this.#line[start + tap];
      made[count] = sum;
      count += 1;
      this.#phase += this.#down;
      this.#place += Math.floor(this.#phase / this.#up);
      this.#phase %= this.#up;
    }
    return count;
  }

  #forget() {
    const gone = Math.min(this.#filled, Math.max(0, this.#place - this.#reach + 1));
    this.#line.copyWithin(0, gone, this.#filled);
    this.#filled -= gone;
    this.#place -= gone;
  }
}

/** @param {number} shift of the phase, 0 to 1 @param {number} reach @param {number} cutoff of the source's rate, twice */
function row(shift, reach, cutoff) {
  const weights = Float32Array.from({ length: 2 * reach }, (_, tap) => {
    const offset = tap - reach + 1 - shift;
    return sinc(cutoff * offset) * kaiser(offset / reach);
  });
  const sum = weights.reduce((total, weight) => total + weight, 0);
  return weights.map((weight) => weight / sum);
}

function sinc(x) {
  return x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x);
}

function kaiser(x) {
  return Math.abs(x) >= 1 ? 0 : bessel(BETA * Math.sqrt(1 - x * x));
}

/** The modified Bessel function of order 0. */
function bessel(x) {
  let sum = 1;
  let term = 1;
  for (let n = 1; term > 1e-10 * sum; n += 1) {
    term *= (x / (2 * n)) ** 2;
    sum += term;
  }
  return sum;
}

function divisor(a, b) {
  return b === 0 ? a : divisor(b, a % b);
}
