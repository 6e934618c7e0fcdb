/**
 * Throughput: values with intervals by size and way, or one bar for each way.
 *
 * @module
 */
import { medianInterval } from "../statistics/statistics.ts";
import { lastValues, ofPanel } from "./alt_text.ts";
import { linearTicks } from "./axis.ts";
import { type Bar, barPlot } from "./bar_plot.ts";
import { type Canvas, notes, PADDING, panelHead, type Piece, SMALL } from "./canvas.ts";
import { type FigureHead, type PlotAxis, PlotError } from "./figure.ts";
import { formatSi, tickText } from "../text/format.ts";
import {
  cutOff,
  intervalLines,
  type IntervalPanel,
  intervalSeries,
  pointsOf,
  sizeAxis,
  sizesOf,
  sizeText,
} from "./intervals.ts";
import type { FigureKind } from "./kind.ts";
import { roomyTicks, textWidth, wrapped } from "./layout.ts";
import { measured, placeOf, type TrialsLayout } from "./layout_of_trials.ts";
import { linePanel } from "./line_panel.ts";
import { axisText, capitalised } from "./names.ts";
import type { Labelled } from "./plain.ts";
import { scale, SIZE, tickUnit, valueDomain, valueTicks } from "./scales.ts";
import { line, marker, rect, text } from "./shapes.ts";
import type { TextDrawing } from "./text.ts";
import { looks, terminalStyle } from "./theme.ts";
import {
  baselineOf,
  byX,
  type FigureTexts,
  hasMeasure,
  requireMeasure,
  roundsOf,
  type TrialsOptions,
  valuesOf,
} from "./trials.ts";

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

/** Throughput. */
export const throughput: FigureKind<ThroughputFigure> = {
  suits: hasMeasure,
  ofTrials,
  ofData,
  picture: (figure, canvas) =>
    figure.x === undefined ? bars(figure, canvas) : lines(figure, figure.x, canvas),
  text: inBars,
  words: ({ panels, x, y }) =>
    panels.map(({ title, series }) =>
      ofPanel(title, lastValues(series, (value) => formatSi(value, y.unit), x?.label))
    ),
};

function ofTrials(layout: TrialsLayout, options: TrialsOptions): ThroughputFigure {
  const measure = requireMeasure("throughput", layout.trials, options);
  const negative = layout.combinations.flatMap(({ trials }) => trials)
    .find((trial) => (measured(trial, measure.name) ?? 0) < 0);
  if (negative !== undefined) {
    throw new PlotError(
      `plot, kind throughput: some values of ${measure.name} are negative, such as ` +
        `${measured(negative, measure.name)} of ${placeOf(negative)}. What to do: plot it with ` +
        '{ kind: "series" }, trial by trial',
    );
  }
  const panels = layout.panels.map((title) => ({
    title,
    series: layout.labels.map((label) => ({
      label,
      points: layout.combinations
        .filter(({ panel, series }) => panel === title && series === label)
        .toSorted(byX)
        .flatMap((one) => {
          const values = valuesOf(one, measure);
          if (values.length === 0) return [];
          const { median, low, high } = medianInterval(values);
          return [{ x: one.x, value: median, low, high }];
        }),
    })).filter(({ points }) => points.length > 0),
  })).filter(({ series }) => series.length > 0);
  const x = layout.x === undefined ? undefined : sizeAxis(layout.x, options);
  return {
    kind: "throughput",
    title: options.title ??
      capitalised(measure.label) + (x === undefined ? "" : ` by ${x.label}`),
    subtitle: options.subtitle ?? `Median of ${roundsOf(layout)} and 95 % interval`,
    notes: layout.notes,
    ...(x === undefined ? {} : { x }),
    y: measure,
    labels: layout.labels,
    ...baselineOf(layout),
    panels,
  };
}

function ofData(data: readonly Labelled[], texts: FigureTexts): ThroughputFigure {
  const series = intervalSeries("throughput", data, "{ x, value, low, high }");
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
    title: texts.title ?? "Throughput",
    subtitle: texts.subtitle ?? "",
    notes: [],
    ...(hasAxis ? { x: sizeAxis(undefined, texts) } : {}),
    y: { label: texts.yLabel ?? "per second", unit: texts.unit ?? "/s" },
    labels: data.map(({ label }) => label),
    panels: [{ title: "", series }],
  };
}

