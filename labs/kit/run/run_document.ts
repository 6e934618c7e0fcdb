/**
 * The file that a run leaves behind: what ran where, every trial raw, and what they come to.
 *
 * The format is published as a JSON Schema (draft 2020-12) in `labs/kit/run/run_schema.json`, for
 * readers in other languages, and is what documents are checked by here.
 *
 * @module
 */
import { ExplainedError } from "../../../ffi/kernel/errors.ts";
import type { CodeVersion } from "../experiment/code_version.ts";
import type { Environment } from "../experiment/environment.ts";
import { jsonProblem, type Measures, type Trial } from "../experiment/experiment.ts";
import { runSchemaProblem } from "./run_schema.ts";
import type { RunTable } from "./run_table.ts";
import type { RunView } from "./run_view.ts";
import { writeWhole } from "../files/whole_file.ts";

export type { RunColumn, RunTable } from "./run_table.ts";

/** The schema of the documents that this version writes. */
export const RUN_SCHEMA = "zclab/run/2";

/** The schemas of documents that {@linkcode readRunDocument} opens besides, oldest first. */
export const OLDER_RUN_SCHEMAS: readonly string[] = ["zclab/run/1"];

/** What was asked for: with the same code it gives the same run again. */
export interface RunInvocation {
  /** The lab's own options that were given. The others had the defaults of that version. */
  readonly options: Measures;
  /** Whether a short run was asked for. */
  readonly quick: boolean;
  /** The seed of everything random. */
  readonly seed: number;
  /** How often each trial was to be repeated; null if it was not given. */
  readonly repeats: number | null;
}

/** One run of one lab. All numbers are JSON numbers; what has no value is null. */
export interface RunDocument {
  /** Always {@linkcode RUN_SCHEMA}. */
  readonly schema: typeof RUN_SCHEMA;
  /** The lab's name, such as `tx-copy-vs-zc`. */
  readonly lab: string;
  /** What was asked for; null in documents that did not say (`zclab/run/1`). */
  readonly invocation: RunInvocation | null;
  /** The lab's parameters with their defaults filled in, the seed among them. */
  readonly parameters: Measures;
  /** The seed of everything random; null in documents that did not say. */
  readonly seed: number | null;
  /** What the run depended on. */
  readonly environment: Environment;
  /** The code that ran. */
  readonly code: CodeVersion;
  /** When the run started: date and time in UTC, ISO 8601; null in documents that did not say. */
  readonly startedAt: string | null;
  /** False if the run was stopped before its last trial. */
  readonly complete: boolean;
  /** Every trial in the order in which it ran, warm-up and controls included. */
  readonly trials: readonly Trial[];
  /** What the trials come to: the rows of the table that the lab printed. */
  readonly summary: readonly Measures[];
  /** How the rows are to be read. Absent in documents that did not say. */
  readonly table?: RunTable;
  /**
   * What the microscope saw of a row, or of two: first of the one that the other is compared with.
   * Absent where nobody looked.
   */
  readonly views?: readonly RunView[];
}

/**
 * How far a run that was stopped before its last trial had come, in a sentence.
 *
 * @param document The run.
 * @returns The sentence; undefined if the run is complete.
 *
 * @example
 * ```ts
 * import { codeVersion, environment, RUN_SCHEMA } from "zclab/experiment";
 * import { partOf } from "./run_document.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const part = partOf({
 *   schema: RUN_SCHEMA,
 *   lab: "example",
 *   invocation: null,
 *   parameters: { repeats: 9 },
 *   seed: 1,
 *   environment: environment(),
 *   code: codeVersion(),
 *   startedAt: null,
 *   complete: false,
 *   trials: [],
 *   summary: [],
 * });
 * assertEquals(part, "Partial: the run was stopped before its first trial.");
 * ```
 */
export function partOf(
  { complete, trials, parameters }: RunDocument,
): string | undefined {
  if (complete) return undefined;
  if (trials.length === 0) return "Partial: the run was stopped before its first trial.";
  const rounds = new Set(trials.filter(({ warmUp }) => !warmUp).map(({ round }) => round)).size;
  const asked = parameters["repeats"];
  const of = typeof asked === "number" ? ` of ${asked}` : "";
  const several = trials.length === 1 ? "1 trial" : `${trials.length} trials`;
  const after = rounds === 0
    ? `${several}, in the warm-up`
    : `${several}, in round ${rounds}${of} after the warm-up`;
  return `Partial: the run was stopped before its last trial, after ${after}. ` +
    "Rows with fewer than two rounds are not compared.";
}

/** A text is no run document, or a value cannot become one. */
export class RunDocumentError extends ExplainedError {
  /** The name of the class. */
  override readonly name = "RunDocumentError";
}

