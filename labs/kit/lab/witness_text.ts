/**
 * What the witness of a lab saw, in words.
 *
 * @module
 */
import type { Factors } from "../trials/trials.ts";
import { reportsText } from "../workload/copy_reports.ts";
import type { AnyDeclaration } from "./declaration.ts";
import { factorText } from "./told.ts";
import type { Witnessed } from "./witnessed.ts";

/**
 * Where the witness contradicts what is reported, in a line each: they come before everything else.
 *
 * @param lab The lab.
 * @param witnessed What it saw.
 */
export function disagreementLines(lab: AnyDeclaration, witnessed: readonly Witnessed[]): string[] {
  return witnessed.filter(({ contradictions }) => contradictions.length > 0)
    .map(({ factors, copiedBy, contradictions }) =>
      `DISAGREEMENT: ${textOf(lab, factors, [])}: ${
        contradictions.join("; ")
      }; the microscope saw ` +
      `${copiedBy}.`
    );
}

/**
 * What the witness saw, in a line for each way, and how many of them say what is reported.
 *
 * @param lab The lab.
 * @param witnessed What it saw.
 */
export function witnessLines(lab: AnyDeclaration, witnessed: readonly Witnessed[]): string[] {
  if (witnessed.length === 0) return [];
  const agreeing = witnessed.filter(({ contradictions }) => contradictions.length === 0);
  const alike = Map.groupBy(
    witnessed,
    ({ copiedBy, reports }) => `${copiedBy}; reported: ${reportsText("receiving", reports)}`,
  );
  return [
    "The microscope, a witness from below the kernel: who copied each byte, and what was reported of it.",
    ...[...alike].map(([what, all]) => {
      const ways = new Set(all.map(({ factors }) => textOf(lab, factors, lab.within ?? [])));
      return `  ${[...ways].join("; ")}: ${what}.`;
    }),
    `In ${agreeing.length} of ${witnessed.length} combinations that is what the kernel and the NIC ` +
    "say, too.",
  ];
}

/** A combination in words, without some of its factors. */
function textOf(lab: AnyDeclaration, factors: Factors, without: readonly string[]): string {
  return lab.called?.(factors) ??
    Object.entries(factors).filter(([name, value]) => value !== null && !without.includes(name))
      .map(([name, value]) => factorText(lab, name, value)).join(", ");
}
