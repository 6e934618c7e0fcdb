/**
 * The offset of a piece, as two words: the number of its area, and where in that it starts.
 *
 * @module
 */

const TWO_TO_32 = 2 ** 32;

/** Where in its area the two words of an offset point, in bytes. */
export function offsetIn(low: number, high: number): number {
  const upper = high & 0xffff;
  // An area of 4 GiB or more is rare: the others need no number with a fraction.
  return upper === 0 ? low >>> 0 : upper * TWO_TO_32 + (low >>> 0);
}

/** The number of the area in the upper word of an offset. */
export function areaOf(high: number): number {
  return high >>> 16;
}
