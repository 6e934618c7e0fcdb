/**
 * What an experiment's numbers allow one to say, and what they do not.
 *
 * Every interval is a 95 % interval from a seeded bootstrap, so that the same trials give the
 * same interval. Comparisons are paired: the two combinations are compared within each round, so
 * that what slows a whole round down cancels out.
 *
 * ## The method of the ratios, and why
 *
 * The ratio of two combinations is the geometric mean of their ratios in each round. Its interval
 * comes from resampling the rounds: percentiles of the resampled mean of the logarithms of the
 * ratios. For few rounds such a percentile interval is too narrow (T. C. Hesterberg, "What
 * Teachers Should Know About the Bootstrap", The American Statistician 69(4), 2015: it lacks the
 * factor sqrt(n / (n - 1)) and takes normal where Student's quantiles belong). Hesterberg takes
 * more extreme percentiles instead; with five rounds those already are the extremes of what can
 * be resampled. So the distance of the percentiles from the mean is stretched by the factor that
 * is missing: sqrt(n / (n - 1)) times Student's quantile for n - 1 over the normal one.
 *
 * How often such intervals held the true ratio, in 3000 simulated experiments each, with 15 %
 * noise on each trial and 15 % that a whole round shares (nominal: 95 %):
 *
 * | rounds | stretched (used here) | Hesterberg's percentiles | plain percentiles |
 * |---|---|---|---|
 * | 3 | 94.3 % | 74.6 % | 74.6 % |
 * | 5 | 94.6 % | 92.1 % | 82.7 % |
 * | 7 | 94.8 % | 94.0 % | 87.0 % |
 * | 9 | 95.1 % | 94.6 % | 89.2 % |
 *
 * With noise that is not normal (one trial in ten takes twice as long; exponential delays) the
 * stretched intervals held it in 93 to 96 % of the experiments. Resampling the ratio of the two
 * medians was no better: paired it held the true ratio in 93 % at five rounds with intervals as
 * wide, and in 75 % at three; unpaired it held it in 99 %, with intervals 1.4 times as wide,
 * because it does not see what a round shares. The price of few rounds shows in the width: at
 * this noise, five rounds give about plus and minus 27 %, nine rounds 17 %.
 *
 * ## What the verdict sees
 *
 * A difference is called only if it also exceeds the noise floor. How often {@linkcode verdict}
 * called one, in 3000 simulated experiments each with the same noise:
 *
 * | rounds | no difference | 20 % | 50 % |
 * |---|---|---|---|
 * | 5 | 1.8 % | 20 % | 83 % |
 * | 7 | 1.8 % | 37 % | 97 % |
 * | 9 | 3.0 % | 54 % | 99.8 % |
 *
 * Without the noise floor 5 to 6 % of the comparisons of equal things would be called different.
 *
 * @module
 */
import { median, quantileSorted } from "simple-statistics";
import {
  describeFactors,
  type Factors,
  hasFactors,
  type Measures,
  type Trial,
} from "./experiment.ts";
import { Random } from "./random.ts";

/** The standard normal distribution's 97.5 % quantile. */
const NORMAL_QUANTILE = 1.959964;

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

/** Words for {@linkcode verdict}. */
export interface VerdictWords {
  /** What is compared with the baseline, such as `zc`. */
  readonly subject: string;
  /**
   * What a ratio above 1 means.
   *
   * @default {"faster"}
   */
  readonly higher?: string;
  /**
   * What a ratio below 1 means.
   *
   * @default {"slower"}
   */
  readonly lower?: string;
}

/** What a comparison allows one to say. */
export interface Verdict {
  /** `"higher"` or `"lower"` if a difference was seen, `"none"` if not. */
  readonly difference: "higher" | "lower" | "none";
  /** The smallest difference that this run could have seen: 0.12 is 12 %. */
  readonly detectable: number;
  /** The same in one sentence. */
  readonly text: string;
}

