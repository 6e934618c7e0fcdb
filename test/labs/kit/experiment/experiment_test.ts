import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertNotEquals,
  assertRejects,
  assertThrows,
} from "@std/assert";
import {
  cross,
  experiment,
  type ExperimentResult,
  hasFactors,
  type Measures,
  type Trial,
  TrialError,
} from "../../../../labs/kit/experiment/experiment.ts";
import { Random } from "../../../../labs/kit/trials/random.ts";
import { compare, medianInterval, noiseFloor } from "../../../../labs/kit/statistics/statistics.ts";
import { NOISY, NoisyMachine, QUIET } from "./simulated_trials.ts";

const factors = cross({ payload: [600, 4000], mode: ["copy", "zc", "flush"] });

/** The combinations in the order in which they ran, without what depends on the clock. */
function orderOf(trials: readonly Trial[]): string[] {
  return trials.map(({ round, order, control, factors }) =>
    `${round}.${order} ${factors["payload"]} ${factors["mode"]}${control ? " again" : ""}`
  );
}

Deno.test("cross makes every combination, typed by its levels", () => {
  assertEquals(factors.length, 6);
  const mode: "copy" | "zc" | "flush" = factors[5]!.mode;
  const payload: 600 | 4000 = factors[5]!.payload;
  assertEquals([mode, payload], ["flush", 4000]);
  assertThrows(() => cross({ payload: [600], mode: [] }), RangeError, "mode has no values");
});

Deno.test("hasFactors compares only the factors that the part names", () => {
  assert(hasFactors(factors[0]!, { payload: 600 }));
  assert(hasFactors(factors[0]!, {}));
  assert(!hasFactors(factors[0]!, { payload: 600, mode: "zc" }));
  assert(!hasFactors({ payload: 600 }, { toString: undefined } as never));
});

Deno.test("experiment runs every combination once in each round and the control twice", async () => {
  const ran: string[] = [];
  const { trials, complete, seed } = await experiment({
    factors,
    control: { mode: "copy" },
    repeats: 4,
    warmUp: 2,
    seed: 5,
    trial: ({ payload, mode }, { round, warmUp }) => {
      ran.push(`${round} ${payload} ${mode} ${warmUp}`);
      return { payload, nested: { list: [1, null, "x"], flag: true } };
    },
  });
  assertEquals([complete, seed], [true, 5]);
  assertEquals(trials.length, 2 * 6 + 4 * 8);
  assertEquals(
    ran,
    trials.map((t) => `${t.round} ${t.factors.payload} ${t.factors.mode} ${t.warmUp}`),
  );
  for (let round = 0; round < 6; round++) {
    const block = trials.filter((trial) => trial.round === round);
    assertEquals(block.map((trial) => trial.order), block.map((_, index) => index));
    assert(block.every((trial) => trial.warmUp === (round < 2)));
    for (const combination of factors) {
      const runs = block.filter((trial) => hasFactors(trial.factors, combination));
      const controls = runs.filter((trial) => trial.control).length;
      const expected = round >= 2 && combination.mode === "copy" ? [2, 1] : [1, 0];
      assertEquals([runs.length, controls], expected);
    }
  }
  assertEquals(trials[0]!.measures.nested.list, [1, null, "x"]);
  for (const trial of trials) {
    assertEquals(new Date(trial.startedAt).toISOString(), trial.startedAt);
    assert(trial.seconds >= 0);
  }
});

Deno.test("experiment orders the trials by its seed alone, and each round differently", async () => {
  const trial = (): Measures => ({ value: 1 });
  const run = async (seed?: number): Promise<string[]> =>
    orderOf((await experiment({ factors, trial, repeats: 3, seed })).trials);
  assertEquals(await run(1), await run(1));
  assertNotEquals(await run(1), await run(2));
  const rounds = await run(1);
  const withoutRound = rounds.map((text) => text.slice(2));
  assertNotEquals(withoutRound.slice(0, 6), withoutRound.slice(6, 12));
  const fresh = await experiment({ factors, trial, repeats: 1 });
  assertEquals(
    orderOf(fresh.trials),
    orderOf(
      (await experiment({ factors, trial, repeats: 1, seed: fresh.seed })).trials,
    ),
  );
});

