/**
 * Figures from the trials of an experiment.
 *
 * @module
 */
import { median } from "simple-statistics";
import { type Factors, hasFactors, type Trial } from "../experiment/trials.ts";
import {
  compare,
  compareAll,
  crossover,
  findOutliers,
  medianInterval,
  noiseFloor,
  type Ratio,
  type Verdict,
} from "../statistics/statistics.ts";
import {
  type CrossoverFigure,
  type CrossoverMark,
  type Figure,
  type IntervalPoint,
  type LatencyFigure,
  PLOT_KINDS,
  PlotError,
  type PlotKind,
  type SeriesFigure,
  type ThroughputFigure,
} from "./figure.ts";
import { capitalised, describeFactor, describeMeasure, type MeasureDescription } from "./names.ts";
import {
  keyOf,
  layoutOf,
  type LayoutOptions,
  measured,
  numericMeasures,
  type PlacedCombination,
  placeOf,
  type TrialsLayout,
} from "./layout_of_trials.ts";
import { leadingColumn, type RunTable } from "../run/run_table.ts";
import type { PercentilePoint } from "./percentile_plot.ts";
import { isDistribution } from "../statistics/durations.ts";
import { percentilesOf, percentilesOfDistributions } from "./percentiles.ts";

/** A trial by its place, as `findOutliers` gives it. */
export type TrialPosition =
  | { readonly round: number; readonly order: number }
  | { readonly trial: { readonly round: number; readonly order: number } };

/** What {@linkcode trialsFigure} is told beside the trials. */
export interface TrialsOptions extends LayoutOptions {
  readonly kind?: PlotKind;
  readonly measure?: string;
  readonly title?: string;
  readonly subtitle?: string;
  readonly unit?: string;
  readonly yLabel?: string;
  readonly xLabel?: string;
  readonly xUnit?: string;
  readonly better?: "higher" | "lower";
  readonly outliers?: readonly TrialPosition[];
  /** How the lab reads its rows, of a document that says so. */
  readonly table?: RunTable | undefined;
}

/** Measures that say how fast it went, the most telling first: what was moved, not how often. */
const RATES: readonly RegExp[] = [
  /^(bytes|bits)PerSecond$/,
  /^(datagrams|packets|messages)PerSecond$/,
  /PerSecond$/,
];

/** Measures that are percentiles, such as `p999Seconds`. */
const PERCENTILE_MEASURE = /^p(\d{2,6})(Seconds|Milliseconds|Microseconds|Nanoseconds)$/;

/**
 * The kinds of plots that trials are good for without being told anything, the best one first.
 *
 * @param trials The trials.
 * @param options Of {@linkcode plot}.
 */
export function kindsFor(trials: readonly Trial[], options: TrialsOptions = {}): PlotKind[] {
  const layout = layoutOf(trials, options);
  const kinds: PlotKind[] = [];
  if (distributionMeasure(layout.trials) !== undefined) kinds.push("latency");
  if ((options.measure ?? findMeasure(layout.trials, options.table)) === undefined) return kinds;
  kinds.push("throughput");
  const sizes = new Set(layout.combinations.map(({ x }) => x)).size;
  if (layout.baseline !== undefined && layout.labels.length > 1 && sizes > 1) {
    kinds.push("crossover");
  }
  kinds.push("series");
  return kinds;
}

/**
 * Makes the figure of trials.
 *
 * @param trials The trials.
 * @param options Of {@linkcode plot}.
 * @throws {PlotError} If the trials do not have what the kind needs.
 */
export function trialsFigure(trials: readonly Trial[], options: TrialsOptions): Figure {
  const layout = layoutOf(trials, options);
  const hasDistribution = options.measure === undefined &&
    distributionMeasure(layout.trials) !== undefined;
  const kind = options.kind ?? (hasDistribution ? "latency" : "throughput");
  switch (kind) {
    case "latency":
      return latency(layout, options);
    case "throughput":
      return throughput(layout, options);
    case "crossover":
      return ratios(layout, options);
    case "series":
      return overTime(layout, options);
    case "lifelines":
      throw new PlotError(
        "plot, kind lifelines: trials do not say when each request was submitted, sent and let go. " +
          "What to do: give the life lines themselves: " +
          'plot([{ label, submitted, sent, released, copied }, ...], { kind: "lifelines" })',
      );
    default:
      throw new PlotError(`plot: ${String(kind)} is none of ${PLOT_KINDS.join(", ")}`);
  }
}

