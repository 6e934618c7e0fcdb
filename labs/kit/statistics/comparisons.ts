/**
 * Paired comparisons of two combinations.
 *
 * @module
 */
import { quantileSorted } from "simple-statistics";
import { describeFactors, type Factors, hasFactors, type Measures, type Trial } from "../trials.ts";
import { type BootstrapOptions, mean, resample } from "./bootstrap.ts";
import { normalQuantile, studentQuantile } from "./distributions.ts";

/** A ratio with its 95 % interval; 1.2 means 20 % more. */
export interface Ratio {
  /** The geometric mean of the ratios of each round. */
  readonly ratio: number;
  /** The lower end of the interval. */
  readonly low: number;
  /** The upper end of the interval. */
  readonly high: number;
  /** How many rounds it rests on. */
  readonly rounds: number;
}

/** Options of {@linkcode compare}. */
export interface CompareOptions<F extends Factors> extends BootstrapOptions {
  /** The measure to compare: the name of a number in the measures. */
  readonly measure: string;
  /** The combination to compare; as many of its factors as make it unique. */
  readonly of: Partial<F>;
  /** The combination to compare it with. */
  readonly against: Partial<F>;
}

/** Options of {@linkcode noiseFloor}. */
export interface NoiseFloorOptions<F extends Factors> extends BootstrapOptions {
  /** The measure to compare: the name of a number in the measures. */
  readonly measure: string;
  /** Which baseline, where there are several; as many of its factors as make it unique. */
  readonly at?: Partial<F>;
}

/** The chance that a 95 % interval misses what it is about. */
export const FIVE_PERCENT = 0.05;
/** No chance below this is computed: it would say more of the method than of the trials. */
const SMALLEST_CHANCE = 1e-9;

/** Paired values and their resampled ratios: one bootstrap for intervals of every level. */
export class PairedBootstrap {
  readonly #rounds: number;
  /** The mean of the logarithms of the ratios. */
  readonly #center: number;
  /** The standard error of that mean. */
  readonly #error: number;
  /** That mean, resampled and sorted. */
  readonly #resampled: number[];

