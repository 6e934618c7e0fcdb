/**
 * Counts what a row costs: C and ours in turns, until rounds agree, and then for some rounds more.
 *
 * @module
 */
import { median } from "simple-statistics";
import { cross, experiment } from "zclab/experiment";
import type { MeasuredRow } from "./figures.ts";

/** A row before it is measured. Both sides return instructions for each operation. */
export interface Row {
  /** What it is called. */
  readonly name: string;
  /** Runs the C program once. */
  c(): Promise<number>;
  /** Runs ours once. */
  ours(): number | Promise<number>;
}

/** The rounds that count: an odd number, as a round in which something was compiled is not the median. */
const ROUNDS = 5;
/** The sides take turns in the same order each time. */
const SEED = 1;
/** Rounds go before until two agree so far. */
const WARM_UP = { same: ["value"], most: 6, tolerance: 0.003 } as const;

/**
 * Counts a row.
 *
 * @param row The row.
 * @returns Medians over the rounds that count, and how far these are apart.
 */
export async function countRow(row: Row): Promise<MeasuredRow> {
  const { trials } = await experiment({
    factors: cross({ side: ["C", "zclab"] }),
    repeats: ROUNDS,
    warmUp: WARM_UP,
    seed: SEED,
    covariates: false,
    trial: async ({ side }) => ({ value: await (side === "C" ? row.c() : row.ours()) }),
  });
  const valuesOf = (side: string): number[] =>
    trials.filter(({ warmUp, factors }) => !warmUp && factors.side === side)
      .map(({ measures }) => measures.value);
  const [c, zclab] = [valuesOf("C"), valuesOf("zclab")];
  return {
    name: row.name,
    c: median(c),
    zclab: median(zclab),
    cSpread: spreadOf(c),
    zclabSpread: spreadOf(zclab),
  };
}

function spreadOf(values: readonly number[]): number {
  return (Math.max(...values) - Math.min(...values)) / median([...values]);
}
