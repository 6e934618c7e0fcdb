/**
 * What the drawings for the terminal share.
 *
 * @module
 */
import { displayWidth, styled, truncated } from "../text/table.ts";
import { inLines, wrapped } from "../text/wrapped.ts";
import type { FigureHead } from "./figure.ts";

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

/** How to draw. */
export interface TextDrawing {
  /** Columns of the terminal. */
  readonly width: number;
  /** Whether to use colours. */
  readonly colours: boolean;
}

/**
 * A whole drawing.
 *
 * @param head The figure.
 * @param body The lines between its title and its notes.
 * @param drawing How to draw.
 * @returns Lines, each ended by a newline.
 */
export function textDocument(
  { title, subtitle, notes }: FigureHead,
  body: readonly string[],
  { width, colours }: TextDrawing,
): string {
  const lines = [
    ...folded(title, width).map((line) => styled(line, "bold", colours)),
    ...(subtitle === "" ? [] : folded(subtitle, width)),
    "",
    ...body,
    ...notes.flatMap((note) => folded(note, width)),
  ];
  return lines.map((line) => line.trimEnd()).join("\n").trimEnd() + "\n";
}

/** Words, or whole items, in lines of a width. */
export function folded(text: string | readonly string[], width: number): string[] {
  const lines = typeof text === "string"
    ? wrapped(text, width)
    : inLines(text, width, { gap: "  " });
  return lines.map((line) => truncated(line, width));
}
