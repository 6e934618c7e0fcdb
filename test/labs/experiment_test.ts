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
  hasFactors,
  type Measures,
  type Trial,
  TrialError,
} from "../../labs/kit/experiment.ts";

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
  assertEquals(ran, false);
});
