import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import {
  cross,
  experiment,
  type Measures,
  type Trial,
} from "../../../../labs/kit/experiment/experiment.ts";
import { Random } from "../../../../labs/kit/trials/random.ts";
import {
  compare,
  crossover,
  medianInterval,
  noiseFloor,
  pairedRatio,
  type Ratio,
  verdict,
} from "../../../../labs/kit/statistics/statistics.ts";

/** A normal number (Box and Muller), from the seeded generator. */
function normal(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random.next())) * Math.cos(2 * Math.PI * random.next());
}

/** Rounds of trials with multiplicative noise, part of it shared by the round. */
function simulated(
  random: Random,
  rounds: number,
  { effect = 1, noise = 0.15, shared = 0.15 } = {},
): Trial<{ mode: string }>[] {
  const trials: Trial<{ mode: string }>[] = [];
  const add = (round: number, mode: string, control: boolean, rate: number): void => {
    const measures: Measures = { rate };
    const startedAt = "2026-01-01T00:00:00.000Z";
    const factors = { mode };
    const order = 0;
    trials.push({ round, order, warmUp: false, control, factors, measures, startedAt, seconds: 1 });
  };
  for (let round = 0; round < rounds; round++) {
    const common = shared * normal(random);
    const rate = (): number => 1e5 * Math.exp(common + noise * normal(random));
    add(round, "copy", false, rate());
    add(round, "copy", true, rate());
    add(round, "zc", false, effect * rate());
  }
  return trials;
}

const OF_ZC = { measure: "rate", of: { mode: "zc" }, against: { mode: "copy" } } as const;

Deno.test("medianInterval of few values is their range", () => {
  assertEquals(medianInterval([5]), { median: 5, low: 5, high: 5, count: 1 });
  assertEquals(medianInterval([4, 1, 3, 2, 5]), { median: 3, low: 1, high: 5, count: 5 });
  assertEquals(medianInterval([1, 4]).median, 2.5);
});

Deno.test("medianInterval leaves its argument alone and depends on its seed only", () => {
  const values = Array.from({ length: 25 }, (_, i) => (i * 7) % 25);
  const copy = [...values];
  const first = medianInterval(values, { seed: 3 });
  assertEquals(values, copy);
  assertEquals(medianInterval(values, { seed: 3 }), first);
  assert(first.low > 0 && first.high < 24 && first.low <= 12 && first.high >= 12);
});

Deno.test("medianInterval refuses what has no median", () => {
  assertThrows(() => medianInterval([]), RangeError, "at least one");
  assertThrows(() => medianInterval([1, NaN]), RangeError, "finite");
  assertThrows(() => medianInterval([1], { resamples: 5 }), RangeError, "resamples");
  assertThrows(() => medianInterval([1], { seed: -5 }), RangeError, "seed");
});

Deno.test("medianInterval holds the true median about as often as documented", () => {
  const random = new Random(21);
  for (const [count, least, most] of [[3, 0.7, 0.8], [5, 0.91, 0.965], [15, 0.92, 0.98]] as const) {
    let held = 0;
    for (let i = 0; i < 500; i++) {
      const values = Array.from({ length: count }, () => 10 + normal(random));
      const { low, high } = medianInterval(values, { resamples: 500 });
      if (low <= 10 && high >= 10) held++;
    }
    assert(held / 500 >= least && held / 500 <= most, `${count} values: ${held} of 500`);
  }
});

Deno.test("pairedRatio is the geometric mean and does not see what a round shares", () => {
  const shared = [1, 10, 0.1, 5, 2];
  const { ratio, low, high, rounds } = pairedRatio(shared.map((v) => 2 * v), shared);
  assertAlmostEquals(ratio, 2, 1e-12);
  assertAlmostEquals(low, 2, 1e-12);
  assertAlmostEquals(high, 2, 1e-12);
  assertEquals(rounds, 5);
  assertAlmostEquals(pairedRatio([2, 8], [1, 1]).ratio, 4, 1e-12);
});

Deno.test("pairedRatio the other way round is the reciprocal", () => {
  const of = [110, 125, 119, 131, 102];
  const against = [100, 103, 99, 108, 101];
  const there = pairedRatio(of, against, { resamples: 20_000 });
  const back = pairedRatio(against, of, { resamples: 20_000 });
  assertAlmostEquals(there.ratio * back.ratio, 1, 1e-12);
  assertAlmostEquals(there.low * back.high, 1, 0.01);
  assert(there.low < there.ratio && there.ratio < there.high);
});

