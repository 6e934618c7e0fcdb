/**
 * The rows of a lab's table, read by their shape: what a row is about, how it compares, what proves
 * something, and what was measured.
 *
 * @module
 */
import { describeMeasure } from "../plot/names.ts";
import { isInstructions } from "../trials/clock.ts";
import { formatChange, formatCount, formatSi } from "../text/format.ts";
import { valueText } from "../plot/layout_of_trials.ts";
import type { Measure, Measures, Trial } from "../trials/trials.ts";
import type { RunDocument } from "../run/run_document.ts";
import type { RunColumn, RunTable } from "../run/run_table.ts";

/** A ratio of a row to its baseline, with what it allows to say. */
export interface RowComparison {
  /** The name in the row, such as `versusCopy`. */
  readonly name: string;
  /** The ratio and its interval. */
  readonly ratio: number;
  readonly low: number;
  readonly high: number;
  /** Whether a difference was seen. */
  readonly difference: "higher" | "lower" | "none" | "baseline" | undefined;
  /** The verdict in words. */
  readonly verdict: string | undefined;
}

/** A column of a table of rows. */
export interface RowColumn {
  /** The heading. */
  readonly title: string;
  /** The cell of each row; empty where it has none. */
  readonly cells: readonly string[];
}

/** The rows of a summary, taken apart. */
export interface SummaryRows {
  /** What each row is about, such as `600 bytes, zc`. */
  readonly names: readonly string[];
  /** The first part of each name, by which rows are grouped. */
  readonly groups: readonly string[];
  /** The comparisons of each row. */
  readonly comparisons: readonly (readonly RowComparison[])[];
  /** What was measured. */
  readonly measures: readonly RowColumn[];
  /** What proves whether bytes were copied, or what else the lab claims. */
  readonly evidence: readonly RowColumn[];
}

/** Names of what proves something: counts by the kernel and the NIC, pages, comparisons of bytes. */
const EVIDENCE =
  /copied|notified|^sent$|placed|linear|readable|dmaBuf|readBytes|bounced|cached|untouched|verified|samePages|zeroCopy|payloadBytes|directBytes|sentAgain|drops|polledShare|napi/i;

/**
 * Takes the rows of a summary apart: as the document says, or, if it does not say, by their shape.
 *
 * @param document The rows; how they are to be read; the trials, whose factors say what a row is about.
 */
export function readSummary(
  { summary: rows, trials, table }: Pick<RunDocument, "summary" | "trials" | "table">,
): SummaryRows {
  return table === undefined ? readByShape(rows, trials) : readAsDeclared(rows, table);
}

function readAsDeclared(rows: readonly Measures[], table: RunTable): SummaryRows {
  const identity = table.factors.map(({ name }) => name);
  // What is a list or an object is for programs that read the document.
  const columns = table.columns.filter(({ name }) =>
    !rows.some((row) => typeof row[name] === "object" && row[name] !== null)
  );
  const compared = table.columns.filter(({ verdict }) => verdict);
  const proofs = rows.map((row) => row["proof"]).filter((proof) => typeof proof === "string");
  const column = (one: RunColumn): RowColumn => ({
    title: one.title,
    cells: rows.map((row) => declaredCell(one, row)),
  });
  return {
    ...namesOf(rows, identity),
    comparisons: rows.map((row) =>
      compared.flatMap(({ name, title }) => {
        const all = row["comparisons"];
        const value = isObject(all) ? all[name] : undefined;
        const found = value === undefined ? undefined : comparisonOf(name, { [name]: value });
        return found === undefined ? [] : [{ ...found, name: title }];
      })
    ),
    measures: columns.filter(({ evidence }) => !evidence).map(column),
    evidence: [
      ...columns.filter(({ evidence }) => evidence).map(column),
      ...(proofs.length === 0
        ? []
        : [{ title: "proof", cells: rows.map((row) => textOf(row["proof"] ?? "")) }]),
    ],
  };
}

function declaredCell({ name, unit, ratio }: RunColumn, row: Measures): string {
  const value = row[name];
  if (value === undefined || value === null) return "";
  if (typeof value !== "number") return textOf(value);
  if (ratio) return formatChange(value);
  const isCount = Number.isInteger(value) && (unit === "" || unit === "B");
  // That these are instructions stands in the heading.
  const format = isInstructions(unit)
    ? formatCount
    : (value: number): string => formatSi(value, unit);
  const text = isCount ? value.toLocaleString("en") : format(value);
  const interval = row[`${name}Interval`];
  if (!isObject(interval)) return text;
  const { low, high } = interval;
  return typeof low !== "number" || typeof high !== "number"
    ? text
    : `${text} (${format(low)} to ${format(high)})`;
}

