/**
 * Curves of percentiles for the terminal.
 *
 * @module
 */
import {
  coloursWanted,
  displayWidth,
  styled,
  terminalWidth,
  type TextStyle,
  truncated,
} from "../text/table.ts";
import { nines, PERCENTILE_TICKS, roundNumbers, roundStep, WIDE_RANGE } from "./axis.ts";
import { formatSi, tickText } from "../text/format.ts";
import { NARROWEST, padStart, type TextPlotOptions } from "./text.ts";
import { TERMINAL_STYLES } from "./theme.ts";

/** One value of a distribution. */
export interface PercentilePoint {
  /** The percentile, at least 0 and below 100. */
  readonly percentile: number;
  /** The value that this part of all values does not exceed; above 0. */
  readonly value: number;
}

/** One curve of {@linkcode percentilePlot}. */
export interface PercentileSeries {
  /** What the curve shows, such as `busy polling`. */
  readonly label: string;
  /** The points, in any order. */
  readonly points: readonly PercentilePoint[];
  /** The colour of the curve. */
  readonly style?: TextStyle;
}

/** Options of {@linkcode percentilePlot}. */
export interface PercentilePlotOptions extends TextPlotOptions {
  /**
   * How many lines the curves take, at least 4.
   *
   * @default {14}
   */
  readonly height?: number;
}

/** Line characters of a curve: along, up, from along to up, from up to along. */
const LINES: readonly string[] = ["─│╯╭", "━┃┛┏", "═║╝╔", "┄┆╯╭"];

/**
 * Curves of percentiles, such as of latencies. The axis of the percentiles is logarithmic towards
 * 100: as much room for 90 to 99 as for 99 to 99.9, because that is where latencies differ. The
 * axis of the values starts at 0, or is logarithmic where they differ more than twentyfold.
 *
 * @param series The curves; each is named where it ends.
 * @param options Title, unit, width, height and colours.
 * @returns Lines, each ended by a newline.
 * @throws {RangeError} If a percentile is not in [0, 100) or a value is not above 0.
 *
 * @example
 * ```ts
 * import { percentilePlot } from "./percentile_plot.ts";
 * import { assertStringIncludes } from "@std/assert";
 *
 * const points = [[0, 10e-6], [50, 12e-6], [90, 20e-6], [99, 45e-6]]
 *   .map(([percentile, value]) => ({ percentile: percentile!, value: value! }));
 * const text = percentilePlot([{ label: "epoll", points }], { unit: "s", colours: false });
 * assertStringIncludes(text, "epoll 45.0 µs");
 * ```
 */
export function percentilePlot(
  series: readonly PercentileSeries[],
  options: PercentilePlotOptions = {},
): string {
  const { title, unit = "", width = terminalWidth(), colours = coloursWanted() } = options;
  const height = Math.max(4, Math.floor(options.height ?? 14));
  for (const { label, points } of series) {
    for (const { percentile, value } of points) {
      if (!(percentile >= 0 && percentile < 100)) {
        throw new RangeError(`Curve ${label}: a percentile is in [0, 100), not ${percentile}`);
      }
      if (!(value > 0 && value < Infinity)) {
        throw new RangeError(`Curve ${label}: a value is above 0, not ${value}`);
      }
    }
  }
  const curves = series.filter(({ points }) => points.length > 0);
  const lines = title === undefined ? [] : [styled(title, "bold", colours), ""];
  if (curves.length === 0) return [...lines, "(nothing to plot)", ""].join("\n");

  const axis = valueAxis(curves.flatMap(({ points }) => points.map(({ value }) => value)), height);
  const tickTexts = new Map(axis.ticks.map((tick) => [axis.row(tick), tickText(tick, unit)]));
  const tickWidth = Math.max(...[...tickTexts.values()].map(displayWidth));
  const endTexts = curves.map(({ label, points }) => {
    const last = points.toSorted((a, b) => a.percentile - b.percentile).at(-1)!;
    return { text: `${label} ${formatSi(last.value, unit)}`, row: axis.row(last.value) };
  });
  const longest = Math.max(...endTexts.map(({ text }) => displayWidth(text)));
  const endWidth = Math.min(longest, Math.floor(width / 3));
  const columns = Math.max(NARROWEST, width - tickWidth - 2 - 1 - endWidth);
  const farthest = Math.max(
    nines(50),
    ...curves.flatMap(({ points }) => points.map(({ percentile }) => nines(percentile))),
  );

  const grid = Array.from({ length: height }, () => new Array<string>(columns).fill(" "));
  for (const [index, curve] of curves.entries()) {
    const draw = LINES[index % LINES.length]!;
    drawCurve(grid, curveRows(curve.points, columns, farthest, axis.row), (kind) => {
      return styled(draw[kind]!, styleOf(curve, index), colours);
    });
  }
  const ends = placeEnds(endTexts, height);
  for (let row = height - 1; row >= 0; row--) {
    const tick = tickTexts.get(row);
    const left = `${padStart(tick ?? "", tickWidth)} ${tick === undefined ? "│" : "┤"}`;
    const end = ends.get(row);
    const style = end === undefined ? undefined : styleOf(curves[end]!, end);
    const name = end === undefined ? "" : truncated(endTexts[end]!.text, endWidth);
    lines.push(`${left}${grid[row]!.join("")} ${styled(name, style, colours)}`.trimEnd());
  }
  lines.push(...percentileAxis(columns, farthest, tickWidth));
  return lines.map((line) => `${line}\n`).join("");
}

