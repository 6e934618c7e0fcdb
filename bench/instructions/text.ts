/**
 * What the bench prints of instructions.
 *
 * @module
 */
import { table } from "zclab/experiment";
import type { Figures, KeptRow, MeasuredRow } from "./figures.ts";
import { ratioOf } from "./figures.ts";
import { failing, type JudgedRow, LIMIT, STEADY } from "./gate.ts";

/**
 * The rows beside their figures, and what they come to.
 *
 * @param rows The rows.
 * @param found What was measured.
 * @param kept What is kept.
 */
export function gateText(
  rows: readonly JudgedRow[],
  { surroundings: here }: Figures<MeasuredRow>,
  { surroundings: there }: Figures<KeptRow>,
): string {
  const shown = table<JudgedRow>([
    { title: "instructions, not time", value: ({ name }) => name },
    { title: "C", value: ({ found }) => found?.c, format: count },
    { title: "zclab", value: ({ found }) => found?.zclab, format: count },
    {
      title: "rounds\napart",
      value: ({ found }) => found?.zclabSpread,
      format: percent,
    },
    {
      title: "zclab / C",
      value: ({ found }) => found && ratioOf(found),
      format: ratio,
    },
    { title: "kept", value: ({ kept }) => kept?.ratio, format: ratio },
    { title: "growth", value: ({ growth }) => growth, format: percent },
    { title: "boots\napart", value: ({ kept }) => kept?.betweenBoots, format: percent },
    { title: "gate", value: ({ judgement }) => judgement },
  ], rows);
  const other = here.kernel === there.kernel && here.deno === there.deno ? [] : [
    `Kept: Linux ${there.kernel}, Deno ${there.deno}. Here: Linux ${here.kernel}, Deno ${here.deno}.`,
  ];
  return [shown, ...other, ...conclusions(rows)].join("\n");
}

function conclusions(rows: readonly JudgedRow[]): string[] {
  const failed = failing(rows);
  const called = (judgement: JudgedRow["judgement"]): JudgedRow[] =>
    rows.filter((row) => row.judgement === judgement);
  const loose = called("not gated");
  const better = called("shrunk");
  return [
    ...(loose.length === 0 ? [] : [
      `Not gated, because boots were more than ${percent(STEADY)} apart: ${names(loose)}.`,
    ]),
    ...(better.length === 0 ? [] : [
      `Better by more than ${percent(LIMIT)}: ${names(better)}. --keep makes that the figure.`,
    ]),
    ...failed.map(failure),
    failed.length === 0
      ? `No row has grown by more than ${percent(LIMIT)}.`
      : "If the change is meant, deno task bench --clock instructions --keep writes the new figures.",
  ];
}

function failure({ name, growth, judgement, kept, found }: JudgedRow): string {
  if (judgement === "new") return `FAILS: ${name}: no figure is kept.`;
  if (judgement === "gone") return `FAILS: ${name}: a figure is kept, and nothing was measured.`;
  return `FAILS: ${name}: ${ratio(ratioOf(found!))} of C's instructions instead of ` +
    `${ratio(kept!.ratio)}, ${percent(growth!)} more.`;
}

function names(rows: readonly JudgedRow[]): string {
  return rows.map(({ name }) => name).join("; ");
}

function count(value: unknown): string {
  return Number(value).toFixed(1);
}

function ratio(value: unknown): string {
  return Number(value).toFixed(3);
}

function percent(value: unknown): string {
  return `${(Number(value) * 100).toFixed(2)} %`;
}
