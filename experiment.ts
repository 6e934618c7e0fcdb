/**
 * Experiments: trials in random order, repeated until their intervals are narrow; what their numbers
 * allow one to say; pictures of them, and documents that somebody else can repeat and compare.
 *
 * @example Is one way faster than the other?
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { compare, cross, experiment, noiseFloor, verdict } from "zclab/experiment";
 *
 * const memory = new Uint8Array(1 << 16);
 * const { trials } = await experiment({
 *   factors: cross({ way: ["loop", "fill"] }),
 *   control: { way: "loop" },
 *   trial({ way }) {
 *     const started = performance.now();
 *     if (way === "fill") memory.fill(1);
 *     else for (let i = 0; i < memory.length; i++) memory[i] = 1;
 *     return { bytesPerMillisecond: memory.length / Math.max(1e-3, performance.now() - started) };
 *   },
 *   repeats: 5,
 *   seed: 7,
 * });
 * assertEquals(trials.length, 2 + 5 * 3); // a round to warm up, then the control twice in each
 * const measure = "bytesPerMillisecond";
 * const ratio = compare(trials, { measure, of: { way: "fill" }, against: { way: "loop" } })!;
 * const floor = noiseFloor(trials, { measure })!;
 * console.log(verdict(ratio, floor, { subject: "fill" }).text);
 * ```
 *
 * @module
 */

// Trials in random order, repeated until the intervals are narrow.
export { experiment, TrialError } from "./labs/kit/experiment/experiment.ts";
export { cross, hasFactors } from "./labs/kit/trials/trials.ts";
export { Random } from "./labs/kit/trials/random.ts";

// What the numbers allow one to say.
export { compare, noiseFloor, pairedRatio } from "./labs/kit/statistics/comparisons.ts";
export { compareAll } from "./labs/kit/statistics/compare_all.ts";
export { verdict } from "./labs/kit/statistics/verdicts.ts";
export { medianInterval } from "./labs/kit/statistics/intervals.ts";
export { crossover } from "./labs/kit/statistics/crossover.ts";
export { explainOutlier, findOutliers } from "./labs/kit/statistics/outliers.ts";
export { Durations } from "./labs/kit/statistics/durations.ts";

// Pictures, tables and pages.
export { Plot, plot, plots } from "./labs/kit/plot/plot.ts";
export { PlotError } from "./labs/kit/plot/figure.ts";
export { table } from "./labs/kit/text/table.ts";
export { formatSi } from "./labs/kit/text/format.ts";
export { reportHtml } from "./labs/kit/report/report.ts";
export { toCsv } from "./labs/kit/run/csv.ts";

// Documents of runs: written, read, compared.
export { environment } from "./labs/kit/experiment/environment.ts";
export { codeVersion } from "./labs/kit/experiment/code_version.ts";
export {
  formatRunDocument,
  readRunDocument,
  RUN_SCHEMA,
  RunDocumentError,
  writeRunDocument,
} from "./labs/kit/run/run_document.ts";
export { compareRuns, ComparisonError } from "./labs/kit/run/compare_runs.ts";
export { formatComparison, formatDifferences } from "./labs/kit/run/comparison_text.ts";
export { runDifferences } from "./labs/kit/run/run_differences.ts";

