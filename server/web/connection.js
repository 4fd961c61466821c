/** The WebSocket of protocol zhubo.v1: says hello, keeps the connection alive, comes back when it is lost. */

const PROTOCOL = "zhubo.v1";
const HEADER_BYTES = 16;
const SOUND = 1;
const USERS_SOUND = Uint8Array.of(2, 0, 0, 0);
/** Of the user's sound, waiting to be sent: a line that is slower loses some. */
const WAITING_BYTES = 128000;
const FIRST_RETRY_MS = 500;
const SLOWEST_RETRY_MS = 15000;
const PING_MS = 15000;
const PATIENCE_MS = 10000;
const DENIED_RETRY_MS = 30000;
/** Close code of a server that has nothing more to say. */
const DONE = 1000;

/**
 * `waiting`: for the next attempt; `denied`: the server does not take the key, asked again now and then;
 * `malformed`: the key has characters that a browser cannot send; `ended`: the server ended the conversation.
 * @typedef {"connecting"|"open"|"waiting"|"denied"|"malformed"|"ended"} State
 */
/** @typedef {{turn: number, sentence: number, at: number, pcm: Int16Array}} Sound */

/**
 * Dispatches `state`, `event` (detail: a JSON event) and `sound` (detail: Sound).
 */
export class Connection extends EventTarget {
  /** @type {WebSocket|null} */
  #socket = null;
  /** @type {State} */
  #state = "connecting";
  #attempts = 0;
  /** Whether the server took the present socket. */
  #admitted = false;
  #url;
  #key;
  #identity;
  #retry = 0;
  #ping = 0;
  #patience = 0;

  /**
   * @param {string} url @param {string|null} key the operator's key, where one is needed
   * @param {import("./identity.js").Identity} identity
   */
  constructor(url, key, identity) {
    super();
    this.#url = url;
    this.#key = key;
    this.#identity = identity;
    window.addEventListener("online", () => this.#socket === null && this.#state !== "ended" && this.open());
  }

  get state() {
    return this.#state;
  }

  open() {
    clearTimeout(this.#retry);
    const protocols = subprotocols(this.#key);
    if (protocols === null) {
      this.#become("malformed");
      return;
    }
    const socket = new WebSocket(this.#url, protocols);
    socket.binaryType = "arraybuffer";
    socket.onopen = () => {
      this.#admitted = true;
      const wishes = { lang: "auto", audio: "pcm", motion: true, captions: true };
      this.send({ type: "hello", protocol: PROTOCOL, ...wishes, ...this.#identity.hello });
    };
    socket.onmessage = ({ data }) => this.#receive(data);
    socket.onclose = ({ code }) => this.#lost(socket, code === DONE && this.#state === "open");
    this.#socket = socket;
    this.#admitted = false;
    if (this.#state !== "denied") this.#become("connecting");
  }

  /** @param {object} message @returns {boolean} whether it was sent */
  send(message) {
    if (this.#socket?.readyState !== WebSocket.OPEN) return false;
    this.#socket.send(JSON.stringify(message));
    return true;
  }

  /** The user's sound. @param {ArrayBuffer} pcm @returns {boolean} whether it was sent */
  sound(pcm) {
    if (this.#socket?.readyState !== WebSocket.OPEN || this.#socket.bufferedAmount > WAITING_BYTES) return false;
    this.#socket.send(soundFrame(pcm));
    return true;
  }

  /** @param {string|ArrayBuffer} data */
  #receive(data) {
    clearTimeout(this.#patience);
    if (typeof data !== "string") {
      const sound = decodeSound(data);
      if (sound) this.dispatchEvent(new CustomEvent("sound", { detail: sound }));
      return;
    }
    const event = JSON.parse(data);
    if (event.type === "welcome") {
      this.#attempts = 0;
      this.#become("open");
      this.#ping = setInterval(() => this.#check(), PING_MS);
    }
    this.dispatchEvent(new CustomEvent("event", { detail: event }));
  }

  #check() {
    this.send({ type: "ping" });
    this.#patience = setTimeout(() => this.#socket && this.#lost(this.#socket), PATIENCE_MS);
  }

  /** @param {WebSocket} socket @param {boolean} done nobody is to call again */
  async #lost(socket, done = false) {
    if (socket !== this.#socket) return;
    this.#socket = null;
    clearInterval(this.#ping);
    clearTimeout(this.#patience);
    socket.close();
    if (done) {
      this.#become("ended");
      return;
    }
    if (this.#state !== "denied") this.#become("waiting");
    const denied = !this.#admitted && (await this.#denied());
    if (this.#socket !== null) return;
    const wait = denied ? DENIED_RETRY_MS : Math.min(SLOWEST_RETRY_MS, FIRST_RETRY_MS * 2 ** this.#attempts);
    this.#attempts += 1;
    clearTimeout(this.#retry);
    this.#retry = setTimeout(() => this.open(), wait * (0.75 + Math.random() / 2));
    if (denied !== (this.#state === "denied")) this.#become(denied ? "denied" : "waiting");
  }

  /** A browser does not tell why a socket was refused; a plain request with the same key does. */
  async #denied() {
    const headers = this.#key ? { Authorization: `Bearer ${this.#key}` } : {};
    try {
      const response = await fetch("/v1/knowledge", { headers, signal: AbortSignal.timeout(PATIENCE_MS) });
      await response.body?.cancel();
      return response.status === 401;
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

/**
 * What the socket offers. A subprotocol is a token of RFC 7230.
 * @param {string|null} key @returns {string[]|null} null for a key that cannot be one
 */
export function subprotocols(key) {
  if (!key) return [PROTOCOL];
  return /^[\w!#$%&'*+.^`|~-]+$/.test(key) ? [PROTOCOL, `zhubo.key.${key}`] : null;
}

/** @param {ArrayBuffer} pcm */
export function soundFrame(pcm) {
  const frame = new Uint8Array(USERS_SOUND.length + pcm.byteLength);
  frame.set(USERS_SOUND);
  frame.set(new Uint8Array(pcm), USERS_SOUND.length);
  return frame;
}

/** @param {ArrayBuffer} data @returns {Sound|null} null for what this client does not know */
export function decodeSound(data) {
  if (data.byteLength < HEADER_BYTES) return null;
  const view = new DataView(data);
  if (view.getUint8(0) !== SOUND) return null;
  const count = Math.floor((data.byteLength - HEADER_BYTES) / 2);
  const pcm = new Int16Array(count);
  for (let i = 0; i < count; i += 1) pcm[i] = view.getInt16(HEADER_BYTES + 2 * i, true);
  return { sentence: view.getUint16(2, true), turn: view.getUint32(4, true), at: view.getFloat32(12, true), pcm };
}
