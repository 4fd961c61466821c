/** What was asked and answered, as a list on the page. Words of users and models are only ever text nodes. */

import { place } from "./citations.js";

const NEAR_END = 80;
const SPOKEN_KEPT = 12;

export class Conversation {
  #list;
  #log;
  #language;
  #open;
  /** @type {Map<number, HTMLElement>} */
  #answers = new Map();

  /**
   * @param {HTMLElement} list for the eye @param {HTMLElement} log for screen readers, in whole sentences
   * @param {import("./language.js").Language} language
   * @param {(citation: import("./citations.js").Citation) => void} open
   */
  constructor(list, log, language, open) {
    this.#list = list;
    this.#log = log;
    this.#language = language;
    this.#open = open;
  }

  /** @param {string} text */
  greet(text) {
    if (this.#list.childElementCount === 0) this.#add("answer greeting", text);
    else this.#list.querySelector(".greeting p").textContent = text;
  }

  /** @param {string} text */
  ask(text) {
    this.#add("question", text);
    this.#list.scrollTop = this.#list.scrollHeight;
  }

  /** @param {number} turn @param {string} lang */
  begin(turn, lang) {
    const item = this.#add("answer pending", "");
    item.lang = lang === "zh" ? "zh-CN" : "en";
    this.#answers.set(turn, item);
  }

  /** @param {number} turn @param {string} text a clause, with its spacing */
  append(turn, text) {
    const item = this.#answers.get(turn);
    if (!item) return;
    item.classList.remove("pending");
    item.querySelector("p").append(text);
    this.#follow();
  }

  /** A whole sentence, for screen readers. @param {string} text */
  speak(text) {
    const line = document.createElement("p");
    line.textContent = text;
    this.#log.append(line);
    while (this.#log.childElementCount > SPOKEN_KEPT) this.#log.firstElementChild?.remove();
  }

  /** @param {number} turn @param {import("./citations.js").Citation[]} citations */
  cite(turn, citations) {
    const item = this.#answers.get(turn);
    if (!item || citations.length === 0) return;
    const row = document.createElement("ul");
    row.className = "citations";
    row.setAttribute("aria-label", this.#language.say("sources"));
    for (const [index, citation] of citations.entries()) row.append(this.#chip(index + 1, citation));
    item.append(row);
    this.#follow();
  }

  /** @param {number} turn @param {string} note a remark under the answer */
  note(turn, note) {
    const item = this.#answers.get(turn);
    if (!item) return;
    item.classList.remove("pending");
    item.querySelector(".note")?.remove();
    const line = document.createElement("p");
    line.className = "note";
    line.textContent = note;
    item.append(line);
    this.#follow();
  }

  /** The answer is whole: nothing more is on its way. @param {number} turn */
  settle(turn) {
    const item = this.#answers.get(turn);
    item?.classList.remove("pending");
    if (item && item.querySelector("p").textContent === "") item.querySelector("p").remove();
  }

  /** Something to tell that is about no answer. @param {string} text */
  notice(text) {
    this.#add("notice", text);
    this.speak(text);
  }

  /** Turns of a new connection are numbered anew. */
  forget() {
    this.#answers.clear();
  }

  /** @param {number} number @param {import("./citations.js").Citation} citation */
  #chip(number, citation) {
    const item = document.createElement("li");
    const button = document.createElement("button");
    button.type = "button";
    button.className = "chip";
    const mark = document.createElement("span");
    mark.className = "number";
    mark.textContent = String(number);
    const title = document.createElement("span");
    title.className = "chip-title";
    title.textContent = citation.title;
    button.append(mark, title);
    const where = place(citation, this.#language);
    if (where) {
      const detail = document.createElement("span");
      detail.className = "chip-place";
      detail.textContent = where;
      button.append(detail);
    }
    button.addEventListener("click", () => this.#open(citation));
    item.append(button);
    return item;
  }

  /** @param {string} className @param {string} text */
  #add(className, text) {
    const item = document.createElement("li");
    item.className = className;
    const line = document.createElement("p");
    line.textContent = text;
    item.append(line);
    this.#list.append(item);
    this.#follow();
    return item;
  }

  /** Keeps the end in sight, unless the user has scrolled up to read. */
  #follow() {
    const list = this.#list;
    if (
      list.scrollHeight - list.scrollTop - list.clientHeight <
      NEAR_END + (list.lastElementChild?.clientHeight ?? 0)
    ) {
      list.scrollTop = list.scrollHeight;
    }
  }
}
