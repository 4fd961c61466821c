/** One turn's speech laid out on a clock: when each stretch of sound starts, and which sentence a moment falls in. Pure. */

/** Seconds from a turn's first sound to its start: room for the second to arrive. */
const LEAD_IN = 0.06;
/** A late stretch starts this far ahead of the clock, which is as near as a source can be scheduled. */
const MARGIN = 0.02;
/** Nearer than this, stretches are meant to touch. */
const TOUCHING = 0.003;

/**
 * @typedef {object} Sentence
 * @property {number} index
 * @property {string} text
 * @property {number} at seconds from the turn's first sample
 * @property {number|null} origin clock time of its first sample
 * @property {number} end clock time where what is known of it ends
 * @property {boolean} silent shown but not spoken
 * @property {any} cues
 */

export class Timeline {
  /** Clock time of the turn's first sample. @type {number|null} */
  #zero = null;
  /** Clock time where the scheduled sound ends. @type {number|null} */
  #end = null;
  /** @type {Map<number, Sentence>} */
  #sentences = new Map();
  /**
   * Scheduled sound: clock times, and `at` in seconds from the turn's first sample.
   * @type {{start: number, end: number, at: number}[]}
   */
  #stretches = [];

  /** @param {number} index @param {string} text @param {number} at @param {any} cues */
  open(index, text, at, cues) {
    this.#sentences.set(index, { index, text, at, origin: null, end: -Infinity, silent: false, cues });
  }

  /** @param {number} index @returns {Sentence|undefined} */
  sentence(index) {
    return this.#sentences.get(index);
  }

  /**
   * A stretch of sound came. Where it comes too late, it and all that follows move back together.
   * @param {number} now @param {number} index of the sentence @param {number} at seconds on the sentence's clock
   * @param {number} seconds its length
   * @returns {number|null} the clock time to start it at; null for a sentence that was not announced
   */
  sound(now, index, at, seconds) {
    const sentence = this.#sentences.get(index);
    if (!sentence) return null;
    let ideal = this.#zero === null ? now + LEAD_IN : this.#zero + sentence.at + at;
    if (this.#end !== null && Math.abs(ideal - this.#end) < TOUCHING) ideal = this.#end;
    const start = this.#zero === null ? ideal : Math.max(ideal, now + MARGIN);
    this.#zero = start - sentence.at - at;
    sentence.origin = start - at;
    sentence.end = this.#end = start + seconds;
    const last = this.#stretches.at(-1);
    const least = last ? last.at + last.end - last.start : 0;
    this.#stretches.push({ start, end: this.#end, at: Math.max(least, sentence.at + at) });
    return start;
  }

  /** A sentence without sound is shown for as long as it takes to read. */
  silence(now, index, seconds) {
    const sentence = this.#sentences.get(index);
    if (!sentence || sentence.origin !== null) return;
    sentence.silent = true;
    sentence.origin = Math.max(now, this.#end ?? now);
    sentence.end = this.#end = sentence.origin + seconds;
    this.#zero = this.#end - sentence.at;
  }

  /** Moves everything to another clock that reads `seconds` more. */
  rebase(seconds) {
    if (this.#zero !== null) this.#zero += seconds;
    if (this.#end !== null) this.#end += seconds;
    for (const sentence of this.#sentences.values()) {
      if (sentence.origin !== null) sentence.origin += seconds;
      sentence.end += seconds;
    }
    for (const stretch of this.#stretches) {
      stretch.start += seconds;
      stretch.end += seconds;
    }
  }

  /** @param {number} now @returns {{sentence: Sentence, position: number}|null} what is being said */
  locate(now) {
    for (const sentence of this.#sentences.values()) {
      if (sentence.origin !== null && now >= sentence.origin && now < sentence.end) {
        return { sentence, position: now - sentence.origin };
      }
    }
    return null;
  }

  /** @param {number} now @returns {number} seconds of the turn's sound played so far; never falls as `now` rises */
  heard(now) {
    const stretch = this.#stretches.findLast(({ start }) => now >= start);
    return stretch ? stretch.at + Math.min(now, stretch.end) - stretch.start : 0;
  }

  /** @param {number} now */
  over(now) {
    return this.#end === null || now >= this.#end;
  }
}

/**
 * How long a text takes to read aloud, for where no voice does.
 * @param {string} text
 */
export function readingSeconds(text) {
  const han = (text.match(/\p{Script=Han}/gu) ?? []).length;
  return Math.max(1.2, han / 4.5 + (text.length - han) / 15);
}
