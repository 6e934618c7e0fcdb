// The same over loopback, where somebody receives on this machine: there the kernel must copy.
import { Area, Notifier, Ring, Socket, Testbed } from "zclab";

await using bed = await Testbed.loopback();
using ring = Ring.open();
using area = Area.map({ bytes: 64 << 10 });
using receiver = Socket.udp(bed.far).bind(bed.far.address(9000));
using sender = Socket.udp(bed.near).connect(bed.far.address(9000));
const notifier = new Notifier(ring);
for (const slice of area.chunks(4096)) ring.batch.sendZc(sender, slice, notifier);
ring.batch.submit();
const { requests, copied } = await notifier.flush();
console.log(`${requests} requests, copied: ${copied}`);
receiver.close();