/** The measure that the lab judges by; where nothing says so, the one that says how fast it went. */
export function findMeasure(trials: readonly Trial[], table?: RunTable): string | undefined {
  const names = numericMeasures(trials);
  const declared = leadingColumn(table)?.measure;
  if (typeof declared === "string" && names.includes(declared)) return declared;
  for (const pattern of RATES) {
    const found = names.find((name) => pattern.test(name));
    if (found !== undefined) return found;
  }
  if (names.includes("p50Seconds")) return "p50Seconds";
  return names.length === 1 ? names[0] : undefined;
}

function requireMeasure(
  kind: PlotKind,
  trials: readonly Trial[],
  options: TrialsOptions,
): MeasureDescription & { readonly name: string } {
  const name = options.measure ?? findMeasure(trials, options.table);
  const names = numericMeasures(trials);
  if (name === undefined) {
    throw new PlotError(
      `plot, kind ${kind}: options.measure is missing; the trials have the numbers ` +
        (names.join(", ") || "none"),
    );
  }
  if (!trials.some((trial) => measured(trial, name) !== null)) {
    throw new PlotError(
      `plot, kind ${kind}: no trial has a number ${name}; the trials have the numbers ` +
        (names.join(", ") || "none"),
    );
  }
  const declared = options.table?.columns.find((column) => column.measure === name);
  const found = declared === undefined
    ? describeMeasure(name)
    : { label: declared.title, unit: declared.unit, scale: 1 };
  return {
    name,
    label: options.yLabel ?? found.label,
    unit: options.unit ?? found.unit,
    scale: options.unit === undefined ? found.scale : 1,
  };
}

function throughput(layout: TrialsLayout, options: TrialsOptions): ThroughputFigure {
  const measure = requireMeasure("throughput", layout.trials, options);
  const at = (one: PlacedCombination): IntervalPoint | undefined => {
    const values = valuesOf(one, measure);
    if (values.length === 0) return undefined;
    const { median, low, high } = medianInterval(values);
    return { x: one.x, value: median, low, high };
  };
  const panels = panelsOf(layout, at);
  const negative = layout.combinations.flatMap(({ trials }) => trials)
    .find((trial) => (measured(trial, measure.name) ?? 0) < 0);
  if (negative !== undefined) {
    throw new PlotError(
      `plot, kind throughput: some values of ${measure.name} are negative, such as ` +
        `${measured(negative, measure.name)} of ${placeOf(negative)}. What to do: plot it with ` +
        '{ kind: "series" }, trial by trial',
    );
  }
  const x = layout.x === undefined ? undefined : sizeAxis(layout.x, options);
  return {
    kind: "throughput",
    title: options.title ??
      capitalised(measure.label) + (x === undefined ? "" : ` by ${x.label}`),
    subtitle: options.subtitle ?? `Median of ${rounds(layout)} and 95 % interval`,
    notes: layout.notes,
    ...(x === undefined ? {} : { x }),
    y: measure,
    labels: layout.labels,
    ...baselineOf(layout),
    panels,
  };
}