// The types of what these take and return.
export type { CodeVersion } from "./labs/kit/experiment/code_version.ts";
export type { Clock } from "./labs/kit/trials/clock.ts";
export type { Covariates } from "./labs/kit/trials/covariates.ts";
export type {
  Environment,
  KernelRecord,
  LimitsRecord,
  MachineRecord,
  ResourceLimit,
  UserRecord,
  Versions,
} from "./labs/kit/experiment/environment.ts";
export type {
  ExperimentOptions,
  ExperimentResult,
  TrialContext,
} from "./labs/kit/experiment/experiment.ts";
export type { RepeatsUntilNarrow } from "./labs/kit/experiment/precision.ts";
export type { Stopped } from "./labs/kit/experiment/stopped.ts";
export type {
  Crossed,
  Factor,
  Factors,
  Measure,
  Measures,
  Trial,
} from "./labs/kit/trials/trials.ts";
export type { WarmUpUntilSame, WarmUpUntilSteady } from "./labs/kit/experiment/warm_up.ts";
export type { ChangesFigure, FunctionChange } from "./labs/kit/plot/changes.ts";
export type { CrossoverFigure } from "./labs/kit/plot/crossover.ts";
export type { CrossoverMark, CrossoverPanel } from "./labs/kit/plot/crossover_of_trials.ts";
export type { FigureHead, PlotAxis, PlotKind } from "./labs/kit/plot/figure.ts";
export type { FlameFigure } from "./labs/kit/plot/flame.ts";
export type {
  IntervalPanel,
  IntervalPoint,
  IntervalSeries,
  PlainInterval,
} from "./labs/kit/plot/intervals.ts";
export type { Figure, PlainData, PlainSeries } from "./labs/kit/plot/kinds.ts";
export type { LatencyFigure } from "./labs/kit/plot/latency.ts";
export type { Lifeline, LifelinesFigure } from "./labs/kit/plot/lifelines.ts";
export type { PercentilePoint } from "./labs/kit/plot/percentile_plot.ts";
export type {
  HasDocument,
  HasTrials,
  PlotOptions,
  PlotSvgOptions,
  Plottable,
  PlotTextOptions,
} from "./labs/kit/plot/plot.ts";
export type { Spread } from "./labs/kit/plot/scales.ts";
export type { FlameBox } from "./labs/kit/plot/flame_box.ts";
export type { SeenCalls } from "./labs/kit/plot/seen_calls.ts";
export type { SeriesFigure, SeriesMark, SeriesPoint } from "./labs/kit/plot/series.ts";
export type { PlotTheme } from "./labs/kit/plot/theme.ts";
export type { ThroughputFigure } from "./labs/kit/plot/throughput.ts";
export type { TrialPosition } from "./labs/kit/plot/trials.ts";
export type { ComparedProof, RunComparison } from "./labs/kit/run/compare_runs.ts";
export type {
  Change,
  ComparedRow,
  Outcome,
  RowLevel,
  UnmeasuredRow,
} from "./labs/kit/run/compared_row.ts";
export type { ComparisonTextOptions } from "./labs/kit/run/comparison_text.ts";
export type { RunDifference, RunSurroundings } from "./labs/kit/run/run_differences.ts";
export type { RunDocument, RunInvocation } from "./labs/kit/run/run_document.ts";
export type { RowDeclaration, RowMeasure } from "./labs/kit/run/run_rows.ts";
export type { RunColumn, RunTable } from "./labs/kit/run/run_table.ts";
export type { ElsewhereCounts, FoldedCall, RunView, ViewedWork } from "./labs/kit/run/run_view.ts";
export type { BootstrapOptions } from "./labs/kit/statistics/bootstrap.ts";
export type {
  CompareAllOptions,
  CompareAllWords,
  ComparisonRow,
  Correction,
} from "./labs/kit/statistics/compare_all.ts";
export type {
  CompareOptions,
  NoiseFloorOptions,
  Ratio,
} from "./labs/kit/statistics/comparisons.ts";
export type { Crossover, CrossoverRow } from "./labs/kit/statistics/crossover.ts";
export type { DurationMeasures } from "./labs/kit/statistics/durations.ts";
export type { MedianInterval } from "./labs/kit/statistics/intervals.ts";
export type { Outlier, OutlierOptions } from "./labs/kit/statistics/outliers.ts";
export type { Verdict, VerdictWords } from "./labs/kit/statistics/verdicts.ts";
export type { Cell, TableColumn, TableOptions, TextStyle } from "./labs/kit/text/table.ts";
