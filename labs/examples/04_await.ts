// One promise for each operation: a message there and back, over a pair of links.
import { Area, Ring, Socket, Testbed } from "zclab";

await using bed = await Testbed.pair();
await using ring = Ring.open();
using area = Area.map({ bytes: 4096 });
using server = Socket.udp(bed.far).bind(bed.far.address(9000));
using client = Socket.udp(bed.near).connect(bed.far.address(9000));
const [out, into] = [area.slice(0, 2048), area.slice(2048, 2048)];
out.write(new TextEncoder().encode("hello"));
const received = ring.recv(server, into);
await ring.send(client, out.slice(0, 5));
const length = await received;
console.log(new TextDecoder().decode(into.bytes.subarray(0, length)));
