/**
 * A slice seen as pieces of equal length.
 *
 * @module
 */
import { Slice } from "./area.ts";
import { wrongKind } from "./arguments.ts";
import { MOST_REQUESTS } from "./engine.ts";

/** How many pieces of a length are in a slice. */
export function piecesIn(slice: Slice, length: number, stride: number): number {
  if (!(slice instanceof Slice)) throw wrongKind("slice", "a Slice", slice);
  if (
    !Number.isSafeInteger(length) || length <= 0 || !Number.isSafeInteger(stride) ||
    stride < length
  ) {
    throw new RangeError(
      `Pieces have a length above 0 and a stride of at least that, got ${length} and ${stride}`,
    );
  }
  const count = slice.length < length ? 0 : Math.floor((slice.length - length) / stride) + 1;
  if (count === 0 || count > MOST_REQUESTS) {
    throw new RangeError(
      `${count} pieces of ${length} bytes are in a slice of ${slice.length}: 1 to ${MOST_REQUESTS}`,
    );
  }
  return count;
}
