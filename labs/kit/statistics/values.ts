/**
 * The values of a measure, with what is wrong with them said by measure, row and round.
 *
 * @module
 */
import { describeFactors, type Factors, type Measures, type Trial } from "../trials/trials.ts";

/**
 * The value of a measure in a trial.
 *
 * @param trial The trial.
 * @param measure The name of a measure.
 * @returns The number, or null where the trial has none.
 * @throws {TypeError} If there is no such measure, or it is no finite number.
 */
export function numberOf(trial: Trial<Factors, Measures>, measure: string): number | null {
  const value: unknown = trial.measures[measure];
  if (value === null || (typeof value === "number" && Number.isFinite(value))) return value;
  const numbers = Object.entries(trial.measures)
    .filter(([, other]) => typeof other === "number").map(([name]) => name);
  const choose = `Its numbers are: ${numbers.join(", ") || "none"}`;
  if (value === undefined) {
    throw new TypeError(
      `The trial of ${placeOf(trial)} has no measure ${measure}; it has ${
        Object.keys(trial.measures).filter((name) => name !== measure).join(", ") || "none"
      }`,
    );
  }
  throw new TypeError(
    typeof value === "number"
      ? `The measure ${measure} of ${
        placeOf(trial)
      } is ${value}, which is no finite number. What ` +
        "has no value is null"
      : `The measure ${measure} is not a number, but ${textOf(value)} in ${
        placeOf(trial)
      }. ${choose}`,
  );
}

/**
 * The value of a measure that a ratio can be made of.
 *
 * @param trial The trial.
 * @param measure The name of a measure.
 * @param side What the trial is in the comparison, such as `the baseline`.
 * @returns The number.
 * @throws {TypeError} As {@linkcode numberOf}, and if the trial has none.
 * @throws {RangeError} If it is not above 0; the message says of which row, and what to do.
 */
export function positiveOf(
  trial: Trial<Factors, Measures>,
  measure: string,
  side: string,
): number {
  const value = numberOf(trial, measure);
  if (value === null) throw new TypeError(`The measure ${measure} of ${placeOf(trial)} is null`);
  if (value > 0) return value;
  throw new RangeError(
    `The measure ${measure} of ${placeOf(trial)}, ${side}, is ${value}: a ratio needs positive, ` +
      "finite values. What to do: where it can be 0 or less, look at differences instead of " +
      "ratios, such as medianInterval() of what the one has more than the other in each round",
  );
}

/**
 * Makes sure that a ratio is one.
 *
 * @param ratio The ratio.
 * @param what What it is called in the error, such as `The comparison at payload 600`.
 * @throws {RangeError} If one of its numbers is not positive and finite.
 */
export function requireRatio({ ratio, low, high }: RatioNumbers, what: string): void {
  for (const [name, value] of Object.entries({ ratio, low, high })) {
    if (typeof value === "number" && value > 0 && value < Infinity) continue;
    throw new RangeError(`${what} has ${name} ${String(value)}: a ratio is positive and finite`);
  }
}

/** What of a ratio must be positive. */
type RatioNumbers = { readonly ratio: number; readonly low: number; readonly high: number };

function placeOf({ factors, round }: Trial<Factors, Measures>): string {
  const row = describeFactors(factors);
  return `${row === "" ? "the only combination" : row} in round ${round}`;
}

function textOf(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 40 ? `${text.slice(0, 40)}…` : text;
}
