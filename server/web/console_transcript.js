/** What was said in one session, as entries made of its events. Pure: `feed` returns the entries that changed. */

const KEPT = 400;
/** Notices whose words are spoken too. */
const SPOKEN = new Set(["takeover", "returned", "handover", "reminder", "ended"]);

/**
 * `kind`: who speaks, or that it is a remark. `code`: what the remark says, a word of the console's.
 * @typedef {object} Entry
 * @property {number} id
 * @property {"user"|"says"|"operator"|"notice"|"remark"} kind
 * @property {number} turn
 * @property {string} text
 * @property {string|null} code
 * @property {number} count
 */

export class Transcript {
  /** @type {Entry[]} */
  entries = [];
  #ids = 0;

  /** @param {any} event @returns {Entry[]} */
  feed(event) {
    switch (event.type) {
      case "asked":
        return [this.#add("user", event.turn, event.text)];
      case "turn_started":
        return [this.#add(event.by === "operator" ? "operator" : "says", event.turn, "")];
      case "text":
        return this.#append(event.turn, event.text);
      case "notice":
        return SPOKEN.has(event.code) ? [] : [this.#add("notice", event.turn, event.message)];
      case "error":
        return [this.#add("remark", event.turn, event.message, "failed")];
      case "missed":
        return [this.#add("remark", 0, "", "missed", event.count)];
      case "closed":
        return [this.#add("remark", 0, "", "closed")];
      case "turn_ended":
        return this.#ended(event);
      default:
        return [];
    }
  }

  #ended({ turn, reason, refused }) {
    if (reason === "interrupted") return [this.#add("remark", turn, "", "stopped")];
    return refused ? [this.#add("remark", turn, "", "unanswered")] : [];
  }

  /** An answer whose beginning was missed begins here. */
  #append(turn, text) {
    const entry =
      this.entries.findLast((one) => one.turn === turn && (one.kind === "says" || one.kind === "operator")) ??
      this.#add("says", turn, "");
    entry.text += text;
    return [entry];
  }

  /** @returns {Entry} */
  #add(kind, turn, text, code = null, count = 0) {
    const entry = { id: ++this.#ids, kind, turn, text, code, count };
    this.entries.push(entry);
    if (this.entries.length > KEPT) this.entries.shift();
    return entry;
  }
}
