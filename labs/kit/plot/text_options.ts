/**
 * What the plots for the terminal share.
 *
 * @module
 */
import { displayWidth } from "../terminal/table.ts";

/** What {@linkcode barPlot} and {@linkcode percentilePlot} have in common. */
export interface TextPlotOptions {
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

/** No plot area is narrower than this. */
export const NARROWEST = 10;

/** A text with spaces after it, up to a width in columns of the terminal. */
export function padEnd(text: string, width: number): string {
  return text + " ".repeat(Math.max(0, width - displayWidth(text)));
}

/** A text with spaces before it, up to a width in columns of the terminal. */
export function padStart(text: string, width: number): string {
  return " ".repeat(Math.max(0, width - displayWidth(text))) + text;
}