Deno.test("experiment stops between trials when aborted and keeps what ran", async () => {
  const controller = new AbortController();
  let count = 0;
  const { trials, complete } = await experiment({
    factors,
    warmUp: 0,
    signal: controller.signal,
    trial: () => {
      if (++count === 8) controller.abort();
      return { count };
    },
  });
  assertEquals(complete, false);
  assertEquals(trials.map((trial) => trial.measures.count), [1, 2, 3, 4, 5, 6, 7, 8]);
});

Deno.test("experiment heeds a signal from a timer although its trials are synchronous", async () => {
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort(), 5);
  const { complete, trials } = await experiment({
    factors,
    repeats: 1_000_000,
    warmUp: 0,
    signal: controller.signal,
    trial: () => ({ value: 1 }),
  });
  clearTimeout(timer);
  assertEquals(complete, false);
  assert(trials.length < 6_000_000);
});

Deno.test("experiment drops a trial that was itself ended by the abort, without an error", async () => {
  const controller = new AbortController();
  const { complete, trials } = await experiment({
    factors,
    warmUp: 0,
    signal: controller.signal,
    trial({ mode }, { round, signal }): Measures {
      if (round === 1 && mode === "zc") {
        controller.abort();
        signal.throwIfAborted();
      }
      return { value: 1 };
    },
  });
  assertEquals(complete, false);
  assert(trials.length >= 6 && trials.length < 12);
});

Deno.test("experiment that is aborted before it starts runs nothing", async () => {
  const { complete, trials } = await experiment({
    factors,
    signal: AbortSignal.abort(),
    trial: () => ({ value: 1 }),
  });
  assertEquals([complete, trials.length], [false, 0]);
});

Deno.test("experiment hands back the trials before one that fails", async () => {
  const cause = new Error("ENOBUFS");
  let count = 0;
  const error = await assertRejects(
    () =>
      experiment({
        factors,
        seed: 1,
        trial(): Promise<Measures> {
          return ++count === 9 ? Promise.reject(cause) : Promise.resolve({ count });
        },
      }),
    TrialError,
    "ENOBUFS",
  );
  assertEquals(error.cause, cause);
  assertEquals(error.round, 1);
  assertEquals(error.result.trials.length, 8);
  assertEquals(error.result.complete, false);
  assert(error.message.includes(`payload ${error.factors["payload"]}`));
});

Deno.test("experiment refuses measures that JSON cannot carry, and names them", async () => {
  const cases: [unknown, string][] = [
    [{ rate: NaN }, "rate is NaN"],
    [{ rate: Infinity }, "rate is Infinity"],
    [{ sent: 1n }, "sent is a bigint"],
    [{ nested: { list: [1, undefined] } }, "nested.list[1] is undefined"],
    [{ at: new Date(0) }, "at is of the class Date"],
    [{ bytes: new Uint8Array(2) }, "bytes is of the class Uint8Array"],
    [undefined, "not undefined"],
    [[1, 2], "not of the class Array"],
    [5, "not a number"],
  ];
  for (const [measures, message] of cases) {
    const error = await assertRejects(
      () => experiment({ factors, trial: () => measures as Measures }),
      TrialError,
      message,
    );
    assertInstanceOf(error.cause, TypeError);
  }
});

Deno.test("experiment reports progress before each trial and at the end", async () => {
  const seen: [number, number][] = [];
  const { trials } = await experiment({
    factors,
    control: { payload: 600, mode: "copy" },
    repeats: 2,
    onProgress: (done, total) => seen.push([done, total]),
    trial: () => ({ value: 1 }),
  });
  const total = 6 + 2 * 7;
  assertEquals(trials.length, total);
  assertEquals(seen, Array.from({ length: total + 1 }, (_, done) => [done, total]));
});

