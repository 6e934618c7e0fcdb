/**
 * Two runs of the same lab, compared row by row: does the second one say what the first one said?
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
 * The proof (copied or not copied) is no statistic: any change there is a difference.
 *
 * @module
 */
import { ExplainedError } from "../../../ffi/kernel/errors.ts";
import { median } from "simple-statistics";
import { pairedRatio, type Ratio } from "../statistics/comparisons.ts";
import { studentQuantile } from "../statistics/distributions.ts";
import { partOf, type RunDocument } from "./run_document.ts";
import { isSameMachine, type RunDifference, runDifferences } from "./run_differences.ts";
import {
  describeFactors,
  type Factor,
  type Factors,
  hasFactors,
  type Trial,
} from "../experiment/trials.ts";

/** Effects that are no farther apart than by this ratio, either way, are the same: 10 %. */
export const MARGIN = 1.1;

/** A measure by which rows are compared. */
export interface RowMeasure {
  /** The name in the trials' measures. Its values are positive. */
  readonly name: string;
  /** What it is called in a table, such as `datagrams/s`. */
  readonly title: string;
  /** The unit of its values where the title does not say it, such as `s`. */
  readonly unit?: string;
  /** Which way is better. */
  readonly better: "higher" | "lower";
}

/** How the runs of a lab are compared: every {@linkcode Lab} may have one. */
export interface RowDeclaration {
  /**
   * The factors by which a row is found again in another run, in the order in which they are
   * shown. Trials with the same values are one row.
   *
   * @default {all factors that the trials have}
   */
  readonly keys?: readonly string[];
  /**
   * Replaces values that name something of a machine, such as an address, by what they stand for,
   * so that rows of two machines are found to be the same.
   *
   * @default {(factors) => factors}
   */
  readonly normalised?: (factors: Factors) => Factors;
  /** The measures on which the lab gives its verdict. */
  readonly measures: readonly RowMeasure[];
  /** What the other rows are compared with in the same round: the factors that make a baseline. */
  readonly baseline: Factors;
  /** The factors that a row and its baseline have in common. */
  readonly within: readonly string[];
  /**
   * What the trials of one row prove, in a word or two, such as `"not copied"`; null where they
   * prove nothing. Two runs must give the same.
   *
   * @param trials The trials of the row, warm-up included, controls not.
   * @param document The whole run.
   */
  readonly proof?: (trials: readonly Trial[], document: RunDocument) => string | null;
}

/** What a comparison comes to. */
export type Outcome = "agrees" | "differs" | "cannot tell";

/** What one run says of one row and one measure. */
export interface RowLevel {
  /** The median of the measure over the rounds, in its unit. */
  readonly level: number;
  /** The row against its baseline; null for the baseline, and with fewer than two rounds. */
  readonly effect: Ratio | null;
}

/** A ratio between two runs with an interval. */
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

