import { assert, assertEquals, assertGreater, assertThrows } from "@std/assert";
import { pinThread, threadCpuSeconds, UringError } from "zclab";

/** Which processors this thread may use. */
function allowed(): string {
  const status = Deno.readTextFileSync("/proc/thread-self/status");
  return status.match(/^Cpus_allowed_list:\s*(.*)$/m)![1]!;
}

Deno.test("pinThread keeps the thread on one processor until it is disposed", () => {
  const before = allowed();
  const first = Number(before.match(/\d+/)![0]);
  {
    using _pinned = pinThread(first);
    assertEquals(allowed(), String(first));
  }
  assertEquals(allowed(), before);
});

Deno.test("pinThread says which processors there are when it is given none of them", () => {
  assertThrows(() => pinThread(-1), RangeError);
  assertThrows(() => pinThread(1.5), RangeError);
  assertThrows(() => pinThread(1 << 20), RangeError);
  const error = assertThrows(() => pinThread(8191), UringError, "processor 8191");
  assert(error.advice.includes("Cpus_allowed_list"));
});

Deno.test("threadCpuSeconds grows with work", () => {
  const before = threadCpuSeconds();
  let sum = 0;
  for (let i = 0; i < 20_000_000; i++) sum += i;
  assertGreater(sum, 0);
  assertGreater(threadCpuSeconds(), before);
});
