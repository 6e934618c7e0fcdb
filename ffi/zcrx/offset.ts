/**
 * The offset of a piece, as two words: the number of its area, and where in that it starts.
 *
 * @module
 */

const TWO_TO_32 = 2 ** 32;

/** Where in its area the two words of an offset point, in bytes. */
export function offsetIn(low: number, high: number): number {
  return (high & 0xffff) * TWO_TO_32 + (low >>> 0);
}

/** The number of the area in the upper word of an offset. */
export function areaOf(high: number): number {
  return high >>> 16;
}
