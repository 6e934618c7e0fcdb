/**
 * Crossover: ratios against a baseline by size, and from which size on each series is better.
 *
 * @module
 */
import { INSTRUCTIONS, isInstructions } from "../trials/clock.ts";
import { displayWidth, styled, type TextStyle, truncated } from "../text/table.ts";
import { lastValues, ofPanel } from "./alt_text.ts";
import { ratioTicks } from "./axis.ts";
import { type Canvas, notes, PADDING, type Piece, SMALL } from "./canvas.ts";
import { type FigureHead, type PlotAxis, PlotError } from "./figure.ts";
import { formatChange, formatRatio } from "../text/format.ts";
import {
  cutOff,
  intervalLines,
  type IntervalPoint,
  type IntervalSeries,
  intervalSeries,
  pointsOf,
  sizeAxis,
  sizesOf,
  sizeText,
} from "./intervals.ts";
import { type CrossoverMark, crossoverOf, type CrossoverPanel } from "./crossover_of_trials.ts";
import type { FigureKind } from "./kind.ts";
import { wrapped } from "./layout.ts";
import type { TrialsLayout } from "./layout_of_trials.ts";
import { linePanel } from "./line_panel.ts";
import { axisText, capitalised } from "./names.ts";
import type { Labelled } from "./plain.ts";
import { ratioDomain, type Scale, scale, SIZE } from "./scales.ts";
import { area, diamond, line, text as textAt } from "./shapes.ts";
import { folded, NARROWEST, padEnd, padStart, type TextDrawing } from "./text.ts";
import { looks, type SeriesLook, terminalStyle } from "./theme.ts";
import {
  type FigureTexts,
  hasMeasure,
  requireMeasure,
  roundsOf,
  type TrialsOptions,
} from "./trials.ts";

/** Ratios against a baseline by size. */
export interface CrossoverFigure extends FigureHead {
  /** The kind. */
  readonly kind: "crossover";
  /** The axis of the sizes. */
  readonly x: PlotAxis;
  /** The axis of the ratios. */
  readonly y: PlotAxis;
  /** What it is compared with. */
  readonly baseline: string;
  /** What being better is called, such as `faster`. */
  readonly better: string;
  /** Every series, in the order of its colour. */
  readonly labels: readonly string[];
  /** The panels from top to bottom. */
  readonly panels: readonly CrossoverPanel[];
}

/** Crossover. */
export const crossover: FigureKind<CrossoverFigure> = {
  suits: (layout, options) =>
    hasMeasure(layout, options) && layout.baseline !== undefined && layout.labels.length > 1 &&
    new Set(layout.combinations.map(({ x }) => x)).size > 1,
  ofTrials,
  ofData,
  picture,
  text,
  words: ({ panels, x }) =>
    panels.map(({ title, series }) => ofPanel(title, lastValues(series, formatChange, x.label))),
};

/**
 * From where on a series is better, in words, such as `from 4000 bytes on, not seen at 1500`.
 *
 * @param crossing Where it is.
 * @param axis The axis of the sizes.
 * @returns The words; undefined where it is better nowhere.
 */
export function whereBetter(crossing: CrossoverMark, axis: PlotAxis): string | undefined {
  const { from, above, estimate } = crossing;
  if (from === undefined) return undefined;
  return `from ${`${from} ${axis.unit}`.trimEnd()} on, ` +
    (above === undefined ? "the smallest measured" : `not seen at ${above}`) +
    (estimate === undefined ? "" : `; about ${Math.round(estimate)} by interpolation`);
}

// === Data ===

function ofTrials(layout: TrialsLayout, options: TrialsOptions): CrossoverFigure {
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
  const declared = options.table?.columns.find((column) => column.measure === measure.name)?.better;
  const isOfInstructions = isInstructions(measure.unit);
  const better = options.better ?? declared ??
    (measure.unit === "s" || isOfInstructions ? "lower" : "higher");
  const { panels, problems } = crossoverOf(layout, measure.name, better === "lower");
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
      `Ratio within each of ${roundsOf(layout)}, and 95 % interval` +
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
    better: isOfInstructions
      ? `${better} in ${INSTRUCTIONS}`
      : better === "lower"
      ? "shorter"
      : "faster",
    labels: layout.labels,
    panels,
  };
}

