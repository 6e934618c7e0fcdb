/**
 * What a plot shows, before it is drawn: plain data, checked, in the units that the axes name.
 *
 * @module
 */
import type { PercentilePoint } from "./percentile_plot.ts";

/** The kinds of plots. */
export const PLOT_KINDS: readonly PlotKind[] = [
  "throughput",
  "latency",
  "series",
  "lifelines",
  "crossover",
];

/** The kind of a plot. */
export type PlotKind = "throughput" | "latency" | "series" | "lifelines" | "crossover";

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

/** A value at a place, with its interval. */
export interface IntervalPoint {
  /** Where it stands; null where there is no such axis. */
  readonly x: number | null;
  /** The value. */
  readonly value: number;
  /** The lower end of its interval; the value itself where none is known. */
  readonly low: number;
  /** The upper end of its interval. */
  readonly high: number;
}

/** Values of the same kind, for `throughput` and `crossover`. */
export interface IntervalSeries {
  /** What stands at the line's end. */
  readonly label: string;
  /** The values, by x. */
  readonly points: readonly IntervalPoint[];
}

/** One panel of a figure with intervals. */
export interface IntervalPanel {
  /** What stands above it; empty where there is one panel. */
  readonly title: string;
  /** What is drawn in it. */
  readonly series: readonly IntervalSeries[];
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

/** Values with intervals by size and way. */
export interface ThroughputFigure extends FigureHead {
  /** The kind. */
  readonly kind: "throughput";
  /** The axis of the sizes; absent where nothing is a size, and each series has one value. */
  readonly x?: PlotAxis;
  /** The axis of the values. */
  readonly y: PlotAxis;
  /** Every series, in the order of its colour. */
  readonly labels: readonly string[];
  /** Which of them is the baseline. */
  readonly baseline?: string;
  /** The panels from top to bottom. */
  readonly panels: readonly IntervalPanel[];
}

/** Percentiles of distributions. */
export interface LatencyFigure extends FigureHead {
  /** The kind. */
  readonly kind: "latency";
  /** The axis of the values. */
  readonly y: PlotAxis;
  /** Every series, in the order of its colour. */
  readonly labels: readonly string[];
  /** Which of them is the baseline. */
  readonly baseline?: string;
  /** The panels from top to bottom. */
  readonly panels: readonly {
    readonly title: string;
    readonly series: readonly {
      readonly label: string;
      readonly points: readonly PercentilePoint[];
    }[];
  }[];
}

/** What a point of a series is: it counts, it warmed up, or it is the baseline's second run. */
export type SeriesMark = "counted" | "warm-up" | "control";

/** One point of a series. */
export interface SeriesPoint {
  /** When: seconds from the start of the series. */
  readonly at: number;
  /** The value. */
  readonly value: number;
  /** What it is; `counted` unless given. */
  readonly mark?: SeriesMark;
  /** Whether it is an outlier, which is marked and kept. */
  readonly outlier?: boolean;
}

/** A measure over time. */
export interface SeriesFigure extends FigureHead {
  /** The kind. */
  readonly kind: "series";
  /** The axis of the values. */
  readonly y: PlotAxis;
  /** Whether the values are ratios to the median of their combination. */
  readonly relative: boolean;
  /** Which panel shows the baseline. */
  readonly baseline?: string;
  /** One panel for each series, from top to bottom. */
  readonly panels: readonly {
    readonly title: string;
    readonly points: readonly Required<SeriesPoint>[];
    /** The median of what counts. */
    readonly centre: number;
  }[];
}

/** The life of one request or notifier. All times are seconds on one clock. */
export interface Lifeline {
  /** What stands beside it, such as `request 3`. */
  readonly label: string;
  /** When it was submitted. */
  readonly submitted: number;
  /** When its data was sent: the first completion; null if that has not come. */
  readonly sent: number | null;
  /** When the kernel let go of its memory: the notification; null if that has not come. */
  readonly released: number | null;
  /** Whether the kernel copied after all; null where it does not say. */
  readonly copied: boolean | null;
}

/** Life lines of zero-copy sends. */
export interface LifelinesFigure extends FigureHead {
  /** The kind. */
  readonly kind: "lifelines";
  /** From top to bottom, in seconds from the first submission. */
  readonly lines: readonly Lifeline[];
}

/** Where a series begins to be better than the baseline. */
export interface CrossoverMark {
  /** The series. */
  readonly label: string;
  /** From this size on it is better at every size measured; absent where it is not. */
  readonly from?: number;
  /** The next smaller size measured, where it is not better; absent if `from` is the smallest. */
  readonly above?: number;
  /** Where the ratio passes 1, by interpolation. */
  readonly estimate?: number;
}

/** Ratios against a baseline by size. */
export interface CrossoverFigure extends FigureHead {
  /** The kind. */
  readonly kind: "crossover";
  /** The axis of the sizes. */
  readonly x: PlotAxis;
  /** The axis of the ratios. */
  readonly y: PlotAxis;
  /** What it is compared with. */
  readonly baseline: string;
  /** What being better is called, such as `faster`. */
  readonly better: string;
  /** Every series, in the order of its colour. */
  readonly labels: readonly string[];
  /** The panels from top to bottom. */
  readonly panels: readonly (IntervalPanel & {
    /** The baseline against itself. */
    readonly floor: readonly IntervalPoint[];
    /** Where each series becomes better. */
    readonly crossings: readonly CrossoverMark[];
  })[];
}

/** What a plot shows. */
export type Figure =
  | ThroughputFigure
  | LatencyFigure
  | SeriesFigure
  | LifelinesFigure
  | CrossoverFigure;
