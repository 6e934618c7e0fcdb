/**
 * What the rows of the bench cost in instructions: figures that are measured, and figures that are kept.
 *
 * @module
 */
import { fileURLToPath } from "node:url";
import { ExplainedError } from "zclab";
import { writeWhole } from "../../labs/kit/files/whole_file.ts";

/** Where the figures are kept that a change is compared with. */
export const KEPT_FIGURES = fileURLToPath(new URL("./figures.json", import.meta.url));

const SCHEMA = "zclab/bench/instructions/1";

/** One row as it was measured in one boot of the guest. */
export interface MeasuredRow {
  /** What it is called. */
  readonly name: string;
  /** Instructions of the C program for each operation: the median of the rounds. */
  readonly c: number;
  /** Ours. */
  readonly zclab: number;
  /** How far the rounds of C are apart: the largest less the smallest, as a part of the median. */
  readonly cSpread: number;
  /** How far ours are. */
  readonly zclabSpread: number;
}

/** One row as it is kept. */
export interface KeptRow {
  /** What it is called. */
  readonly name: string;
  /** Instructions of the C program for each operation. */
  readonly c: number;
  /** Ours. */
  readonly zclab: number;
  /** Ours divided by C's. */
  readonly ratio: number;
  /** How far the ratios of the boots are apart from which the figures come: 0.01 is 1 %. */
  readonly betweenBoots: number;
}

/** What the figures depend on beside zclab. */
export interface Surroundings {
  /** The guest's kernel. */
  readonly kernel: string;
  /** Deno's version. */
  readonly deno: string;
}

/** Rows, and where they were measured. */
export interface Figures<Row> {
  readonly surroundings: Surroundings;
  readonly rows: readonly Row[];
}

/** Figures cannot be read; the message says which file, and what to do. */
export class FiguresError extends ExplainedError {
  /** The name of the class. */
  override readonly name = "FiguresError";
}

/**
 * What the figures of this process depend on.
 *
 * @returns The running kernel's version and Deno's.
 */
export function surroundings(): Surroundings {
  return { kernel: Deno.osRelease(), deno: Deno.version.deno };
}

/**
 * Ours divided by C's.
 *
 * @param row Both.
 */
export function ratioOf({ c, zclab }: { readonly c: number; readonly zclab: number }): number {
  return zclab / c;
}

/**
 * What is kept of rows that were measured in one boot, or in several.
 *
 * @param boots The figures of each boot, of the same rows; at least one.
 * @returns For each row the means over the boots, and how far their ratios are apart.
 */
export function keptFrom(boots: readonly Figures<MeasuredRow>[]): Figures<KeptRow> {
  const [first] = boots;
  if (first === undefined) throw new RangeError("Figures of at least one boot can be kept");
  const rows = first.rows.map(({ name }) => {
    const found = boots.map((boot) => rowCalled(boot.rows, name));
    const mean = (value: (row: MeasuredRow) => number): number =>
      found.reduce((sum, row) => sum + value(row), 0) / found.length;
    const ratios = found.map(ratioOf);
    const [c, zclab] = [mean((row) => row.c), mean((row) => row.zclab)];
    return {
      name,
      c: rounded(c, 2),
      zclab: rounded(zclab, 2),
      ratio: rounded(zclab / c, 4),
      betweenBoots: rounded(Math.max(...ratios) / Math.min(...ratios) - 1, 4),
    };
  });
  return { surroundings: first.surroundings, rows };
}

function rowCalled(rows: readonly MeasuredRow[], name: string): MeasuredRow {
  const row = rows.find((row) => row.name === name);
  if (row === undefined) throw new RangeError(`A boot did not measure ${name}`);
  return row;
}

function rounded(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}

/**
 * Reads figures.
 *
 * @param path The file.
 * @param what The names of the numbers of each row.
 * @returns The figures.
 * @throws {FiguresError} If the file is not there, or holds something else.
 */
export async function readFigures<Row extends MeasuredRow | KeptRow>(
  path: string,
  what: readonly (keyof Row & string)[],
): Promise<Figures<Row>> {
  let text: string;
  try {
    text = await Deno.readTextFile(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new FiguresError(
      `There are no figures in ${path}. deno task bench --clock instructions --keep makes them`,
    );
  }
  const document = parsed(text);
  if (!isFigures(document, what)) {
    throw new FiguresError(
      `${path} does not hold figures of this version (${SCHEMA}). ` +
        "deno task bench --clock instructions --keep makes them anew",
    );
  }
  const { surroundings, rows } = document;
  return { surroundings, rows: rows as readonly Row[] };
}

/** The numbers of a row that is kept. */
export const KEPT_NUMBERS = ["c", "zclab", "ratio", "betweenBoots"] as const;
/** The numbers of a row that was measured. */
export const MEASURED_NUMBERS = ["c", "zclab", "cSpread", "zclabSpread"] as const;

/**
 * Writes figures.
 *
 * @param path The file; it is replaced as a whole.
 * @param figures The figures.
 * @throws {FileError} If it cannot be written.
 */
export async function writeFigures(
  path: string,
  { surroundings, rows }: Figures<MeasuredRow | KeptRow>,
): Promise<void> {
  const document = { schema: SCHEMA, surroundings, rows };
  await writeWhole(path, `${JSON.stringify(document, undefined, 2)}\n`);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isFigures(
  document: unknown,
  numbers: readonly string[],
): document is Figures<Record<string, unknown>> {
  if (!isObject(document) || document.schema !== SCHEMA) return false;
  const { surroundings, rows } = document;
  return isObject(surroundings) &&
    typeof surroundings.kernel === "string" && typeof surroundings.deno === "string" &&
    Array.isArray(rows) && rows.every((row) =>
      isObject(row) && typeof row.name === "string" &&
      numbers.every((name) => typeof row[name] === "number" && Number.isFinite(row[name]))
    );
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}
