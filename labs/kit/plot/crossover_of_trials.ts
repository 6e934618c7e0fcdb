/**
 * The ratios of trials to their baseline by size, and from which size on each series is better.
 *
 * @module
 */
import { type Factors, hasFactors } from "../trials/trials.ts";
import {
  compare,
  compareAll,
  crossover,
  noiseFloor,
  type Ratio,
  type Verdict,
} from "../statistics/statistics.ts";
import type { IntervalPanel, IntervalPoint } from "./intervals.ts";
import type { PlacedCombination, TrialsLayout } from "./layout_of_trials.ts";
import { attempt, byX } from "./trials.ts";

/** Where a series begins to be better than the baseline. */
export interface CrossoverMark {
  /** The series. */
  readonly label: string;
  /** From this size on it is better at every size measured; absent where it is not. */
  readonly from?: number;
  /** The next smaller size measured, where it is not better; absent if `from` is the smallest. */
  readonly above?: number;
  /** Where the ratio passes 1, by interpolation. */
  readonly estimate?: number;
}

/** The ratios of one panel. */
export interface CrossoverPanel extends IntervalPanel {
  /** The baseline against itself. */
  readonly floor: readonly IntervalPoint[];
  /** Where each series becomes better. */
  readonly crossings: readonly CrossoverMark[];
}

/** A combination and its ratio to the baseline at the same size; undefined where there is none. */
interface Compared {
  readonly one: PlacedCombination;
  readonly ratio: Ratio | undefined;
}

/**
 * Compares every combination with the baseline at its size.
 *
 * @param layout Where the combinations stand; it has a baseline.
 * @param measure The measure.
 * @param lowerIsBetter Whether less of it is better.
 * @returns The panels that have a ratio, and why other ratios could not be had.
 */
export function crossoverOf(
  layout: TrialsLayout,
  measure: string,
  lowerIsBetter: boolean,
): { panels: CrossoverPanel[]; problems: string[] } {
  const { trials, combinations, labels, baseline } = layout;
  const problems: string[] = [];
  const placeOf = ({ panel, x }: PlacedCombination): string => `${panel} ${x}`;
  const baselines = new Map(
    combinations.filter(({ series }) => series === baseline).map((one) => [placeOf(one), one]),
  );
  const againstBaseline = (one: PlacedCombination): Compared => {
    const against = baselines.get(placeOf(one));
    const ratio = against === undefined ? undefined : attempt(
      () => compare(trials, { measure, of: one.factors, against: against.factors }),
      (problem) => problems.push(problem),
    );
    return { one, ratio };
  };
  const againstItself = (one: PlacedCombination): Compared => ({
    one,
    ratio: attempt(() => noiseFloor(trials, { measure, at: one.factors })),
  });
  const differences = differencesOf(layout, measure);

  const panels = layout.panels.map((title): CrossoverPanel => {
    const own = (label: string | undefined): PlacedCombination[] =>
      combinations.filter(({ panel, series }) => panel === title && series === label)
        .toSorted(byX);
    const floor = own(baseline).map(againstItself);
    const compared = labels.filter((label) => label !== baseline)
      .map((label) => ({ label, rows: own(label).map(againstBaseline) }))
      .filter(({ rows }) => rows.some(({ ratio }) => ratio !== undefined));
    return {
      title,
      series: compared.map(({ label, rows }) => ({ label, points: rows.flatMap(point) })),
      floor: floor.flatMap(point),
      crossings: compared.map(({ label, rows }) => ({
        label,
        ...crossing(rows, floor, differences, lowerIsBetter),
      })),
    };
  });
  return { panels: panels.filter(({ series }) => series.length > 0), problems };
}

function point({ one, ratio }: Compared): IntervalPoint[] {
  return ratio === undefined
    ? []
    : [{ x: one.x, value: ratio.ratio, low: ratio.low, high: ratio.high }];
}

function crossing(
  rows: readonly Compared[],
  floor: readonly Compared[],
  differences: ReadonlyMap<Factors, Verdict["difference"]>,
  lowerIsBetter: boolean,
): Omit<CrossoverMark, "label"> {
  const found = crossover(rows.flatMap(({ one, ratio }) => {
    if (ratio === undefined) return [];
    const noise = floor.find((other) => other.one.x === one.x)?.ratio;
    const difference = differences.get(one.factors);
    return [{
      payload: one.x!,
      comparison: lowerIsBetter ? inverse(ratio) : ratio,
      noiseFloor: lowerIsBetter && noise !== undefined ? inverse(noise) : noise,
      ...(difference === undefined
        ? {}
        : { difference: lowerIsBetter ? OPPOSITE[difference] : difference }),
    }];
  }));
  if (found === undefined) return {};
  const { payload: from, above, estimate } = found;
  return {
    from,
    ...(above === undefined ? {} : { above }),
    ...(estimate === undefined ? {} : { estimate }),
  };
}

function inverse({ ratio, low, high, rounds }: Ratio): Ratio {
  return { ratio: 1 / ratio, low: 1 / high, high: 1 / low, rounds };
}

const OPPOSITE = { higher: "lower", lower: "higher", none: "none" } as const;

/** Which combinations differ from the baseline, corrected for how many stand at one size. */
function differencesOf(
  { trials, combinations, baselineFactors, x, panelFactors }: TrialsLayout,
  measure: string,
): Map<Factors, Verdict["difference"]> {
  const within = [...(x === undefined ? [] : [x]), ...panelFactors];
  const rows = attempt(() => compareAll(trials, { measure, against: baselineFactors!, within }));
  return new Map(combinations.flatMap(({ factors }) => {
    const row = rows?.find((row) => hasFactors(row.factors, factors));
    return row === undefined ? [] : [[factors, row.verdict.difference] as const];
  }));
}
