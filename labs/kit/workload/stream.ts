/**
 * The stream that receivers are tried with: every place in it can be told from every other.
 *
 * Its 32-bit word k (little endian) is (k + 1) × 2654435769 modulo 2^32, so that no two words of a
 * stream of less than 16 GiB are the same. bench/reference sends and expects the same.
 *
 * @module
 */

/** The odd number next to 2^32 divided by the golden ratio. */
const MULTIPLIER = 2654435769 | 0;

/**
 * Fills memory with a part of the stream.
 *
 * @param bytes The memory, in whole words.
 * @param offset Where in the stream its first byte is, in whole words.
 * @throws {RangeError} If one of the two is not in whole words.
 */
export function fillStream(bytes: Uint8Array<ArrayBuffer>, offset = 0): void {
  if (offset % 4 !== 0) throw new RangeError(`The offset must be whole words, got ${offset}`);
  const words = new Int32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
  let word = Math.imul((offset / 4 + 1) | 0, MULTIPLIER);
  for (let k = 0; k < words.length; k++) {
    words[k] = word;
    word = (word + MULTIPLIER) | 0;
  }
}

/**
 * Compares the first and the last 8 bytes of a piece with the stream; of a shorter piece all.
 *
 * @example The stream starts with these bytes
 * ```ts
 * import { assert } from "@std/assert";
 * import { matchesStream } from "zclab/lab";
 *
 * const view = new DataView(new ArrayBuffer(8));
 * view.setUint32(0, 2654435769, true);
 * view.setUint32(4, (2 * 2654435769) % 2 ** 32, true);
 * assert(matchesStream(view, 0, 8, 0));
 * assert(!matchesStream(view, 0, 8, 1));
 * ```
 *
 * @param view The memory.
 * @param at Where the piece starts in it.
 * @param length Its length in bytes.
 * @param offset Where it starts in the stream, less than 2^31.
 * @returns Whether they are the same.
 */
export function matchesStream(view: DataView, at: number, length: number, offset: number): boolean {
  if (length < 8) return matchesWhole(view, at, length, offset);
  const last = length - 8;
  return matchesWords(view, at, offset) && matchesWords(view, at + last, offset + last);
}

function matchesWords(view: DataView, at: number, offset: number): boolean {
  const first = Math.imul((offset >>> 2) + 1, MULTIPLIER);
  const second = (first + MULTIPLIER) | 0;
  const shift = (offset & 3) << 3;
  if (shift === 0) {
    return view.getInt32(at, true) === first && view.getInt32(at + 4, true) === second;
  }
  const third = (second + MULTIPLIER) | 0;
  const rest = 32 - shift;
  return view.getInt32(at, true) === (first >>> shift | second << rest) &&
    view.getInt32(at + 4, true) === (second >>> shift | third << rest);
}

/**
 * Compares every byte of a piece with the stream.
 *
 * @param view The memory.
 * @param at Where the piece starts in it.
 * @param length Its length in bytes.
 * @param offset Where it starts in the stream, less than 2^31.
 * @returns Whether they are the same.
 */
export function matchesWhole(view: DataView, at: number, length: number, offset: number): boolean {
  let i = 0;
  for (; i + 8 <= length; i += 8) {
    if (!matchesWords(view, at + i, offset + i)) return false;
  }
  for (; i < length; i++) {
    const word = Math.imul(((offset + i) >>> 2) + 1, MULTIPLIER);
    if (view.getUint8(at + i) !== ((word >>> (((offset + i) & 3) << 3)) & 0xff)) return false;
  }
  return true;
}
