import { assertEquals, assertMatch, assertRejects, assertThrows } from "@std/assert";
import { Area, CQE, Message, MSG, OwnershipError, Ring, Socket, Testbed } from "zclab";
import { bytesOf, connectTcp, connectUdp, reapAll, textOf } from "../connections.ts";
import { test } from "../../needs.ts";

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
  Deno.test(`sendMsg() gathers and recvMsg() scatters and tells the sender (IPv${family})`, async () => {
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
      const received = ring.recvMsg(receiver, incoming);
      assertEquals(await ring.sendMsg(sender, outgoing), 11);
      assertEquals(await received, 11);
      assertEquals(textOf(area.slice(4096, 4).bytes), "hell");
      assertEquals(textOf(area.slice(5000, 7).bytes), "o world");
      assertEquals(incoming.address, sender.localAddress);
    }

    // Another sender, through the batch API, and without copying.
    using other = Socket.udp(bed.near, { family }).bind(bed.near.address(0, family));
    ring.batch.recvMsg(receiver, incoming, 1).sendMsgZc(other, outgoing, 2);
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
  assertEquals([await ring.recvMsg(stream.far, message), message.address], [5, undefined]);
  await ring.send(connection.near, area.slice(0, 6));
  assertEquals(await ring.recvMsg(connection.far, message), 6);
  assertEquals(message.address, connection.near.localAddress);
  await ring.send(stream.near, area.slice(0, 7));
  assertEquals([await ring.recvMsg(stream.far, message), message.address], [7, undefined]);
  await ring.send(connection.near, area.slice(0, 8));
  ring.batch.recvMsg(connection.far, message);
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
  assertThrows(() => ring.batch.sendMsg(connection.near, message), OwnershipError, "SENDMSG");
  assertThrows(() => ring.batch.recvMsg(connection.far, message), OwnershipError, "RECVMSG");
  assertEquals([free.state, busy.state, area.inFlight], ["free", "in flight", 1]);
  assertEquals(ring.batch.prepared, 0);

  // The same slice twice: fine to send, impossible to receive into.
  const twice = new Message([free, free]);
  assertThrows(() => ring.batch.recvMsg(connection.far, twice), OwnershipError);
  assertEquals(free.state, "free");
  ring.batch.sendMsg(connection.near, twice, 5);
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
  const received = ring.recvMsg(connection.far, Message.receiver(slices));
  assertEquals(slices.map(({ state }) => state), ["in flight", "in flight"]);
  assertThrows(() => slices[1]!.bytes, OwnershipError, "for RECVMSG");
  await ring.send(connection.near, area.slice(200, 12));
  assertEquals(await received, 12);
  assertEquals(slices.map(({ state }) => state), ["free", "free"]);
});

test("sendVectorized() and sendVectorizedZc() send the slices in order", {
  needs: ["IORING_SEND_VECTORIZED"],
}, async () => {
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
});

for (const family of [4, 6] as const) {
  Deno.test(`A message tells in which pieces UDP_GRO received it (IPv${family})`, async () => {
    using bed = await Testbed.loopback();
    using ring = Ring.open();
    using area = Area.map({ bytes: 1 << 18 });
    using connection = connectUdp(bed, family);
    const { near, far } = connection;
    far.setOption("UDP_GRO", true);
    const message = Message.receiver([area.slice(1 << 17, 1000), area.slice(1 << 16, 1 << 16)]);
    assertEquals([message.segmentBytes, message.truncated, message.flags], [undefined, false, 0]);
    const receive = async (batch: boolean): Promise<number> => {
      if (!batch) return await ring.recvMsg(far, message, { timeout: 5000 });
      ring.batch.recvMsg(far, message);
      return reapAll(ring)[0]![1];
    };
    for (const batch of [false, true]) {
      near.setOption("UDP_SEGMENT", 1000).sendBlocking(area.slice(0, 3500));
      assertEquals([await receive(batch), message.segmentBytes], [3500, 1000]);
      assertEquals(message.address, near.localAddress);
      assertEquals(
        Deno.inspect(message),
        "Message { slices: 2, length: 66536, segment bytes: 1000 }",
      );
      // One datagram has no segments, and what was said of the last message is not said of this one.
      near.setOption("UDP_SEGMENT", 0).sendBlocking(area.slice(0, 700));
      assertEquals([await receive(batch), message.segmentBytes], [700, undefined]);
      near.setOption("UDP_SEGMENT", 65).sendBlocking(area.slice(0, 650));
      assertEquals([await receive(batch), message.segmentBytes], [650, 65]);
    }
    assertMatch(display(message), /segment bytes.*65/s);
    // While it is received into, and when that came to nothing, it says nothing of the one before.
    const aborted = new AbortController();
    const pending = ring.recvMsg(far, message, { signal: aborted.signal });
    assertEquals([message.segmentBytes, message.flags], [undefined, 0]);
    aborted.abort();
    await assertRejects(() => pending, DOMException, "aborted");
    assertEquals([message.segmentBytes, message.truncated], [undefined, false]);
  });
}

