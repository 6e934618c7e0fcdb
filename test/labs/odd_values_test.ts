import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { PlotError } from "../../labs/kit/plot/figure.ts";
import { plot, plots } from "../../labs/kit/plot/plot.ts";
import {
  compare,
  compareAll,
  crossover,
  findOutliers,
  noiseFloor,
  pairedRatio,
  type Ratio,
  verdict,
} from "../../labs/kit/statistics/statistics.ts";
import { cross, type Measures, type Trial } from "../../labs/kit/trials/trials.ts";
import { sampleTrials } from "./kit/plot/samples.ts";

type Factors = { readonly payload: number; readonly mode: string };
type OddTrial = Trial<Factors, Measures>;

/** Four rounds of two modes at two payloads, of which one value is replaced. */
function trialsWith(value: unknown, isOdd: (trial: OddTrial) => boolean): OddTrial[] {
  const trials = sampleTrials<Factors>({
    factors: cross({ payload: [600, 4000], mode: ["copy", "zc"] }),
    control: ({ mode }) => mode === "copy",
    measure: ({ mode }, round) => ({ rate: mode === "zc" ? 150 + round : 100 + round, drops: 0 }),
  }) as OddTrial[];
  return trials.map((trial) => {
    if (!isOdd(trial)) return trial;
    const measures = { ...trial.measures, rate: value as number };
    if (value === undefined) delete (measures as { rate?: number }).rate;
    return { ...trial, measures };
  });
}

const OF = { payload: 600, mode: "zc" };
const AGAINST = { payload: 600, mode: "copy" };

const isRow = (row: Factors, round: number) => (trial: OddTrial): boolean =>
  trial.factors.payload === row.payload && trial.factors.mode === row.mode &&
  trial.round === round && !trial.control;

/** Everything that is said of the two rows. */
function every(trials: readonly OddTrial[]): readonly (() => unknown)[] {
  return [
    () => compare(trials, { measure: "rate", of: OF, against: AGAINST }),
    () => compareAll(trials, { measure: "rate", against: { mode: "copy" } }),
  ];
}

for (const value of [0, -3]) {
  for (const [row, side] of [[OF, "which is compared"], [AGAINST, "the baseline"]] as const) {
    Deno.test(`a ratio with ${value} of ${side} says which measure, row and side, and what to do`, () => {
      for (const make of every(trialsWith(value, isRow(row, 2)))) {
        const { message } = assertThrows(make, RangeError);
        assertStringIncludes(
          message,
          `The measure rate of payload 600, mode ${row.mode} in round 2, ${side}, is ${value}`,
        );
        assertStringIncludes(message, "What to do: where it can be 0 or less, look at differences");
      }
    });
  }
}

Deno.test("a zero that nothing is divided by is no mistake", () => {
  const alone = trialsWith(0, isRow(OF, 2)).filter((trial) => !isRow(AGAINST, 2)(trial));
  assertEquals(compare(alone, { measure: "rate", of: OF, against: AGAINST })!.rounds, 3);
  const warmUp = trialsWith(0, ({ warmUp }) => warmUp);
  assertEquals(compare(warmUp, { measure: "rate", of: OF, against: AGAINST })!.rounds, 4);
});

Deno.test("the noise floor says that it is the second run of the baseline that is 0", () => {
  const trials = trialsWith(0, ({ control, round }) => control && round === 3);
  const { message } = assertThrows(
    () => noiseFloor(trials, { measure: "rate", at: { payload: 4000 } }),
    RangeError,
  );
  assertStringIncludes(
    message,
    "payload 4000, mode copy in round 3, the second run of the baseline",
  );
});

Deno.test("what is no number is refused by name, row and round, whoever looks", () => {
  const cases: [unknown, string][] = [
    [NaN, "The measure rate of payload 600, mode zc in round 2 is NaN"],
    [Infinity, "The measure rate of payload 600, mode zc in round 2 is Infinity"],
    ["fast", 'The measure rate is not a number, but "fast" in payload 600, mode zc in round 2'],
    [[1, 2], "The measure rate is not a number, but [1,2] in payload 600, mode zc in round 2"],
    [undefined, "The trial of payload 600, mode zc in round 2 has no measure rate; it has drops"],
  ];
  for (const [value, says] of cases) {
    const trials = trialsWith(value, isRow(OF, 2));
    for (const make of [...every(trials), () => findOutliers(trials, { measure: "rate" })]) {
      assertStringIncludes(assertThrows(make, TypeError).message, says);
    }
  }
});

Deno.test("a combination that does not exist is refused, with what there is instead", () => {
  const trials = trialsWith(1, () => false);
  const measure = "rate";
  const cases: [() => unknown, string][] = [
    [
      () => compare(trials, { measure, of: { ...OF, payload: 700 }, against: AGAINST }),
      "No trial has payload 700, mode zc: payload is one of 600, 4000",
    ],
    [
      () => compare(trials, { measure, of: OF, against: { ...AGAINST, mode: "none" } }),
      "mode is one of copy, zc",
    ],
    [
      () => compare(trials, { measure, of: { mod: "zc" } as unknown as Factors, against: AGAINST }),
      "there is no factor mod. The factors are: payload, mode",
    ],
    [() => noiseFloor(trials, { measure, at: { mode: "none" } }), "mode is one of copy, zc"],
    [() => compareAll(trials, { measure, against: { mode: "none" } }), "mode is one of copy, zc"],
    [
      () => compareAll(trials, { measure, against: { mode: "copy" }, within: ["size" as "mode"] }),
      "within: there is no factor size",
    ],
  ];
  for (const [make, says] of cases) {
    assertStringIncludes(assertThrows(make, RangeError).message, says);
  }
});

