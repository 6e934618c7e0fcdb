/**
 * Plots: of results and of plain data, for the terminal, notebooks and files.
 *
 * @module
 */
export { type Bar, barPlot } from "./bar_plot.ts";
export {
  type CrossoverFigure,
  type CrossoverMark,
  type Figure,
  type FigureHead,
  type IntervalPanel,
  type IntervalPoint,
  type IntervalSeries,
  type LatencyFigure,
  type Lifeline,
  type LifelinesFigure,
  type PlotAxis,
  PlotError,
  type PlotKind,
  type SeriesFigure,
  type SeriesMark,
  type SeriesPoint,
  type ThroughputFigure,
} from "./figure.ts";
export { formatChange, formatSi } from "./format.ts";
export {
  percentilePlot,
  type PercentilePlotOptions,
  type PercentilePoint,
  type PercentileSeries,
} from "./percentile_plot.ts";
export type { PlainData, PlainInterval, PlainSeries } from "./plain.ts";
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
export type { TextPlotOptions } from "./text_options.ts";
export type { PlotTheme } from "./theme.ts";
export type { TrialPosition } from "./trials.ts";
