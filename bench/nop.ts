/**
 * NOP: what a request costs beside what it does.
 *
 * @module
 */
import type { Ring } from "zclab";

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
