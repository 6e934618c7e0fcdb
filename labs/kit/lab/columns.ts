/**
 * The columns of a lab's table: what stands in them, in which unit, how the rounds are summed up, and
 * what they are good for. The table, the verdicts, the report, the plots and `--compare` read this.
 *
 * @module
 */
import { median } from "simple-statistics";
import type { Factors, Measure, Measures, Trial } from "../trials/trials.ts";
import { Durations, isDistribution } from "../statistics/durations.ts";
import type { TextStyle } from "../text/table.ts";

/**
 * How the rounds of a combination become one value: the median of numbers, their sum, the smallest,
 * the largest; `every`: whether it was true in all rounds; `same`: the value if all rounds have the
 * same, else null; a percentile of the {@linkcode Durations} of all rounds taken together, in seconds
 * unless it is multiplied with something, null where they are too few to tell.
 */
export type Over =
  | "median"
  | "sum"
  | "minimum"
  | "maximum"
  | "every"
  | "same"
  | { readonly percentile: number; readonly times?: number };

/** What every column has. */
export interface ColumnBase {
  /** The heading, which may have several lines. */
  readonly title: string;
  /**
   * The unit of its numbers: a symbol such as `s`, `B` or `B/s`; `%` shows the fraction 0.5 as `50 %`.
   * Nothing for a plain number.
   */
  readonly unit?: string;
  /**
   * One prefix of the unit for all its numbers: it stands in the heading and not in every cell.
   *
   * @default {what each number needs}
   */
  readonly prefix?: "n" | "µ" | "m" | "k" | "M" | "G";
  /**
   * Digits behind the point of its numbers.
   *
   * @default {1 with a prefix for all; else as many as three significant digits need, with a prefix such as k where it is large}
   */
  readonly decimals?: number;
  /**
   * Whether its numbers are ratios, shown as changes: 1.21 as `+21 %`. Ratios of rates have the unit of
   * a rate, such as `/s`: where the clock counts instructions they are turned round.
   *
   * @default {false}
   */
  readonly isRatio?: boolean;
  /**
   * Whether it is evidence of what happened to the data, such as a count by the kernel, rather than
   * a result.
   *
   * @default {false}
   */
  readonly evidence?: boolean;
  /**
   * Whether the table shows it: always, only where there is room, or never. The document has it.
   *
   * @default {"always"}
   */
  readonly shown?: "always" | "where there is room" | "never";
}

/** A column of what the trials measured. */
export interface MeasureColumn extends ColumnBase {
  /**
   * The measure.
   *
   * @default {the name of the column}
   */
  readonly of?: string;
  /**
   * How the rounds become one value.
   *
   * @default {"median" for numbers, "every" for booleans, else "same"}
   */
  readonly over?: Over;
  /**
   * The rounds that count for it: evidence may come from the warm-up alone.
   *
   * @default {"counted"}
   */
  readonly rounds?: "counted" | "warm-up" | "all";
  /** Which way is better; without it neither is. */
  readonly better?: "higher" | "lower";
  /**
   * Whether rows are compared with the baseline by it: in the table, and, as all that `--compare`
   * looks at, between two runs. `"between runs"` means only the latter.
   *
   * @default {false}
   */
  readonly verdict?: boolean | "between runs";
  /**
   * Whether the table shows the interval of each comparison: always, or only where there is room, for
   * tables of many columns; the verdicts tell it as well.
   *
   * @default {"always", but where there is room if several columns are compared}
   */
  readonly interval?: "always" | "where there is room";
  /**
   * What more and less of it is called, and what it is that is more or less, such as `its CPU time`.
   *
   * @default {{ higher: "faster", lower: "slower" }, and what is compared with the baseline; where
   *   less is better, { higher: "higher", lower: "lower" }, and the title}
   */
  readonly words?: { readonly higher: string; readonly lower: string; readonly subject?: string };
}

/** A column that follows from the others. */
export interface DerivedColumn<Row> extends ColumnBase {
  /**
   * Its value. A list or an object stands in documents alone: no table shows it.
   *
   * @param row The row: its factors, and its measures summed up.
   */
  readonly value: (row: Row) => Measure;
  /** How a cell stands out. It must not be the only carrier of a meaning. */
  readonly style?: (row: Row) => TextStyle | undefined;
}

/** The column of a factor. */
export interface FactorColumn<F extends Factors> {
  /**
   * The heading, which may have several lines.
   *
   * @default {the name of the factor, as words}
   */
  readonly title?: string;
  /**
   * What stands in it, which may tell other factors as well.
   *
   * @default {the value of the factor}
   */
  readonly value?: (factors: F) => string | number | boolean | null;
  /**
   * Whether the table shows it, where it varies: always, only where there is room, or never.
   *
   * @default {"always"}
   */
  readonly shown?: "always" | "where there is room" | "never";
}

/** A row of the table: a combination, and what its rounds come to. */
export type Row<F extends Factors = Factors, M extends Measures = Measures> =
  & Readonly<F>
  & Readonly<M>
  & Measures;

/** One column. */
export type Column<R = Row> = MeasureColumn | DerivedColumn<R>;

