/** Plays a turn on the audio clock, and tells what is being said at this very moment. */

import { LEAD, dominant, keys, weights } from "./mouth.js";
import { Timeline, readingSeconds } from "./timeline.js";
import { Track } from "./track.js";

const DEFAULT_RATE = 24000;
/** Seconds in which it becomes louder or softer. */
const FADE = 0.02;
/** -12 dB */
const DUCKED = 0.25;
const REPORT_MS = 250;
const REPORT_EVERY = 1;
const CLOSED_MOUTH = Object.freeze({ sil: 1 });

/**
 * @typedef {object} Moment what is being said now
 * @property {number} sentence
 * @property {string} text
 * @property {[string, number, number][]} words
 * @property {number} position seconds on the sentence's clock
 * @property {[number, string, number][]} emotions seconds, name, intensity
 * @property {[number, string][]} gestures seconds, name
 */

/**
 * @typedef {object} Turn
 * @property {number} number
 * @property {Timeline} timeline
 * @property {Track|null} track
 * @property {import("./track.js").Piece[]} unheard sound that came while the context was not running
 * @property {boolean} audible whether its clock is the audio clock
 * @property {number|null} held clock time at which it was paused
 * @property {boolean} complete whether the server has sent all of it
 * @property {number} reported seconds heard that were told to the server
 */

export class Player extends EventTarget {
  /** @type {AudioContext|null} */
  #context = null;
  /** @type {GainNode|null} */
  #master = null;
  /** @type {AnalyserNode|null} */
  #analyser = null;
  /** @type {Turn|null} */
  #turn = null;
  #rate = DEFAULT_RATE;
  #muted = false;
  #ducked = false;
  /** @type {import("./floor.js").Hold} */
  #floor = "open";
  #level = 1;

