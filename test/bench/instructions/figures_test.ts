import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import {
  type Figures,
  FiguresError,
  KEPT_FIGURES,
  KEPT_NUMBERS,
  keptFrom,
  type KeptRow,
  MEASURED_NUMBERS,
  type MeasuredRow,
  readFigures,
  writeFigures,
} from "../../../bench/instructions/figures.ts";

const SURROUNDINGS = { kernel: "7.3.4", deno: "2.9.6" };

function boot(...values: [name: string, c: number, zclab: number][]): Figures<MeasuredRow> {
  const rows = values.map(([name, c, zclab]) => ({
    name,
    c,
    zclab,
    cSpread: 0,
    zclabSpread: 0.01,
  }));
  return { surroundings: SURROUNDINGS, rows };
}

Deno.test("What is kept of two boots is their mean, and how far the ratios are apart", () => {
  const kept = keptFrom([
    boot(["a", 100, 110], ["b", 10, 20]),
    boot(["b", 10, 20], ["a", 100, 121]),
  ]);
  assertEquals(kept, {
    surroundings: SURROUNDINGS,
    rows: [
      { name: "a", c: 100, zclab: 115.5, ratio: 1.155, betweenBoots: 0.1 },
      { name: "b", c: 10, zclab: 20, ratio: 2, betweenBoots: 0 },
    ],
  });
});

Deno.test("Boots that measured other rows cannot be kept together, nor can no boot", () => {
  assertThrows(() => keptFrom([boot(["a", 1, 1]), boot(["b", 1, 1])]), RangeError, "measure a");
  assertThrows(() => keptFrom([]), RangeError, "at least one boot");
});

Deno.test("Figures are read as they were written; what is no such file is told, with what to do", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const path = `${folder}/figures.json`;
    await assertRejects(
      () => readFigures<MeasuredRow>(path, MEASURED_NUMBERS),
      FiguresError,
      "--clock instructions --keep",
    );
    const figures = boot(["a", 100, 110]);
    await writeFigures(path, figures);
    assertEquals(await readFigures<MeasuredRow>(path, MEASURED_NUMBERS), figures);
    // Those of one boot are not those that are kept.
    await assertRejects(
      () => readFigures<KeptRow>(path, KEPT_NUMBERS),
      FiguresError,
      "does not hold",
    );
    for (const text of ["", "null", "{}", '{"schema":"zclab/bench/2"}']) {
      await Deno.writeTextFile(path, text);
      await assertRejects(() => readFigures<KeptRow>(path, KEPT_NUMBERS), FiguresError);
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("The figures of the repository can be read", async () => {
  const { rows } = await readFigures<KeptRow>(KEPT_FIGURES, KEPT_NUMBERS);
  assertEquals(rows.length, new Set(rows.map(({ name }) => name)).size);
  assertEquals(rows.every(({ ratio, c }) => ratio > 0 && c > 0), true);
});
