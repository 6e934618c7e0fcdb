/**
 * Horizontal bars for the terminal.
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
} from "../text/table.ts";
import { formatSi } from "../text/format.ts";
import { NARROWEST, padEnd, padStart, type TextPlotOptions } from "./text.ts";
import { TERMINAL_STYLES } from "./theme.ts";

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

const EIGHTHS = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];

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
 * import { barPlot } from "./bar_plot.ts";
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
export function barPlot(bars: readonly Bar[], options: TextPlotOptions = {}): string {
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
  const { value, low = value, high = value, style = TERMINAL_STYLES[0]! } = bar;
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
