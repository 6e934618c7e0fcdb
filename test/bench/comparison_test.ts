import { assertAlmostEquals, assertEquals, assertGreater } from "@std/assert";
import { compareWithC, type Subject, together } from "../../bench/comparison.ts";

/** Sides that take what they are told to, in the order of their runs. */
function subject(c: (run: number) => number, ours: (run: number) => number): Subject {
  let [cRuns, ourRuns] = [0, 0];
  return {
    name: "something",
    unit: "ns",
    rounds: 5,
    c: () => Promise.resolve(c(cRuns++)),
    ours: () => ours(ourRuns++),
  };
}

Deno.test("compareWithC() runs C twice in each round, after one round that only warms up", async () => {
  const { trials } = await compareWithC(subject(() => 100, () => 110));
  const counted = (warmUp: boolean): string[] =>
    trials.filter((trial) => trial.warmUp === warmUp).map(({ factors }) => factors.side).sort();
  assertEquals(counted(true), ["C", "zclab"]);
  assertEquals(counted(false), [...Array(10).fill("C"), ...Array(5).fill("zclab")]);
});

Deno.test("compareWithC() divides ours by C's, and does not count the warm-up", async () => {
  const warm = (value: number) => (run: number) => run === 0 ? 1e6 : value;
  const { c, zclab, ratio, noiseFloor } = await compareWithC(subject(warm(100), warm(110)));
  assertEquals([c, zclab], [100, 110]);
  assertAlmostEquals(ratio.ratio, 1.1, 1e-9);
  assertEquals(ratio.rounds, 5);
  assertEquals([noiseFloor.ratio, noiseFloor.rounds], [1, 5]);
});

Deno.test("The noise floor of compareWithC() is as wide as C varies, whatever ours does", async () => {
  const noisy = (run: number): number => 100 * (1 + (run * 7 % 5) / 10);
  const { noiseFloor } = await compareWithC(subject(noisy, () => 110));
  assertGreater(noiseFloor.high / noiseFloor.low, 1.1);
  const still = await compareWithC(subject(() => 100, noisy));
  assertEquals([still.noiseFloor.low, still.noiseFloor.high], [1, 1]);
});

Deno.test("together() is the geometric mean of the ratios, each with the same weight", async () => {
  const comparisons = [
    await compareWithC(subject(() => 1, () => 2)),
    await compareWithC(subject(() => 1e9, () => 1e9 / 8)),
  ];
  const { ratio, noiseFloor } = together(comparisons);
  assertAlmostEquals(ratio.ratio, 0.5, 1e-9);
  assertAlmostEquals(noiseFloor.ratio, 1, 1e-9);
  assertEquals(ratio.rounds, 5);
});