function lines(figure: ThroughputFigure, xAxis: PlotAxis, canvas: Canvas): Piece[] {
  const { panels, labels } = figure;
  const points = pointsOf(panels);
  const domain = valueDomain(points);
  const look = looks(labels, figure.baseline, canvas.colours);
  const drawn = panels.map(({ title, series }) =>
    linePanel(
      {
        title,
        yName: axisText(figure.y),
        yTicks: valueTicks(domain, figure.y.unit),
        xName: axisText(xAxis),
        height: panels.length > 1 ? 180 : 250,
        names: series.map(({ label }) => label),
        look,
      },
      (frame) => {
        const y = scale(domain.type, domain.ends, [frame.bottom, frame.top]);
        return intervalLines(series, points, labels, look, y, frame);
      },
      canvas,
    )
  );
  return [...drawn, notes(cutOff(points, domain.ends), canvas)];
}

const ROW_HEIGHT = 36;

/** One value for each series, from zero: a bar, its interval, and the number. */
function bars(figure: ThroughputFigure, canvas: Canvas): Piece[] {
  const { grid, muted } = canvas.colours;
  const { unit } = figure.y;
  const points = pointsOf(figure.panels);
  const most = Math.max(...points.map(({ high }) => high));
  const look = looks(figure.labels, figure.baseline, canvas.colours);
  const room = 10 +
    Math.max(...points.map(({ value }) => textWidth(formatSi(value, unit), SIZE)));
  const [left, right] = [PADDING + 1, canvas.width - PADDING - room];
  const x = scale("linear", [0, most > 0 ? most * 1.02 : 1], [left, right]);
  const ticks = linearTicks(x.domain[1], 5);
  const names = ticks.map((value) => tickText(value, tickUnit(unit)));
  const shown = roomyTicks(ticks.map(x.at), names.map((name) => textWidth(name, SMALL)), 10);
  return figure.panels.map(({ title, series }, index) => {
    const isLast = index === figure.panels.length - 1;
    const head = panelHead(title, index === 0 ? axisText(figure.y) : "", canvas);
    const top = head.height;
    const bottom = top + series.length * ROW_HEIGHT + 4;
    const axis = ticks.map((value, i) => {
      const at = x.at(value);
      const name = text(
        Math.max(at, left + textWidth(names[i]!, SMALL) / 2),
        bottom + 16,
        names[i]!,
        {
          size: SMALL,
          anchor: "middle",
          fill: muted,
        },
      );
      return line(at, top, at, bottom, grid) + (isLast && shown[i] ? name : "");
    });
    const rows = series.map(({ label, points: [point] }, row) => {
      const { value, low, high } = point!;
      const { colour, symbol } = look(label);
      const middle = top + row * ROW_HEIGHT + 25;
      const name = wrapped(label, right - left, SIZE)[0]!;
      const end = (at: number): string => line(at, middle - 4, at, middle + 4, colour, 1.5);
      return rect(left, middle - 6, x.at(value) - left, 12, colour, 0.22) +
        text(left + 4, middle - 11, name, { weight: label === figure.baseline ? 600 : 500 }) +
        (high > low
          ? line(x.at(low), middle, x.at(high), middle, colour, 2) + end(x.at(low)) +
            end(x.at(high))
          : "") +
        marker(x.at(value), middle, symbol, colour) +
        text(x.at(high) + 8, middle + 4, formatSi(value, unit));
    });
    return {
      svg: head.svg + axis.join("") + line(left, top, left, bottom, muted) + rows.join(""),
      height: bottom + (isLast ? 28 : 12),
    };
  });
}

function inBars(
  { panels, labels, baseline, x, y }: ThroughputFigure,
  drawing: TextDrawing,
): string[] {
  return panels.flatMap(({ title, series }) => {
    const bars = sizesOf(series.flatMap(({ points }) => points)).flatMap((size) =>
      labels.flatMap((label): Bar[] => {
        const point = series.find((one) => one.label === label)?.points.find((one) =>
          one.x === size
        );
        if (point === undefined) return [];
        const group = size === null ? "" : sizeText(x!, size);
        // A series that is alone needs no name: its bars have those of their groups.
        return [{
          ...(label === "" ? { label: group } : group === "" ? { label } : { label, group }),
          value: point.value,
          low: point.low,
          high: point.high,
          style: terminalStyle(label, labels, baseline),
        }];
      })
    );
    const text = barPlot(bars, { ...drawing, unit: y.unit, ...(title === "" ? {} : { title }) });
    return [...text.trimEnd().split("\n"), ""];
  });
}
