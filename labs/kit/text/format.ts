/**
 * Numbers as plots and tables show them.
 *
 * @module
 */
import { displayWidth } from "./table.ts";

const PREFIXES: readonly (readonly [number, string])[] = [
  [1e12, "T"],
  [1e9, "G"],
  [1e6, "M"],
  [1e3, "k"],
  [1, ""],
  [1e-3, "m"],
  [1e-6, "µ"],
  [1e-9, "n"],
];

/**
 * A ratio as a change in percent.
 *
 * @param ratio What is compared, divided by what it is compared with.
 * @returns The change in whole percent, with its sign.
 *
 * @example
 * ```ts
 * import { formatChange } from "./format.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(formatChange(1.284), "+28 %");
 * assertEquals(formatChange(0.9), "−10 %");
 * ```
 */
export function formatChange(ratio: number): string {
  const change = Math.round((ratio - 1) * 100);
  return `${change > 0 ? "+" : change < 0 ? "−" : "±"}${Math.abs(change)} %`;
}

/**
 * A number in three digits with an SI prefix and its unit.
 *
 * @param value The number.
 * @param unit Its unit. A symbol of up to three letters takes the prefix before it.
 *
 * @example
 * ```ts
 * import { formatSi } from "zclab/experiment";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(formatSi(1234567, "requests/s"), "1.23 M requests/s");
 * assertEquals(formatSi(0.0000412, "s"), "41.2 µs");
 * assertEquals(formatSi(600), "600");
 * ```
 */
export function formatSi(value: number, unit = ""): string {
  if (!Number.isFinite(value)) return `${value} ${unit}`.trimEnd();
  const size = Math.abs(value);
  // 999.6 would show as 1000: what rounds up to the next prefix belongs to it.
  const [factor, prefix] = size === 0
    ? [1, ""] as const
    : PREFIXES.find(([factor]) => size >= factor * 0.9995) ?? PREFIXES.at(-1)!;
  const scaled = value / factor;
  const whole = factor === 1 && Number.isInteger(value);
  const decimals = Math.abs(scaled) >= 99.95 ? 0 : Math.abs(scaled) >= 9.995 ? 1 : 2;
  const digits = whole ? String(value) : scaled.toFixed(decimals);
  const symbol = displayWidth(unit) <= 3;
  return `${digits} ${prefix}${symbol || prefix === "" ? "" : " "}${unit}`.trimEnd();
}

/**
 * A number that was counted and not measured, in four digits or, below a million, whole.
 *
 * @param value The number.
 *
 * @example
 * ```ts
 * import { formatCount } from "./format.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals([0.51234, 101.39, 5881.3, 1234567].map(formatCount), [
 *   "0.5123",
 *   "101.4",
 *   "5881",
 *   "1.235 M",
 * ]);
 * ```
 */
export function formatCount(value: number): string {
  const size = Math.abs(value);
  if (size === 0 || size >= 1000) {
    return size < 1e6 ? String(Math.round(value)) : `${(value / 1e6).toPrecision(4)} M`;
  }
  return value.toPrecision(4);
}

/**
 * The text of a tick: a round number, so that the zeros that only show precision go.
 *
 * @param value The tick.
 * @param unit Its unit.
 */
export function tickText(value: number, unit: string): string {
  const [digits, ...rest] = formatSi(value, unit).split(" ");
  return [String(Number(digits)), ...rest].join(" ");
}

/** Ratios up to this far apart are named by their change in percent, others as multiples. */
export const PERCENT_RANGE = 4;

/**
 * A ratio as the tick of an axis: its change in percent where the axis is short, else a multiple.
 *
 * @param ratio The ratio.
 * @param ends The ends of the axis.
 */
export function formatRatio(ratio: number, [least, most]: readonly [number, number]): string {
  if (most / least >= PERCENT_RANGE) return `×${Number(ratio.toPrecision(3))}`;
  const change = Number(((ratio - 1) * 100).toPrecision(6));
  return change === 0 ? "0 %" : `${change > 0 ? "+" : "−"}${Math.abs(change)} %`;
}
