import { assert, assertEquals, assertNotEquals, assertThrows } from "@std/assert";
import { Random, randomSeed } from "../../../../labs/kit/trials/random.ts";

Deno.test("Random gives the numbers that sfc32 in C gives for the same seed", () => {
  // From a C program with uint32_t arithmetic: state {0, seed, 0, 1}, 12 numbers thrown away.
  const expected = new Map([
    [0, [1363572419, 145230303, 808754475, 4216505632]],
    [1, [2012149540, 1872316204, 1707632675, 1779833415]],
    [42, [1264412219, 1947509147, 3919439299, 1251167922]],
    [4294967295, [1984736529, 3747275468, 1287205723, 2021412065]],
  ]);
  for (const [seed, numbers] of expected) {
    const random = new Random(seed);
    assertEquals(numbers.map(() => random.uint32()), numbers);
  }
});

Deno.test("Random refuses what is no seed", () => {
  for (const seed of [-1, 0.5, 2 ** 32, NaN, "1" as unknown as number]) {
    assertThrows(() => new Random(seed), RangeError, "whole number from 0");
  }
});

Deno.test("Random.next stays in [0, 1) and fills it evenly", () => {
  const random = new Random(3);
  const tenths = new Array<number>(10).fill(0);
  for (let i = 0; i < 100_000; i++) {
    const value = random.next();
    assert(value >= 0 && value < 1);
    tenths[Math.floor(value * 10)]!++;
  }
  for (const count of tenths) assert(Math.abs(count - 10_000) < 400, `${tenths}`);
});

Deno.test("Random.below reaches every number below its limit evenly, also for large limits", () => {
  const random = new Random(5);
  const counts = new Array<number>(7).fill(0);
  for (let i = 0; i < 70_000; i++) counts[random.below(7)]!++;
  for (const count of counts) assert(Math.abs(count - 10_000) < 400, `${counts}`);
  // With a plain remainder the lower half of this limit would come up twice as often.
  const limit = 3 * 2 ** 30;
  let lower = 0;
  for (let i = 0; i < 10_000; i++) if (random.below(limit) < 2 ** 30) lower++;
  assert(Math.abs(lower - 3333) < 200, `${lower}`);
  assertEquals(random.below(1), 0);
  for (const bad of [0, -1, 1.5, 2 ** 32 + 1]) {
    assertThrows(() => random.below(bad), RangeError, "limit");
  }
});

Deno.test("Random.shuffled leaves its argument alone and makes every order equally likely", () => {
  const random = new Random(11);
  const items = ["a", "b", "c"];
  const orders = new Map<string, number>();
  for (let i = 0; i < 6000; i++) {
    const order = random.shuffled(items).join("");
    orders.set(order, (orders.get(order) ?? 0) + 1);
  }
  assertEquals(items, ["a", "b", "c"]);
  assertEquals(orders.size, 6);
  for (const count of orders.values()) assert(Math.abs(count - 1000) < 150, `${[...orders]}`);
  assertEquals(random.shuffled([]), []);
});

Deno.test("Random gives the same order for the same seed and another for another", () => {
  const items = Array.from({ length: 30 }, (_, i) => i);
  assertEquals(new Random(9).shuffled(items), new Random(9).shuffled(items));
  assertNotEquals(new Random(9).shuffled(items), new Random(10).shuffled(items));
});

Deno.test("randomSeed draws seeds that Random takes", () => {
  const seeds = new Set(Array.from({ length: 8 }, randomSeed));
  assert(seeds.size > 1);
  for (const seed of seeds) assertEquals(new Random(seed).seed, seed);
});
