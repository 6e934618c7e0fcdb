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

/** What a kind says of trials that is made of plain data alone. */
export interface OfPlainDataAlone {
  /** Never. */
  suits(): boolean;
  /** Refuses them. */
  ofTrials(): never;
}

/**
 * What a kind says of trials that is made of plain data alone.
 *
 * @param kind The kind.
 * @param silent What trials do not say, as in "trials do not say ...".
 * @param instead What to give instead, with an example.
 */
export function ofPlainDataAlone(
  kind: PlotKind,
  silent: string,
  instead: string,
): OfPlainDataAlone {
  return {
    suits: () => false,
    ofTrials: () => {
      throw new PlotError(
        `plot, kind ${kind}: trials do not say ${silent}. What to do: give ${instead}`,
      );
    },
  };
}

/**
 * Makes sure that there are as many items as a kind shows.
 *
 * @param kind The kind of the plot.
 * @param data What was given.
 * @param count How many it shows.
 * @param rule The same in words, which the number that there are follows.
 * @param advice What to do otherwise, if there is something.
 * @throws {PlotError} If there are more, or fewer.
 */
export function requireItems(
  kind: PlotKind,
  data: readonly Labelled[],
  count: number,
  rule: string,
  advice?: string,
): void {
  if (data.length === count) return;
  throw new PlotError(
    `plot, kind ${kind}: ${rule}, not ${data.length}` +
      (advice === undefined ? "" : `. What to do: ${advice}`),
  );
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
