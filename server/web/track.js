/** The sound of one turn on an audio context: it can be paused, and goes on from the same sample. */

/** Seconds of a fade: short, and without a click. */
const FADE = 0.015;
/** Seconds that sound is scheduled ahead, so that none of it is late. */
const AHEAD = 0.01;

/** @typedef {{start: number, buffer: AudioBuffer}} Piece `start`: on the context's clock */

export class Track {
  #context;
  #output;
  /** @type {GainNode|null} */
  #gain = null;
  /** @type {Map<AudioBufferSourceNode, Piece>} */
  #playing = new Map();
  /** What is to be heard after the pause. @type {Piece[]|null} */
  #waiting = null;

  /** @param {AudioContext} context @param {AudioNode} output */
  constructor(context, output) {
    this.#context = context;
    this.#output = output;
  }

  /** @param {Piece} piece */
  add(piece) {
    if (this.#waiting) this.#waiting.push(piece);
    else this.#schedule(piece, this.#context.currentTime);
  }

  /** From now on, nothing. @returns {number} the clock time up to which it was heard */
  hold() {
    this.#waiting ??= this.#silence();
    return this.#context.currentTime;
  }

  /** Goes on at the sample heard at clock time `held`. @param {number} held @returns {number} when, on the clock */
  release(held) {
    const now = this.#context.currentTime + AHEAD;
    const waiting = this.#waiting ?? [];
    this.#waiting = null;
    const gain = this.#open();
    gain.gain.setValueAtTime(0, now);
    gain.gain.linearRampToValueAtTime(1, now + FADE);
    for (const { start, buffer } of waiting) this.#schedule({ start: start + now - held, buffer }, now);
    return now;
  }

  stop() {
    this.#silence();
  }

  /** @param {Piece} piece @param {number} from what was to be heard before is not */
  #schedule({ start, buffer }, from) {
    const begin = Math.max(start, from);
    if (begin - start >= buffer.duration) return;
    const source = this.#context.createBufferSource();
    source.buffer = buffer;
    source.connect(this.#gain ?? this.#open());
    source.start(begin, begin - start);
    this.#playing.set(source, { start, buffer });
    source.onended = () => this.#playing.delete(source);
  }

  #open() {
    this.#gain = this.#context.createGain();
    this.#gain.connect(this.#output);
    return this.#gain;
  }

  /** @returns {Piece[]} what was still to be heard, or was being */
  #silence() {
    const now = this.#context.currentTime;
    this.#gain?.gain.cancelScheduledValues(now);
    this.#gain?.gain.setValueAtTime(this.#gain.gain.value, now);
    this.#gain?.gain.linearRampToValueAtTime(0, now + FADE);
    this.#gain = null;
    const pieces = [...this.#playing.values()];
    for (const source of this.#playing.keys()) source.stop(now + FADE);
    this.#playing.clear();
    return pieces;
  }
}
