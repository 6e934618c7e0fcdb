import { assertEquals, assertStringIncludes } from "@std/assert";
import type { RunDocument } from "zclab/experiment";
import type { Lab } from "zclab/lab";
import { replayOptions } from "../../labs/kit/commands/replay.ts";
import { rxDevmem } from "zclab/labs";
import { testsNeeding } from "../needs.ts";
import { runLab } from "./run_lab.ts";

const test = testsNeeding("softnic");

type Row = {
  readonly mtu: number;
  readonly send: string;
  readonly receive: string;
  readonly payloadBytes: number;
  readonly copiedBytes: number;
  readonly dmaBufBytes: number;
  readonly linearBytes: number;
  readonly readableBytes: number;
  readonly placedBytes: number;
  readonly linearPayloadBytes: number;
  readonly readBytes: number;
  readonly sentAgain: number;
  readonly samePages: boolean | null;
  readonly proof: string | null;
};

const MIB = 1 << 20;

test("rx-devmem --quick proves what was copied, and writes its document", async () => {
  const { document, text } = await runLab(
    ...["rx-devmem", "--quick", "--repeats", "2", "--bytes", "4M", "--mtu", "1500,9000"],
  );
  assertEquals([document.lab, document.complete], ["rx-devmem", true]);
  assertEquals([document.parameters.bytes, document.parameters.area], [4 * MIB, 16 * MIB]);
  // A warm-up of four combinations at each MTU, and two rounds with the baseline twice.
  assertEquals(document.trials.length, 2 * (4 + 2 * 5));

  const rows = document.summary as unknown as readonly Row[];
  const ways = ["copy", "devmem"].flatMap((send) => ["copy", "devmem"].map((to) => [send, to]));
  assertEquals(
    rows.map(({ mtu, send, receive }) => [mtu, send, receive]),
    [1500, 9000].flatMap((mtu) => ways.map((way) => [mtu, ...way])),
  );
  for (const row of rows) {
    const name = `${row.mtu} ${row.send} ${row.receive}`;
    const payload = 2 * 4 * MIB;
    assertEquals(row.payloadBytes, payload, name);
    assertEquals([row.linearBytes, row.readableBytes, row.linearPayloadBytes], [0, 0, 0], name);
    const again = row.sentAgain > 0;
    if (row.receive === "devmem") {
      assertEquals([row.proof, row.copiedBytes, row.samePages], ["not copied", 0, true], name);
      assertEquals(row.dmaBufBytes, payload, name);
      // What TCP sent again was placed again.
      assertEquals(again ? row.placedBytes >= payload : row.placedBytes === payload, true, name);
    } else {
      assertEquals([row.proof, row.copiedBytes, row.samePages], [null, payload, null], name);
      assertEquals([row.dmaBufBytes, row.placedBytes], [0, 0], name);
    }
    if (row.send === "devmem") {
      assertEquals(again ? row.readBytes >= payload : row.readBytes === payload, true, name);
    } else assertEquals(row.readBytes, 0, name);
  }
  for (const { warmUp, measures: { verified, sends, notified } } of document.trials) {
    assertEquals(verified, warmUp ? "every byte" : "the ends of each piece");
    assertEquals(sends, notified);
  }
  assertStringIncludes(text, "devmem send to devmem receive: not copied");
  assertStringIncludes(text, "send to recv: copied: recv(2) copied 8388608 of 8388608 bytes");
  assertStringIncludes(text, "physical pages the same");
});

Deno.test("rx-devmem replays runs of the time when its sizes were in MiB", () => {
  const before = {
    lab: "rx-devmem",
    seed: 1,
    invocation: { options: { stream: 4 }, quick: true, seed: 1, repeats: null },
    parameters: { stream: 4, mtu: [1500], area: 16, repeats: 3, quick: true },
    environment: {},
  } as unknown as RunDocument;
  assertEquals(replayOptions(before, rxDevmem as Lab).options, {
    bytes: 4 * MIB,
    mtu: [1500],
    area: 16 * MIB,
  });
});