Deno.test("pairedRatio comes close to Student's interval where that is exact", () => {
  // Logarithms of the ratios: mean 0.2, standard deviation 0.1, n = 5, t(0.975, 4) = 2.776.
  const logarithms = [-1.2649, -0.6325, 0, 0.6325, 1.2649].map((z) => 0.2 + 0.1 * z);
  const { low, high } = pairedRatio(logarithms.map(Math.exp), logarithms.map(() => 1));
  const half = 2.776 * 0.1 / Math.sqrt(5);
  assertAlmostEquals(Math.log(low), 0.2 - half, 0.015);
  assertAlmostEquals(Math.log(high), 0.2 + half, 0.015);
});

Deno.test("pairedRatio holds the true ratio in about 95 % of simulated experiments", () => {
  const random = new Random(8);
  for (const rounds of [3, 5, 7, 9]) {
    let held = 0;
    for (let i = 0; i < 400; i++) {
      const trials = simulated(random, rounds, { effect: 1.2 });
      const { low, high } = compare(trials, { ...OF_ZC, resamples: 1000 })!;
      if (low <= 1.2 && high >= 1.2) held++;
    }
    assert(held >= 368 && held <= 394, `${rounds} rounds: ${held} of 400`);
  }
});

Deno.test("pairedRatio refuses what has no ratio", () => {
  assertThrows(() => pairedRatio([1], [1]), RangeError, "two rounds");
  assertThrows(() => pairedRatio([1, 2], [1]), RangeError, "2 of one, 1 of the other");
  assertThrows(() => pairedRatio([1, 0], [1, 1]), RangeError, "not 0");
  assertThrows(() => pairedRatio([1, 2], [1, Infinity]), RangeError, "not Infinity");
});

Deno.test("compare and noiseFloor take trials of their rounds, without warm-up and controls", async () => {
  const { trials } = await experiment({
    factors: cross({ payload: [600, 4000], mode: ["copy", "zc"] }),
    control: { mode: "copy" },
    repeats: 3,
    warmUp: 2,
    seed: 4,
    trial({ payload, mode }, { round, warmUp }): Measures {
      if (warmUp) return { rate: 1, label: "x" };
      const rate = payload * (round + 1) * (mode === "zc" ? 3 : 1);
      return { rate, label: "x", missing: round === 2 ? null : rate };
    },
  });
  const of = { payload: 600, mode: "zc" } as const;
  const against = { payload: 600, mode: "copy" } as const;
  const { ratio, rounds } = compare(trials, { measure: "rate", of, against })!;
  assertAlmostEquals(ratio, 3, 1e-9);
  assertEquals(rounds, 3);
  const floor = noiseFloor(trials, { measure: "rate", at: { payload: 4000 } });
  assertEquals(floor, { ratio: 1, low: 1, high: 1, rounds: 3 });
  assertEquals(compare(trials, { measure: "missing", of, against })!.rounds, 2);

  assertThrows(() => noiseFloor(trials, { measure: "rate" }), RangeError, "Several combinations");
  assertThrows(
    () => compare(trials, { measure: "rate", of: { mode: "zc" }, against }),
    RangeError,
    "mode zc",
  );
  assertThrows(
    () => compare(trials, { measure: "rate", of: { mode: "none" as "zc" }, against }),
    RangeError,
    "No trial has mode none",
  );
  assertThrows(() => compare(trials, { measure: "label", of, against }), TypeError, "label");
  assertThrows(() => compare(trials, { measure: "speed", of, against }), TypeError, "rate, label");
});

Deno.test("compare says undefined when too few rounds have both", () => {
  const trials = simulated(new Random(1), 1);
  assertEquals(compare(trials, OF_ZC), undefined);
  assertEquals(compare(trials.slice(0, 0), OF_ZC), undefined);
  assertEquals(compare(trials.slice(0, 1), OF_ZC), undefined);
  assertEquals(noiseFloor(trials, { measure: "rate" }), undefined);
  const withoutControl = simulated(new Random(1), 5).filter((trial) => !trial.control);
  assertEquals(noiseFloor(withoutControl, { measure: "rate" }), undefined);
});

Deno.test("verdict calls few comparisons of a thing with itself different", () => {
  const random = new Random(2022);
  for (const rounds of [3, 5, 9]) {
    let byInterval = 0;
    let called = 0;
    for (let i = 0; i < 400; i++) {
      const trials = simulated(random, rounds);
      const comparison = compare(trials, { ...OF_ZC, resamples: 1000 })!;
      const floor = noiseFloor(trials, { measure: "rate", resamples: 1000 });
      if (comparison.low > 1 || comparison.high < 1) byInterval++;
      if (verdict(comparison, floor, { subject: "zc" }).difference !== "none") called++;
    }
    assert(byInterval <= 32, `${rounds} rounds: ${byInterval} of 400 intervals exclude 1`);
    assert(called <= 20, `${rounds} rounds: ${called} of 400 called different`);
  }
});

