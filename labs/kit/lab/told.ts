/**
 * What a run came to, and what its parts are called in the text of it.
 *
 * @module
 */
import type { Factor, Factors, Measures } from "../trials/trials.ts";
import { valueText } from "../plot/layout_of_trials.ts";
import { words } from "../plot/names.ts";
import type { FactorColumn } from "./columns.ts";
import type { AnyDeclaration, Findings, Refused } from "./declaration.ts";
import type { LabOptions } from "../options/options.ts";
import type { Witnessed } from "./witnessed.ts";

/** What a run came to. */
export interface Told extends Findings<Factors, Measures, LabOptions> {
  /** Combinations that are not possible here. */
  readonly refused: readonly Refused[];
  /** What the microscope saw of each combination; nothing where there is none. */
  readonly witnessed: readonly Witnessed[];
}

/** What the baseline is called, such as `non-zc`. */
export function baselineName(lab: AnyDeclaration): string {
  return nameOf(lab, lab.baseline);
}

/** What a combination is called where it is compared. */
export function nameOf(lab: AnyDeclaration, factors: Factors): string {
  return lab.called?.(factors) ??
    Object.keys(lab.baseline).map((name) => wayText(lab, name, factors[name] ?? null)).join(", ");
}

/** What a value makes of a combination: `zc`, and `registered: yes` where the value alone says nothing. */
function wayText(lab: AnyDeclaration, name: string, value: Factor): string {
  const { title } = factorColumn(lab, name);
  return valueText(title?.replaceAll("\n", " ") ?? name, value, true) || `no ${words(name)}`;
}

/** The column of a factor: its declared title, and more where there is more. */
export function factorColumn(lab: AnyDeclaration, name: string): FactorColumn<Factors> {
  const declared = lab.factorTitles?.[name] ?? {};
  return typeof declared === "string" ? { title: declared } : declared;
}

/** A value of a factor in words. */
export function factorText(lab: AnyDeclaration, name: string, value: Factor | undefined): string {
  const { title } = factorColumn(lab, name);
  // "600 bytes", but "MTU 1500".
  return title === undefined
    ? valueText(name, value ?? null, true)
    : `${value} ${title.replaceAll("\n", " ")}`;
}
