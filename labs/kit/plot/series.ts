/**
 * Series: a measure over time, trial by trial.
 *
 * @module
 */
import { median } from "simple-statistics";
import type { Trial } from "../trials/trials.ts";
import { findOutliers } from "../statistics/statistics.ts";
import { displayWidth, styled, truncated } from "../text/table.ts";
import { linearTicks, roundNumbers } from "./axis.ts";
import {
  axes,
  axisName,
  BELOW,
  type Canvas,
  legend,
  type LegendItem,
  PADDING,
  panelHead,
  type Piece,
} from "./canvas.ts";
import { type FigureHead, type PlotAxis, PlotError } from "./figure.ts";
import { formatSi, tickText } from "../text/format.ts";
import type { FigureKind } from "./kind.ts";
import { keyOf, measured, type TrialsLayout } from "./layout_of_trials.ts";
import { axisText, capitalised } from "./names.ts";
import { isNumber, type Labelled, requirePoints } from "./plain.ts";
import { deviationDomain, fittingTicks, scale, type Tick, widest, withRoom } from "./scales.ts";
import { circle, line, rect, square } from "./shapes.ts";
import { folded, NARROWEST, padStart, type TextDrawing } from "./text.ts";
import { type Colours, looks, terminalStyle } from "./theme.ts";
import {
  attempt,
  baselineOf,
  type FigureTexts,
  hasMeasure,
  requireMeasure,
  type TrialPosition,
  type TrialsOptions,
  valuesOf,
} from "./trials.ts";

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

type Point = Required<SeriesPoint>;

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

/** A measure over time. */
export const series: FigureKind<SeriesFigure> = {
  suits: hasMeasure,
  ofTrials,
  ofData,
  picture,
  text,
  words: (figure) => [`${pointsOf(figure).length} values of ${axisText(figure.y)}`],
};

/** What a point can be: its sign in a terminal, and what it means. */
const MARKS: readonly {
  readonly mark: SeriesMark;
  readonly sign: string;
  readonly words: string;
}[] = [
  { mark: "counted", sign: "●", words: "counts" },
  { mark: "warm-up", sign: "○", words: "warm-up" },
  { mark: "control", sign: "□", words: "control: the baseline once more" },
];

const OUTLIER = { sign: "◉", words: "outlier, kept" };

function pointsOf({ panels }: SeriesFigure): Point[] {
  return panels.flatMap(({ points }) => points);
}

// === From trials ===

