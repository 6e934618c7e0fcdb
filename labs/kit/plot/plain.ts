/**
 * Plain data, for what are no trials: what is given is checked.
 *
 * @module
 */
import { PlotError, type PlotKind } from "./figure.ts";

/** An item of plain data; what else it must have, its kind says. */
export interface Labelled {
  /** What it is called. */
  readonly label: string;
}

/**
 * The points of an item.
 *
 * @param kind The kind of the plot.
 * @param item What was given.
 * @param shape What a point looks like, in words.
 * @throws {PlotError} If there are none.
 */
export function requirePoints<Point>(
  kind: PlotKind,
  item: Labelled & { readonly points?: unknown },
  shape: string,
): readonly Point[] {
  const { label, points } = item;
  if (Array.isArray(points) && points.length > 0) return points;
  throw new PlotError(`plot, kind ${kind}: ${label} has no points: an array of ${shape}`);
}

/** Whether a value is a number that has a place. */
export function isNumber(value: unknown): value is number {
  return typeof value === "number" && Number.isFinite(value);
}
