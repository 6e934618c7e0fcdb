/**
 * What the kinds of figures read of trials: measures, their numbers, and words about them.
 *
 * @module
 */
import type { Trial } from "../trials/trials.ts";
import { leadingColumn, type RunTable } from "../run/run_table.ts";
import { PlotError, type PlotKind } from "./figure.ts";
import {
  type LayoutOptions,
  measured,
  numericMeasures,
  type PlacedCombination,
  type TrialsLayout,
} from "./layout_of_trials.ts";
import { describeMeasure, type MeasureDescription } from "./names.ts";

/** A trial by its place, as `findOutliers` gives it. */
export type TrialPosition =
  | { readonly round: number; readonly order: number }
  | { readonly trial: { readonly round: number; readonly order: number } };

/** What a figure shall say instead of what it would by itself. */
export interface FigureTexts {
  readonly title?: string | undefined;
  readonly subtitle?: string | undefined;
  readonly unit?: string | undefined;
  readonly yLabel?: string | undefined;
  readonly xLabel?: string | undefined;
  readonly xUnit?: string | undefined;
}

/** How trials become a figure. What is left out is found from them. */
export interface TrialsOptions extends LayoutOptions, FigureTexts {
  readonly measure?: string;
  readonly better?: "higher" | "lower";
  readonly outliers?: readonly TrialPosition[];
  /** How the lab reads its rows, of a document that says so. */
  readonly table?: RunTable | undefined;
}

/** Measures that say how fast it went, the most telling first: what was moved, not how often. */
const RATES: readonly RegExp[] = [
  /^(bytes|bits)PerSecond$/,
  /^(datagrams|packets|messages)PerSecond$/,
  /PerSecond$/,
  /^instructionsPer/,
];

/** The measure that the lab judges by; where nothing says so, the one that says how fast it went. */
export function findMeasure(trials: readonly Trial[], table?: RunTable): string | undefined {
  const names = numericMeasures(trials);
  const declared = leadingColumn(table)?.measure;
  if (typeof declared === "string" && names.includes(declared)) return declared;
  for (const pattern of RATES) {
    const found = names.find((name) => pattern.test(name));
    if (found !== undefined) return found;
  }
  if (names.includes("p50Seconds")) return "p50Seconds";
  return names.length === 1 ? names[0] : undefined;
}

/** Whether there is a measure to show, named or found. */
export function hasMeasure({ trials }: TrialsLayout, { measure, table }: TrialsOptions): boolean {
  return (measure ?? findMeasure(trials, table)) !== undefined;
}

/**
 * The measure to show, named or found, with its words and its unit.
 *
 * @throws {PlotError} If there is none, or no trial has it.
 */
export function requireMeasure(
  kind: PlotKind,
  trials: readonly Trial[],
  options: TrialsOptions,
): MeasureDescription & { readonly name: string } {
  const name = options.measure ?? findMeasure(trials, options.table);
  const names = numericMeasures(trials);
  if (name === undefined) {
    throw new PlotError(
      `plot, kind ${kind}: options.measure is missing; the trials have the numbers ` +
        (names.join(", ") || "none"),
    );
  }
  if (!trials.some((trial) => measured(trial, name) !== null)) {
    throw new PlotError(
      `plot, kind ${kind}: no trial has a number ${name}; the trials have the numbers ` +
        (names.join(", ") || "none"),
    );
  }
  const declared = options.table?.columns.find((column) => column.measure === name);
  const found = declared === undefined
    ? describeMeasure(name)
    : { label: declared.title, unit: declared.unit, scale: 1 };
  return {
    name,
    label: options.yLabel ?? found.label,
    unit: options.unit ?? found.unit,
    scale: options.unit === undefined ? found.scale : 1,
  };
}

/** The numbers of a combination, in the unit of the measure. */
export function valuesOf(
  { trials }: PlacedCombination,
  { name, scale }: { readonly name: string; readonly scale: number },
): number[] {
  return trials.flatMap((trial) => {
    const value = measured(trial, name);
    return value === null ? [] : [value * scale];
  });
}

/** The baseline as a figure has it. */
export function baselineOf({ baseline }: TrialsLayout): { baseline?: string } {
  return baseline === undefined ? {} : { baseline };
}

/** How many rounds count, in words. */
export function roundsOf({ rounds }: TrialsLayout): string {
  return `${rounds} ${rounds === 1 ? "round" : "rounds"}`;
}

/** The order of combinations along the axis. */
export function byX(a: PlacedCombination, b: PlacedCombination): number {
  return (a.x ?? 0) - (b.x ?? 0);
}

/** A ratio of numbers that have none, such as zeros, is not there. */
export function attempt<T>(
  compute: () => T | undefined,
  onProblem: (message: string) => void = () => {},
): T | undefined {
  try {
    return compute();
  } catch (error) {
    if (!(error instanceof RangeError || error instanceof TypeError)) throw error;
    onProblem(error.message);
    return undefined;
  }
}
