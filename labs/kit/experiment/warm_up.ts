/**
 * When a machine is warm: the rule by which an experiment ends its warm-up.
 *
 * ## The rule
 *
 * A line is fitted to the logarithms of the last `window` rounds, of each combination and of all
 * combinations together (the mean of their logarithms in each round). There is a trend if the line
 * rises or falls by more than `tolerance` over the window, and by more than the noise between the
 * rounds explains: Student's t of the slope is beyond its 1 % quantile, for all together beyond
 * its 5 % quantile. Steady is what has no trend.
 *
 * All together see what they share with much less noise than one alone, so the strict level is
 * theirs; with the same level for each of many combinations, one of them would always have a trend
 * by chance. In simulations with the default window of six rounds and a noise of 2 to 8 %, of which
 * half is shared, what was steady from the start was called steady after 6.0 rounds with two
 * combinations and after 6.5 with 48. What began 50 % off and came closer by 28 % each round was at
 * 2 % noise called steady after 12 rounds with 1.2 % left, at 8 % noise after 8 rounds with 4 %
 * left: a trend below the noise is not seen, and what all combinations share of it cancels out of
 * comparisons within rounds.
 *
 * @module
 */
import { mean } from "../statistics/bootstrap.ts";
import { studentQuantile } from "../statistics/distributions.ts";

/** Warm-up that lasts until the machine is steady, for {@linkcode experiment}. */
export interface WarmUpUntilSteady {
  /** The measure to watch: the name of a positive number, or null, in the measures. */
  readonly measure: string;
  /**
   * How many rounds to try at most, at least as many as `window`. After them the experiment goes
   * on, and its result says that it never was steady.
   *
   * @default {20}
   */
  readonly most?: number;
  /**
   * How many rounds, the last ones, must be without a trend: at least 4.
   *
   * @default {6}
   */
  readonly window?: number;
  /**
   * A change of this much over the window is no trend: 0.02 is 2 %.
   *
   * @default {0.02}
   */
  readonly tolerance?: number;
}

/**
 * Warm-up that lasts until two rounds are the same, for {@linkcode experiment}: where the clock counts
 * instructions, nothing but what is still warming up makes rounds differ.
 */
export interface WarmUpUntilSame {
  /** The measures to watch: names of positive numbers, or null, in the measures. */
  readonly same: readonly string[];
  /**
   * How many rounds go before two are looked at, these two included: at least 2.
   *
   * @default {2}
   */
  readonly least?: number;
  /**
   * How many rounds to try at most, at least as many as `least`. After them the experiment goes on, and
   * its result says that it never was steady.
   *
   * @default {10 more than least}
   */
  readonly most?: number;
  /**
   * How far two rounds may be apart to be the same: 0.005 is 0.5 %.
   *
   * @default {0.005}
   */
  readonly tolerance?: number;
}

/** How many rounds are tried after the fewest until two are the same, unless that is said. */
export const SAME_ROUNDS = 10;
/** How far apart they may be, unless that is said. */
export const SAME_TOLERANCE = 0.005;
/** One value in four may be off: a function that was compiled in one trial is no trend. */
const OFF = 0.25;

/**
 * Whether two rounds are the same: three in four of their values are, and all where there are fewer
 * than four.
 *
 * @param pairs For each combination and measure its values in the two rounds, positive.
 * @param tolerance How far apart the values may be, as a fraction.
 */
export function isSame(
  pairs: readonly (readonly [before: number, last: number])[],
  tolerance: number,
): boolean {
  const limit = Math.log1p(tolerance);
  const off = pairs.filter(([before, last]) => Math.abs(Math.log(last / before)) > limit);
  return off.length <= Math.floor(pairs.length * OFF);
}

/** How many rounds must be without a trend, unless that is said. */
export const STEADY_ROUNDS = 6;
/** The chances with which noise alone looks like a trend. */
const LEVEL = { each: 0.01, together: 0.05 } as const;

/**
 * Whether rounds are without a trend.
 *
 * @param combinations For each combination its value in each round, positive, oldest first, all of
 *   the same rounds; at least four.
 * @param tolerance The change over these rounds that is no trend, as a fraction.
 */
export function isSteady(combinations: readonly (readonly number[])[], tolerance: number): boolean {
  const logarithms = combinations.map((values) => values.map(Math.log));
  const rounds = logarithms[0]!.length;
  const together = Array.from(
    { length: rounds },
    (_, round) => mean(logarithms.map((values) => values[round]!)),
  );
  const limit = Math.log1p(tolerance);
  return !hasTrend(together, LEVEL.together, limit) &&
    logarithms.every((values) => !hasTrend(values, LEVEL.each, limit));
}

function hasTrend(values: readonly number[], level: number, limit: number): boolean {
  const count = values.length;
  const middle = (count - 1) / 2;
  const usual = mean(values);
  let [products, squares] = [0, 0];
  for (const [x, y] of values.entries()) {
    products += (x - middle) * (y - usual);
    squares += (x - middle) ** 2;
  }
  const slope = products / squares;
  if (Math.abs(slope) * (count - 1) <= limit) return false;
  let rest = 0;
  for (const [x, y] of values.entries()) rest += (y - usual - slope * (x - middle)) ** 2;
  const error = Math.sqrt(rest / (count - 2) / squares);
  return Math.abs(slope) > studentQuantile(count - 2, level) * error;
}