/** One payload's comparison, for {@linkcode crossover}. */
export interface CrossoverRow {
  /** The payload in bytes. */
  readonly payload: number;
  /** Zero copy compared with copying at this payload, for a measure where more is better. */
  readonly comparison: Ratio;
  /** The noise floor at this payload. */
  readonly noiseFloor?: Ratio | undefined;
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
   * was seen, a line through that point would be drawn by the noise.
   */
  readonly estimate?: number;
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
 * import { medianInterval } from "zclab";
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
  if (!values.every(Number.isFinite)) throw new RangeError("A median needs finite values");
  const resampled = resample(values, median, options);
  return {
    median: median([...values]),
    low: quantileSorted(resampled, 0.025),
    high: quantileSorted(resampled, 0.975),
    count: values.length,
  };
}

/**
 * The ratio of paired values: the geometric mean of `of[i] / against[i]`, with its interval.
 *
 * @param of One positive value for each round.
 * @param against The values of the same rounds to compare with.
 * @param options How to resample.
 * @returns The ratio and its interval, from the method described at the top of this module.
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
  const center = mean(logarithms);
  const resampled = resample(logarithms, mean, options);
  const stretch = Math.sqrt(rounds / (rounds - 1)) *
    studentQuantile(rounds - 1) / NORMAL_QUANTILE;
  return {
    ratio: Math.exp(center),
    low: Math.exp(center - stretch * Math.max(0, center - quantileSorted(resampled, 0.025))),
    high: Math.exp(center + stretch * Math.max(0, quantileSorted(resampled, 0.975) - center)),
    rounds,
  };
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
  const first = trials.filter((trial) => !trial.control);
  return compareRounds(
    valuesByRound(first, options.of, options.measure),
    valuesByRound(first, options.against, options.measure),
    options,
  );
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
  const { at = {} as Partial<F>, measure } = options;
  const second = trials.filter((trial) => trial.control && hasFactors(trial.factors, at));
  if (second.length === 0) return undefined;
  const again = valuesByRound(second, at, measure);
  const first = trials.filter((trial) => !trial.control);
  return compareRounds(again, valuesByRound(first, second[0]!.factors, measure), options);
}

/**
 * Says in words what a comparison shows. A difference is seen only if the interval excludes 1 and
 * the ratio is farther from 1 than the noise floor: than half the width of the interval of the
 * baseline against itself, and than its ratio.
 *
 * @param comparison The comparison, as {@linkcode compare} returns it.
 * @param noiseFloor The noise floor, or undefined where no control ran; the text then says so.
 * @param words What the two directions are called.
 * @returns The verdict and the smallest difference that the run could have seen.
 *
 * @example
 * ```ts
 * import { verdict } from "zclab";
 * import { assertEquals } from "@std/assert";
 *
 * const floor = { ratio: 1.01, low: 0.97, high: 1.05, rounds: 7 };
 * const zc = { ratio: 1.21, low: 1.17, high: 1.26, rounds: 7 };
 * assertEquals(
 *   verdict(zc, floor, { subject: "zc" }).text,
 *   "zc is 21 % faster, 95 % interval 17 to 26 %",
 * );
 * const same = { ratio: 1.02, low: 0.93, high: 1.12, rounds: 7 };
 * assertEquals(
 *   verdict(same, floor, { subject: "zc" }).text,
 *   "no difference seen; this run could have seen 9.8 %",
 * );
 * ```
 */
