/** What was asked and answered, as a list on the page. Words of users and models are only ever text nodes. */

import { place } from "./citations.js";

const NEAR_END = 80;
const SPOKEN_KEPT = 12;
const MESSAGES_KEPT = 100;

/** @typedef {{turn: number, item: HTMLElement, line: HTMLElement}} Answer `line` has its words */

export class Conversation {
  #list;
  #log;
  #language;
  #open;
  /** @type {HTMLElement|null} */
  #greeting = null;
  /** The newest, the only one that still changes. @type {Answer|null} */
  #answer = null;
  /** What the user is saying. @type {{utterance: number, item: HTMLElement}|null} */
  #heard = null;

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
    if (!this.#greeting) {
      this.#greeting = message("answer greeting", "");
      this.#list.prepend(this.#greeting);
    }
    this.#greeting.firstElementChild.textContent = text;
  }

  /** @param {string} text */
  ask(text) {
    this.#add("question", text);
    this.#list.scrollTop = this.#list.scrollHeight;
  }

  /**
   * What was understood of the user so far, in place of what was before.
   * @param {{utterance: number, text: string, lang: string|null, final: boolean}} transcript
   */
  hear({ utterance, text, lang, final }) {
    if (this.#heard?.utterance !== utterance) this.#heard = { utterance, item: this.#add("question", "") };
    const { item } = this.#heard;
    item.classList.toggle("tentative", !final);
    item.lang = lang === "zh" ? "zh-CN" : (lang ?? "");
    item.querySelector("p").textContent = text;
    this.#follow();
    if (!final) return;
    this.#heard = null;
    this.#read(text, item.lang);
  }

  /** It was nothing that the presenter could answer. */
  unhear() {
    this.#heard?.item.remove();
    this.#heard = null;
  }

  /** @param {number} turn @param {string} lang @param {boolean} human a person speaks through the presenter */
  begin(turn, lang, human = false) {
    this.forget();
    const item = this.#add(human ? "answer operator pending" : "answer pending", "");
    if (human) item.dataset.by = this.#language.say("operator");
    item.lang = lang === "zh" ? "zh-CN" : "en";
    this.#answer = { turn, item, line: item.querySelector("p") };
  }

  /** @param {number} turn @param {string} text a clause, with its spacing */
  append(turn, text) {
    const answer = this.#of(turn);
    if (!answer) return;
    answer.item.classList.remove("pending");
    answer.line.append(text);
    this.#follow();
  }

  /** A whole sentence, for screen readers. @param {number} turn @param {string} text */
  speak(turn, text) {
    this.#read(text, this.#of(turn)?.item.lang ?? "");
  }

  /** @param {number} turn @param {import("./citations.js").Citation[]} citations */
  cite(turn, citations) {
    const item = this.#of(turn)?.item;
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
    const item = this.#of(turn)?.item;
    if (!item) return;
    item.classList.remove("pending");
    item.querySelector(".note")?.remove();
    const line = document.createElement("p");
    line.className = "note";
    line.textContent = note;
    item.append(line);
    this.#follow();
  }

  /**
   * The answer failed: says so, unless a note tells more than the answer's own words.
   * @param {number} turn @param {string} note
   */
  fail(turn, note) {
    const answer = this.#of(turn);
    const told = answer?.item.querySelector(".note")?.textContent;
    if (!told || answer.line.textContent.includes(told)) this.note(turn, note);
  }

  /** The documents do not say: there is nothing to cite. @param {number} turn @param {string} note */
  refuse(turn, note) {
    this.#of(turn)?.item.querySelector(".citations")?.remove();
    this.note(turn, note);
  }

  /** The answer is whole: nothing more is on its way. @param {number} turn */
  settle(turn) {
    const answer = this.#of(turn);
    if (!answer) return;
    answer.item.classList.remove("pending");
    answer.line.normalize();
    if (answer.line.textContent === "") answer.line.remove();
  }

  /** Something to tell that is about no answer. @param {string} text @param {string} code of the server's, where it tells */
  notice(text, code = "") {
    const item = this.#add(code ? "notice told" : "notice", text);
    if (code) item.dataset.code = code;
    this.#read(text, "");
  }

  /** @param {string} code @returns {boolean} whether such a notice stands in the list */
  told(code) {
    return this.#list.querySelector(`.told[data-code="${CSS.escape(code)}"]`) !== null;
  }

  /** What was said before this page was opened. @param {{question: string, answer: string}[]} history */
  recall(history) {
    if (this.#list.querySelector(".question, .answer:not(.greeting)")) return;
    for (const { question, answer } of history) {
      if (question) this.#add("question", question);
      if (answer) this.#add("answer", answer);
    }
    this.#list.scrollTop = this.#list.scrollHeight;
  }

  /** The newest answer stays as it is. */
  forget() {
    if (this.#answer) this.settle(this.#answer.turn);
    this.#answer = null;
  }

  /** @param {number} turn @returns {Answer|null} */
  #of(turn) {
    return this.#answer?.turn === turn ? this.#answer : null;
  }

  /** @param {string} text @param {string} lang "" for the page's own */
  #read(text, lang) {
    const line = document.createElement("p");
    line.textContent = text;
    if (lang) line.lang = lang;
    this.#log.append(line);
    while (this.#log.childElementCount > SPOKEN_KEPT) this.#log.firstElementChild?.remove();
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
    const item = message(className, text);
    this.#list.append(item);
    const oldest = this.#greeting ? 1 : 0;
    while (this.#list.childElementCount > MESSAGES_KEPT) this.#list.children[oldest].remove();
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

/** @param {string} className @param {string} text */
function message(className, text) {
  const item = document.createElement("li");
  item.className = className;
  const line = document.createElement("p");
  line.textContent = text;
  item.append(line);
  return item;
}