function ofData(data: readonly Labelled[], texts: FigureTexts): CrossoverFigure {
  const shape = "{ x, value, low, high }, value being the ratio";
  const series = intervalSeries("crossover", data, shape);
  for (const { label, points } of series) {
    if (points.some(({ x, low }) => x === null || low <= 0)) {
      throw new PlotError(
        `plot, kind crossover: ${label}: a point has an x and a ratio above 0 as its value`,
      );
    }
  }
  return {
    kind: "crossover",
    title: texts.title ?? "Against the baseline",
    subtitle: texts.subtitle ?? "",
    notes: [],
    x: sizeAxis(undefined, texts),
    y: { label: texts.yLabel ?? "ratio to the baseline", unit: "" },
    baseline: "the baseline",
    better: "higher",
    labels: data.map(({ label }) => label),
    panels: [{ title: "", series, floor: [], crossings: series.map(crossingOf) }],
  };
}

/** From which size on the whole interval lies above 1. */
function crossingOf({ label, points }: IntervalSeries): CrossoverMark {
  const last = points.findLastIndex(({ low }) => low <= 1);
  const [above, from] = [points[last]?.x, points[last + 1]?.x];
  if (from === undefined || from === null) return { label };
  return { label, from, ...(above === undefined || above === null ? {} : { above }) };
}

function allPoints({ panels }: CrossoverFigure): IntervalPoint[] {
  return [...pointsOf(panels), ...panels.flatMap(({ floor }) => floor)];
}

// === Drawings ===

function picture(figure: CrossoverFigure, canvas: Canvas): Piece[] {
  const { panels, labels, baseline } = figure;
  const { colours } = canvas;
  const points = pointsOf(panels);
  const domain = ratioDomain(allPoints(figure));
  const yTicks = ratioTicks(...domain)
    .map((value) => ({ value, text: formatRatio(value, domain) }));
  const look = looks(labels, baseline, colours);
  const pieces = panels.flatMap(({ title, series, floor, crossings }): Piece[] => {
    const panel = linePanel(
      {
        title,
        yName: figure.y.label,
        yTicks,
        xName: axisText(figure.x),
        height: panels.length > 1 ? 190 : 250,
        names: [...series.map(({ label }) => label), baseline],
        look,
      },
      (frame) => {
        const y = scale("log", domain, [frame.bottom, frame.top]);
        const lines = intervalLines(series, points, labels, look, y, frame);
        // Where the baseline was measured once there is no band, only its line.
        const band = floor.length < 2 ? "" : area(
          floor.map(({ x, low, high }) => [lines.x.scale.at(x!), y.at(low), y.at(high)]),
          colours.band,
        );
        const rule = line(frame.left, y.at(1), frame.right, y.at(1), colours.ink, 1.5);
        return {
          ...lines,
          marks: band + rule + lines.marks,
          ends: [...lines.ends, [frame.right, y.at(1)]],
        };
      },
      canvas,
    );
    return [panel, strip(figure, crossings, panel.x, look, canvas)];
  });
  return [...pieces, notes(cutOff(allPoints(figure), domain), canvas)];
}

/** Below a panel, along the same axis: from where on each series is better. */
function strip(
  { better, baseline, x: axis }: CrossoverFigure,
  crossings: readonly CrossoverMark[],
  x: Scale,
  look: (label: string) => SeriesLook,
  { width, colours }: Canvas,
): Piece {
  const parts: string[] = [];
  let y = 0;
  const write = (words: string, size: number, weight = 400): void => {
    for (const line of wrapped(words, width - 2 * PADDING, size, weight)) {
      y += size + 4;
      parts.push(textAt(PADDING, y, line, { size, weight }));
    }
  };
  const [least, most] = x.domain;
  write(`Where it is ${better} than ${baseline}, at every size from there`, SIZE, 600);
  for (const crossing of crossings) {
    const { label, from, above, estimate } = crossing;
    if (from === undefined) continue;
    const { colour } = look(label);
    y += 4;
    write(`${label}: ${whereBetter(crossing, axis)}`, SMALL);
    y += 11;
    parts.push(
      line(x.at(least), y, x.at(most), y, colours.grid, 2),
      line(x.at(from), y, Math.max(x.at(most), x.at(from) + 5), y, colour, 4),
      above === undefined ? "" : line(x.at(above), y, x.at(from), y, colour, 2, "3 3"),
      diamond(x.at(estimate ?? from), y, 5, colour),
    );
    y += 4;
  }
  const nowhere = crossings.filter(({ from }) => from === undefined);
  if (nowhere.length > 0) {
    y += 4;
    const names = nowhere.map(({ label }) => label).join(", ");
    write(`Nowhere up to ${`${most} ${axis.unit}`.trimEnd()}: ${names}`, SMALL);
  }
  return { svg: parts.join(""), height: y + 10 };
}

