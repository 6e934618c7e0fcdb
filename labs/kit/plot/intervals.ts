/**
 * Values with intervals, by size: what throughput and crossover have in common.
 *
 * @module
 */
import { type PlotAxis, PlotError, type PlotKind } from "./figure.ts";
import type { LinesInFrame } from "./line_panel.ts";
import { describeFactor } from "./names.ts";
import { isNumber, type Labelled, requirePoints } from "./plain.ts";
import { fittingTicks, type Frame, type Scale, scale, type Spread, type Tick } from "./scales.ts";
import { tickText } from "../text/format.ts";
import { curve, group, line, marker, type Place } from "./shapes.ts";
import type { SeriesLook } from "./theme.ts";
import type { FigureTexts } from "./trials.ts";

/** A value at a place, with its interval. */
export interface IntervalPoint extends Spread {
  /** Where it stands; null where there is no such axis. */
  readonly x: number | null;
}

/** Values of the same kind. */
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

/**
 * The series of plain data.
 *
 * @throws {PlotError} If an interval does not hold its value, or a size is not above 0.
 */
export function intervalSeries(
  kind: PlotKind,
  data: readonly Labelled[],
  shape: string,
): IntervalSeries[] {
  return data.map((item) => {
    const points = requirePoints<PlainInterval>(kind, item, shape)
      .map(({ x = null, value, low = value, high = value }) => {
        const fits = isNumber(value) && isNumber(low) && isNumber(high) && low <= value &&
          value <= high && low >= 0;
        if (!fits || (x !== null && !(isNumber(x) && x > 0))) {
          throw new PlotError(
            `plot, kind ${kind}: ${item.label}: 0 <= low <= value <= high and x > 0 do not hold: ` +
              `x ${x}, low ${low}, value ${value}, high ${high}`,
          );
        }
        return { x, value, low, high };
      });
    return { label: item.label, points: points.toSorted((a, b) => (a.x ?? 0) - (b.x ?? 0)) };
  });
}

/** The axis of a factor that is a size, or of the sizes of plain data. */
export function sizeAxis(factor: string | undefined, { xLabel, xUnit }: FigureTexts): PlotAxis {
  const found = factor === undefined ? { label: "payload", unit: "bytes" } : describeFactor(factor);
  return { label: xLabel ?? found.label, unit: xUnit ?? found.unit };
}

/** All points of panels. */
export function pointsOf(panels: readonly IntervalPanel[]): IntervalPoint[] {
  return panels.flatMap(({ series }) => series.flatMap(({ points }) => points));
}

/** The sizes of points, ascending. */
export function sizesOf(points: readonly IntervalPoint[]): (number | null)[] {
  return [...new Set(points.map(({ x }) => x))].sort((a, b) => (a ?? 0) - (b ?? 0));
}

/** A size in words, such as `payload 4000 bytes`. */
export function sizeText({ label, unit }: PlotAxis, size: number | null): string {
  return `${label} ${size} ${unit}`.trimEnd();
}

/**
 * Lines through values, with their intervals, on a logarithmic axis of sizes.
 *
 * @param series The lines of one panel.
 * @param all The points of all panels, which share their axis.
 * @param labels The series of all panels.
 * @param look How each series looks.
 * @param y The scale of the values.
 * @param frame What is drawn into.
 */
export function intervalLines(
  series: readonly IntervalSeries[],
  all: readonly IntervalPoint[],
  labels: readonly string[],
  look: (label: string) => SeriesLook,
  y: Scale,
  frame: Frame,
): LinesInFrame {
  const x = sizeScale(all, frame, labels.length);
  const shift = dodge(series.length, all, x);
  const places = series.map(({ points }, index) =>
    points.map(({ x: size, value }): Place => [x.at(size!) + shift(index), y.at(value)])
  );
  const [least, most] = y.domain;
  const marks = series.map(({ label, points }, index) => {
    const { colour, symbol, dash } = look(label);
    const own = places[index]!;
    return group(
      "series",
      curve(own, colour, 1.8, dash),
      ...points.map(({ low, high }, i) => {
        const [at] = own[i]!;
        const [from, to] = [y.at(Math.max(least, low)), y.at(Math.min(most, high))];
        return line(at, from, at, to, colour, 1.3);
      }),
      ...own.map((place) => marker(...place, symbol, colour)),
    );
  });
  return {
    x: { scale: x, ticks: sizeTicks(all, x) },
    y,
    marks: marks.join(""),
    ends: places.map((own) => own.at(-1)!),
  };
}

/** What a reader must know where an axis cuts off intervals. */
export function cutOff(
  points: readonly IntervalPoint[],
  [least, most]: readonly [number, number],
): string[] {
  return points.some(({ low, high }) => low < least || high > most)
    ? ["Some intervals reach beyond the axis"]
    : [];
}

/** Sizes on a logarithmic scale, with room at both ends for what stands side by side. */
function sizeScale(points: readonly IntervalPoint[], frame: Frame, series: number): Scale {
  const sizes = points.map(({ x }) => x!);
  const [least, most] = [Math.min(...sizes), Math.max(...sizes)];
  const inset = Math.min(30, 8 + series * 2.5);
  const domain: [number, number] = least === most ? [least / 2, most * 2] : [least, most];
  return scale("log", domain, [frame.left + inset, frame.right - inset]);
}

/** A tick for each size measured. */
function sizeTicks(points: readonly IntervalPoint[], x: Scale): Tick[] {
  return fittingTicks(sizesOf(points) as number[], (size) => {
    // Large powers of two are read more easily with their prefix.
    if (size >= 1 << 20 && size % (1 << 20) === 0) return `${size / (1 << 20)} Mi`;
    if (size >= 16384 && size % 1024 === 0) return `${size / 1024} Ki`;
    return size >= 100_000 ? tickText(size, "") : String(size);
  }, x);
}

/** How far each series is moved sideways, so that intervals at the same size stand side by side. */
function dodge(
  series: number,
  points: readonly IntervalPoint[],
  x: Scale,
): (index: number) => number {
  const places = (sizesOf(points) as number[]).map(x.at);
  const gaps = places.slice(1).map((place, index) => place - places[index]!);
  const step = Math.min(5, Math.min(60, ...gaps) * 0.7 / Math.max(1, series));
  return (index) => (index - (series - 1) / 2) * step;
}
