/**
 * Where memory of this process really is.
 *
 * @module
 */
import { Area } from "./area.ts";
import { checkKind } from "../kernel/arguments.ts";
import { ClosedError, UnsupportedError } from "../kernel/errors.ts";
import { PAGE_SIZE } from "../kernel/memory.ts";

const ENTRY_BYTES = 8;
/** Bits of the upper word of an entry: the page is in memory; and the rest of its frame number. */
const PRESENT = 0x8000_0000;
const FRAME_MASK = 0x7f_ffff;
const TWO_TO_32 = 2 ** 32;

/**
 * The physical pages that an area lies in (`/proc/self/pagemap`): page frame numbers, which are
 * physical addresses divided by 4096. A device that put data there was given the same numbers,
 * where no IOMMU is between. Pages of an area that a {@linkcode ZcrxReceiver} has stay where
 * they are; others may move.
 *
 * @param area The area; of a dma-buf the pages of its memory file.
 * @param offset Where to begin, in bytes; rounded down to a page.
 * @param length How many bytes; to the end of the area by default.
 * @returns A number for each page of 4096 bytes; 0 for one that has no memory yet.
 * @throws {UnsupportedError} Without CAP_SYS_ADMIN over the machine: the kernel then hides them.
 * @throws {RangeError} If the range does not lie inside the area.
 * @throws {ClosedError} If the area is closed.
 *
 * @see https://docs.kernel.org/admin-guide/mm/pagemap.html
 */
export function physicalPages(
  area: Area,
  offset = 0,
  length?: number,
): Float64Array {
  checkKind("area", Area, area);
  length ??= area.bytes - offset;
  if (area.closed) throw new ClosedError("Area");
  if (
    !Number.isSafeInteger(offset) || !Number.isSafeInteger(length) || offset < 0 || length < 0 ||
    offset + length > area.bytes
  ) {
    throw new RangeError(
      `${length} bytes at ${offset} are outside the area of ${area.bytes} bytes`,
    );
  }
  const first = Math.floor((area.address + offset) / PAGE_SIZE);
  const count = Math.ceil((area.address + offset + length) / PAGE_SIZE) - first;
  const bytes = new Uint8Array(count * ENTRY_BYTES);
  using file = Deno.openSync("/proc/self/pagemap");
  file.seekSync(first * ENTRY_BYTES, Deno.SeekMode.Start);
  for (let read = 0; read < bytes.length;) {
    const got = file.readSync(bytes.subarray(read));
    if (got === null) break;
    read += got;
  }
  const words = new Uint32Array(bytes.buffer);
  const pages = new Float64Array(count);
  for (let page = 0; page < count; page++) {
    const upper = words[2 * page + 1]!;
    if ((upper & PRESENT) === 0) continue;
    const frame = (upper & FRAME_MASK) * TWO_TO_32 + words[2 * page]!;
    if (frame === 0) {
      throw new UnsupportedError("Page frame numbers", {
        advice: "Run as real root: the kernel shows them to CAP_SYS_ADMIN only",
      });
    }
    pages[page] = frame;
  }
  return pages;
}
