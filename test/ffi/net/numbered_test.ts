import { assertEquals } from "@std/assert";
import { Numbered } from "../../../ffi/net/numbered.ts";
import { Random } from "../../../labs/kit/trials/random.ts";

const FIRST = 0xffff_ff00;

Deno.test("Numbered gives back what was added, whatever the order, past 2^32", () => {
  const random = new Random(1);
  const numbered = new Numbered<{ id: number }>(FIRST);
  // The model: what is out, by its number.
  const out = new Map<number, { id: number }>();
  let added = 0;
  for (let step = 0; step < 20_000; step++) {
    if (out.size < 600 && random.below(2) === 0) {
      const thing = { id: step };
      const count = 1 + random.below(random.below(10) === 0 ? 700 : 5);
      assertEquals(numbered.next, (FIRST + added) >>> 0);
      numbered.add(thing, count);
      for (let i = 0; i < count; i++) out.set((FIRST + added++) >>> 0, thing);
    } else if (out.size > 0) {
      const first = [...out.keys()][random.below(Math.min(out.size, 50))]!;
      const thing = out.get(first)!;
      const most = 1 + random.below(8);
      let expected = 0;
      while (expected < most && out.get((first + expected) >>> 0) === thing) {
        out.delete((first + expected++) >>> 0);
      }
      assertEquals([numbered.takeRun(first, most), numbered.taken], [expected, thing]);
      assertEquals([numbered.takeRun(first, most), numbered.taken], [0, undefined]);
    }
    assertEquals(numbered.size, out.size);
  }
  for (const [number, thing] of out) {
    assertEquals([numbered.takeRun(number, 1), numbered.taken], [1, thing]);
  }
});

Deno.test("Numbered has nothing under numbers that are not out", () => {
  const numbered = new Numbered<{ id: number }>();
  assertEquals(numbered.takeRun(0, 1), 0);
  numbered.add({ id: 0 });
  for (const number of [1, 255, 256, 0xffff_ffff]) assertEquals(numbered.takeRun(number, 9), 0);
  assertEquals(numbered.takeRun(0, 9), 1);
  assertEquals(numbered.taken, { id: 0 });
});
