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
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(/\s+/).filter((word) => word !== "")) {
    const longer = line === "" ? word : `${line} ${word}`;
    if (line !== "" && displayWidth(longer) > width) {
      lines.push(line);
      line = `${indent}${word}`;
    } else line = longer;
  }
  return line === "" ? lines : [...lines, line];
}
