/**
 * Datagrams into the sink: all rows of the lab tx-copy-vs-zc, and what liburing's example does.
 *
 * @module
 */
import { Socket, Testbed } from "zclab";
import { transmit, TRANSMIT_MODES, type TransmitMode } from "zclab/lab";
import { compareWithC, type Comparison } from "./comparison.ts";
import type { Effort } from "./effort.ts";
import { namespacesOf, Reference } from "./reference.ts";
import { pinBoth } from "./same_processor.ts";

/** One way of sending. */
interface Way {
  readonly mode: TransmitMode;
  /** Whether the requests of a few batches have memory of their own, or all send the same. */
  readonly buffers: "many" | "one";
}

/** liburing's example program send-zerocopy.c sends one buffer again and again, in three modes. */
const WAYS: readonly Way[] = [
  ...TRANSMIT_MODES.map((mode) => ({ mode, buffers: "many" as const })),
  ...(["non-zc", "zc", "zc-fixed"] as const).map((mode) => ({ mode, buffers: "one" as const })),
];
const PAYLOADS = [600, 1000, 1200, 1500, 4000, 8000] as const;
const BATCH = 32;
const SECONDS = 0.1;
const PORT = 9000;

/**
 * Compares sends.
 *
 * @param effort How much of it.
 * @returns For each payload all ways.
 */
export async function compareSends({ rounds, scale, progress }: Effort): Promise<Comparison[]> {
  await using bed = await Testbed.sink();
  await using reference = await Reference.start(namespacesOf(bed.near));
  using _pinned = await pinBoth(reference);
  const sink = bed.far.address(PORT);
  const combinations = PAYLOADS.flatMap((payload) => WAYS.map((way) => ({ ...way, payload })));
  const comparisons: Comparison[] = [];
  for (const { mode, buffers, payload } of combinations) {
    const name = `${mode}, ${payload} B${buffers === "one" ? ", one buffer" : ""}`;
    progress.update(comparisons.length, combinations.length, name);
    const what = { payload, buffers, batch: BATCH, seconds: SECONDS * scale };
    const theirs = { ...what, address: sink.host, port: sink.port };
    comparisons.push(
      await compareWithC({
        name,
        unit: "/s",
        rounds,
        c: async () => (await reference.send(mode, theirs)).datagramsPerSecond,
        ours: () => {
          using socket = Socket.udp(bed.near).connect(sink);
          return transmit(socket, { mode, ...what }).datagramsPerSecond;
        },
      }),
    );
  }
  return comparisons;
}
