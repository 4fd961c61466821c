/** What the presenter does with itself now. Pure. */

/** @typedef {"idle"|"listening"|"thinking"|"speaking"} Posture */

/**
 * @param {object} scene
 * @param {boolean} scene.speaking something is being said at this moment
 * @param {boolean} scene.typing words stand in the input, or the user speaks
 * @param {boolean} scene.owed the server owes an answer, or the rest of one
 * @param {Posture|null} scene.told what the server last said of this turn
 * @returns {Posture}
 */
export function posture({ speaking, typing, owed, told }) {
  if (speaking) return "speaking";
  if (typing) return "listening";
  if (!owed) return told === "listening" ? "listening" : "idle";
  return told === "listening" || told === "speaking" ? "listening" : "thinking";
}
