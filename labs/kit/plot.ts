/**
 * Plots for the terminal.
 *
 * @module
 */
import { styleText } from "node:util";
import {
  coloursWanted,
  displayWidth,
  styled,
  terminalWidth,
  type TextStyle,
  truncated,
} from "./table.ts";

/** One bar of {@linkcode barPlot}. */
export interface Bar {
  /** Bars with the same group stand together below it, such as `4000 B`. */
  readonly group?: string;
  /** What the bar shows, such as `zc`. */
  readonly label: string;
  /** The length of the bar, not negative. */
  readonly value: number;
  /** The lower end of the interval around the value. */
  readonly low?: number;
  /** The upper end of the interval. */
  readonly high?: number;
  /** What stands after the value, such as `+21 %`. */
  readonly note?: string;
  /** The colour of the bar. */
  readonly style?: TextStyle;
}

/** Options of {@linkcode barPlot} and {@linkcode percentilePlot}. */
export interface PlotOptions {
  /** What stands above the plot. */
  readonly title?: string;
  /** The unit of the values, such as `requests/s` or `s`. */
  readonly unit?: string;
  /**
   * How many columns of the terminal the plot may take.
   *
   * @default {terminalWidth()}
   */
  readonly width?: number;
  /**
   * Whether to use colours.
   *
   * @default {coloursWanted()}
   */
  readonly colours?: boolean;
}

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
export interface PercentilePlotOptions extends PlotOptions {
  /**
   * How many lines the curves take, at least 4.
   *
   * @default {14}
   */
  readonly height?: number;
}

const PREFIXES: readonly (readonly [number, string])[] = [
  [1e12, "T"],
  [1e9, "G"],
  [1e6, "M"],
  [1e3, "k"],
  [1, ""],
  [1e-3, "m"],
  [1e-6, "µ"],
  [1e-9, "n"],
];

const EIGHTHS = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];

/** No plot area is narrower than this. */
const NARROWEST = 10;

/** Line characters of a curve: along, up, from along to up, from up to along. */
const LINES: readonly string[] = ["─│╯╭", "━┃┛┏", "═║╝╔", "┄┆╯╭"];

const CURVE_STYLES: readonly TextStyle[] = ["cyan", "yellow", "magenta", "green"];

/** The percentiles that the axis may name. */
const PERCENTILE_TICKS: readonly number[] = [0, 50, 90, 99, 99.9, 99.99, 99.999, 99.9999];

/**
 * A ratio as a change in percent.
 *
 * @param ratio What is compared, divided by what it is compared with.
 * @returns The change in whole percent, with its sign.
 *
 * @example
 * ```ts
 * import { formatChange } from "zclab";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(formatChange(1.284), "+28 %");
 * assertEquals(formatChange(0.9), "−10 %");
 * ```
 */
export function formatChange(ratio: number): string {
  const change = (ratio - 1) * 100;
  return `${change >= 0 ? "+" : "−"}${Math.abs(change).toFixed(0)} %`;
}

/**
 * A number in three digits with an SI prefix and its unit.
 *
 * @param value The number.
 * @param unit Its unit. A symbol of up to three letters takes the prefix before it.
 *
 * @example
 * ```ts
 * import { formatSi } from "zclab";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(formatSi(1234567, "requests/s"), "1.23 M requests/s");
 * assertEquals(formatSi(0.0000412, "s"), "41.2 µs");
 * assertEquals(formatSi(600), "600");
 * ```
 */
export function formatSi(value: number, unit = ""): string {
  if (!Number.isFinite(value)) return `${value} ${unit}`.trimEnd();
  const size = Math.abs(value);
  // 999.6 would show as 1000: what rounds up to the next prefix belongs to it.
  const [factor, prefix] = size === 0
    ? [1, ""] as const
    : PREFIXES.find(([factor]) => size >= factor * 0.9995) ?? PREFIXES.at(-1)!;
  const scaled = value / factor;
  const whole = factor === 1 && Number.isInteger(value);
  const decimals = Math.abs(scaled) >= 99.95 ? 0 : Math.abs(scaled) >= 9.995 ? 1 : 2;
  const digits = whole ? String(value) : scaled.toFixed(decimals);
  const symbol = displayWidth(unit) <= 3;
  return `${digits} ${prefix}${symbol || prefix === "" ? "" : " "}${unit}`.trimEnd();
}

/**
 * Horizontal bars from a common zero, with the interval of each value drawn over its end as
 * `├─┼─┤`. An interval narrower than three columns has no room and is left to the table.
 *
 * @param bars The bars from top to bottom.
 * @param options Title, unit, width and colours.
 * @returns Lines, each ended by a newline.
 * @throws {RangeError} If a value is negative or not finite, or an interval does not hold it.
 *
 * @example
 * ```ts
 * import { barPlot } from "zclab";
 * import { assertEquals } from "@std/assert";
 *
 * const text = barPlot([
 *   { label: "copy", value: 4, note: "baseline" },
 *   { label: "zc", value: 8, low: 6, high: 10, note: "+100 %" },
 * ], { width: 40, colours: false });
 * assertEquals(
 *   text,
 *   "copy │████████▊              4  baseline\n" +
 *     "zc   │█████████████├───┼───┤ 8  +100 %\n",
 * );
 * ```
 */
