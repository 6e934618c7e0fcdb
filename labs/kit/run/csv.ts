/**
 * The trials of a run as comma-separated values, for programs that want a table.
 *
 * @module
 */
import { stringify } from "@std/csv/stringify";
import { clockOfRun } from "../trials/clock.ts";
import type { RunDocument } from "./run_document.ts";
import type { Factor, Measure, Measures } from "../trials/trials.ts";

/** The columns that every trial has. */
const FIXED = ["round", "order", "warmUp", "control", "startedAt", "seconds"] as const;

/**
 * The trials of a run as comma-separated values (RFC 4180): a line of names, then one line for each
 * trial in the order in which it ran, warm-up and controls included.
 *
 * The columns are `round`, `order`, `warmUp`, `control`, `startedAt`, `seconds`, then each factor
 * and each measure under its own name, then each covariate as `covariates.NAME`. A part of a nested
 * measure has its path, such as `latency.p50`. A list is one cell with its JSON. What has no value
 * is an empty cell. A factor or a measure whose name is already taken is `factors.NAME` or
 * `measures.NAME`. A run that was stopped before its last trial has a last column `run.complete`, which
 * is false in each line. A run by a clock that counts instructions has a last column `run.clock`, which
 * says so in each line: its seconds are 1000000000 instructions each.
 *
 * @param document The run.
 * @returns The text; its lines end with a carriage return and a newline.
 *
 * @example
 * ```ts
 * import { codeVersion, environment, experiment, RUN_SCHEMA, toCsv } from "zclab/experiment";
 * import { assertEquals } from "@std/assert";
 *
 * const { trials, complete, seed } = await experiment({
 *   factors: [{ mode: "copy, then send" }],
 *   repeats: 1,
 *   warmUp: 0,
 *   trial: () => ({ rate: 5, latency: { p50: 0.1 } }),
 * });
 * const csv = toCsv({
 *   schema: RUN_SCHEMA,
 *   lab: "example",
 *   invocation: null,
 *   parameters: {},
 *   seed,
 *   environment: environment(),
 *   code: codeVersion(),
 *   startedAt: null,
 *   complete,
 *   trials: trials.map(({ covariates: _, ...trial }) => trial),
 *   summary: [],
 * });
 * const [names, values] = csv.split("\r\n");
 * assertEquals(names, "round,order,warmUp,control,startedAt,seconds,mode,rate,latency.p50");
 * assertEquals(values!.replace(/,[^,]*Z,[^,]*,/, ",…,"), '0,0,false,false,…,"copy, then send",5,0.1');
 * ```
 */
export function toCsv({ trials, complete, environment }: RunDocument): string {
  const isCounted = clockOfRun({ environment }) === "instructions";
  const names = new Set<string>(FIXED);
  const factors = columnsOf(trials.map((trial) => trial.factors), "factors", names);
  const measures = columnsOf(trials.map((trial) => trial.measures), "measures", names);
  const covariates = new Set(trials.flatMap((trial) => Object.keys(trial.covariates ?? {})));
  const header = [
    ...names,
    ...[...covariates].map((name) => `covariates.${name}`),
    ...(complete ? [] : ["run.complete"]),
    ...(isCounted ? ["run.clock"] : []),
  ];
  const lines = trials.map((trial) => [
    ...FIXED.map((name) => trial[name]),
    ...cellsOf(trial.factors, factors),
    ...cellsOf(trial.measures, measures),
    ...cellsOf(trial.covariates ?? {}, [...covariates]),
    ...(complete ? [] : [false]),
    ...(isCounted ? ["instructions"] : []),
  ]);
  return stringify([header, ...lines.map((line) => line.map(cell))], { headers: false });
}

function cellsOf(record: Measures, paths: readonly string[]): Factor[] {
  const values = flattened(record);
  return paths.map((path) => values.get(path) ?? null);
}

/**
 * RFC 4180 wants a lone carriage return in quotation marks, which the library does not give it; as
 * a part of a line's end it gets them.
 */
function cell(value: Factor): Factor {
  return typeof value === "string" ? value.replaceAll(/\r(?!\n)/g, "\r\n") : value;
}

/** The paths of what is in the records; the names of their columns are added to those taken. */
function columnsOf(records: readonly Measures[], part: string, names: Set<string>): string[] {
  const paths = new Set(records.flatMap((record) => [...flattened(record).keys()]));
  for (const path of paths) {
    let name = path;
    while (names.has(name)) name = `${part}.${name}`;
    names.add(name);
  }
  return [...paths];
}

/** Each scalar under its path; a list as its JSON. */
function flattened(value: Measure, path = ""): Map<string, Factor> {
  if (typeof value !== "object" || value === null) return new Map([[path, value]]);
  if (Array.isArray(value)) return new Map([[path, JSON.stringify(value)]]);
  return new Map(
    Object.entries(value).flatMap(([name, item]) => [
      ...flattened(item as Measure, path === "" ? name : `${path}.${name}`),
    ]),
  );
}
