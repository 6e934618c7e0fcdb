/**
 * How an experiment is looked at: as a short table, not as pages of raw trials. It is made when
 * somebody looks, from the result as it is.
 *
 * @module
 */
import { type Display, escapeHtml } from "../../../ffi/kernel/inspection.ts";
import { formatSi } from "../text/format.ts";
import { medianInterval } from "../statistics/intervals.ts";
import { coloursWanted, table, type TableColumn, terminalWidth } from "../text/table.ts";
import type { Stopped } from "./stopped.ts";
import { NOT_TIME } from "../trials/clock.ts";
import { asCounted, isCounted } from "../trials/counted_measures.ts";
import type { Factor, Factors, Trial } from "../trials/trials.ts";

/** Combinations that are shown of an experiment at most. */
const MOST_COMBINATIONS = 40;

/** Measures that are shown of an experiment at most. */
const MOST_MEASURES = 8;

/** What is shown of an experiment. */
export interface ShownExperiment {
  /** The seed of the order. */
  readonly seed: number;
  /** Its trials. */
  readonly trials: readonly Trial[];
  /** Whether it ran to its end. */
  readonly complete: boolean;
  /** Whether the measure to watch became steady; null or absent where none was watched. */
  readonly steady?: boolean | null;
  /** Why it ended. */
  readonly stopped?: Stopped;
}

const WHY_STOPPED: { readonly [why in Stopped]: string | undefined } = {
  repeats: undefined,
  width: "narrow enough",
  most: "not narrow enough after the most repeats",
  seconds: "not narrow enough in the time given",
  signal: "stopped by its signal",
  error: "stopped by a failed trial",
};

/** A combination with its counted values by measure. */
interface Row {
  readonly factors: Factors;
  readonly values: ReadonlyMap<string, readonly number[]>;
}

/**
 * An experiment: what it consists of, and the median of each measure with its 95 % interval.
 *
 * @param result The experiment's result.
 * @returns A heading and a table.
 */
export function displayExperiment(result: ShownExperiment): Display {
  const counted = result.trials.filter(({ warmUp, control }) => !warmUp && !control)
    .map(asCounted);
  const all = rowsOf(counted);
  const rows = all.slice(0, MOST_COMBINATIONS);
  const measures = [...new Set(all.flatMap(({ values }) => [...values.keys()]))];
  const shown = measures.slice(0, MOST_MEASURES);
  const notes = [
    all.length > rows.length ? `${all.length - rows.length} more combinations` : "",
    measures.length > shown.length
      ? `more measures: ${measures.slice(MOST_MEASURES).join(", ")}`
      : "",
  ].filter((note) => note !== "");
  const columns: TableColumn<Row>[] = [
    ...factorNames(all).map((name) => ({
      title: name,
      value: ({ factors }: Row): Factor | undefined => factors[name],
    })),
    ...shown.map((name, index): TableColumn<Row> => ({
      title: name,
      align: "right",
      dispensable: index > 0,
      value: ({ values }) => median(values.get(name)),
    })),
  ];
  const heading = headingOf(result, counted, all.length);
  const options = { width: terminalWidth(), colours: coloursWanted() };
  return {
    "text/plain": `${heading}\n${all.length === 0 ? "" : table(columns, rows, options)}` +
      notes.map((note) => `(${note}: see .trials)\n`).join(""),
    "text/html": htmlTable(heading, columns, rows, notes),
  };
}

function headingOf(
  { seed, trials, complete, steady, stopped }: ShownExperiment,
  counted: readonly Trial[],
  combinations: number,
): string {
  const rounds = new Set(counted.map(({ round }) => round)).size;
  const warmUps = new Set(trials.filter(({ warmUp }) => warmUp).map(({ round }) => round)).size;
  const ending = stopped === undefined
    ? complete ? undefined : "stopped before its end"
    : WHY_STOPPED[stopped];
  const several = (count: number, one: string): string =>
    `${count} ${one}${count === 1 ? "" : "s"}`;
  return [
    `Experiment: ${several(rounds, "round")} of ${several(combinations, "combination")}`,
    `${several(warmUps, "warm-up round")} before`,
    several(trials.length, "trial"),
    `seed ${seed}`,
    ...steady === false ? ["never steady"] : [],
    ...ending === undefined ? [] : [ending],
  ].join(", ") +
    `\nMedian and 95 % interval of each measure${trials.some(isCounted) ? ` (${NOT_TIME})` : ""}:`;
}

function rowsOf(trials: readonly Trial[]): Row[] {
  const rows = new Map<string, { factors: Factors; values: Map<string, number[]> }>();
  for (const { factors, measures } of trials) {
    const key = JSON.stringify(Object.entries(factors).sort(([a], [b]) => a < b ? -1 : 1));
    const row = rows.get(key) ?? { factors, values: new Map<string, number[]>() };
    rows.set(key, row);
    for (const [name, value] of Object.entries(measures)) {
      if (typeof value !== "number") continue;
      const values = row.values.get(name);
      if (values === undefined) row.values.set(name, [value]);
      else values.push(value);
    }
  }
  const names = factorNames([...rows.values()]);
  return [...rows.values()].sort((left, right) => {
    for (const name of names) {
      const order = compared(left.factors[name], right.factors[name]);
      if (order !== 0) return order;
    }
    return 0;
  });
}

/** The trials came in random order. */
function compared(left: Factor | undefined, right: Factor | undefined): number {
  if (typeof left === "number" && typeof right === "number") return left - right;
  const [a, b] = [String(left), String(right)];
  return a < b ? -1 : a > b ? 1 : 0;
}

function factorNames(rows: readonly Pick<Row, "factors">[]): string[] {
  return [...new Set(rows.flatMap(({ factors }) => Object.keys(factors)))];
}

function median(values: readonly number[] | undefined): string | null {
  if (values === undefined) return null;
  const { median, low, high, count } = medianInterval(values);
  if (count === 1) return formatSi(median);
  return `${formatSi(median)} [${formatSi(low)}, ${formatSi(high)}]`;
}

function htmlTable(
  caption: string,
  columns: readonly TableColumn<Row>[],
  rows: readonly Row[],
  notes: readonly string[],
): string {
  const head = columns.map(({ title }) =>
    `<th scope="col">${title.split("\n").map(escapeHtml).join("<br>")}</th>`
  );
  const body = rows.map((row) =>
    `<tr>${
      columns.map(({ value }) => `<td>${escapeHtml(String(value(row) ?? "–"))}</td>`).join("")
    }</tr>`
  );
  const below = notes.map((note) => `<p>${escapeHtml(note)}</p>`).join("");
  return `<table><caption>${escapeHtml(caption)}</caption><thead><tr>${
    head.join("")
  }</tr></thead>` +
    `<tbody>${body.join("")}</tbody></table>${below}`;
}
