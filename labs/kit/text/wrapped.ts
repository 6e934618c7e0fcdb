/**
 * Text in lines that fit the terminal.
 *
 * @module
 */
import { displayWidth } from "./table.ts";

/**
 * Breaks text into lines at spaces. A word that is longer than a line has one of its own.
 *
 * @param text The text; white space of any kind and length is a space.
 * @param width How many columns a line takes at most.
 * @param indent What stands before every line but the first.
 */
export function wrapped(text: string, width: number, indent = ""): string[] {
  return inLines(text.split(/\s+/).filter((word) => word !== ""), width, { indent });
}

/**
 * Puts as many items into each line as fit.
 *
 * @param items The items, which are not broken.
 * @param width How many columns a line takes at most.
 * @param options What stands between two items of a line, and before every line but the first.
 */
export function inLines(
  items: readonly string[],
  width: number,
  { gap = " ", indent = "" }: { readonly gap?: string; readonly indent?: string } = {},
): string[] {
  const lines: string[] = [];
  for (const item of items) {
    const longer = `${lines.at(-1)}${gap}${item}`;
    if (lines.length === 0) lines.push(item);
    else if (displayWidth(longer) > width) lines.push(`${indent}${item}`);
    else lines[lines.length - 1] = longer;
  }
  return lines;
}
