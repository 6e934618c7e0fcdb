/**
 * Figures from plain data, for what are no trials.
 *
 * @module
 */
import { median } from "simple-statistics";
import {
  type CrossoverFigure,
  type Figure,
  type IntervalPoint,
  type IntervalSeries,
  type LatencyFigure,
  type Lifeline,
  type LifelinesFigure,
  PLOT_KINDS,
  PlotError,
  type PlotKind,
  type SeriesFigure,
  type SeriesPoint,
  type ThroughputFigure,
} from "./figure.ts";
import { PERCENTILE_TICKS } from "./axis.ts";
import { percentilesOf } from "./percentiles.ts";
import type { PercentilePoint } from "./percentile_plot.ts";

/** Values with intervals, for the kinds `throughput` and `crossover`. */
export interface PlainInterval {
  /** The size; left out where there is no such axis. */
  readonly x?: number | null;
  /** The value; for `crossover` the ratio to the baseline. */
  readonly value: number;
  /** The lower end of its interval. */
  readonly low?: number;
  /** The upper end of its interval. */
  readonly high?: number;
}

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
export type PlainData = readonly (PlainSeries | Lifeline)[];

/** What the axes of plain data are called. */
export interface PlainOptions {
  readonly kind: PlotKind | undefined;
  readonly title: string | undefined;
  readonly subtitle: string | undefined;
  readonly unit: string | undefined;
  readonly yLabel: string | undefined;
  readonly xLabel: string | undefined;
  readonly xUnit: string | undefined;
}

/**
 * Makes the figure of plain data.
 *
 * @throws {PlotError} If the data does not have what its kind needs.
 */
export function plainFigure(data: PlainData, options: PlainOptions): Figure {
  const { kind } = options;
  if (kind === undefined) {
    throw new PlotError(
      `plot: plain data needs options.kind, one of ${PLOT_KINDS.join(", ")}: ` +
        "what the numbers mean cannot be seen from them",
    );
  }
  if (data.length === 0) throw new PlotError(`plot, kind ${kind}: the data is empty`);
  const items: readonly unknown[] = data;
  for (const [index, item] of items.entries()) {
    if (typeof (item as { label?: unknown } | null)?.label !== "string") {
      throw new PlotError(`plot, kind ${kind}: item ${index} has no label, which is a string`);
    }
  }
  switch (kind) {
    case "lifelines":
      return lifelines(data as readonly Lifeline[], options);
    case "latency":
      return latency(data as readonly PlainSeries[], options);
    case "series":
      return overTime(data as readonly PlainSeries[], options);
    case "throughput":
      return throughput(data as readonly PlainSeries[], options);
    case "crossover":
      return ratios(data as readonly PlainSeries[], options);
    default:
      throw new PlotError(`plot: ${String(kind)} is none of ${PLOT_KINDS.join(", ")}`);
  }
}

function lifelines(lines: readonly Lifeline[], options: PlainOptions): LifelinesFigure {
  for (const { label, submitted, sent, released, copied } of lines) {
    const wrong = (field: string, what: string): never => {
      throw new PlotError(`plot, kind lifelines: ${label}: ${field} ${what}`);
    };
    if (!isNumber(submitted)) wrong("submitted", "is a time in seconds");
    if (sent !== null && !isNumber(sent)) wrong("sent", "is a time in seconds, or null");
    if (released !== null && !isNumber(released)) {
      wrong("released", "is a time in seconds, or null");
    }
    if (copied !== null && typeof copied !== "boolean") wrong("copied", "is true, false or null");
    if (sent !== null && sent < submitted) wrong("sent", "lies before submitted");
    if (released !== null && released < (sent ?? submitted)) {
      wrong("released", `lies before ${sent === null ? "submitted" : "sent"}`);
    }
  }
  const start = Math.min(...lines.map(({ submitted }) => submitted));
  const counted = lines.filter(({ copied }) => copied !== null);
  const copied = counted.filter((line) => line.copied).length;
  return {
    kind: "lifelines",
    title: options.title ?? "When the kernel let go of each buffer",
    subtitle: options.subtitle ??
      (counted.length === 0
        ? `${lines.length} life lines`
        : `${copied} of ${counted.length} copied, by the kernel's report`),
    notes: [],
    lines: lines.map((line) => ({
      ...line,
      submitted: line.submitted - start,
      sent: line.sent === null ? null : line.sent - start,
      released: line.released === null ? null : line.released - start,
    })),
  };
}

function latency(data: readonly PlainSeries[], options: PlainOptions): LatencyFigure {
  const series = data.map(({ label, points, values }) => {
    if (values !== undefined) {
      if (values.length === 0 || !values.every((value) => isNumber(value) && value > 0)) {
        throw new PlotError(`plot, kind latency: ${label}: values are numbers above 0`);
      }
      return { label, points: percentilesOf(values) };
    }
    const found = requirePoints("latency", label, points) as readonly PercentilePoint[];
    for (const { percentile, value } of found) {
      if (!(percentile >= 0 && percentile < 100) || !(value > 0 && value < Infinity)) {
        throw new PlotError(
          `plot, kind latency: ${label}: a point has a percentile in [0, 100) and a value above ` +
            `0, not ${percentile} and ${value}; values: [...] takes what was measured itself`,
        );
      }
    }
    return { label, points: found.toSorted((a, b) => a.percentile - b.percentile) };
  });
  return {
    kind: "latency",
    title: options.title ?? "Latency by percentile",
    subtitle: options.subtitle ?? "",
    notes: [],
    y: { label: options.yLabel ?? "latency", unit: options.unit ?? "s" },
    labels: data.map(({ label }) => label),
    panels: [{ title: "", series }],
  };
}

