/** What a body does by itself: it breathes, blinks, sways and looks about. Pure but for the dice it is given. */

const BLINK_SECONDS = 0.19;
const SOON = 0.28;

export class Idle {
  #dice;
  #blinkAt = 1.5;
  #glanceAt = 2;
  #glance = [0, 0];
  #gaze = [0, 0];

  /** @param {() => number} dice numbers from 0 to 1 */
  constructor(dice = Math.random) {
    this.#dice = dice;
  }

  /**
   * @param {number} time seconds, ascending
   * @param {number} step seconds since the last call
   * @param {number} liveliness of the head: about 1 at rest, more while speaking
   * @returns {import("./rig.js").Channels}
   */
  channels(time, step, liveliness) {
    this.#look(time, step);
    return {
      lids: this.#blink(time),
      gaze_x: this.#gaze[0],
      gaze_y: this.#gaze[1],
      breath: Math.sin(time * 1.5),
      yaw: liveliness * (0.34 * Math.sin(time * 0.53) + 0.16 * Math.sin(time * 1.31 + 1)),
      pitch: liveliness * (0.2 * Math.sin(time * 0.47 + 2) + 0.1 * Math.sin(time * 1.13)),
      roll: liveliness * (0.9 * Math.sin(time * 0.41 + 1) + 0.4 * Math.sin(time * 0.97)),
      lean: 0.35 * Math.sin(time * 0.29),
    };
  }

  /** @returns {number} 0 open to 1 closed */
  #blink(time) {
    const since = time - this.#blinkAt;
    if (since < 0) return 0;
    if (since > BLINK_SECONDS) {
      const again = this.#dice() < 0.14;
      this.#blinkAt = time + (again ? SOON : 2.2 + 3.3 * this.#dice());
      return 0;
    }
    return Math.sin((Math.PI * since) / BLINK_SECONDS) ** 0.7;
  }

  /** Small jumps of the gaze, as eyes make. */
  #look(time, step) {
    if (time >= this.#glanceAt) {
      this.#glanceAt = time + 1.4 + 2.6 * this.#dice();
      const away = this.#dice() < 0.3 ? 0.4 : 0.12;
      this.#glance = [away * (2 * this.#dice() - 1), away * 0.6 * (2 * this.#dice() - 1)];
    }
    const follow = 1 - Math.exp(-step * 28);
    this.#gaze = this.#gaze.map((value, axis) => value + (this.#glance[axis] - value) * follow);
  }
}
