import { assertEquals, assertThrows } from "@std/assert";
import { Area, CQE, kernelIsAtLeast, Message, OwnershipError, Ring, Socket, Testbed } from "zclab";
import { bytesOf, connectTcp, connectUdp, reapAll, textOf } from "./connections.ts";

Deno.test("Message is the sum of its slices", () => {
  using area = Area.map({ bytes: 4096 });
  const message = new Message([area.slice(0, 8), area.slice(100, 0), area.slice(1024, 100)]);
  assertEquals([message.slices, message.length, message.address], [3, 108, undefined]);
  assertEquals(Deno.inspect(message), "Message { slices: 3, length: 108 }");
  const to = { host: "fd00::2", port: 9000 };
  assertEquals(new Message([area.slice()], { to }).address, to);
});

Deno.test("Message refuses no slice, more than 1024, and an address that is none", () => {
  using area = Area.map({ bytes: 4096 });
  const slice = area.slice(0, 1);
  assertThrows(() => new Message([]), RangeError, "1 to 1024 slices, got 0");
  assertThrows(() => new Message(new Array(1025).fill(slice)), RangeError, "got 1025");
  assertThrows(
    () => new Message([slice], { to: { host: "somewhere", port: 1 } }),
    RangeError,
    "numeric",
  );
});

for (const family of [4, 6] as const) {
  Deno.test(`sendmsg() gathers and recvmsg() scatters and tells the sender (IPv${family})`, async () => {
    using bed = await Testbed.loopback();
    using ring = Ring.open();
    using area = Area.map({ bytes: 8192 });
    using receiver = Socket.udp(bed.far, { family }).bind(bed.far.address(0, family));
    using sender = Socket.udp(bed.near, { family }).bind(bed.near.address(0, family));
    const pieces = [area.slice(10, 5), area.slice(2000, 6)];
    pieces[0]!.write(bytesOf("hello"));
    pieces[1]!.write(bytesOf(" world"));
    const outgoing = new Message(pieces, { to: receiver.localAddress! });
    const incoming = Message.receiver([area.slice(4096, 4), area.slice(5000, 100)]);
    assertEquals(incoming.address, undefined);

    for (let round = 0; round < 2; round++) {
      const received = ring.recvmsg(receiver, incoming);
      assertEquals(await ring.sendmsg(sender, outgoing), 11);
      assertEquals(await received, 11);
      assertEquals(textOf(area.slice(4096, 4).bytes), "hell");
      assertEquals(textOf(area.slice(5000, 7).bytes), "o world");
      assertEquals(incoming.address, sender.localAddress);
    }

    // Another sender, through the batch face, and without copying.
    using other = Socket.udp(bed.near, { family }).bind(bed.near.address(0, family));
    ring.batch.recvmsg(receiver, incoming, 1).sendmsgZc(other, outgoing, 2);
    const completions = reapAll(ring);
    assertEquals(completions.length, 3);
    for (const [, result, flags] of completions) {
      if ((flags & CQE.NOTIF) === 0) assertEquals(result, 11);
    }
    assertEquals(incoming.address, other.localAddress);
  });
}

Deno.test("A message learns its sender anew each time, also after one without an address", async () => {
  using bed = await Testbed.loopback();
  using ring = Ring.open();
  using area = Area.map({ bytes: 4096 });
  using stream = await connectTcp(ring, bed);
  using connection = connectUdp(bed);
  const message = Message.receiver([area.slice(2048, 100)]);
  await ring.send(stream.near, area.slice(0, 5));
  assertEquals([await ring.recvmsg(stream.far, message), message.address], [5, undefined]);
  await ring.send(connection.near, area.slice(0, 6));
  assertEquals(await ring.recvmsg(connection.far, message), 6);
  assertEquals(message.address, connection.near.localAddress);
  await ring.send(stream.near, area.slice(0, 7));
  assertEquals([await ring.recvmsg(stream.far, message), message.address], [7, undefined]);
  await ring.send(connection.near, area.slice(0, 8));
  ring.batch.recvmsg(connection.far, message);
  assertEquals(reapAll(ring).map(([, result]) => result), [8]);
  assertEquals(message.address, connection.near.localAddress);
});

