import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { readRunDocument } from "zclab";
import { textOf } from "../ffi/connections.ts";

type Row = {
  readonly mtu: number;
  readonly engine: string;
  readonly transmit: string;
  readonly device: string;
  readonly payloadBytes: number;
  readonly copiedBytes: number;
  readonly dmaBufBytes: number;
  readonly linearBytes: number;
  readonly readableBytes: number;
  readonly placedBytes: number;
  readonly readBytes: number;
  readonly sentAgain: number;
  readonly samePages: boolean | null;
  readonly bytesPerSecond: number;
  readonly versusCopy: { readonly ratio: number; readonly low: number; readonly high: number };
  readonly copied: boolean;
};

const MIB = 1 << 20;

Deno.test("rx-devmem --quick proves what was copied, and writes its document", async () => {
  const path = await Deno.makeTempFile({ suffix: ".json" });
  try {
    const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: [
        ...["run", "-A", "labs/main.ts", "rx-devmem", "--quick", "--repeats", "2"],
        ...["--stream", "4", "--mtu", "1500,9000", "--json", path],
      ],
      cwd: new URL("../..", import.meta.url),
      env: { NO_COLOR: "1" },
    }).output();
    assertEquals(code, 0, textOf(stderr));
    const document = readRunDocument(await Deno.readTextFile(path));
    assertEquals([document.lab, document.complete], ["rx-devmem", true]);
    assertEquals(document.parameters.stream, 4);
    // A warm-up of four combinations at each MTU, and two rounds with the baseline twice.
    assertEquals(document.trials.length, 2 * (4 + 2 * 5));

    const rows = document.summary as unknown as readonly Row[];
    assertEquals(rows.map(({ mtu, transmit, engine }) => [mtu, transmit, engine]), [
      [1500, "send", "recv"],
      [1500, "send", "devmem"],
      [1500, "devmem", "recv"],
      [1500, "devmem", "devmem"],
      [9000, "send", "recv"],
      [9000, "send", "devmem"],
      [9000, "devmem", "recv"],
      [9000, "devmem", "devmem"],
    ]);
    for (const row of rows) {
      const name = `${row.mtu} ${row.transmit} ${row.engine}`;
      const payload = 2 * 4 * MIB;
      assertEquals([row.device, row.payloadBytes], ["softnic", payload], name);
      assertEquals([row.linearBytes, row.readableBytes], [0, 0], name);
      assert(row.bytesPerSecond > 0);
      assert(row.versusCopy.low <= row.versusCopy.ratio);
      assert(row.versusCopy.ratio <= row.versusCopy.high);
      const again = row.sentAgain > 0;
      if (row.engine === "devmem") {
        assertEquals([row.copied, row.copiedBytes, row.samePages], [false, 0, true], name);
        assertEquals(row.dmaBufBytes, payload, name);
        // What TCP sent again was placed again.
        assertEquals(again ? row.placedBytes >= payload : row.placedBytes === payload, true, name);
      } else {
        assertEquals([row.copied, row.copiedBytes, row.samePages], [true, payload, null], name);
        assertEquals([row.dmaBufBytes, row.placedBytes], [0, 0], name);
      }
      if (row.transmit === "devmem") {
        assertEquals(again ? row.readBytes >= payload : row.readBytes === payload, true, name);
      } else assertEquals(row.readBytes, 0, name);
    }
    const warmUps = document.trials.filter(({ warmUp }) => warmUp);
    assertEquals(
      new Set(warmUps.map(({ measures }) => measures.verified)),
      new Set(["every byte"]),
    );
    for (const { measures } of document.trials) assertEquals(measures.sends, measures.notified);
    const text = textOf(stdout);
    assertStringIncludes(text, "devmem send to devmem receive: not copied");
    assertStringIncludes(text, "send to recv: copied: recv(2) copied 8388608 of 8388608 bytes");
    assertStringIncludes(text, "physical pages the same");
  } finally {
    await Deno.remove(path);
  }
});
