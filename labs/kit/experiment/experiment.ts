/**
 * The experiment runner: interleaved trials in seeded random order, every one kept.
 *
 * A machine drifts while it is measured: clocks, caches, neighbours. Trials of the same kind in
 * one row would mistake that drift for a difference. So each round is a block that holds every
 * combination once, in an order of its own, and combinations are compared within their round
 * (a randomised complete block design).
 *
 * @module
 */
import { type Clock, machineClock } from "../trials/clock.ts";
import { covariatesBetween, readCovariates } from "../trials/covariates.ts";
import { displayExperiment } from "./display_experiment.ts";
import { displayedAs } from "./displayed_as.ts";
import { LEAST_ROUNDS, NARROW_ROUNDS, Precision, type RepeatsUntilNarrow } from "./precision.ts";
import { Random, randomSeed } from "../trials/random.ts";
import type { Stopped } from "./stopped.ts";
import {
  describeFactors,
  type Factors,
  hasFactors,
  jsonProblem,
  kindOf,
  type Measures,
  type Trial,
} from "../trials/trials.ts";
import {
  isSame,
  isSteady,
  SAME_ROUNDS,
  SAME_TOLERANCE,
  STEADY_ROUNDS,
  type WarmUpUntilSame,
  type WarmUpUntilSteady,
} from "./warm_up.ts";

export type { Stopped } from "./stopped.ts";
export type { RepeatsUntilNarrow } from "./precision.ts";
export type { WarmUpUntilSame, WarmUpUntilSteady } from "./warm_up.ts";
export {
  cross,
  type Crossed,
  describeFactors,
  type Factor,
  type Factors,
  hasFactors,
  jsonProblem,
  type Measure,
  type Measures,
  type Trial,
} from "../trials/trials.ts";

/** What a trial is told beside its factors. */
export interface TrialContext {
  /** The round, from 0, warm-up rounds included. */
  readonly round: number;
  /** Whether this trial only warms the machine up. */
  readonly warmUp: boolean;
  /** Aborted when the experiment shall stop; a long trial may heed it and throw its reason. */
  readonly signal: AbortSignal;
}

/** Options of {@linkcode experiment}. */
export interface ExperimentOptions<F extends Factors, M extends Measures> {
  /** The combinations to measure, each once in a round; {@linkcode cross} makes them from levels. */
  readonly factors: readonly F[];
  /** Runs one combination once and returns what it measured. */
  readonly trial: (factors: F, context: TrialContext) => M | Promise<M>;
  /**
   * How many rounds count, at least 1; or how narrow the intervals must be, or how long it may
   * take, whichever comes first.
   *
   * @default {5}
   */
  readonly repeats?: number | RepeatsUntilNarrow;
  /**
   * How many rounds go before, run and kept but not counted; or as many as it takes until a
   * measure is steady, or until two rounds are the same.
   *
   * @default {1}
   */
  readonly warmUp?: number | WarmUpUntilSteady | WarmUpUntilSame;
  /**
   * The baseline: each counted round runs every combination that has these values twice, so that
   * the baseline compared with itself shows the noise floor. Without it no noise floor is known.
   */
  readonly control?: Partial<F>;
  /** Decides the order of the trials: from 0 to 2^32 - 1; without it a fresh one is drawn. */
  readonly seed?: number;
  /**
   * Whether to read around each trial what else the machine does ({@linkcode readCovariates}).
   *
   * @default {true}
   */
  readonly covariates?: boolean;
  /**
   * Milliseconds of rest before each trial, in which the kernel ends what the last one has left to it.
   *
   * @default {0, and 30 where the clock counts instructions}
   */
  readonly rest?: number;
  /**
   * What the clock counts by which trials measure. Where that is instructions, the result, plots and
   * verdicts say numbers of instructions instead of the rates and times that a trial returns: of
   * `requestsPerSecond` the `instructionsPerRequest`, of `p50Seconds` the `p50Instructions`. In
   * {@linkcode ExperimentResult.trials} they stay under the names that the trial gave them.
   *
   * @default {that of this machine: instructions in a guest of `deno task vm --clock instructions`}
   */
  readonly clock?: Clock;
  /** Stops the experiment between two trials; what has run is kept. */
  readonly signal?: AbortSignal;
  /**
   * Called before each trial with its factors, and once more when all have run.
   *
   * @param done How many trials have run.
   * @param total How many there are, warm-up and controls included: at most, where that is decided
   *   while it runs.
   * @param factors The combination that runs next, or that ran last.
   */
  readonly onProgress?: (done: number, total: number, factors: F) => void;
}

