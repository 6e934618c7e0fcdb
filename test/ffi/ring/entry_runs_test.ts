import { assertEquals } from "@std/assert";
import { Area, Notifier, Ring, type Slice, Socket, Testbed } from "zclab";
import { connectUdp, pattern, reapAll } from "../connections.ts";
import { test } from "../../needs.ts";

/** User data of what comes in between. */
const OURS = 0xffff_0000;

/** What a socket has got, sorted: the first bytes of each datagram, and its length. */
function received(socket: Socket, into: Slice): string[] {
  const first: string[] = [];
  for (
    let length = socket.tryReceive(into);
    length !== undefined;
    length = socket.tryReceive(into)
  ) {
    first.push(`${into.bytes[0]} ${into.bytes[1]} ${length}`);
  }
  return first.sort();
}

Deno.test("Entries that lie in the queue already say what they should, whatever came in between", async () => {
  await using bed = await Testbed.loopback();
  using ring = Ring.open({ entries: 16, completionEntries: 256 });
  using area = Area.map({ bytes: 65536 });
  using incoming = Area.map({ bytes: 4096 });
  using connection = connectUdp(bed);
  using elsewhere = connectUdp(bed);
  const { batch } = ring;
  area.slice().write(pattern(65536));
  const slot = new Notifier(ring);
  const into = incoming.slice();
  const bytes = area.slice().bytes.slice();
  const expected = (slice: Slice, length: number, count: number, stride = length): string[] => {
    const first: string[] = [];
    for (let i = 0; i < count; i++) {
      const at = slice.offset + i * stride;
      first.push(`${bytes[at]} ${bytes[at + 1]} ${length}`);
    }
    return first.sort(); // One that is linked to another may come later than those behind it.
  };
  // A seeded walk over all that changes an entry: place in the queue, memory, length, stride, user
  // data or notifier, socket, operation, links, and requests of other kinds in between.
  let state = 20261128;
  const random = (below: number): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor(state / 2 ** 32 * below);
  };
  for (let round = 0; round < 3000; round++) {
    const socket = random(4) === 0 ? elsewhere : connection;
    const count = random(3) === 0 ? 1 + random(20) : 4;
    const length = random(4) === 0 ? 64 : 100;
    const stride = random(4) === 0 ? 128 : length;
    const slice = area.slice(random(3) * 8192, (count - 1) * stride + length);
    const userData = random(4) === 0 ? random(1000) : 7;
    const target = random(3) === 0 ? slot : userData;
    const zeroCopy = random(3) === 0;
    if (random(6) === 0) batch.nop(OURS);
    if (random(12) === 0) batch.nop(OURS).link();
    const prepared = zeroCopy
      ? batch.sendZcEach(socket.near, slice, length, target, { stride })
      : batch.sendEach(socket.near, slice, length, target, { stride });
    assertEquals(prepared, count);
    const seen = reapAll(ring).filter(([data, , flags]) => data !== OURS && flags < 8);
    if (target === slot) {
      const { requests, sent, bytes, failed } = slot.flushBlocking();
      assertEquals([requests, sent, bytes, failed], [count, count, count * length, 0]);
      assertEquals(seen, []);
    } else {
      assertEquals(
        seen.map(([data, result]) => [data, result]).sort(([a], [b]) => a! - b!),
        Array.from({ length: count }, (_, i) => [userData + i, length]),
      );
    }
    assertEquals(received(socket.far, into), expected(slice, length, count, stride));
    const other = socket === connection ? elsewhere : connection;
    assertEquals(received(other.far, into), []);
  }
  assertEquals([ring.inFlight, area.inFlight], [0, 0]);
});

test("Notifications of requests that share a slot are counted one by one and all at once", {
  needs: ["ifb"],
}, async () => {
  await using sink = await Testbed.sink();
  await using loopback = await Testbed.loopback();
  using ring = Ring.open({ entries: 64 });
  using area = Area.map({ bytes: 65536 });
  using connection = connectUdp(loopback);
  using lossless = Socket.udp(sink.near).connect(sink.far.address(9000));
  const slot = new Notifier(ring);
  ring.batch.sendZcEach(lossless, area.slice(0, 32_000), 1000, slot);
  ring.batch.sendZcEach(connection.near, area.slice(0, 10_000), 1000, slot);
  ring.batch.sendEach(connection.near, area.slice(0, 5000), 1000, slot);
  ring.batch.sendZc(lossless, area.slice(0, 0), slot); // sends nothing: its bit says nothing
  const { requests, sent, bytes, notified, copied } = slot.flushBlocking();
  assertEquals([requests, sent, bytes, notified], [48, 48, 47_000, 43]);
  assertEquals(copied, 10);
  assertEquals(area.inFlight, 0);
});

Deno.test("A link that was set on a run is not there one round later", async () => {
  await using bed = await Testbed.loopback();
  using ring = Ring.open({ entries: 16 });
  using area = Area.map({ bytes: 4096 });
  using connection = connectUdp(bed);
  const { batch } = ring;
  const slice = area.slice(0, 400);
  batch.sendEach(connection.near, slice, 100, 1);
  batch.link().nop(5);
  for (let i = 0; i < 11; i++) batch.nop(6);
  assertEquals(reapAll(ring).filter(([, result]) => result < 0), []);
  connection.far.close();
  // Every other send is told that nobody has the port any more: the last of four.
  batch.sendEach(connection.near, slice, 100, 1);
  batch.nop(5);
  const results = new Map(reapAll(ring).map(([userData, result]) => [userData, result]));
  assertEquals([results.get(4), results.get(5)], [-111, 0]);
});
