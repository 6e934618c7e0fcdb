/**
 * Trials that stand out: marked and explained, never dropped.
 *
 * @module
 */
import { median } from "simple-statistics";
import type { Covariates } from "../trials/covariates.ts";
import { type Factors, hasFactors, type Measures, type Trial } from "../trials/trials.ts";
import { numberOf } from "./values.ts";

/** Options of {@linkcode findOutliers}. */
export interface OutlierOptions {
  /** The measure to look at: the name of a number in the measures. */
  readonly measure: string;
  /**
   * From how many robust standard deviations on a trial is an outlier.
   *
   * @default {4}
   */
  readonly threshold?: number;
}

/** A trial that stands out. */
export interface Outlier<F extends Factors = Factors, M extends Measures = Measures> {
  /** The trial, the very object that was given. */
  readonly trial: Trial<F, M>;
  /** Its measure as a ratio to what its combination and its round let one expect. */
  readonly ratio: number;
  /** How many robust standard deviations that is; negative where it is less than expected. */
  readonly deviations: number;
}

/** A standard deviation is this many median absolute deviations, if the noise is normal. */
const NORMAL_MAD = 1.4826;
/** No noise is below this, as a logarithm: equal values have none, and rounding is no outlier. */
const SMALLEST_NOISE = 1e-6;

/**
 * Finds the trials whose measure is far from what their combination and their round let one
 * expect. They stay in every statistic; this says which ones to look at.
 *
 * What is expected of a trial is the median of its combination times what its round has in common
 * (the median, over the round's trials, of their ratio to the median of their combination; rounds
 * of fewer than three trials are taken to have nothing in common). The logarithm of the ratio to
 * that is the trial's distance. The noise is 1.4826 times the median absolute distance, which
 * outliers hardly move: that of the combination or that of all trials, whichever is larger. A
 * trial that is `threshold` times the noise away is an outlier.
 *
 * In simulated experiments with normal noise, of which no trial is an outlier, 0.5 % of the trials
 * were marked with five rounds of three trials and 0.4 % with nine; with ten combinations less
 * than 0.05 %. A trial that was off by eight standard deviations was found in 50 % of the
 * experiments with five rounds, in 76 % with nine, in 90 % with twenty.
 *
 * @param trials The trials of one experiment. Warm-up trials and those whose measure is null or
 *   not positive are not looked at.
 * @param options The measure, and how far is far.
 * @returns The outliers in the order of the trials.
 * @throws {TypeError} If the measure is not there, or not a finite number.
 * @throws {RangeError} If the threshold is not above 0.
 *
 * @example
 * ```ts
 * import { cross, experiment, findOutliers } from "zclab/experiment";
 * import { assertEquals } from "@std/assert";
 *
 * const { trials } = await experiment({
 *   factors: cross({ mode: ["copy", "zc"] }),
 *   trial: ({ mode }, { round }) => ({ rate: mode === "zc" && round === 4 ? 60 : 100 + round }),
 * });
 * const outliers = findOutliers(trials, { measure: "rate" });
 * assertEquals(outliers.map(({ trial }) => trial.round), [4]);
 * ```
 */
export function findOutliers<F extends Factors, M extends Measures>(
  trials: readonly Trial<F, M>[],
  { measure, threshold = 4 }: OutlierOptions,
): Outlier<F, M>[] {
  if (!(threshold > 0)) throw new RangeError(`threshold is above 0, not ${threshold}`);
  const looked = trials.flatMap((trial) => {
    const value = numberOf(trial, measure);
    return trial.warmUp || value === null || value <= 0
      ? []
      : [{ trial, key: keyOf(trial.factors), rest: Math.log(value) }];
  });
  let medians = 0;
  for (const own of groups(looked, ({ key }) => key)) {
    const usual = median(own.map(({ rest }) => rest));
    for (const one of own) one.rest -= usual;
    medians++;
  }
  for (const own of groups(looked, ({ trial }) => trial.round)) {
    if (own.length < 3) continue;
    const common = median(own.map(({ rest }) => rest));
    for (const one of own) one.rest -= common;
    medians++;
  }
  // Each median is one of its values, or nearly: that one's distance of zero tells of no noise.
  const distances = looked.map(({ rest }) => Math.abs(rest)).sort((a, b) => a - b);
  const zeros = distances.filter((distance) => distance === 0).length;
  const telling = distances.slice(Math.min(zeros, medians));
  const overall = telling.length === 0 ? 0 : NORMAL_MAD * median(telling);
  const spread = (of: readonly { readonly rest: number }[]): number =>
    NORMAL_MAD * median(of.map(({ rest }) => Math.abs(rest)));
  const noise = new Map(
    groups(looked, ({ key }) => key).map((own) => [
      own[0]!.key,
      Math.max(SMALLEST_NOISE, overall, spread(own)),
    ]),
  );
  return looked.flatMap(({ trial, key, rest }) => {
    const deviations = rest / noise.get(key)!;
    return Math.abs(deviations) < threshold ? [] : [{ trial, ratio: Math.exp(rest), deviations }];
  });
}

/** What a covariate is called, how it is counted, and from where on it is worth a word. */
interface CovariateWords {
  readonly words: string;
  readonly kind: "share" | "rate" | "state";
  /** By how much it must be off the median: a share, a count in the trial, or a state. */
  readonly least: number;
  /** On which side of the median it explains something. */
  readonly side: "above" | "below" | "both";
}

