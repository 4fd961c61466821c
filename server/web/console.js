/** The operators' desk: who is talking to the presenter, who wants a human, and what an operator does about it. */

import { Connection } from "./console_connection.js";
import { Transcript } from "./console_transcript.js";
import { PROBLEMS, WORDS, Words } from "./console_words.js";

const KEY = "zhubo.operator.key";
const NAME = "zhubo.operator.name";
const NEAR_END = 80;
const MINUTE = 60000;

/** @param {string} id @returns {any} */
const part = (id) => document.getElementById(id);

const words = new Words(navigator.languages);
const connection = new Connection();
/** @type {any[]} */
let sessions = [];
/** @type {string[]} */
let operators = [];
/** The session that is followed. @type {string|null} */
let followed = null;
let transcript = new Transcript();

words.addEventListener("change", redress);
connection.addEventListener("state", connectionChanged);
connection.addEventListener("message", ({ detail }) => receive(detail));
for (const button of part("languages").children)
  button.addEventListener("click", () => {
    words.current = button.value;
  });
part("entry").addEventListener("submit", (event) => {
  event.preventDefault();
  enter(part("name").value.trim(), part("key").value.trim());
});
part("take").addEventListener("click", () => act({ type: "take" }));
part("give").addEventListener("click", () => act({ type: "give" }));
part("withdraw").addEventListener("click", () => act({ type: "whisper", text: "" }));
for (const kind of ["line", "whisper"]) {
  part(kind).addEventListener("submit", (event) => {
    event.preventDefault();
    write(kind);
  });
  part(`${kind}-text`).addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    write(kind);
  });
}
setInterval(list, MINUTE / 2);
redress();
if (sessionStorage.getItem(NAME)) enter(sessionStorage.getItem(NAME), sessionStorage.getItem(KEY) ?? "");
else askWho(null);

/** @param {string|null} name @param {string} key */
function enter(name, key) {
  if (!name) return;
  sessionStorage.setItem(NAME, name);
  sessionStorage.setItem(KEY, key);
  part("entry").hidden = true;
  connection.open(name, key);
}

/** @param {keyof typeof WORDS|null} problem */
function askWho(problem) {
  part("desk").hidden = true;
  part("entry").hidden = false;
  part("entry-problem").hidden = problem === null;
  part("entry-problem").textContent = problem === null ? "" : words.tell(problem);
  part("name").value = sessionStorage.getItem(NAME) ?? "";
  part(part("name").value ? "key" : "name").focus();
}

function connectionChanged() {
  const { state } = connection;
  if (state === "denied") {
    sessionStorage.removeItem(KEY);
    askWho("denied");
  }
  if (state === "open") {
    part("desk").hidden = false;
    if (followed) follow(followed);
  }
  part("status").dataset.state = state;
  part("status-text").textContent = state !== "closed" && state in WORDS ? words.tell(state) : "";
}

function receive(message) {
  if (message.type === "sessions") {
    sessions = message.sessions;
    operators = message.operators;
    list();
  } else if (message.type === "event" && message.session === followed) show(message.event);
  else if (message.type === "closed" && message.session === followed) show({ type: "closed" });
  else if (message.type === "error") problem(message);
}

/** @param {string} id */
async function follow(id) {
  if (followed && followed !== id) connection.ask({ type: "unwatch", session: followed });
  followed = id;
  transcript = new Transcript();
  part("transcript").replaceChildren();
  problem(null);
  list();
  problem(await connection.ask({ type: "watch", session: id }));
}

/** @param {object} request about the session that is followed */
async function act(request) {
  const answer = await connection.ask({ ...request, session: followed });
  problem(answer);
  return answer === null;
}

/** @param {string} kind line or whisper */
async function write(kind) {
  const field = part(`${kind}-text`);
  const text = field.value.trim();
  if (text && (await act({ type: kind, text }))) field.value = "";
  field.focus();
}

/** @param {{code: string, message: string}|null} error */
function problem(error) {
  const word = error && PROBLEMS[error.code];
  part("problem").hidden = error === null;
  part("problem").textContent = error === null ? "" : word ? words.tell(word) : error.message;
}