export function barPlot(bars: readonly Bar[], options: PlotOptions = {}): string {
  const { title, unit = "", width = terminalWidth(), colours = coloursWanted() } = options;
  for (const { label, value, low = value, high = value } of bars) {
    if (![value, low, high].every(Number.isFinite) || low < 0 || value < low || high < value) {
      throw new RangeError(
        `Bar ${label}: 0 <= low <= value <= high does not hold: ` +
          `low ${low}, value ${value}, high ${high}`,
      );
    }
  }
  const lines = title === undefined ? [] : [styled(title, "bold", colours), ""];
  if (bars.length === 0) return [...lines, "(nothing to plot)", ""].join("\n");

  const values = bars.map((bar) => formatSi(bar.value, unit));
  const indent = bars.some((bar) => bar.group !== undefined) ? "  " : "";
  const valueWidth = Math.max(...values.map(displayWidth));
  const noteWidth = Math.max(...bars.map((bar) => displayWidth(bar.note ?? "")));
  const after = 1 + valueWidth + (noteWidth > 0 ? 2 + noteWidth : 0);
  const longest = Math.max(...bars.map((bar) => displayWidth(bar.label)));
  const labelWidth = Math.max(4, Math.min(longest, width - indent.length - 2 - NARROWEST - after));
  const cells = Math.max(NARROWEST, width - indent.length - labelWidth - 2 - after);
  const largest = Math.max(...bars.map((bar) => bar.high ?? bar.value));

  for (const [index, bar] of bars.entries()) {
    if (bar.group !== undefined && bar.group !== bars[index - 1]?.group) {
      if (index > 0) lines.push("");
      lines.push(styled(bar.group, "bold", colours));
    }
    const label = padEnd(truncated(bar.label, labelWidth), labelWidth);
    const drawn = drawBar(bar, largest, cells, colours);
    const value = padStart(values[index]!, valueWidth);
    lines.push(`${indent}${label} │${drawn} ${value}  ${bar.note ?? ""}`.trimEnd());
  }
  return lines.map((line) => `${line}\n`).join("");
}

function drawBar(bar: Bar, largest: number, cells: number, colours: boolean): string {
  const { value, low = value, high = value, style = "cyan" } = bar;
  const place = (at: number): number => largest > 0 ? at / largest * cells : 0;
  const first = Math.floor(place(low));
  const last = Math.min(cells - 1, Math.ceil(place(high)) - 1);
  if (last - first < 2) {
    const eighths = Math.round(place(value) * 8);
    const blocks = "█".repeat(eighths >> 3) + EIGHTHS[eighths & 7];
    return styled(blocks, style, colours) + " ".repeat(cells - blocks.length);
  }
  const middle = Math.min(last - 1, Math.max(first + 1, Math.floor(place(value))));
  const inside = `├${"─".repeat(middle - first - 1)}`;
  const outside = `┼${"─".repeat(last - middle - 1)}┤`;
  // With colours the bar shows behind its whisker, up to the value.
  const shown = colours ? styleText([style, "inverse"], inside, { validateStream: false }) : inside;
  return styled("█".repeat(first), style, colours) + shown + styled(outside, style, colours) +
    " ".repeat(cells - last - 1);
}

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
 * import { percentilePlot } from "zclab";
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
    const style = curve.style ?? CURVE_STYLES[index % CURVE_STYLES.length];
    drawCurve(grid, curveRows(curve.points, columns, farthest, axis.row), (kind) => {
      return styled(draw[kind]!, style, colours);
    });
  }
  const ends = placeEnds(endTexts, height);
  for (let row = height - 1; row >= 0; row--) {
    const tick = tickTexts.get(row);
    const left = `${padStart(tick ?? "", tickWidth)} ${tick === undefined ? "│" : "┤"}`;
    const end = ends.get(row);
    const style = end === undefined
      ? undefined
      : curves[end]!.style ?? CURVE_STYLES[end % CURVE_STYLES.length];
    const name = end === undefined ? "" : truncated(endTexts[end]!.text, endWidth);
    lines.push(`${left}${grid[row]!.join("")} ${styled(name, style, colours)}`.trimEnd());
  }
  lines.push(...percentileAxis(columns, farthest, tickWidth));
  return lines.map((line) => `${line}\n`).join("");
}

/** A tick is a round number: the zeros that only show precision go. */
function tickText(value: number, unit: string): string {
  const [digits, ...rest] = formatSi(value, unit).split(" ");
  return [String(Number(digits)), ...rest].join(" ");
}

/** How many nines a percentile has: 0 for 0, 1 for 90, 2 for 99. */
function nines(percentile: number): number {
  return -Math.log10(1 - percentile / 100);
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
  if (most / least > 20) {
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

/** 1, 2 and 5 times powers of ten between two numbers, or the powers alone where those suffice. */
function roundNumbers(least: number, most: number): number[] {
  const decades = Math.log10(most / least);
  const found: number[] = [];
  for (let power = Math.floor(Math.log10(least)); power <= Math.log10(most); power++) {
    for (const digit of decades > 3 ? [1] : [1, 2, 5]) {
      const value = Number(`${digit}e${power}`);
      if (value >= least * 0.999 && value <= most * 1.001) found.push(value);
    }
  }
  return found;
}

/** The smallest of 1, 2 and 5 times a power of ten that is not below a number. */
function roundStep(least: number): number {
  const power = Math.floor(Math.log10(least));
  for (const digit of [1, 2, 5]) {
    const step = Number(`${digit}e${power}`);
    if (step >= least * 0.999) return step;
  }
  return Number(`1e${power + 1}`);
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

function padEnd(text: string, width: number): string {
  return text + " ".repeat(Math.max(0, width - displayWidth(text)));
}

function padStart(text: string, width: number): string {
  return " ".repeat(Math.max(0, width - displayWidth(text))) + text;
}
