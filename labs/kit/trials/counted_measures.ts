/**
 * What was measured by a clock that counts instructions, as numbers of instructions. What a number is,
 * its name says: `requestsPerSecond` is a rate, and so instructions for each request; `p50Seconds` and
 * `milliseconds` are times, and so instructions. Other numbers are not the clock's.
 *
 * @module
 */
import { INSTRUCTIONS_PER_SECOND } from "./clock.ts";
import type { Factors, Measure, Measures, Trial } from "./trials.ts";

/** What a number of a clock is: so many in a second, or so long. */
export type ClockedKind = "rate" | "time";

/** What becomes of a measure. */
export interface CountedMeasure {
  readonly kind: ClockedKind;
  /** Its name as a number of instructions. */
  readonly name: string;
  /** Instructions in the unit that its own name has, such as 1000000 for milliseconds. */
  readonly perUnit: number;
}

/** Units in names, behind `Per` or by themselves. */
const UNITS: readonly (readonly [string, number])[] = [
  ["millisecond", 1e-3],
  ["microsecond", 1e-6],
  ["nanosecond", 1e-9],
  ["second", 1],
];

/**
 * What becomes of a measure where the clock counts instructions, by its name.
 *
 * @param name The name, such as `requestsPerSecond` or `cpuSecondsPerMiB`.
 * @returns Undefined if its name is neither that of a rate nor that of a time.
 */
export function countedMeasure(name: string): CountedMeasure | undefined {
  for (const [unit, seconds] of UNITS) {
    const perUnit = seconds * INSTRUCTIONS_PER_SECOND;
    const things = new RegExp(`^(.+)Per${capital(unit)}$`).exec(name)?.[1];
    if (things !== undefined) return { kind: "rate", name: perThing(things), perUnit };
    const time = new RegExp(`(?<!per)${unit}s`, "i");
    if (time.test(name)) return { kind: "time", name: name.replace(time, likewise), perUnit };
  }
  return undefined;
}

/** Instructions for each of what was counted: `requests` are `instructionsPerRequest`. */
export function perThing(things: string): string {
  return `instructionsPer${capital(singular(things))}`;
}

function likewise(unit: string): string {
  return /^[A-Z]/.test(unit) ? "Instructions" : "instructions";
}

/** A noun of several things as one of one, such as `entry` of `entries`. */
export function singular(things: string): string {
  return things.replace(/ies$/, "y").replace(/(?<=ch|sh|s|x)es$/, "").replace(/(?<!s)s$/, "");
}

/** With a capital at the beginning. */
export function capital(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}

/**
 * A measure as a number of instructions.
 *
 * @param value Its value; a rate of 0 has no number of instructions.
 * @param measure What becomes of it.
 */
export function countOf(
  value: number,
  { kind, perUnit }: Pick<CountedMeasure, "kind" | "perUnit">,
): number | null {
  if (kind === "time") return value * perUnit;
  return value > 0 ? perUnit / value : null;
}

/** Whether a trial was measured by a clock that counts instructions. */
export function isCounted({ clock }: Pick<Trial, "clock">): boolean {
  return clock === "instructions";
}

/**
 * A trial with numbers of instructions instead of rates and times, if it was measured by a clock that
 * counts them; otherwise the trial itself.
 */
export function asCounted<F extends Factors>(trial: Trial<F>): Trial<F> {
  if (!isCounted(trial)) return trial;
  const measures: Measures = Object.fromEntries(
    Object.entries(trial.measures).map(([name, value]): [string, Measure] => {
      const counted = countedMeasure(name);
      if (counted === undefined || (typeof value !== "number" && value !== null)) {
        return [name, value];
      }
      return [counted.name, value === null ? null : countOf(value, counted)];
    }),
  );
  return { ...trial, measures };
}
