/**
 * The part of the bench about sending, and what comes with it: NOPs, the heap, the REPL.
 *
 * @module
 */
import type { Comparison } from "./comparison.ts";
import type { Effort } from "./effort.ts";
import { heapGrowth } from "./heap.ts";
import { compareNops, type NopComparisons } from "./nop.ts";
import { replStart } from "./repl_start.ts";
import { compareSends } from "./send.ts";

/** What came out. */
export interface TransmitResult extends NopComparisons {
  readonly sends: readonly Comparison[];
  /** Over ten million operations. */
  readonly heapGrowthBytes: number;
  /** From starting the REPL to its first answer. */
  readonly replMilliseconds: number;
}

/**
 * Measures all of it.
 *
 * @param effort How much of it.
 */
export async function measureTransmit(effort: Effort): Promise<TransmitResult> {
  const nops = await compareNops(effort);
  const sends = await compareSends(effort);
  effort.progress.update(1, 1, "heap, REPL");
  return {
    ...nops,
    sends,
    heapGrowthBytes: await heapGrowth(),
    replMilliseconds: await replStart(),
  };
}
