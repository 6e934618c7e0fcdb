/**
 * The third witness of zero copy on receive: the page that the program reads is the page that the NIC
 * wrote.
 *
 * @module
 */
import type { Area } from "../../../ffi/memory/area.ts";
import { physicalPages } from "../../../ffi/memory/physical_pages.ts";
import type { Placement } from "./softnic.ts";

const PAGE_SIZE = 4096;

/** What comparing pages showed. */
export type PageProof = {
  /** Whether every piece was read, from its first byte to its last, where the NIC placed data. */
  readonly same: boolean;
  /** Pages in which the program found what it received. */
  readonly read: number;
  /** Pages into which the NIC placed data: more where TCP sent something again. */
  readonly placed: number;
};

/**
 * Compares the physical addresses at which a program found what it received with those at which the
 * NIC's driver placed it. The program's come from `/proc/self/pagemap`, the driver's are the DMA
 * addresses that it gave the NIC: nobody between them says that they are the same.
 *
 * @param area Where the program received to; of a dma-buf its memory.
 * @param pieces What it received: places in the area, in bytes.
 * @param placements Where the NIC placed data in the same time.
 * @returns What it showed.
 * @throws {UnsupportedError} Without CAP_SYS_ADMIN over the machine.
 */
export function comparePages(
  area: Area,
  pieces: readonly { readonly offset: number; readonly length: number }[],
  placements: readonly Placement[],
): PageProof {
  const frames = physicalPages(area);
  const placed = new Map<number, Placement[]>();
  for (const placement of placements) {
    for (const page of pagesOf(placement.address, placement.length)) {
      const others = placed.get(page);
      if (others === undefined) placed.set(page, [placement]);
      else others.push(placement);
    }
  }
  const wasPlaced = (at: number): boolean => {
    const frame = frames[Math.floor(at / PAGE_SIZE)]!;
    const physical = frame * PAGE_SIZE + at % PAGE_SIZE;
    return placed.get(frame)?.some(({ address, length }) =>
      address <= physical && physical < address + length
    ) ?? false;
  };
  const read = new Set<number>();
  let same = pieces.length > 0;
  for (const { offset, length } of pieces) {
    same &&= wasPlaced(offset) && wasPlaced(offset + length - 1);
    for (const page of pagesOf(offset, length)) {
      read.add(frames[page]!);
      same &&= placed.has(frames[page]!);
    }
  }
  return { same, read: read.size, placed: placed.size };
}

/** The numbers of the pages that a range touches. */
function* pagesOf(start: number, length: number): Iterable<number> {
  const last = Math.floor((start + length - 1) / PAGE_SIZE);
  for (let page = Math.floor(start / PAGE_SIZE); page <= last; page++) yield page;
}
