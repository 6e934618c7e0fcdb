/**
 * Latency: percentiles of distributions, on an axis with as much room for each nine.
 *
 * @module
 */
import { median } from "simple-statistics";
import { isDistribution } from "../statistics/durations.ts";
import { ofPanel, some } from "./alt_text.ts";
import { nines, PERCENTILE_TICKS } from "./axis.ts";
import type { Canvas, Piece } from "./canvas.ts";
import { type FigureHead, type PlotAxis, PlotError } from "./figure.ts";
import { formatSi } from "../text/format.ts";
import type { FigureKind } from "./kind.ts";
import { textWidth } from "./layout.ts";
import {
  measured,
  numericMeasures,
  type PlacedCombination,
  type TrialsLayout,
} from "./layout_of_trials.ts";
import { linePanel } from "./line_panel.ts";
import { axisText, describeFactor, describeMeasure } from "./names.ts";
import { percentilePlot, type PercentilePoint } from "./percentile_plot.ts";
import { percentilesOf, percentilesOfDistributions } from "./percentiles.ts";
import { isNumber, type Labelled, requirePoints } from "./plain.ts";
import { fittingTicks, scale, SIZE, valueDomain, valueTicks } from "./scales.ts";
import { curve, group, marker, type Place } from "./shapes.ts";
import type { TextDrawing } from "./text.ts";
import { looks, terminalStyle } from "./theme.ts";
import { baselineOf, type FigureTexts, roundsOf, type TrialsOptions } from "./trials.ts";

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

/** Latency. */
export const latency: FigureKind<LatencyFigure> = {
  suits: ({ trials }) => distributionMeasure({ trials }) !== undefined,
  ofTrials,
  ofData,
  picture,
  text: inCurves,
  words: ({ panels, y: { unit } }) =>
    panels.map(({ title, series }) =>
      ofPanel(
        title,
        some(series.map(({ label, points }) => {
          const middle = points.find(({ percentile }) => percentile >= 50);
          const last = points.at(-1)!;
          return `${label} ${middle === undefined ? "" : `p50 ${formatSi(middle.value, unit)}, `}` +
            `p${Number(last.percentile.toPrecision(6))} ${formatSi(last.value, unit)}`;
        })),
      )
    ),
};

// === From trials ===

function ofTrials(layout: TrialsLayout, options: TrialsOptions): LatencyFigure {
  const measure = options.measure ?? distributionMeasure(layout);
  const percentiles = percentileMeasures(layout);
  if (measure === undefined && percentiles.length < 2) {
    throw new PlotError(
      "plot, kind latency: the trials have no distribution: a measure that is an HdrHistogram in " +
        "base64 or an array of numbers, or measures such as p50Seconds and p99Seconds",
    );
  }
  let total = 0;
  const pointsOf = (own: readonly PlacedCombination[]): readonly PercentilePoint[] => {
    if (measure === undefined) return pointsOfPercentiles(own, percentiles);
    const { points, count } = pointsOfMeasure(own, measure);
    total += count;
    return points;
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
        ? `Median of ${roundsOf(layout)}`
        : `${total.toLocaleString("en")} values of ${roundsOf(layout)} taken together`),
    notes: layout.notes,
    y: { label: options.yLabel ?? "latency", unit: options.unit ?? (isTime ? "s" : "") },
    labels: layout.labels,
    ...baselineOf(layout),
    panels,
  };
}

/** The percentiles of a measure that is a distribution, or all its values, over all rounds. */
function pointsOfMeasure(
  combinations: readonly PlacedCombination[],
  measure: string,
): { points: readonly PercentilePoint[]; count: number } {
  const given = combinations.flatMap(({ trials }) => trials)
    .map(({ measures }) => measures[measure]);
  if (given.length === 0) return { points: [], count: 0 };
  const encoded = given.filter(isDistribution);
  if (encoded.length > 0) return percentilesOfDistributions(encoded);
  const values = given.flatMap((value) => Array.isArray(value) ? value : [])
    .filter((value): value is number => typeof value === "number" && value > 0);
  if (values.length === 0) {
    throw new PlotError(
      `plot, kind latency: ${measure} is no HdrHistogram in base64 and no array of numbers above 0`,
    );
  }
  const { scale } = describeMeasure(measure);
  return { points: percentilesOf(values.map((value) => value * scale)), count: values.length };
}

/** A measure that is a percentile, and what its numbers are multiplied with to be seconds. */
interface PercentileMeasure {
  readonly name: string;
  readonly percentile: number;
  readonly scale: number;
}

/** The medians of measures that are percentiles. */
function pointsOfPercentiles(
  combinations: readonly PlacedCombination[],
  percentiles: readonly PercentileMeasure[],
): PercentilePoint[] {
  const trials = combinations.flatMap(({ trials }) => trials);
  return percentiles.flatMap(({ name, percentile, scale }) => {
    const values = trials.flatMap((trial) => measured(trial, name) ?? []);
    return values.length === 0 ? [] : [{ percentile, value: median(values) * scale }];
  }).filter(({ value }) => value > 0);
}

/** A distribution has no place along an axis of sizes: each size has its panel. */
function panelWithSize({ x }: TrialsLayout): (one: PlacedCombination) => string {
  return (one) => {
    const size = x === undefined ? "" : `${describeFactor(x).label} ${one.x}`;
    return [one.panel, size].filter((part) => part !== "").join(", ");
  };
}

