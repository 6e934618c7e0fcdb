import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { rowsOf, runLab } from "./run_lab.ts";
import { testsNeeding } from "../needs.ts";

const test = testsNeeding("softnic");

type Row = {
  readonly engine: string;
  readonly device: string;
  readonly mtu: number;
  readonly buffer: number | null;
  readonly cores: string;
  readonly proof: string | null;
  readonly payloadBytes: number;
  readonly copiedBytes: number | null;
  readonly placedBytes: number | null;
  readonly linearPayloadBytes: number | null;
  readonly samePages: boolean | null;
  readonly zeroCopy: string;
};

const MIB = 1 << 20;

test("rx-zcrx tells copying from not copying by three witnesses that agree", async () => {
  const { document, text } = await runLab(
    ...["rx-zcrx", "--quick", "--repeats", "2", "--bytes", "2M"],
    ...["--mtu", "1500,9000", "--buffer", "4096,16384", "--cores", "same"],
  );
  assertEquals([document.lab, document.complete], ["rx-zcrx", true]);
  const rows = rowsOf<Row>(document);
  const expected = [
    ["recv", "softnic", null],
    ["recv-multishot", "softnic", 16384],
    ["zcrx", "none", 4096],
    ["zcrx", "softnic", 4096],
    ["zcrx", "softnic", 16384],
  ];
  assertEquals(
    rows.map(({ mtu, engine, device, buffer }) => [mtu, engine, device, buffer]),
    [1500, 9000].flatMap((mtu) => expected.map((row) => [mtu, ...row])),
  );
  for (const row of rows) {
    const name = `${row.engine} on ${row.device}, MTU ${row.mtu}, ${row.buffer}`;
    assertEquals(row.payloadBytes, 4 * MIB, name);
    assertEquals(row.linearPayloadBytes, 0, name);
    if (row.engine !== "zcrx") {
      assertEquals([row.copiedBytes, row.samePages, row.zeroCopy], [null, null, "copied"], name);
      assertEquals(row.proof, null, name);
      assertEquals(row.placedBytes, 0, name);
    } else if (row.device === "none") {
      // Of a short segment the kernel makes a linear one, and what it copies of that it does not count.
      assert(row.copiedBytes! <= row.payloadBytes, name);
      assert(row.copiedBytes! > 0.99 * row.payloadBytes, `${name}: ${row.copiedBytes}`);
      assertEquals(row.placedBytes, 0, name);
      assertEquals([row.samePages, row.zeroCopy, row.proof], [null, "copied", "copied"], name);
    } else {
      assertEquals([row.copiedBytes, row.placedBytes], [0, row.payloadBytes], name);
      assertEquals([row.samePages, row.zeroCopy], [true, "not copied"], name);
      assertEquals(row.proof, "not copied", name);
    }
  }
  const piecesOf = (mtu: number, buffer: number): number =>
    document.trials.filter(({ factors, warmUp }) =>
      !warmUp && factors.mtu === mtu && factors.buffer === buffer && factors.device === "softnic" &&
      factors.engine === "zcrx"
    ).reduce((sum, { measures }) => sum + Number(measures.pieces), 0);
  // A segment of 8948 bytes lies in three buffers of 4096 bytes, and in one of 16384.
  const [small, large] = [piecesOf(9000, 4096), piecesOf(9000, 16384)];
  assert(small >= 4 * MIB / 4096 && small > 2 * large, `${small} pieces, and ${large} large ones`);
  assert(large >= 4 * MIB / 16384, `${large} pieces of at most 16384 bytes`);
  assertStringIncludes(text, "the pages that were read are those that it wrote");
  assertStringIncludes(text, "Control: without a device the kernel copied");
});