Deno.test("experiment refuses impossible options before anything runs", async () => {
  let ran = false;
  const trial = (): Measures => {
    ran = true;
    return {};
  };
  const refused = async (options: Record<string, unknown>, message: string): Promise<void> => {
    await assertRejects(
      () => experiment({ factors, trial, ...options } as never),
      RangeError,
      message,
    );
  };
  await refused({ repeats: 0 }, "repeats");
  await refused({ repeats: 1.5 }, "repeats");
  await refused({ warmUp: -1 }, "warmUp");
  await refused({ seed: -1 }, "seed");
  await refused({ factors: [] }, "at least one combination");
  await refused({ factors: [{ a: 1, b: 2 }, { b: 2, a: 1 }] }, "there twice");
  await refused({ factors: [{ a: 1n }] }, "The factor a");
  await refused({ factors: [{ a: NaN }] }, "The factor a");
  await refused({ control: { mode: "none" } }, "mode none");
  const narrow = { measure: "rate", most: 9, width: 0.1 };
  await refused({ repeats: { ...narrow, least: 4 } }, "repeats.least");
  await refused({ repeats: { ...narrow, most: 6 } }, "repeats.most");
  await refused({ repeats: { ...narrow, most: undefined } }, "repeats.most");
  await refused({ repeats: { ...narrow, width: 0 } }, "repeats.width");
  await refused({ repeats: { ...narrow, width: NaN } }, "repeats.width");
  await refused({ repeats: { ...narrow, seconds: 0 } }, "repeats.seconds");
  await refused({ repeats: { ...narrow, measure: undefined } }, "repeats.measure");
  await refused({ warmUp: { measure: "" } }, "warmUp.measure");
  await refused({ warmUp: { measure: "rate", window: 3 } }, "warmUp.window");
  await refused({ warmUp: { measure: "rate", most: 5 } }, "warmUp.most");
  await refused({ warmUp: { measure: "rate", tolerance: -1 } }, "warmUp.tolerance");
  await refused({ warmUp: { same: [""] } }, "warmUp.same");
  await refused({ warmUp: { same: ["rate"], most: 1 } }, "warmUp.most");
  await refused({ warmUp: { same: ["rate"], least: 1 } }, "warmUp.least");
  await refused({ warmUp: { same: ["rate"], least: 5, most: 4 } }, "warmUp.most");
  await refused({ warmUp: { same: ["rate"], tolerance: NaN } }, "warmUp.tolerance");
  await refused({ rest: -1 }, "rest");
  assertEquals(ran, false);
});

const OLD_ORDER = [
  "0.0 600 zc",
  "0.1 600 flush",
  "0.2 600 copy",
  "0.3 4000 copy",
  "0.4 4000 flush",
  "0.5 4000 zc",
  "1.0 4000 copy",
  "1.1 600 copy",
];

/** Two modes, the baseline twice in each round. */
const MODES = { factors: cross({ mode: ["copy", "zc"] }), control: { mode: "copy" } } as const;

function roundsOf({ trials }: ExperimentResult, warmUp: boolean): number {
  return new Set(trials.filter((trial) => trial.warmUp === warmUp).map(({ round }) => round)).size;
}

Deno.test("experiment of plain numbers says that its repeats have run and keeps its old orders", async () => {
  const result = await experiment({ factors, seed: 1, repeats: 2, trial: () => ({ value: 1 }) });
  assertEquals([result.steady, result.stopped, result.complete], [null, "repeats", true]);
  // From before there were warm-ups until steady: a seed keeps its meaning.
  assertEquals(orderOf(result.trials).slice(0, 8), OLD_ORDER);
  const adaptive = await experiment({
    factors,
    seed: 1,
    repeats: { measure: "value", width: 0.1, least: 5, most: 6 },
    trial: () => ({ value: 1 }),
  });
  assertEquals(orderOf(adaptive.trials).slice(0, 8), OLD_ORDER);
});

