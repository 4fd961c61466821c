/** The living presenter: eases the rig's channels towards what is said, felt and gestured, and paints each frame. */

import { latest } from "./cues.js";
import { Idle } from "./idle.js";
import { paint } from "./painter.js";
import { blend, compile, pose } from "./rig.js";

/** Natural frequency and damping of the springs that carry feelings and limbs; 1 is without overshoot. */
const FEELING = { frequency: 9, damping: 1 };
const LIMB = { frequency: 8, damping: 0.82 };
const LONGEST_STEP = 1 / 60;
const FURTHEST = 0.25;
const SHARPEST = 2;

const NOD_SECONDS = 0.5;
const NOD_REST = 1.6;
/** Who listens nods less often and less deeply. */
const ATTENTIVE_REST = 3.4;
const ATTENTIVE_NOD = 0.55;
/** A gesture that came later than this is not begun any more. */
const STALE = 0.5;
const STRESSED = new Set(["aa", "oh", "E"]);

/**
 * @typedef {object} Mood what the page wants of the presenter now
 * @property {import("./player.js").Moment|null} moment
 * @property {Record<string, number>} mouth weights
 * @property {boolean} playing a turn is being said, be it in a pause
 * @property {import("./posture.js").Posture} posture
 */

export class Presenter {
  #canvas;
  #data;
  #rig;
  #idle = new Idle();
  #still;
  /** @type {Record<string, {value: number, speed: number}>} */
  #springs = {};
  #last = 0;
  #emotion = { name: "neutral", intensity: 1 };
  #gesture = "rest";
  #gestureSince = 0;
  /** The cue that began the present gesture, or was too late to. */
  #gestured = "";
  #said = -1;
  #nodSince = -Infinity;
  #speaking = 0;
  /** Frames painted so far. */
  frames = 0;

