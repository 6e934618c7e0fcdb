// Receives without copying on the software NIC: deno task vm -- deno run -A labs/examples/11_zero_copy_receive.ts
import { Area, Ring, Socket, Softnic, Testbed, ZcrxReceiver } from "zclab";

await using bed = await Testbed.softnic();
await (await Softnic.of(bed.far)).steer({ port: 9000, queue: 1 });
await using ring = Ring.open({ entries: 64, completionSize: 32 });
using area = Area.map({ bytes: 1 << 20 });
using receiver = ZcrxReceiver.open(ring, {
  area,
  interface: bed.far.interface,
  queue: 1,
  place: bed.far,
});
using listener = Socket.tcp(bed.far).bind(bed.far.address(9000)).listen();
using client = Socket.tcp(bed.near).connectBlocking(bed.far.address(9000));
using server = await ring.accept(listener);
using words = Area.map({ bytes: 4096 });
const hello = words.slice(0, 5);
hello.write(new TextEncoder().encode("hello"));
await ring.send(client, hello);
client.shutdown("write");
for await (const piece of receiver.receive(server)) {
  console.log(`${new TextDecoder().decode(piece.bytes)} at byte ${piece.offset} of the area`);
  piece.release();
}
console.log(`the kernel copied ${receiver.statistics().copiedBytes} bytes`);
