import { assertEquals, assertStringIncludes } from "@std/assert";
import { rowsOf, runLab } from "./run_lab.ts";
import { testsNeeding } from "../needs.ts";

const test = testsNeeding("softnic");

type Row = {
  readonly path: string;
  readonly payloadBytes: number;
  readonly directBytes: number;
  readonly bouncedBytes: number;
  readonly copiedBytes: number | null;
  readonly placedBytes: number;
  readonly cachedBytes: number;
  readonly verified: boolean;
  readonly untouched: boolean;
  readonly proof: string | null;
};

const MIB = 1 << 20;

test("rx-to-disk writes what was received, and knows who touched it", async () => {
  const { document, text } = await runLab(
    ...["rx-to-disk", "--quick", "--repeats", "2", "--bytes", "4M"],
  );
  assertEquals([document.lab, document.complete], ["rx-to-disk", true]);
  const rows = rowsOf<Row>(document);
  assertEquals(rows.map(({ path }) => path), ["recv+write", "recv+direct", "zcrx+direct"]);
  const payload = 8 * MIB;
  for (const row of rows) assertEquals([row.payloadBytes, row.verified], [payload, true], row.path);
  const [buffered, direct, untouched] = rows as [Row, Row, Row];
  // The control of the page cache's sign: what went through it is in it.
  assertEquals([buffered.cachedBytes, buffered.untouched], [payload, false]);
  assertEquals([direct.cachedBytes, direct.untouched], [0, false]);
  assertEquals([untouched.copiedBytes, untouched.placedBytes, untouched.cachedBytes], [
    0,
    payload,
    0,
  ]);
  // Where TCP cuts a segment is TCP's affair: what then lies across pages is copied, and counted.
  assertEquals(untouched.directBytes + untouched.bouncedBytes, payload);
  assertEquals(untouched.untouched, untouched.bouncedBytes === 0);
  const proof = untouched.untouched ? "untouched" : "touched by a CPU";
  assertEquals(rows.map(({ proof }) => proof), [null, null, proof]);
  assertStringIncludes(text, "Every byte was read back from the disk and compared.");
});