Deno.test("experiment warms up until its measure is steady", async () => {
  const machine = new NoisyMachine(new Random(4), {
    trial: 0.02,
    round: 0.02,
    drift: 0,
    bursts: 0,
  });
  const result = await experiment({
    ...MODES,
    warmUp: { measure: "rate" },
    repeats: 5,
    // The first rounds are slow, up to a half.
    trial: (_, { round }) => ({ rate: machine.rate(round, 1 - 0.5 * 0.6 ** round) }),
  });
  assertEquals([result.steady, result.stopped, result.complete], [true, "repeats", true]);
  const rounds = roundsOf(result, true);
  assert(rounds > 6 && rounds < 20, `${rounds} rounds`);
  assertEquals(roundsOf(result, false), 5);
  // Rounds are numbered through, and the counted ones have the control.
  assertEquals(result.trials.filter((trial) => trial.round === rounds).length, 3);
});

Deno.test("experiment of a steady machine warms up no longer than the window", async () => {
  const result = await experiment({
    ...MODES,
    warmUp: { measure: "rate", window: 4 },
    repeats: 1,
    trial: () => ({ rate: 5 }),
  });
  assertEquals([result.steady, roundsOf(result, true)], [true, 4]);
});

Deno.test("experiment warms up until two rounds are the same in all measures", async () => {
  const result = await experiment({
    ...MODES,
    warmUp: { same: ["count", "other"] },
    repeats: 1,
    trial: ({ mode }, { round }) => ({
      count: mode === "zc" && round === 0 ? 6000 : 5000 + round,
      other: round < 3 ? 100 + 5 * round : null,
    }),
  });
  // Round 1 differs in the one, rounds 2 and 3 in the other until that has no value.
  assertEquals([result.steady, roundsOf(result, true)], [true, 4]);
  const never = await experiment({
    ...MODES,
    warmUp: { same: ["count"], most: 3 },
    repeats: 1,
    trial: (_, { round }) => ({ count: 100 * 2 ** round }),
  });
  assertEquals([never.steady, never.complete, roundsOf(never, true)], [false, true, 3]);
  const long = await experiment({
    ...MODES,
    warmUp: { same: ["count"], least: 7 },
    repeats: 1,
    trial: () => ({ count: 100 }),
  });
  assertEquals([long.steady, roundsOf(long, true)], [true, 7]);
});

Deno.test("experiment says that it never was steady, and goes on", async () => {
  const result = await experiment({
    ...MODES,
    warmUp: { measure: "rate", most: 9 },
    repeats: 2,
    trial: ({ mode }, { round }) => ({ rate: mode === "zc" ? 100 * 1.2 ** round : 100 }),
  });
  assertEquals([result.steady, result.complete, roundsOf(result, true)], [false, true, 9]);
  assertEquals(roundsOf(result, false), 2);
  const without = await experiment({
    ...MODES,
    warmUp: { measure: "rate", most: 7 },
    repeats: 1,
    trial: () => ({ rate: null }),
  });
  assertEquals([without.steady, roundsOf(without, true)], [false, 7]);
});

Deno.test("experiment repeats until the intervals are narrow", async () => {
  const run = (noise: number): Promise<ExperimentResult> => {
    const machine = new NoisyMachine(new Random(8), { ...QUIET, trial: noise, bursts: 0 });
    return experiment({
      ...MODES,
      seed: 2,
      repeats: { measure: "rate", width: 0.05, most: 200 },
      trial: (_, { round }) => ({ rate: machine.rate(round) }),
    });
  };
  const [little, more] = [await run(0.01), await run(0.08)];
  assertEquals([little.stopped, more.stopped], ["width", "width"]);
  assertEquals(roundsOf(little, false), 7);
  assert(roundsOf(more, false) > 12, `${roundsOf(more, false)} rounds`);
  for (const { trials } of [little, more]) {
    const zc = compare(trials, { measure: "rate", of: { mode: "zc" }, against: { mode: "copy" } })!;
    const floor = noiseFloor(trials, { measure: "rate" })!;
    for (const { low, high } of [zc, floor]) assert(Math.sqrt(high / low) <= 1.05);
  }
});

