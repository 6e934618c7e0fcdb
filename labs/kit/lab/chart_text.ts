/**
 * The charts of a run, for the terminal.
 *
 * @module
 */
import { INSTRUCTIONS_PER_SECOND, isInstructions } from "../trials/clock.ts";
import { type Factors, hasFactors } from "../trials/trials.ts";
import { barPlot } from "../plot/bar_plot.ts";
import { formatChange } from "../text/format.ts";
import { percentilePlot, type PercentilePoint } from "../plot/percentile_plot.ts";
import { percentilesOfDistributions } from "../plot/percentiles.ts";
import { BASELINE_STYLE, TERMINAL_STYLES } from "../plot/theme.ts";
import { isDistribution } from "../statistics/durations.ts";
import { comparedColumns } from "./columns.ts";
import type { AnyDeclaration, Chart, PercentileChart } from "./declaration.ts";
import { intervalOf, type LabRow } from "./rows.ts";
import { factorText, type Told } from "./told.ts";

/** A chart of a run; empty if nothing of it was measured. */
export function chartText(lab: AnyDeclaration, told: Told, chart: Chart<Factors>): string {
  const chosen = told.rows.filter(({ factors }) => chart.where?.(factors) ?? true);
  return chart.kind === "percentiles"
    ? percentileText(lab, told, chart, chosen)
    : barText(lab, told, chart.title, chosen);
}

function percentileText(
  lab: AnyDeclaration,
  { rows, trials, context: { clock } }: Told,
  { title, of }: PercentileChart<Factors>,
  chosen: readonly LabRow[],
): string {
  const { labels } = namingFactors(lab, rows);
  const [unit, times] = clock === "time" ? ["s", 1] : ["", INSTRUCTIONS_PER_SECOND];
  const inUnit = ({ value, ...point }: PercentilePoint): PercentilePoint => {
    return { ...point, value: value * times };
  };
  const series = chosen.flatMap(({ factors }) => {
    const own = trials.filter((trial) =>
      !trial.warmUp && !trial.control && hasFactors(trial.factors, factors)
    ).map(({ measures }) => measures[of]).filter(isDistribution);
    const label = labels.map((name) => String(factors[name])).join(", ");
    const { points } = percentilesOfDistributions(own);
    return own.length === 0 ? [] : [{ label, points: points.map(inUnit) }];
  });
  return series.length === 0 ? "" : percentilePlot(series, { title, unit });
}

function barText(
  lab: AnyDeclaration,
  { rows, trials, context }: Told,
  title: string,
  wanted: readonly LabRow[],
): string {
  const [column] = comparedColumns(lab.columns);
  if (column === undefined) return "";
  const chosen = wanted.filter(({ row }) => typeof row[column.name] === "number");
  if (chosen.length === 0) return "";
  const { groups, labels } = namingFactors(lab, rows);
  return barPlot(
    chosen.map(({ factors, row, comparisons }) => {
      const value = Number(row[column.name]);
      const interval = intervalOf(trials, factors, column.measure, context.seed);
      const comparison = comparisons[column.name] ?? null;
      const isBaseline = comparison?.difference === "baseline";
      return {
        ...(groups.length === 0
          ? {}
          : { group: groups.map((name) => factorText(lab, name, factors[name])).join(", ") }),
        label: labels.map((name) => String(factors[name])).join(", "),
        value,
        low: Math.min(value, interval?.low ?? value),
        high: Math.max(value, interval?.high ?? value),
        note: comparison === null || isBaseline ? "" : formatChange(comparison.ratio),
        style: isBaseline ? BASELINE_STYLE : TERMINAL_STYLES[0]!,
      };
    }),
    // That these are instructions stands in the title.
    { title, unit: isInstructions(column.unit ?? "") ? "" : column.unit ?? "" },
  );
}

/** The factors that vary: those that part the rows into groups, and those that name a row in one. */
function namingFactors(
  lab: AnyDeclaration,
  rows: readonly LabRow[],
): { readonly groups: readonly string[]; readonly labels: readonly string[] } {
  const within: readonly string[] = lab.within ?? [];
  const varying = Object.keys(rows[0]!.factors)
    .filter((name) => new Set(rows.map(({ factors }) => factors[name])).size > 1);
  return {
    groups: within.filter((name) => varying.includes(name)),
    labels: varying.filter((name) => !within.includes(name)),
  };
}
