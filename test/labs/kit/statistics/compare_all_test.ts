import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { Random } from "../../../../labs/kit/trials/random.ts";
import {
  compare,
  compareAll,
  holm,
  noiseFloor,
  verdict,
} from "../../../../labs/kit/statistics/statistics.ts";
import { cross, type Trial } from "../../../../labs/kit/trials/trials.ts";
import { NOISY, NoisyMachine, QUIET, simulate, trialOf } from "../experiment/simulated_trials.ts";

const COPY = { mode: "copy" } as const;

/** Combinations of eleven equal modes, the first of which is the baseline. */
const MODES = cross({ mode: ["copy", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k"] });

Deno.test("compareAll compares every combination with the baseline of its own other factors", () => {
  const random = new Random(3);
  const trials: Trial[] = cross({ payload: [4000, 600] }).flatMap(({ payload }) =>
    simulate(
      new NoisyMachine(random, QUIET),
      7,
      cross({ payload: [payload], mode: ["copy", "zc", "flush"] }),
      payload === 600 ? [10, 10, 5] : [1, 1.5, 1],
    )
  );
  const rows = compareAll(trials, { measure: "rate", against: COPY, seed: 4 });
  assertEquals(rows.map(({ factors, baseline }) => [factors, baseline]), [
    [{ payload: 600, mode: "flush" }, { payload: 600, mode: "copy" }],
    [{ payload: 600, mode: "zc" }, { payload: 600, mode: "copy" }],
    [{ payload: 4000, mode: "flush" }, { payload: 4000, mode: "copy" }],
    [{ payload: 4000, mode: "zc" }, { payload: 4000, mode: "copy" }],
  ]);
  assertEquals(rows.map((row) => row.verdict.difference), ["lower", "none", "none", "higher"]);
  const zc = rows[3]!;
  const of = { payload: 4000, mode: "zc" };
  const against = { payload: 4000, mode: "copy" };
  assertEquals(zc.comparison, compare(trials, { measure: "rate", of, against, seed: 4 })!);
  assertEquals(zc.noiseFloor, noiseFloor(trials, { measure: "rate", at: against, seed: 4 }));
  assert(/^zc is \d+ % faster, 95 % interval \d+ to \d+ %$/.test(zc.verdict.text));
});

Deno.test("compareAll of one combination says what compare and verdict say", () => {
  const random = new Random(12);
  for (let i = 0; i < 40; i++) {
    const effect = 1 + 0.02 * i;
    const trials = simulate(new NoisyMachine(random, NOISY), 6, MODES.slice(0, 2), [1, effect]);
    const [row] = compareAll(trials, { measure: "rate", against: COPY, resamples: 1000 });
    const comparison = compare(trials, {
      measure: "rate",
      of: { mode: "b" },
      against: COPY,
      resamples: 1000,
    })!;
    const floor = noiseFloor(trials, { measure: "rate", resamples: 1000 });
    assertEquals(row!.comparison, comparison);
    const said = verdict(comparison, floor, { subject: "b" });
    assertEquals([row!.verdict.difference, row!.verdict.text], [said.difference, said.text]);
    assertAlmostEquals(row!.verdict.detectable, said.detectable, 1e-9);
    assertEquals(row!.chance <= 0.05, comparison.low > 1 || comparison.high < 1);
    assertEquals(row!.correctedChance, row!.chance);
  }
});

Deno.test("compareAll calls any of ten equal modes different in at most 5 % of the runs", () => {
  const random = new Random(31);
  let [called, uncorrected, byChance] = [0, 0, 0];
  for (let i = 0; i < 200; i++) {
    const trials = simulate(new NoisyMachine(random, NOISY), 7, MODES);
    const rows = compareAll(trials, { measure: "rate", against: COPY, resamples: 400 });
    if (rows.some((row) => row.verdict.difference !== "none")) called++;
    if (rows.some((row) => row.correctedChance <= 0.05)) byChance++;
    if (rows.some((row) => row.chance <= 0.05)) uncorrected++;
  }
  assert(called <= 10, `${called} of 200 runs`);
  // Without a noise floor the correction alone has to do: 5 % is 10, and 20 is far beyond chance.
  assert(byChance <= 20, `${byChance} of 200 runs by the corrected chances`);
  assert(
    uncorrected >= 30,
    `only ${uncorrected} of 200 runs without correction: what is corrected?`,
  );
});

Deno.test("compareAll sees a difference of 20 % among ten modes where the noise is low", () => {
  const random = new Random(32);
  let [seen, others] = [0, 0];
  for (let i = 0; i < 40; i++) {
    const trials = simulate(new NoisyMachine(random, QUIET), 9, MODES, [1, 1, 1.2]);
    const rows = compareAll(trials, { measure: "rate", against: COPY, resamples: 1000 });
    for (const { factors, verdict } of rows) {
      if (factors.mode === "c") seen += verdict.difference === "higher" ? 1 : 0;
      else others += verdict.difference === "none" ? 0 : 1;
    }
  }
  assert(seen >= 32, `${seen} of 40`);
  assert(others <= 6, `${others} of 360 equal ones`);
});

Deno.test("compareAll says when it was the correction that kept it from calling", () => {
  const random = new Random(33);
  const texts = new Set<string>();
  for (let i = 0; i < 40; i++) {
    const trials = simulate(new NoisyMachine(random, NOISY), 6, MODES, [1, 1.4]);
    for (const row of compareAll(trials, { measure: "rate", against: COPY, resamples: 400 })) {
      const said = row.verdict.text.match(/that stands out among 10 comparisons/);
      const excludes = row.comparison.low > 1 || row.comparison.high < 1;
      if (said) {
        assert(excludes && row.chance <= 0.05 && row.correctedChance > 0.05);
        texts.add(row.verdict.text);
      }
    }
  }
  assert(texts.size > 0, "no such case came up");
});

Deno.test("compareAll corrects within the questions that the caller parts", () => {
  const random = new Random(34);
  const trials = [600, 1200, 4000].flatMap((payload) =>
    simulate(
      new NoisyMachine(random, NOISY),
      7,
      cross({ payload: [payload], mode: ["copy", "b", "c"] }),
      [1, 1.3, 1],
    )
  );
  const options = { measure: "rate", against: COPY } as const;
  const [within, all] = [
    compareAll(trials, { ...options, within: ["payload"] }),
    compareAll(trials, options),
  ];
  assertEquals(within.length, 6);
  for (const [i, row] of within.entries()) {
    const own = trials.filter((trial) => trial.factors.payload === row.factors.payload);
    const alone = compareAll(own, options).find(({ factors }) => factors.mode === row.factors.mode);
    // What is an outlier is told by the noise of all trials.
    assertEquals({ ...row, outliers: 0 }, { ...alone!, outliers: 0 });
    assert(row.correctedChance <= all[i]!.correctedChance);
    assert(row.verdict.detectable <= all[i]!.verdict.detectable);
  }
});

Deno.test("compareAll has words of the caller, and says how many outliers it kept", () => {
  const random = new Random(35);
  const machine = new NoisyMachine(random, QUIET);
  const trials = simulate(machine, 9, MODES.slice(0, 3), [1, 0.5, 1])
    .map((trial) =>
      trial.round === 4 && trial.factors.mode === "c"
        ? trialOf(4, trial.factors, (trial.measures["rate"] as number) / 5)
        : trial
    );
  const rows = compareAll(trials, {
    measure: "rate",
    against: COPY,
    words: { subject: ({ mode }) => `CPU time of ${mode}`, higher: "higher", lower: "lower" },
  });
  assert(rows[0]!.verdict.text.startsWith("CPU time of b is "));
  assert(rows[0]!.verdict.text.includes(" % lower, 95 % interval "));
  assertEquals(rows.map((row) => row.outliers), [0, 1]);
  const none = compareAll(trials, { measure: "rate", against: COPY, correction: "none" });
  assertEquals(none.map((row) => row.correctedChance), none.map((row) => row.chance));
});

Deno.test("compareAll leaves out what ran too seldom, and refuses what has no baseline", () => {
  const trials = simulate(new NoisyMachine(new Random(1), QUIET), 3, MODES.slice(0, 2));
  const late = [...trials, trialOf(2, { mode: "c" as const }, 1)];
  const options = { measure: "rate", against: COPY } as const;
  assertEquals(compareAll(late, options).map((row) => row.factors.mode), ["b"]);
  assertEquals(compareAll([], options), []);
  assertThrows(
    () => compareAll(trials, { measure: "rate", against: { mode: "d" } }),
    RangeError,
    "No trial has mode d",
  );
  const odd: Trial[] = [
    ...simulate(new NoisyMachine(new Random(1), QUIET), 3, cross({ size: [1], mode: ["copy"] })),
    trialOf(0, { size: 2, mode: "b" }, 1),
  ];
  assertThrows(
    () => compareAll(odd, { measure: "rate", against: COPY }),
    RangeError,
    "no trial has size 2, mode copy",
  );
  assertThrows(() => compareAll(trials, { measure: "speed", against: COPY }), TypeError, "speed");
});

Deno.test("compareAll without a control says that the noise floor was not measured", () => {
  const trials = simulate(new NoisyMachine(new Random(2), QUIET), 6, MODES.slice(0, 2))
    .filter((trial) => !trial.control);
  const [row] = compareAll(trials, { measure: "rate", against: COPY });
  assertEquals(row!.noiseFloor, undefined);
  assert(row!.verdict.text.endsWith("(noise floor not measured)"));
});

Deno.test("chances are those of Student's t where that is exact", () => {
  // Logarithms of the ratios: mean 0.2, standard deviation 0.1, n = 5: t = 4.472, p = 0.0111.
  const logarithms = [-1.2649, -0.6325, 0, 0.6325, 1.2649].map((z) => 0.2 + 0.1 * z);
  const trials = logarithms.flatMap((value, round) => [
    trialOf(round, MODES[0]!, 100),
    trialOf(round, MODES[1]!, 100 * Math.exp(value)),
  ]);
  const [row] = compareAll(trials, { measure: "rate", against: COPY });
  assertAlmostEquals(row!.chance, 0.0111, 0.003);
});

Deno.test("holm is what R's p.adjust says", () => {
  // p.adjust(c(0.01, 0.04, 0.03, 0.005), "holm") in R: 0.03 0.06 0.06 0.02
  const corrected = holm([0.01, 0.04, 0.03, 0.005]);
  for (const [i, expected] of [0.03, 0.06, 0.06, 0.02].entries()) {
    assertAlmostEquals(corrected[i]!, expected, 1e-12);
  }
  assertEquals(holm([]), []);
  assertEquals(holm([0.9, 0.8]), [1, 1]);
});
