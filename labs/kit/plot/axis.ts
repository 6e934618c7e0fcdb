/**
 * Where the ticks of an axis are.
 *
 * @module
 */
import { PERCENT_RANGE } from "../text/format.ts";

/** A logarithmic axis pays where the largest value is more than this many times the smallest. */
export const WIDE_RANGE = 20;

/** The percentiles that an axis may name. */
export const PERCENTILE_TICKS: readonly number[] = [0, 50, 90, 99, 99.9, 99.99, 99.999, 99.9999];

/** How many nines a percentile has: 0 for 0, 1 for 90, 2 for 99. */
export function nines(percentile: number): number {
  return -Math.log10(1 - percentile / 100);
}

/** 1, 2 and 5 times powers of ten between two numbers, or the powers alone where those suffice. */
export function roundNumbers(least: number, most: number): number[] {
  const decades = Math.log10(most / least);
  const found: number[] = [];
  for (let power = Math.floor(Math.log10(least)); power <= Math.log10(most); power++) {
    for (const digit of decades > 3 ? [1] : [1, 2, 5]) {
      const value = Number(`${digit}e${power}`);
      if (value >= least * 0.999 && value <= most * 1.001) found.push(value);
    }
  }
  return found;
}

/** The smallest of 1, 2 and 5 times a power of ten that is not below a number. */
export function roundStep(least: number): number {
  const power = Math.floor(Math.log10(least));
  for (const digit of [1, 2, 5]) {
    const step = Number(`${digit}e${power}`);
    if (step >= least * 0.999) return step;
  }
  return Number(`1e${power + 1}`);
}

/**
 * Round numbers at equal distances.
 *
 * @param most The largest value on the axis.
 * @param count About how many.
 * @param least The smallest value on the axis.
 */
export function linearTicks(most: number, count: number, least = 0): number[] {
  if (!(most > least)) return [least];
  const step = roundStep((most - least) / Math.max(2, count));
  const first = Math.ceil(least / step - 1e-9);
  const last = Math.floor(most / step + 1e-9);
  return Array.from({ length: last - first + 1 }, (_, index) => {
    // Products such as 3 * 0.1 have digits that nobody wants to read.
    return Number(((first + index) * step).toPrecision(12));
  });
}

/**
 * Ticks for ratios on a logarithmic axis; 1 is always among them.
 *
 * @param least The smallest ratio on the axis, below 1.
 * @param most The largest one, above 1.
 */
export function ratioTicks(least: number, most: number): number[] {
  if (most / least < PERCENT_RANGE) {
    const step = roundStep((most - least) / 6);
    const first = Math.ceil((least - 1) / step - 1e-9);
    const last = Math.floor((most - 1) / step + 1e-9);
    return Array.from(
      { length: last - first + 1 },
      (_, index) => Number((1 + (first + index) * step).toPrecision(12)),
    );
  }
  return [...new Set([...roundNumbers(least, most), 1])].sort((a, b) => a - b);
}
