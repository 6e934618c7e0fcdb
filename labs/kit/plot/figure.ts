/**
 * What all figures have. A figure is what a plot shows, before it is drawn: plain data, checked, in
 * the units that the axes name.
 *
 * @module
 */

/** The kinds of plots. */
export const PLOT_KINDS: readonly PlotKind[] = [
  "throughput",
  "latency",
  "series",
  "lifelines",
  "crossover",
  "flame",
  "changes",
];

/** The kind of a plot. */
export type PlotKind =
  | "throughput"
  | "latency"
  | "series"
  | "lifelines"
  | "crossover"
  | "flame"
  | "changes";

/** A plot is not possible from what was given. The message says what is missing. */
export class PlotError extends Error {
  /** The name of the class. */
  override readonly name = "PlotError";
}

/** What an axis shows. */
export interface PlotAxis {
  /** In words, such as `payload`. */
  readonly label: string;
  /** The unit: a symbol such as `s` or `B/s`, a word such as `bytes`, or nothing. */
  readonly unit: string;
}

/** What every figure has. */
export interface FigureHead {
  /** What the plot shows. */
  readonly title: string;
  /** How it was measured and what the marks mean. */
  readonly subtitle: string;
  /** What a reader must know beside that, such as what was left out. */
  readonly notes: readonly string[];
}
