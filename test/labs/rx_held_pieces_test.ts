import { assert, assertEquals } from "@std/assert";
import { rowsOf, runLab } from "./run_lab.ts";
import { testsNeeding } from "../needs.ts";

const test = testsNeeding("softnic");

type Row = {
  readonly device: string;
  readonly buffers: number;
  readonly held: number;
  readonly streamBytes: number;
  readonly mostWhileHolding: number;
  readonly leastAfterwards: number;
  readonly resumedAfterSeconds: number | null;
  readonly copiedBytes: number | null;
  readonly droppedFrames: number | null;
};

test("rx-held-pieces: a stream stands still while all buffers are held, and loses nothing", async () => {
  const { document } = await runLab("rx-held-pieces", "--repeats", "1");
  assertEquals([document.lab, document.complete], ["rx-held-pieces", true]);
  const rows = rowsOf<Row>(document);
  for (const row of rows) {
    const where = `${row.device}, ${row.held} of ${row.buffers}`;
    // The trial itself compares every byte.
    assertEquals(row.leastAfterwards, row.streamBytes, where);
    const isAll = row.held === row.buffers;
    assertEquals(row.resumedAfterSeconds !== null, isAll, where);
    assertEquals(row.mostWhileHolding < row.streamBytes, isAll, where);
    if (row.device === "none") {
      assertEquals([row.copiedBytes, row.droppedFrames], [row.streamBytes, null], where);
    } else {
      // With a NIC the buffers are missing to those that come, which are dropped and sent again.
      assertEquals(row.droppedFrames! > 0, isAll, where);
    }
  }
  assert(rows.some(({ device }) => device === "softnic"));
});

test("rx-held-pieces: of few buffers each amount is held once", async () => {
  const { document } = await runLab("rx-held-pieces", "--repeats", "1", "--buffers", "2");
  const held = document.summary.filter(({ device }) => device === "none").map(({ held }) => held);
  assertEquals(held, [1, 2]);
});