/** Intervals of ratios beside the line of 1, on a logarithmic axis. */
function text(figure: CrossoverFigure, { width, colours }: TextDrawing): string[] {
  const { labels, baseline } = figure;
  const points = allPoints(figure);
  const domain = ratioDomain(points);
  const noteWidth = Math.max(...points.map(({ value }) => displayWidth(formatChange(value))));
  const labelWidth = Math.min(
    Math.max(...labels.map(displayWidth)),
    Math.max(4, width - noteWidth - 5 - NARROWEST),
  );
  const columns = Math.max(NARROWEST, width - labelWidth - noteWidth - 5);
  const axis = scale("log", domain, [0, columns - 1]);
  const columnOf = (ratio: number): number =>
    Math.round(axis.at(Math.min(domain[1], Math.max(domain[0], ratio))));
  const row = (label: string, point: IntervalPoint, style: TextStyle): string => {
    const cells = new Array<string>(columns).fill(" ");
    cells[columnOf(1)] = "│";
    const low = columnOf(point.low);
    const middle = columnOf(point.value);
    const high = columnOf(point.high);
    cells.fill("─", low, high + 1);
    if (low < middle) cells[low] = "├";
    if (high > middle) cells[high] = "┤";
    cells[middle] = "●";
    const drawn = cells.map((cell) => styled(cell, cell === "│" ? "dim" : style, colours)).join("");
    const name = padEnd(truncated(label, labelWidth), labelWidth);
    return `  ${name} ${drawn} ${padStart(formatChange(point.value), noteWidth)}`;
  };
  return figure.panels.flatMap(({ title, series, floor, crossings }) => {
    const sizes = sizesOf(series.flatMap(({ points }) => points));
    const lines = title === "" ? [] : [styled(title, "bold", colours)];
    for (const size of sizes) {
      lines.push(styled(sizeText(figure.x, size), "bold", colours));
      const itself = floor.find(({ x }) => x === size);
      if (itself !== undefined) lines.push(row(baseline, itself, "dim"));
      for (const { label, points } of series) {
        const point = points.find(({ x }) => x === size);
        if (point !== undefined) {
          lines.push(row(label, point, terminalStyle(label, labels, baseline)));
        }
      }
    }
    return [
      ...lines,
      ...ratioAxis(domain, columns, columnOf).map((line) => " ".repeat(labelWidth + 3) + line),
      ...cutOff(points, domain).flatMap((note) => folded(`${note}.`, width)),
      "",
      ...folded(
        `Where it is ${figure.better} than ${baseline}, at every size from there:`,
        width,
      ),
      ...crossings.flatMap((crossing) => {
        const where = whereBetter(crossing, figure.x) ?? `nowhere up to ${sizes.at(-1)}`;
        return folded(`${crossing.label}: ${where}`, width - 2).map((line) => `  ${line}`);
      }),
      "",
    ];
  });
}

function ratioAxis(
  domain: readonly [number, number],
  columns: number,
  columnOf: (ratio: number) => number,
): [rule: string, names: string] {
  const rule = new Array<string>(columns).fill("─");
  let names = "";
  for (const tick of ratioTicks(...domain)) {
    const word = formatRatio(tick, domain);
    const column = columnOf(tick);
    const start = Math.max(0, column - (word.length >> 1));
    if (start < names.length + (names === "" ? 0 : 2) || start + word.length > columns) continue;
    rule[column] = "┴";
    names = names.padEnd(start) + word;
  }
  return [rule.join(""), names];
}