/** What {@linkcode experiment} returns. */
export interface ExperimentResult<F extends Factors = Factors, M extends Measures = Measures> {
  /** The seed that gave the order. The same options with this seed give the same order. */
  readonly seed: number;
  /** Every trial in the order in which it ran. */
  readonly trials: readonly Trial<F, M>[];
  /** False if the experiment was stopped before its last trial. */
  readonly complete: boolean;
  /**
   * Whether the measure to watch was steady when the counted rounds began; null if the warm-up was
   * not asked to last until it is.
   */
  readonly steady: boolean | null;
  /** Why it ended. */
  readonly stopped: Stopped;
}

/** A trial failed. What had been measured until then is in `result`. */
export class TrialError extends Error {
  /** The name of the class. */
  override readonly name = "TrialError";
  /** The combination that failed. */
  readonly factors: Factors;
  /** The round in which it failed. */
  readonly round: number;
  /** The trials before it; `complete` is false. */
  readonly result: ExperimentResult;

  /**
   * Wraps what a trial threw.
   *
   * @param factors The combination that failed.
   * @param round The round in which it failed.
   * @param result The trials before it.
   * @param cause What it threw.
   */
  constructor(factors: Factors, round: number, result: ExperimentResult, cause: unknown) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    super(`Round ${round}, ${describeFactors(factors)}: ${reason}`, { cause });
    this.factors = factors;
    this.round = round;
    this.result = result;
  }
}

/**
 * Where the clock counts instructions nothing but a trial shall run while it does. The sleep costs the
 * host next to nothing, because such a clock goes on at once.
 */
const COUNTED_REST = 30;

/**
 * Runs an experiment: every combination once in each round, the rounds one after another, the
 * order within a round random and decided by the seed.
 *
 * Trials run one at a time. Between two of them the event loop gets a turn, also when trials are
 * synchronous, so that signals and timers are heeded.
 *
 * @param options What to run, and how often.
 * @returns Every trial that ran.
 * @throws {RangeError} If an option is not possible, before anything has run.
 * @throws {TrialError} If a trial throws or measures what JSON cannot carry. The trials before it
 *   are in the error.
 *
 * @example
 * ```ts
 * import { cross, experiment } from "zclab/experiment";
 * import { assertEquals } from "@std/assert";
 *
 * const { trials, complete } = await experiment({
 *   factors: cross({ bytes: [1000, 100000] }),
 *   control: { bytes: 1000 },
 *   repeats: 3,
 *   seed: 1,
 *   trial({ bytes }) {
 *     const started = performance.now();
 *     new Uint8Array(bytes).fill(1);
 *     return { milliseconds: performance.now() - started };
 *   },
 * });
 * assertEquals(complete, true);
 * // One warm-up round of 2 combinations, 3 rounds of 2 combinations and the control.
 * assertEquals(trials.length, 2 + 3 * 3);
 * ```
 *
 * @example Until it is warm, and until the intervals are narrow
 * ```ts
 * import { cross, experiment } from "zclab/experiment";
 * import { assert } from "@std/assert";
 *
 * const { steady, stopped } = await experiment({
 *   factors: cross({ bytes: [100_000, 200_000] }),
 *   control: { bytes: 100_000 },
 *   warmUp: { measure: "milliseconds", most: 10 },
 *   repeats: { measure: "milliseconds", width: 0.05, most: 20, seconds: 2 },
 *   trial({ bytes }) {
 *     const started = performance.now();
 *     for (let i = 0; i < 10; i++) new Uint8Array(bytes).fill(i);
 *     return { milliseconds: performance.now() - started };
 *   },
 * });
 * assert(steady !== null && ["width", "most", "seconds"].includes(stopped));
 * ```
 */
