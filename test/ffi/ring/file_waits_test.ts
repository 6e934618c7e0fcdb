import { assertEquals } from "@std/assert";
import { FileWaits } from "../../../ffi/ring/file_waits.ts";

/** An event that never comes. */
function never(): Promise<void> {
  return new Promise(() => {});
}

Deno.test("FileWaits.cancel() ends the waits on behalf of one file and counts them", async () => {
  const waits = new FileWaits();
  const [first, second] = [waits.waitFor(never(), 5), waits.waitFor(never(), 5)];
  const event = Promise.withResolvers<void>();
  const other = waits.waitFor(event.promise, 6);
  assertEquals([waits.cancel(5), waits.cancel(5), waits.cancel(7)], [2, 0, 0]);
  assertEquals(await Promise.all([first, second]), [true, true]);
  event.resolve();
  assertEquals(await other, false);
  // Its wait is over: there is nothing to cancel any more.
  assertEquals(waits.cancel(6), 0);
});

Deno.test("FileWaits.close() ends every wait, and later ones at once", async () => {
  const waits = new FileWaits();
  const all = [waits.waitFor(never(), 1), waits.waitFor(never(), 2)];
  waits.close();
  assertEquals(await Promise.all([...all, waits.waitFor(never(), 1)]), [false, false, false]);
});