const COVARIATES: { readonly [K in keyof Covariates]: CovariateWords } = {
  waitingShare: { words: "waiting for a processor", kind: "share", least: 0.02, side: "above" },
  stealShare: { words: "steal time", kind: "share", least: 0.02, side: "above" },
  cpuMegahertz: { words: "processor frequency", kind: "state", least: 50, side: "below" },
  involuntarySwitches: {
    words: "involuntary context switches",
    kind: "rate",
    least: 3,
    side: "above",
  },
  voluntarySwitches: { words: "voluntary context switches", kind: "rate", least: 5, side: "above" },
  backlogDrops: {
    words: "packets dropped from the backlog",
    kind: "rate",
    least: 1,
    side: "above",
  },
  tcpRetransmits: { words: "TCP retransmits", kind: "rate", least: 1, side: "above" },
  timeSqueezes: { words: "softirqs cut short", kind: "rate", least: 1, side: "above" },
  systemSwitches: {
    words: "context switches of the machine",
    kind: "rate",
    least: 100,
    side: "above",
  },
  receiveSoftirqs: { words: "NET_RX softirqs", kind: "rate", least: 50, side: "above" },
  transmitSoftirqs: { words: "NET_TX softirqs", kind: "rate", least: 50, side: "above" },
  idleShare: { words: "idle time", kind: "share", least: 0.1, side: "both" },
  loadAverage: { words: "load average", kind: "state", least: 0.5, side: "above" },
};

/** So many robust standard deviations from the median a covariate is unusual. */
const UNUSUAL = 5;

/**
 * Says which covariate was unusual in a trial, the most unusual first. It may be the cause, or the
 * effect, or neither: it is where to look.
 *
 * A covariate is unusual if it is five robust standard deviations (1.4826 times the median
 * absolute deviation) from its median over the other trials of the same combination, and by enough
 * to matter, such as 2 % of steal time. Counts are compared by the second, and fewer of
 * them than usual explain nothing. With fewer than three
 * other trials of the combination, all other trials serve.
 *
 * @param trial The trial, such as one that {@linkcode findOutliers} found.
 * @param trials The trials of the experiment.
 * @returns Such as `steal time 12 % against 0.1 % median`, or undefined if nothing was unusual or
 *   nothing was read.
 *
 * @example
 * ```ts
 * import { cross, experiment, explainOutlier, findOutliers } from "zclab/experiment";
 *
 * const { trials } = await experiment({
 *   factors: cross({ mode: ["copy", "zc"] }),
 *   trial: ({ mode }) => ({ rate: mode === "zc" ? 300 : 200 }),
 * });
 * for (const { trial, ratio } of findOutliers(trials, { measure: "rate" })) {
 *   console.log(trial.round, ratio, explainOutlier(trial, trials) ?? "no covariate was unusual");
 * }
 * ```
 */
export function explainOutlier(trial: Trial, trials: readonly Trial[]): string | undefined {
  const { covariates, seconds } = trial;
  if (covariates === undefined) return undefined;
  const others = trials.filter((other) => other !== trial && !other.warmUp);
  const alike = others.filter((other) => hasFactors(other.factors, trial.factors));
  const peers = alike.length >= 3 ? alike : others;
  const found = Object.entries(COVARIATES).flatMap(([key, { words, kind, least, side }]) => {
    const name = key as keyof Covariates;
    const scaled = (of: Trial): number | null => {
      const value = of.covariates?.[name] ?? null;
      return value === null || kind !== "rate" ? value : value / Math.max(of.seconds, 1e-6);
    };
    const value = scaled(trial);
    const usual = peers.map(scaled).filter((other) => other !== null);
    if (value === null || usual.length < 2) return [];
    const middle = median(usual);
    const spread = NORMAL_MAD * median(usual.map((other) => Math.abs(other - middle)));
    const above = value - middle;
    const distance = side === "above" ? above : side === "below" ? -above : Math.abs(above);
    const matters = distance * (kind === "rate" ? seconds : 1) >= least;
    if (!matters || distance < UNUSUAL * spread) return [];
    const text = `${words} ${inWords(value, name, kind)} against ${inWords(middle, name, kind)}`;
    // Without any spread the covariates are ordered as they are listed: those that tell most first.
    return [{ text: `${text} median`, score: spread === 0 ? Infinity : distance / spread }];
  });
  if (found.length === 0) return undefined;
  const order = found.toSorted((a, b) => a.score === b.score ? 0 : b.score - a.score);
  return order.slice(0, 3).map(({ text }) => text).join("; ");
}

/**
 * Says in one line how many trials stand out, and that they count all the same.
 *
 * @param count How many.
 * @returns Such as `2 outliers kept`, or undefined if there are none.
 */
export function describeOutliers(count: number): string | undefined {
  return count === 0 ? undefined : `${count} ${count === 1 ? "outlier" : "outliers"} kept`;
}

function inWords(
  value: number,
  name: keyof Covariates,
  kind: CovariateWords["kind"],
): string {
  const short = (number: number): string => String(Number(number.toPrecision(2)));
  if (kind === "share") return `${short(value * 100)} %`;
  if (kind === "rate") return `${value >= 100 ? Math.round(value) : short(value)}/s`;
  return name === "cpuMegahertz" ? `${Math.round(value)} MHz` : short(value);
}

/** The same text for the same combination, in whatever order its factors are named. */
function keyOf(factors: Factors): string {
  return JSON.stringify(Object.entries(factors).sort(([a], [b]) => a < b ? -1 : 1));
}

function groups<T>(items: readonly T[], keyOf: (item: T) => string | number): T[][] {
  const found = new Map<string | number, T[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = found.get(key);
    if (group === undefined) found.set(key, [item]);
    else group.push(item);
  }
  return [...found.values()];
}
