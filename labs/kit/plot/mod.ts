/**
 * Plots: of results and of plain data, for the terminal, notebooks and files.
 *
 * @module
 */
export { type Bar, barPlot } from "./bar_plot.ts";
export type { CrossoverFigure } from "./crossover.ts";
export type { CrossoverMark, CrossoverPanel } from "./crossover_of_trials.ts";
export { type FigureHead, type PlotAxis, PlotError, type PlotKind } from "./figure.ts";
export type { IntervalPanel, IntervalPoint, IntervalSeries, PlainInterval } from "./intervals.ts";
export type { Figure, PlainData, PlainSeries } from "./kinds.ts";
export type { LatencyFigure } from "./latency.ts";
export type { Lifeline, LifelinesFigure } from "./lifelines.ts";
export type { SeriesFigure, SeriesMark, SeriesPoint } from "./series.ts";
export type { Spread } from "./scales.ts";
export type { ThroughputFigure } from "./throughput.ts";
export { formatChange, formatSi } from "./format.ts";
export {
  percentilePlot,
  type PercentilePlotOptions,
  type PercentilePoint,
  type PercentileSeries,
} from "./percentile_plot.ts";
export {
  type HasDocument,
  type HasTrials,
  Plot,
  plot,
  type PlotOptions,
  plots,
  type PlotSvgOptions,
  type Plottable,
  type PlotTextOptions,
} from "./plot.ts";
export type { TextPlotOptions } from "./text.ts";
export type { PlotTheme } from "./theme.ts";
export type { TrialPosition } from "./trials.ts";
