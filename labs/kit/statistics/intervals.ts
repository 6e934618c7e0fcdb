/**
 * A median with its interval.
 *
 * @module
 */
import { median, quantileSorted } from "simple-statistics";
import { type BootstrapOptions, resample } from "./bootstrap.ts";

/** A median with its 95 % interval, in the unit of the values. */
export interface MedianInterval {
  /** The median of the values. */
  readonly median: number;
  /** The lower end of the interval. */
  readonly low: number;
  /** The upper end of the interval. */
  readonly high: number;
  /** How many values there were. */
  readonly count: number;
}

/**
 * The median of values, with a percentile bootstrap interval.
 *
 * With few values the interval is rough: up to five values it is the range from the smallest to
 * the largest, which holds the true median with a chance of 1 - 2^(1 - n): 75 % for three values,
 * 94 % for five.
 *
 * @param values At least one finite number.
 * @param options How to resample.
 * @returns The median and its interval, in the unit of the values.
 * @throws {RangeError} If there are no values or one is not finite.
 *
 * @example
 * ```ts
 * import { medianInterval } from "zclab/experiment";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(medianInterval([3, 1, 2]), { median: 2, low: 1, high: 3, count: 3 });
 * ```
 */
export function medianInterval(
  values: readonly number[],
  options: BootstrapOptions = {},
): MedianInterval {
  if (values.length === 0) throw new RangeError("A median needs at least one value");
  const odd = values.find((value) => !Number.isFinite(value));
  if (odd !== undefined) throw new RangeError(`A median needs finite values, not ${odd}`);
  const resampled = resample(values, median, options);
  return {
    median: median([...values]),
    low: quantileSorted(resampled, 0.025),
    high: quantileSorted(resampled, 0.975),
    count: values.length,
  };
}
