/**
 * The rows of a lab's table from its trials: what each combination comes to, and how it compares with
 * the baseline, corrected for there being many comparisons.
 *
 * @module
 */
import {
  type Factors,
  hasFactors,
  type Measure,
  type Measures,
  type Trial,
} from "../trials/trials.ts";
import { words } from "../plot/names.ts";
import type { RowDeclaration } from "../run/run_rows.ts";
import type { RunTable } from "../run/run_table.ts";
import type { RunDocument } from "../run/run_document.ts";
import { compareTable, type CompareTableOptions } from "../statistics/compare_all.ts";
import { noiseFloor, type Ratio } from "../statistics/comparisons.ts";
import { medianInterval } from "../statistics/intervals.ts";
import {
  type Columns,
  comparedColumns,
  isDerived,
  type Row,
  rowOf,
  verdictColumns,
  wordsOf,
} from "./columns.ts";

/** A row against its baseline in one measure; for the baseline, its second runs against its first. */
export type RowComparison = {
  /** The geometric mean of the ratios of the rounds. */
  readonly ratio: number;
  /** The ends of its 95 % interval. */
  readonly low: number;
  readonly high: number;
  /** Whether a difference was seen, corrected for the number of comparisons. */
  readonly difference: "higher" | "lower" | "none" | "baseline";
  /** The same in a sentence. */
  readonly verdict: string;
};

/** A row, compared. */
export interface LabRow<F extends Factors = Factors, M extends Measures = Measures> {
  /** The combination. */
  readonly factors: F;
  /** What its rounds come to. */
  readonly row: Row<F, M>;
  /** By the name of the column; null where fewer than two rounds have both. */
  readonly comparisons: { readonly [column: string]: RowComparison | null };
  /** What it proves; null for nothing. */
  readonly proof: string | null;
}

/** What rows are made from. */
export interface Rows<F extends Factors, M extends Measures> {
  /** What the other rows are compared with. */
  readonly baseline: Partial<F>;
  /** Factors that part the rows into questions of their own; all are corrected together. */
  readonly within: readonly (string & keyof F)[];
  /** The columns. */
  readonly columns: Columns<Row<F, M>>;
  /** What a row proves. */
  readonly proof?: ((row: Row<F, M>) => string | null) | undefined;
  /** What replaces factors that name something of a machine, for `--compare`. */
  readonly normalised?: ((factors: Factors) => Factors) | undefined;
  /** What a combination is called in a verdict. */
  readonly called?: ((factors: F) => string) | undefined;
  /** What gives trials that an earlier version wrote the measures that they have today. */
  readonly earlier?:
    | ((trials: readonly Trial[], document: RunDocument) => readonly Trial[])
    | undefined;
}

/**
 * Makes the rows.
 *
 * @param rows How.
 * @param trials All trials of the experiment.
 * @param combinations The combinations in the order of the table. One without a counted trial, in a
 *   run that was stopped, has no row.
 * @param seed Of the intervals.
 */
export function makeRows<F extends Factors, M extends Measures>(
  rows: Rows<F, M>,
  trials: readonly Trial<F, M>[],
  combinations: readonly F[],
  seed: number,
): LabRow<F, M>[] {
  const { columns, proof } = rows;
  const compared = comparisonsBy(rows, trials, seed);
  return combinations.flatMap((factors) => {
    const own = trials.filter((trial) => hasFactors(trial.factors, factors));
    if (!own.some(({ warmUp, control }) => !warmUp && !control)) return [];
    const row = rowOf(columns, factors, own);
    const comparisons = Object.fromEntries(
      compared.map(([name, of]) => [name, of(factors)]),
    );
    return [{ factors, row, comparisons, proof: proof?.(row) ?? null }];
  });
}

/** What the table of a lab compares: all columns with a verdict, corrected together. */
export function tableOptions<F extends Factors, M extends Measures>(
  { baseline, within, columns, called }: Rows<F, M>,
): CompareTableOptions<F> {
  return {
    measures: verdictColumns(columns).map((column) => {
      const { subject, ...directions } = wordsOf(column);
      return {
        measure: column.measure,
        words: {
          ...directions,
          ...(called === undefined ? {} : { subject: called }),
          // The measure may be what is faster, and not the way.
          ...(subject === undefined ? {} : { subject: () => subject }),
        },
      };
    }),
    against: baseline,
    within,
  };
}

