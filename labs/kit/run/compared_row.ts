/**
 * One row in two runs: does the second run say what the first one said?
 *
 * ## What is compared
 *
 * Absolute speeds differ between machines, and on one machine from hour to hour. What a lab claims
 * is an effect: a row against the baseline in the same round of the same run. So the verdict of a
 * row is about the ratio of the two effects, "the change": 1 if the effect is what it was. Within
 * each run the rounds are paired, between the runs nothing is. The logarithms of the ratios of the
 * rounds are compared by Welch's t interval (B. L. Welch, "The generalization of 'Student's'
 * problem when several different population variances are involved", Biometrika 34, 1947), its
 * degrees of freedom rounded down.
 *
 * - `differs`: the interval excludes 1 although it was widened for the number of comparisons
 *   (Bonferroni: 1 - 0.05 / comparisons instead of 95 %), and the change is more than
 *   {@linkcode MARGIN}.
 * - `agrees`: the 95 % interval lies within {@linkcode MARGIN} of 1 either way; or both runs see
 *   the effect go the same way, each with a 95 % interval that excludes 1, and the interval of the
 *   change includes 1 and stays within half of the smaller effect (of its logarithm: with effects
 *   of +100 % and +120 % the change must lie between −29 % and +41 %).
 * - `cannot tell`: anything else. The interval says how large a change may have gone unseen.
 *
 * The baseline itself has no effect. Its level is compared in the same way, but only between runs
 * of the same machine.
 *
 * ## How often that is right
 *
 * Simulated pairs of runs: 8 rows, noise that is normal on the logarithm of each trial and as much
 * again that a round shares. "False" is the part of pairs of the same thing that had any row that
 * "differs" (200 pairs each, 1000 at 10 % and nine rounds); "found" is how often a change of one
 * effect by 30 % was called.
 *
 * | noise | rounds | false | found |
 * |---|---|---|---|
 * | 3 % | 5 | 0 % | 100 % |
 * | 3 % | 9 | 0 % | 100 % |
 * | 10 % | 5 | 2.5 % | 27 % |
 * | 10 % | 9 | 3.3 % | 74 % |
 * | 30 % | 5 | 4.5 % | 3 % |
 *
 * Where one trial in ten took twice as long besides, 0 to 2 % were false, and at a noise of 3 % one
 * in six of the changes was found: more rounds do not help against such trials, a quiet machine does.
 *
 * ## Where the clock counted instructions
 *
 * Such a count is the same on any machine, so there are no effects and no intervals: each row is
 * compared by itself, by the smallest of its rounds: what is compiled in the middle of a trial only adds
 * to it. It is `identical`, or `agrees` within {@linkcode COUNT_MARGIN}, or `differs`.
 *
 * @module
 */
import { median } from "simple-statistics";
import { pairedRatio, type Ratio } from "../statistics/comparisons.ts";
import { studentQuantile } from "../statistics/distributions.ts";
import {
  baselineOf,
  logarithms,
  type Row,
  type RowDeclaration,
  type RowMeasure,
  type Rows,
} from "./run_rows.ts";
import { type Factors, hasFactors } from "../trials/trials.ts";

/** Effects that are no farther apart than by this ratio, either way, are the same: 10 %. */
export const MARGIN = 1.1;

/** Counts of instructions that are no farther apart than by this ratio, either way, agree: 0.5 %. */
export const COUNT_MARGIN = 1.005;

/** What a comparison comes to. */
export type Outcome = "identical" | "agrees" | "differs" | "cannot tell";

/** What one run says of one row and one measure. */
export interface RowLevel {
  /** The median of the measure over the rounds, in its unit; of counts of instructions the smallest. */
  readonly level: number;
  /** The row against its baseline; null for the baseline, and with fewer than two rounds. */
  readonly effect: Ratio | null;
}

/** A ratio between two runs with an interval; of counts of instructions, which have none, the ratio. */
export interface Change {
  /** What the second run has, divided by what the first one has. */
  readonly ratio: number;
  /** The lower end of the 95 % interval. */
  readonly low: number;
  /** The upper end of the 95 % interval. */
  readonly high: number;
  /** The ends of the interval that is widened for the number of comparisons. */
  readonly corrected: { readonly low: number; readonly high: number };
}

/** One row and one measure in two runs. */
export interface ComparedRow {
  /** The row. */
  readonly key: Factors;
  /** The measure. */
  readonly measure: RowMeasure;
  /** Whether it is a baseline, whose level is compared instead of an effect. */
  readonly isBaseline: boolean;
  /** What the first run says. */
  readonly first: RowLevel;
  /** What the second run says. */
  readonly second: RowLevel;
  /** The change of the effect, or of a baseline's level; null where it cannot be computed. */
  readonly change: Change | null;
  /** Whether the two agree. */
  readonly outcome: Outcome;
  /** Why, in a few words. */
  readonly why: string;
}

/** A row of both runs that only one of them can say something of. */
export interface UnmeasuredRow {
  /** The row. */
  readonly key: Factors;
  /** The measure. */
  readonly measure: RowMeasure;
  /** The run that has no counted value of it, or none of its baseline. */
  readonly missingIn: "first" | "second";
}

/** A row that both runs measured. */
export interface Measured extends Omit<ComparedRow, "change" | "outcome" | "why"> {
  /** The logarithms of what is compared, one for each round. */
  readonly values: readonly [first: readonly number[], second: readonly number[]];
}

/** Whether both runs measured a row. */
export function isMeasured(row: Measured | UnmeasuredRow): row is Measured {
  return "values" in row;
}

