/** The page: wires the connection, the player, the presenter and the conversation together. */

import { Captions } from "./captions.js";
import { Source } from "./citations.js";
import { Connection } from "./connection.js";
import { Conversation } from "./conversation.js";
import { Floor } from "./floor.js";
import { Hearing } from "./hearing.js";
import { Identity } from "./identity.js";
import { inspection } from "./inspection.js";
import { Language } from "./language.js";
import { Microphone } from "./microphone.js";
import { Player } from "./player.js";
import { posture } from "./posture.js";
import { Presenter } from "./presenter.js";
import { Talk } from "./talk.js";
import { TalkButton } from "./talkbutton.js";
import { Turns } from "./turns.js";

const KEY = "zhubo.key";

/** Why the server does not serve us now, by the code of its error: the connection is tried again. */
const WAITING = new Set(["starting", "busy", "unknown_base"]);

/** @param {string} id @returns {any} */
const part = (id) => document.getElementById(id);

const key = rememberedKey();
const language = new Language(navigator.languages);
const player = new Player();
const identity = new Identity(sessionStorage, localStorage);
const address = `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/ws`;
const connection = new Connection(address, key, identity);
const source = new Source(part("source"), language, key);
const conversation = new Conversation(part("messages"), part("log"), language, (citation) => source.open(citation));
const captions = new Captions(part("caption"));
const turns = new Turns();
const floor = new Floor();
const microphone = new Microphone();
const talk = new Talk(microphone, connection);
const talkButton = new TalkButton(
  { button: part("talk"), meter: part("meter"), status: part("hearing-text") },
  talk,
  microphone,
  language,
);
const hearing = new Hearing({ talk, floor, player, turns, conversation, language });
/** @type {any} */
let welcome = null;
/** @type {Presenter|null} */
let presenter = null;
/** One of WAITING. @type {string|null} */
let refusal = null;
/** Whether words stand in the input. */
let drafting = false;
/** Asked when the conversation had ended: for the next one. @type {string|null} */
let unasked = null;
/** Whether a person answers in the presenter's place. */
let attended = false;
/** What the server last said the presenter does. @type {import("./posture.js").Posture|null} */
let told = null;

start();

async function start() {
  language.addEventListener("change", redress);
  redress();
  listen();
  connection.open();
  for (const gesture of ["pointerdown", "keydown"])
    document.addEventListener(gesture, () => player.unlock(), { once: true });
  if (window.matchMedia("(pointer: fine)").matches) part("question").focus();
  const seen = { connection, turns, player, talk, microphone, floor, captions };
  window.zhubo = inspection({ ...seen, presenter: () => presenter, doing: () => doing(player.moment()) });
  try {
    presenter = new Presenter(part("presenter"), await (await fetch("/static/presenter.json")).json());
  } catch {
    conversation.notice(language.say("draw"));
  }
  requestAnimationFrame(frame);
}

function listen() {
  connection.addEventListener("state", connectionChanged);
  connection.addEventListener("event", ({ detail }) => receive(detail));
  connection.addEventListener(
    "sound",
    ({ detail: { turn, sentence, at, pcm } }) => turns.follows(turn) && player.sound(sentence, at, pcm),
  );
  player.addEventListener("heard", ({ detail }) => connection.send({ type: "heard", ...detail }));
  player.addEventListener("change", playerChanged);
  part("composer").addEventListener("submit", (event) => {
    event.preventDefault();
    ask(part("question").value);
  });
  part("question").addEventListener("input", drafted);
  part("stop").addEventListener("click", stop);
  part("call").addEventListener("click", () => connection.send({ type: "call" }));
  part("remember").addEventListener("change", ({ target }) => {
    identity.remembered = target.checked;
    connection.send({ type: "consent", given: target.checked });
  });
  talk.addEventListener("pushed", stop);
  talk.addEventListener("change", service);
  part("unlock").addEventListener("click", () => player.unlock());
  part("mute").addEventListener("click", () =>
    toggle(part("mute"), (on) => {
      player.muted = on;
    }),
  );
  part("captions").addEventListener("click", () =>
    toggle(part("captions"), (on) => {
      part("caption").classList.toggle("off", !on);
    }),
  );
  for (const button of part("languages").children)
    button.addEventListener("click", () => {
      language.current = button.value;
    });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && !event.isComposing && !part("source").open) stop();
  });
}