Deno.test("an experiment of one round, a part of one, or none compares nothing, and that is no error", () => {
  const all = trialsWith(1, () => false);
  const counted = all.filter(({ warmUp }) => !warmUp);
  for (let count = 0; count <= 6; count++) {
    for (const trials of [counted.slice(0, count), all.slice(0, 4 + count)]) {
      assertEquals(compare(trials, { measure: "rate", of: OF, against: AGAINST }), undefined);
      assertEquals(compareAll(trials, { measure: "rate", against: { mode: "copy" } }), []);
      assertEquals(noiseFloor(trials, { measure: "rate", at: AGAINST }), undefined);
      assertEquals(findOutliers(trials, { measure: "rate" }), []);
    }
  }
  assertEquals(crossover([]), undefined);
});

Deno.test("pairedRatio, verdict and crossover refuse what is no ratio, and say which", () => {
  assertThrows(
    () => pairedRatio([1, 2], [3, 0]),
    RangeError,
    "not 0, which is number 2 of the other",
  );
  const of = (ratio: number): Ratio => ({ ratio, low: ratio, high: ratio, rounds: 5 });
  for (const value of [0, -1, NaN, Infinity]) {
    assertThrows(
      () => verdict(of(value), undefined, { subject: "zc" }),
      RangeError,
      `The comparison of zc has ratio ${value}`,
    );
    assertThrows(
      () => verdict(of(2), of(value), { subject: "zc" }),
      RangeError,
      `The noise floor has ratio ${value}`,
    );
    assertThrows(
      () => crossover([{ payload: 600, comparison: of(value) }]),
      RangeError,
      `The comparison at payload 600 has ratio ${value}`,
    );
  }
  for (const payload of [-1, NaN, Infinity]) {
    const rows = [{ payload, comparison: of(2) }];
    assertThrows(
      () => crossover(rows),
      RangeError,
      `A payload is a number of bytes, not ${payload}`,
    );
  }
  // On a logarithmic axis there is no line from nothing.
  const rows = [{ payload: 0, comparison: of(0.5) }, { payload: 600, comparison: of(2) }];
  assertEquals(crossover(rows), { payload: 600, above: 0 });
});

Deno.test("plot says which value it cannot show", () => {
  const cases: [unknown, "throughput" | "crossover" | "series", string][] = [
    [
      -3,
      "throughput",
      "some values of rate are negative, such as -3 of payload 600, mode zc in round 2",
    ],
    [NaN, "throughput", "the measure rate of payload 600, mode zc in round 2 is NaN"],
    [NaN, "series", "the measure rate of payload 600, mode zc in round 2 is NaN"],
  ];
  for (const [value, kind, says] of cases) {
    const trials = trialsWith(value, isRow(OF, 2));
    const { message } = assertThrows(() => plot({ trials }, { kind, measure: "rate" }), PlotError);
    assertStringIncludes(message, says);
  }
  const nothing = trialsWith(0, ({ factors }) => factors.mode === "zc");
  const { message } = assertThrows(
    () => plot({ trials: nothing }, { kind: "crossover", measure: "rate" }),
    PlotError,
  );
  assertStringIncludes(message, "nothing can be compared with copy");
  assertStringIncludes(message, "The measure rate of payload 600, mode zc in round 1");
  const baseline = { mode: "none" };
  assertThrows(
    () => plot({ trials: nothing }, { kind: "crossover", measure: "rate", baseline }),
    PlotError,
    "options.baseline: no trial that counts has mode none; it is one of copy, zc",
  );
});

Deno.test("plot says which rows it leaves out, and plots() gives those that can be made", () => {
  const trials = trialsWith(0, isRow(OF, 2));
  const picture = plot({ trials }, { kind: "crossover", measure: "rate" });
  assert(picture.figure.kind === "crossover");
  assertEquals(picture.figure.panels[0]!.series[0]!.points.map(({ x }) => x), [4000]);
  assertStringIncludes(
    picture.figure.notes.join(),
    "Not compared: 1 row. The measure rate of payload",
  );
  const zeros = { trials: trialsWith(0, ({ factors }) => factors.mode === "zc") };
  assertEquals(plots(zeros, { measure: "rate" }).map(({ kind }) => kind), ["throughput", "series"]);
  const negative = { trials: trialsWith(-1, ({ factors }) => factors.mode === "zc") };
  assertEquals(plots(negative, { measure: "rate" }).map(({ kind }) => kind), ["series"]);
  const none = { trials: trialsWith(NaN, () => true) };
  assertInstanceOf(assertThrows(() => plots(none, { measure: "rate" })), PlotError);
});
