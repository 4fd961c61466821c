/** Who this tab is to the server: the session it goes on with, and the secret by which its user is known again. */

const SESSION = "zhubo.session";
const USER = "zhubo.user";

export class Identity {
  #tab;
  #browser;

  /**
   * @param {Storage} tab forgets with the tab @param {Storage} browser keeps what the user agreed to
   * @param {() => string} secret makes a new one
   */
  constructor(tab, browser, secret = random) {
    this.#tab = tab;
    this.#browser = browser;
    if (!this.#user) tab.setItem(USER, secret());
  }

  /** @returns {{resume?: string, user: string}} what the hello says of us */
  get hello() {
    const session = this.#tab.getItem(SESSION);
    return { ...(session ? { resume: session } : {}), user: this.#user };
  }

  /** @returns {boolean} whether the user wants to be known again after this tab */
  get remembered() {
    return this.#browser.getItem(USER) !== null;
  }

  set remembered(wanted) {
    if (wanted) this.#browser.setItem(USER, this.#user);
    else {
      this.#tab.setItem(USER, this.#user);
      this.#browser.removeItem(USER);
    }
  }

  /** @param {string|null} id the session to go on with when the connection is made again; null for a new one */
  set session(id) {
    if (id === null) this.#tab.removeItem(SESSION);
    else this.#tab.setItem(SESSION, id);
  }

  get #user() {
    return this.#browser.getItem(USER) ?? this.#tab.getItem(USER) ?? "";
  }
}

/** @returns {string} 128 bits; `randomUUID` is not there on a page without TLS */
function random() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
