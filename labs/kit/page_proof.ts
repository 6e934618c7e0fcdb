/**
 * The third sign of zero copy on receive: the page that the program reads is the page that the NIC
 * wrote.
 *
 * @module
 */
import type { Area } from "../../ffi/area.ts";
import { physicalPages } from "../../ffi/physical_pages.ts";
import type { Placement } from "./softnic.ts";

const PAGE_SIZE = 4096;

/** What comparing pages showed. */
export type PageProof = {
  /** Whether they are the same pages, and there are any. */
  readonly same: boolean;
  /** Pages in which the program found what it received. */
  readonly read: number;
  /** Pages into which the NIC placed data. */
  readonly placed: number;
};

/**
 * Compares the physical pages in which a program found what it received with those into which the
 * NIC's driver placed it. The program's come from `/proc/self/pagemap`, the driver's are the DMA
 * addresses that it gave the NIC: nobody between them says that they are the same.
 *
 * @param area Where the program received to; a page of 4096 bytes has one physical address.
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
  const read = new Set<number>();
  for (const { offset, length } of pieces) {
    for (const page of pagesOf(offset, length)) read.add(frames[page]!);
  }
  const placed = new Set<number>();
  for (const { address, length } of placements) {
    for (const page of pagesOf(address, length)) placed.add(page);
  }
  return {
    same: read.size > 0 && read.size === placed.size && read.isSubsetOf(placed),
    read: read.size,
    placed: placed.size,
  };
}

function* pagesOf(start: number, length: number): Iterable<number> {
  const last = Math.floor((start + length - 1) / PAGE_SIZE);
  for (let page = Math.floor(start / PAGE_SIZE); page <= last; page++) yield page;
}
