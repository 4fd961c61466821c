/** The microphone's sound in an AudioWorklet: 16 kHz, 16-bit, 20 ms a message, with how loud it is. */

import { Resampler } from "./resampler.js";

const RATE = 16000;
const FRAME = 320;
const SOFTEST = -96;

class Capture extends AudioWorkletProcessor {
  #resampler = new Resampler(sampleRate, RATE);
  #frame = new Int16Array(FRAME);
  #filled = 0;
  #power = 0;

  /** @param {Float32Array[][]} inputs */
  process([[channel]]) {
    if (channel) for (const sample of this.#resampler.feed(channel)) this.#add(Math.max(-1, Math.min(1, sample)));
    return true;
  }

  /** @param {number} sample */
  #add(sample) {
    this.#frame[this.#filled] = Math.round(sample * 32767);
    this.#power += sample * sample;
    this.#filled += 1;
    if (this.#filled < FRAME) return;
    const level = this.#power > 0 ? Math.max(SOFTEST, 10 * Math.log10(this.#power / FRAME)) : SOFTEST;
    this.port.postMessage({ pcm: this.#frame.buffer, level }, [this.#frame.buffer]);
    this.#frame = new Int16Array(FRAME);
    this.#filled = this.#power = 0;
  }
}

registerProcessor("capture", Capture);
