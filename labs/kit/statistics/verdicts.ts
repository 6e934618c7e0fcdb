/**
 * What a comparison allows one to say, in words.
 *
 * @module
 */
import { INSTRUCTIONS, NOT_TIME } from "../trials/clock.ts";
import type { Ratio } from "./comparisons.ts";
import { requireRatio } from "./values.ts";

/** A difference of 900 %. What was not seen beyond it is not worth a number. */
const TENFOLD = 9;

/**
 * Words for {@linkcode verdict}. Of trials by a clock that counts instructions it says without words
 * which takes more of them, and with words that they are no time.
 */
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

/**
 * Says in words what a comparison shows. A difference is seen only if the interval excludes 1 and
 * the ratio is farther from 1 than the noise floor: than half the width of the interval of the
 * baseline against itself, and than its ratio.
 *
 * @param comparison The comparison, as {@linkcode compare} returns it.
 * @param noiseFloor The noise floor, or undefined where no control ran; the text then says so.
 * @param words What the two directions are called.
 * @returns The verdict and the smallest difference that the run could have seen.
 * @throws {RangeError} If a ratio is not positive and finite.
 *
 * @example
 * ```ts
 * import { verdict } from "zclab/experiment";
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
  requireRatio(comparison, `The comparison of ${words.subject}`);
  if (noiseFloor !== undefined) requireRatio(noiseFloor, "The noise floor");
  const { ratio, low, high } = comparison;
  const reach = Math.max(Math.log(high / ratio), Math.log(ratio / low));
  return judge(comparison, noiseFloor, words, { isCalled: low > 1 || high < 1, reach });
}

/** What a correction for many comparisons makes of one of them. */
export interface Judgement {
  /** Whether the comparison is different, apart from the noise floor. */
  readonly isCalled: boolean;
  /** How far its interval reaches, as a logarithm. */
  readonly reach: number;
  /** With how many others it was corrected; without it, it was not. */
  readonly among?: number;
}

/**
 * The verdict on a comparison that was judged elsewhere.
 *
 * @param comparison The comparison.
 * @param noiseFloor The noise floor, or undefined where no control ran.
 * @param words What the two directions are called.
 * @param judgement Whether the comparison itself is called, before the noise floor is heeded.
 */
export function judge(
  comparison: Ratio,
  noiseFloor: Ratio | undefined,
  words: VerdictWords,
  { isCalled, reach, among }: Judgement,
): Verdict {
  const { ratio, low, high } = comparison;
  const floor = noiseFloor === undefined ? 0 : Math.max(
    Math.log(noiseFloor.high / noiseFloor.low) / 2,
    Math.abs(Math.log(noiseFloor.ratio)),
  );
  const detectable = Math.exp(Math.max(reach, floor)) - 1;
  const unknown = noiseFloor === undefined ? " (noise floor not measured)" : "";
  const isBeyondFloor = Math.abs(Math.log(ratio)) > floor;

  if (isCalled && isBeyondFloor && (low > 1 || high < 1)) {
    const text = differenceText(comparison, words);
    return { difference: low > 1 ? "higher" : "lower", detectable, text: text + unknown };
  }
  // Only where the correction decided does it need saying.
  const decided = among !== undefined && !isCalled && isBeyondFloor && (low > 1 || high < 1);
  const corrected = decided ? ` that stands out among ${among} comparisons` : "";
  const seen = detectable < TENFOLD
    ? `this run could have seen ${percent(detectable)} %`
    : "this run could not have seen even a tenfold one";
  const text = `no difference seen${corrected}; ${seen}`;
  return { difference: "none", detectable, text: text + unknown };
}

/** How large a difference is, and which way. */
function differenceText(comparison: Ratio, { subject, ...words }: VerdictWords): string {
  const { counted } = comparison;
  const hasWords = words.higher !== undefined || words.lower !== undefined;
  if (counted !== undefined && !hasWords) {
    // Twice as many in a second are half as many instructions for each.
    const of = counted === "rate" ? inverse(comparison) : comparison;
    const [higher, lower] = [`higher in ${INSTRUCTIONS}`, `lower in ${INSTRUCTIONS}`];
    return `${subject} is ${changeText(of, higher, lower)}`;
  }
  const { higher = "faster", lower = "slower" } = words;
  const note = counted === undefined ? "" : ` (${NOT_TIME})`;
  return `${subject} is ${changeText(comparison, higher, lower)}${note}`;
}

function changeText({ ratio, low, high }: Ratio, higher: string, lower: string): string {
  return ratio > 1
    ? `${percent(ratio - 1)} % ${higher}, 95 % interval ${percent(low - 1)} to ${
      percent(high - 1)
    } %`
    : `${percent(1 - ratio)} % ${lower}, 95 % interval ${percent(1 - high)} to ${
      percent(1 - low)
    } %`;
}

function inverse({ ratio, low, high, ...rest }: Ratio): Ratio {
  return { ...rest, ratio: 1 / ratio, low: 1 / high, high: 1 / low };
}

/** Whole percents, with one digit more where a whole one would say little. */
function percent(fraction: number): string {
  const value = fraction * 100;
  return value < 9.95 ? String(Number(value.toFixed(1))) : String(Math.round(value));
}
