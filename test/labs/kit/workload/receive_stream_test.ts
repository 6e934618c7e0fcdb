import { assert, assertEquals } from "@std/assert";
import { receiveStream, StreamLink, StreamSender } from "zclab/lab";

const MIB = 1 << 20;

for (const engine of ["recv", "recv-multishot"] as const) {
  Deno.test(`receiveStream() receives a whole stream with ${engine}, again and again`, async () => {
    await using link = await StreamLink.open({ kind: "veth", mtu: 9000 });
    using sender = await StreamSender.start();
    for (const proof of [true, false]) {
      // One way each: what was not touched before is found right as well.
      const touched = proof;
      const { bytes, pieces, seconds, bytesPerSecond, cpuSecondsPerMiB, ...evidence } =
        await receiveStream(link, sender, {
          engine,
          bytes: 2 * MIB,
          area: 16 << 10,
          buffer: 8 << 10,
          connection: { receiveBuffer: MIB },
          touched,
          proof,
        });
      assertEquals(bytes, 2 * MIB);
      // No piece is larger than the memory of one request, or than a provided buffer.
      assert(pieces >= 2 * MIB / (engine === "recv" ? 16 << 10 : 8 << 10), `${pieces} pieces`);
      assertEquals(Math.round(bytesPerSecond * seconds), bytes);
      // One thread has no more CPU time than there was time, but for the clock's steps.
      assert(cpuSecondsPerMiB > 0 && cpuSecondsPerMiB * 2 <= seconds + 0.02);
      // The kernel copies, without counting it, and there is no NIC that could say anything.
      const { copiedBytes, placedBytes, droppedFrames, samePages } = evidence;
      assertEquals([copiedBytes, placedBytes, droppedFrames, samePages], [null, null, null, null]);
    }
  });
}
