// Sends without copying into a link that drops what it is sent, and asks the kernel whether it copied.
import { Area, Notifier, Ring, Socket, Testbed } from "zclab";

await using bed = await Testbed.sink();
using ring = Ring.open({ entries: 256 });
using area = Area.map({ bytes: 1 << 20 });
using socket = Socket.udp(bed.near).connect(bed.far.address(9000));
const notifier = new Notifier(ring);
for (const slice of area.chunks(4096)) ring.batch.sendZc(socket, slice, notifier);
ring.batch.submit();
const { requests, copied } = await notifier.flush();
console.log(`${requests} requests, copied: ${copied}`);