/**
 * Writes a run document, all of it or nothing: to a file beside the path, which then takes its
 * place. What is no regular file, such as a pipe, is written directly.
 *
 * @param path Where it goes. A file that is there is replaced; a symbolic link is followed.
 * @param document The document.
 * @throws {RunDocumentError} If the document is not valid.
 * @throws {FileError} If it cannot be written.
 *
 * @example
 * ```ts
 * import {
 *   codeVersion,
 *   environment,
 *   readRunDocument,
 *   RUN_SCHEMA,
 *   type RunDocument,
 *   writeRunDocument,
 * } from "zclab/experiment";
 * import { assertEquals } from "@std/assert";
 *
 * const document: RunDocument = {
 *   schema: RUN_SCHEMA,
 *   lab: "example",
 *   invocation: { options: {}, quick: false, seed: 1, repeats: null },
 *   parameters: { payload: [4000], seed: 1 },
 *   seed: 1,
 *   environment: environment(),
 *   code: codeVersion(),
 *   startedAt: new Date().toISOString(),
 *   complete: true,
 *   trials: [],
 *   summary: [{ payload: 4000, requestsPerSecond: 450000 }],
 * };
 * const path = await Deno.makeTempFile();
 * await writeRunDocument(path, document);
 * assertEquals(readRunDocument(await Deno.readTextFile(path)), document);
 * await Deno.remove(path);
 * ```
 */
export async function writeRunDocument(path: string, document: RunDocument): Promise<void> {
  await writeWhole(path, formatRunDocument(document));
}

/**
 * The text of a run document: JSON with one trial on each line, so that lines can be counted and
 * compared.
 *
 * @param document The document.
 * @throws {RunDocumentError} If the document is not valid, for example holds NaN.
 */
export function formatRunDocument(document: RunDocument): string {
  const problem = jsonProblem(document, "");
  if (problem !== undefined) throw new RunDocumentError(`Not a run document: ${problem}`);
  requireRunDocument(document);
  const parts = Object.entries(document).map(([name, value]) => {
    const text = Array.isArray(value) && value.length > 0
      ? `[\n    ${value.map((item) => JSON.stringify(item)).join(",\n    ")}\n  ]`
      : JSON.stringify(value, null, 2).replaceAll("\n", "\n  ");
    return `  ${JSON.stringify(name)}: ${text}`;
  });
  return `{\n${parts.join(",\n")}\n}\n`;
}

/**
 * Reads a run document back. One of an older schema comes in the shape of today's, with null for
 * what it did not say.
 *
 * @param text The text of the file.
 * @returns The document, its structure checked. Fields that this version does not know are kept.
 * @throws {RunDocumentError} If the text is not a run document; the message says where and why.
 *
 * @example
 * ```ts
 * import { readRunDocument, RunDocumentError } from "zclab/experiment";
 * import { assertThrows } from "@std/assert";
 *
 * assertThrows(
 *   () => readRunDocument('{"schema": "zclab/run/2"}'),
 *   RunDocumentError,
 *   "lab: expected a string, it is missing",
 * );
 * ```
 */
export function readRunDocument(text: string): RunDocument {
  const value = parse(text);
  if (!isObject(value)) expected("the document", "an object", value);
  requireKnownSchema(value["schema"]);
  const document = value["schema"] === RUN_SCHEMA ? value : migrate(value);
  requireRunDocument(document);
  return document;
}

function parse(text: string): unknown {
  if (text.trim() === "") throw new RunDocumentError("Not a run document: it is empty");
  try {
    return JSON.parse(text);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    // A text that begins like an object and breaks off, at its very end or without closing it.
    const at = Number(reason.match(/at position (\d+)/)?.[1] ?? -1);
    const breaksOff = !/\}\s*$/.test(text) || /end of JSON/i.test(reason) || at >= text.length;
    const cut = /^\s*\{/.test(text) && breaksOff;
    throw new RunDocumentError(
      cut
        ? "Not a whole run document: the file ends too early. What to do: copy it again from " +
          "where it was written"
        : `Not a run document: it is not JSON: ${reason}`,
      { cause },
    );
  }
}

function requireKnownSchema(schema: unknown): void {
  const known = [...OLDER_RUN_SCHEMAS, RUN_SCHEMA];
  if (typeof schema !== "string" || !/^zclab\/run\/\d+$/.test(schema)) {
    expected("schema", JSON.stringify(RUN_SCHEMA), schema);
  }
  if (!known.includes(schema)) {
    throw new RunDocumentError(
      `This run document has the schema ${schema}, this version of zclab reads ` +
        `${
          known.join(" and ")
        }. What to do: use the version of zclab that wrote it, or a newer one`,
    );
  }
}

/** `zclab/run/1` had no invocation, no seed of its own, no code version and no start. */
function migrate(value: Record<string, unknown>): Record<string, unknown> {
  const { lab, environment, parameters, trials, ...rest } = value;
  const seed = isObject(parameters) ? parameters["seed"] : undefined;
  const versions = isObject(environment) ? environment["versions"] : undefined;
  const version = isObject(versions) ? versions["zclab"] : undefined;
  return {
    ...rest,
    schema: RUN_SCHEMA,
    lab,
    invocation: null,
    parameters,
    seed: isSeed(seed) ? seed : null,
    environment,
    code: { version: typeof version === "string" ? version : null, commit: null, dirty: null },
    startedAt: null,
    trials,
  };
}

function requireRunDocument(value: unknown): asserts value is RunDocument {
  const problem = runSchemaProblem(value);
  if (problem !== undefined) expected(problem.path, problem.expected, problem.found);
}

function isSeed(value: unknown): boolean {
  return Number.isInteger(value) && Number(value) >= 0 && Number(value) <= 0xffff_ffff;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function expected(path: string, what: string, value: unknown): never {
  const text = JSON.stringify(value);
  const got = text === undefined
    ? "it is missing"
    : `got ${text.length > 40 ? `${text.slice(0, 40)}…` : text}`;
  throw new RunDocumentError(`Not a run document: ${path}: expected ${what}, ${got}`);
}