Deno.test("experiment stops looking for narrow intervals after the most rounds or seconds", async () => {
  const machine = new NoisyMachine(new Random(9), NOISY);
  const options = {
    ...MODES,
    warmUp: 0,
    trial: (_: unknown, { round }: { round: number }) => ({ rate: machine.rate(round) }),
  };
  const repeats = { measure: "rate", width: 0.001, least: 5, most: 11 };
  const most = await experiment({ ...options, repeats });
  assertEquals([most.stopped, most.complete, roundsOf(most, false)], ["most", true, 11]);
  const late = await experiment({ ...options, repeats: { ...repeats, seconds: 1e-9 } });
  assertEquals([late.stopped, late.complete, roundsOf(late, false)], ["seconds", true, 5]);
});

Deno.test("experiment without a control narrows the intervals of the medians", async () => {
  const machine = new NoisyMachine(new Random(10), { ...QUIET, bursts: 0 });
  const result = await experiment({
    factors: MODES.factors,
    repeats: { measure: "rate", width: 0.05, most: 100 },
    trial: (_, { round }) => ({ rate: machine.rate(round) }),
  });
  assertEquals(result.stopped, "width");
  for (const mode of ["copy", "zc"]) {
    const rates = result.trials.filter((trial) => !trial.warmUp && trial.factors.mode === mode)
      .map((trial) => trial.measures.rate);
    const { low, high } = medianInterval(rates);
    assert(Math.sqrt(high / low) <= 1.05);
  }
});

Deno.test("experiment that never has a value for a combination runs to the most", async () => {
  const { stopped } = await experiment({
    ...MODES,
    repeats: { measure: "rate", width: 0.5, least: 5, most: 8 },
    trial: ({ mode }) => ({ rate: mode === "zc" ? null : 1 }),
  });
  assertEquals(stopped, "most");
});

Deno.test("experiment that is aborted while it looks says so", async () => {
  for (const at of [3, 30]) {
    const controller = new AbortController();
    const machine = new NoisyMachine(new Random(11), NOISY);
    let count = 0;
    const { stopped, complete, steady } = await experiment({
      ...MODES,
      warmUp: { measure: "rate" },
      repeats: { measure: "rate", width: 0.001, most: 1000 },
      signal: controller.signal,
      trial(_, { round }): { rate: number } {
        if (++count === at) controller.abort();
        return { rate: at === 30 && round < 6 ? 1 : machine.rate(round) };
      },
    });
    assertEquals([stopped, complete, steady], ["signal", false, at === 30]);
    assertEquals(count, at);
  }
});

Deno.test("experiment refuses to watch what has no logarithm, and keeps what ran", async () => {
  const repeats = { measure: "rate", width: 0.1, most: 9 };
  const cases: [Measures, string][] = [
    [{ rate: 0 }, "rate to watch is a positive number or null, not 0"],
    [{ rate: "fast" }, 'not "fast"'],
    [{ speed: 1, load: 2 }, "no measure rate to watch; there are speed, load"],
  ];
  for (const [wrong, message] of cases) {
    const error = await assertRejects(
      () =>
        experiment({
          ...MODES,
          repeats,
          trial: (_, { round }): Measures => round === 3 ? wrong : { rate: 1 },
        }),
      TrialError,
      message,
    );
    assertEquals([error.result.trials.length, error.result.stopped], [2 + 2 * 3, "error"]);
    await assertRejects(
      () => experiment({ ...MODES, warmUp: { measure: "rate" }, trial: (): Measures => wrong }),
      TrialError,
      message,
    );
  }
});

Deno.test("experiment reports at most so many trials while it looks, and all at the end", async () => {
  const seen: [number, number][] = [];
  const { trials } = await experiment({
    ...MODES,
    warmUp: { measure: "rate", most: 10 },
    repeats: { measure: "rate", width: 0.1, most: 20 },
    onProgress: (done, total) => seen.push([done, total]),
    trial: () => ({ rate: 1 }),
  });
  assertEquals(trials.length, 6 * 2 + 7 * 3);
  assertEquals(seen[0], [0, 10 * 2 + 20 * 3]);
  assertEquals(seen[12], [12, 6 * 2 + 20 * 3]);
  assertEquals(seen.at(-1), [trials.length, trials.length]);
  assertEquals(seen.length, trials.length + 1);
});