/** What each row is about, without what all have in common. */
function namesOf(
  rows: readonly Measures[],
  identity: readonly string[],
): Pick<SummaryRows, "names" | "groups"> {
  const telling = identity.filter((name) => new Set(rows.map((row) => row[name])).size > 1);
  const naming = telling.length > 0 ? telling : identity;
  const parts = rows.map((row) =>
    naming.map((name) => partOf(name, row[name] ?? null, naming.length > 1))
      .filter((part) => part !== "")
  );
  return {
    names: parts.map((own, index) => own.join(", ") || `row ${index + 1}`),
    groups: parts.map((own) => naming.length > 1 ? own[0] ?? "" : ""),
  };
}

/** Of documents that do not say how their rows are to be read. */
function readByShape(rows: readonly Measures[], trials: readonly Trial[]): SummaryRows {
  const factors = new Set(trials.flatMap((trial) => Object.keys(trial.factors)));
  const fields = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const firstMeasure = fields.findIndex((name) =>
    !factors.has(name) && rows.some((row) => typeof row[name] === "number")
  );
  const identity = fields.filter((name, index) =>
    factors.has(name) ||
    (index < firstMeasure && rows.every((row) => typeof row[name] === "string"))
  );
  const isComparison = (name: string): boolean =>
    rows.some((row) => comparisonOf(name, row) !== undefined);
  const rest = fields.filter((name) =>
    !identity.includes(name) && !isComparison(name) && !/^(verdict|difference)$/.test(name) &&
    !name.endsWith("Interval")
  );
  const column = (name: string): RowColumn => ({
    title: titleOf(name),
    cells: rows.map((row) => cellOf(name, row)),
  });
  return {
    ...namesOf(rows, identity),
    comparisons: rows.map((row) =>
      fields.flatMap((name) => {
        const found = comparisonOf(name, row);
        return found === undefined ? [] : [found];
      })
    ),
    measures: rest.filter((name) => !EVIDENCE.test(name)).map(column),
    evidence: rest.filter((name) => EVIDENCE.test(name)).map(column),
  };
}

/** A ratio in a row. Its verdict stands in it, or in the row where there is only one. */
function comparisonOf(name: string, row: Measures): RowComparison | undefined {
  const value = row[name];
  if (!isObject(value)) return undefined;
  const { ratio, low, high } = value;
  if (typeof ratio !== "number" || typeof low !== "number" || typeof high !== "number") {
    return undefined;
  }
  const said = value["verdict"] ?? row["verdict"];
  const difference = value["difference"] ?? row["difference"];
  return {
    name,
    ratio,
    low,
    high,
    difference: difference === "higher" || difference === "lower" || difference === "none" ||
        difference === "baseline"
      ? difference
      : undefined,
    verdict: typeof said === "string" ? said : undefined,
  };
}

/** A ratio with its interval and a mark that needs no colour: `▲ +21 %, 17 to 26 %`. */
export function comparisonText({ ratio, low, high, difference }: RowComparison): string {
  const interval = `${formatChange(low)} to ${formatChange(high)}`;
  if (difference === "baseline") return `baseline (${interval})`;
  const mark = difference === "higher" ? "▲ " : difference === "lower" ? "▼ " : "≈ ";
  return `${difference === undefined ? "" : mark}${formatChange(ratio)} (${interval})`;
}

function titleOf(name: string): string {
  return describeMeasure(name).label;
}

function partOf(name: string, value: Measure, amongOthers: boolean): string {
  return typeof value === "object" && value !== null
    ? textOf(value)
    : valueText(name, value, amongOthers);
}

function cellOf(name: string, row: Measures): string {
  const value = row[name];
  if (value === undefined || value === null) return "";
  if (typeof value !== "number") return textOf(value);
  if (/id$/i.test(name)) return String(value);
  const { unit, scale } = describeMeasure(name);
  if (/share$/i.test(name)) return `${Number((value * 100).toPrecision(3))} %`;
  const isCount = unit === "" && Number.isInteger(value);
  const text = isCount || (unit === "B" && Number.isInteger(value))
    ? value.toLocaleString("en")
    : formatSi(value * scale, unit);
  const interval = row[`${name}Interval`];
  if (!isObject(interval)) return text;
  const { low, high } = interval;
  if (typeof low !== "number" || typeof high !== "number") return text;
  return `${text} (${formatSi(low * scale, unit)} to ${formatSi(high * scale, unit)})`;
}

function textOf(value: Measure): string {
  if (typeof value === "boolean") return value ? "yes" : "no";
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

function isObject(value: Measure | undefined): value is { readonly [name: string]: Measure } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
