/** The microphone's button, and the key that does the same: tap for hands-free, hold to talk. */

import { SILENCE } from "./microphone.js";

const PRESSING = new Set([" ", "Enter"]);
/** dB re full scale that show as nothing. */
const SOFT = -60;

export class TalkButton {
  #button;
  #meter;
  #status;
  #talk;
  #language;
  #microphone;
  /** The press that a click would tell of once more. */
  #pressed = false;

  /**
   * @param {{button: HTMLElement, meter: HTMLElement, status: HTMLElement}} parts
   * @param {import("./talk.js").Talk} talk @param {import("./microphone.js").Microphone} microphone
   * @param {import("./language.js").Language} language
   */
  constructor({ button, meter, status }, talk, microphone, language) {
    this.#button = button;
    this.#meter = meter;
    this.#status = status;
    this.#talk = talk;
    this.#microphone = microphone;
    this.#language = language;
    this.#pointer();
    this.#keys();
    talk.addEventListener("change", () => this.show());
  }

  show() {
    const { mode, listening } = this.#talk;
    this.#button.dataset.mode = mode;
    this.#button.setAttribute("aria-pressed", String(mode !== "off"));
    this.#meter.parentElement.hidden = mode === "off";
    this.#status.textContent = this.#told(mode, listening);
  }

  /** How loud the user is: call it for each picture. */
  draw() {
    const { level } = this.#microphone;
    const share = this.#talk.listening ? Math.min(1, Math.max(0, 1 - level / SOFT)) : 0;
    const shown = level === SILENCE ? "0" : share.toFixed(2);
    if (this.#meter.dataset.level === shown) return;
    this.#meter.dataset.level = shown;
    this.#meter.style.setProperty("--level", shown);
    this.#button.style.setProperty("--level", shown);
  }

  #told(mode, listening) {
    if (mode === "off") return "";
    if (!listening) return this.#language.say("opening");
    return mode === "free" ? this.#language.say("hearing") : this.#language.say("pushing");
  }

  #pointer() {
    const button = this.#button;
    button.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      button.setPointerCapture(event.pointerId);
      this.#pressed = true;
      this.#talk.press();
    });
    button.addEventListener("pointerup", () => this.#talk.release());
    button.addEventListener("pointercancel", () => {
      this.#pressed = false;
      this.#talk.cancel();
    });
    button.addEventListener("contextmenu", (event) => event.preventDefault());
    button.addEventListener("click", () => {
      // A click without a press is of an assistive technology.
      if (!this.#pressed) this.#talk.toggle();
      this.#pressed = false;
    });
    window.addEventListener("blur", () => this.#talk.cancel());
  }

  #keys() {
    document.addEventListener("keydown", (event) => {
      const mine = event.target === this.#button;
      if (!(mine ? PRESSING.has(event.key) : event.key === " " && idle(event))) return;
      event.preventDefault();
      if (!event.repeat && !this.#button.hidden) this.#talk.press(mine);
    });
    document.addEventListener("keyup", (event) => {
      if (!PRESSING.has(event.key)) return;
      if (event.target === this.#button) event.preventDefault();
      this.#talk.release();
    });
  }
}

/** @param {KeyboardEvent} event @returns {boolean} whether the key means nothing else where it was pressed */
function idle({ target, ctrlKey, altKey, metaKey }) {
  const taken = target instanceof Element && target.closest("input, textarea, select, button, a, dialog, [contenteditable]");
  return !taken && !ctrlKey && !altKey && !metaKey;
}