function styleOf({ style }: PercentileSeries, index: number): TextStyle {
  return style ?? TERMINAL_STYLES[index % TERMINAL_STYLES.length]!;
}

interface ValueAxis {
  readonly ticks: readonly number[];
  /** The row of a value, from 0 at the bottom. */
  readonly row: (value: number) => number;
}

function valueAxis(values: readonly number[], height: number): ValueAxis {
  const least = Math.min(...values);
  const most = Math.max(...values);
  const clamp = (row: number): number => Math.min(height - 1, Math.max(0, Math.round(row)));
  if (most / least > WIDE_RANGE) {
    const ticks = roundNumbers(least, most);
    const bottom = Math.log(Math.min(least, ticks[0] ?? least));
    const span = Math.log(most) - bottom;
    return {
      ticks,
      row: (value) => clamp((Math.log(value) - bottom) / span * (height - 1)),
    };
  }
  const step = roundStep(most / Math.max(2, height / 3));
  const ticks = Array.from({ length: Math.floor(most / step + 1e-9) + 1 }, (_, i) => i * step);
  return { ticks, row: (value) => clamp(value / most * (height - 1)) };
}

/** The row of a curve in each column, undefined where it has no points on both sides. */
function curveRows(
  points: readonly PercentilePoint[],
  columns: number,
  farthest: number,
  row: (value: number) => number,
): (number | undefined)[] {
  const sorted = points.toSorted((a, b) => a.percentile - b.percentile);
  return Array.from({ length: columns }, (_, column) => {
    const at = column / (columns - 1) * farthest;
    const after = sorted.findIndex(({ percentile }) => nines(percentile) >= at - 1e-9);
    const right = sorted[after];
    if (right === undefined) return undefined;
    const left = sorted[after - 1];
    if (left === undefined) {
      return nines(right.percentile) - at < 1e-9 ? row(right.value) : undefined;
    }
    const [from, to] = [nines(left.percentile), nines(right.percentile)];
    const part = to > from ? (at - from) / (to - from) : 1;
    return row(left.value * (right.value / left.value) ** part);
  });
}

/** Draws along the row of each column, with corners where the row changes. */
function drawCurve(
  grid: string[][],
  rows: readonly (number | undefined)[],
  line: (kind: 0 | 1 | 2 | 3) => string,
): void {
  for (const [column, row] of rows.entries()) {
    if (row === undefined) continue;
    const previous = rows[column - 1] ?? row;
    if (previous >= row) {
      grid[row]![column] = line(0);
      continue;
    }
    grid[previous]![column] = line(2);
    for (let between = previous + 1; between < row; between++) grid[between]![column] = line(1);
    grid[row]![column] = line(3);
  }
}

/** Gives each curve's name a row of its own, as near to the curve's end as there is room. */
function placeEnds(ends: readonly { readonly row: number }[], height: number): Map<number, number> {
  const placed = new Map<number, number>();
  const order = ends.map((_, index) => index).sort((a, b) => ends[b]!.row - ends[a]!.row);
  for (const index of order) {
    const wanted = ends[index]!.row;
    for (let distance = 0; distance < height; distance++) {
      const row = [wanted - distance, wanted + distance].find((row) =>
        row >= 0 && row < height && !placed.has(row)
      );
      if (row === undefined) continue;
      placed.set(row, index);
      break;
    }
  }
  return placed;
}

function percentileAxis(columns: number, farthest: number, indent: number): string[] {
  const rule = new Array<string>(columns).fill("─");
  let names = "";
  for (const percentile of PERCENTILE_TICKS) {
    const column = Math.round(nines(percentile) / farthest * (columns - 1));
    const text = `p${percentile}`;
    const start = Math.max(0, column - (text.length >> 1));
    if (column >= columns || start < names.length + (names === "" ? 0 : 2)) continue;
    rule[column] = "┬";
    names = names.padEnd(start) + text;
  }
  const space = " ".repeat(indent + 1);
  return [`${space}└${rule.join("")}`, `${space} ${names}`];
}
