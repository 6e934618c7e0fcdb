/**
 * NOP: what a request costs beside what it does, in batches and awaited one by one.
 *
 * @module
 */
import { Ring } from "zclab";
import { compareWithC, type Comparison } from "./comparison.ts";
import { Reference } from "./reference.ts";
import { pinBoth } from "./same_processor.ts";
import type { Effort } from "./effort.ts";

/** How many operations each run has, and what they may take, as a multiple of C's time. */
const BATCHES = [
  { batch: 1, operations: 400_000, most: 1.25 },
  { batch: 8, operations: 2_000_000, most: 1.10 },
  { batch: 32, operations: 2_000_000, most: 1.10 },
  { batch: 128, operations: 2_000_000, most: 1.10 },
] as const;
const AWAITED = 100_000;
const ENTRIES = 256;

/**
 * Runs NOP operations in batches.
 *
 * @param ring Where.
 * @param batch Operations of a batch.
 * @param operations How many, rounded up to whole batches.
 * @returns Nanoseconds of each.
 */
export function nop(ring: Ring, batch: number, operations: number): number {
  const api = ring.batch;
  const onCompletion = (): void => {};
  const rounds = Math.ceil(operations / batch);
  const start = performance.now();
  for (let round = 0; round < rounds; round++) {
    for (let i = 0; i < batch; i++) api.nop(i);
    api.submitAndWait(batch);
    api.reap(onCompletion);
  }
  return (performance.now() - start) * 1e6 / (rounds * batch);
}

/**
 * Runs NOP operations one after another, each awaited.
 *
 * @param ring Where.
 * @param operations How many.
 * @returns Nanoseconds of each.
 */
export async function nopAwaited(ring: Ring, operations: number): Promise<number> {
  const start = performance.now();
  for (let i = 0; i < operations; i++) await ring.nop();
  return (performance.now() - start) * 1e6 / operations;
}

/** NOPs compared. */
export interface NopComparisons {
  /** In batches of several sizes. */
  readonly nops: readonly Comparison[];
  /** Awaited one by one, against C's one by one. */
  readonly awaited: Comparison;
}

/**
 * Compares NOPs.
 *
 * @param effort How much of it.
 */
export async function compareNops({ rounds, scale, progress }: Effort): Promise<NopComparisons> {
  await using reference = await Reference.start();
  using _pinned = await pinBoth(reference);
  const theirs = async (batch: number, operations: number): Promise<number> =>
    (await reference.nop(batch, operations)).nanoseconds;
  const nops: Comparison[] = [];
  for (const { batch, operations: whole, most } of BATCHES) {
    const name = `nop, batch ${batch}`;
    progress.update(nops.length, BATCHES.length + 1, name);
    using ring = Ring.open({ entries: ENTRIES });
    const operations = Math.round(whole * scale);
    nops.push(
      await compareWithC({
        name,
        unit: "ns",
        bar: { most },
        rounds,
        c: () => theirs(batch, operations),
        ours: () => nop(ring, batch, operations),
      }),
    );
  }
  const name = "nop, awaited";
  progress.update(nops.length, BATCHES.length + 1, name);
  using ring = Ring.open({ entries: ENTRIES });
  const operations = Math.round(AWAITED * scale);
  const awaited = await compareWithC({
    name,
    unit: "ns",
    rounds,
    c: () => theirs(1, operations),
    ours: () => nopAwaited(ring, operations),
  });
  return { nops, awaited };
}
