// One request receives many messages, into buffers that the kernel picks.
import { Area, BufferRing, Ring, Socket, Testbed } from "zclab";

await using bed = await Testbed.pair();
await using ring = Ring.open();
using buffers = BufferRing.open(ring, { count: 16, bytes: 2048 });
using server = Socket.udp(bed.far).bind(bed.far.address(9000));
using client = Socket.udp(bed.near).connect(bed.far.address(9000));
using words = Area.map({ bytes: 4096 });
const pieces = ring.recvMultishot(server, buffers);
for (const word of ["one", "two", "three"]) {
  const slice = words.slice(0, word.length);
  slice.write(new TextEncoder().encode(word));
  await ring.send(client, slice);
  const { value: piece } = await pieces.next();
  console.log(new TextDecoder().decode(piece!.slice.bytes));
  piece!.release();
}
await pieces.return(undefined);
