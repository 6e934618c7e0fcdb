/**
 * Paired comparisons of two combinations.
 *
 * @module
 */
import { quantileSorted } from "simple-statistics";
import {
  describeFactors,
  type Factors,
  hasFactors,
  type Measures,
  type Trial,
} from "../trials/trials.ts";
import { type BootstrapOptions, mean, resample } from "./bootstrap.ts";
import { normalQuantile, studentQuantile } from "./distributions.ts";
import { countedMeasure, isCounted } from "../trials/counted_measures.ts";
import { numberOf, positiveOf } from "./values.ts";

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
  /**
   * Of trials by a clock that counts instructions: whether the measure is by its name a rate or a time.
   * {@linkcode verdict} then speaks of instructions. The ratio is that of the measure all the same.
   */
  readonly counted?: "rate" | "time";
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
    for (const [side, values] of [["one", of], ["the other", against]] as const) {
      const place = values.findIndex((value) => !Number.isFinite(value) || value <= 0);
      if (place < 0) continue;
      throw new RangeError(
        `A ratio needs positive, finite values, not ${values[place]}, which is number ` +
          `${place + 1} of ${side}. What to do: look at differences instead of ratios`,
      );
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
 * import { pairedRatio } from "zclab/experiment";
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
 * @returns The ratio, or undefined if fewer than two rounds have both, as after an experiment that
 *   was stopped.
 * @throws {RangeError} If `of` or `against` fits several combinations, or none, or if a value is not
 *   positive; the message says of which combination, and what to do.
 * @throws {TypeError} If the measure is not there, or not a number.
 *
 * @example
 * ```ts
 * import { compare, cross, experiment } from "zclab/experiment";
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
  const ratio = bootstrapOf(trials, options)?.ratio();
  return ratio && withKind(ratio, trials, options.measure);
}

/** Says of a ratio of trials by a clock that counts instructions what their measure is. */
export function withKind(
  ratio: Ratio,
  trials: readonly Pick<Trial, "clock">[],
  measure: string,
): Ratio {
  const kind = trials.some(isCounted) ? countedMeasure(measure)?.kind : undefined;
  return kind === undefined ? ratio : { ...ratio, counted: kind };
}

/**
 * The noise floor: the second runs of the baseline compared with the first ones. They are the
 * same thing, so whatever the ratio and its interval show beside 1 is noise.
 *
 * @param trials The trials of one experiment that had a `control`.
 * @param options The measure, and which baseline if there are several.
 * @returns The ratio, or undefined if fewer than two rounds have both runs.
 * @throws {RangeError} If there are several baselines and `at` does not say which, if no combination
 *   has the values of `at`, or if a value is not positive.
 * @throws {TypeError} If the measure is not there, or not a number.
 *
 * @example
 * ```ts
 * import { cross, experiment, noiseFloor } from "zclab/experiment";
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
  const { of, against, measure } = options;
  for (const part of [of, against]) requireKnown(trials, part);
  const first = trials.filter((trial) => !trial.control);
  return pairRounds(
    trialsByRound(first, of),
    trialsByRound(first, against),
    measure,
    ["which is compared", "the baseline"],
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
  requireKnown(trials, at);
  const second = trials.filter((trial) => trial.control && hasFactors(trial.factors, at));
  if (second.length === 0) return undefined;
  const first = trials.filter((trial) => !trial.control);
  return pairRounds(
    trialsByRound(second, at),
    trialsByRound(first, second[0]!.factors),
    measure,
    ["the second run of the baseline", "the baseline"],
    options,
  );
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

/**
 * Makes sure that a combination exists. In the first round of a run that was stopped it may not have
 * had its turn yet; from the second one on, all had.
 *
 * @param trials All trials, warm-up and controls included.
 * @param part The factor values that a combination shall have.
 * @throws {RangeError} If none has them; the message says what there is instead.
 */
export function requireKnown<F extends Factors>(
  trials: readonly Trial<F, Measures>[],
  part: Partial<F>,
): void {
  if (trials.length === 0 || trials.some(({ factors }) => hasFactors(factors, part))) return;
  const names = Object.keys(trials[0]!.factors);
  const stray = Object.keys(part).find((name) => !names.includes(name));
  if (stray !== undefined) {
    throw new RangeError(
      `No trial has ${
        describeFactors(part as Factors)
      }: there is no factor ${stray}. The factors ` +
        `are: ${names.join(", ") || "none"}`,
    );
  }
  if (new Set(trials.map(({ round }) => round)).size < 2) return;
  const levels = Object.entries(part).flatMap(([name, value]) => {
    const known = [...new Set(trials.map(({ factors }) => factors[name]))];
    return known.includes(value as F[string]) ? [] : [`${name} is one of ${known.join(", ")}`];
  });
  throw new RangeError(
    `No trial has ${describeFactors(part as Factors)}: ` +
      (levels.join("; ") || "its values are not measured together"),
  );
}

/** The counted trial of one combination in each round. */
function trialsByRound<F extends Factors>(
  trials: readonly Trial<F, Measures>[],
  part: Partial<F>,
): Map<number, Trial<F, Measures>> {
  const found = new Map<number, Trial<F, Measures>>();
  for (const trial of trials) {
    if (trial.warmUp || !hasFactors(trial.factors, part)) continue;
    if (found.has(trial.round)) {
      throw new RangeError(
        `Several combinations have ${describeFactors(part as Factors) || "these values"}, ` +
          `one is ${describeFactors(trial.factors)}; name more factors`,
      );
    }
    found.set(trial.round, trial);
  }
  return found;
}

/** Pairs the rounds in which both have a value. */
function pairRounds<F extends Factors>(
  of: ReadonlyMap<number, Trial<F, Measures>>,
  against: ReadonlyMap<number, Trial<F, Measures>>,
  measure: string,
  [first, second]: readonly [of: string, against: string],
  options: BootstrapOptions,
): PairedBootstrap | undefined {
  const pairs = [...of].sort(([a], [b]) => a - b).flatMap(([round, trial]) => {
    const other = against.get(round);
    if (numberOf(trial, measure) === null) return [];
    if (other === undefined || numberOf(other, measure) === null) return [];
    return [[positiveOf(trial, measure, first), positiveOf(other, measure, second)] as const];
  });
  if (pairs.length < 2) return undefined;
  return new PairedBootstrap(
    pairs.map(([value]) => value),
    pairs.map(([, value]) => value),
    options,
  );
}
