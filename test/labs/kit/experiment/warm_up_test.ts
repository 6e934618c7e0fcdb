import { assert, assertEquals } from "@std/assert";
import { Random } from "../../../../labs/kit/trials/random.ts";
import { isSame, isSteady } from "../../../../labs/kit/experiment/warm_up.ts";
import { normal } from "./simulated_trials.ts";

/** Rounds until steady, at most 30, and what was left of a start that was `off`. */
function warmUp(
  random: Random,
  combinations: number,
  noise: number,
  off: number,
): { rounds: number; left: number } {
  const values: number[][] = Array.from({ length: combinations }, () => []);
  for (let round = 0; round < 30; round++) {
    const shared = noise * normal(random) + off * Math.exp(-round / 3);
    for (const own of values) own.push(100 * Math.exp(shared + noise * normal(random)));
    if (round >= 5 && isSteady(values.map((own) => own.slice(-6)), 0.02)) {
      return { rounds: round + 1, left: off * Math.exp(-(round + 1) / 3) };
    }
  }
  return { rounds: Infinity, left: 0 };
}

function averages(combinations: number, noise: number, off: number): [number, number] {
  const random = new Random(combinations);
  const all = Array.from({ length: 60 }, () => warmUp(random, combinations, noise, off));
  const mean = (of: (one: typeof all[number]) => number): number =>
    all.reduce((sum, one) => sum + of(one), 0) / all.length;
  return [mean((one) => one.rounds), mean((one) => one.left)];
}

Deno.test("what is steady from the start is soon called so, also among many combinations", () => {
  for (const combinations of [2, 8, 48]) {
    const [rounds] = averages(combinations, 0.08, 0);
    assert(rounds < 7.5, `${rounds} rounds with ${combinations} combinations`);
  }
});

Deno.test("what is still coming closer is not called steady before the noise hides it", () => {
  for (const combinations of [2, 8, 48]) {
    const [rounds, left] = averages(combinations, 0.02, 0.5);
    assert(rounds > 9 && rounds < 18, `${rounds} rounds`);
    assert(left < 0.025, `${left} left`);
  }
});

Deno.test("one combination with a trend keeps all of them from being steady", () => {
  const flat = [100, 101, 99, 100, 101, 100];
  const rising = [100, 110, 121, 132, 147, 161];
  assertEquals(isSteady([flat, flat, flat], 0.02), true);
  assertEquals(isSteady([flat, rising, flat], 0.02), false);
  assertEquals(isSteady([rising.toReversed(), flat], 0.02), false);
});

Deno.test("a change below the tolerance is no trend, however regular it is", () => {
  const creeping = [1000, 1003, 1006, 1009, 1012, 1015];
  assertEquals(isSteady([creeping], 0.02), true);
  assertEquals(isSteady([creeping], 0.01), false);
  assertEquals(isSteady([[5, 5, 5, 5]], 0), true);
});

Deno.test("two rounds are the same if three in four of their values are", () => {
  const same = [1000, 1004] as const;
  const off = [1000, 1006] as const;
  assertEquals(isSame([same, [1004, 1000]], 0.005), true);
  assertEquals(isSame([same, off], 0.005), false);
  assertEquals(isSame([same, off], 0.01), true);
  assertEquals(isSame([same, same, off], 0.005), false);
  assertEquals(isSame([same, same, same, off], 0.005), true);
  assertEquals(isSame([...Array(6).fill(same), off, off], 0.005), true);
  assertEquals(isSame([...Array(5).fill(same), off, off], 0.005), false);
});
