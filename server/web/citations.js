/** The document behind a citation, opened beside the conversation with the quoted words marked. */

/** How much of the document is shown on each side of the quotation, in characters. */
const AROUND = 4000;

/**
 * @typedef {object} Citation
 * @property {string} document
 * @property {number} revision the version of the document that was cited
 * @property {string} title
 * @property {string} source
 * @property {string} quote
 * @property {string[]} section
 * @property {number|null} page or slide
 * @property {number|null} at seconds into the recording that a transcript belongs to
 * @property {number} start in characters of the document's text
 * @property {number} end
 */

/**
 * Where the quotation stands. Offsets count code points, strings count UTF-16 units; where the document has changed since,
 * the quotation is looked for.
 * @param {string} text @param {Citation} citation
 * @returns {{before: string, quote: string, after: string}}
 */
export function locate(text, { start, end, quote }) {
  const points = Array.from(text);
  const there = points.slice(start, end).join("");
  const inside = there.indexOf(quote);
  const base = points.slice(0, start).join("").length;
  const anywhere = text.indexOf(quote);
  const from = inside >= 0 ? base + inside : anywhere >= 0 ? anywhere : base;
  const to = inside >= 0 || anywhere >= 0 ? from + quote.length : base + there.length;
  const first = Math.max(0, from - AROUND);
  const last = Math.min(text.length, to + AROUND);
  return {
    before: (first > 0 ? "…" : "") + text.slice(first, from),
    quote: text.slice(from, to),
    after: text.slice(to, last) + (last < text.length ? "…" : ""),
  };
}

export class Source {
  #dialog;
  #language;
  #key;
  /** The knowledge base that the presenter answers from. */
  base = "main";
  /** The one asked for last. @type {Citation|null} */
  #wanted = null;

  /** @param {HTMLDialogElement} dialog @param {import("./language.js").Language} language @param {string|null} key */
  constructor(dialog, language, key) {
    this.#dialog = dialog;
    this.#language = language;
    this.#key = key;
    dialog.querySelector("button").addEventListener("click", () => dialog.close());
    dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  }

  /** @param {Citation} citation */
  async open(citation) {
    this.#wanted = citation;
    this.#part(".source-title").textContent = citation.title;
    this.#part(".source-place").textContent = place(citation, this.#language);
    const body = this.#part(".source-text");
    body.replaceChildren(this.#language.say("loading"));
    if (!this.#dialog.open) this.#dialog.showModal();
    const text = (await this.#text(citation, citation.revision)) ?? (await this.#text(citation));
    if (this.#wanted !== citation) return;
    if (text === null) {
      body.replaceChildren(this.#language.say("missing"));
      return;
    }
    const { before, quote, after } = locate(text, citation);
    const mark = document.createElement("mark");
    mark.textContent = quote;
    mark.setAttribute("aria-label", this.#language.say("quoted"));
    body.replaceChildren(before, mark, after);
    mark.scrollIntoView({ block: "center" });
  }

  /**
   * @param {Citation} citation @param {number} [revision] the current one where none is given
   * @returns {Promise<string|null>} null where it cannot be had
   */
  async #text({ document }, revision) {
    const headers = this.#key ? { Authorization: `Bearer ${this.#key}` } : {};
    try {
      const path = `/v1/knowledge/${this.base}/documents/${encodeURIComponent(document)}`;
      const response = await fetch(revision ? `${path}?revision=${revision}` : path, { headers });
      return response.ok ? (await response.json()).text : null;
    } catch {
      return null;
    }
  }

  /** @param {string} selector @returns {HTMLElement} */
  #part(selector) {
    return this.#dialog.querySelector(selector);
  }
}

/** @param {Citation} citation @param {import("./language.js").Language} language @returns {string} section, page, time */
export function place(citation, language) {
  const parts = citation.section.filter((heading) => heading !== citation.title);
  const { page = null, at = null } = citation;
  const slides = /\.pptx$/i.test(citation.source);
  if (page !== null) parts.push(slides ? language.say("slide", { page }) : language.say("page", { page }));
  if (at !== null) parts.push(language.say("moment", { time: timeCode(at) }));
  return parts.join(" › ");
}

/** @param {number} seconds @returns {string} as a player shows it: 0:07, 12:34, 1:02:03 */
export function timeCode(seconds) {
  const whole = Math.floor(seconds);
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
  const tail = String(whole % 60).padStart(2, "0");
  return hours ? `${hours}:${String(minutes).padStart(2, "0")}:${tail}` : `${minutes}:${tail}`;
}