/** Compares all combinations; a function for each column gives the comparison of each. */
function comparisonsBy<F extends Factors, M extends Measures>(
  rows: Rows<F, M>,
  trials: readonly Trial<F, M>[],
  seed: number,
): (readonly [column: string, of: (factors: F) => RowComparison | null])[] {
  const found = compareTable(trials, { ...tableOptions(rows), seed });
  return verdictColumns(rows.columns).map(({ name, measure }, index) => {
    const of = (factors: F): RowComparison | null => {
      if (hasFactors(factors, rows.baseline)) {
        return asBaseline(noiseFloor(trials, { measure, at: factors, seed }));
      }
      const one = found[index]!.find((row) => hasFactors(row.factors, factors));
      if (one === undefined) return null;
      const { ratio, low, high } = one.comparison;
      const { difference, text } = one.verdict;
      return { ratio, low, high, difference, verdict: text };
    };
    return [name, of] as const;
  });
}

function asBaseline(floor: Ratio | undefined): RowComparison | null {
  if (floor === undefined) return null;
  const { ratio, low, high } = floor;
  return { ratio, low, high, difference: "baseline", verdict: "the baseline, against itself" };
}

/**
 * The rows as a document has them: factors, columns, intervals of the columns that are compared,
 * comparisons, and the proof.
 */
export function summaryOf<F extends Factors, M extends Measures>(
  { columns }: Rows<F, M>,
  rows: readonly LabRow<F, M>[],
  trials: readonly Trial<F, M>[],
  seed: number,
): Measures[] {
  const compared = verdictColumns(columns);
  return rows.map(({ factors, row, comparisons, proof }) => {
    const summary: Record<string, Measure> = { ...factors };
    for (const name of Object.keys(columns)) summary[name] = row[name] ?? null;
    for (const { name, measure } of compared) {
      summary[`${name}Interval`] = intervalOf(trials, factors, measure, seed);
    }
    if (compared.length > 0) summary["comparisons"] = comparisons;
    summary["proof"] = proof;
    return summary;
  });
}

/** The interval of the median, the same that the table shows. */
export function intervalOf<F extends Factors, M extends Measures>(
  trials: readonly Trial<F, M>[],
  factors: F,
  measure: string,
  seed: number,
): { readonly low: number; readonly high: number } | null {
  const values = trials.filter((trial) =>
    !trial.warmUp && !trial.control && hasFactors(trial.factors, factors)
  ).map(({ measures }) => measures[measure]).filter((value) => typeof value === "number");
  if (values.length === 0) return null;
  const { low, high } = medianInterval(values, { seed });
  return { low, high };
}

/** How the rows are to be read, for the document. */
export function runTableOf<F extends Factors, M extends Measures>(
  title: string,
  factorTitles: {
    readonly [name: string]: string | { readonly title?: string } | undefined;
  },
  { baseline, within, columns }: Rows<F, M>,
  combinations: readonly F[],
): RunTable {
  const names = [...new Set(combinations.flatMap((factors) => Object.keys(factors)))];
  const oneLine = (text: string): string => text.replaceAll("\n", " ");
  return {
    title,
    factors: names.map((name) => {
      const declared = factorTitles[name];
      const title = typeof declared === "string" ? declared : declared?.title;
      return { name, title: oneLine(title ?? words(name)) };
    }),
    baseline: baseline as Factors,
    within,
    columns: Object.entries(columns).map(([name, column]) => ({
      name,
      measure: isDerived(column) ? null : column.of ?? name,
      title: oneLine(column.title),
      unit: column.unit ?? "",
      better: isDerived(column) ? null : column.better ?? null,
      evidence: column.evidence ?? false,
      verdict: !isDerived(column) && column.verdict === true,
      ratio: column.isRatio ?? false,
    })),
  };
}

/** How two runs of the lab are compared: by the same columns, baseline and proof. */
export function rowDeclarationOf<F extends Factors, M extends Measures>(
  { baseline, within, columns, proof, normalised, earlier = (trials) => trials }: Rows<F, M>,
): RowDeclaration {
  return {
    measures: comparedColumns(columns).map(({ measure, title, unit, better }) => ({
      name: measure,
      title: title.replaceAll("\n", " "),
      // A rate says its unit in its title.
      ...(unit === undefined || unit.includes("/") ? {} : { unit }),
      better: better ?? "higher",
    })),
    baseline: baseline as Factors,
    within,
    ...(normalised === undefined ? {} : { normalised }),
    ...(proof === undefined ? {} : {
      proof: (trials, document) => {
        const own = earlier(trials, document) as readonly Trial<F, M>[];
        if (!own.some(({ warmUp, control }) => !warmUp && !control)) return null;
        return proof(rowOf(columns, own[0]!.factors, own));
      },
    }),
  };
}
