import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import {
  Area,
  ClosedError,
  MessageZeroCopy,
  OwnershipError,
  POLL,
  Ring,
  Socket,
  Testbed,
  UringError,
} from "zclab";

async function reapAll(ring: Ring, socket: Socket, zeroCopy: MessageZeroCopy): Promise<void> {
  while (zeroCopy.outstanding > 0) {
    if (zeroCopy.reap() === 0) await ring.poll(socket, POLL.ERR, { timeout: 5000 });
  }
}

Deno.test("MSG_ZEROCOPY into a sink is not copied, and the kernel merges ranges", async () => {
  await using bed = await Testbed.sink();
  await using ring = Ring.open();
  using area = Area.map({ bytes: 1 << 20 });
  for (const family of [4, 6] as const) {
    using socket = Socket.udp(bed.near, { family }).connect(bed.far.address(9000, family));
    const zeroCopy = new MessageZeroCopy(socket);
    for (const chunk of area.chunks(1000).slice(0, 900)) assertEquals(zeroCopy.send(chunk), 1000);
    await reapAll(ring, socket, zeroCopy);
    const { sent, notified, copied, ranges } = zeroCopy.counts;
    assertEquals({ sent, notified, copied }, { sent: 900, notified: 900, copied: 0 });
    assertEquals(ranges < 900, true, `${ranges} ranges`);
  }
  assertEquals(area.inFlight, 0);
});

Deno.test("MSG_ZEROCOPY over TCP delivers every byte, and a local receiver makes it a copy", async () => {
  await using bed = await Testbed.pair();
  await using ring = Ring.open();
  using area = Area.map({ bytes: 1 << 20 });
  using listener = Socket.tcp(bed.far).bind(bed.far.address(9000)).listen();
  using sender = Socket.tcp(bed.near).connect(bed.far.address(9000));
  using receiver = await ring.accept(listener);
  const outgoing = area.slice(0, 1 << 19);
  const incoming = area.slice(1 << 19, 1 << 16);
  outgoing.write(Uint8Array.from({ length: 1 << 19 }, (_, i) => (i * 7) ^ (i >> 8)));
  const expected = outgoing.bytes.slice();

  const zeroCopy = new MessageZeroCopy(sender);
  let sent = 0;
  let received = 0;
  while (received < outgoing.length) {
    if (sent < outgoing.length) {
      sent += zeroCopy.send(outgoing.slice(sent, Math.min(65536, outgoing.length - sent)));
    }
    const bytes = await ring.recv(receiver, incoming, { timeout: 5000 });
    assertEquals(incoming.bytes.subarray(0, bytes), expected.subarray(received, received + bytes));
    received += bytes;
  }
  await reapAll(ring, sender, zeroCopy);
  const counts = zeroCopy.counts;
  assertEquals(counts.notified, counts.sent);
  assertEquals(counts.copied, counts.sent);
});

Deno.test("MSG_ZEROCOPY owns its slices until they are reaped", async () => {
  await using bed = await Testbed.sink();
  using area = Area.map({ bytes: 8192 });
  using socket = Socket.udp(bed.near).connect(bed.far.address(9000));
  const zeroCopy = new MessageZeroCopy(socket);
  const slice = area.slice(0, 1000);
  zeroCopy.send(slice);
  const error = assertThrows(() => slice.bytes, OwnershipError);
  assertStringIncludes(error.message, "MSG_ZEROCOPY");
  assertThrows(() => area.slice(500, 1000).bytes, OwnershipError);
  while (zeroCopy.outstanding > 0) zeroCopy.reap();
  assertEquals(slice.bytes.length, 1000);
});

Deno.test("MSG_ZEROCOPY that fails gives the slice back", async () => {
  await using bed = await Testbed.sink();
  using area = Area.map({ bytes: 1 << 20 });
  using socket = Socket.udp(bed.near).connect(bed.far.address(9000));
  const zeroCopy = new MessageZeroCopy(socket);
  const tooLong = area.slice(0, 70_000);
  assertEquals(assertThrows(() => zeroCopy.send(tooLong), UringError).code, "EMSGSIZE");
  assertEquals(tooLong.state, "free");
  assertEquals(zeroCopy.counts, { sent: 0, notified: 0, copied: 0, ranges: 0 });
  socket.close();
  assertThrows(() => zeroCopy.send(area.slice(0, 10)), ClosedError);
  assertEquals(area.inFlight, 0);
});

Deno.test("MSG_ZEROCOPY sends the pieces of a slice with one call", async () => {
  await using bed = await Testbed.loopback();
  await using ring = Ring.open();
  using area = Area.map({ bytes: 1 << 16 });
  using receiver = Socket.udp(bed.far).bind(bed.far.address(9000));
  using sender = Socket.udp(bed.near).connect(bed.far.address(9000));
  const outgoing = area.slice(0, 8000).write(Uint8Array.from({ length: 8000 }, (_, i) => i >> 3));
  const expected = outgoing.bytes.slice();
  const incoming = area.slice(16_384, 4096);
  const zeroCopy = new MessageZeroCopy(sender);
  assertEquals(zeroCopy.sendEach(outgoing, 500, 1000), 8);
  assertThrows(() => outgoing.bytes, OwnershipError);
  for (let i = 0; i < 8; i++) {
    assertEquals(receiver.receive(incoming), 500);
    assertEquals(incoming.bytes.slice(0, 500), expected.slice(i * 1000, i * 1000 + 500));
  }
  await reapAll(ring, sender, zeroCopy);
  const { sent, notified, copied } = zeroCopy.counts;
  assertEquals({ sent, notified, copied }, { sent: 8, notified: 8, copied: 8 });
  assertEquals(outgoing.state, "free");

  const long = area.slice(0, 65_536);
  assertThrows(() => zeroCopy.sendEach(long, 65_536), UringError, "EMSGSIZE");
  assertEquals(long.state, "free");
  using stream = Socket.tcp(bed.near);
  assertThrows(() => new MessageZeroCopy(stream).sendEach(long, 100), TypeError, "UDP");
});