Deno.test("A message takes all of its slices or none", async () => {
  using bed = await Testbed.loopback();
  using connection = connectUdp(bed);
  using ring = Ring.open();
  using area = Area.map({ bytes: 4096 });
  const [free, busy] = [area.slice(0, 10), area.slice(100, 10)];
  ring.batch.recv(connection.far, busy).submit();

  const message = new Message([free, busy]);
  assertThrows(() => ring.batch.sendmsg(connection.near, message), OwnershipError, "SENDMSG");
  assertThrows(() => ring.batch.recvmsg(connection.far, message), OwnershipError, "RECVMSG");
  assertEquals([free.state, busy.state, area.inFlight], ["free", "in flight", 1]);
  assertEquals(ring.batch.prepared, 0);

  // The same slice twice: fine to send, impossible to receive into.
  const twice = new Message([free, free]);
  assertThrows(() => ring.batch.recvmsg(connection.far, twice), OwnershipError);
  assertEquals(free.state, "free");
  ring.batch.sendmsg(connection.near, twice, 5);
  const results = reapAll(ring).map(([userData, result]) => [userData, result]);
  assertEquals(results.toSorted(), [[0, 10], [5, 20]]);
  assertEquals([free.state, busy.state, area.inFlight], ["free", "free", 0]);
});

Deno.test("A message is in flight, and free afterwards, with all of its slices", async () => {
  using bed = await Testbed.loopback();
  using connection = connectUdp(bed);
  using ring = Ring.open();
  using area = Area.map({ bytes: 4096 });
  const slices = [area.slice(0, 10), area.slice(100, 10)];
  const received = ring.recvmsg(connection.far, Message.receiver(slices));
  assertEquals(slices.map(({ state }) => state), ["in flight", "in flight"]);
  assertThrows(() => slices[1]!.bytes, OwnershipError, "for RECVMSG");
  await ring.send(connection.near, area.slice(200, 12));
  assertEquals(await received, 12);
  assertEquals(slices.map(({ state }) => state), ["free", "free"]);
});

Deno.test({
  name: "sendVectorized() and sendVectorizedZc() send the slices in order" +
    " (IORING_SEND_VECTORIZED, Linux 6.17)",
  ignore: !kernelIsAtLeast("6.17"),
  async fn(): Promise<void> {
    using bed = await Testbed.loopback();
    using connection = connectUdp(bed);
    using ring = Ring.open();
    using area = Area.map({ bytes: 8192 });
    const pieces = [area.slice(3, 2), area.slice(1000, 3), area.slice(10, 1)];
    pieces.forEach((piece, i) => piece.write(bytesOf(["ab", "cde", "f"][i]!)));
    const message = new Message(pieces);
    const { near, far } = connection;
    const incoming = area.slice(4096, 100);
    const receive = async (): Promise<string> =>
      textOf(incoming.bytes.subarray(0, await ring.recv(far, incoming)));

    assertEquals(await ring.sendVectorized(near, message), 6);
    assertEquals(await receive(), "abcdef");
    const { bytes, released } = await ring.sendVectorizedZc(near, message);
    assertEquals([bytes, await receive(), (await released).copied], [6, "abcdef", true]);
    ring.batch.sendVectorized(near, message, 1).sendVectorizedZc(near, message, 2);
    const sent = reapAll(ring).filter(([, , flags]) => (flags & CQE.NOTIF) === 0);
    assertEquals(sent.map(([userData, result]) => [userData, result]), [[1, 6], [2, 6]]);
    assertEquals([await receive(), await receive()], ["abcdef", "abcdef"]);
  },
});
