// A chain: wait 50 milliseconds, then send. The kernel does both without asking us in between.
import { Area, Ring, Socket, Testbed } from "zclab";

await using bed = await Testbed.sink();
using ring = Ring.open();
using area = Area.map({ bytes: 4096 });
using socket = Socket.udp(bed.near).connect(bed.far.address(9000));
const started = performance.now();
ring.batch.timeout(50, 1).link();
ring.batch.send(socket, area.slice(0, 100), 2);
ring.batch.submitAndWait(2);
const names = ["", "the wait", "the send"];
ring.batch.reap((userData, result) => console.log(`${names[userData]} returned ${result}`));
console.log(`after ${Math.round(performance.now() - started)} ms`);