Deno.test("verdict sees an effect that is well above the noise", () => {
  const random = new Random(1991);
  let called = 0;
  for (let i = 0; i < 200; i++) {
    const trials = simulated(random, 7, { effect: 1.3, noise: 0.05 });
    const comparison = compare(trials, { ...OF_ZC, resamples: 500 })!;
    const floor = noiseFloor(trials, { measure: "rate", resamples: 500 });
    if (verdict(comparison, floor, { subject: "zc" }).difference === "higher") called++;
  }
  assert(called >= 190, `${called} of 200`);
});

const FLOOR: Ratio = { ratio: 0.99, low: 0.95, high: 1.04, rounds: 5 };

function ratioOf(ratio: number, low: number, high: number): Ratio {
  return { ratio, low, high, rounds: 5 };
}

Deno.test("verdict says in words what was seen", () => {
  const say = (comparison: Ratio, floor: Ratio | undefined = FLOOR): string =>
    verdict(comparison, floor, { subject: "zc" }).text;
  assertEquals(say(ratioOf(1.21, 1.17, 1.26)), "zc is 21 % faster, 95 % interval 17 to 26 %");
  assertEquals(say(ratioOf(0.8, 0.75, 0.86)), "zc is 20 % slower, 95 % interval 14 to 25 %");
  assertEquals(say(ratioOf(1.1, 0.9, 1.35)), "no difference seen; this run could have seen 23 %");
  assertEquals(
    say(ratioOf(1.1, 0.01, 121)),
    "no difference seen; this run could not have seen even a tenfold one",
  );
  // The interval excludes 1, but half the width of the floor's interval is 4.6 %.
  assertEquals(
    say(ratioOf(1.04, 1.03, 1.05)),
    "no difference seen; this run could have seen 4.6 %",
  );
  // A baseline that differs from itself by 6 % is no measure for 4 %, however narrow its interval.
  const shifted = ratioOf(1.06, 1.05, 1.07);
  assertEquals(
    say(ratioOf(1.04, 1.03, 1.05), shifted),
    "no difference seen; this run could have seen 6 %",
  );
  const cheaper = verdict(ratioOf(0.6, 0.5, 0.7), FLOOR, {
    subject: "CPU time of zc",
    higher: "higher",
    lower: "lower",
  });
  assertEquals(cheaper.text, "CPU time of zc is 40 % lower, 95 % interval 30 to 50 %");
  assertEquals(cheaper.difference, "lower");
});

Deno.test("verdict says when no noise floor was measured", () => {
  const { text, difference } = verdict(ratioOf(1.04, 1.03, 1.05), undefined, { subject: "zc" });
  assertEquals(difference, "higher");
  assertEquals(text, "zc is 4 % faster, 95 % interval 3 to 5 % (noise floor not measured)");
});

Deno.test("crossover is the payload from which on every larger one is faster", () => {
  const faster = ratioOf(1.3, 1.2, 1.4);
  const slower = ratioOf(0.8, 0.7, 0.9);
  const unclear = ratioOf(1.05, 0.9, 1.2);
  const rows = (comparisons: Ratio[]): { payload: number; comparison: Ratio }[] =>
    comparisons.map((comparison, i) => ({ payload: [600, 1200, 4000, 8000][i]!, comparison }));

  const found = crossover(rows([slower, slower, faster, faster]).reverse())!;
  assertEquals([found.payload, found.above], [4000, 1200]);
  // ln 0.8 = -0.2231, ln 1.3 = 0.2624: 46 % of the way from 1200 to 4000, on a logarithmic axis.
  assertAlmostEquals(found.estimate!, 1200 * (4000 / 1200) ** (0.2231 / 0.4855), 2);

  assertEquals(crossover(rows([slower, unclear, faster, faster])), { payload: 4000, above: 1200 });
  assertEquals(crossover(rows([faster, slower, unclear, faster])), { payload: 8000, above: 4000 });
  assertEquals(crossover(rows([faster, faster, faster, faster])), { payload: 600 });
  assertEquals(crossover(rows([faster, faster, faster, unclear])), undefined);
  assertEquals(crossover([]), undefined);
});

Deno.test("crossover heeds the noise floor and refuses a payload that is there twice", () => {
  const comparison = ratioOf(1.3, 1.2, 1.4);
  const wide = ratioOf(1, 0.5, 2);
  assertEquals(crossover([{ payload: 600, comparison, noiseFloor: wide }]), undefined);
  assertThrows(
    () => crossover([{ payload: 600, comparison }, { payload: 600, comparison }]),
    RangeError,
    "600 is there twice",
  );
});
