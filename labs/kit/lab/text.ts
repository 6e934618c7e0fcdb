/**
 * What a lab prints: its table, charts, verdicts, and what else the run says, for people.
 *
 * @module
 */
import { describeFactors, type Trial } from "../trials/trials.ts";
import { words } from "../plot/names.ts";
import { formatChange } from "../text/format.ts";
import { describeOutliers, explainOutlier, findOutliers } from "../statistics/outliers.ts";
import { chartText } from "./chart_text.ts";
import { comparedColumns } from "./columns.ts";
import type { AnyDeclaration, Refused } from "./declaration.ts";
import { tableText } from "./table_text.ts";
import { baselineName, nameOf, type Told } from "./told.ts";
import { verdictLines } from "./verdict_text.ts";
import { disagreementLines, witnessLines } from "./witness_text.ts";

/**
 * The text of a run.
 *
 * @param lab The declaration.
 * @param told What it came to.
 */
export function labText(lab: AnyDeclaration, told: Told): string {
  const { rows, trials, checks, refused, witnessed } = told;
  if (rows.length === 0) return "";
  const lines = [
    ...disagreementLines(lab, witnessed),
    headingOf(lab, told),
    "",
    tableText(lab, told),
    ...(lab.charts ?? []).map((chart) => chartText(lab, told, chart)).filter((text) => text !== ""),
    ...verdictLines(lab, rows),
    ...(lab.conclusions?.(told) ?? []),
    ...checks.map((trial) => `Control: ${lab.checks!.text(trial)}`),
    ...witnessLines(lab, witnessed),
    ...outlierLines(lab, trials),
    ...refusedLines(lab, refused),
  ];
  return `${lines.join("\n")}\n`;
}

function headingOf(lab: AnyDeclaration, told: Told): string {
  const { rows, trials } = told;
  const rounds = new Set(trials.filter(({ warmUp }) => !warmUp).map(({ round }) => round)).size;
  const constant = Object.entries(rows[0]!.factors)
    .filter(([name, value]) =>
      rows.length > 1 && rows.every(({ factors }) => factors[name] === value)
    )
    .map(([name, value]) => `${words(name)} ${value}`);
  const compared = comparedColumns(lab.columns).filter(({ verdict }) => verdict === true);
  return [
    `${lab.heading?.(told) ?? lab.title}; ${rounds === 1 ? "1 round" : `${rounds} rounds`}`,
    ...constant,
    ...(compared.length === 0 ? [] : [`percent is against ${baselineName(lab)}`]),
  ].join("; ");
}

/** How many trials were far off, and what the machine did in the farthest. */
function outlierLines(lab: AnyDeclaration, trials: readonly Trial[]): string[] {
  const [column] = comparedColumns(lab.columns);
  if (column === undefined) return [];
  const found = findOutliers(trials, { measure: column.measure });
  const [farthest] = found.toSorted((a, b) => Math.abs(b.deviations) - Math.abs(a.deviations));
  if (farthest === undefined) return [];
  const { trial, ratio } = farthest;
  return [
    `${describeOutliers(found.length)}; the farthest (${describeFactors(trial.factors)}, ` +
    `${formatChange(ratio)}): ${
      explainOutlier(trial, trials) ?? "nothing that was read explains it"
    }`,
  ];
}

/** What is not possible, each reason once with all that it forbids. */
function refusedLines(lab: AnyDeclaration, refused: readonly Refused[]): string[] {
  return [...Map.groupBy(refused, ({ why }) => why)].map(([why, all]) => {
    const ways = new Set(all.map((one) => nameOf(lab, one)));
    return `Not possible here: ${[...ways].join("; ")}: ${why}`;
  });
}
