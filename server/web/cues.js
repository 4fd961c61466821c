/** Which of a sentence's timed cues holds at a moment. Pure. */

/**
 * @param {[number, ...any][]} list seconds first, ascending
 * @param {number} position seconds on the cues' clock
 * @returns {number} index of the last cue whose moment has come, or -1
 */
export function latest(list, position) {
  let low = 0;
  let high = list.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (list[middle][0] <= position) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
