/**
 * The file that a run leaves behind: what ran where, every trial raw, and what they come to.
 *
 * @module
 */
import { basename, dirname, join } from "@std/path";
import type { Environment } from "./environment.ts";
import { jsonProblem, type Measures, type Trial } from "./experiment.ts";

/** The schema of the documents that this version writes. */
export const RUN_SCHEMA = "zclab/run/1";

/** One run of one lab. All numbers are JSON numbers; what has no value is null. */
export interface RunDocument {
  /** Always {@linkcode RUN_SCHEMA}. */
  readonly schema: typeof RUN_SCHEMA;
  /** The lab's name, such as `tx-copy-vs-zc`. */
  readonly lab: string;
  /** What the run depended on. */
  readonly environment: Environment;
  /** The lab's parameters with their defaults filled in, the seed among them. */
  readonly parameters: Measures;
  /** False if the run was stopped before its last trial. */
  readonly complete: boolean;
  /** Every trial in the order in which it ran, warm-up and controls included. */
  readonly trials: readonly Trial[];
  /** What the trials come to: the rows of the table that the lab printed. */
  readonly summary: readonly Measures[];
}

/** A run document cannot be written, or a text is none. */
export class RunDocumentError extends Error {
  /** The name of the class. */
  override readonly name = "RunDocumentError";
}

/**
 * Finds out whether a run document could be written to a path, before the run that would be lost
 * otherwise. Makes a file beside it and removes it again, because permission bits alone do not
 * tell: the file system may be read-only or full of quotas.
 *
 * @param path Where the document shall go.
 * @throws {RunDocumentError} If it could not be written, with the reason and what to do.
 */
export async function checkWritable(path: string): Promise<void> {
  const target = await findTarget(path);
  try {
    // A pipe must not be opened for a trial: its reader would take the close for the end.
    if (target.kind === "device") {
      (await Deno.open(target.path, { write: true })).close();
    } else if (target.kind === "file") {
      const probe = temporaryBeside(target.path);
      (await Deno.open(probe, { write: true, createNew: true })).close();
      await Deno.remove(probe);
    }
  } catch (error) {
    throw cannotWrite(path, error);
  }
}

/**
 * Writes a run document, all of it or nothing: to a file beside the path, which then takes its
 * place. What is no regular file, such as a pipe, is written directly.
 *
 * @param path Where it goes. A file that is there is replaced; a symbolic link is followed.
 * @param document The document.
 * @throws {RunDocumentError} If the document is not valid or cannot be written.
 *
 * @example
 * ```ts
 * import { environment, readRunDocument, type RunDocument, writeRunDocument } from "zclab";
 * import { assertEquals } from "@std/assert";
 *
 * const document: RunDocument = {
 *   schema: "zclab/run/1",
 *   lab: "example",
 *   environment: environment(),
 *   parameters: { seed: 1 },
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
  const text = formatRunDocument(document);
  const target = await findTarget(path);
  if (target.kind !== "file") {
    try {
      await Deno.writeTextFile(target.path, text, { create: false });
    } catch (error) {
      throw cannotWrite(path, error);
    }
    return;
  }
  const temporary = temporaryBeside(target.path);
  try {
    using file = await Deno.open(temporary, { write: true, createNew: true });
    const bytes = new TextEncoder().encode(text);
    for (let written = 0; written < bytes.length;) {
      written += await file.write(bytes.subarray(written));
    }
    // Without this, a power failure after the rename could leave an empty file in its place.
    await file.syncData();
    await Deno.rename(temporary, target.path);
  } catch (error) {
    await Deno.remove(temporary).catch(() => {});
    throw cannotWrite(path, error);
  }
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
 * Reads a run document back.
 *
 * @param text The text of the file.
 * @returns The document, its structure checked. Fields that this version does not know are kept.
 * @throws {RunDocumentError} If the text is not a run document; the message says where and why.
 *
 * @example
 * ```ts
 * import { readRunDocument, RunDocumentError } from "zclab";
 * import { assertThrows } from "@std/assert";
 *
 * assertThrows(
 *   () => readRunDocument('{"schema": "zclab/run/1"}'),
 *   RunDocumentError,
 *   "lab: expected a string, it is missing",
 * );
 * ```
 */
export function readRunDocument(text: string): RunDocument {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new RunDocumentError(`Not a run document: it is not JSON: ${reason}`, { cause });
  }
  requireRunDocument(value);
  return value;
}