function distributionMeasure({ trials }: Pick<TrialsLayout, "trials">): string | undefined {
  const first = trials.find(({ warmUp }) => !warmUp);
  return Object.entries(first?.measures ?? {}).find(([, value]) => isDistribution(value))?.[0];
}

/** Measures that are percentiles, such as `p999Seconds`. */
const PERCENTILE_MEASURE = /^p(\d{2,6})(Seconds|Milliseconds|Microseconds|Nanoseconds)$/;

function percentileMeasures({ trials }: TrialsLayout): PercentileMeasure[] {
  return numericMeasures(trials).flatMap((name) => {
    const digits = name.match(PERCENTILE_MEASURE)?.[1];
    if (digits === undefined) return [];
    const percentile = Number(`${digits.slice(0, 2)}.${digits.slice(2) || "0"}`);
    return [{ name, percentile, scale: describeMeasure(name).scale }];
  }).sort((a, b) => a.percentile - b.percentile);
}

// === From plain data ===

function ofData(data: readonly Labelled[], texts: FigureTexts): LatencyFigure {
  return {
    kind: "latency",
    title: texts.title ?? "Latency by percentile",
    subtitle: texts.subtitle ?? "",
    notes: [],
    y: { label: texts.yLabel ?? "latency", unit: texts.unit ?? "s" },
    labels: data.map(({ label }) => label),
    panels: [{
      title: "",
      series: data.map((item) => ({ label: item.label, points: pointsOfItem(item) })),
    }],
  };
}

function pointsOfItem(item: Labelled & { readonly values?: readonly number[] }): PercentilePoint[] {
  const { label, values } = item;
  if (values !== undefined) {
    if (values.length === 0 || !values.every((value) => isNumber(value) && value > 0)) {
      throw new PlotError(`plot, kind latency: ${label}: values are numbers above 0`);
    }
    return percentilesOf(values);
  }
  const shape = `{ percentile, value }, such as percentiles ${
    PERCENTILE_TICKS.slice(1, 4).join(", ")
  }`;
  const points = requirePoints<PercentilePoint>("latency", item, shape);
  for (const { percentile, value } of points) {
    if (!(percentile >= 0 && percentile < 100) || !(value > 0 && value < Infinity)) {
      throw new PlotError(
        `plot, kind latency: ${label}: a point has a percentile in [0, 100) and a value above ` +
          `0, not ${percentile} and ${value}; values: [...] takes what was measured itself`,
      );
    }
  }
  return points.toSorted((a, b) => a.percentile - b.percentile);
}

// === Drawings ===

function picture(figure: LatencyFigure, canvas: Canvas): Piece[] {
  const points = figure.panels.flatMap(({ series }) => series.flatMap(({ points }) => points));
  const domain = valueDomain(points.map(({ value }) => ({ value, low: value, high: value })));
  const farthest = Math.max(nines(50), ...points.map(({ percentile }) => nines(percentile)));
  const look = looks(figure.labels, figure.baseline, canvas.colours);
  return figure.panels.map(({ title, series }) =>
    linePanel(
      {
        title,
        yName: axisText(figure.y),
        yTicks: valueTicks(domain, figure.y.unit),
        xName: "percentile, on a scale of nines",
        height: figure.panels.length > 1 ? 190 : 270,
        names: series.map(({ label }) => label),
        look,
      },
      (frame) => {
        const x = scale("linear", [0, farthest], [frame.left, frame.right]);
        const y = scale(domain.type, domain.ends, [frame.bottom, frame.top]);
        const hasRoom = x.at(nines(50)) - x.at(0) > textWidth("p0p50", SIZE);
        const named = PERCENTILE_TICKS.filter((percentile) =>
          nines(percentile) <= farthest * 1.0001 && (percentile > 0 || hasRoom)
        );
        const ticks = fittingTicks(
          named.map(nines),
          (at) => `p${named.find((one) => nines(one) === at)}`,
          x,
        );
        const places = series.map(({ points }) =>
          points.map(({ percentile, value }): Place => [x.at(nines(percentile)), y.at(value)])
        );
        const marks = series.map(({ label, points }, index) => {
          const { colour, dash, symbol } = look(label);
          const isNamed = (_: Place, point: number): boolean =>
            named.some((one) => Math.abs(nines(one) - nines(points[point]!.percentile)) < 1e-6);
          return group(
            "series",
            curve(places[index]!, colour, 2, dash),
            ...places[index]!.filter(isNamed).map((place) => marker(...place, symbol, colour)),
          );
        });
        return {
          x: { scale: x, ticks, hasGrid: true },
          y,
          marks: marks.join(""),
          ends: places.map((own) => own.at(-1)!),
        };
      },
      canvas,
    )
  );
}

function inCurves({ panels, labels, baseline, y }: LatencyFigure, drawing: TextDrawing): string[] {
  return panels.flatMap(({ title, series }) => {
    const curves = series.map(({ label, points }) => ({
      label,
      points,
      style: terminalStyle(label, labels, baseline),
    }));
    const text = percentilePlot(curves, {
      ...drawing,
      unit: y.unit,
      ...(title === "" ? {} : { title }),
    });
    return [...text.trimEnd().split("\n"), ""];
  });
}
