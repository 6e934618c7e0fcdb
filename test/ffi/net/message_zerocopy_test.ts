import { assert, assertEquals, assertMatch, assertStringIncludes, assertThrows } from "@std/assert";
import {
  Area,
  ClosedError,
  MessageZeroCopy,
  MSG,
  OwnershipError,
  POLL,
  Ring,
  type Slice,
  Socket,
  Testbed,
  UringError,
} from "zclab";
import { addressHigh, addressLow } from "../../../ffi/memory/area.ts";
import { sendThrough } from "../../../ffi/net/message_zerocopy.ts";
import { native } from "../../../ffi/kernel/native.ts";
import { runInNamespace } from "../../../labs/kit/testbed/namespace_command.ts";
import { Random } from "../../../labs/kit/trials/random.ts";
import { connectTcp, connectUdp, until } from "../connections.ts";
import { test } from "../../needs.ts";

/** Gives the near end's interface another queueing discipline. What the old one holds is dropped. */
async function queueAt(bed: Testbed, discipline: string): Promise<void> {
  const { namespace, interface: name } = bed.near;
  const words = `qdisc replace dev ${name} root ${discipline}`.split(" ");
  await runInNamespace(namespace, "tc", words);
}

/** A queue that lets one packet out, and then holds so many bytes. */
function holding(bytes: number, packet = 1100): string {
  return `tbf rate 8bit burst ${packet} limit ${bytes}`;
}

/** The code of the error that a call throws. */
function codeOf(call: () => unknown): string {
  return assertThrows(call, UringError).code;
}

/** Reaps until no more than so many are out, soon. */
async function reapTo(zeroCopy: MessageZeroCopy, most: number): Promise<void> {
  await until(`no more than ${most} are out`, () => {
    zeroCopy.reap();
    return zeroCopy.outstanding <= most;
  });
}

async function reapAll(ring: Ring, socket: Socket, zeroCopy: MessageZeroCopy): Promise<void> {
  while (zeroCopy.outstanding > 0) {
    if (zeroCopy.reap() === 0) await ring.poll(socket, POLL.ERR, { timeout: 5000 });
  }
}

/** Everything that is out is released. */
async function settle(zeroCopy: MessageZeroCopy): Promise<void> {
  await reapTo(zeroCopy, 0);
  const { sent, notified } = zeroCopy.counts;
  assertEquals(notified, sent);
}