function ratios(layout: TrialsLayout, options: TrialsOptions): CrossoverFigure {
  const measure = requireMeasure("crossover", layout.trials, options);
  const { baseline } = layout;
  if (baseline === undefined) {
    throw new PlotError(
      "plot, kind crossover: the trials have no control, so options.baseline is missing: the factor " +
        'values to compare with, such as { mode: "copy" }',
    );
  }
  if (layout.x === undefined) {
    throw new PlotError(
      "plot, kind crossover: options.x is missing, a factor with several sizes; " +
        "no factor was found that has them",
    );
  }
  const better = options.better ??
    options.table?.columns.find((column) => column.measure === measure.name)?.better ?? undefined;
  const lowerIsBetter = better === undefined ? measure.unit === "s" : better === "lower";
  const at = new Map(
    layout.combinations.filter(({ series }) => series === baseline)
      .map((one) => [`${one.panel} ${one.x}`, one]),
  );
  const problems: string[] = [];
  const ratioOf = (one: PlacedCombination): Ratio | undefined => {
    const against = at.get(`${one.panel} ${one.x}`);
    if (against === undefined) return undefined;
    return attempt(() =>
      compare(layout.trials, {
        measure: measure.name,
        of: one.factors,
        against: against.factors,
      }), (problem) => problems.push(problem));
  };
  const floorOf = (one: PlacedCombination): Ratio | undefined =>
    attempt(() => noiseFloor(layout.trials, { measure: measure.name, at: one.factors }));
  const point = ({ x }: PlacedCombination, ratio: Ratio | undefined): IntervalPoint | undefined =>
    ratio === undefined ? undefined : { x, value: ratio.ratio, low: ratio.low, high: ratio.high };

  const differences = differencesOf(layout, measure.name);

  const panels = layout.panels.map((title) => {
    const own = layout.combinations.filter(({ panel }) => panel === title);
    const compared = layout.labels.filter((label) => label !== baseline).map((label) => {
      const rows = own.filter(({ series }) => series === label).toSorted(byX)
        .map((one) => ({ one, ratio: ratioOf(one) }));
      return { label, rows };
    });
    const floors = own.filter(({ series }) => series === baseline).toSorted(byX)
      .map((one) => ({ one, ratio: floorOf(one) }));
    const series = compared.map(({ label, rows }) => ({
      label,
      points: rows.flatMap(({ one, ratio }) => point(one, ratio) ?? []),
    })).filter(({ points }) => points.length > 0);
    const crossings = compared.filter(({ rows }) => rows.some(({ ratio }) => ratio !== undefined))
      .map(({ label, rows }): CrossoverMark => {
        const found = crossover(rows.flatMap(({ one, ratio }) => {
          if (ratio === undefined) return [];
          const difference = differences.get(one.factors);
          return [{
            payload: one.x!,
            comparison: lowerIsBetter ? inverse(ratio) : ratio,
            noiseFloor: lowerIsBetter ? inverse(floorAt(one.x)) : floorAt(one.x),
            ...(difference === undefined
              ? {}
              : { difference: lowerIsBetter ? OPPOSITE[difference] : difference }),
          }];
        }));
        if (found === undefined) return { label };
        const { payload: from, above, estimate } = found;
        return {
          label,
          from,
          ...(above === undefined ? {} : { above }),
          ...(estimate === undefined ? {} : { estimate }),
        };
      });
    function floorAt(x: number | null): Ratio | undefined {
      return floors.find(({ one }) => one.x === x)?.ratio;
    }
    return {
      title,
      series,
      floor: floors.flatMap(({ one, ratio }) => point(one, ratio) ?? []),
      crossings,
    };
  }).filter(({ series }) => series.length > 0);
  if (panels.length === 0) {
    throw new PlotError(
      `plot, kind crossover: nothing can be compared with ${baseline}: that takes two rounds in ` +
        `which both have a number ${measure.name} above 0` +
        (problems.length === 0 ? "" : `. ${problems[0]}`),
    );
  }
  const x = sizeAxis(layout.x, options);
  return {
    kind: "crossover",
    title: options.title ?? `${capitalised(measure.label)} against ${baseline}, by ${x.label}`,
    subtitle: options.subtitle ??
      `Ratio within each of ${rounds(layout)}, and 95 % interval` +
        (panels.some(({ floor }) => floor.length > 1)
          ? `; ${baseline} against itself is the noise floor`
          : ""),
    notes: problems.length === 0 ? layout.notes : [
      ...layout.notes,
      `Not compared: ${problems.length} ${problems.length === 1 ? "row" : "rows"}. ${problems[0]}`,
    ],
    x,
    y: { label: `ratio to ${baseline}`, unit: "" },
    baseline,
    better: lowerIsBetter ? "shorter" : "faster",
    labels: layout.labels,
    panels,
  };
}

