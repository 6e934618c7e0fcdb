/**
 * What a lab prints: its table, charts, verdicts, and what else the run says, for people.
 *
 * @module
 */
import {
  describeFactors,
  type Factor,
  type Factors,
  hasFactors,
  type Measures,
  type Trial,
} from "../experiment/trials.ts";
import { barPlot } from "../plot/bar_plot.ts";
import { words } from "../plot/names.ts";
import { formatChange, formatSi } from "../plot/format.ts";
import { percentilePlot } from "../plot/percentile_plot.ts";
import { percentilesOfDistributions } from "../plot/percentiles.ts";
import { valueText } from "../plot/layout_of_trials.ts";
import { BASELINE_STYLE, TERMINAL_STYLES } from "../plot/theme.ts";
import { crossover } from "../statistics/crossover.ts";
import { isDistribution } from "../statistics/durations.ts";
import { describeOutliers, explainOutlier, findOutliers } from "../statistics/outliers.ts";
import { chartText } from "./chart_text.ts";
import { comparedColumns } from "./columns.ts";
import type { AnyDeclaration, Refused } from "./declaration.ts";
import { tableText } from "./table_text.ts";
import { baselineName, nameOf, type Told } from "./told.ts";
import { verdictLines } from "./verdict_text.ts";

/**
 * The text of a run.
 *
 * @param lab The declaration.
 * @param told What it came to.
 */
