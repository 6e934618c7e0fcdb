/**
 * A slice seen as pieces of equal length.
 *
 * @module
 */
import { Slice } from "./area.ts";
import { wrongKind } from "../kernel/arguments.ts";

/** Pieces at most: a ring numbers the requests that share a slot with 16 bits. */
export const MOST_PIECES = 65_536;

/**
 * How many pieces of a length a slice is sent in.
 *
 * @param stride From the start of one piece to the start of the next. Pieces may overlap, or be the
 *   same again and again, only if it is said how many they are.
 * @param wanted How many; all that the slice has by default.
 */
export function piecesIn(slice: Slice, length: number, stride: number, wanted?: number): number {
  if (!(slice instanceof Slice)) throw wrongKind("slice", "a Slice", slice);
  const least = wanted === undefined ? length : 0;
  const isLength = Number.isSafeInteger(length) && length > 0;
  if (!isLength || !Number.isSafeInteger(stride) || stride < least) {
    throw new RangeError(
      `Pieces have a length above 0 and a stride of at least that, or of at least 0 where it is ` +
        `said how many they are, got ${length} and ${stride}`,
    );
  }
  const room = slice.length - length;
  const fits = room < 0 ? 0 : stride === 0 ? Infinity : Math.floor(room / stride) + 1;
  const count = wanted ?? fits;
  if (!Number.isInteger(count) || count < 1 || count > Math.min(fits, MOST_PIECES)) {
    throw new RangeError(
      `${count} pieces of ${length} bytes, ${stride} apart, are in a slice of ${slice.length}: ` +
        `1 to ${MOST_PIECES}`,
    );
  }
  return count;
}
