/**
 * How a result shows itself, at a prompt and in a notebook.
 *
 * @module
 */
import type { Display } from "../../../ffi/kernel/inspection.ts";

/**
 * Makes a plain object show itself at a prompt and in Jupyter. What it holds, and how it is written
 * to a file, stays the same.
 *
 * @param value The object.
 * @param display Called each time Jupyter shows it.
 * @param text Called each time a prompt shows it; by default the text of `display`.
 * @returns The same object.
 */
export function displayedAs<T extends object>(
  value: T,
  display: () => Display,
  text: () => string = () => display()["text/plain"],
): T {
  return Object.defineProperties(value, {
    [Symbol.for("Deno.customInspect")]: { value: () => text().trimEnd() },
    [Symbol.for("Jupyter.display")]: { value: display },
  });
}