function latency(layout: TrialsLayout, options: TrialsOptions): LatencyFigure {
  const measure = options.measure ?? distributionMeasure(layout.trials);
  const percentiles = percentileMeasures(layout.trials);
  if (measure === undefined && percentiles.length < 2) {
    throw new PlotError(
      "plot, kind latency: the trials have no distribution: a measure that is an HdrHistogram in " +
        "base64 or an array of numbers, or measures such as p50Seconds and p99Seconds",
    );
  }
  let total = 0;
  const pointsOf = (own: readonly PlacedCombination[]): PercentilePoint[] => {
    const trials = own.flatMap(({ trials }) => trials);
    if (trials.length === 0) return [];
    if (measure === undefined) {
      return percentiles.flatMap(({ name, percentile, scale }) => {
        const values = trials.flatMap((trial) => measured(trial, name) ?? []);
        return values.length === 0 ? [] : [{ percentile, value: median(values) * scale }];
      }).filter(({ value }) => value > 0);
    }
    const given = trials.map(({ measures }) => measures[measure]);
    const encoded = given.filter(isDistribution);
    if (encoded.length > 0) {
      const { points, count } = percentilesOfDistributions(encoded);
      total += count;
      return points;
    }
    const values = given.flatMap((value) => Array.isArray(value) ? value : [])
      .filter((value): value is number => typeof value === "number" && value > 0);
    if (values.length === 0) {
      throw new PlotError(
        `plot, kind latency: ${measure} is no HdrHistogram in base64 and no array of numbers above 0`,
      );
    }
    total += values.length;
    const { scale } = describeMeasure(measure);
    return percentilesOf(values.map((value) => value * scale));
  };
  const panels = [...Map.groupBy(layout.combinations, panelWithSize(layout))].map(
    ([title, own]) => ({
      title,
      series: layout.labels.map((label) => ({
        label,
        points: pointsOf(own.filter(({ series }) => series === label)),
      })).filter(({ points }) => points.length > 0),
    }),
  );
  const isTime = measure === undefined || describeMeasure(measure).unit === "s" ||
    layout.trials.some(({ measures }) => isDistribution(measures[measure]));
  return {
    kind: "latency",
    title: options.title ?? "Latency by percentile",
    subtitle: options.subtitle ??
      (measure === undefined
        ? `Median of ${rounds(layout)}`
        : `${total.toLocaleString("en")} values of ${rounds(layout)} taken together`),
    notes: layout.notes,
    y: { label: options.yLabel ?? "latency", unit: options.unit ?? (isTime ? "s" : "") },
    labels: layout.labels,
    ...baselineOf(layout),
    panels,
  };
}

function overTime(layout: TrialsLayout, options: TrialsOptions): SeriesFigure {
  const measure = requireMeasure("series", layout.trials, options);
  const start = Math.min(...layout.trials.map(({ startedAt }) => Date.parse(startedAt)));
  const found = options.outliers ?? outliersOf(layout.trials, measure.name);
  const outliers = new Set(
    found.map((one) => "trial" in one ? one.trial : one).map(({ round, order }) =>
      `${round} ${order}`
    ),
  );
  const placed = new Map(layout.combinations.map((one) => [keyOf(one.factors), one]));
  const medians = new Map(layout.combinations.map((one) => {
    const values = valuesOf(one, measure);
    return [one, values.length === 0 ? null : median(values)];
  }));
  const groups = layout.labels.map((label) => {
    const own = layout.combinations.filter(({ series }) => series === label);
    return { label, combinations: own };
  });
  const relative = groups.some(({ combinations }) => combinations.length > 1);
  const panels = groups.map(({ label, combinations }) => {
    const points = layout.trials.flatMap((trial) => {
      const one = placed.get(keyOf(trial.factors));
      const value = measured(trial, measure.name);
      if (one === undefined || value === null || !combinations.includes(one)) return [];
      const centre = medians.get(one);
      if (relative && (centre === null || centre === undefined || centre === 0)) return [];
      return [
        {
          at: (Date.parse(trial.startedAt) - start) / 1000,
          // The medians have the measure's scale.
          value: value * measure.scale / (relative ? centre! : 1),
          mark: trial.warmUp ? "warm-up" : trial.control ? "control" : "counted",
          outlier: outliers.has(`${trial.round} ${trial.order}`),
        } as const,
      ];
    }).sort((a, b) => a.at - b.at);
    const counting = points.filter(({ mark }) => mark === "counted").map(({ value }) => value);
    return {
      title: label,
      points,
      centre: relative ? 1 : counting.length === 0 ? points[0]?.value ?? 0 : median(counting),
    };
  }).filter(({ points }) => points.length > 0);
  const lost = layout.trials.length - panels.reduce((sum, { points }) => sum + points.length, 0);
  return {
    kind: "series",
    title: options.title ?? `${capitalised(measure.label)}, trial by trial`,
    subtitle: options.subtitle ??
      (relative
        ? "Each trial against the median of its combination"
        : "Each trial, and the median of those that count"),
    notes: lost === 0
      ? layout.notes
      : [...layout.notes, `Not shown: ${lost} trials without a value`],
    y: relative ? { label: `${measure.label}, against the median`, unit: "" } : measure,
    relative,
    ...baselineOf(layout),
    panels,
  };
}

