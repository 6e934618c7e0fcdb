// What the first receive into a page costs: it copies no more than the second one.
import { Area, MSG, Ring } from "zclab";
import { compareAll, cross, experiment } from "zclab/experiment";
import { StreamLink } from "zclab/lab";

const PART = 64 << 10;
await using link = await StreamLink.open({ kind: "loopback" });
const result = await experiment({
  factors: cross({ memory: ["touched", "fresh"] }),
  control: { memory: "touched" },
  warmUp: 30,
  async trial({ memory }): Promise<{ pagesPerSecond: number }> {
    await using ring = Ring.open({ entries: 8 });
    using wire = await link.connect({ sendBuffer: 1 << 20, receiveBuffer: 1 << 20 });
    using source = Area.map({ bytes: PART });
    using target = Area.map({ bytes: 16 * PART });
    if (memory === "touched") target.unsafeBytes().fill(0);
    let milliseconds = 0;
    for (const room of target.chunks(PART)) {
      await ring.send(wire.near, source.slice(0, PART));
      const started = performance.now();
      ring.batch.recv(wire.far, room, 0, MSG.WAITALL).submit();
      ring.batch.waitBlocking(1, 1000);
      milliseconds += performance.now() - started;
      ring.batch.reap((_userData, length) => {
        if (length !== PART) throw new Error(`${length} bytes came at once, not ${PART}`);
      });
    }
    return { pagesPerSecond: 16 * PART / 4096 / milliseconds * 1000 };
  },
});
console.log(result);
const options = { measure: "pagesPerSecond", against: { memory: "touched" } } as const;
for (const { verdict } of compareAll(result.trials, options)) console.log(verdict.text);
