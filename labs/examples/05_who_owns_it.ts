// Between a send without copying and its notification the memory is the kernel's, and says so.
import { Area, OwnershipError, Ring, Socket, Testbed } from "zclab";

await using bed = await Testbed.sink();
await using ring = Ring.open();
using area = Area.map({ bytes: 4096 });
using socket = Socket.udp(bed.near).connect(bed.far.address(9000));
const slice = area.slice(0, 1000);
const text = new TextEncoder().encode("mine");
const sent = ring.sendZc(socket, slice);
try {
  slice.write(text);
} catch (error) {
  if (!(error instanceof OwnershipError)) throw error;
  console.log(`OwnershipError: ${error.message}`);
}
await (await sent).released;
slice.write(text);
console.log("free again");
