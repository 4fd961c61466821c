/** The WebSocket of protocol zhubo.operator.v1: says who is there, and comes back when it is lost. */

const PROTOCOL = "zhubo.operator.v1";
const FIRST_RETRY_MS = 500;
const SLOWEST_RETRY_MS = 8000;
const PING_MS = 10000;
const PATIENCE_MS = 10000;

/**
 * Dispatches `state`, and `message` (detail: a frame that answers nothing we asked).
 * @typedef {"closed"|"connecting"|"open"|"waiting"|"denied"} State
 */
export class Connection extends EventTarget {
  /** @type {WebSocket|null} */
  #socket = null;
  /** @type {State} */
  #state = "closed";
  /** @type {Map<string, (answer: any) => void>} */
  #asked = new Map();
  #refs = 0;
  #attempts = 0;
  #retry = 0;
  #ping = 0;
  #patience = 0;
  #name = "";
  #key = "";

  get state() {
    return this.#state;
  }

  /** @param {string} name @param {string} key */
  open(name, key) {
    this.#name = name;
    this.#key = key;
    this.#attempts = 0;
    this.#connect();
  }

  /**
   * @param {object} message
   * @returns {Promise<{code: string, message: string}|null>} what went wrong; null: it was done
   */
  ask(message) {
    if (this.#state !== "open") return Promise.resolve({ code: "lost", message: "" });
    const ref = String(++this.#refs);
    this.#send({ ...message, ref });
    return new Promise((resolve) => this.#asked.set(ref, resolve));
  }

  #connect() {
    clearTimeout(this.#retry);
    const url = `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/v1/operator`;
    let socket;
    try {
      socket = new WebSocket(url, [PROTOCOL, ...(this.#key ? [`zhubo.key.${this.#key}`] : [])]);
    } catch {
      this.#become("denied"); // the key has characters that cannot be sent
      return;
    }
    this.#socket = socket;
    this.#become("connecting");
    socket.onopen = () => this.#send({ type: "hello", name: this.#name });
    socket.onmessage = ({ data }) => this.#receive(JSON.parse(data));
    socket.onclose = () => this.#lost(socket);
  }

  #send(message) {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(message));
  }

  #receive(message) {
    clearTimeout(this.#patience);
    const answer = this.#asked.get(message.ref);
    if (message.type === "welcome") {
      this.#attempts = 0;
      this.#ping = setInterval(() => this.#check(), PING_MS);
      this.#become("open");
    } else if (answer) {
      this.#asked.delete(message.ref);
      answer(message.type === "error" ? message : null);
    } else if (message.type !== "pong") this.dispatchEvent(new CustomEvent("message", { detail: message }));
  }

  #check() {
    this.#send({ type: "ping" });
    clearTimeout(this.#patience);
    this.#patience = setTimeout(() => this.#socket && this.#lost(this.#socket), PATIENCE_MS);
  }

  /** @param {WebSocket} socket */
  async #lost(socket) {
    if (socket !== this.#socket) return;
    const admitted = this.#state === "open";
    this.#socket = null;
    clearInterval(this.#ping);
    clearTimeout(this.#patience);
    socket.close();
    for (const answer of this.#asked.values()) answer({ code: "lost", message: "" });
    this.#asked.clear();
    this.#become("waiting");
    if (!admitted && (await this.#denied())) {
      this.#become("denied");
      return;
    }
    const wait = Math.min(SLOWEST_RETRY_MS, FIRST_RETRY_MS * 2 ** this.#attempts++);
    this.#retry = setTimeout(() => this.#connect(), wait);
  }

  /** A browser does not tell why a socket was refused; a plain request with the same key does. */
  async #denied() {
    const headers = this.#key ? { Authorization: `Bearer ${this.#key}` } : {};
    try {
      const response = await fetch("/v1/operator/sessions", { headers, signal: AbortSignal.timeout(PATIENCE_MS) });
      await response.body?.cancel();
      return response.status === 401 || response.status === 403;
    } catch {
      return false;
    }
  }

  /** @param {State} state */
  #become(state) {
    this.#state = state;
    this.dispatchEvent(new Event("state"));
  }
}
