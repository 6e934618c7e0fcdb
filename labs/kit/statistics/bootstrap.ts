/**
 * Resampling, seeded, so that the same values give the same interval.
 *
 * @module
 */
import { Random } from "../trials/random.ts";

/** Options of the bootstrap. */
export interface BootstrapOptions {
  /**
   * Decides what is resampled: from 0 to 2^32 - 1.
   *
   * @default {1}
   */
  readonly seed?: number;
  /**
   * How often to resample, at least 100.
   *
   * @default {4000}
   */
  readonly resamples?: number;
}

/**
 * Sorted values of a statistic over resamples of the values.
 *
 * @param values What to draw from, with replacement.
 * @param statistic Computes the statistic; it must not keep the array.
 * @param options How often, and with which seed.
 * @throws {RangeError} If an option is not possible.
 */
export function resample(
  values: readonly number[],
  statistic: (values: number[]) => number,
  { seed = 1, resamples = 4000 }: BootstrapOptions,
): number[] {
  if (!Number.isSafeInteger(resamples) || resamples < 100) {
    throw new RangeError(`resamples is a whole number, at least 100, not ${resamples}`);
  }
  const random = new Random(seed);
  const drawn = new Array<number>(values.length);
  const statistics = new Array<number>(resamples);
  for (let i = 0; i < resamples; i++) {
    for (let j = 0; j < drawn.length; j++) drawn[j] = values[random.below(values.length)]!;
    statistics[i] = statistic(drawn);
  }
  return statistics.sort((a, b) => a - b);
}

/** simple-statistics sums with error compensation, which costs more here than all the rest. */
export function mean(values: readonly number[]): number {
  let sum = 0;
  for (const value of values) sum += value;
  return sum / values.length;
}