  /** @param {HTMLCanvasElement} canvas @param {any} data presenter.json */
  constructor(canvas, data) {
    this.#canvas = canvas;
    this.#data = data;
    this.#rig = compile(data);
    this.#still = window.matchMedia("(prefers-reduced-motion: reduce)");
    new ResizeObserver(() => this.#fit()).observe(canvas);
    this.#fit();
  }

  get emotion() {
    return this.#emotion.name;
  }

  get gesture() {
    return this.#gesture;
  }

  /** @param {number} time seconds @param {Mood} mood */
  draw(time, mood) {
    const step = Math.min(FURTHEST, Math.max(0, time - this.#last));
    this.#last = time;
    this.#follow(time, mood);
    this.#ease(step, this.#targets(mood));
    paintOn(this.#canvas, this.#data.view, pose(this.#rig, this.#channels(time, step, mood)));
    this.frames += 1;
  }

  /** Takes each cue when its moment has come. */
  #follow(time, { moment, playing }) {
    if (moment) {
      if (moment.sentence !== this.#said) this.#nodSince = time;
      this.#said = moment.sentence;
      this.#act(time, moment);
    } else if (this.#said >= 0 && !playing) {
      this.#said = -1;
      this.#gestured = "";
      this.#emotion = { name: "neutral", intensity: 1 };
    }
    if (this.#gesture !== "rest" && time - this.#gestureSince > this.#data.holds[this.#gesture])
      this.#gesticulate("rest", time);
  }

  #act(time, { sentence, emotions, gestures, position }) {
    const felt = emotions[latest(emotions, position)];
    if (felt) this.#emotion = { name: felt[1], intensity: felt[2] };
    const last = latest(gestures, position);
    const cue = `${sentence}/${last}`;
    if (last < 0 || cue === this.#gestured) return;
    this.#gestured = cue;
    const [at, name] = gestures[last];
    if (name === "rest" || position - at < STALE) this.#gesticulate(name, time);
  }

  /** @param {string} name @param {number} time */
  #gesticulate(name, time) {
    if (name === this.#gesture) return;
    this.#gesture = name;
    this.#gestureSince = time;
  }

  /** @param {Mood} mood @returns {import("./rig.js").Channels} what the springs are drawn towards */
  #targets({ posture }) {
    const { emotions, gestures } = this.#data;
    const { name, intensity } = posture === "thinking" ? { name: "thinking", intensity: 0.7 } : this.#emotion;
    const targets = blend(
      emotions,
      name === "neutral" ? { neutral: 1 } : { [name]: intensity, neutral: 1 - intensity },
    );
    for (const [channel, value] of Object.entries(gestures[this.#gesture]))
      targets[channel] = (targets[channel] ?? 0) + value;
    if (posture === "listening") {
      targets.gaze_x = (targets.gaze_x ?? 0) + 0.55;
      targets.gaze_y = (targets.gaze_y ?? 0) + 0.2;
      targets.yaw = (targets.yaw ?? 0) + 0.5;
    }
    return targets;
  }

  #ease(step, targets) {
    for (const channel of Object.keys(targets)) this.#springs[channel] ??= { value: targets[channel], speed: 0 };
    for (const [channel, spring] of Object.entries(this.#springs)) {
      const { frequency, damping } = /^(left|right)_/.test(channel) ? LIMB : FEELING;
      const target = targets[channel] ?? 0;
      for (let left = step; left > 0; left -= LONGEST_STEP) {
        const dt = Math.min(left, LONGEST_STEP);
        spring.speed += ((target - spring.value) * frequency ** 2 - 2 * damping * frequency * spring.speed) * dt;
        spring.value += spring.speed * dt;
      }
    }
  }

  /** Springs, mouth, idle life and nods together. */
  #channels(time, step, { mouth, posture }) {
    /** @type {import("./rig.js").Channels} */
    const channels = {};
    for (const [channel, spring] of Object.entries(this.#springs)) channels[channel] = spring.value;
    this.#speaking += (1 - (mouth.sil ?? 0) - this.#speaking) * (1 - Math.exp(-step * 12));
    channels.smile = (channels.smile ?? 0) * (1 - 0.45 * this.#speaking);
    for (const [channel, value] of Object.entries(blend(this.#data.visemes, mouth)))
      channels[channel] = (channels[channel] ?? 0) + value;
    const nod = this.#nod(time, mouth, posture === "listening");
    channels.pitch = (channels.pitch ?? 0) + 0.9 * nod;
    channels.brow_up = (channels.brow_up ?? 0) + 0.35 * nod;
    this.#live(channels, time, step, posture === "speaking" ? 1.5 : 1);
    return channels;
  }

  /** @returns {number} 0 to 1: the head dips on a stressed vowel, now and then, or to show that it listens */
  #nod(time, mouth, listening) {
    const stressed = Object.entries(mouth).some(([shape, weight]) => STRESSED.has(shape) && weight > 0.85);
    if (time - this.#nodSince > (listening ? ATTENTIVE_REST : NOD_REST) && (listening || stressed)) this.#nodSince = time;
    const phase = (time - this.#nodSince) / NOD_SECONDS;
    if (phase < 0 || phase >= 1 || this.#still.matches) return 0;
    return (listening ? ATTENTIVE_NOD : 1) * Math.sin(Math.PI * phase) ** 2;
  }

  #live(channels, time, step, liveliness) {
    const life = this.#idle.channels(time, step, liveliness);
    const felt = channels.lids ?? 0;
    const blinked = felt + (1 - felt) * life.lids;
    if (!this.#still.matches) {
      for (const [channel, value] of Object.entries(life)) channels[channel] = (channels[channel] ?? 0) + value;
      const sway = this.#data.sways[this.#gesture];
      if (sway)
        channels[sway.channel] += sway.amount * Math.sin((time - this.#gestureSince) * 2 * Math.PI * sway.hertz);
    }
    channels.lids = blinked;
  }

  #fit() {
    const sharp = Math.min(SHARPEST, window.devicePixelRatio || 1);
    this.#canvas.width = Math.max(1, Math.round(this.#canvas.clientWidth * sharp));
    this.#canvas.height = Math.max(1, Math.round(this.#canvas.clientHeight * sharp));
  }
}

/**
 * The head stays in sight whatever the shape of the canvas: a low one cuts the body off below.
 * @param {HTMLCanvasElement} canvas @param {any} view @param {import("./rig.js").Shape[]} shapes
 */
function paintOn(canvas, view, shapes) {
  const context = canvas.getContext("2d");
  if (!context) return;
  const { width, height } = canvas;
  const scale = Math.min(width / view.width, height / view.shortest);
  const top = Math.min(view.top, view.bottom - height / scale);
  context.setTransform(1, 0, 0, 1, 0, 0);
  context.clearRect(0, 0, width, height);
  context.setTransform(scale, 0, 0, scale, width / 2 - view.centre * scale, -top * scale);
  paint(context, shapes);
}