export function labText(lab: AnyDeclaration, told: Told): string {
  const { rows, trials, checks, refused } = told;
  if (rows.length === 0) return "";
  const lines = [
    headingOf(lab, told),
    "",
    tableText(lab, told),
    ...(lab.charts ?? []).map((chart) => chartText(lab, told, chart)).filter((text) => text !== ""),
    ...verdictLines(lab, rows),
    ...(lab.conclusions?.(told) ?? []),
    ...checks.map((trial) => `Control: ${lab.checks!.text(trial)}`),
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

/** What the baseline is called, such as `non-zc`. */
export function baselineName(lab: AnyDeclaration): string {
  return nameOf(lab, lab.baseline);
}

function nameOf(lab: AnyDeclaration, factors: Factors): string {
  return lab.called?.(factors) ??
    Object.keys(lab.baseline).map((name) => String(factors[name])).join(", ");
}

type AnyRow = LabRow;

function tableText(lab: AnyDeclaration, { rows, trials, context }: Told): string {
  const names = Object.keys(rows[0]!.factors);
  const shown = rows.length === 1
    ? names
    : names.filter((name) => new Set(rows.map(({ factors }) => factors[name])).size > 1);
  const within: readonly string[] = lab.within ?? [];
  const columns = shown.flatMap((name): TableColumn<AnyRow>[] => {
    const { title = words(name), value, shown } = factorColumn(lab, name);
    return shown === "never" ? [] : [{
      title,
      value: ({ factors }) => value?.(factors) ?? factors[name] ?? null,
      dispensable: shown === "where there is room",
    }];
  });
  const compared = comparedColumns(lab.columns).filter(({ verdict }) => verdict === true);
  for (const [name, column] of Object.entries<ColumnBase>(lab.columns)) {
    if (column.shown !== "never") columns.push(valueColumn(lab, name, column, rows));
    const against = compared.find((one) => one.name === name);
    if (against !== undefined) columns.push(...againstColumns(lab, against, compared.length > 1));
  }
  if (lab.proof !== undefined) {
    columns.push({ title: "proof", value: ({ proof }) => proof });
  }
  const groups = within.filter((name) => shown.includes(name)).slice(0, 2);
  const text = table(columns, rows, {
    groupBy: ({ factors }) => groups.map((name) => factors[name]).join(" "),
  });
  const [first] = compared;
  // The interval of the level itself is drawn in the chart; without one it is told here.
  if (first === undefined || (lab.charts ?? []).length > 0 || rows.length !== 1) return text;
  const interval = intervalOf(trials, rows[0]!.factors, first.measure, context.seed);
  return interval === null
    ? text
    : `${text}95 % interval of the median: ${formatSi(interval.low, first.unit)} to ${
      formatSi(interval.high, first.unit)
    }\n`;
}

function factorColumn(lab: AnyDeclaration, name: string): FactorColumn<Factors> {
  const declared = lab.factorTitles?.[name] ?? {};
  return typeof declared === "string" ? { title: declared } : declared;
}

function valueColumn(
  lab: AnyDeclaration,
  name: string,
  column: ColumnBase,
  rows: readonly AnyRow[],
): TableColumn<AnyRow> {
  const { unit = "", prefix, title, shown, decimals, isRatio = false } = column;
  // Small whole numbers are exact; what is large, or has a unit, has a prefix.
  const isExact = unit === "" &&
    rows.every(({ row }) => typeof row[name] !== "number" || Number.isInteger(row[name]));
  const own = lab.columns[name];
  return {
    title: prefix === undefined ? title : `${title}\n${prefix}${unit}`,
    value: ({ row }) => {
      const value = row[name];
      return typeof value === "object" ? null : value;
    },
    format: (value) =>
      typeof value === "boolean"
        ? value ? "yes" : "no"
        : typeof value === "string"
        ? value
        : isRatio
        ? formatChange(value)
        : prefix !== undefined
        ? (value / PREFIXES[prefix]).toFixed(decimals ?? 1)
        : unit === "%"
        ? `${(value * 100).toFixed(decimals ?? 0)} %`
        : decimals !== undefined
        ? value.toFixed(decimals)
        : isExact
        ? String(value)
        : formatSi(value, unit.includes("/") ? "" : unit),
    ...(rows.some(({ row }) => typeof row[name] === "number") ? { align: "right" } : {}),
    ...(isDerived(own) && own.style !== undefined
      ? { style: ({ row }) => (own.style as (row: unknown) => "green")(row) }
      : {}),
    dispensable: shown === "where there is room",
  };
}

function againstColumns(
  lab: AnyDeclaration,
  { name, interval }: MeasureColumn & { readonly name: string },
  isOneOfSeveral: boolean,
): TableColumn<AnyRow>[] {
  const shown = interval ?? (isOneOfSeveral ? "where there is room" : "always");
  const of = (one: AnyRow): RowComparison | null => one.comparisons[name] ?? null;
  return [
    {
      title: `against\n${baselineName(lab)}`,
      value: (row) => {
        const comparison = of(row);
        return comparison === null || comparison.difference === "baseline"
          ? null
          : formatChange(comparison.ratio);
      },
      align: "right",
      style: (row) => styleOf(lab, name, of(row)),
    },
    {
      title: "95 % interval",
      value: (row) => {
        const comparison = of(row);
        return comparison === null ? null : intervalText(comparison);
      },
      align: "right",
      style: (row) => of(row)?.difference === "baseline" ? "dim" : undefined,
      dispensable: shown === "where there is room",
    },
  ];
}

function styleOf(
  lab: AnyDeclaration,
  name: string,
  comparison: RowComparison | null,
): "green" | "red" | undefined {
  const { difference } = comparison ?? {};
  if (difference !== "higher" && difference !== "lower") return undefined;
  const better = comparedColumns(lab.columns).find((column) => column.name === name)?.better;
  return difference === (better ?? "higher") ? "green" : "red";
}

/** An interval as changes: `+17 % to +26 %`. */
export function intervalText({ low, high }: { low: number; high: number }): string {
  return `${formatChange(low)} to ${formatChange(high)}`;
}

function chartText(lab: AnyDeclaration, told: Told, chart: Chart<Factors>): string {
  const chosen = told.rows.filter(({ factors }) => chart.where?.(factors) ?? true);
  return chart.kind === "percentiles"
    ? percentileText(lab, told, chart, chosen)
    : barText(lab, told, chart.title, chosen);
}

function percentileText(
  lab: AnyDeclaration,
  { rows, trials }: Told,
  { title, of }: PercentileChart<Factors>,
  chosen: readonly AnyRow[],
): string {
  const { labels } = namingFactors(lab, rows);
  const series = chosen.flatMap(({ factors }) => {
    const own = trials.filter((trial) =>
      !trial.warmUp && !trial.control && hasFactors(trial.factors, factors)
    ).map(({ measures }) => measures[of]).filter(isDistribution);
    const label = labels.map((name) => String(factors[name])).join(", ");
    return own.length === 0 ? [] : [{ label, points: percentilesOfDistributions(own).points }];
  });
  return series.length === 0 ? "" : percentilePlot(series, { title, unit: "s" });
}

function barText(
  lab: AnyDeclaration,
  { rows, trials, context }: Told,
  title: string,
  wanted: readonly AnyRow[],
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
    { title, unit: column.unit ?? "" },
  );
}

/** The factors that vary: those that part the rows into groups, and those that name a row in one. */
function namingFactors(
  lab: AnyDeclaration,
  rows: readonly AnyRow[],
): { readonly groups: readonly string[]; readonly labels: readonly string[] } {
  const within: readonly string[] = lab.within ?? [];
  const varying = Object.keys(rows[0]!.factors)
    .filter((name) => new Set(rows.map(({ factors }) => factors[name])).size > 1);
  return {
    groups: within.filter((name) => varying.includes(name)),
    labels: varying.filter((name) => !within.includes(name)),
  };
}

/** A value of a factor in words. */
function factorText(lab: AnyDeclaration, name: string, value: Factor | undefined): string {
  const { title } = factorColumn(lab, name);
  // "600 bytes", but "MTU 1500".
  return title === undefined
    ? valueText(name, value ?? null, true)
    : `${value} ${title.replaceAll("\n", " ")}`;
}

/** Whether a factor is a size: numbers above 0, several of them. */
function sizeAmong(lab: AnyDeclaration, rows: readonly AnyRow[]): string | undefined {
  return (lab.within ?? []).find((name: string) => {
    const values = new Set(rows.map(({ factors }) => factors[name]));
    return values.size > 1 && [...values].every((value) => typeof value === "number" && value > 0);
  });
}

function verdictLines(lab: AnyDeclaration, rows: readonly AnyRow[]): string[] {
  return comparedColumns(lab.columns).filter(({ verdict }) => verdict === true)
    .flatMap(({ name, title, better }, _, all) => {
      const compared = rows.filter(({ comparisons }) => comparisons[name] !== null);
      const others = compared.filter(({ comparisons }) =>
        comparisons[name]!.difference !== "baseline"
      );
      if (others.length === 0) {
        return all.length > 1 ? [] : ["Verdict: none, without two rounds of anything."];
      }
      const of = all.length > 1 ? ` on ${title.replaceAll("\n", " ")}` : "";
      const size = better === "lower" ? undefined : sizeAmong(lab, rows);
      return size === undefined
        ? [`Verdict${of}:`, ...eachVerdict(lab, name, others)]
        : crossoverLines(lab, name, size, others, of);
    });
}

function eachVerdict(lab: AnyDeclaration, name: string, others: readonly AnyRow[]): string[] {
  const seen = others.filter(({ comparisons }) => comparisons[name]!.difference !== "none");
  const told = others.length <= MOST_VERDICTS ? others : seen;
  const lines = told.map(({ factors, comparisons }) =>
    `  ${inQuestion(lab, factors, others)}${comparisons[name]!.verdict}`
  );
  if (told.length < others.length) {
    lines.push(`  no difference seen in the other ${others.length - told.length} comparisons`);
  }
  return lines;
}

/** Which question a row belongs to, where there are several. */
function inQuestion(lab: AnyDeclaration, factors: Factors, rows: readonly AnyRow[]): string {
  const subject = Object.keys(lab.baseline);
  const telling = Object.keys(factors).filter((name) =>
    !subject.includes(name) && factors[name] !== null &&
    new Set(rows.map((row) => row.factors[name])).size > 1
  );
  const own = Object.fromEntries(telling.map((name) => [name, factors[name] ?? null]));
  const words = nameOf(lab, factors);
  return telling.length === 0 ? `${words}: ` : `${words} (${describeFactors(own)}): `;
}

/** Each way at the largest size, and from which size on it pays. */
function crossoverLines(
  lab: AnyDeclaration,
  name: string,
  size: string,
  others: readonly AnyRow[],
  of: string,
): string[] {
  const sizeOf = ({ factors }: AnyRow): number => Number(factors[size]);
  const largest = Math.max(...others.map(sizeOf));
  const sized = (value: number): string => factorText(lab, size, value);
  const ways = Map.groupBy(others, ({ factors }) => {
    const { [size]: _, ...rest } = factors;
    return JSON.stringify(rest);
  });
  const lines = [`Verdict${of}, at ${sized(largest)} and where the crossover is:`];
  const withoutSize = others.map(({ factors: { [size]: _, ...factors }, ...row }) => {
    return { ...row, factors };
  });
  for (const own of ways.values()) {
    const found = crossover(own.map((row) => {
      const { ratio, low, high, difference } = row.comparisons[name]!;
      return {
        payload: sizeOf(row),
        comparison: { ratio, low, high, rounds: 0 },
        difference: difference === "baseline" ? undefined : difference,
      };
    }));
    const where = found === undefined
      ? "no crossover up to the largest"
      : found.above === undefined
      ? `faster from ${sized(found.payload)}, the smallest, on`
      : `faster from ${sized(found.payload)} on` +
        (found.estimate === undefined
          ? ` (not seen at ${found.above})`
          : ` (about ${Math.round(found.estimate)} by interpolation)`);
    const at = own.find((row) => sizeOf(row) === largest);
    const { [size]: _, ...factors } = own[0]!.factors;
    const way = inQuestion(lab, factors, withoutSize);
    const verdict = at?.comparisons[name]?.verdict ?? `not compared at ${sized(largest)}`;
    // A verdict that names the way and needs no more says it once.
    const said = verdict.startsWith(way.replace(/: $/, " ")) ? verdict : `${way}${verdict}`;
    lines.push(`  ${said}; ${where}`);
  }
  return lines;
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
