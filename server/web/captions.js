/** The sentence being said, under the presenter, with the word being said marked. */

/** @typedef {{text: string, start: number|null, end: number|null}} Piece words have times, what lies between has none */

/**
 * The sentence cut at its words, so that spaces and punctuation stay where they are.
 * @param {string} text @param {[string, number, number][]} words
 * @returns {Piece[]} pieces that join to `text`
 */
export function pieces(text, words) {
  /** @type {Piece[]} */
  const list = [];
  let from = 0;
  for (const [word, start, end] of words) {
    const at = word ? text.indexOf(word, from) : -1;
    if (at < 0) continue;
    if (at > from) list.push({ text: text.slice(from, at), start: null, end: null });
    list.push({ text: word, start, end });
    from = at + word.length;
  }
  if (from < text.length) list.push({ text: text.slice(from), start: null, end: null });
  return list;
}

export class Captions {
  #box;
  #shown = "";
  /** @type {{element: HTMLElement, start: number}[]} */
  #words = [];
  /** @type {HTMLElement|null} */
  #current = null;

  /** @param {HTMLElement} box */
  constructor(box) {
    this.#box = box;
  }

  /** @returns {string} the word now marked */
  get word() {
    return this.#current?.textContent ?? "";
  }

  /** @param {number|null} turn @param {import("./player.js").Moment|null} moment */
  show(turn, moment) {
    const shown = moment ? `${turn}/${moment.sentence}/${moment.words.length}` : "";
    if (shown !== this.#shown) {
      this.#shown = shown;
      this.#write(moment ? pieces(moment.text, moment.words) : []);
    }
    if (moment) this.#mark(moment.position);
  }

  /** @param {Piece[]} list */
  #write(list) {
    this.#words = [];
    this.#current = null;
    this.#box.hidden = list.length === 0;
    const line = document.createElement("p");
    for (const piece of list) {
      if (piece.start === null) {
        line.append(piece.text);
        continue;
      }
      const element = document.createElement("span");
      element.textContent = piece.text;
      line.append(element);
      this.#words.push({ element, start: piece.start });
    }
    this.#box.replaceChildren(line);
  }

  /** @param {number} position */
  #mark(position) {
    const current = this.#words.findLast(({ start }) => position >= start)?.element ?? null;
    if (current === this.#current) return;
    this.#current?.classList.remove("now");
    current?.classList.add("now");
    this.#current = current;
    if (current) this.#box.scrollTop = current.offsetTop - this.#box.clientHeight / 2;
  }
}