/**
 * The trials that stand out by a measure; none where it has no numbers that can be compared.
 *
 * @param trials The trials of one experiment.
 * @param measure The measure.
 */
export function outliersOf(trials: readonly Trial[], measure: string): readonly { trial: Trial }[] {
  try {
    return findOutliers(trials, { measure });
  } catch (error) {
    if (error instanceof RangeError || error instanceof TypeError) return [];
    throw error;
  }
}

function panelsOf(
  layout: TrialsLayout,
  at: (one: PlacedCombination) => IntervalPoint | undefined,
): ThroughputFigure["panels"] {
  return layout.panels.map((title) => ({
    title,
    series: layout.labels.map((label) => ({
      label,
      points: layout.combinations
        .filter(({ panel, series }) => panel === title && series === label)
        .flatMap((one) => at(one) ?? [])
        .sort((a, b) => (a.x ?? 0) - (b.x ?? 0)),
    })).filter(({ points }) => points.length > 0),
  })).filter(({ series }) => series.length > 0);
}

/** A distribution has no place along an axis of sizes: each size has its panel. */
function panelWithSize({ x }: TrialsLayout): (one: PlacedCombination) => string {
  return (one) => {
    const size = x === undefined ? "" : `${describeFactor(x).label} ${one.x}`;
    return [one.panel, size].filter((part) => part !== "").join(", ");
  };
}

function distributionMeasure(trials: readonly Trial[]): string | undefined {
  const first = trials.find(({ warmUp }) => !warmUp);
  return Object.entries(first?.measures ?? {}).find(([, value]) => isDistribution(value))?.[0];
}

function percentileMeasures(
  trials: readonly Trial[],
): { name: string; percentile: number; scale: number }[] {
  return numericMeasures(trials).flatMap((name) => {
    const digits = name.match(PERCENTILE_MEASURE)?.[1];
    if (digits === undefined) return [];
    const percentile = Number(`${digits.slice(0, 2)}.${digits.slice(2) || "0"}`);
    return [{ name, percentile, scale: describeMeasure(name).scale }];
  }).sort((a, b) => a.percentile - b.percentile);
}

function valuesOf(
  { trials }: PlacedCombination,
  { name, scale }: { readonly name: string; readonly scale: number },
): number[] {
  return trials.flatMap((trial) => {
    const value = measured(trial, name);
    return value === null ? [] : [value * scale];
  });
}

function sizeAxis(x: string, { xLabel, xUnit }: TrialsOptions): { label: string; unit: string } {
  const found = describeFactor(x);
  return { label: xLabel ?? found.label, unit: xUnit ?? found.unit };
}

function baselineOf({ baseline }: TrialsLayout): { baseline?: string } {
  return baseline === undefined ? {} : { baseline };
}

function rounds({ rounds }: TrialsLayout): string {
  return `${rounds} ${rounds === 1 ? "round" : "rounds"}`;
}

function byX(a: PlacedCombination, b: PlacedCombination): number {
  return (a.x ?? 0) - (b.x ?? 0);
}

function inverse<R extends Ratio | undefined>(ratio: R): R {
  if (ratio === undefined) return ratio;
  const { ratio: value, low, high, rounds } = ratio;
  return { ratio: 1 / value, low: 1 / high, high: 1 / low, rounds } as R;
}

const OPPOSITE = { higher: "lower", lower: "higher", none: "none" } as const;

/** Which combinations differ from the baseline, corrected for how many stand at one size. */
function differencesOf(
  { trials, combinations, baselineFactors, x, panelFactors }: TrialsLayout,
  measure: string,
): Map<Factors, Verdict["difference"]> {
  const within = [...(x === undefined ? [] : [x]), ...panelFactors];
  const rows = attempt(() => compareAll(trials, { measure, against: baselineFactors!, within }));
  return new Map(combinations.flatMap(({ factors }) => {
    const row = rows?.find((row) => hasFactors(row.factors, factors));
    return row === undefined ? [] : [[factors, row.verdict.difference] as const];
  }));
}

/** A ratio of numbers that have none, such as zeros, is not there. */
function attempt<T>(
  compute: () => T | undefined,
  onProblem: (message: string) => void = () => {},
): T | undefined {
  try {
    return compute();
  } catch (error) {
    if (!(error instanceof RangeError || error instanceof TypeError)) throw error;
    onProblem(error.message);
    return undefined;
  }
}
