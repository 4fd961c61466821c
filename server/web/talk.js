/**
 * Speaking to the presenter: hands-free, or while a key or button is held. Says to the server how to listen, and sends
 * it what the microphone hears. No DOM.
 */

/** A press shorter than this is a tap: it switches hands-free on or off. */
const TAP_MS = 300;
/** Who lets go is still ending the last syllable. */
const TAIL_MS = 250;
/** The microphone stays open so long after a push to talk, sending nothing: the next one loses no first syllable. */
const WARM_MS = 20000;
const SOUND = { format: "pcm_s16le", rate: 16000 };

/** @typedef {"off"|"free"|"pushed"} Mode nobody listens; hands-free; push to talk */

/**
 * Dispatches `change`; `pushed`, when it is no tap; `trouble` (detail: a Trouble of the microphone, or "lost");
 * `level` (detail: dB) for each frame that is sent hands-free and has nothing of the presenter's own sound in it.
 */
export class Talk extends EventTarget {
  /** @type {Mode} */
  #mode = "off";
  #microphone;
  #line;
  /** Whether the server can hear, and whether it was told how. */
  #served = false;
  #announced = false;
  /** A button or key is down; for longer than a tap; and a tap of it means something. */
  #down = false;
  #confirmed = false;
  #tappable = true;
  /** It is up again, and the last syllable is waited for. */
  #ending = false;
  #timer = 0;
  #warm = 0;

  /**
   * @param {any} microphone a Microphone
   * @param {{send: (message: object) => boolean, sound: (pcm: ArrayBuffer) => boolean}} line to the server
   */
  constructor(microphone, line) {
    super();
    this.#microphone = microphone;
    this.#line = line;
    microphone.addEventListener("sound", ({ detail }) => this.#hear(detail));
    microphone.addEventListener("lost", () => this.#fail("lost"));
  }

  get mode() {
    return this.#mode;
  }

  /** @returns {boolean} whether what is said now goes to the server */
  get listening() {
    return this.#announced;
  }

  /** A new connection. @param {boolean} hears whether the server has a recogniser */
  connected(hears) {
    this.#served = hears;
    this.#announced = false;
    if (!hears) this.off();
    else if (this.#mode === "free") this.#listen();
  }

  disconnected() {
    this.#served = this.#announced = false;
    if (this.#mode === "pushed") this.cancel();
  }

  toggle() {
    if (this.#mode === "off") this.#free();
    else this.off();
  }

  /** A button or key goes down. @param {boolean} tappable whether a short press switches hands-free on */
  press(tappable = true) {
    if (this.#down || !this.#served) return;
    if (this.#ending) this.#commit();
    this.#down = true;
    if (this.#mode === "free") return;
    this.#confirmed = false;
    this.#tappable = tappable;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#confirm(), TAP_MS);
    this.#begin("pushed");
  }

  release() {
    if (!this.#down) return;
    this.#down = false;
    if (this.#mode === "free") this.off();
    else if (this.#mode === "pushed" && this.#confirmed) this.#finish();
    else if (this.#mode === "pushed" && this.#tappable) this.#free();
    else this.cancel();
  }

  /** What was said while it was held is not meant. */
  cancel() {
    this.#down = false;
    if (this.#mode !== "pushed" || this.#ending) return;
    if (this.#announced) this.#line.send({ type: "clear" });
    this.off();
  }

  off() {
    clearTimeout(this.#timer);
    clearTimeout(this.#warm);
    this.#ending = false;
    this.#quiet();
    this.#microphone.close();
    this.#become("off");
  }

  #confirm() {
    this.#confirmed = true;
    this.dispatchEvent(new Event("pushed"));
  }

  #free() {
    clearTimeout(this.#timer);
    this.#begin("free");
  }

  /** @param {Mode} mode */
  async #begin(mode) {
    clearTimeout(this.#warm);
    this.#become(mode);
    try {
      const open = await this.#microphone.start();
      if (open && this.#mode === mode) this.#listen();
    } catch (trouble) {
      if (this.#mode !== "off") this.#fail(trouble);
    }
  }

  #listen() {
    if (!this.#served || !this.#microphone.open) return;
    const turns = this.#mode === "pushed" ? "manual" : "auto";
    const wishes = turns === "auto" ? { half_duplex: !this.#microphone.cancelling } : {};
    this.#announced = this.#line.send({ type: "listen", ...SOUND, turns, ...wishes });
    this.dispatchEvent(new Event("change"));
  }

  /** The button is up again: what was said is the user's turn. */
  #finish() {
    if (!this.#announced) {
      this.off();
      return;
    }
    this.#ending = true;
    this.#timer = setTimeout(() => this.#commit(), TAIL_MS);
  }

  #commit() {
    clearTimeout(this.#timer);
    this.#ending = false;
    this.#line.send({ type: "commit" });
    this.#quiet();
    this.#become("off");
    this.#warm = setTimeout(() => this.#microphone.close(), WARM_MS);
  }

  #quiet() {
    if (this.#announced) this.#line.send({ type: "listen", ...SOUND, active: false });
    this.#announced = false;
  }

  /** @param {string} trouble */
  #fail(trouble) {
    const wanted = this.#mode !== "off";
    this.#down = false;
    this.off();
    if (wanted) this.dispatchEvent(new CustomEvent("trouble", { detail: trouble }));
  }

  /** @param {{pcm: ArrayBuffer, level: number}} frame */
  #hear({ pcm, level }) {
    if (!this.#announced) return;
    this.#line.sound(pcm);
    const trusted = this.#mode === "free" && this.#microphone.cancelling;
    if (trusted) this.dispatchEvent(new CustomEvent("level", { detail: level }));
  }

  /** @param {Mode} mode */
  #become(mode) {
    if (mode === this.#mode) return;
    this.#mode = mode;
    this.dispatchEvent(new Event("change"));
  }
}
