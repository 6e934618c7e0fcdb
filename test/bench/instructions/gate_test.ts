import { assertEquals } from "@std/assert";
import type { Figures, KeptRow, MeasuredRow } from "../../../bench/instructions/figures.ts";
import {
  betterOf,
  failing,
  judge,
  type JudgedRow,
  LIMIT,
  STEADY,
} from "../../../bench/instructions/gate.ts";

const SURROUNDINGS = { kernel: "7.3.4", deno: "2.9.6" };

function found(name: string, c: number, zclab: number): MeasuredRow {
  return { name, c, zclab, cSpread: 0, zclabSpread: 0 };
}

function kept(name: string, ratio: number, betweenBoots = 0.001): KeptRow {
  return { name, c: 100, zclab: 100 * ratio, ratio, betweenBoots };
}

function figures<Row>(...rows: Row[]): Figures<Row> {
  return { surroundings: SURROUNDINGS, rows };
}

function judgements(rows: readonly JudgedRow[]): Record<string, string> {
  return Object.fromEntries(rows.map(({ name, judgement }) => [name, judgement]));
}

Deno.test("A row that has grown by more than the limit fails, by less it does not", () => {
  const rows = judge(
    figures(found("more", 1000, 1225), found("less", 1000, 1223), found("better", 1000, 1175)),
    figures(kept("more", 1.2), kept("less", 1.2), kept("better", 1.2)),
  );
  assertEquals(judgements(rows), { more: "grown", less: "same", better: "shrunk" });
  assertEquals(failing(rows).map(({ name }) => name), ["more"]);
});

Deno.test("A kernel that needs more of both sides is no growth of ours", () => {
  const [row] = judge(figures(found("nop", 105, 105 * 1.2)), figures(kept("nop", 1.2)));
  assertEquals(row!.judgement, "same");
});

Deno.test("A row that moves between boots is shown, and not gated", () => {
  const rows = judge(
    figures(found("loose", 100, 200), found("steady", 100, 200)),
    figures(kept("loose", 1, STEADY + 0.001), kept("steady", 1, STEADY)),
  );
  assertEquals(judgements(rows), { loose: "not gated", steady: "grown" });
  assertEquals(rows[0]!.growth, 1);
});

Deno.test("A row without figures fails, and so do figures without a row", () => {
  const rows = judge(
    figures(found("a", 1, 1), found("b", 1, 1)),
    figures(kept("z", 1), kept("b", 1)),
  );
  assertEquals(judgements(rows), { a: "new", b: "same", z: "gone" });
  assertEquals(failing(rows).map(({ name }) => name), ["a", "z"]);
});

Deno.test("What a row may move between boots stays below what it may grow", () => {
  assertEquals(STEADY < LIMIT, true);
});

Deno.test("Of two boots each row counts as it was better; a row that only one has stays", () => {
  const first = figures(found("a", 100, 150), found("b", 100, 120), found("c", 1, 1));
  const second = figures(found("b", 100, 140), found("a", 100, 121));
  const { rows } = betterOf(first, second);
  assertEquals(rows.map(({ name, zclab }) => [name, zclab]), [["a", 121], ["b", 120], ["c", 1]]);
});
