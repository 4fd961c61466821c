/** What the user says aloud: shown while it is heard, and the presenter quietened while they speak. */

/** What the page calls the troubles of a microphone. */
const TROUBLES = {
  insecure: "insecure",
  denied: "refused",
  missing: "missing_microphone",
  occupied: "occupied",
  broken: "broken",
  lost: "unplugged",
};
/** An utterance without words is no failure. */
const WORDLESS = new Set(["nothing_heard", "commit_empty"]);
const FAILED = /^(recognizer|detector)_/;

export class Hearing {
  #talk;
  #floor;
  #player;
  #turns;
  #conversation;
  #language;
  /** Whether the user is speaking now. */
  speaking = false;

  /**
   * @param {object} page
   * @param {import("./talk.js").Talk} page.talk
   * @param {import("./floor.js").Floor} page.floor
   * @param {import("./player.js").Player} page.player
   * @param {import("./turns.js").Turns} page.turns
   * @param {import("./conversation.js").Conversation} page.conversation
   * @param {import("./language.js").Language} page.language
   */
  constructor({ talk, floor, player, turns, conversation, language }) {
    this.#talk = talk;
    this.#floor = floor;
    this.#player = player;
    this.#turns = turns;
    this.#conversation = conversation;
    this.#language = language;
    talk.addEventListener("level", ({ detail }) => this.#level(detail));
    talk.addEventListener("change", () => this.#changed());
    talk.addEventListener("trouble", ({ detail }) => conversation.notice(language.say(TROUBLES[detail] ?? "broken")));
  }

  /** Nothing is being said: the connection is a new one, or lost. */
  reset() {
    this.speaking = false;
    this.#conversation.unhear();
    this.#floor.reset();
    this.#player.floor = "open";
  }

  /** @param {any} event of the server's @returns {boolean} whether it is about what the user says */
  take(event) {
    switch (event.type) {
      case "speech_started":
        this.speaking = true;
        return true;
      case "transcript":
        this.#conversation.hear(event);
        return true;
      case "committed":
        this.speaking = false;
        this.#turns.spoke(event.utterance);
        return true;
      case "unheard":
        this.#unheard(event);
        return true;
      case "floor":
        if (event.turn === this.#turns.last) this.#contested(event);
        return true;
      case "speech_stopped":
      case "cleared":
        this.speaking = false;
        return true;
      default:
        return false;
    }
  }

  #unheard({ utterance, code, message }) {
    this.speaking = false;
    this.#turns.unheard(utterance);
    this.#conversation.unhear();
    if (WORDLESS.has(code)) this.#conversation.notice(this.#language.say("unheard"));
    else this.#conversation.notice(FAILED.test(code) ? this.#language.say("deaf") : message);
  }

  /** Somebody speaks while the presenter does. What ends is not let go on first. */
  #contested({ turn, state, reason }) {
    this.#floor.tell(state, reason);
    if (state === "yielded") {
      this.#turns.cut();
      this.#player.stop();
      this.#conversation.note(turn, this.#language.say("stopped"));
    }
    this.#player.floor = this.#floor.state;
  }

  /** How loud it is tells before the server does. */
  #level(decibels) {
    const { state } = this.#player;
    this.#floor.hear(decibels, state === "speaking" || state === "held");
    this.#player.floor = this.#floor.state;
  }

  #changed() {
    const { mode } = this.#talk;
    if (mode !== "off") this.#player.unlock();
    if (mode === "free") return;
    this.speaking = false;
    this.#floor.reset();
    this.#player.floor = "open";
  }
}
