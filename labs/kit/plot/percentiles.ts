/**
 * Percentiles of distributions: of values, and of HdrHistograms.
 *
 * @module
 */
import { Durations } from "../statistics/durations.ts";
import { nines, PERCENTILE_TICKS } from "./axis.ts";
import { PlotError } from "./figure.ts";
import type { PercentilePoint } from "./percentile_plot.ts";

/** Beyond a percentile that is shown there are at least so many values. */
const LEAST_BEYOND = 5;

/** Steps of a curve for each nine. */
const STEPS = 24;

/** The percentiles at which a curve of so many values is drawn. */
function places(count: number): number[] {
  const farthest = Math.max(50, 100 * (1 - LEAST_BEYOND / count));
  const found = PERCENTILE_TICKS.filter((percentile) => percentile <= farthest);
  const steps = Math.floor(nines(farthest) * STEPS);
  for (let step = 1; step <= steps; step++) found.push(100 * (1 - 10 ** (-step / STEPS)));
  return [...new Set(found)].sort((a, b) => a - b);
}

/**
 * The percentiles of values, up to the last one beyond which there are at least five values.
 *
 * @param values At least one.
 */
export function percentilesOf(values: readonly number[]): PercentilePoint[] {
  const sorted = values.toSorted((a, b) => a - b);
  return places(sorted.length).map((percentile) => ({
    percentile,
    value: sorted[Math.max(0, Math.ceil(sorted.length * percentile / 100 - 1e-9) - 1)]!,
  }));
}

/**
 * The percentiles of HdrHistograms taken together.
 *
 * @param encoded Compressed, in base64, as `encodeIntoCompressedBase64` gives them. The values are
 *   nanoseconds.
 * @returns Percentiles in seconds, and how many values there are.
 * @throws {PlotError} If one is damaged or all are empty.
 */
export function percentilesOfDistributions(
  encoded: readonly string[],
): { points: PercentilePoint[]; count: number } {
  let merged: Durations;
  try {
    merged = Durations.merged(encoded);
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    throw new PlotError("plot, kind latency: a distribution is no HdrHistogram", { cause });
  }
  const { count } = merged;
  if (count === 0) throw new PlotError("plot, kind latency: the distributions are empty");
  const points = places(count).map((percentile) => ({
    percentile,
    value: Math.max(1e-9, merged.percentile(percentile)!),
  }));
  return { points, count };
}
