/**
 * How results are looked at, at a prompt and in a notebook: as a short table, not as pages of raw
 * trials. Both are made when somebody looks, from the result as it is.
 *
 * @module
 */
import { stripVTControlCharacters } from "node:util";
import { type Display, escapeHtml, inLine, inTable } from "../../../ffi/kernel/inspection.ts";
import type { Environment } from "../experiment/environment.ts";
import type { Stopped } from "../experiment/experiment.ts";
import type { LabOutcome } from "../lab/lab.ts";
import { PlotError } from "../plot/figure.ts";
import { formatSi } from "../plot/format.ts";
import { plots } from "../plot/plot.ts";
import { medianInterval } from "../statistics/intervals.ts";
import { coloursWanted, table, type TableColumn, terminalWidth } from "../terminal/table.ts";
import type { Factor, Factors, Trial } from "../experiment/trials.ts";

/** Combinations that are shown of an experiment at most. */
const MOST_COMBINATIONS = 40;

/** Measures that are shown of an experiment at most. */
const MOST_MEASURES = 8;

/**
 * Makes a plain object show itself at a prompt and in Jupyter. What it holds, and how it is written
 * to a file, stays the same.
 *
 * @param value The object.
 * @param display Called each time Jupyter shows it.
 * @param text Called each time a prompt shows it; by default the text of `display`.
 * @returns The same object.
 */
export function displayedAs<T extends object>(
  value: T,
  display: () => Display,
  text: () => string = () => display()["text/plain"],
): T {
  return Object.defineProperties(value, {
    [Symbol.for("Deno.customInspect")]: { value: () => text().trimEnd() },
    [Symbol.for("Jupyter.display")]: { value: display },
  });
}

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
  const counted = result.trials.filter(({ warmUp, control }) => !warmUp && !control);
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

/**
 * What a lab found: its text, and below it on a page the plot that suits its trials best, if any.
 *
 * @param outcome What it found.
 */
export function displayOutcome(outcome: LabOutcome): Display {
  const plain = stripVTControlCharacters(outcome.text);
  return {
    "text/plain": outcome.text,
    "text/html": `<pre style="line-height:1.2">${escapeHtml(plain)}</pre>${picture(outcome)}`,
  };
}

/** Not everything that a lab measures can be plotted. */
function picture(outcome: LabOutcome): string {
  try {
    return plots(outcome)[0]?.html() ?? "";
  } catch (error) {
    if (error instanceof PlotError) return "";
    throw error;
  }
}

/**
 * What a run's numbers depend on: on one line what matters most, in a notebook everything.
 *
 * @param environment The record.
 */
export function displayEnvironment(environment: Environment): Display {
  const { kernel, machine, versions, user, ...rest } = environment;
  const line = inLine("Environment", [
    ["kernel", `Linux ${kernel.release ?? "unknown"}`, "bare"],
    ["architecture", machine.architecture, "bare"],
    ["processors", `${machine.cpus ?? "unknown"} CPUs`, "bare"],
    ["virtualised", machine.virtualised === true ? "virtual" : undefined, "bare"],
    ["deno", `Deno ${versions.deno}`, "bare"],
    ["liburing", `liburing ${versions.liburing ?? "unknown"}`, "bare"],
    ["user", user.uid === 0 ? "root" : `user ${user.uid ?? "unknown"}`, "bare"],
  ]);
  const facts = flattened({ kernel, machine, versions, user, ...rest });
  return { ...inTable("Environment", facts), "text/plain": line };
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
  ].join(", ") + "\nMedian and 95 % interval of each measure:";
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

/** Everything in a record under the names that lead there. */
function flattened(record: object, path = ""): (readonly [string, string])[] {
  return Object.entries(record).flatMap(([name, value]): (readonly [string, string])[] => {
    const full = path === "" ? name : `${path} ${name}`;
    if (Array.isArray(value)) return [[full, value.join(", ")]];
    if (typeof value === "object" && value !== null) return flattened(value, full);
    return [[full, value === null ? "not told" : String(value)]];
  });
}
