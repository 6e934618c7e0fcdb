/**
 * The C program and ours compared in one thing: an experiment whose baseline is C.
 *
 * Each comparison is an experiment of its own, so that the two sides run right after one another and
 * what makes the machine faster or slower meets both.
 *
 * @module
 */
import { median } from "simple-statistics";
import {
  compare,
  cross,
  experiment,
  noiseFloor,
  pairedRatio,
  type Ratio,
  type Trial,
} from "zclab/experiment";
import { mean } from "../labs/kit/statistics/bootstrap.ts";

/** Who does it. */
type Side = "C" | "zclab";

/** One run of one side. */
export type SideTrial = Trial<{ readonly side: Side }, { readonly value: number }>;

/** What ours divided by C's should be. */
export type Bar = { readonly least: number } | { readonly most: number };

/** What is compared. */
export interface Subject {
  /** What it is called. */
  readonly name: string;
  /** The unit of what it measures. */
  readonly unit: string;
  /** What the ratio should be; undefined where nothing was promised. */
  readonly bar?: Bar | undefined;
  /** How many rounds count. */
  readonly rounds: number;
  /** Runs the C program once. */
  c(): Promise<number>;
  /** Runs ours once. */
  ours(): number | Promise<number>;
}

/** How ours compares with C. */
export interface Ratios {
  /** Ours divided by C's. */
  readonly ratio: Ratio;
  /** The second runs of C in each round divided by the first: what the machine's noise looks like. */
  readonly noiseFloor: Ratio;
}

/** One line of the result. */
export interface Compared extends Ratios {
  readonly name: string;
  readonly unit: string;
  /** Median of the C program. */
  readonly c: number;
  /** Median of ours. */
  readonly zclab: number;
  /** What the ratio should be; undefined where nothing was promised. */
  readonly bar?: Bar | undefined;
}

/** What an experiment of C and ours came to. */
export interface Comparison extends Compared {
  /** The seed of the order. */
  readonly seed: number;
  /** Every run in the order in which it ran. */
  readonly trials: readonly SideTrial[];
}

/**
 * Compares.
 *
 * @param subject What, and how often.
 */
export async function compareWithC(subject: Subject): Promise<Comparison> {
  const { name, unit, bar, rounds } = subject;
  const { trials, seed } = await experiment({
    factors: cross({ side: ["C", "zclab"] }),
    control: { side: "C" },
    repeats: rounds,
    trial: async ({ side }) => ({ value: await (side === "C" ? subject.c() : subject.ours()) }),
  });
  const measure = "value";
  const sides = { measure, of: { side: "zclab" }, against: { side: "C" } } as const;
  return {
    name,
    unit,
    bar,
    c: median(counted(trials, "C", false).map(valueOf)),
    zclab: median(counted(trials, "zclab", false).map(valueOf)),
    ratio: compare(trials, sides)!,
    noiseFloor: noiseFloor(trials, { measure })!,
    seed,
    trials,
  };
}

/**
 * What comparisons come to together: the geometric mean over all of them.
 *
 * @param comparisons At least one, all of as many rounds.
 */
export function together(comparisons: readonly Comparison[]): Ratios {
  const means = (side: Side, control: boolean): number[] => {
    const trials = comparisons.flatMap((comparison) => counted(comparison.trials, side, control));
    return [...Map.groupBy(trials, ({ round }) => round).values()]
      .map((round) => Math.exp(mean(round.map((trial) => Math.log(valueOf(trial))))));
  };
  const c = means("C", false);
  return {
    ratio: pairedRatio(means("zclab", false), c),
    noiseFloor: pairedRatio(means("C", true), c),
  };
}

function counted(trials: readonly SideTrial[], side: Side, control: boolean): SideTrial[] {
  return trials.filter((trial) =>
    !trial.warmUp && trial.factors.side === side && trial.control === control
  );
}

function valueOf({ measures }: SideTrial): number {
  return measures.value;
}