/** @param {string} words */
function ask(words) {
  const text = words.trim();
  if (text === "") return;
  const limit = welcome?.limits?.question_characters ?? Infinity;
  if (Array.from(text).length > limit) {
    conversation.notice(language.say("tooLong", { count: limit }));
    return;
  }
  if (connection.state === "ended") {
    unasked = text;
    part("question").value = "";
    connection.open();
    return;
  }
  if (connection.state !== "open") {
    const { state } = connection;
    conversation.notice(state === "denied" || state === "malformed" ? language.say(state) : language.say("notSent"));
    return;
  }
  player.unlock();
  stop();
  connection.send({ type: "say", text });
  turns.asked();
  conversation.ask(text);
  part("question").value = "";
  part("suggestions").hidden = true;
  drafted();
  playerChanged();
}

/** Who begins to type while it speaks wants the floor; what begins while one types is said more quietly. */
function drafted() {
  const words = part("question").value.trim() !== "";
  if (words && !drafting && (player.state === "speaking" || player.position > 0)) stop();
  drafting = words;
  player.ducked = words;
}

/** Silence at once; the server hears how much of the turn was heard. */
function stop() {
  const asked = turns.active;
  const turn = turns.cut();
  const stopped = player.stop();
  if (!asked && !stopped) return;
  connection.send({ type: "interrupt", ...(stopped ?? (turn === null ? {} : { turn, heard: 0 })) });
  if (stopped || turn !== null) conversation.note(stopped?.turn ?? turn, language.say("stopped"));
  playerChanged();
}

/** @param {any} event from the server */
function receive(event) {
  if (event.type === "welcome") greet(event);
  else if (event.type === "error" && event.turn === undefined) refused(event);
  else if (event.type === "notice") notice(event);
  else if (event.type === "turn_started") begin(event);
  else if (hearing.take(event)) heard(event);
  else if (event.turn !== undefined && turns.follows(event.turn)) follow(event);
  else if (event.type === "turn_ended") conversation.settle(event.turn);
}

function greet(event) {
  welcome = event;
  hearing.reset();
  talk.connected(Boolean(event.hearing));
  source.base = event.base;
  refusal = null;
  turns.restart();
  conversation.forget();
  if (event.audio) player.rate = event.audio.rate;
  identity.session = event.session;
  attended = false;
  told = null;
  part("remember").checked = identity.remembered;
  redress();
  if (event.resumed) conversation.recall(event.history);
  if (unasked !== null) {
    const text = unasked;
    unasked = null;
    ask(text);
  }
}

/** @param {any} event about what the user says */
function heard(event) {
  if (event.type === "transcript" && event.final) part("suggestions").hidden = true;
  playerChanged();
}

/** Something that the user has to know, or who answers from now on. One that comes with a turn is said by it. */
function notice({ turn, code, message }) {
  if (code === "takeover" || code === "returned") attended = code === "takeover";
  if (turn === 0 && (code !== "ai" || !conversation.told(code))) conversation.notice(message, code);
  service();
}

function begin({ turn, lang, by }) {
  const wanted = turns.started(turn);
  told = null;
  floor.reset();
  if (by === "operator") attended = true;
  conversation.begin(turn, lang, by === "operator");
  service();
  if (wanted) player.begin(turn);
  else {
    conversation.note(turn, language.say("stopped"));
    connection.send({ type: "interrupt", turn, heard: 0 });
  }
  playerChanged();
}

/** @param {any} event of the turn being followed */
function follow(event) {
  const { turn } = event;
  switch (event.type) {
    case "text":
      conversation.append(turn, event.text);
      break;
    case "sentence":
      player.sentence(event);
      conversation.speak(turn, event.text);
      break;
    case "motion":
      player.motion(event);
      break;
    case "caption":
      player.caption(event);
      break;
    case "sentence_ended":
      player.sentenceEnded(event);
      break;
    case "posture":
      told = event.posture;
      break;
    case "citations":
      conversation.cite(turn, event.citations);
      break;
    case "error":
      conversation.note(turn, event.message || language.say("failed"));
      break;
    case "turn_ended":
      ended(event);
      break;
  }
}