/** What the runs measured of a row; undefined where neither has anything to compare it with. */
export function measuredRow(
  one: Row,
  other: Row,
  measure: RowMeasure,
  before: Rows,
  after: Rows,
  rows: RowDeclaration,
  isCounted: boolean,
): Measured | UnmeasuredRow | undefined {
  const isBaseline = hasFactors(one.trials[0]!.factors, rows.baseline);
  const [first, second] = [
    levelOf(one, before, measure.name, rows, isBaseline, isCounted),
    levelOf(other, after, measure.name, rows, isBaseline, isCounted),
  ];
  if (first === undefined || second === undefined) {
    if (first === second) return undefined;
    return { key: one.key, measure, missingIn: first === undefined ? "first" : "second" };
  }
  return {
    key: one.key,
    measure,
    isBaseline,
    first: first.level,
    second: second.level,
    values: [first.values, second.values],
  };
}

function levelOf(
  row: Row,
  all: Rows,
  measure: string,
  rows: RowDeclaration,
  isBaseline: boolean,
  isCounted: boolean,
): { level: RowLevel; values: number[] } | undefined {
  const own = logarithms(row, measure);
  if (own.size === 0) return undefined;
  const values = [...own.values()].map(Math.exp);
  const level = isCounted ? Math.min(...values) : median(values);
  if (isBaseline) return { level: { level, effect: null }, values: [...own.values()] };
  const against = logarithms(baselineOf(row, all, rows), measure);
  if (against.size === 0) return undefined;
  const rounds = [...own.keys()].filter((round) => against.has(round)).sort((a, b) => a - b);
  const effect = rounds.length < 2 ? null : pairedRatio(
    rounds.map((round) => Math.exp(own.get(round)!)),
    rounds.map((round) => Math.exp(against.get(round)!)),
  );
  const ratios = rounds.map((round) => own.get(round)! - against.get(round)!);
  return { level: { level, effect }, values: ratios };
}

/** The verdict of a row that is one of so many comparisons. */
export function judged(
  { values, ...row }: Measured,
  comparisons: number,
  isSame: boolean,
): ComparedRow {
  const change = changeOf(values[0], values[1], comparisons);
  return { ...row, change, ...verdictOf(row, change, isSame) };
}

/** A count needs no interval: what differs by more than is left of chance, differs. */
export function judgedByCount({ values: _, ...row }: Measured): ComparedRow {
  const ratio = row.second.level / row.first.level;
  const change = { ratio, low: ratio, high: ratio, corrected: { low: ratio, high: ratio } };
  if (ratio === 1) return { ...row, change, outcome: "identical", why: "same number" };
  if (ratio <= COUNT_MARGIN && ratio >= 1 / COUNT_MARGIN) {
    return { ...row, change, outcome: "agrees", why: "within 0.5 %" };
  }
  const better = ratio > 1 === (row.measure.better === "higher");
  return { ...row, change, outcome: "differs", why: better ? "better" : "worse" };
}

function verdictOf(
  { isBaseline, first, second, measure }: Omit<Measured, "values">,
  change: Change | null,
  isSame: boolean,
): { outcome: Outcome; why: string } {
  if (isBaseline && !isSame) return { outcome: "cannot tell", why: "other machine" };
  if (change === null) return { outcome: "cannot tell", why: "one round" };
  const { ratio, low, high, corrected } = change;
  if (low >= 1 / MARGIN && high <= MARGIN) return { outcome: "agrees", why: "within 10 %" };
  const isBeyond = ratio > MARGIN || ratio < 1 / MARGIN;
  if (isBeyond && (corrected.low > 1 || corrected.high < 1)) {
    const better = ratio > 1 === (measure.better === "higher");
    return { outcome: "differs", why: better ? "better" : "worse" };
  }
  const way = wayOf(first.effect);
  if (way !== 0 && way === wayOf(second.effect)) {
    const [one, other] = [Math.log(first.effect!.ratio), Math.log(second.effect!.ratio)];
    const half = Math.min(Math.abs(one), Math.abs(other)) / 2;
    const isUnseen = low <= 1 && high >= 1;
    if (isUnseen && Math.log(low) >= -half && Math.log(high) <= half) {
      return { outcome: "agrees", why: "same direction" };
    }
  }
  return { outcome: "cannot tell", why: "noise" };
}

/** 1 if an effect is seen to be above 1, -1 if below, 0 if no effect is seen. */
function wayOf(effect: Ratio | null): number {
  return effect === null ? 0 : effect.low > 1 ? 1 : effect.high < 1 ? -1 : 0;
}

/** The ratio of two geometric means, with Welch's interval. */
function changeOf(
  first: readonly number[],
  second: readonly number[],
  comparisons: number,
): Change | null {
  if (first.length < 2 || second.length < 2) return null;
  const [a, b] = [spreadOf(first), spreadOf(second)];
  const squared = a.squaredError + b.squaredError;
  const degrees = squared === 0
    ? first.length + second.length - 2
    : squared ** 2 / (a.squaredError ** 2 / (first.length - 1) +
      b.squaredError ** 2 / (second.length - 1));
  const center = b.mean - a.mean;
  const interval = (tails: number): { low: number; high: number } => {
    // A rounding error must not make one degree of freedom of what are exactly two.
    const reach = studentQuantile(Math.max(1, Math.floor(degrees + 1e-9)), tails) *
      Math.sqrt(squared);
    return { low: Math.exp(center - reach), high: Math.exp(center + reach) };
  };
  return {
    ratio: Math.exp(center),
    ...interval(0.05),
    corrected: interval(0.05 / Math.max(1, comparisons)),
  };
}

function spreadOf(values: readonly number[]): { mean: number; squaredError: number } {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { mean, squaredError: squares / (values.length - 1) / values.length };
}
