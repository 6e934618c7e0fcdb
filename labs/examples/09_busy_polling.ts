// Round trips with a ring that sleeps while it waits, and with one that polls the link instead.
import { Area, BusyPoll, Ring, Socket, Testbed } from "zclab";

await using bed = await Testbed.pair({ napi: true });
using ring = Ring.open();
using area = Area.map({ bytes: 8192 });
using server = Socket.udp(bed.far).bind(bed.far.address(9000));
using client = Socket.udp(bed.near).connect(bed.far.address(9000));
const [out, into] = area.chunks(4096);
function sendAndReceive(): void {
  ring.batch.recv(server, into!.slice(0, 64)).send(client, out!.slice(0, 64));
  ring.batch.submitAndWait(2);
  ring.batch.reap(() => {});
}
for (const microseconds of [0, 50]) {
  using _polling = microseconds > 0 ? BusyPoll.ofRing(ring, { microseconds }) : undefined;
  const started = performance.now();
  for (let i = 0; i < 1000; i++) sendAndReceive();
  const each = (performance.now() - started).toFixed(1);
  console.log(`${microseconds > 0 ? "polling" : "sleeping"}: ${each} µs for each message`);
}