export async function experiment<F extends Factors, M extends Measures>(
  options: ExperimentOptions<F, M>,
): Promise<ExperimentResult<F, M>> {
  const { factors, trial, control, onProgress, covariates: withCovariates = true } = options;
  const { seed = randomSeed(), signal = new AbortController().signal } = options;
  const { clock = machineClock(), rest = clock === "time" ? 0 : COUNTED_REST } = options;
  const warmUp = planWarmUp(options.warmUp ?? 1);
  const repeats = planRepeats(options.repeats ?? 5);
  requireDistinct(factors);
  if (!(rest >= 0 && rest < Infinity)) throw new RangeError(`rest is 0 or more, not ${rest}`);
  const random = new Random(seed);

  const once = factors.map((combination) => ({ factors: combination, control: false }));
  const again = factors
    .filter((combination) => control !== undefined && hasFactors(combination, control))
    .map((combination) => ({ factors: combination, control: true }));
  if (control !== undefined && again.length === 0) {
    throw new RangeError(
      `No combination has the values of the control: ${describeFactors(control as Factors)}`,
    );
  }
  const counted = [...once, ...again];
  const trials: Trial<F, M>[] = [];
  let round = 0;
  let steady: boolean | null = null;
  const result = (stopped: Stopped): ExperimentResult<F, M> => {
    const complete = stopped !== "signal" && stopped !== "error";
    const made = { seed, trials, complete, steady, stopped };
    return displayedAs(made, () => displayExperiment(made));
  };

  /** Runs one round; false if it was stopped. */
  const runRound = async (isWarmUp: boolean, total: number): Promise<boolean> => {
    for (const [order, planned] of random.shuffled(isWarmUp ? once : counted).entries()) {
      await pause(rest);
      if (signal.aborted) return false;
      onProgress?.(trials.length, total, planned.factors);
      const before = withCovariates ? readCovariates() : undefined;
      const startedAt = new Date().toISOString();
      const started = performance.now();
      try {
        const measures = await trial(planned.factors, { round, warmUp: isWarmUp, signal });
        const seconds = (performance.now() - started) / 1000;
        const covariates = before && covariatesBetween(before, readCovariates());
        requireMeasures(measures);
        for (const name of isWarmUp ? warmUp.watched : repeats.watched) {
          requireWatched(measures, name);
        }
        trials.push({
          round,
          order,
          warmUp: isWarmUp,
          ...planned,
          measures,
          startedAt,
          seconds,
          ...(covariates === undefined ? {} : { covariates }),
          ...(clock === "time" ? {} : { clock }),
        });
      } catch (error) {
        // A trial that ends early because it was asked to has nothing to report.
        if (signal.aborted) return false;
        throw new TrialError(planned.factors, round, result("error"), error);
      }
    }
    round++;
    return true;
  };

  if (warmUp.isWarm !== undefined) steady = false;
  while (round < warmUp.most && steady !== true) {
    const total = warmUp.most * once.length + repeats.most * counted.length;
    if (!await runRound(true, total)) return result("signal");
    if (warmUp.isWarm !== undefined) steady = warmUp.isWarm(trials, factors, round);
  }

  const first = round;
  const began = performance.now();
  const total = trials.length + repeats.most * counted.length;
  const finish = (stopped: Stopped): ExperimentResult<F, M> => {
    onProgress?.(trials.length, trials.length, trials.at(-1)!.factors);
    return result(stopped);
  };
  if (repeats.watch === undefined) {
    while (round - first < repeats.most) {
      if (!await runRound(false, total)) return result("signal");
    }
    return finish("repeats");
  }

  const { least = LEAST_ROUNDS, seconds = Infinity } = repeats.watch;
  const precision = new Precision(factors, control, repeats.watch);
  let narrow = 0;
  while (true) {
    const from = trials.length;
    if (!await runRound(false, total)) return result("signal");
    for (const trial of trials.slice(from)) precision.add(trial);
    const rounds = round - first;
    // The first looks are those that can be among the last ones after the fewest rounds.
    narrow = rounds > least - NARROW_ROUNDS && precision.isNarrow() ? narrow + 1 : 0;
    if (rounds < least) continue;
    if (narrow >= NARROW_ROUNDS) return finish("width");
    if (rounds >= repeats.most) return finish("most");
    if ((performance.now() - began) / 1000 >= seconds) return finish("seconds");
  }
}

/** How many rounds at most, and the measures that decide whether fewer are enough. */
interface Plan {
  readonly most: number;
  readonly watched: readonly string[];
}

/** Whether the rounds so far are enough to be warm. */
type IsWarm = (
  trials: readonly Trial[],
  factors: readonly Factors[],
  rounds: number,
) => boolean;

function planWarmUp(
  asked: number | WarmUpUntilSteady | WarmUpUntilSame,
): Plan & { readonly isWarm?: IsWarm } {
  if (typeof asked === "number") {
    requireCount("warmUp", asked, 0);
    return { most: asked, watched: [] };
  }
  return "same" in asked ? planUntilSame(asked) : planUntilSteady(asked);
}

function planUntilSame(
  { same, least = 2, most = least + SAME_ROUNDS, tolerance = SAME_TOLERANCE }: WarmUpUntilSame,
): Plan & { readonly isWarm: IsWarm } {
  for (const name of same) requireName("warmUp.same", name);
  requireCount("warmUp.least", least, 2);
  requireCount("warmUp.most", most, least);
  requireFraction("warmUp.tolerance", tolerance);
  return {
    most,
    watched: same,
    isWarm: (trials, factors, rounds) => {
      if (rounds < least) return false;
      const pairs = same.flatMap((measure) =>
        lastValues(trials, factors, measure, rounds, 2).map(([one, other]) =>
          [one!, other!] as const
        )
      );
      return pairs.length > 0 && isSame(pairs, tolerance);
    },
  };
}