  /**
   * Resamples paired values.
   *
   * @param of One positive value for each round.
   * @param against The values of the same rounds to compare with.
   * @param options How to resample.
   * @throws {RangeError} As {@linkcode pairedRatio}.
   */
  constructor(of: readonly number[], against: readonly number[], options: BootstrapOptions) {
    const rounds = of.length;
    if (rounds !== against.length) {
      throw new RangeError(`Paired values: ${rounds} of one, ${against.length} of the other`);
    }
    if (rounds < 2) throw new RangeError("A ratio with an interval needs at least two rounds");
    for (const value of [...of, ...against]) {
      if (!Number.isFinite(value) || value <= 0) {
        throw new RangeError(`A ratio needs positive, finite values, not ${value}`);
      }
    }
    const logarithms = of.map((value, round) => Math.log(value / against[round]!));
    this.#rounds = rounds;
    this.#center = mean(logarithms);
    const squares = mean(logarithms.map((value) => (value - this.#center) ** 2));
    this.#error = Math.sqrt(squares / (rounds - 1));
    this.#resampled = resample(logarithms, mean, options);
  }

  /** The ratio with its 95 % interval. */
  ratio(): Ratio {
    const [below, above] = this.#reach(FIVE_PERCENT);
    return {
      ratio: Math.exp(this.#center),
      low: Math.exp(this.#center - below),
      high: Math.exp(this.#center + above),
      rounds: this.#rounds,
    };
  }

  /** How far the interval that misses with a chance of `tails` reaches at most, as a logarithm. */
  reach(tails: number): number {
    return Math.max(...this.#reach(tails));
  }

  /**
   * The chance, were there no difference, of one as large as this or larger: that of the widest
   * interval that excludes 1, not below 1e-9. It is at most 5 % exactly if the 95 % interval
   * excludes 1.
   */
  chance(): number {
    const excludes = (tails: number): boolean => {
      const [below, above] = this.#reach(tails);
      return this.#center > 0 ? this.#center > below : -this.#center > above;
    };
    if (this.#center === 0) return 1;
    // First whether the 95 % interval excludes 1, so that the two never disagree.
    const called = excludes(FIVE_PERCENT);
    let low = Math.log(called ? SMALLEST_CHANCE : FIVE_PERCENT);
    let high = called ? Math.log(FIVE_PERCENT) : 0;
    if (called && excludes(SMALLEST_CHANCE)) return SMALLEST_CHANCE;
    for (let i = 0; i < 30; i++) {
      const middle = (low + high) / 2;
      if (excludes(Math.exp(middle))) high = middle;
      else low = middle;
    }
    return called ? Math.min(FIVE_PERCENT, Math.exp(high)) : Math.min(1, Math.exp(high));
  }

  #reach(tails: number): [below: number, above: number] {
    const [n, center] = [this.#rounds, this.#center];
    const student = studentQuantile(n - 1, tails);
    const stretch = Math.sqrt(n / (n - 1)) * student / normalQuantile(tails);
    // What is rarer than 5 % is beyond what few rounds can be resampled to: Student's own interval.
    const least = tails < FIVE_PERCENT ? student * this.#error : 0;
    return [
      Math.max(least, stretch * (center - quantileSorted(this.#resampled, tails / 2))),
      Math.max(least, stretch * (quantileSorted(this.#resampled, 1 - tails / 2) - center)),
    ];
  }
}

/**
 * The ratio of paired values: the geometric mean of `of[i] / against[i]`, with its interval.
 *
 * @param of One positive value for each round.
 * @param against The values of the same rounds to compare with.
 * @param options How to resample.
 * @returns The ratio and its interval, from the method described at the top of statistics.ts.
 * @throws {RangeError} If there are fewer than two rounds, if the lengths differ, or if a value
 *   is not positive and finite.
 *
 * @example
 * ```ts
 * import { pairedRatio } from "zclab";
 * import { assert, assertAlmostEquals } from "@std/assert";
 *
 * // The rounds differ by a factor of two; the ratio within each is near 1.2.
 * const { ratio, low, high } = pairedRatio([121, 238, 180], [100, 200, 150]);
 * assertAlmostEquals(ratio, 1.2, 0.01);
 * assert(low > 1.1 && high < 1.3);
 * ```
 */
export function pairedRatio(
  of: readonly number[],
  against: readonly number[],
  options: BootstrapOptions = {},
): Ratio {
  return new PairedBootstrap(of, against, options).ratio();
}

/**
 * Compares two combinations of an experiment in every round that has both.
 *
 * Warm-up trials, the second runs of the baseline and trials whose measure is null are left out.
 *
 * @param trials The trials of one experiment.
 * @param options What to compare.
 * @returns The ratio, or undefined if fewer than two rounds have both.
 * @throws {RangeError} If `of` or `against` fits several combinations, or none, or if a value is not
 *   positive.
 * @throws {TypeError} If the measure is not a number.
 *
 * @example
 * ```ts
 * import { compare, cross, experiment } from "zclab";
 * import { assertAlmostEquals } from "@std/assert";
 *
 * const { trials } = await experiment({
 *   factors: cross({ mode: ["copy", "zc"] }),
 *   trial: ({ mode }, { round }) => ({ rate: (mode === "zc" ? 300 : 200) + round }),
 * });
 * const options = { measure: "rate", of: { mode: "zc" }, against: { mode: "copy" } } as const;
 * assertAlmostEquals(compare(trials, options)!.ratio, 1.5, 0.01);
 * ```
 */
export function compare<F extends Factors>(
  trials: readonly Trial<F, Measures>[],
  options: CompareOptions<F>,
): Ratio | undefined {
  return bootstrapOf(trials, options)?.ratio();
}

/**
 * The noise floor: the second runs of the baseline compared with the first ones. They are the
 * same thing, so whatever the ratio and its interval show beside 1 is noise.
 *
 * @param trials The trials of one experiment that had a `control`.
 * @param options The measure, and which baseline if there are several.
 * @returns The ratio, or undefined if fewer than two rounds have both runs.
 * @throws {RangeError} If there are several baselines and `at` does not say which.
 * @throws {TypeError} If the measure is not a number.
 *
 * @example
 * ```ts
 * import { cross, experiment, noiseFloor } from "zclab";
 * import { assertEquals } from "@std/assert";
 *
 * const { trials } = await experiment({
 *   factors: cross({ mode: ["copy", "zc"] }),
 *   control: { mode: "copy" },
 *   trial: () => ({ rate: 200 }),
 * });
 * assertEquals(noiseFloor(trials, { measure: "rate" }), { ratio: 1, low: 1, high: 1, rounds: 5 });
 * ```
 */
export function noiseFloor<F extends Factors>(
  trials: readonly Trial<F, Measures>[],
  options: NoiseFloorOptions<F>,
): Ratio | undefined {
  return bootstrapOfControl(trials, options)?.ratio();
}

/**
 * The bootstrap behind {@linkcode compare}; same parameters, same errors.
 *
 * @param trials The trials of one experiment.
 * @param options What to compare.
 */
export function bootstrapOf<F extends Factors>(
  trials: readonly Trial<F, Measures>[],
  options: CompareOptions<F>,
): PairedBootstrap | undefined {
  const first = trials.filter((trial) => !trial.control);
  return pairRounds(
    valuesByRound(first, options.of, options.measure),
    valuesByRound(first, options.against, options.measure),
    options,
  );
}

/**
 * The bootstrap behind {@linkcode noiseFloor}; same parameters, same errors.
 *
 * @param trials The trials of one experiment that had a `control`.
 * @param options The measure, and which baseline if there are several.
 */
export function bootstrapOfControl<F extends Factors>(
  trials: readonly Trial<F, Measures>[],
  options: NoiseFloorOptions<F>,
): PairedBootstrap | undefined {
  const { at = {} as Partial<F>, measure } = options;
  const second = trials.filter((trial) => trial.control && hasFactors(trial.factors, at));
  if (second.length === 0) return undefined;
  const again = valuesByRound(second, at, measure);
  const first = trials.filter((trial) => !trial.control);
  return pairRounds(again, valuesByRound(first, second[0]!.factors, measure), options);
}

/**
 * The baseline of a combination: what differs from it in the factors of `against` alone, and has
 * their values.
 *
 * @param combination The combination.
 * @param combinations Those that there are.
 * @param against The values that make a baseline.
 * @returns The baseline, which is the combination itself if it has those values, or undefined.
 */
export function baselineOf<F extends Factors>(
  combination: F,
  combinations: readonly F[],
  against: Partial<F>,
): F | undefined {
  const wanted = { ...combination, ...against };
  return combinations.find((other) => hasFactors(other, wanted));
}

function valuesByRound<F extends Factors>(
  trials: readonly Trial<F, Measures>[],
  part: Partial<F>,
  measure: string,
): Map<number, number> {
  const fitting = trials.filter((trial) => !trial.warmUp && hasFactors(trial.factors, part));
  // In the first round of a run that was stopped, a combination may not have had its turn yet.
  const rounds = new Set(trials.filter((trial) => !trial.warmUp).map((trial) => trial.round));
  if (fitting.length === 0 && rounds.size > 1) {
    throw new RangeError(`No trial has ${describeFactors(part as Factors)}`);
  }
  const values = new Map<number, number>();
  for (const { round, factors, measures } of fitting) {
    const value = measures[measure];
    if (value === null) continue;
    if (typeof value !== "number") {
      throw new TypeError(
        value === undefined
          ? `The trials have no measure ${measure}; they have ${Object.keys(measures).join(", ")}`
          : `The measure ${measure} is not a number`,
      );
    }
    if (values.has(round)) {
      throw new RangeError(
        `Several combinations have ${describeFactors(part as Factors) || "these values"}, ` +
          `one is ${describeFactors(factors)}; name more factors`,
      );
    }
    values.set(round, value);
  }
  return values;
}

function pairRounds(
  of: ReadonlyMap<number, number>,
  against: ReadonlyMap<number, number>,
  options: BootstrapOptions,
): PairedBootstrap | undefined {
  const rounds = [...of.keys()].filter((round) => against.has(round)).sort((a, b) => a - b);
  if (rounds.length < 2) return undefined;
  return new PairedBootstrap(
    rounds.map((round) => of.get(round)!),
    rounds.map((round) => against.get(round)!),
    options,
  );
}
