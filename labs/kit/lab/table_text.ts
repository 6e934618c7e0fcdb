/**
 * The table of a run, for people.
 *
 * @module
 */
import { words } from "../plot/names.ts";
import { formatChange, formatCount, formatSi } from "../text/format.ts";
import { table, type TableColumn } from "../text/table.ts";
import { type ColumnBase, comparedColumns, isDerived, type MeasureColumn } from "./columns.ts";
import { isInstructions } from "../trials/clock.ts";
import type { AnyDeclaration } from "./declaration.ts";
import { intervalOf, type LabRow, type RowComparison } from "./rows.ts";
import { baselineName, factorColumn, type Told } from "./told.ts";

const PREFIXES = { n: 1e-9, µ: 1e-6, m: 1e-3, k: 1e3, M: 1e6, G: 1e9 } as const;

/** The table: factors, columns, what they are against the baseline, and the proof. */
export function tableText(lab: AnyDeclaration, { rows, trials, context }: Told): string {
  const names = Object.keys(rows[0]!.factors);
  const shown = rows.length === 1
    ? names
    : names.filter((name) => new Set(rows.map(({ factors }) => factors[name])).size > 1);
  const within: readonly string[] = lab.within ?? [];
  const columns = shown.flatMap((name): TableColumn<LabRow>[] => {
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

function valueColumn(
  lab: AnyDeclaration,
  name: string,
  column: ColumnBase,
  rows: readonly LabRow[],
): TableColumn<LabRow> {
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
        : isInstructions(unit)
        ? formatCount(value)
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
): TableColumn<LabRow>[] {
  const shown = interval ?? (isOneOfSeveral ? "where there is room" : "always");
  const of = (one: LabRow): RowComparison | null => one.comparisons[name] ?? null;
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
function intervalText({ low, high }: { low: number; high: number }): string {
  return `${formatChange(low)} to ${formatChange(high)}`;
}
