import { assert, assertEquals } from "@std/assert";
import { type MicroscopePayload, Slice } from "zclab";
import { DatagramSink, receiveStream, StreamLink, StreamSender, transmit } from "zclab/lab";
import type { Look } from "../../../../labs/kit/trials/look.ts";
import { test } from "../../../needs.ts";

/** Looks at nothing, and keeps what it was shown, and whether it was shown while work was done. */
function recorder(): { look: Look; shown: (readonly MicroscopePayload[])[] } {
  const shown: (readonly MicroscopePayload[])[] = [];
  return {
    shown,
    look: ({ watch = [] }, work) => {
      shown.push(watch);
      return work();
    },
  };
}

test("a stream is shown as the pages in which its sender has it", {
  needs: ["privileges"],
}, async () => {
  await using link = await StreamLink.open({ kind: "loopback" });
  using sender = await StreamSender.start();
  const { look, shown } = recorder();
  const options = { engine: "recv", bytes: 1 << 16, area: 1 << 16 } as const;
  for (let round = 0; round < 2; round++) {
    const { bytes } = await receiveStream(link, sender, { ...options, look });
    assertEquals(bytes, 1 << 16);
  }
  assertEquals(shown.length, 2);
  const [frames, ...others] = shown[0]!;
  assertEquals(others, []);
  assert(frames instanceof Float64Array);
  assertEquals(new Set(frames).size, 16);
  assert(frames.every((frame) => frame > 0));
  // The sender keeps its memory.
  assertEquals(shown[1], shown[0]);
  // Who does not look is shown nothing, and the thread goes on as before.
  assertEquals((await receiveStream(link, sender, options)).bytes, 1 << 16);
});

for (const mode of ["non-zc", "zc", "msg-zerocopy"] as const) {
  Deno.test(`transmit() shows the requests of the only batch that counts: ${mode}`, async () => {
    await using sink = await DatagramSink.open("ifb");
    using socket = sink.connect();
    const { look, shown } = recorder();
    const { sent, copied } = transmit(socket, {
      ...{ mode, payload: 600, batch: 3, seconds: 0, look },
    });
    assertEquals([sent, copied], [3, mode === "non-zc" ? null : 0]);
    assertEquals(shown.length, 1);
    const slices = shown[0]! as readonly Slice[];
    assert(slices.every((slice) => slice instanceof Slice));
    assertEquals(slices.map(({ offset, length }) => [offset, length]), [
      ...[[0, 600], [4096, 600], [8192, 600]],
    ]);
  });
}
