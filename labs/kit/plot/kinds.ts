/**
 * The kinds of figures, and which of them data is good for.
 *
 * @module
 */
import { isInstructions, NOT_TIME } from "../trials/clock.ts";
import { asCounted, countedMeasure, isCounted } from "../trials/counted_measures.ts";
import type { Trial } from "../trials/trials.ts";
import type { MicroscopeView } from "../../../ffi/microscope/view.ts";
import { changes, type ChangesFigure } from "./changes.ts";
import { crossover, type CrossoverFigure } from "./crossover.ts";
import { PLOT_KINDS, PlotError, type PlotKind } from "./figure.ts";
import { flame, type FlameFigure } from "./flame.ts";
import type { PlainInterval } from "./intervals.ts";
import type { FigureKind } from "./kind.ts";
import { latency, type LatencyFigure } from "./latency.ts";
import { layoutOf } from "./layout_of_trials.ts";
import { type Lifeline, lifelines, type LifelinesFigure } from "./lifelines.ts";
import type { RunView } from "../run/run_view.ts";
import type { PercentilePoint } from "./percentile_plot.ts";
import type { Labelled } from "./plain.ts";
import { type SeenCalls, seenCalls } from "./seen_calls.ts";
import { series, type SeriesFigure, type SeriesPoint } from "./series.ts";
import { throughput, type ThroughputFigure } from "./throughput.ts";
import { type FigureTexts, findMeasure, type TrialsOptions } from "./trials.ts";

/** What a plot shows. */
export type Figure =
  | ThroughputFigure
  | LatencyFigure
  | SeriesFigure
  | LifelinesFigure
  | CrossoverFigure
  | FlameFigure
  | ChangesFigure;

const KINDS: Readonly<Record<PlotKind, FigureKind<Figure>>> = {
  throughput,
  latency,
  series,
  lifelines,
  crossover,
  flame,
  changes,
};

/** In which order trials are shown that are good for several kinds. */
const BEST_FIRST: readonly PlotKind[] = ["latency", "throughput", "crossover", "series"];

/** A series of plain data. Which of the fields it needs depends on the kind of the plot. */
export interface PlainSeries {
  /** What the series is called. */
  readonly label: string;
  /** `throughput`, `crossover`: intervals; `latency`: percentiles; `series`: values over time. */
  readonly points?: readonly (PlainInterval | PercentilePoint | SeriesPoint)[];
  /** `latency`: the values themselves instead of percentiles. */
  readonly values?: readonly number[];
}

/** What {@linkcode plot} takes for what are no trials. */
export type PlainData = readonly (
  PlainSeries | Lifeline | SeenCalls | MicroscopeView | RunView
)[];

/**
 * The kind of a name.
 *
 * @throws {PlotError} If there is none.
 */
export function kindNamed(name: PlotKind): FigureKind<Figure> {
  if (Object.hasOwn(KINDS, name)) return KINDS[name];
  throw new PlotError(
    `plot: options.kind is one of ${PLOT_KINDS.join(", ")}, not ${String(name)}`,
  );
}

/**
 * The kinds of plots that trials are good for without being told anything, the best one first.
 *
 * @param trials The trials.
 * @param options Of {@linkcode plot}.
 */
export function kindsFor(trials: readonly Trial[], options: TrialsOptions = {}): PlotKind[] {
  const layout = layoutOf(trials, options);
  // A distribution would be drawn as times.
  const isTime = !isOfInstructions(trials, options);
  return BEST_FIRST.filter((kind) =>
    (isTime || kind !== "latency") && KINDS[kind].suits(layout, options)
  );
}

/**
 * Makes the figure of trials.
 *
 * @param trials The trials.
 * @param kind The kind; the best one unless given.
 * @param options Of {@linkcode plot}.
 * @throws {PlotError} If the trials do not have what the kind needs.
 */
export function trialsFigure(
  trials: readonly Trial[],
  kind: PlotKind | undefined,
  options: TrialsOptions,
): Figure {
  if (isOfInstructions(trials, options)) {
    const counted = inInstructions(trials, options);
    const figure = kindNamed(kind ?? "throughput")
      .ofTrials(layoutOf(trials.map(asCounted), counted), counted);
    return withNotTime(figure);
  }
  const layout = layoutOf(trials, options);
  const hasDistribution = options.measure === undefined && latency.suits(layout, options);
  return kindNamed(kind ?? (hasDistribution ? "latency" : "throughput")).ofTrials(layout, options);
}

/** Whether the lab read its rows by a clock that counts instructions, or the trials were measured by one. */
function isOfInstructions(trials: readonly Trial[], { table }: TrialsOptions): boolean {
  return trials.some(isCounted) ||
    (table?.columns.some(({ unit }) => isInstructions(unit)) ?? false);
}

/** The same options for trials whose measures have become numbers of instructions. */
function inInstructions(trials: readonly Trial[], options: TrialsOptions): TrialsOptions {
  const { measure = findMeasure(trials, options.table), better, unit: _unit, ...rest } = options;
  if (measure === undefined) return options;
  const counted = trials.some(isCounted) ? countedMeasure(measure) : undefined;
  if (counted === undefined) return { ...options, measure };
  // A unit and a direction that were asked for are those of the rate or of the time.
  const turned = counted.kind === "time" ? better : better === "higher" ? "lower" : "higher";
  return {
    ...rest,
    measure: counted.name,
    ...(better === undefined || turned === undefined ? {} : { better: turned }),
  };
}

/** A picture goes about without the text around it. */
function withNotTime<F extends Figure>(figure: F): F {
  const { subtitle } = figure;
  return { ...figure, subtitle: subtitle === "" ? NOT_TIME : `${subtitle}; ${NOT_TIME}` };
}

/**
 * Makes the figure of plain data.
 *
 * @throws {PlotError} If the data does not have what its kind needs.
 */
export function dataFigure(
  data: PlainData,
  kind: PlotKind | undefined,
  texts: FigureTexts,
): Figure {
  if (kind === undefined) {
    throw new PlotError(
      `plot: plain data needs options.kind, one of ${PLOT_KINDS.join(", ")}: ` +
        "what the numbers mean cannot be seen from them",
    );
  }
  if (data.length === 0) throw new PlotError(`plot, kind ${kind}: the data is empty`);
  const items = data.map(seenCalls);
  for (const [index, item] of items.entries()) {
    if (typeof (item as { label?: unknown } | null)?.label !== "string") {
      throw new PlotError(`plot, kind ${kind}: item ${index} has no label, which is a string`);
    }
  }
  return kindNamed(kind).ofData(items as Labelled[], texts);
}
