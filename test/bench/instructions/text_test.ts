import { assertEquals, assertStringIncludes } from "@std/assert";
import type { KeptRow, MeasuredRow } from "../../../bench/instructions/figures.ts";
import { judge } from "../../../bench/instructions/gate.ts";
import { gateText } from "../../../bench/instructions/text.ts";

const SURROUNDINGS = { kernel: "7.3.4", deno: "2.9.6" };

function text(
  measured: readonly [name: string, c: number, zclab: number][],
  known: readonly [name: string, ratio: number, betweenBoots: number][],
  kernel = SURROUNDINGS.kernel,
): string {
  const found = {
    surroundings: SURROUNDINGS,
    rows: measured.map(([name, c, zclab]): MeasuredRow => {
      return { name, c, zclab, cSpread: 0, zclabSpread: 0.0012 };
    }),
  };
  const kept = {
    surroundings: { ...SURROUNDINGS, kernel },
    rows: known.map(([name, ratio, betweenBoots]): KeptRow => {
      return { name, c: 100, zclab: 100 * ratio, ratio, betweenBoots };
    }),
  };
  return gateText(judge(found, kept), found, kept);
}

Deno.test("The text says which row has grown, by how much, and how to keep that", () => {
  const said = text([["a", 100, 130], ["b", 100, 120]], [["a", 1.2, 0], ["b", 1.2, 0]]);
  assertStringIncludes(said, "FAILS: a: 1.300 of C's instructions instead of 1.200, 8.33 % more.");
  assertStringIncludes(said, "--keep writes the new figures");
  assertEquals(said.includes("FAILS: b"), false);
  assertStringIncludes(said, "instructions, not time");
  assertStringIncludes(said, "0.12 %");
});

Deno.test("The text names the rows that are not gated, and why", () => {
  const said = text([["a", 100, 130]], [["a", 1.2, 0.05]]);
  assertStringIncludes(said, "Not gated, because boots were more than 1.00 % apart: a.");
  assertStringIncludes(said, "No row has grown by more than 2.00 %.");
});

Deno.test("The text says what is better, new or gone", () => {
  const said = text([["better", 100, 100], ["new", 1, 1]], [["better", 1.2, 0], ["gone", 1, 0]]);
  assertStringIncludes(said, "Better by more than 2.00 %: better.");
  assertStringIncludes(said, "FAILS: new: no figure is kept.");
  assertStringIncludes(said, "FAILS: gone: a figure is kept, and nothing was measured.");
});

Deno.test("The text says if the figures come from another kernel", () => {
  const said = (kernel: string): boolean =>
    text([["a", 1, 1]], [["a", 1, 0]], kernel).includes("Kept: Linux");
  assertEquals([said("7.3.4"), said("6.12")], [false, true]);
});