function planUntilSteady(asked: WarmUpUntilSteady): Plan & { readonly isWarm: IsWarm } {
  const { measure, most = 20, window = STEADY_ROUNDS, tolerance = 0.02 } = asked;
  requireName("warmUp.measure", measure);
  requireCount("warmUp.window", window, 4);
  requireCount("warmUp.most", most, window);
  requireFraction("warmUp.tolerance", tolerance);
  return {
    most,
    watched: [measure],
    isWarm: (trials, factors, rounds) => {
      if (rounds < window) return false;
      const values = lastValues(trials, factors, measure, rounds, window);
      return values.length > 0 && isSteady(values, tolerance);
    },
  };
}

/** The values of the last rounds, of each combination that has one in each. */
function lastValues(
  trials: readonly Trial[],
  factors: readonly Factors[],
  measure: string,
  rounds: number,
  count: number,
): number[][] {
  const recent = trials.filter((trial) => trial.round >= rounds - count);
  return factors.map((combination) =>
    recent.filter((trial) => trial.factors === combination)
      .map((trial) => trial.measures[measure])
      .filter((value) => typeof value === "number")
  ).filter((values) => values.length === count);
}

function planRepeats(
  asked: number | RepeatsUntilNarrow,
): Plan & { readonly watch?: RepeatsUntilNarrow } {
  if (typeof asked === "number") {
    requireCount("repeats", asked, 1);
    return { most: asked, watched: [] };
  }
  const { measure, least = LEAST_ROUNDS, most, width, seconds } = asked;
  requireName("repeats.measure", measure);
  requireCount("repeats.least", least, 5);
  requireCount("repeats.most", most, least);
  if (!(width > 0 && width < Infinity)) {
    throw new RangeError(`repeats.width is a fraction above 0 such as 0.05, not ${width}`);
  }
  if (seconds !== undefined && !(seconds > 0)) {
    throw new RangeError(`repeats.seconds is above 0, not ${seconds}`);
  }
  return { most, watched: [measure], watch: asked };
}

/** Lets timers, signals and other tasks run. A resolved promise alone would not. */
function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

function requireCount(name: string, value: number, least: number): void {
  if (!Number.isSafeInteger(value) || value < least) {
    throw new RangeError(`${name} is a whole number, at least ${least}, not ${value}`);
  }
}

function requireFraction(name: string, value: number): void {
  if (!(value >= 0)) throw new RangeError(`${name} is a fraction such as 0.02, not ${value}`);
}

function requireName(name: string, value: unknown): void {
  if (typeof value !== "string" || value === "") {
    throw new RangeError(`${name} is the name of a measure, not ${value}`);
  }
}

function requireDistinct(factors: readonly Factors[]): void {
  if (factors.length === 0) throw new RangeError("An experiment needs at least one combination");
  const seen = new Set<string>();
  for (const combination of factors) {
    for (const [name, value] of Object.entries(combination)) {
      const possible = value === null || typeof value === "string" || typeof value === "boolean" ||
        (typeof value === "number" && Number.isFinite(value));
      if (!possible) {
        throw new RangeError(
          `The factor ${name} is a string, a finite number, a boolean or null, not ${value}`,
        );
      }
    }
    const key = JSON.stringify(Object.entries(combination).sort(([a], [b]) => a < b ? -1 : 1));
    if (seen.has(key)) {
      throw new RangeError(`The combination ${describeFactors(combination)} is there twice`);
    }
    seen.add(key);
  }
}

/** Found out right after the trial, because a file that cannot be written later loses the run. */
function requireMeasures(measures: unknown): void {
  if (typeof measures !== "object" || measures === null || Array.isArray(measures)) {
    throw new TypeError(`A trial returns an object with its measures, not ${kindOf(measures)}`);
  }
  const problem = jsonProblem(measures, "");
  if (problem !== undefined) throw new TypeError(`The measure ${problem}`);
}

/** Rules that look at logarithms need positive numbers, and shall say so while it matters. */
function requireWatched(measures: Measures, name: string): void {
  const value = measures[name];
  if (value === null || (typeof value === "number" && value > 0)) return;
  throw new TypeError(
    value === undefined
      ? `There is no measure ${name} to watch; there are ${Object.keys(measures).join(", ")}`
      : `The measure ${name} to watch is a positive number or null, not ${JSON.stringify(value)}`,
  );
}
