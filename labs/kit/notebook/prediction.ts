/**
 * Predictions that wait for their measurement.
 *
 * @module
 */
import { htmlOf } from "./text_as_html.ts";

const DISPLAY = Symbol.for("Jupyter.display");
const INSPECT = Symbol.for("Deno.customInspect");

/** What was measured: one value, or a value with an interval around it. */
export type MeasuredQuantity = number | {
  readonly value: number;
  readonly low: number;
  readonly high: number;
};

/** What a {@linkcode Prediction} is about. */
export interface PredictionOptions {
  /** What is predicted, such as `how much faster zero copy is at 8000 bytes`. */
  readonly what: string;
  /** The unit of the number, such as `%`. */
  readonly unit?: string;
}

/**
 * Writes a prediction down before the experiment, to show it beside the result.
 *
 * @param predicted The number, or undefined if there is none yet.
 * @param options What it is about.
 *
 * @example
 * ```ts
 * import { prediction } from "zclab/notebook";
 * import { assertEquals } from "@std/assert";
 *
 * const faster = prediction(20, { what: "how much faster zero copy is", unit: "%" });
 * assertEquals(
 *   faster.beside({ value: 28, low: 24, high: 31 }).text,
 *   "How much faster zero copy is: you predicted 20 %, measured 28 % (24 to 31 %). " +
 *     "Your prediction is below what was measured.",
 * );
 * ```
 */
export function prediction(
  predicted: number | undefined,
  options: PredictionOptions,
): Prediction {
  return new Prediction(predicted, options);
}

/** A number that a learner expects; made by {@linkcode prediction}. */
export class Prediction {
  /** The number, or undefined if there is none yet. */
  readonly predicted: number | undefined;
  /** What is predicted. */
  readonly what: string;
  /** The unit of the number; empty if it has none. */
  readonly unit: string;

  /** Made by {@linkcode prediction}. @internal */
  constructor(predicted: number | undefined, { what, unit = "" }: PredictionOptions) {
    if (predicted !== undefined && !Number.isFinite(predicted)) {
      throw new RangeError(`prediction: a number is wanted, got ${Deno.inspect(predicted)}`);
    }
    this.predicted = predicted;
    this.what = what;
    this.unit = unit;
  }

  /**
   * Puts what was measured beside the prediction.
   *
   * @param measured What was measured, in the prediction's unit.
   * @returns Both, in words.
   */
  beside(measured: MeasuredQuantity): PredictionResult {
    const { predicted, unit } = this;
    const interval = typeof measured === "number"
      ? { value: measured, low: measured, high: measured }
      : measured;
    const around = typeof measured === "number"
      ? ""
      : ` (${quantity(measured.low, "")} to ${quantity(measured.high, unit)})`;
    const result = `measured ${quantity(interval.value, unit)}${around}.`;
    const subject = this.what.charAt(0).toUpperCase() + this.what.slice(1);
    if (predicted === undefined) {
      return new PredictionResult(`${subject}: ${result} You wrote no prediction down.`);
    }
    const place = predicted < interval.low
      ? "Your prediction is below what was measured."
      : predicted > interval.high
      ? "Your prediction is above what was measured."
      : "Your prediction agrees with it.";
    return new PredictionResult(
      `${subject}: you predicted ${quantity(predicted, unit)}, ${result} ${place}`,
    );
  }

  /** One line for the REPL. */
  [INSPECT](): string {
    return this.predicted === undefined
      ? `… Not predicted yet: ${this.what}`
      : `You predict ${quantity(this.predicted, this.unit)}: ${this.what}`;
  }

  /** One line for a notebook. */
  [DISPLAY](): Record<string, string> {
    return { "text/plain": this[INSPECT](), "text/html": `<p>${htmlOf(this[INSPECT]())}</p>` };
  }
}

/** A prediction beside what was measured; made by {@linkcode Prediction.beside}. */
export class PredictionResult {
  /** Both, in words. */
  readonly text: string;

  /** Made by {@linkcode Prediction.beside}. @internal */
  constructor(text: string) {
    this.text = text;
  }

  /** The text, for the REPL. */
  [INSPECT](): string {
    return this.text;
  }

  /** The text, for a notebook. */
  [DISPLAY](): Record<string, string> {
    return { "text/plain": this.text, "text/html": `<p>${htmlOf(this.text)}</p>` };
  }
}

function quantity(value: number, unit: string): string {
  const text = String(Number(value.toPrecision(Math.abs(value) < 1000 ? 3 : 4)));
  return (unit === "" ? text : `${text} ${unit}`).replace(/^-/, "−");
}
