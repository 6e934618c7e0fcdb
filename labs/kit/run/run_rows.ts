/**
 * The rows of a run: what a lab says of them, and the trials of each.
 *
 * @module
 */
import type { Clock } from "../trials/clock.ts";
import type { RunDocument } from "./run_document.ts";
import { type Factor, type Factors, hasFactors, type Trial } from "../trials/trials.ts";

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
  /**
   * How runs are compared whose clock counted instructions.
   *
   * @default {as all others}
   */
  readonly counted?: RowDeclaration;
}

/**
 * How runs by a clock are compared.
 *
 * @param clock What it counted.
 * @param declaration How the lab's runs are compared.
 */
export function declarationFor(clock: Clock, declaration: RowDeclaration): RowDeclaration {
  return clock === "time" ? declaration : declaration.counted ?? declaration;
}

/** The trials of one row. */
export interface Row {
  readonly key: Factors;
  readonly trials: readonly Trial[];
}

/** Rows by their keys, as text. */
export type Rows = ReadonlyMap<string, Row>;

/** The rows of a run by their keys, sorted: trials ran in random order. */
export function rowsOf(
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

/** The row of a run that a row of it is compared with. */
export function baselineOf(
  row: Row,
  all: Rows,
  { baseline, within }: RowDeclaration,
): Row | undefined {
  const factors = row.trials[0]!.factors;
  const wanted: Factors = {
    ...Object.fromEntries(within.map((name) => [name, factors[name] ?? null])),
    ...baseline,
  };
  return [...all.values()].find(({ trials }) => hasFactors(trials[0]!.factors, wanted));
}

/** The logarithms of a measure by round; null where it was not measured or has no logarithm. */
export function logarithms(row: Row | undefined, measure: string): Map<number, number> {
  const values = new Map<number, number>();
  for (const { warmUp, round, measures } of row?.trials ?? []) {
    const value = measures[measure];
    if (!warmUp && typeof value === "number" && value > 0) values.set(round, Math.log(value));
  }
  return values;
}
