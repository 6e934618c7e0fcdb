import { assertEquals, assertThrows } from "@std/assert";
import { SpilledCompletions } from "../../../ffi/ring/spilled_completions.ts";

Deno.test("SpilledCompletions hands out what was set aside, oldest first, while more comes", () => {
  const spilled = new SpilledCompletions();
  const seen: number[] = [];
  let next = 0;
  for (let round = 0; round < 20; round++) {
    for (let i = 0; i < 100; i++) spilled.push(next++, -round, 7);
    for (let i = 0; i < 60; i++) {
      spilled.shift((userData, result, flags) => {
        seen.push(userData);
        assertEquals([result, flags], [-Math.floor(userData / 100), 7]);
      });
    }
    assertEquals(spilled.count, 40 * (round + 1));
  }
  while (!spilled.isEmpty) spilled.shift((userData) => seen.push(userData));
  assertEquals(seen, Array.from({ length: 2000 }, (_, i) => i));
  assertEquals([spilled.count, spilled.isEmpty], [0, true]);
});

Deno.test("SpilledCompletions keeps the 32 bits of each word", () => {
  const spilled = new SpilledCompletions();
  spilled.push(-1, -125, 0x8000_0001 | 0);
  spilled.shift((userData, result, flags) => {
    assertEquals([userData, result, flags], [0xffff_ffff, -125, 0x8000_0001 | 0]);
  });
});

Deno.test("SpilledCompletions forgets a completion before its function runs", () => {
  const spilled = new SpilledCompletions();
  spilled.push(1, 0, 0);
  spilled.push(2, 0, 0);
  const seen: number[] = [];
  assertThrows(
    () =>
      spilled.shift((userData) => {
        seen.push(userData);
        spilled.push(3, 0, 0);
        spilled.shift((inner) => seen.push(inner));
        throw new Error("mine");
      }),
    Error,
    "mine",
  );
  assertEquals([seen, spilled.count], [[1, 2], 1]);
});