Deno.test("A message tells that a datagram was longer than its slices", async () => {
  using bed = await Testbed.loopback();
  using ring = Ring.open();
  using area = Area.map({ bytes: 8192 });
  using connection = connectUdp(bed);
  const { near, far } = connection;
  const message = Message.receiver([area.slice(4096, 60), area.slice(5000, 40)]);
  const rounds = [[1000, 0, 100, true], [100, 0, 100, false], [101, MSG.TRUNC, 101, true]] as const;
  for (const [length, flags, result, truncated] of rounds) {
    for (const batch of [false, true]) {
      near.sendBlocking(area.slice(0, length));
      if (batch) {
        ring.batch.recvMsg(far, message, 0, flags);
        assertEquals(reapAll(ring)[0]![1], result);
      } else assertEquals(await ring.recvMsg(far, message, { flags, timeout: 5000 }), result);
      assertEquals([message.truncated, (message.flags & MSG.TRUNC) !== 0], [truncated, truncated]);
      assertEquals(message.controlTruncated, false);
      const text = truncated ? ", truncated: true" : "";
      assertEquals(Deno.inspect(message), `Message { slices: 2, length: 100${text} }`);
    }
  }
  assertMatch(display(message), /truncated.*true/s);
});

Deno.test("A message without an address tells the same", async () => {
  using bed = await Testbed.loopback();
  using ring = Ring.open();
  using area = Area.map({ bytes: 8192 });
  using connection = connectUdp(bed);
  connection.far.setOption("UDP_GRO", true);
  connection.near.setOption("UDP_SEGMENT", 100).sendBlocking(area.slice(0, 1000));
  const message = new Message([area.slice(4096, 500)]);
  assertEquals(await ring.recvMsg(connection.far, message, { timeout: 5000 }), 500);
  assertEquals(
    [message.truncated, message.segmentBytes, message.address],
    [true, 100, undefined],
  );
});

Deno.test("A message tells how many datagrams were dropped before it (SO_RXQ_OVFL)", async () => {
  using bed = await Testbed.loopback();
  using ring = Ring.open();
  using area = Area.map({ bytes: 1 << 16 });
  using connection = connectUdp(bed);
  const { near, far } = connection;
  far.setOption("SO_RXQ_OVFL", true).setOption("SO_RCVBUF", 8192);
  const message = Message.receiver([area.slice(1 << 15, 4096)]);
  near.sendBlocking(area.slice(0, 10));
  assertEquals(await ring.recvMsg(far, message, { timeout: 5000 }), 10);
  assertEquals(message.dropped, undefined);
  for (let i = 0; i < 100; i++) near.sendBlocking(area.slice(0, 1000));
  let received = 0;
  while (far.tryReceive(area.slice(1 << 15, 4096)) !== undefined) received++;
  near.sendBlocking(area.slice(0, 11));
  assertEquals(await ring.recvMsg(far, message, { timeout: 5000 }), 11);
  assertEquals(message.dropped, 100 - received);
  assertMatch(Deno.inspect(message), /dropped: \d+/);
});

Deno.test("Socket.receive() tells the length of a datagram that does not fit, with MSG.TRUNC", async () => {
  using bed = await Testbed.loopback();
  using ring = Ring.open();
  using area = Area.map({ bytes: 8192 });
  using connection = connectUdp(bed);
  const { near, far } = connection;
  const slice = area.slice(4096, 100);
  for (let i = 0; i < 3; i++) near.sendBlocking(area.slice(0, 1000));
  assertEquals(far.tryReceive(slice), 100);
  assertEquals(far.tryReceive(slice, { flags: MSG.TRUNC | MSG.PEEK }), 1000);
  assertEquals(far.tryReceive(slice, { flags: MSG.TRUNC }), 1000);
  assertEquals(far.tryReceive(slice, { flags: MSG.PEEK }), 100);
  assertEquals(await ring.recv(far, slice, { flags: MSG.TRUNC, timeout: 5000 }), 1000);
  for (const flags of [MSG.WAITALL, MSG.ZEROCOPY, -1, 0.5, NaN, 2 ** 32, "2"]) {
    assertThrows(() => far.tryReceive(slice, { flags: flags as number }), RangeError, "MSG.TRUNC");
  }
  using stream = await connectTcp(ring, bed);
  assertThrows(() => stream.far.tryReceive(slice, { flags: MSG.TRUNC }), TypeError, "is for UDP");
});

/** What a notebook shows of a message. */
function display(message: Message): string {
  const show = Reflect.get(message, Symbol.for("Jupyter.display")) as () => {
    "text/html": string;
  };
  return show.call(message)["text/html"];
}