function requireRunDocument(value: unknown): asserts value is RunDocument {
  requireObject(value, "the document");
  const { schema } = value;
  if (typeof schema === "string" && schema !== RUN_SCHEMA && /^zclab\/run\/\d+$/.test(schema)) {
    throw new RunDocumentError(
      `This run document has the schema ${schema}, this version of zclab reads ${RUN_SCHEMA}. ` +
        "What to do: use the version of zclab that wrote it",
    );
  }
  if (schema !== RUN_SCHEMA) expected("schema", JSON.stringify(RUN_SCHEMA), schema);
  requireString(value["lab"], "lab");
  requireObject(value["environment"], "environment");
  for (const part of ["versions", "kernel", "machine", "user", "limits", "sysctls", "extra"]) {
    requireObject(value["environment"][part], `environment.${part}`);
  }
  requireObject(value["parameters"], "parameters");
  requireBoolean(value["complete"], "complete");
  requireArray(value["trials"], "trials");
  for (const [index, trial] of value["trials"].entries()) {
    requireTrial(trial, `trials[${index}]`);
  }
  requireArray(value["summary"], "summary");
  for (const [index, row] of value["summary"].entries()) requireObject(row, `summary[${index}]`);
}

function requireTrial(value: unknown, path: string): void {
  requireObject(value, path);
  requireCount(value["round"], `${path}.round`);
  requireCount(value["order"], `${path}.order`);
  requireBoolean(value["warmUp"], `${path}.warmUp`);
  requireBoolean(value["control"], `${path}.control`);
  requireObject(value["factors"], `${path}.factors`);
  for (const [name, factor] of Object.entries(value["factors"])) {
    if (typeof factor === "object" && factor !== null) {
      expected(`${path}.factors.${name}`, "a string, a number, a boolean or null", factor);
    }
  }
  requireObject(value["measures"], `${path}.measures`);
  requireString(value["startedAt"], `${path}.startedAt`);
  if (Number.isNaN(Date.parse(value["startedAt"]))) {
    expected(`${path}.startedAt`, "a date and time", value["startedAt"]);
  }
  const seconds = value["seconds"];
  if (typeof seconds !== "number" || seconds < 0) {
    expected(`${path}.seconds`, "a number that is not negative", seconds);
  }
}

function requireObject(value: unknown, path: string): asserts value is Record<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    expected(path, "an object", value);
  }
}

function requireArray(value: unknown, path: string): asserts value is unknown[] {
  if (!Array.isArray(value)) expected(path, "an array", value);
}

function requireString(value: unknown, path: string): asserts value is string {
  if (typeof value !== "string") expected(path, "a string", value);
}

function requireBoolean(value: unknown, path: string): void {
  if (typeof value !== "boolean") expected(path, "true or false", value);
}

function requireCount(value: unknown, path: string): void {
  if (!Number.isSafeInteger(value) || (value as number) < 0) {
    expected(path, "a whole number that is not negative", value);
  }
}

function expected(path: string, what: string, value: unknown): never {
  const text = JSON.stringify(value);
  const got = text === undefined
    ? "it is missing"
    : `got ${text.length > 40 ? `${text.slice(0, 40)}…` : text}`;
  throw new RunDocumentError(`Not a run document: ${path}: expected ${what}, ${got}`);
}

interface Target {
  readonly path: string;
  /** Devices and pipes are written directly: a rename would put a file in their place. */
  readonly kind: "file" | "device" | "pipe";
}

async function findTarget(path: string): Promise<Target> {
  if (path === "") throw new RunDocumentError("The name of the file to write is empty");
  try {
    const info = await Deno.stat(path);
    if (info.isDirectory) {
      throw new RunDocumentError(
        `Cannot write ${path}: it is a folder. What to do: name a file in it`,
      );
    }
    if (info.isFifo || info.isSocket) return { path, kind: "pipe" };
    if (!info.isFile) return { path, kind: "device" };
    return { path: await Deno.realPath(path), kind: "file" };
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return { path, kind: "file" };
    throw error instanceof RunDocumentError ? error : cannotWrite(path, error);
  }
}

function temporaryBeside(path: string): string {
  return join(dirname(path), `.${basename(path)}.${crypto.randomUUID().slice(0, 8)}.tmp`);
}

function cannotWrite(path: string, cause: unknown): RunDocumentError {
  const [reason, advice] = explain(path, cause);
  return new RunDocumentError(`Cannot write ${path}: ${reason}. What to do: ${advice}`, { cause });
}

function explain(path: string, cause: unknown): [reason: string, advice: string] {
  const folder = dirname(path);
  if (cause instanceof Deno.errors.NotFound) {
    return [`the folder ${folder} does not exist`, `mkdir -p ${folder}`];
  }
  if (cause instanceof Deno.errors.NotADirectory) {
    return [`${folder} is not a folder`, "name a file in a folder"];
  }
  if (cause instanceof Deno.errors.PermissionDenied) {
    return ["permission denied", `choose another folder, or check the permissions of ${folder}`];
  }
  if (cause instanceof Deno.errors.NotCapable) {
    return ["Deno may not write there", "run with the permissions of deno task lab"];
  }
  const reason = cause instanceof Error ? cause.message : String(cause);
  return [reason, "choose another file"];
}