/** What a row proves, in two runs. */
export interface ComparedProof {
  /** The row. */
  readonly key: Factors;
  /** What the first run proves; null if nothing. */
  readonly first: string | null;
  /** What the second run proves; null if nothing. */
  readonly second: string | null;
  /** Whether they are the same; `cannot tell` if one of them proves nothing. */
  readonly outcome: Outcome;
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

/** Two runs of a lab, compared. */
export interface RunComparison {
  /** The lab. */
  readonly lab: string;
  /** What the runs depended on and do not have in common. */
  readonly differences: readonly RunDifference[];
  /** Whether both ran on the same machine, as far as their documents tell. */
  readonly isSameMachine: boolean;
  /** The proofs of the rows that prove something in at least one of the runs. */
  readonly proofs: readonly ComparedProof[];
  /** How far the first run had come, in a sentence; undefined if it is complete. */
  readonly firstPart: string | undefined;
  /** The same of the second run. */
  readonly secondPart: string | undefined;
  /** Each row that both runs have, first of the first measure, then of the next one. */
  readonly rows: readonly ComparedRow[];
  /** Rows that cannot be told because only one of the runs measured them. */
  readonly unmeasured: readonly UnmeasuredRow[];
  /** Rows that only the first run has. */
  readonly onlyFirst: readonly Factors[];
  /** Rows that only the second run has. */
  readonly onlySecond: readonly Factors[];
}

/** Two documents cannot be compared. */
export class ComparisonError extends ExplainedError {
  /** The name of the class. */
  override readonly name = "ComparisonError";
}

/**
 * Compares two runs of the same lab.
 *
 * @param first The run that the other one is compared with.
 * @param second The other one.
 * @param rows How the lab's runs are compared.
 * @returns What differs around the runs, what they prove, and each row that both have.
 * @throws {ComparisonError} If the runs are of different labs, or have no row in common although both
 *   are complete.
 *
 * @example
 * ```ts
 * import { compareRuns } from "zclab/experiment";
 * import { defineLab, runLab } from "zclab/lab";
 * import { assertEquals } from "@std/assert";
 *
 * const lab = defineLab({
 *   name: "example",
 *   title: "An example",
 *   description: "Zero copy is 30 % faster, always.",
 *   needs: [],
 *   options: {},
 *   factors: () => [{ mode: "copy" }, { mode: "zc" }],
 *   baseline: { mode: "copy" },
 *   trial: ({ mode }, _, { round }) => ({ rate: (mode === "zc" ? 130 : 100) + round / 10 }),
 *   columns: { rate: { title: "requests/s", better: "higher", verdict: true } },
 * });
 * const [first, second] = [await runLab(lab), await runLab(lab)];
 * const { rows } = compareRuns(first.document, second.document, lab.rows!);
 * assertEquals(rows.map((row) => row.outcome), ["agrees", "agrees"]);
 * ```
 */
export function compareRuns(
  first: RunDocument,
  second: RunDocument,
  rows: RowDeclaration,
): RunComparison {
  if (first.lab !== second.lab) {
    throw new ComparisonError(
      `One run is of ${first.lab}, the other one of ${second.lab}: only runs of the same lab can ` +
        "be compared",
    );
  }
  const [before, after] = [rowsOf(first, rows), rowsOf(second, rows)];
  const common = [...before.keys()].filter((name) => after.has(name));
  if (common.length === 0 && first.complete && second.complete) {
    throw new ComparisonError(
      `The runs of ${first.lab} have no row in common: one has ${
        someRows(before)
      }, the other one ` +
        someRows(after),
    );
  }
  const pairs = common.map((name) => [before.get(name)!, after.get(name)!] as const);
  const isSame = isSameMachine(first.environment, second.environment);
  const measured: Measured[] = [];
  const unmeasured: UnmeasuredRow[] = [];
  for (const measure of rows.measures) {
    for (const [one, other] of pairs) {
      const row = measuredRow(one, other, measure, before, after, rows);
      if (row === undefined) continue;
      if (isMeasured(row)) measured.push(row);
      else unmeasured.push(row);
    }
  }
  const comparisons =
    measured.filter(({ isBaseline, values: [first, second] }) =>
      (!isBaseline || isSame) && first.length > 1 && second.length > 1
    ).length;
  const only = (of: Rows, other: Rows): Factors[] =>
    [...of].filter(([name]) => !other.has(name)).map(([, { key }]) => key);
  return {
    lab: first.lab,
    differences: runDifferences(first, second),
    isSameMachine: isSame,
    firstPart: partOf(first),
    secondPart: partOf(second),
    unmeasured,
    proofs: pairs.map(([one, other]) => comparedProof(one, other, first, second, rows))
      .filter(({ first, second }) => first !== null || second !== null),
    rows: measured.map((row) => judged(row, comparisons, isSame)),
    onlyFirst: only(before, after),
    onlySecond: only(after, before),
  };
}

/** The trials of one row. */
interface Row {
  readonly key: Factors;
  readonly trials: readonly Trial[];
}

type Rows = ReadonlyMap<string, Row>;

/** The rows of a run by their keys, sorted: trials ran in random order. */
function rowsOf(
  { trials }: RunDocument,
  declaration: RowDeclaration,
): Rows {
  const { baseline, normalised = (factors): Factors => factors } = declaration;
  const keys = declaration.keys ??
    [...new Set(trials.flatMap(({ factors }) => Object.keys(normalised(factors))))];
  const groups = new Map<string, { key: Factors; trials: Trial[] }>();
  for (const trial of trials) {
    if (trial.control) continue;
    const factors = normalised(trial.factors);
    const key = Object.fromEntries(keys.map((name) => [name, factors[name] ?? null]));
    const name = JSON.stringify(key);
    const group = groups.get(name);
    if (group === undefined) groups.set(name, { key, trials: [trial] });
    else group.trials.push(trial);
  }
  return new Map(
    [...groups].sort(([, { key: left }], [, { key: right }]) =>
      keys.map((name) => inOrder(left[name]!, right[name]!, baseline[name]))
        .find((order) => order !== 0) ?? 0
    ),
  );
}

/** The baseline first, numbers by size, words by the alphabet. */
function inOrder(left: Factor, right: Factor, baseline: Factor | undefined): number {
  if (left === right) return 0;
  if (left === baseline) return -1;
  if (right === baseline) return 1;
  if (typeof left === "number" && typeof right === "number") return left - right;
  return String(left) < String(right) ? -1 : 1;
}

function someRows(rows: Rows): string {
  const names = [...rows.values()].map(({ key }) => `(${describeFactors(key)})`);
  if (names.length === 0) return "no rows";
  return names.length > 3 ? `${names.slice(0, 3).join(", ")} and ${names.length - 3} more` : names
    .join(", ");
}

/** The logarithms of a measure by round; null where it was not measured or has no logarithm. */
function logarithms(row: Row | undefined, measure: string): Map<number, number> {
  const values = new Map<number, number>();
  for (const { warmUp, round, measures } of row?.trials ?? []) {
    const value = measures[measure];
    if (!warmUp && typeof value === "number" && value > 0) values.set(round, Math.log(value));
  }
  return values;
}

interface Measured extends Omit<ComparedRow, "change" | "outcome" | "why"> {
  /** The logarithms of what is compared, one for each round. */
  readonly values: readonly [first: readonly number[], second: readonly number[]];
}

function isMeasured(row: Measured | UnmeasuredRow): row is Measured {
  return "values" in row;
}

/** What the runs measured of a row; undefined where neither has anything to compare it with. */
function measuredRow(
  one: Row,
  other: Row,
  measure: RowMeasure,
  before: Rows,
  after: Rows,
  rows: RowDeclaration,
): Measured | UnmeasuredRow | undefined {
  const isBaseline = hasFactors(one.trials[0]!.factors, rows.baseline);
  const [first, second] = [
    levelOf(one, before, measure.name, rows, isBaseline),
    levelOf(other, after, measure.name, rows, isBaseline),
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
): { level: RowLevel; values: number[] } | undefined {
  const own = logarithms(row, measure);
  if (own.size === 0) return undefined;
  const level = median([...own.values()].map(Math.exp));
  if (isBaseline) return { level: { level, effect: null }, values: [...own.values()] };
  const against = logarithms(baselineOf(row, all, rows), measure);
  if (against.size === 0) return undefined;
  const rounds = [...own.keys()].filter((round) => against.has(round)).sort((a, b) => a - b);
  const effect = rounds.length < 2 ? null : pairedRatio(
    rounds.map((round) => Math.exp(own.get(round)!)),
    rounds.map((round) => Math.exp(against.get(round)!)),
  );
  const values = rounds.map((round) => own.get(round)! - against.get(round)!);
  return { level: { level, effect }, values };
}

function baselineOf(row: Row, all: Rows, { baseline, within }: RowDeclaration): Row | undefined {
  const factors = row.trials[0]!.factors;
  const wanted: Factors = {
    ...Object.fromEntries(within.map((name) => [name, factors[name] ?? null])),
    ...baseline,
  };
  return [...all.values()].find(({ trials }) => hasFactors(trials[0]!.factors, wanted));
}

function judged({ values, ...row }: Measured, comparisons: number, isSame: boolean): ComparedRow {
  const change = changeOf(values[0], values[1], comparisons);
  return { ...row, change, ...verdictOf(row, change, isSame) };
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

function comparedProof(
  one: Row,
  other: Row,
  firstRun: RunDocument,
  secondRun: RunDocument,
  { proof = (): null => null }: RowDeclaration,
): ComparedProof {
  const [first, second] = [proof(one.trials, firstRun), proof(other.trials, secondRun)];
  const outcome = first === null || second === null
    ? "cannot tell"
    : first === second
    ? "agrees"
    : "differs";
  return { key: one.key, first, second, outcome };
}