function ofTrials(layout: TrialsLayout, options: TrialsOptions): SeriesFigure {
  const measure = requireMeasure("series", layout.trials, options);
  const start = Math.min(...layout.trials.map(({ startedAt }) => Date.parse(startedAt)));
  const found = options.outliers ?? outliersOf(layout.trials, measure.name);
  const outliers = new Set(
    found.map((one) => "trial" in one ? one.trial : one)
      .map(({ round, order }) => `${round} ${order}`),
  );
  const placed = new Map(layout.combinations.map((one) => [keyOf(one.factors), one]));
  const medians = new Map(layout.combinations.map((one) => {
    const values = valuesOf(one, measure);
    return [one, values.length === 0 ? null : median(values)];
  }));
  const groups = layout.labels.map((label) => ({
    label,
    combinations: layout.combinations.filter(({ series }) => series === label),
  }));
  const relative = groups.some(({ combinations }) => combinations.length > 1);
  const panels = groups.map(({ label, combinations }) => {
    const points = layout.trials.flatMap((trial): Point[] => {
      const one = placed.get(keyOf(trial.factors));
      const value = measured(trial, measure.name);
      if (one === undefined || value === null || !combinations.includes(one)) return [];
      const centre = medians.get(one) ?? 0;
      if (relative && centre === 0) return [];
      return [{
        at: (Date.parse(trial.startedAt) - start) / 1000,
        // The medians have the measure's scale.
        value: value * measure.scale / (relative ? centre : 1),
        mark: trial.warmUp ? "warm-up" : trial.control ? "control" : "counted",
        outlier: outliers.has(`${trial.round} ${trial.order}`),
      }];
    });
    return panel(label, points, relative ? 1 : undefined);
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

/** The trials that stand out by a measure; none where it has no numbers that can be compared. */
function outliersOf(trials: readonly Trial[], measure: string): readonly TrialPosition[] {
  return attempt(() => findOutliers(trials, { measure })) ?? [];
}

/** Points in the order of time, and the median of those that count. */
function panel(
  title: string,
  points: readonly Point[],
  centre?: number,
): SeriesFigure["panels"][number] {
  const counting = points.filter(({ mark }) => mark === "counted");
  const telling = counting.length === 0 ? points : counting;
  return {
    title,
    points: points.toSorted((a, b) => a.at - b.at),
    centre: centre ?? (telling.length === 0 ? 0 : median(telling.map(({ value }) => value))),
  };
}

// === From plain data ===

function ofData(data: readonly Labelled[], texts: FigureTexts): SeriesFigure {
  const panels = data.map((item) => {
    const { label } = item;
    const points = requirePoints<SeriesPoint>("series", item, "{ at, value }, at in seconds");
    for (const { at, value, mark } of points) {
      if (!isNumber(at) || !isNumber(value)) {
        throw new PlotError(
          `plot, kind series: ${label}: a point has a time "at" in seconds and a value, ` +
            `not ${at} and ${value}`,
        );
      }
      if (mark !== undefined && !MARKS.some((one) => one.mark === mark)) {
        throw new PlotError(
          `plot, kind series: ${label}: a mark is counted, warm-up or control, not ${mark}`,
        );
      }
    }
    return panel(
      label,
      points.map((point): Point => ({ mark: "counted", outlier: false, ...point })),
    );
  });
  return {
    kind: "series",
    title: texts.title ?? "Over time",
    subtitle: texts.subtitle ?? "",
    notes: [],
    y: { label: texts.yLabel ?? "", unit: texts.unit ?? "" },
    relative: false,
    panels,
  };
}

// === Drawings ===

function picture(figure: SeriesFigure, canvas: Canvas): Piece[] {
  const { panels, relative } = figure;
  const { colours, width } = canvas;
  const all = pointsOf(figure);
  const domain = deviationDomain([
    ...all.map(({ value }) => value),
    ...panels.map(({ centre }) => centre),
  ]);
  const ticks =
    (domain.type === "log"
      ? roundNumbers(...domain.ends)
      : linearTicks(domain.ends[1], 3, domain.ends[0])).map((value): Tick => ({
        value,
        text: relative
          ? `${Number((value * 100).toPrecision(6))} %`
          : tickText(value, figure.y.unit),
      }));
  const until = Math.max(...all.map(({ at }) => at), 0);
  const look = looks(panels.map(({ title }) => title), figure.baseline, colours);
  const left = PADDING + widest(ticks) + 10;
  const right = width - PADDING - 8;
  const x = scale("linear", [0, until > 0 ? until : 1], [left + 6, right - 6]);
  const drawn = panels.map(({ title, points, centre }, index): Piece => {
    const isLast = index === panels.length - 1;
    const head = panelHead(title, index === 0 ? axisText(figure.y) : "", canvas);
    const top = head.height + 4;
    const frame = { left, right, top, bottom: top + (panels.length > 1 ? 74 : 230) };
    const y = scale(domain.type, domain.ends, [frame.bottom, frame.top]);
    const { colour } = look(title);
    const xTicks = isLast
      ? fittingTicks(
        linearTicks(x.domain[1], width / 110),
        (value) => tickText(value, "s"),
        x,
      )
      : [];
    const yTicks = withRoom(ticks, y, relative ? 1 : undefined);
    const warmUntil = warmUpUntil(points);
    return {
      svg: head.svg +
        (warmUntil === undefined
          ? ""
          : rect(left, top, x.at(warmUntil) + 5 - left, frame.bottom - top, colours.band)) +
        axes(frame, { scale: x, ticks: xTicks }, { scale: y, ticks: yTicks }, canvas) +
        line(left, y.at(centre), right, y.at(centre), colour) +
        points.map((point) => dot(x.at(point.at), y.at(point.value), point, colour, colours))
          .join("") +
        (isLast ? axisName(frame, "time since the first trial", canvas) : ""),
      height: frame.bottom + (isLast ? BELOW : 8),
    };
  });
  const items = MARKS.filter(({ mark }) => all.some((point) => point.mark === mark))
    .map(({ mark, words }): LegendItem => ({
      mark: (x, y) => dot(x, y, { mark, outlier: false }, colours.ink, colours),
      text: words,
    }));
  if (all.some(({ outlier }) => outlier)) {
    items.push({
      mark: (x, y) => dot(x, y, { mark: "counted", outlier: true }, colours.ink, colours),
      text: OUTLIER.words,
    });
  }
  return items.length > 1 ? [legend(items, canvas), ...drawn] : drawn;
}

/** Until when a series warms up, where nothing else stands before that. */
function warmUpUntil(points: readonly Point[]): number | undefined {
  const warm = points.filter(({ mark }) => mark === "warm-up");
  const until = Math.max(...warm.map(({ at }) => at));
  return warm.length > 0 && points.every(({ mark, at }) => mark === "warm-up" || at >= until)
    ? until
    : undefined;
}

function dot(
  x: number,
  y: number,
  { mark, outlier }: Pick<Point, "mark" | "outlier">,
  colour: string,
  { background, muted, ink }: Colours,
): string {
  const point = mark === "counted"
    ? circle(x, y, 3, colour)
    : mark === "warm-up"
    ? circle(x, y, 2.7, background, muted)
    : square(x, y, 3, background, colour);
  return point + (outlier ? circle(x, y, 7, "none", ink) : "");
}

/** Rows of one panel. */
const ROWS = 5;

/** Points in a grid of characters: the time to the right, the value upward. */
function text(figure: SeriesFigure, { width, colours }: TextDrawing): string[] {
  const all = pointsOf(figure);
  const values = all.map(({ value }) => value);
  const [least, most] = [Math.min(...values), Math.max(...values)];
  const until = Math.max(...all.map(({ at }) => at), 0);
  const name = (value: number): string =>
    figure.relative ? `${Math.round(value * 100)} %` : formatSi(value, figure.y.unit);
  const labelWidth = Math.max(...[least, most].map((value) => displayWidth(name(value))));
  const columns = Math.max(NARROWEST, width - labelWidth - 2);
  const rowOf = (value: number): number =>
    most > least ? Math.round((value - least) / (most - least) * (ROWS - 1)) : 2;
  const columnOf = (at: number): number => until > 0 ? Math.round(at / until * (columns - 1)) : 0;
  const titles = figure.panels.map(({ title }) => title);
  const lines: string[] = axisText(figure.y) === "" ? [] : [axisText(figure.y)];
  for (const { title, points, centre } of figure.panels) {
    const grid = Array.from({ length: ROWS }, () => new Array<string>(columns).fill(" "));
    if (centre >= least && centre <= most) grid[rowOf(centre)]!.fill(styled("·", "dim", colours));
    for (const { at, value, mark, outlier } of points) {
      const { sign } = outlier ? OUTLIER : MARKS.find((one) => one.mark === mark)!;
      const style = outlier
        ? "red"
        : mark === "counted"
        ? terminalStyle(title, titles, figure.baseline)
        : "dim";
      grid[rowOf(value)]![columnOf(at)] = styled(sign, style, colours);
    }
    if (title !== "") lines.push(styled(truncated(title, width), "bold", colours));
    for (let row = ROWS - 1; row >= 0; row--) {
      const tick = row === ROWS - 1 ? name(most) : row === 0 && most > least ? name(least) : "";
      lines.push(`${padStart(tick, labelWidth)} ${tick === "" ? "│" : "┤"}${grid[row]!.join("")}`);
    }
  }
  const end = tickText(Number(until.toPrecision(2)), "s");
  lines.push(`${" ".repeat(labelWidth + 1)}└${"─".repeat(columns)}`);
  lines.push(`${" ".repeat(labelWidth + 2)}0 s${padStart(end, columns - 3)}`);
  const items = MARKS.filter(({ mark }) => all.some((point) => point.mark === mark))
    .map(({ sign, words }) => `${sign} ${words}`);
  if (all.some(({ outlier }) => outlier)) items.push(`${OUTLIER.sign} ${OUTLIER.words}`);
  return [...lines, ...folded(items, width), ""];
}
