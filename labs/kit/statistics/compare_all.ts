/**
 * Every combination compared with its baseline, corrected for there being many.
 *
 * @module
 */
import {
  describeFactors,
  type Factors,
  hasFactors,
  type Measures,
  type Trial,
} from "../trials/trials.ts";
import type { BootstrapOptions } from "./bootstrap.ts";
import {
  baselineOf,
  bootstrapOf,
  bootstrapOfControl,
  FIVE_PERCENT,
  type PairedBootstrap,
  type Ratio,
  requireKnown,
  withKind,
} from "./comparisons.ts";
import { findOutliers } from "./outliers.ts";
import { judge, type Verdict } from "./verdicts.ts";

/** How {@linkcode compareAll} corrects for many comparisons: after Holm, or not at all. */
export type Correction = "holm" | "none";

/** Words for {@linkcode compareAll}. */
export interface CompareAllWords<F extends Factors> {
  /**
   * What a combination is called. Without it, its values of the factors that `against` names.
   *
   * @param factors The combination that is compared with its baseline.
   */
  readonly subject?: (factors: F) => string;
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

/** Options of {@linkcode compareAll}. */
export interface CompareAllOptions<F extends Factors> extends BootstrapOptions {
  /** The measure to compare: the name of a number in the measures. */
  readonly measure: string;
  /**
   * What makes a combination a baseline, such as `{ mode: "copy" }`. Every other combination is
   * compared with the baseline that has the same values in all other factors; where there is none,
   * with the one that has the same values in the factors of `within`, if there is only one.
   */
  readonly against: Partial<F>;
  /**
   * How to correct for the number of comparisons.
   *
   * @default {"holm"}
   */
  readonly correction?: Correction;
  /**
   * Factors that part the comparisons into questions of their own, such as `["payload"]`: what is
   * corrected for is the number of comparisons in each. The 5 % then hold for each question, not
   * for all of them together; {@linkcode compareTable} is for those who look at all at once.
   *
   * @default {[]}
   */
  readonly within?: readonly (string & keyof F)[];
  /** Words for the verdicts. */
  readonly words?: CompareAllWords<F>;
}

/** One combination compared with its baseline. */
export interface ComparisonRow<F extends Factors = Factors> {
  /** The combination. */
  readonly factors: F;
  /** Its baseline. */
  readonly baseline: F;
  /** The ratio with its own 95 % interval, not corrected. */
  readonly comparison: Ratio;
  /** The baseline compared with itself; absent where no control ran. */
  readonly noiseFloor?: Ratio;
  /** How likely a difference this large or larger is were there none; at least 1e-9. */
  readonly chance: number;
  /** The same, corrected for all comparisons: below 0.05 there is a difference. */
  readonly correctedChance: number;
  /** The verdict, which heeds the correction and the noise floor. */
  readonly verdict: Verdict;
  /** How many trials of the combination and its baseline are outliers. They are counted in. */
  readonly outliers: number;
}

/**
 * Compares every combination with its baseline, and says what all of that allows one to say.
 *
 * With many comparisons, some of equal things look different by chance. Holm's correction (S.
 * Holm, "A Simple Sequentially Rejective Multiple Test Procedure", Scandinavian Journal of
 * Statistics 6(2), 1979) keeps the chance that even one of them is called below 5 %; it does not
 * ask how the comparisons depend on each other, which share a baseline here. The intervals of the
 * rows stay what they are, 95 % each.
 *
 * @param trials The trials of one experiment.
 * @param options What to compare.
 * @returns A row for each combination that is no baseline, ordered by its factors: numbers by
 *   size, texts by the alphabet. Those that share fewer than two rounds with their baseline are
 *   left out.
 * @throws {RangeError} If there is no baseline, if a combination has none, or if a value is not
 *   positive; the message says of which combination, and what to do.
 * @throws {TypeError} If the measure is not there, or not a number.
 *
 * @example
 * ```ts
 * import { compareAll, cross, experiment } from "zclab/experiment";
 * import { assertEquals } from "@std/assert";
 *
 * const { trials } = await experiment({
 *   factors: cross({ payload: [600, 4000], mode: ["copy", "zc"] }),
 *   control: { mode: "copy" },
 *   trial: ({ payload, mode }) => ({ rate: mode === "zc" && payload === 4000 ? 150 : 100 }),
 * });
 * const rows = compareAll(trials, { measure: "rate", against: { mode: "copy" } });
 * assertEquals(rows.map(({ verdict }) => verdict.text), [
 *   "no difference seen; this run could have seen 0 %",
 *   "zc is 50 % faster, 95 % interval 50 to 50 %",
 * ]);
 * ```
 */
export function compareAll<F extends Factors>(
  trials: readonly Trial<F, Measures>[],
  options: CompareAllOptions<F>,
): ComparisonRow<F>[] {
  const { correction = "holm", within = [], words } = options;
  const pairs = pairsOf(trials, options);
  const corrected = correctedChances(
    pairs,
    ({ factors }) =>
      correction === "none" ? factors : JSON.stringify(within.map((name) => factors[name])),
  );
  return rowsOf(trials, pairs, corrected, { ...options, words });
}

/** Options of {@linkcode compareTable}. */
export interface CompareTableOptions<F extends Factors> extends BootstrapOptions {
  /** The measures to compare, and the words for each. */
  readonly measures: readonly {
    readonly measure: string;
    readonly words?: CompareAllWords<F>;
  }[];
  /** What makes a combination a baseline, as for {@linkcode compareAll}. */
  readonly against: Partial<F>;
  /**
   * Where to look for the baseline of a combination that has factors which no baseline has.
   *
   * @default {[]}
   */
  readonly within?: readonly (string & keyof F)[];
}

/**
 * Compares every combination with its baseline in several measures, corrected for all of these
 * comparisons together: of tables of equal things, at most one in twenty says of anything that it is
 * different.
 *
 * @param trials The trials of one experiment.
 * @param options What to compare.
 * @returns The rows of each measure, in the order of the measures, as {@linkcode compareAll} returns
 *   them.
 * @throws {RangeError} If there is no baseline, if a combination has none, or if a value is not
 *   positive; the message says of which combination, and what to do.
 * @throws {TypeError} If a measure is not there, or not a number.
 *
 * @example
 * ```ts
 * import { cross, experiment } from "zclab/experiment";
 * import { compareTable } from "./compare_all.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const { trials } = await experiment({
 *   factors: cross({ payload: [600, 4000], mode: ["copy", "zc"] }),
 *   control: { mode: "copy" },
 *   trial: ({ mode }) => ({ rate: 100, cpuSeconds: mode === "zc" ? 1 : 2 }),
 * });
 * const [rates, cpu] = compareTable(trials, {
 *   measures: [
 *     { measure: "rate" },
 *     { measure: "cpuSeconds", words: { higher: "more", lower: "less" } },
 *   ],
 *   against: { mode: "copy" },
 * });
 * assertEquals(rates!.map(({ verdict }) => verdict.difference), ["none", "none"]);
 * assertEquals(cpu!.map(({ verdict }) => verdict.difference), ["lower", "lower"]);
 * ```
 */
export function compareTable<F extends Factors>(
  trials: readonly Trial<F, Measures>[],
  { measures, ...options }: CompareTableOptions<F>,
): ComparisonRow<F>[][] {
  const columns = measures.map(({ measure, words }) => {
    const own = { ...options, measure, words };
    return { own, pairs: pairsOf(trials, own) };
  });
  const corrected = correctedChances(columns.flatMap(({ pairs }) => pairs), () => "the table");
  return columns.map(({ own, pairs }) => rowsOf(trials, pairs, corrected, own));
}

/** A combination and its baseline. */
interface Pair<F extends Factors> {
  readonly factors: F;
  readonly baseline: F;
  readonly found: PairedBootstrap;
  readonly chance: number;
}

/** The chance of each pair after the correction, and among how many it was corrected. */
type Corrected<F extends Factors> = ReadonlyMap<
  Pair<F>,
  { readonly chance: number; readonly among: number }
>;

/** Pairs every combination with its baseline. */
function pairsOf<F extends Factors>(
  trials: readonly Trial<F, Measures>[],
  { measure, against, within = [], ...rest }: Omit<CompareAllOptions<F>, "words">,
): Pair<F>[] {
  const combinations = distinct(trials.map((trial) => trial.factors)).sort(byFactors);
  requireKnown(trials, against);
  for (const name of within) {
    if (trials.length === 0 || Object.hasOwn(trials[0]!.factors, name)) continue;
    throw new RangeError(
      `within: there is no factor ${name}. The factors are: ${
        Object.keys(trials[0]!.factors).join(", ")
      }`,
    );
  }
  // In the first round of a run that was stopped, not all have had their turn.
  const isWhole = new Set(trials.map(({ round }) => round)).size > 1;
  return combinations.filter((one) => !hasFactors(one, against)).flatMap((factors) => {
    const baseline = baselineOf(factors, combinations, against) ??
      baselineWithin(factors, combinations, against, within);
    if (baseline === undefined) {
      if (!isWhole) return [];
      throw new RangeError(
        `Nothing to compare ${describeFactors(factors)} with: no trial has ` +
          describeFactors({ ...factors, ...against }),
      );
    }
    const found = bootstrapOf(trials, {
      measure,
      of: factors,
      against: baseline,
      ...bootstrapOptions(rest),
    });
    return found === undefined ? [] : [{ factors, baseline, found, chance: found.chance() }];
  });
}

/** Corrects the chances in each family for the number of its pairs. */
function correctedChances<F extends Factors>(
  pairs: readonly Pair<F>[],
  familyOf: (pair: Pair<F>) => unknown,
): Corrected<F> {
  const families = Map.groupBy(pairs, familyOf);
  return new Map([...families.values()].flatMap((family) => {
    const chances = holm(family.map(({ chance }) => chance));
    return family.map((pair, index) =>
      [pair, { chance: chances[index]!, among: family.length }] as const
    );
  }));
}

/** What the pairs of one measure allow one to say. */
function rowsOf<F extends Factors>(
  trials: readonly Trial<F, Measures>[],
  pairs: readonly Pair<F>[],
  corrected: Corrected<F>,
  { measure, against, words = {}, ...rest }: Omit<CompareAllOptions<F>, "words"> & {
    readonly words?: CompareAllWords<F> | undefined;
  },
): ComparisonRow<F>[] {
  const names = Object.keys(against);
  const { subject = (factors: F): string => names.map((name) => factors[name]).join(", ") } = words;
  const { higher, lower } = words;
  const outliers = findOutliers(trials.filter((trial) => !trial.warmUp), { measure })
    .map(({ trial }) => trial.factors);
  const floors = new Map(
    [...new Set(pairs.map(({ baseline }) => baseline))].map((at) =>
      [at, bootstrapOfControl(trials, { measure, at, ...bootstrapOptions(rest) })?.ratio()] as const
    ),
  );
  return pairs.map((pair): ComparisonRow<F> => {
    const { factors, baseline, found, chance } = pair;
    const comparison = withKind(found.ratio(), trials, measure);
    const floor = floors.get(baseline);
    const { chance: correctedChance, among } = corrected.get(pair)!;
    return {
      factors,
      baseline,
      comparison,
      ...(floor === undefined ? {} : { noiseFloor: floor }),
      chance,
      correctedChance,
      verdict: judge(comparison, floor, {
        subject: subject(factors),
        ...(higher === undefined ? {} : { higher }),
        ...(lower === undefined ? {} : { lower }),
      }, {
        isCalled: correctedChance <= FIVE_PERCENT,
        // Holm's first step: what one difference among equal things would have had to pass.
        reach: found.reach(FIVE_PERCENT / among),
        ...(among > 1 ? { among } : {}),
      }),
      outliers: outliers.filter((other) =>
        hasFactors(other, factors) || hasFactors(other, baseline)
      ).length,
    };
  });
}

function bootstrapOptions({ seed, resamples }: BootstrapOptions): BootstrapOptions {
  return {
    ...(seed === undefined ? {} : { seed }),
    ...(resamples === undefined ? {} : { resamples }),
  };
}

/**
 * Corrects chances for their number after Holm: the smallest times their number, the next times
 * one less, and so on, none smaller than the one before.
 *
 * @param chances The chance of each comparison, in any order.
 * @returns The corrected ones in the same order, at most 1.
 *
 * @example
 * ```ts
 * import { holm } from "./compare_all.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(holm([0.5, 0.25, 0.125]), [0.5, 0.5, 0.375]);
 * ```
 */
export function holm(chances: readonly number[]): number[] {
  const order = chances.map((_, index) => index).sort((a, b) => chances[a]! - chances[b]!);
  const corrected = new Array<number>(chances.length);
  let least = 0;
  for (const [step, index] of order.entries()) {
    least = Math.max(least, Math.min(1, (chances.length - step) * chances[index]!));
    corrected[index] = least;
  }
  return corrected;
}

/** The only baseline in the same question: a way of receiving may have factors that others lack. */
function baselineWithin<F extends Factors>(
  factors: F,
  combinations: readonly F[],
  against: Partial<F>,
  within: readonly (string & keyof F)[],
): F | undefined {
  if (within.length === 0) return undefined;
  const question = Object.fromEntries(within.map((name) => [name, factors[name]])) as Partial<F>;
  const found = combinations.filter((one) => hasFactors(one, { ...question, ...against }));
  return found.length === 1 ? found[0] : undefined;
}

function distinct<F extends Factors>(all: readonly F[]): F[] {
  return all.filter((one, index) => all.findIndex((other) => hasFactors(other, one)) === index);
}

function byFactors(a: Factors, b: Factors): number {
  for (const name of Object.keys(a)) {
    const [x, y] = [a[name]!, b[name]!];
    if (x === y) continue;
    if (typeof x === "number" && typeof y === "number") return x - y;
    return String(x) < String(y) ? -1 : 1;
  }
  return 0;
}
