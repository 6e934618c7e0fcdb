/**
 * What the heap has more after ten million operations.
 *
 * @module
 */
import { Area, Notifier, Ring, Socket, Testbed } from "zclab";
import { nop } from "./nop.ts";

const OPERATIONS = 10_000_000;
/** So many of them, before the heap is looked at first, compile what is compiled as it runs. */
const WARM_UP = OPERATIONS / 20;
/** The part of them that sends; the others are NOPs. */
const SENDS = 0.05;
const PAGE = 4096;
const PORT = 9000;

/**
 * Measures it, garbage taken away.
 *
 * @returns Bytes; below 0 where the heap became smaller.
 * @throws {Error} If garbage cannot be taken away.
 */
export async function heapGrowth(): Promise<number> {
  const { gc } = globalThis as { gc?: () => void };
  if (gc === undefined) throw new Error("Run with --v8-flags=--expose-gc, as deno task bench does");
  await using bed = await Testbed.sink();
  using ring = Ring.open({ entries: 256 });
  using area = Area.map({ bytes: 32 * PAGE });
  using socket = Socket.udp(bed.near).connect(bed.far.address(PORT));
  const chunks = area.chunks(PAGE);
  const notifier = new Notifier(ring);
  const run = (operations: number): void => {
    nop(ring, 128, operations * (1 - SENDS));
    for (let done = 0; done < operations * SENDS; done += chunks.length) {
      for (const chunk of chunks) ring.batch.sendZc(socket, chunk, notifier);
      ring.batch.submitAndWait(chunks.length);
      ring.batch.reap(() => {});
    }
    notifier.flushBlocking();
  };
  run(WARM_UP);
  gc();
  const before = Deno.memoryUsage().heapUsed;
  run(OPERATIONS);
  gc();
  return Deno.memoryUsage().heapUsed - before;
}
