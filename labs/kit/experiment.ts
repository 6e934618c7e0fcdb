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
import { Random, randomSeed } from "./random.ts";

/** The value of one factor. */
export type Factor = string | number | boolean | null;

/** One combination of factor values, such as `{ payload: 4000, mode: "zc" }`. */
export type Factors = { readonly [name: string]: Factor };

/** One measured thing: anything that JSON can carry. A thing without a value is null, never NaN. */
export type Measure =
  | string
  | number
  | boolean
  | null
  | readonly Measure[]
  | { readonly [name: string]: Measure };

/** What a trial measured, under names of the lab's choice, with the unit in the name or the docs. */
export type Measures = { readonly [name: string]: Measure };

/** Every combination of the levels given, as {@linkcode cross} makes them. */
export type Crossed<L extends { readonly [name: string]: readonly Factor[] }> = {
  readonly [K in keyof L]: L[K][number];
};

/** What a trial is told beside its factors. */
export interface TrialContext {
  /** The round, from 0, warm-up rounds included. */
  readonly round: number;
  /** Whether this trial only warms the machine up. */
  readonly warmUp: boolean;
  /** Aborted when the experiment shall stop; a long trial may heed it and throw its reason. */
  readonly signal: AbortSignal;
}

/** One trial as it ran. */
export interface Trial<F extends Factors = Factors, M extends Measures = Measures> {
  /** The round, from 0, warm-up rounds first. */
  readonly round: number;
  /** The place in its round, from 0. */
  readonly order: number;
  /** Whether it belongs to a warm-up round, which no statistic counts. */
  readonly warmUp: boolean;
  /** Whether it is the second run of the baseline in its round, to compare with the first. */
  readonly control: boolean;
  /** The combination. */
  readonly factors: F;
  /** What it measured, raw. */
  readonly measures: M;
  /** When it started: date and time in UTC, ISO 8601. */
  readonly startedAt: string;
  /** How long it took, in seconds, set-up and clean-up of the trial included. */
  readonly seconds: number;
}

