/**
 * The list of labs.
 *
 * @module
 */
import { busyPoll } from "./busy_poll.ts";
import type { Lab } from "./kit/lab/lab.ts";
import { rxDevmem } from "./rx_devmem.ts";
import { rxHeldPieces } from "./rx_held_pieces.ts";
import { rxToDisk } from "./rx_to_disk.ts";
import { rxZcrx } from "./rx_zcrx.ts";
import { txColdMemory } from "./tx_cold_memory.ts";
import { txCopyVsZc } from "./tx_copy_vs_zc.ts";
import { whereCopies } from "./where_copies.ts";

/** Every lab, the flagship first. */
export const CATALOGUE: readonly Lab[] = [
  txCopyVsZc,
  busyPoll,
  rxZcrx,
  rxHeldPieces,
  rxDevmem,
  rxToDisk,
  whereCopies,
  txColdMemory,
];

export {
  busyPoll,
  rxDevmem,
  rxHeldPieces,
  rxToDisk,
  rxZcrx,
  txColdMemory,
  txCopyVsZc,
  whereCopies,
};
