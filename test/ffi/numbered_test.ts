import { assertEquals } from "@std/assert";
import { Random } from "../../labs/kit/random.ts";
import { Numbered } from "../../ffi/numbered.ts";

Deno.test("Numbered gives back what was added, whatever the order, past 2^32", () => {
  const random = new Random(1);
  const numbered = new Numbered<{ id: number }>(0xffff_ff00);
  const out: number[] = [];
  let added = 0;
  for (let step = 0; step < 20_000; step++) {
    if (out.length < 600 && random.below(2) === 0) {
      assertEquals(numbered.next, (0xffff_ff00 + added) >>> 0);
      out.push(numbered.next);
      numbered.add({ id: added++ });
    } else if (out.length > 0) {
      const [number] = out.splice(random.below(out.length), 1);
      assertEquals(numbered.take(number!)?.id, (number! - 0xffff_ff00) >>> 0);
      assertEquals(numbered.take(number!), undefined);
    }
  }
  for (const number of out) assertEquals(numbered.take(number)?.id, (number - 0xffff_ff00) >>> 0);
});

Deno.test("Numbered has nothing under numbers that are not out", () => {
  const numbered = new Numbered<{ id: number }>();
  assertEquals(numbered.take(0), undefined);
  numbered.add({ id: 0 });
  for (const number of [1, 255, 256, 0xffff_ffff]) assertEquals(numbered.take(number), undefined);
  assertEquals(numbered.take(0), { id: 0 });
});
