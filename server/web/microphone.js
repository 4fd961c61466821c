/** The user's microphone: asked for, opened, and given as 16 kHz sound in frames of 20 ms. */

const WORKLET = new URL("./capture.js", import.meta.url);
/** The device takes the presenter's own sound, and the room's, out of what it hears. */
const WISHES = {
  echoCancellation: { ideal: true },
  noiseSuppression: { ideal: true },
  autoGainControl: { ideal: true },
  channelCount: { ideal: 1 },
};
export const SILENCE = -96;

/**
 * Why it cannot be opened. `insecure`: browsers give microphones only to pages of https or of this machine; `denied`;
 * `missing`: there is none; `occupied`: another program has it; `broken`: anything else.
 * @typedef {"insecure"|"denied"|"missing"|"occupied"|"broken"} Trouble
 */

/** Dispatches `sound` (detail: 640 bytes of s16 and the level in dB re full scale) and `lost`, when it was taken away. */
export class Microphone extends EventTarget {
  /** @type {MediaStream|null} */
  #stream = null;
  /** @type {AudioContext|null} */
  #context = null;
  /** @type {AnalyserNode|null} */
  #analyser = null;
  /** The opening that is under way. @type {Promise<boolean>|null} */
  #starting = null;
  /** dB re full scale, of the last frame. */
  level = SILENCE;

  /** @returns {boolean} whether the browser has what it takes, or would have on a secure page */
  static get offered() {
    const able = navigator.mediaDevices?.getUserMedia && typeof AudioWorkletNode === "function";
    return Boolean(able) || !window.isSecureContext;
  }

  get open() {
    return this.#stream !== null;
  }

  /** @returns {boolean} whether the device takes the presenter's own sound out of what it hears */
  get cancelling() {
    return this.#stream?.getAudioTracks()[0]?.getSettings().echoCancellation !== false;
  }

  /** @returns {number} loudness at this moment, 0 to 1, before anything is done to it */
  rms() {
    if (!this.#analyser) return 0;
    const samples = new Float32Array(this.#analyser.fftSize);
    this.#analyser.getFloatTimeDomainData(samples);
    return Math.sqrt(samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length);
  }

  /** Call it in a user's gesture. @returns {Promise<boolean>} false where it was closed meanwhile. Throws a Trouble. */
  start() {
    if (this.open) return Promise.resolve(true);
    if (!this.#starting) {
      const starting = this.#start(() => starting === this.#starting).finally(() => {
        if (starting === this.#starting) this.#starting = null;
      });
      this.#starting = starting;
    }
    return this.#starting;
  }

  close() {
    this.#starting = null;
    if (this.#stream) release(this.#stream, this.#context);
    this.#stream = this.#context = this.#analyser = null;
    this.level = SILENCE;
  }

  /** @param {() => boolean} wanted */
  async #start(wanted) {
    const stream = await asked();
    const context = new AudioContext({ latencyHint: "interactive" });
    try {
      await context.audioWorklet.addModule(WORKLET);
      await context.resume();
    } catch {
      release(stream, context);
      throw "broken";
    }
    if (!wanted()) {
      release(stream, context);
      return false;
    }
    this.#connect(stream, context);
    return true;
  }

  /** @param {MediaStream} stream @param {AudioContext} context */
  #connect(stream, context) {
    const source = context.createMediaStreamSource(stream);
    const capture = new AudioWorkletNode(context, "capture", {
      channelCount: 1,
      channelCountMode: "explicit",
      channelInterpretation: "speakers",
    });
    this.#analyser = context.createAnalyser();
    this.#analyser.fftSize = 256;
    source.connect(this.#analyser);
    source.connect(capture).connect(context.destination);
    capture.port.onmessage = ({ data }) => {
      if (context !== this.#context) return;
      this.level = data.level;
      this.dispatchEvent(new CustomEvent("sound", { detail: data }));
    };
    stream.getAudioTracks()[0].onended = () => {
      if (stream !== this.#stream) return;
      this.close();
      this.dispatchEvent(new Event("lost"));
    };
    this.#stream = stream;
    this.#context = context;
  }
}

/** @returns {Promise<MediaStream>} */
async function asked() {
  if (!window.isSecureContext || !navigator.mediaDevices) throw "insecure";
  try {
    return await navigator.mediaDevices.getUserMedia({ audio: WISHES });
  } catch (error) {
    throw trouble(error);
  }
}

/** @param {any} error of getUserMedia @returns {Trouble} */
export function trouble(error) {
  switch (error?.name) {
    case "NotAllowedError":
    case "PermissionDeniedError":
      return "denied";
    case "SecurityError":
      return "insecure";
    case "NotFoundError":
    case "OverconstrainedError":
      return "missing";
    case "NotReadableError":
    case "AbortError":
      return "occupied";
    default:
      return "broken";
  }
}

/** @param {MediaStream} stream @param {AudioContext|null} context */
function release(stream, context) {
  for (const track of stream.getTracks()) track.stop();
  context?.close();
}