function ended({ turn, reason, refused }) {
  turns.ended(turn);
  player.complete();
  conversation.settle(turn);
  if (reason === "failed") conversation.fail(turn, language.say("failed"));
  else if (refused) conversation.refuse(turn, language.say("unsupported"));
  playerChanged();
}

/** An error about no turn: a question that was not taken, or a server that cannot serve yet. */
function refused({ code, message }) {
  if (WAITING.has(code)) {
    refusal = code;
    connectionChanged();
    return;
  }
  turns.refused();
  conversation.notice(message || language.say("trouble"));
  playerChanged();
}

function connectionChanged() {
  const { state: now } = connection;
  if ((now === "waiting" || now === "ended") && welcome) {
    const owed = turns.active;
    const broken = turns.cut();
    if (now === "ended") identity.session = null;
    else player.stop();
    hearing.reset();
    if (now === "ended") talk.off();
    talk.disconnected();
    if (broken !== null) conversation.note(broken, language.say("lost"));
    else if (owed) conversation.notice(language.say("lost"));
    welcome = null;
    playerChanged();
  }
  const trying = connection.state === "connecting" || connection.state === "waiting";
  const state = trying ? (refusal ?? connection.state) : connection.state;
  part("status").dataset.state = state;
  part("status-text").textContent = language.say(state);
  service();
}

/** A person can be asked for where none answers; what may be remembered is the user's to say. */
function service() {
  part("attended").firstElementChild.hidden = !attended;
  part("call").hidden = attended || welcome === null;
  part("remembering").hidden = !welcome?.memory;
  part("talk").hidden = !(Microphone.offered && (welcome?.hearing || talk.mode !== "off"));
}

function playerChanged() {
  const busy = turns.active || player.state !== "idle";
  part("stop").hidden = !busy;
  part("unlock").hidden = !player.blocked;
  part("messages").setAttribute("aria-busy", String(turns.active));
}

/** Everything that depends on the page's language. */
function redress() {
  language.apply(document);
  connectionChanged();
  talkButton.show();
  for (const button of part("languages").children)
    button.setAttribute("aria-pressed", String(button.value === language.current));
  if (!welcome) return;
  const { persona, label } = welcome;
  part("name").textContent = persona.name[language.current];
  part("badge").title = label[language.current];
  part("remembering").title = language.say("remembering");
  conversation.greet(persona.greeting[language.current]);
  part("suggested").replaceChildren(...persona.suggestions[language.current].map(suggestion));
}

/** @param {string} text */
function suggestion(text) {
  const item = document.createElement("li");
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = text;
  button.addEventListener("click", () => ask(text));
  item.append(button);
  return item;
}

/** @param {HTMLElement} button @param {(on: boolean) => void} change */
function toggle(button, change) {
  const on = button.getAttribute("aria-pressed") !== "true";
  button.setAttribute("aria-pressed", String(on));
  change(on);
}

/** @param {number} milliseconds */
function frame(milliseconds) {
  const moment = player.moment();
  presenter?.draw(milliseconds / 1000, {
    moment,
    mouth: player.mouth(),
    playing: player.state !== "idle",
    posture: doing(moment),
  });
  captions.show(player.turn, moment);
  talkButton.draw();
  requestAnimationFrame(frame);
}

/** @param {import("./player.js").Moment|null} moment */
function doing(moment) {
  const typing = part("question").value !== "" || hearing.speaking || player.state === "held";
  return posture({ speaking: moment !== null && player.state !== "held", typing, owed: turns.active, told });
}

/** An operator's key comes as `#key=…`, once; it leaves the address bar and stays with this tab. */
function rememberedKey() {
  const given = new URLSearchParams(location.hash.slice(1).replaceAll("+", "%2B")).get("key");
  if (given !== null) {
    sessionStorage.setItem(KEY, given);
    history.replaceState(null, "", location.pathname + location.search);
  }
  return sessionStorage.getItem(KEY);
}
