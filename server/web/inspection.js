/** What tests and curious people may look at; looking changes nothing. */

/**
 * @param {object} page
 * @param {import("./connection.js").Connection} page.connection
 * @param {import("./turns.js").Turns} page.turns
 * @param {import("./player.js").Player} page.player
 * @param {import("./talk.js").Talk} page.talk
 * @param {import("./microphone.js").Microphone} page.microphone
 * @param {import("./floor.js").Floor} page.floor
 * @param {import("./captions.js").Captions} page.captions
 * @param {() => import("./presenter.js").Presenter|null} page.presenter
 * @param {() => import("./posture.js").Posture} page.doing
 */
export function inspection({ connection, turns, player, talk, microphone, floor, captions, presenter, doing }) {
  return Object.freeze({
    get connection() {
      return connection.state;
    },
    get turn() {
      return turns.last;
    },
    player: Object.freeze({
      get state() {
        return player.state;
      },
      get audio() {
        return player.audio;
      },
      get turn() {
        return player.turn;
      },
      get position() {
        return player.position;
      },
      rms: () => player.rms(),
    }),
    microphone: Object.freeze({
      get mode() {
        return talk.mode;
      },
      get listening() {
        return talk.listening;
      },
      get level() {
        return microphone.level;
      },
      get cancelling() {
        return microphone.cancelling;
      },
      rms: () => microphone.rms(),
    }),
    get floor() {
      return floor.state;
    },
    get mouth() {
      return player.lips;
    },
    get moment() {
      const moment = player.moment();
      return moment && { sentence: moment.sentence, text: moment.text, position: moment.position };
    },
    get caption() {
      return captions.word;
    },
    presenter: Object.freeze({
      get frames() {
        return presenter()?.frames ?? 0;
      },
      get emotion() {
        return presenter()?.emotion ?? null;
      },
      get gesture() {
        return presenter()?.gesture ?? null;
      },
      get posture() {
        return doing();
      },
    }),
  });
}
