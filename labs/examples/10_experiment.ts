// Two ways compared as an experiment: interleaved, repeated, with an interval and a verdict.
import { Area, Notifier, Ring, Socket, Testbed } from "zclab";
import { compareAll, cross, experiment } from "zclab/experiment";

await using bed = await Testbed.sink();
const { trials } = await experiment({
  factors: cross({ payload: [600, 8000], mode: ["send", "sendZc"] }),
  control: { mode: "send" },
  repeats: 5,
  trial({ payload, mode }): { requestsPerSecond: number } {
    using ring = Ring.open({ entries: 64 });
    using area = Area.map({ bytes: 64 * 8192 });
    using socket = Socket.udp(bed.near).connect(bed.far.address(9000));
    const notifier = new Notifier(ring);
    const slices = area.chunks(8192).map((chunk) => chunk.slice(0, payload));
    const started = performance.now();
    for (let round = 0; round < 50; round++) {
      for (const slice of slices) {
        if (mode === "send") ring.batch.send(socket, slice, notifier);
        else ring.batch.sendZc(socket, slice, notifier);
      }
      notifier.flushBlocking();
    }
    return { requestsPerSecond: 50 * 64 / (performance.now() - started) * 1000 };
  },
});
const options = { measure: "requestsPerSecond", against: { mode: "send" } } as const;
for (const { factors, verdict } of compareAll(trials, options)) {
  console.log(`${factors.payload} bytes: ${verdict.text}`);
}
