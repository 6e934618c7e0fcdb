import { assertEquals } from "@std/assert";
import { type Lab, replayOptions, type RunDocument } from "zclab";
import { rxDevmem } from "zclab/labs";

const MIB = 1 << 20;

Deno.test("rx-devmem replays runs of the time when its sizes were in MiB", () => {
  const before = {
    lab: "rx-devmem",
    seed: 1,
    invocation: { options: { stream: 4 }, quick: true, seed: 1, repeats: null },
    parameters: { stream: 4, mtu: [1500], area: 16, repeats: 3, quick: true },
  } as unknown as RunDocument;
  assertEquals(replayOptions(before, rxDevmem as Lab).options, {
    bytes: 4 * MIB,
    mtu: [1500],
    area: 16 * MIB,
  });
});
