/**
 * Where zero copy begins to be faster.
 *
 * @module
 */
import type { Ratio } from "./comparisons.ts";
import { requireRatio } from "./values.ts";
import { type Verdict, verdict } from "./verdicts.ts";

/** One payload's comparison, for {@linkcode crossover}. */
export interface CrossoverRow {
  /** The payload in bytes. */
  readonly payload: number;
  /** Zero copy compared with copying at this payload, for a measure where more is better. */
  readonly comparison: Ratio;
  /** The noise floor at this payload. */
  readonly noiseFloor?: Ratio | undefined;
  /**
   * What was called at this payload, where that is known already, as from {@linkcode compareAll}.
   * Without it the comparison and the noise floor decide, as in {@linkcode verdict}.
   */
  readonly difference?: Verdict["difference"] | undefined;
}

/** Where zero copy begins to be faster. */
export interface Crossover {
  /** The smallest payload measured from which on zero copy is faster at every payload. */
  readonly payload: number;
  /**
   * The next smaller payload measured, where it is not faster: the crossover lies between. Absent
   * if `payload` is the smallest measured: then it lies below.
   */
  readonly above?: number;
  /**
   * The payload where the ratio would pass 1 on a straight line through the two points, with both
   * axes logarithmic. Only there if copying is seen to be faster at `above`: where no difference
   * was seen, a line through that point would be drawn by the noise. Nor is it there beside a
   * payload of 0.
   */
  readonly estimate?: number;
}

/**
 * The smallest payload from which on zero copy is faster at every payload measured.
 *
 * @param rows One comparison for each payload, in any order, each payload once.
 * @returns The crossover, or undefined if zero copy is not faster at the largest payload.
 * @throws {RangeError} If a payload is there twice or is no size, or a ratio is not positive; the
 *   message says at which payload.
 *
 * @example
 * ```ts
 * import { crossover } from "zclab/experiment";
 * import { assertEquals } from "@std/assert";
 *
 * const found = crossover([
 *   { payload: 1000, comparison: { ratio: 0.8, low: 0.7, high: 0.9, rounds: 5 } },
 *   { payload: 4000, comparison: { ratio: 1.25, low: 1.1, high: 1.4, rounds: 5 } },
 * ]);
 * assertEquals(found?.payload, 4000);
 * assertEquals(Math.round(found?.estimate ?? 0), 2000);
 * ```
 */
export function crossover(rows: readonly CrossoverRow[]): Crossover | undefined {
  for (const { payload, comparison, noiseFloor } of rows) {
    if (!(payload >= 0 && payload < Infinity)) {
      throw new RangeError(`A payload is a number of bytes, not ${String(payload)}`);
    }
    requireRatio(comparison, `The comparison at payload ${payload}`);
    if (noiseFloor !== undefined) requireRatio(noiseFloor, `The noise floor at payload ${payload}`);
  }
  const sorted = rows.toSorted((a, b) => a.payload - b.payload);
  const differences = sorted.map((row) =>
    row.difference ?? verdict(row.comparison, row.noiseFloor, { subject: "zc" }).difference
  );
  for (let i = 1; i < sorted.length; i++) {
    if (sorted[i]!.payload === sorted[i - 1]!.payload) {
      throw new RangeError(`The payload ${sorted[i]!.payload} is there twice`);
    }
  }
  const index = differences.findLastIndex((difference) => difference !== "higher") + 1;
  const first = sorted[index];
  if (first === undefined) return undefined;
  const below = sorted[index - 1];
  if (below === undefined) return { payload: first.payload };
  // No payload at all has no place on a logarithmic axis.
  if (differences[index - 1] !== "lower" || below.payload === 0) {
    return { payload: first.payload, above: below.payload };
  }
  const from = Math.log(below.comparison.ratio);
  const to = Math.log(first.comparison.ratio);
  const part = -from / (to - from);
  const estimate = below.payload * (first.payload / below.payload) ** part;
  return { payload: first.payload, above: below.payload, estimate };
}