function list() {
  const wanted = sessions.filter((session) => session.wanted);
  part("sessions").replaceChildren(...sessions.map(item));
  part("none").hidden = sessions.length > 0;
  part("operators").textContent = operators.length ? words.tell("operators", { names: operators.join(", ") }) : "";
  const alert = wanted.length ? words.tell("alert", { count: wanted.length }) : "";
  if (part("alert").textContent !== alert) part("alert").textContent = alert;
  part("alert").hidden = !alert;
  document.title = (wanted.length ? `(${wanted.length}) ` : "") + words.tell("title");
  showSession();
}

function item(session) {
  const row = document.createElement("li");
  const button = document.createElement("button");
  button.type = "button";
  button.classList.toggle("wanted", Boolean(session.wanted));
  button.setAttribute("aria-current", String(session.id === followed));
  button.dataset.session = session.id;
  for (const [style, text] of [
    ["id", `${session.id.slice(0, 6)} · ${session.lang}`],
    ["state", state(session)],
    ["call", session.wanted ? words.tell("call", { reason: words.tell(session.wanted) }) : ""],
  ]) {
    const line = document.createElement("span");
    line.className = style;
    line.textContent = text;
    if (text) button.append(line);
  }
  const focused = document.activeElement?.dataset?.session === session.id;
  button.addEventListener("click", () => follow(session.id));
  row.append(button);
  if (focused) queueMicrotask(() => button.focus());
  return row;
}

function state(session) {
  const name = session.operator ?? "";
  const minutes = Math.max(0, Math.round((Date.now() - Date.parse(session.since)) / MINUTE));
  const now = session.state === "waiting" ? words.tell("waitingUser", { name }) : words.tell(session.state, { name });
  const refusals = session.refusals > 1 ? ` · ${words.tell("refusals", { count: session.refusals })}` : "";
  const away = session.reached ? "" : ` · ${words.tell("away")}`;
  return `${now} · ${words.tell("since", { minutes })}${refusals}${away}`;
}

function showSession() {
  const session = sessions.find(({ id }) => id === followed);
  part("session").hidden = !followed;
  part("choose").hidden = Boolean(followed);
  part("session-name").textContent = followed ? `${words.tell("session")} ${followed.slice(0, 6)}` : "";
  part("session-state").textContent = session ? state(session) : words.tell("closed");
  const mine = session?.operator === sessionStorage.getItem(NAME);
  part("take").hidden = !session || mine;
  part("give").hidden = !mine;
  part("line").hidden = part("whisper").hidden = !session;
  part("whispers").hidden = !session?.whispers;
  part("whispers-count").textContent = session ? words.tell("whispers", { count: session.whispers }) : "";
}

function show(event) {
  const log = part("transcript");
  const near = log.scrollHeight - log.scrollTop - log.clientHeight < NEAR_END;
  for (const entry of transcript.feed(event)) {
    const drawn = log.querySelector(`[data-entry="${entry.id}"]`);
    if (drawn) drawn.lastElementChild.textContent = entry.text;
    else log.append(draw(entry));
  }
  while (log.children.length > transcript.entries.length) log.firstElementChild.remove();
  if (near) log.scrollTop = log.scrollHeight;
}

function draw(entry) {
  const row = document.createElement("li");
  row.className = entry.kind;
  row.dataset.entry = entry.id;
  const by = document.createElement("span");
  by.className = "by";
  const text = document.createElement("span");
  if (entry.kind === "remark") text.textContent = [words.tell(entry.code, entry), entry.text].filter(Boolean).join(": ");
  else text.textContent = entry.text;
  if (entry.kind in WORDS) by.textContent = words.tell(entry.kind);
  row.append(by, text);
  return row;
}

/** Everything that depends on the page's language. */
function redress() {
  words.apply();
  for (const button of part("languages").children)
    button.setAttribute("aria-pressed", String(button.value === words.current));
  part("transcript").replaceChildren(...transcript.entries.map(draw));
  connectionChanged();
  list();
}
