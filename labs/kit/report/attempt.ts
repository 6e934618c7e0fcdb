/**
 * What a report can say of a document that is valid but odd.
 *
 * @module
 */
import { PlotError } from "../plot/figure.ts";

/** What cannot be had of a document that is valid but odd is left out. */
export function attempt<T>(compute: () => T): T | undefined {
  try {
    return compute();
  } catch (error) {
    if (error instanceof PlotError || error instanceof RangeError || error instanceof TypeError) {
      return undefined;
    }
    throw error;
  }
}
