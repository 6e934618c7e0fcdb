/**
 * How the rows of a run are to be read: which columns there are, in which unit, what is evidence and
 * what is compared. A declared lab writes it into its document, so that a report or a plot needs no
 * guess, and no lab.
 *
 * @module
 */
import type { Factors } from "../trials/trials.ts";

/** A column of the rows. */
export interface RunColumn {
  /** Its name in the rows. */
  readonly name: string;
  /** The measure of the trials that it sums up; null if it follows from other columns. */
  readonly measure: string | null;
  /** What it is called. */
  readonly title: string;
  /** The unit of its numbers, such as `s`, `B` or `B/s`; empty for a plain number. */
  readonly unit: string;
  /** Which way is better; null where neither is. */
  readonly better: "higher" | "lower" | null;
  /** Whether it is evidence of what happened to the data, rather than a result. */
  readonly evidence: boolean;
  /** Whether rows are compared with the baseline by it. */
  readonly verdict: boolean;
  /** Whether its numbers are ratios. */
  readonly ratio: boolean;
}

/** How the rows of a run are to be read. */
export interface RunTable {
  /** What the lab is about, in a line. */
  readonly title: string;
  /** The factors in the order of their columns. */
  readonly factors: readonly { readonly name: string; readonly title: string }[];
  /** What the other rows are compared with. */
  readonly baseline: Factors;
  /** The factors that part the comparisons into questions. */
  readonly within: readonly string[];
  /** The columns behind the factors. */
  readonly columns: readonly RunColumn[];
}

/** The measure by which rows are compared first, or the first result; undefined without a table. */
export function leadingColumn(table: RunTable | undefined): RunColumn | undefined {
  const measured = table?.columns.filter(({ measure }) => measure !== null);
  return measured?.find(({ verdict }) => verdict) ?? measured?.find(({ evidence }) => !evidence);
}