/** The columns of a lab by name: the name of a measure, or one of its own. */
export type Columns<R = Row> = { readonly [name: string]: Column<R> };

/** Whether a column follows from the others. */
export function isDerived<R>(column: Column<R>): column is DerivedColumn<R> {
  return "value" in column;
}

/** A column by which rows are compared, with its name and its measure. */
export type ComparedColumn = MeasureColumn & { readonly name: string; readonly measure: string };

/** What more and less of a column is called, and what it is, where that is not what is compared. */
export function wordsOf(
  { words, better, title }: MeasureColumn,
): NonNullable<MeasureColumn["words"]> {
  if (words !== undefined) return words;
  // What should be low need not be a time.
  return better === "lower"
    ? { higher: "higher", lower: "lower", subject: title.replaceAll("\n", " ") }
    : { higher: "faster", lower: "slower" };
}

/** The columns with a verdict in the table. */
// deno-lint-ignore no-explicit-any -- any kind of row
export function verdictColumns(columns: Columns<any>): ComparedColumn[] {
  return comparedColumns(columns).filter(({ verdict }) => verdict === true);
}

/** The columns by which rows are compared, in the table or only between two runs. */
// deno-lint-ignore no-explicit-any -- any kind of row
export function comparedColumns(columns: Columns<any>): ComparedColumn[] {
  return Object.entries(columns).flatMap(([name, column]) =>
    isDerived(column) || !column.verdict ? [] : [{ ...column, name, measure: column.of ?? name }]
  );
}

/**
 * What the trials of one combination come to.
 *
 * @param columns The lab's columns.
 * @param factors The combination.
 * @param trials Its trials, warm-up included; controls are not counted.
 * @returns The row: the factors, every measure, and the columns under their own names.
 * @throws {TypeError} If a column names a measure that the trials do not have.
 */
export function rowOf<F extends Factors, M extends Measures>(
  columns: Columns<Row<F, M>>,
  factors: F,
  trials: readonly Trial<F, M>[],
): Row<F, M> {
  const own = trials.filter(({ control }) => !control);
  const names = new Set(own.flatMap(({ measures }) => Object.keys(measures)));
  const row: Record<string, Measure> = {};
  for (const name of names) row[name] = summedUp(own, name, {});
  for (const [name, column] of Object.entries(columns)) {
    if (isDerived(column)) continue;
    row[name] = summedUp(own, column.of ?? name, column);
  }
  Object.assign(row, factors);
  for (const [name, column] of Object.entries(columns)) {
    if (isDerived(column)) row[name] = column.value(row as Row<F, M>);
  }
  return row as Row<F, M>;
}

/**
 * Makes sure that the measures can stand in a table, and that the columns name some that there are.
 *
 * @throws {TypeError} If a measure is a list or an object, or a column names one that is not there; the
 *   message says which measures there are.
 */
export function requireMeasuresOf<R>(columns: Columns<R>, measures: Measures): void {
  for (const [name, value] of Object.entries(measures)) {
    if (typeof value !== "object" || value === null) continue;
    throw new TypeError(
      `The measure ${name} is ${
        Array.isArray(value) ? "a list" : "an object"
      }. What a trial returns ` +
        "are numbers, texts, true, false and null. What to do: return one measure for each value, or " +
        "a Durations' measures() for a distribution",
    );
  }
  for (const [name, column] of Object.entries(columns)) {
    if (isDerived(column)) continue;
    const measure = column.of ?? name;
    if (Object.hasOwn(measures, measure)) continue;
    throw new TypeError(
      `The column ${name} shows the measure ${measure}, and the trial has none of that name. It has ` +
        Object.keys(measures).join(", "),
    );
  }
}

function summedUp(
  trials: readonly Trial[],
  measure: string,
  { over, rounds = "counted" }: Pick<MeasureColumn, "over" | "rounds">,
): Measure {
  const values = trials
    .filter(({ warmUp }) => rounds === "all" || warmUp === (rounds === "warm-up"))
    .map(({ measures }) => measures[measure] ?? null);
  if (values.length === 0) return null;
  const known = values.filter((value) => value !== null);
  const numbers = known.filter((value) => typeof value === "number");
  const areNumbers = known.length > 0 && numbers.length === known.length;
  if (typeof over === "object") {
    const seconds = Durations.merged(known.filter(isDistribution)).percentile(over.percentile);
    return seconds === null ? null : seconds * (over.times ?? 1);
  }
  switch (over ?? (areNumbers ? "median" : typeof known[0] === "boolean" ? "every" : "same")) {
    case "median":
      return numbers.length === 0 ? null : median(numbers);
    case "minimum":
      return numbers.length === 0 ? null : Math.min(...numbers);
    case "maximum":
      return numbers.length === 0 ? null : Math.max(...numbers);
    case "sum":
      // What one round does not know, the sum does not either.
      return numbers.length < values.length ? null : numbers.reduce((sum, value) => sum + value, 0);
    case "every":
      return known.length === 0 ? null : known.every((value) => value === true);
    case "same": {
      const first = JSON.stringify(values[0]);
      return values.every((value) => JSON.stringify(value) === first) ? values[0]! : null;
    }
  }
}
