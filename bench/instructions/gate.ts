/**
 * The gate on our own speed: whether a row costs more than the figures that are kept.
 *
 * What is compared is the ratio, ours divided by C's of the same boot. Most instructions of an operation
 * are the kernel's, and both sides have the same kernel: a version that needs 5 % more of them makes
 * both sides grow, but moves the ratio by the part only in which the two differ. So the ratio outlives a
 * new kernel, and what it shows is ours.
 *
 * @module
 */
import { type Figures, type KeptRow, type MeasuredRow, ratioOf } from "./figures.ts";

/** How much a row's ratio may grow: 0.02 is 2 %. */
export const LIMIT = 0.02;

/**
 * How far the ratios of boots may be apart in a row that is gated. A row that moves by more without
 * any change of the code would fail changes that are innocent.
 */
export const STEADY = LIMIT / 2;

/**
 * What became of a row: `same` is within the limit; `grown` fails; `shrunk` is better by more than the
 * limit, so that new figures are worth keeping; `not gated` moves too much between boots; `new` has no
 * figures; `gone` is kept and was not measured. The last two fail, too: a row that nobody compares is no
 * gate.
 */
export type Judgement = "same" | "grown" | "shrunk" | "not gated" | "new" | "gone";

/** A row beside its figures. */
export interface JudgedRow {
  /** What it is called. */
  readonly name: string;
  /** What was measured; absent if it is gone. */
  readonly found?: MeasuredRow;
  /** What is kept; absent if it is new. */
  readonly kept?: KeptRow;
  /** By how much the ratio has grown, 0.02 is 2 %; null where one of the two is missing. */
  readonly growth: number | null;
  /** What became of it. */
  readonly judgement: Judgement;
}

/**
 * Compares rows with the figures that are kept.
 *
 * @param found What was measured.
 * @param kept What is kept.
 * @returns Each row that was measured, in that order, and then those that are gone.
 */
export function judge(
  found: Figures<MeasuredRow>,
  kept: Figures<KeptRow>,
): readonly JudgedRow[] {
  const keptBy = new Map(kept.rows.map((row) => [row.name, row]));
  const measured = new Set(found.rows.map(({ name }) => name));
  return [
    ...found.rows.map((row) => judged(row, keptBy.get(row.name))),
    ...kept.rows.filter(({ name }) => !measured.has(name)).map((row): JudgedRow => {
      return { name: row.name, kept: row, growth: null, judgement: "gone" };
    }),
  ];
}

function judged(found: MeasuredRow, kept: KeptRow | undefined): JudgedRow {
  const { name } = found;
  if (kept === undefined) return { name, found, growth: null, judgement: "new" };
  const growth = ratioOf(found) / kept.ratio - 1;
  const judgement = kept.betweenBoots > STEADY
    ? "not gated"
    : growth > LIMIT
    ? "grown"
    : growth < -LIMIT
    ? "shrunk"
    : "same";
  return { name, found, kept, growth, judgement };
}

/**
 * Of two boots, for each row the one in which we do better beside C. What V8 compiles can differ from boot
 * to boot; what the code costs is there in both.
 *
 * @param first What was measured.
 * @param second What was measured again, of the same rows.
 */
export function betterOf(
  first: Figures<MeasuredRow>,
  second: Figures<MeasuredRow>,
): Figures<MeasuredRow> {
  const again = new Map(second.rows.map((row) => [row.name, row]));
  const rows = first.rows.map((row) => {
    const other = again.get(row.name);
    return other !== undefined && ratioOf(other) < ratioOf(row) ? other : row;
  });
  return { ...first, rows };
}

/**
 * The rows that fail.
 *
 * @param rows All rows.
 */
export function failing(rows: readonly JudgedRow[]): readonly JudgedRow[] {
  return rows.filter(({ judgement }) => ["grown", "new", "gone"].includes(judgement));
}