  constructor() {
    super();
    setInterval(() => this.#report(), REPORT_MS);
  }

  /** @param {number} rate of the sound that will come, in Hz */
  set rate(rate) {
    this.#rate = rate;
  }

  get muted() {
    return this.#muted;
  }

  set muted(muted) {
    this.#muted = muted;
    this.#fade();
  }

  /** Quieter while the user types. @param {boolean} ducked */
  set ducked(ducked) {
    this.#ducked = ducked;
    this.#fade();
  }

  /** Softer, or not at all, while somebody speaks. @param {import("./floor.js").Hold} floor */
  set floor(floor) {
    if (floor === this.#floor) return;
    this.#floor = floor;
    this.#fade();
    if (floor === "held") this.#hold();
    else this.#release();
  }

  /** Browsers start sound only from a user's gesture: call this in one. */
  async unlock() {
    if (!this.#context) this.#open();
    if (this.#context?.state === "suspended") await this.#context.resume();
  }

  /** @returns {boolean} whether a turn's sound waits for a user's gesture */
  get blocked() {
    return Boolean(this.#turn && !this.#turn.audible && this.#turn.unheard.length);
  }

  /** @returns {"idle"|"waiting"|"speaking"|"held"} */
  get state() {
    if (!this.#turn) return "idle";
    if (this.#turn.held !== null) return "held";
    return this.#turn.timeline.locate(this.#now(this.#turn)) ? "speaking" : "waiting";
  }

  /** @returns {number|null} */
  get turn() {
    return this.#turn?.number ?? null;
  }

  /** @returns {number} seconds of the turn's sound that were heard */
  get position() {
    return this.#turn ? this.#turn.timeline.heard(this.#now(this.#turn)) : 0;
  }

  /** @returns {string} "running" once sound can be heard */
  get audio() {
    return this.#context?.state ?? "none";
  }

  /** @returns {number} loudness now, 0 to 1 */
  rms() {
    if (!this.#analyser) return 0;
    const samples = new Float32Array(this.#analyser.fftSize);
    this.#analyser.getFloatTimeDomainData(samples);
    return Math.sqrt(samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length);
  }

  /** @param {number} number */
  begin(number) {
    this.stop();
    this.floor = "open";
    this.#turn = {
      number,
      timeline: new Timeline(),
      track: null,
      unheard: [],
      audible: this.audio === "running",
      held: null,
      complete: false,
      reported: 0,
    };
  }

  /** @param {any} event a `sentence` event */
  sentence(event) {
    this.#turn?.timeline.open(event.sentence, event.text, event.at, {
      visemes: [],
      words: [],
      emotions: [],
      gestures: [],
    });
  }

  /** @param {any} event a `motion` event; several may come for one sentence */
  motion(event) {
    const cues = this.#turn?.timeline.sentence(event.sentence)?.cues;
    if (!cues) return;
    cues.visemes.push(...event.visemes);
    cues.keys = keys(cues.visemes);
    cues.emotions.push(...(event.emotions ?? []));
    cues.gestures.push(...(event.gestures ?? []));
  }

  /** @param {any} event a `caption` event; several may come for one sentence */
  caption(event) {
    this.#turn?.timeline.sentence(event.sentence)?.cues.words.push(...event.words);
  }

  /** @param {number} sentence @param {number} at @param {Int16Array} pcm */
  sound(sentence, at, pcm) {
    const turn = this.#turn;
    if (!turn || pcm.length === 0) return;
    const start = turn.timeline.sound(this.#clock(turn), sentence, at, pcm.length / this.#rate);
    if (start === null) return;
    const buffer = new AudioBuffer({ length: pcm.length, sampleRate: this.#rate });
    buffer.copyToChannel(Float32Array.from(pcm, (sample) => sample / 32768), 0);
    if (turn.audible) this.#play(turn, { start, buffer });
    else turn.unheard.push({ start, buffer });
    this.dispatchEvent(new Event("change"));
  }

  /** @param {any} event a `sentence_ended` event */
  sentenceEnded(event) {
    const timeline = this.#turn?.timeline;
    const sentence = timeline?.sentence(event.sentence);
    if (this.#turn && timeline && sentence)
      timeline.silence(this.#clock(this.#turn), event.sentence, readingSeconds(sentence.text));
  }

  /** The server has sent all of the turn. */
  complete() {
    if (this.#turn) this.#turn.complete = true;
  }

  /** Silence at once. @returns {{turn: number, heard: number}|null} what was stopped */
  stop() {
    const turn = this.#turn;
    if (!turn) return null;
    const heard = this.position;
    this.#turn = null;
    turn.track?.stop();
    this.dispatchEvent(new Event("change"));
    return { turn: turn.number, heard };
  }

  /** @returns {Moment|null} */
  moment() {
    const turn = this.#turn;
    const found = turn?.timeline.locate(this.#now(turn));
    if (!found) return null;
    const { sentence, position } = found;
    const { words, emotions, gestures } = sentence.cues;
    return { sentence: sentence.index, text: sentence.text, words, position, emotions, gestures };
  }

  /** @returns {Record<string, number>} weights of the mouth shapes now */
  mouth() {
    const turn = this.#turn;
    const found = turn?.timeline.locate(this.#now(turn));
    if (!found || turn.held !== null || found.sentence.silent || !found.sentence.cues.keys) return CLOSED_MOUTH;
    return weights(found.sentence.cues.keys, found.position + LEAD);
  }

  /** @returns {{shape: string, weights: Record<string, number>}} */
  get lips() {
    const mix = this.mouth();
    return { shape: dominant(mix), weights: { ...mix } };
  }

  #open() {
    const context = new AudioContext({ sampleRate: this.#rate, latencyHint: "interactive" });
    this.#master = context.createGain();
    this.#analyser = context.createAnalyser();
    this.#analyser.fftSize = 1024;
    this.#master.connect(this.#analyser).connect(context.destination);
    context.addEventListener("statechange", () => this.#resumed());
    this.#context = context;
    this.#level = 1;
    this.#fade();
  }

  #fade() {
    if (!this.#context || !this.#master) return;
    const level = this.#muted ? 0 : this.#ducked || this.#floor !== "open" ? DUCKED : 1;
    if (level === this.#level) return;
    this.#level = level;
    const { gain } = this.#master;
    const now = this.#context.currentTime;
    gain.cancelScheduledValues(now);
    gain.setValueAtTime(gain.value, now);
    gain.linearRampToValueAtTime(level, now + FADE);
  }

  /** Its clock stands still, and with it captions and cues. */
  #hold() {
    const turn = this.#turn;
    if (!turn || turn.held !== null) return;
    turn.held = this.#clock(turn);
    turn.track?.hold();
    this.#tell(turn, this.position);
    this.dispatchEvent(new Event("change"));
  }

  #release() {
    const turn = this.#turn;
    if (!turn || turn.held === null) return;
    const { held } = turn;
    turn.held = null;
    turn.timeline.rebase((turn.track?.release(held) ?? this.#clock(turn)) - held);
    this.#tell(turn, this.position);
    this.dispatchEvent(new Event("change"));
  }

  /** The context began to run: a turn that had only a wall clock moves to the audio clock, from where it is. */
  #resumed() {
    const turn = this.#turn;
    if (this.#context?.state === "running" && turn && !turn.audible) {
      const shift = this.#context.currentTime - wall();
      turn.timeline.rebase(shift);
      turn.audible = true;
      if (turn.held !== null) turn.held += shift;
      for (const { start, buffer } of turn.unheard.splice(0)) this.#play(turn, { start: start + shift, buffer });
    }
    this.dispatchEvent(new Event("change"));
  }

  /** @param {Turn} turn @param {import("./track.js").Piece} piece */
  #play(turn, piece) {
    if (!this.#context || !this.#master) return;
    if (!turn.track) {
      turn.track = new Track(this.#context, this.#master);
      if (turn.held !== null) turn.track.hold();
    }
    turn.track.add(piece);
  }

  /** The clock that stretches are laid out on. @param {Turn} turn */
  #clock(turn) {
    return turn.held ?? (turn.audible && this.#context ? this.#context.currentTime : wall());
  }

  /** The clock as the ear has it. @param {Turn} turn */
  #now(turn) {
    const latency = turn.audible ? (this.#context?.outputLatency ?? this.#context?.baseLatency ?? 0) : 0;
    return this.#clock(turn) - latency;
  }

  #report() {
    const turn = this.#turn;
    if (!turn) return;
    const now = this.#now(turn);
    const heard = turn.timeline.heard(now);
    const over = turn.complete && turn.timeline.over(now);
    if ((over && heard > turn.reported) || heard - turn.reported >= REPORT_EVERY) this.#tell(turn, heard);
    if (over) {
      this.#turn = null;
      this.dispatchEvent(new Event("change"));
    }
  }

  /** @param {Turn} turn @param {number} heard seconds */
  #tell(turn, heard) {
    turn.reported = Math.max(turn.reported, heard);
    this.dispatchEvent(new CustomEvent("heard", { detail: { turn: turn.number, seconds: turn.reported } }));
  }
}

function wall() {
  return performance.now() / 1000;
}