/** Options of {@linkcode experiment}. */
export interface ExperimentOptions<F extends Factors, M extends Measures> {
  /** The combinations to measure, each once in a round; {@linkcode cross} makes them from levels. */
  readonly factors: readonly F[];
  /** Runs one combination once and returns what it measured. */
  readonly trial: (factors: F, context: TrialContext) => M | Promise<M>;
  /**
   * How many rounds count, at least 1.
   *
   * @default {5}
   */
  readonly repeats?: number;
  /**
   * How many rounds go before, run and kept but not counted.
   *
   * @default {1}
   */
  readonly warmUp?: number;
  /**
   * The baseline: each counted round runs every combination that has these values twice, so that
   * the baseline compared with itself shows the noise floor. Without it no noise floor is known.
   */
  readonly control?: Partial<F>;
  /** Decides the order of the trials: from 0 to 2^32 - 1; without it a fresh one is drawn. */
  readonly seed?: number;
  /** Stops the experiment between two trials; what has run is kept. */
  readonly signal?: AbortSignal;
  /**
   * Called before each trial with its factors, and once more when all have run.
   *
   * @param done How many trials have run.
   * @param total How many there are, warm-up and controls included.
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
 * Makes every combination of the levels given; the first factor varies slowest.
 *
 * @param levels The values of each factor.
 * @returns The combinations, as {@linkcode experiment} takes them.
 * @throws {RangeError} If a factor has no values.
 *
 * @example
 * ```ts
 * import { cross } from "zclab";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(cross({ payload: [600, 4000], mode: ["copy", "zc"] }), [
 *   { payload: 600, mode: "copy" },
 *   { payload: 600, mode: "zc" },
 *   { payload: 4000, mode: "copy" },
 *   { payload: 4000, mode: "zc" },
 * ]);
 * ```
 */
export function cross<const L extends { readonly [name: string]: readonly Factor[] }>(
  levels: L,
): Crossed<L>[] {
  let combinations: { [name: string]: Factor }[] = [{}];
  for (const [name, values] of Object.entries(levels)) {
    if (values.length === 0) throw new RangeError(`The factor ${name} has no values`);
    combinations = combinations.flatMap((combination) =>
      values.map((value) => ({ ...combination, [name]: value }))
    );
  }
  return combinations as Crossed<L>[];
}

/**
 * Whether a combination has all the values of another, partial one.
 *
 * @param factors The combination.
 * @param part The values it should have.
 */
export function hasFactors<F extends Factors>(factors: F, part: Partial<F>): boolean {
  return Object.entries(part).every(([name, value]) =>
    Object.hasOwn(factors, name) && factors[name] === value
  );
}

/** A combination in words, such as `payload 4000, mode zc`. */
export function describeFactors(factors: Factors): string {
  return Object.entries(factors).map(([name, value]) => `${name} ${value}`).join(", ");
}

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
 * import { cross, experiment } from "zclab";
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
 */
export async function experiment<F extends Factors, M extends Measures>(
  options: ExperimentOptions<F, M>,
): Promise<ExperimentResult<F, M>> {
  const { factors, trial, repeats = 5, warmUp = 1, control, onProgress } = options;
  const { seed = randomSeed(), signal = new AbortController().signal } = options;
  requireCount("repeats", repeats, 1);
  requireCount("warmUp", warmUp, 0);
  requireDistinct(factors);
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
  const total = warmUp * once.length + repeats * (once.length + again.length);

  const trials: Trial<F, M>[] = [];
  for (let round = 0; round < warmUp + repeats; round++) {
    const isWarmUp = round < warmUp;
    const block = random.shuffled(isWarmUp ? once : [...once, ...again]);
    for (const [order, planned] of block.entries()) {
      await eventLoopTurn();
      if (signal.aborted) return { seed, trials, complete: false };
      onProgress?.(trials.length, total, planned.factors);
      const startedAt = new Date().toISOString();
      const started = performance.now();
      try {
        const measures = await trial(planned.factors, { round, warmUp: isWarmUp, signal });
        const seconds = (performance.now() - started) / 1000;
        requireMeasures(measures);
        trials.push({ round, order, warmUp: isWarmUp, ...planned, measures, startedAt, seconds });
      } catch (error) {
        // A trial that ends early because it was asked to has nothing to report.
        if (signal.aborted) return { seed, trials, complete: false };
        throw new TrialError(
          planned.factors,
          round,
          { seed, trials, complete: false },
          error,
        );
      }
    }
  }
  onProgress?.(total, total, trials.at(-1)!.factors);
  return { seed, trials, complete: true };
}

/** Lets timers, signals and other tasks run. A resolved promise alone would not. */
function eventLoopTurn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}

function requireCount(name: string, value: number, least: number): void {
  if (!Number.isSafeInteger(value) || value < least) {
    throw new RangeError(`${name} is a whole number, at least ${least}, not ${value}`);
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

/**
 * What keeps a value from being carried by JSON without loss, or undefined if nothing does. The
 * text starts with the path of the offending part, such as `rates[2] is NaN`.
 *
 * @param value The value.
 * @param path Its own path; empty for the whole.
 */
export function jsonProblem(value: unknown, path: string): string | undefined {
  if (value === null || typeof value === "string" || typeof value === "boolean") return undefined;
  if (typeof value === "number") {
    return Number.isFinite(value) ? undefined : `${path} is ${value}; what has no value is null`;
  }
  if (typeof value !== "object" || !isPlain(value)) {
    return `${path} is ${kindOf(value)}, which JSON cannot carry`;
  }
  for (const [name, item] of Object.entries(value)) {
    const inner = Array.isArray(value) ? `${path}[${name}]` : path ? `${path}.${name}` : name;
    const problem = jsonProblem(item, inner);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

function isPlain(value: object): boolean {
  const prototype = Object.getPrototypeOf(value);
  return Array.isArray(value) || prototype === Object.prototype || prototype === null;
}

function kindOf(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (typeof value !== "object") return `a ${typeof value}`;
  return `of the class ${value.constructor?.name ?? "Object"}`;
}
