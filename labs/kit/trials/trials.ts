/**
 * What an experiment is made of: factors, their combinations, and trials with their measures.
 *
 * @module
 */
import type { Covariates } from "./covariates.ts";

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
  /**
   * What else the machine did meanwhile. Absent where it was not read, and in run documents of
   * versions that did not know it.
   */
  readonly covariates?: Covariates;
  /**
   * What the clock counted by which it was measured, where that is not time: rates and times among the
   * measures are per nanosecond of such a clock, which is an instruction.
   */
  readonly clock?: "instructions";
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
 * import { cross } from "zclab/experiment";
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

/**
 * What a value is, in words, such as `a bigint` or `of the class Date`.
 *
 * @param value The value.
 */
export function kindOf(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (typeof value !== "object") return `a ${typeof value}`;
  return `of the class ${value.constructor?.name ?? "Object"}`;
}
