/**
 * Which turn the page follows: the newest it asked for. The server answers each accepted question with one turn, in
 * order, and what was spoken with one.
 */

export class Turns {
  /** Questions whose turn has not started. */
  #waiting = 0;
  /** So many of them were given up. */
  #dropped = 0;
  #last = 0;
  /** Frames of this turn and those before it are late. */
  #cut = 0;
  #running = false;
  /** What was said and has no turn yet, and whether it was given up. @type {number|null} */
  #spoken = null;
  #unwanted = false;

  /** @returns {number} the newest turn that has started, 0 before the first */
  get last() {
    return this.#last;
  }

  /** @returns {boolean} whether the server still owes an answer, or part of one */
  get active() {
    return this.#waiting > this.#dropped || this.#running || (this.#spoken !== null && !this.#unwanted);
  }

  asked() {
    this.#waiting += 1;
  }

  /** The user has spoken: a turn follows, or nothing was understood. @param {number} utterance */
  spoke(utterance) {
    this.#spoken = utterance;
    this.#unwanted = false;
  }

  /** Nothing of it was understood. @param {number} utterance */
  unheard(utterance) {
    if (utterance === this.#spoken) this.#spoken = null;
  }

  /** The oldest waiting question was not taken. */
  refused() {
    this.#waiting = Math.max(0, this.#waiting - 1);
    this.#dropped = Math.min(this.#dropped, this.#waiting);
  }

  /** @param {number} turn @returns {boolean} false where its question was given up */
  started(turn) {
    const spoken = this.#waiting === 0 && this.#spoken !== null;
    const dropped = spoken ? this.#unwanted : this.#dropped > 0;
    if (spoken) this.#spoken = null;
    else if (dropped) this.#dropped -= 1;
    this.#waiting = Math.max(0, this.#waiting - 1);
    this.#last = turn;
    this.#running = !dropped;
    if (dropped) this.#cut = turn;
    return this.#running;
  }

  /** @param {number} turn @returns {boolean} whether frames of `turn` are wanted */
  follows(turn) {
    return turn === this.#last && turn > this.#cut;
  }

  /** @param {number} turn */
  ended(turn) {
    if (turn === this.#last) this.#running = false;
  }

  /** Gives up all that was asked so far. @returns {number|null} the newest turn, where the server had not ended it */
  cut() {
    const running = this.#running ? this.#last : null;
    this.#dropped = this.#waiting;
    this.#unwanted = true;
    this.#cut = this.#last;
    this.#running = false;
    return running;
  }

  /** A new connection numbers its turns anew. */
  restart() {
    this.#waiting = this.#dropped = this.#last = this.#cut = 0;
    this.#running = this.#unwanted = false;
    this.#spoken = null;
  }
}
