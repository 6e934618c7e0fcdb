import { assert, assertEquals, assertRejects } from "@std/assert";
import { Area } from "../../../../ffi/memory/area.ts";
import { Ring } from "../../../../ffi/ring/ring.ts";
import { Durations } from "../../../../labs/kit/statistics/durations.ts";
import { Testbed } from "../../../../labs/kit/testbed/testbed.ts";
import { connectEnds } from "../../../../labs/kit/workload/connected.ts";
import { Echo } from "../../../../labs/kit/workload/echo.ts";
import { PeerError } from "../../../../labs/kit/workload/peer.ts";
import { RoundTrips } from "../../../../labs/kit/workload/round_trips.ts";

const PORT = 9000;

for (const protocol of ["udp", "tcp"] as const) {
  for (const wait of ["ring", "recv(2)"] as const) {
    Deno.test(`round trips over ${protocol}, waiting in ${wait}: each is echoed once and counted`, async () => {
      await using bed = await Testbed.loopback();
      using echo = await Echo.start();
      using ring = Ring.open({ entries: 8 });
      // Twice, because an echo serves one connection after the other.
      for (const bytes of [64, 3001]) {
        using sockets = await connectEnds(bed, ring, { protocol, port: PORT });
        await using echoing = await echo.serve(sockets.far, { bytes });
        await assertRejects(() => echo.serve(sockets.far, { bytes }), PeerError, "busy");
        using trips = new RoundTrips(ring, sockets.near, { wait, bytes });
        const durations = new Durations();
        await trips.run(50, durations);
        trips.stopEcho();
        assertEquals(durations.count, 50);
        const { messages, cpuSeconds } = await echoing.report();
        // A stream may come in more pieces than it was sent in.
        assert(protocol === "udp" ? messages === 50 : messages >= 50, `${messages} messages`);
        assert(cpuSeconds > 0 && cpuSeconds < 1, `${cpuSeconds} s`);
      }
    });

    Deno.test(`round trips over ${protocol}, waiting in ${wait}: a wrong reply is told`, async () => {
      await using bed = await Testbed.loopback();
      using ring = Ring.open({ entries: 8 });
      using sockets = await connectEnds(bed, ring, { protocol, port: PORT });
      using area = Area.map({ bytes: 4096 });
      // The first message is 1, 0, 0, 0 and so on; this reply is all zeroes, and there before.
      sockets.far.sendBlocking(area.slice(0, 64));
      using trips = new RoundTrips(ring, sockets.near, { wait, bytes: 64 });
      await assertRejects(() => trips.run(1), Error, "Reply 1 is not what was sent: byte 0 is 0");
    });
  }
}

Deno.test("an echo that nobody stops is stopped with its connection, and serves the next one", async () => {
  await using bed = await Testbed.loopback();
  using echo = await Echo.start();
  using ring = Ring.open({ entries: 8 });
  for (let i = 0; i < 2; i++) {
    using sockets = await connectEnds(bed, ring, { protocol: "tcp", port: PORT });
    await using _echoing = await echo.serve(sockets.far, { bytes: 64 });
    using trips = new RoundTrips(ring, sockets.near, { wait: "ring", bytes: 64 });
    await trips.run(1);
  }
});