test("MSG_ZEROCOPY into a sink is not copied, and the kernel merges ranges", {
  needs: ["ifb"],
}, async () => {
  await using bed = await Testbed.sink();
  await using ring = Ring.open();
  using area = Area.map({ bytes: 1 << 20 });
  for (const family of [4, 6] as const) {
    using socket = Socket.udp(bed.near, { family }).connect(bed.far.address(9000, family));
    const zeroCopy = new MessageZeroCopy(socket);
    for (const chunk of area.chunks(1000).slice(0, 900)) {
      assertEquals(zeroCopy.sendBlocking(chunk), 1000);
    }
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
  using sender = Socket.tcp(bed.near).connectBlocking(bed.far.address(9000));
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
      sent += zeroCopy.sendBlocking(outgoing.slice(sent, Math.min(65536, outgoing.length - sent)));
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

test("MSG_ZEROCOPY owns its slices until they are reaped", {
  needs: ["ifb"],
}, async () => {
  await using bed = await Testbed.sink();
  using area = Area.map({ bytes: 8192 });
  using socket = Socket.udp(bed.near).connect(bed.far.address(9000));
  const zeroCopy = new MessageZeroCopy(socket);
  const slice = area.slice(0, 1000);
  zeroCopy.sendBlocking(slice);
  const error = assertThrows(() => slice.bytes, OwnershipError);
  assertStringIncludes(error.message, "MSG_ZEROCOPY");
  assertThrows(() => area.slice(500, 1000).bytes, OwnershipError);
  await reapTo(zeroCopy, 0);
  assertEquals(slice.bytes.length, 1000);
});

test("MSG_ZEROCOPY that fails gives the slice back", {
  needs: ["ifb"],
}, async () => {
  await using bed = await Testbed.sink();
  using area = Area.map({ bytes: 1 << 20 });
  using socket = Socket.udp(bed.near).connect(bed.far.address(9000));
  const zeroCopy = new MessageZeroCopy(socket);
  const tooLong = area.slice(0, 70_000);
  assertEquals(assertThrows(() => zeroCopy.sendBlocking(tooLong), UringError).code, "EMSGSIZE");
  assertEquals(tooLong.state, "free");
  assertEquals(zeroCopy.counts, { sent: 0, notified: 0, copied: 0, ranges: 0 });
  socket.close();
  assertThrows(() => zeroCopy.sendBlocking(area.slice(0, 10)), ClosedError);
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
  assertEquals(zeroCopy.sendEachBlocking(outgoing, 500, 1000), 8);
  assertThrows(() => outgoing.bytes, OwnershipError);
  for (let i = 0; i < 8; i++) {
    assertEquals(receiver.tryReceive(incoming), 500);
    assertEquals(incoming.bytes.slice(0, 500), expected.slice(i * 1000, i * 1000 + 500));
  }
  await reapAll(ring, sender, zeroCopy);
  const { sent, notified, copied } = zeroCopy.counts;
  assertEquals({ sent, notified, copied }, { sent: 8, notified: 8, copied: 8 });
  assertEquals(outgoing.state, "free");

  const long = area.slice(0, 65_536);
  assertThrows(() => zeroCopy.sendEachBlocking(long, 65_536), UringError, "EMSGSIZE");
  assertEquals(long.state, "free");
  using stream = Socket.tcp(bed.near);
  assertThrows(() => new MessageZeroCopy(stream).sendEachBlocking(long, 100), TypeError, "UDP");
});

for (const family of [4, 6] as const) {
  test(`MSG_ZEROCOPY that a full queue drops has used a number (IPv${family})`, {
    needs: ["ifb"],
  }, async () => {
    await using bed = await Testbed.sink();
    using area = Area.map({ bytes: 1 << 16 });
    using socket = Socket.udp(bed.near, { family }).connect(bed.far.address(9000, family));
    socket.setOption(family === 4 ? "IP_RECVERR" : "IPV6_RECVERR", true);
    const zeroCopy = new MessageZeroCopy(socket);
    const [dropped, later, last] = area.chunks(1000) as [Slice, Slice, Slice];
    await queueAt(bed, "pfifo limit 0");
    for (let i = 0; i < 3; i++) {
      const error = assertThrows(() => zeroCopy.sendBlocking(dropped), UringError);
      assertEquals([error.code, dropped.state, zeroCopy.outstanding], ["ENOBUFS", "free", 0]);
      assertMatch(error.meaning, /queue on the way is full/);
      assertEquals(error.advice.includes("ulimit"), false);
    }
    await queueAt(bed, "noqueue");
    zeroCopy.sendBlocking(later);
    zeroCopy.sendBlocking(last);
    await settle(zeroCopy);
    assertEquals([zeroCopy.counts.sent, later.state, last.state], [2, "free", "free"]);
    assertEquals(area.inFlight, 0);
  });
}

test("MSG_ZEROCOPY sends behind one that failed are released one by one", {
  needs: ["ifb"],
}, async () => {
  await using bed = await Testbed.sink();
  using area = Area.map({ bytes: 1 << 20 });
  using socket = Socket.udp(bed.near).connect(bed.far.address(9000)).setOption("IP_RECVERR", true);
  const zeroCopy = new MessageZeroCopy(socket);
  const slices = area.chunks(4096).slice(0, 8).map((chunk) => chunk.slice(0, 1000));
  await queueAt(bed, holding(3500));
  const states = slices.map((slice): string => {
    try {
      zeroCopy.sendBlocking(slice);
    } catch (error) {
      assertEquals((error as UringError).code, "ENOBUFS");
    }
    return slice.state;
  });
  assertEquals(states.slice(4), ["free", "free", "free", "free"]);
  // One passes, three are held, the others were dropped; and so it stays while they are held.
  await reapTo(zeroCopy, 3);
  const held = ["free", "in flight", "in flight", "in flight", "free", "free", "free", "free"];
  for (let i = 0; i < 3; i++) zeroCopy.reap();
  assertEquals(slices.map(({ state }): string => state), held);
  assertEquals([zeroCopy.counts.sent, zeroCopy.counts.notified], [4, 1]);
  // Other failures leave them alone.
  assertEquals(codeOf(() => zeroCopy.sendBlocking(area.slice(500_000, 70_000))), "EMSGSIZE");
  assertEquals(slices.map(({ state }): string => state), held);
  assertEquals(area.inFlight, 3);
  await queueAt(bed, "noqueue");
  await settle(zeroCopy);
  assertEquals(area.inFlight, 0);
});

test("MSG_ZEROCOPY dropped in part stays in flight while its first part is held", {
  needs: ["ifb"],
}, async () => {
  await using bed = await Testbed.sink({ mtu: 1500 });
  using area = Area.map({ bytes: 1 << 16 });
  using socket = Socket.udp(bed.near).connect(bed.far.address(9000)).setOption("IP_RECVERR", true);
  const zeroCopy = new MessageZeroCopy(socket);
  const [first, second, third] = area.chunks(16_384).map((chunk) => chunk.slice(0, 2800)) as [
    Slice,
    Slice,
    Slice,
  ];
  // Of two fragments each: one passes and one is held; then one is held and one is dropped.
  await queueAt(bed, holding(2950, 1600));
  zeroCopy.sendBlocking(first);
  assertEquals(codeOf(() => zeroCopy.sendBlocking(second)), "ENOBUFS");
  assertEquals([first.state, second.state], ["in flight", "in flight"]);
  assertEquals([zeroCopy.counts.sent, zeroCopy.outstanding], [1, 2]);
  assertEquals(codeOf(() => zeroCopy.sendBlocking(third)), "ENOBUFS");
  for (let i = 0; i < 3; i++) zeroCopy.reap();
  assertEquals([first.state, second.state], ["in flight", "in flight"]);
  await queueAt(bed, "noqueue");
  zeroCopy.sendBlocking(third);
  await settle(zeroCopy);
  assertEquals([zeroCopy.counts.sent, area.inFlight], [2, 0]);
});

for (const place of ["first", "in the middle", "last"] as const) {
  test(`MSG_ZEROCOPY of a datagram without bytes, ${place}`, {
    needs: ["ifb"],
  }, async () => {
    for (const family of [4, 6] as const) {
      await using bed = await Testbed.sink();
      using area = Area.map({ bytes: 1 << 16 });
      using socket = Socket.udp(bed.near, { family }).connect(bed.far.address(9000, family));
      const zeroCopy = new MessageZeroCopy(socket);
      const full = area.chunks(4096).slice(0, 4);
      const empty = area.slice(0, 0);
      const at = { first: 0, "in the middle": 2, last: 4 }[place];
      for (const slice of full.toSpliced(at, 0, empty, empty)) {
        assertEquals(zeroCopy.sendBlocking(slice), slice.length);
      }
      await settle(zeroCopy);
      assertEquals([zeroCopy.counts.sent, zeroCopy.counts.copied, area.inFlight], [6, 0, 0]);
    }
  });
}

Deno.test("MSG_ZEROCOPY of no bytes over TCP is nothing, and leaves the numbers alone", async () => {
  await using bed = await Testbed.pair();
  using ring = Ring.open();
  using area = Area.map({ bytes: 1 << 16 });
  using connection = await connectTcp(ring, bed);
  const zeroCopy = new MessageZeroCopy(connection.near);
  for (const length of [0, 100, 0, 0, 200, 0]) {
    assertEquals(zeroCopy.sendBlocking(area.slice(0, length)), length);
  }
  await settle(zeroCopy);
  assertEquals([zeroCopy.counts.sent, area.inFlight], [2, 0]);
});

Deno.test("MSG_ZEROCOPY that meets a pending error has used no number", async () => {
  using bed = await Testbed.loopback();
  using area = Area.map({ bytes: 1 << 16 });
  for (const reports of [false, true]) {
    using nobody = Socket.udp(bed.far).bind(bed.far.address(0));
    using sender = Socket.udp(bed.near).connect(nobody.localAddress!);
    sender.setOption("IP_RECVERR", reports);
    nobody.close();
    const zeroCopy = new MessageZeroCopy(sender);
    let refused = 0;
    for (let i = 0; i < 20; i++) {
      try {
        zeroCopy.sendBlocking(area.slice(i * 1000, 1000));
      } catch (error) {
        assertEquals((error as UringError).code, "ECONNREFUSED");
        refused++;
      }
      if (i % 3 === 0) zeroCopy.reap();
    }
    assert(refused > 0);
    await settle(zeroCopy);
    assertEquals([zeroCopy.counts.sent, area.inFlight], [20 - refused, 0]);
  }
});

Deno.test("MSG_ZEROCOPY after UDP is shut down, has no route, or no address", async () => {
  using bed = await Testbed.loopback();
  using area = Area.map({ bytes: 4096 });
  const slice = area.slice(0, 100);
  using unconnected = Socket.udp(bed.near);
  const first = new MessageZeroCopy(unconnected);
  for (let i = 0; i < 3; i++) {
    assertEquals(codeOf(() => first.sendBlocking(slice)), "EDESTADDRREQ");
    assertEquals([slice.state, first.outstanding], ["free", 0]);
  }
  using connection = connectUdp(bed);
  const second = new MessageZeroCopy(connection.near);
  second.sendBlocking(slice);
  connection.near.shutdown("write");
  assertEquals(codeOf(() => second.sendBlocking(slice)), "EPIPE");
  await settle(second);
  assertEquals([second.counts.sent, area.inFlight], [1, 0]);
});

Deno.test("MSG_ZEROCOPY into a corked datagram: several sends share it", async () => {
  using bed = await Testbed.loopback();
  using area = Area.map({ bytes: 1 << 17 });
  for (const family of [4, 6] as const) {
    using connection = connectUdp(bed, family);
    const { near, far } = connection;
    const zeroCopy = new MessageZeroCopy(near);
    const incoming = area.slice(1 << 16, 1 << 16);
    near.setOption("UDP_CORK", true);
    for (const length of [0, 100, 200, 0, 300]) zeroCopy.sendBlocking(area.slice(0, length));
    zeroCopy.reap();
    assertEquals(area.inFlight > 0, true);
    near.setOption("UDP_CORK", false);
    assertEquals(far.tryReceive(incoming), 600);
    await settle(zeroCopy);
    assertEquals([zeroCopy.counts.sent, area.inFlight], [5, 0]);

    // A part that does not fit any more: all of the datagram is dropped, and the numbers go on.
    near.setOption("UDP_CORK", true);
    zeroCopy.sendBlocking(area.slice(0, 40_000));
    assertEquals(codeOf(() => zeroCopy.sendBlocking(area.slice(40_000, 26_000))), "EMSGSIZE");
    near.setOption("UDP_CORK", false);
    zeroCopy.sendBlocking(area.slice(0, 1000));
    assertEquals(far.tryReceive(incoming), 1000);
    await settle(zeroCopy);
    assertEquals([zeroCopy.counts.sent, area.inFlight], [7, 0]);
  }
});

Deno.test("MSG_ZEROCOPY goes on with what MSG.MORE began", async () => {
  using bed = await Testbed.loopback();
  using ring = Ring.open();
  using area = Area.map({ bytes: 1 << 16 });
  using connection = connectUdp(bed);
  const zeroCopy = new MessageZeroCopy(connection.near);
  for (const lengths of [[100, 50], [100, 0], [0, 0]] as const) {
    await ring.send(connection.near, area.slice(0, lengths[0]), { flags: MSG.MORE });
    assertEquals(zeroCopy.sendBlocking(area.slice(1000, lengths[1])), lengths[1]);
    assertEquals(connection.far.tryReceive(area.slice(4096, 1000)), lengths[0] + lengths[1]);
  }
  zeroCopy.sendBlocking(area.slice(0, 10));
  await settle(zeroCopy);
  assertEquals([zeroCopy.counts.sent, area.inFlight], [4, 0]);
});

Deno.test("MSG_ZEROCOPY over TCP: no room, a part, a shutdown and a reset", async () => {
  await using bed = await Testbed.pair();
  using ring = Ring.open();
  using area = Area.map({ bytes: 8 << 20 });
  for (const end of ["shutdown", "reset"] as const) {
    using connection = await connectTcp(ring, bed, { receiveBuffer: 8192 });
    const { near, far } = connection;
    near.setOption("SO_SNDBUF", 1 << 20);
    const zeroCopy = new MessageZeroCopy(near);
    const { zclab_send } = native();
    const trySend = (slice: Slice): number =>
      sendThrough(zeroCopy, slice, (part) =>
        zclab_send(
          near.fd,
          addressLow(part) >>> 0,
          addressHigh(part),
          part.length,
          MSG.ZEROCOPY | MSG.DONTWAIT,
        ));
    let parts = 0;
    for (const chunk of area.chunks(1 << 18)) {
      const sent = trySend(chunk);
      if (sent === -11) assertEquals(chunk.state, "free");
      else if (sent < chunk.length) parts++;
    }
    assert(parts > 0);
    assertEquals(trySend(area.slice(0, 1000)), -11);
    const { sent } = zeroCopy.counts;
    if (end === "shutdown") near.shutdown("write");
    else far.close();
    const code = end === "shutdown" ? "EPIPE" : "ECONNRESET";
    assertEquals(codeOf(() => zeroCopy.sendBlocking(area.slice(0, 1000))), code);
    assertEquals(zeroCopy.counts.sent, sent);
    if (end === "reset") {
      await settle(zeroCopy);
      assertEquals(area.inFlight, 0);
      continue;
    }
    const incoming = Area.map({ bytes: 1 << 20 });
    while (await ring.recv(far, incoming.slice(), { timeout: 5000 }) > 0);
    await settle(zeroCopy);
    assertEquals(area.inFlight, 0);
  }
});

test("MSG_ZEROCOPY in pieces that stops in the middle", {
  needs: ["ifb"],
}, async () => {
  await using bed = await Testbed.sink();
  using area = Area.map({ bytes: 1 << 20 });
  using socket = Socket.udp(bed.near).connect(bed.far.address(9000)).setOption("IP_RECVERR", true);
  const zeroCopy = new MessageZeroCopy(socket);
  for (const [room, alone] of [[3500, false], [9500, true]] as const) {
    if (alone) zeroCopy.sendBlocking(area.slice(900_000, 1000));
    const { sent } = zeroCopy.counts;
    const slice = area.slice(0, 100 * 1000);
    await queueAt(bed, holding(room));
    assertEquals(codeOf(() => zeroCopy.sendEachBlocking(slice, 1000)), "ENOBUFS");
    const out = Math.floor(room / 1042) + 1;
    assertEquals([zeroCopy.counts.sent - sent, slice.state], [out, "in flight"]);
    await reapTo(zeroCopy, out - 1);
    assertEquals([zeroCopy.outstanding, slice.state], [out - 1, "in flight"]);
    // Nothing of it is free before the last of it is.
    assertThrows(() => area.slice(99 * 1000, 1000).bytes, OwnershipError);
    await queueAt(bed, "noqueue");
    assertEquals(zeroCopy.sendEachBlocking(area.slice(200_000, 50_000), 1000), 50);
    await settle(zeroCopy);
    assertEquals(area.inFlight, 0);
  }
});

test("MSG_ZEROCOPY on several sockets: each has its numbers", {
  needs: ["ifb"],
}, async () => {
  await using bed = await Testbed.sink();
  using area = Area.map({ bytes: 1 << 20 });
  const sockets = [1, 2, 3].map((port) =>
    Socket.udp(bed.near).connect(bed.far.address(port)).setOption("IP_RECVERR", true)
  );
  const all = sockets.map((socket) => new MessageZeroCopy(socket));
  for (const [i, zeroCopy] of all.entries()) {
    for (let n = 0; n <= i; n++) zeroCopy.sendBlocking(area.slice(0, 100 * n));
    await queueAt(bed, "pfifo limit 0");
    assertEquals(codeOf(() => zeroCopy.sendEachBlocking(area.slice(0, 1000), 100)), "ENOBUFS");
    await queueAt(bed, "noqueue");
    zeroCopy.sendBlocking(area.slice(0, 100));
  }
  for (const zeroCopy of all) await settle(zeroCopy);
  assertEquals(all.map(({ counts }) => counts.sent), [2, 3, 4]);
  assertEquals(area.inFlight, 0);
  const error = assertThrows(() => new MessageZeroCopy(sockets[0]!), OwnershipError);
  assertStringIncludes(error.message, "counted already");
  assertThrows(() => sockets[0]!.setOption("SO_ZEROCOPY", false), OwnershipError, "stays on");
  sockets[0]!.setOption("SO_ZEROCOPY", true);
  for (const socket of sockets) socket.close();
});

/** Sends of all kinds from regions of an area, each filled anew when it is free. */
class Churn {
  readonly seen = { free: 0, refused: 0, sent: 0 };
  readonly #regions: readonly Slice[];
  /** What was sent last from each. */
  readonly #sent: Slice[];
  readonly #tooLong: Slice;
  readonly #random: Random;

  constructor(area: Area, random: Random) {
    this.#regions = area.chunks(8192).slice(0, 24);
    this.#sent = [...this.#regions];
    this.#tooLong = area.slice(area.bytes - 65_535);
    this.#random = random;
  }

  step(zeroCopy: MessageZeroCopy, lengths: readonly number[], value: number): void {
    const random = this.#random;
    // Also when every region is out: then nothing else makes one free.
    if (random.below(3) === 0) zeroCopy.reap();
    const at = random.below(this.#regions.length);
    if (this.#sent[at]!.state !== "free") return;
    const region = this.#regions[at]!;
    region.bytes.fill(value);
    this.seen.free++;
    try {
      if (random.below(10) === 0) zeroCopy.sendBlocking(this.#tooLong);
      else if (random.below(5) === 0) zeroCopy.sendEachBlocking(this.#sent[at] = region, 700, 720);
      else {
        const length = lengths[random.below(lengths.length)]!;
        zeroCopy.sendBlocking(this.#sent[at] = region.slice(0, length));
      }
      this.seen.sent++;
    } catch (error) {
      assert(error instanceof UringError, String(error));
      this.seen.refused++;
    }
  }
}

Deno.test("MSG_ZEROCOPY: what arrives is what was sent, whatever fails in between", async () => {
  await using bed = await Testbed.pair({ mtu: 1500 });
  using area = Area.map({ bytes: 1 << 19 });
  using connection = connectUdp(bed);
  const { near, far } = connection;
  near.setOption("IP_RECVERR", true);
  far.setOption("SO_RCVBUF", 1 << 20);
  await queueAt(bed, "tbf rate 8mbit burst 4000 limit 9000");
  const zeroCopy = new MessageZeroCopy(near);
  const random = new Random(8);
  const churn = new Churn(area, random);
  const incoming = area.slice(300_000, 8192);
  let received = 0;
  const receive = (): void => {
    for (let length; (length = far.tryReceive(incoming)) !== undefined; received++) {
      // What is written to before its time would not have one value throughout.
      const bytes = incoming.bytes.subarray(0, length);
      assert(bytes.every((byte) => byte === bytes[0]), `${length} bytes`);
    }
  };
  // The queue is slower than the sender on any machine, and then refuses.
  const end = performance.now() + 120_000;
  for (let step = 0; Math.min(received, churn.seen.refused) < 200; step++) {
    churn.step(zeroCopy, [0, 1, 700, 1400, 1472], step);
    if (random.below(5) === 0) receive();
    if (random.below(20) === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    assert(performance.now() < end, `${received} received, ${Deno.inspect(churn.seen)}`);
  }
  await settle(zeroCopy);
  receive();
  assertEquals(area.inFlight, 0);
});

test("MSG_ZEROCOPY ends with everything free, also where fragments are dropped", {
  needs: ["ifb"],
}, async () => {
  await using bed = await Testbed.sink({ mtu: 1500 });
  using area = Area.map({ bytes: 1 << 19 });
  using socket = Socket.udp(bed.near).connect(bed.far.address(9000)).setOption("IP_RECVERR", true);
  const zeroCopy = new MessageZeroCopy(socket);
  const random = new Random(9);
  const churn = new Churn(area, random);
  for (let round = 0; round < 10 || churn.seen.refused < 100; round++) {
    await queueAt(bed, "tbf rate 8mbit burst 4000 limit 9000");
    for (let step = 0; step < 150; step++) {
      if (random.below(40) === 0) socket.setOption("UDP_CORK", random.below(2) === 0);
      churn.step(zeroCopy, [0, 1, 700, 1400, 2900, 5000], step);
      if (random.below(50) === 0) await new Promise((resolve) => setTimeout(resolve, 2));
    }
    socket.setOption("UDP_CORK", false);
    await queueAt(bed, "noqueue");
    await settle(zeroCopy);
    assertEquals(area.inFlight, 0);
    assert(round < 100, Deno.inspect(churn.seen));
  }
});
