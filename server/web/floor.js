/**
 * Who has the floor while the presenter is heard. The server knows, a moment later; how loud the microphone is tells at
 * once. Time is counted in frames of 20 ms. Pure.
 */

/** @typedef {"open"|"ducked"|"held"} Hold play on, softly, or not at all */

/** Frames of sound that quieten the presenter, and that make it pause. */
const DUCKING = 2;
const HOLDING = 3;
/** Of less sound: a gap between two syllables; a pause; the end of it. */
const GAP = 3;
const PAUSE = 10;
const OVER = 12;
/** A pause that the server says nothing of is not kept longer. */
const PATIENCE = 30;
/** dB over the room's own noise from which sound counts, and re full scale. */
const MARGIN = 12;
const LEAST = -45;
/** dB that a false alarm makes it warier by, at most, and that it forgets in a frame. */
const WARIER = 6;
const WARIEST = 24;
const FORGOTTEN = 0.004;
/** dB a frame by which the room may have become louder. */
const RISE = 0.02;
const [QUIETEST, LOUDEST] = [-75, -35];
const ORDER = ["open", "ducked", "held"];

export class Floor {
  /** What the server said last. @type {Hold} */
  #told = "open";
  /** What the level says. @type {Hold} */
  #guess = "open";
  #room = -60;
  #wary = 0;
  #loud = 0;
  #quiet = 0;
  #held = 0;
  /** After a false alarm: not before it is quiet. */
  #armed = true;

  /** @returns {Hold} */
  get state() {
    return ORDER.indexOf(this.#guess) > ORDER.indexOf(this.#told) ? this.#guess : this.#told;
  }

  /** A frame of the microphone. @param {number} level dB re full scale @param {boolean} playing the presenter is heard */
  hear(level, playing) {
    const bar = Math.max(LEAST, this.#room + MARGIN + (playing ? this.#wary : 0));
    this.#room += level < this.#room ? 0.3 * (level - this.#room) : RISE;
    this.#room = Math.min(LOUDEST, Math.max(QUIETEST, this.#room));
    this.#wary = Math.max(0, this.#wary - FORGOTTEN);
    this.#count(level > bar);
    if (playing) this.#judge();
    else this.#guess = "open";
  }

  /** @param {"ducked"|"held"|"resumed"|"yielded"} state @param {string} reason */
  tell(state, reason) {
    if (state === "ducked" || state === "held") {
      this.#told = state;
      return;
    }
    this.#told = this.#guess = "open";
    this.#armed = false;
    if (state === "yielded") this.#wary = 0;
    else if (reason === "noise" || reason === "echo" || reason === "background") this.#warn();
  }

  /** Another turn: what was said of the last one is void. */
  reset() {
    this.#told = this.#guess = "open";
    this.#armed = false;
  }

  #count(loud) {
    this.#quiet = loud ? 0 : this.#quiet + 1;
    if (loud) this.#loud += 1;
    else if (this.#quiet >= GAP) this.#loud = 0;
    if (this.#quiet >= PAUSE) this.#armed = true;
  }

  #judge() {
    const before = this.#guess;
    if (this.#armed && this.#loud >= HOLDING) this.#guess = "held";
    else if (this.#armed && this.#loud >= DUCKING && before === "open") this.#guess = "ducked";
    this.#held = this.#guess === "open" ? 0 : this.#held + 1;
    if (this.#guess === "open" || this.#told !== "open") return;
    if (this.#quiet >= OVER || this.#held >= PATIENCE) {
      this.#guess = "open";
      this.#armed = this.#quiet >= PAUSE;
      if (before === "held") this.#warn();
    }
  }

  #warn() {
    this.#wary = Math.min(WARIEST, this.#wary + WARIER);
  }
}