export function verdict(
  comparison: Ratio,
  noiseFloor: Ratio | undefined,
  words: VerdictWords,
): Verdict {
  const { subject, higher = "faster", lower = "slower" } = words;
  const { ratio, low, high } = comparison;
  const effect = Math.abs(Math.log(ratio));
  const floor = noiseFloor === undefined ? 0 : Math.max(
    Math.log(noiseFloor.high / noiseFloor.low) / 2,
    Math.abs(Math.log(noiseFloor.ratio)),
  );
  const halfWidth = Math.max(Math.log(high / ratio), Math.log(ratio / low));
  const detectable = Math.exp(Math.max(halfWidth, floor)) - 1;
  const unknown = noiseFloor === undefined ? " (noise floor not measured)" : "";

  if (effect > floor && low > 1) {
    const interval = `${percent(low - 1)} to ${percent(high - 1)} %`;
    const text = `${subject} is ${percent(ratio - 1)} % ${higher}, 95 % interval ${interval}`;
    return { difference: "higher", detectable, text: text + unknown };
  }
  if (effect > floor && high < 1) {
    const interval = `${percent(1 - high)} to ${percent(1 - low)} %`;
    const text = `${subject} is ${percent(1 - ratio)} % ${lower}, 95 % interval ${interval}`;
    return { difference: "lower", detectable, text: text + unknown };
  }
  const text = `no difference seen; this run could have seen ${percent(detectable)} %`;
  return { difference: "none", detectable, text: text + unknown };
}

/**
 * The smallest payload from which on zero copy is faster at every payload measured.
 *
 * @param rows One comparison for each payload, in any order, each payload once.
 * @returns The crossover, or undefined if zero copy is not faster at the largest payload.
 * @throws {RangeError} If a payload is there twice.
 *
 * @example
 * ```ts
 * import { crossover } from "zclab";
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
  const sorted = rows.toSorted((a, b) => a.payload - b.payload);
  const differences = sorted.map((row) =>
    verdict(row.comparison, row.noiseFloor, { subject: "zc" }).difference
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
  if (differences[index - 1] !== "lower") return { payload: first.payload, above: below.payload };
  const from = Math.log(below.comparison.ratio);
  const to = Math.log(first.comparison.ratio);
  const part = -from / (to - from);
  const estimate = below.payload * (first.payload / below.payload) ** part;
  return { payload: first.payload, above: below.payload, estimate };
}

/** Sorted values of a statistic over resamples of the values. */
function resample(
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
function mean(values: readonly number[]): number {
  let sum = 0;
  for (const value of values) sum += value;
  return sum / values.length;
}

/**
 * The 97.5 % quantile of Student's t distribution, found by bisection in the finite series of its
 * distribution function (Abramowitz and Stegun, 26.7.3 and 26.7.4).
 */
function studentQuantile(degrees: number): number {
  let low = 0;
  let high = Math.PI / 2;
  for (let i = 0; i < 50; i++) {
    const angle = (low + high) / 2;
    if (studentCentral(angle, degrees) < 0.95) low = angle;
    else high = angle;
  }
  return Math.tan((low + high) / 2) * Math.sqrt(degrees);
}

/** The chance that |t| is below sqrt(degrees) tan(angle). */
function studentCentral(angle: number, degrees: number): number {
  const odd = degrees % 2 === 1;
  const square = Math.cos(angle) ** 2;
  let term = odd ? Math.cos(angle) : 1;
  let sum = degrees === 1 ? 0 : term;
  for (let k = odd ? 3 : 2; k < degrees; k += 2) {
    term *= square * (k - 1) / k;
    sum += term;
  }
  const series = Math.sin(angle) * sum;
  return odd ? (2 / Math.PI) * (angle + series) : series;
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

function compareRounds(
  of: ReadonlyMap<number, number>,
  against: ReadonlyMap<number, number>,
  options: BootstrapOptions,
): Ratio | undefined {
  const rounds = [...of.keys()].filter((round) => against.has(round)).sort((a, b) => a - b);
  if (rounds.length < 2) return undefined;
  return pairedRatio(
    rounds.map((round) => of.get(round)!),
    rounds.map((round) => against.get(round)!),
    options,
  );
}

/** Whole percents, with one digit more where a whole one would say little. */
function percent(fraction: number): string {
  const value = fraction * 100;
  return value < 9.95 ? String(Number(value.toFixed(1))) : String(Math.round(value));
}