function overTime(data: readonly PlainSeries[], options: PlainOptions): SeriesFigure {
  const panels = data.map(({ label, points }) => {
    const given = requirePoints("series", label, points) as readonly SeriesPoint[];
    for (const { at, value, mark } of given) {
      if (!isNumber(at) || !isNumber(value)) {
        throw new PlotError(
          `plot, kind series: ${label}: a point has a time "at" in seconds and a value, ` +
            `not ${at} and ${value}`,
        );
      }
      if (mark !== undefined && !["counted", "warm-up", "control"].includes(mark)) {
        throw new PlotError(
          `plot, kind series: ${label}: a mark is counted, warm-up or control, not ${mark}`,
        );
      }
    }
    const whole = given.map((point) => ({ mark: "counted" as const, outlier: false, ...point }));
    const counting = whole.filter(({ mark }) => mark === "counted");
    const centre = median((counting.length === 0 ? whole : counting).map(({ value }) => value));
    return { title: label, points: whole.toSorted((a, b) => a.at - b.at), centre };
  });
  return {
    kind: "series",
    title: options.title ?? "Over time",
    subtitle: options.subtitle ?? "",
    notes: [],
    y: { label: options.yLabel ?? "", unit: options.unit ?? "" },
    relative: false,
    panels,
  };
}

function throughput(data: readonly PlainSeries[], options: PlainOptions): ThroughputFigure {
  const series = data.map((one) => intervals("throughput", one));
  const places = series.flatMap(({ points }) => points.map(({ x }) => x));
  const hasAxis = places.some((x) => x !== null);
  if (hasAxis && places.includes(null)) {
    throw new PlotError("plot, kind throughput: some points have an x and some have none");
  }
  if (!hasAxis && series.some(({ points }) => points.length > 1)) {
    throw new PlotError("plot, kind throughput: several points in one series need an x each");
  }
  return {
    kind: "throughput",
    title: options.title ?? "Throughput",
    subtitle: options.subtitle ?? "",
    notes: [],
    ...(hasAxis ? { x: sizeAxis(options) } : {}),
    y: { label: options.yLabel ?? "per second", unit: options.unit ?? "/s" },
    labels: data.map(({ label }) => label),
    panels: [{ title: "", series }],
  };
}

function ratios(data: readonly PlainSeries[], options: PlainOptions): CrossoverFigure {
  const series = data.map((one) => intervals("crossover", one));
  for (const { label, points } of series) {
    if (points.some(({ x, low }) => x === null || low <= 0)) {
      throw new PlotError(
        `plot, kind crossover: ${label}: a point has an x and a ratio above 0 as its value`,
      );
    }
  }
  return {
    kind: "crossover",
    title: options.title ?? "Against the baseline",
    subtitle: options.subtitle ?? "",
    notes: [],
    x: sizeAxis(options),
    y: { label: options.yLabel ?? "ratio to the baseline", unit: "" },
    baseline: "the baseline",
    better: "higher",
    labels: data.map(({ label }) => label),
    panels: [{
      title: "",
      series,
      floor: [],
      crossings: series.map(({ label, points }) => crossing(label, points)),
    }],
  };
}

/** From which size on the whole interval lies above 1. */
function crossing(
  label: string,
  points: readonly IntervalPoint[],
): CrossoverFigure["panels"][number]["crossings"][number] {
  const last = points.findLastIndex(({ low }) => low <= 1);
  const from = points[last + 1]?.x;
  const above = points[last]?.x;
  return {
    label,
    ...(from === undefined || from === null ? {} : { from }),
    ...(from === undefined || above === undefined || above === null ? {} : { above }),
  };
}

function sizeAxis({ xLabel, xUnit }: PlainOptions): { label: string; unit: string } {
  return { label: xLabel ?? "payload", unit: xUnit ?? "bytes" };
}

function intervals(kind: PlotKind, { label, points }: PlainSeries): IntervalSeries {
  const given = requirePoints(kind, label, points) as readonly PlainInterval[];
  const whole = given.map(({ x = null, value, low = value, high = value }) => {
    const fits = isNumber(value) && isNumber(low) && isNumber(high) && low <= value &&
      value <= high && low >= 0;
    if (!fits || (x !== null && !(isNumber(x) && x > 0))) {
      throw new PlotError(
        `plot, kind ${kind}: ${label}: 0 <= low <= value <= high and x > 0 do not hold: ` +
          `x ${x}, low ${low}, value ${value}, high ${high}`,
      );
    }
    return { x, value, low, high };
  });
  return { label, points: whole.toSorted((a, b) => (a.x ?? 0) - (b.x ?? 0)) };
}

function requirePoints(
  kind: PlotKind,
  label: string,
  points: PlainSeries["points"],
): NonNullable<PlainSeries["points"]> {
  if (Array.isArray(points) && points.length > 0) return points;
  const shape = {
    throughput: "{ x, value, low, high }",
    crossover: "{ x, value, low, high }, value being the ratio",
    latency: `{ percentile, value }, such as percentiles ${
      PERCENTILE_TICKS.slice(1, 4).join(", ")
    }`,
    series: "{ at, value }, at in seconds",
    lifelines: "",
  }[kind];
  throw new PlotError(`plot, kind ${kind}: ${label} has no points: an array of ${shape}`);
}

function isNumber(value: unknown): value is number {
  return typeof value === "number" && Number.isFinite(value);
}
