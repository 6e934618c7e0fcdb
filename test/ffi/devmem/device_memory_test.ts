import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import {
  Area,
  ClosedError,
  type DeviceMemoryPiece,
  DeviceMemoryReceiver,
  DeviceMemoryTransmitter,
  Netdev,
  networkCounters,
  OwnershipError,
  pinThread,
  Ring,
  type Slice,
  Socket,
  Softnic,
  type SoftnicOptions,
  Testbed,
  UringError,
} from "zclab";
import { attribute } from "../../../ffi/net/netlink/attributes.ts";
import { GenericNetlink } from "../../../ffi/net/netlink/generic.ts";
import { runInNamespace } from "../../../labs/kit/testbed/namespace_command.ts";
import { inTime } from "../../until.ts";
import { type Connection, connectTcp, pattern, runModule } from "../connections.ts";
import { testsNeeding } from "../../needs.ts";

const test = testsNeeding("softnic");

/** The flow to this port is steered to queue 1. */
const STEERED = 9001;
/** The flow to this port is not, so that it comes in through queue 0. */
const UNSTEERED = 9002;

const MIB = 1 << 20;

/** Seconds that receiving a stream may take, with software emulation as well. */
const STREAM_SECONDS = 300;

/** Counters of the sending end that say that TCP may have sent something twice. */
const SENT_AGAIN = [
  "TcpExt.TCPLossProbes",
  "TcpExt.TCPFastRetrans",
  "TcpExt.TCPSlowStartRetrans",
  "TcpExt.TCPTimeouts",
  "TcpExt.TCPLostRetransmit",
] as const;

/** A testbed with what a test of receiving needs. */
interface Bench extends AsyncDisposable {
  readonly bed: Testbed;
  readonly nic: Softnic;
  readonly ring: Ring;
}

async function openBench(options: SoftnicOptions = {}): Promise<Bench> {
  const bed = await Testbed.softnic(options);
  const nic = await Softnic.of(bed.far);
  for (const family of [4, 6] as const) await nic.steer({ port: STEERED, queue: 1, family });
  const ring = Ring.open();
  return {
    bed,
    nic,
    ring,
    async [Symbol.asyncDispose](): Promise<void> {
      await ring[Symbol.asyncDispose]();
      bed.close();
    },
  };
}

function bindReceive(
  bed: Testbed,
  area: Area,
  queues: readonly number[] = [1],
): DeviceMemoryReceiver {
  return DeviceMemoryReceiver.open({
    area,
    interface: bed.far.interface,
    queues,
    place: bed.far,
  });
}

function bindTransmit(bed: Testbed, area: Area): DeviceMemoryTransmitter {
  return DeviceMemoryTransmitter.open({ area, interface: bed.near.interface, place: bed.near });
}

function connect(
  { bed, ring }: Bench,
  port: number = STEERED,
  family: 4 | 6 = 4,
): Promise<Connection> {
  return connectTcp(ring, bed, { port, family });
}

/** Sends data, all of it, copying, and ends the stream. */
async function sendAll(ring: Ring, socket: Socket, data: Uint8Array): Promise<void> {
  using area = Area.map({ bytes: data.length });
  const whole = area.slice(0, data.length).write(data);
  await sendSlice(ring, socket, whole);
  socket.shutdown("write");
}

async function sendSlice(ring: Ring, socket: Socket, slice: Slice): Promise<void> {
  for (let sent = 0; sent < slice.length;) {
    const part = slice.slice(sent, Math.min(1 << 16, slice.length - sent));
    sent += await inTime("a send", ring.send(socket, part));
  }
}

/** Receives until the end of the stream, releasing each piece. */
async function receiveAll(
  ring: Ring,
  receiver: DeviceMemoryReceiver,
  socket: Socket,
): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  const receiving = (async () => {
    for await (using piece of receiver.receive(socket, ring)) parts.push(piece.bytes.slice());
  })();
  await inTime("the end of a stream", receiving, STREAM_SECONDS);
  return join(parts);
}

function join(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

function sum(values: Iterable<number>): number {
  let all = 0;
  for (const value of values) all += value;
  return all;
}

/** Sends data over a new connection to queue 1 and receives it, and requires that it is the same. */
async function transfer(
  bench: Bench,
  receiver: DeviceMemoryReceiver,
  data: Uint8Array,
  family: 4 | 6 = 4,
): Promise<void> {
  using connection = await connect(bench, STEERED, family);
  const [got] = await Promise.all([
    receiveAll(bench.ring, receiver, connection.far),
    sendAll(bench.ring, connection.near, data),
  ]);
  assertEquals(got.length, data.length);
  assertEquals(got, data);
}

/** Packets that were consumed may wait on a processor until it receives another. */
async function receiveOnEveryProcessor(): Promise<void> {
  await using bed = await Testbed.loopback();
  using area = Area.map({ bytes: 4096 });
  for (let cpu = 0; cpu < navigator.hardwareConcurrency; cpu++) {
    using _pinned = pinThread(cpu);
    using receiver = Socket.udp(bed.far).bind(bed.far.address(0));
    using sender = Socket.udp(bed.near).connect(receiver.localAddress!);
    for (let i = 0; i < 100; i++) {
      sender.sendBlocking(area.slice(0, 64));
      receiver.tryReceive(area.slice(64, 64));
    }
  }
}

/** Waits until no page pool of a dma-buf is left. */
async function assertNoPoolLeft(bed: Testbed): Promise<void> {
  using netdev = Netdev.open(bed.far);
  for (let look = 0;; look++) {
    const pools = netdev.pagePools().filter(({ provider }) => provider === "dma-buf");
    if (pools.length === 0) return;
    if (look === 50) assertEquals(pools, []);
    await receiveOnEveryProcessor();
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/**
 * Requires that bytes were placed once each. In a slow guest TCP may send a segment again that was
 * only late, and that is then placed twice.
 */
async function assertPlacedOnce(bed: Testbed, placed: number, bytes: number): Promise<void> {
  const counters = await networkCounters(bed.near);
  const again = sum(SENT_AGAIN.map((name) => counters[name]!));
  if (again === 0) assertEquals(placed, bytes);
  else assert(placed >= bytes, `${placed} of ${bytes}, ${again} times again`);
}

// === Receiving ===

for (
  const { family, mtu, bytes } of [
    { family: 4, mtu: 1500, bytes: 4 * MIB + 12_345 },
    { family: 6, mtu: 1500, bytes: MIB },
    { family: 4, mtu: 9000, bytes: 4 * MIB },
    { family: 4, mtu: 4096 + 52, bytes: 4 * MIB },
  ] as const
) {
  test(`device memory receives IPv${family} at MTU ${mtu} without a copy`, async () => {
    await using bench = await openBench({ mtu });
    const { bed, nic } = bench;
    using area = Area.dmaBuf({ bytes: 8 * MIB });
    using receiver = bindReceive(bed, area);

    using netdev = Netdev.open(bed.far);
    const queues = netdev.queues(bed.far.interface).filter(({ type }) => type === "rx");
    assertEquals(queues.map(({ provider }) => provider), ["kernel", "dma-buf", "kernel", "kernel"]);
    assertEquals(queues[1]!.dmaBufId, receiver.id);
    const pools = netdev.pagePools(bed.far.interface);
    assertEquals(pools.filter(({ dmaBufId }) => dmaBufId === receiver.id).length, 1);

    await nic.clearPlacements();
    await transfer(bench, receiver, pattern(bytes, 3), family);
    const counts = receiver.counts;
    assertEquals(counts.dmaBufBytes, bytes);
    assertEquals([counts.linearBytes, counts.readableBytes], [0, 0]);
    assertEquals([counts.returned, receiver.held], [counts.pieces, 0]);
    // What the driver says of itself.
    const counters = await nic.counters();
    const placed = counters.rx1_user_bytes!;
    await assertPlacedOnce(bed, placed, bytes);
    assertEquals(counters.rx1_linear_payload_bytes, 0);
    const placements = await nic.placements();
    assertEquals(sum(placements.map(({ length }) => length)), placed);
    assertEquals(new Set(placements.map(({ queue }) => queue)), new Set([1]));
  });
}

test("device memory receives many times what the area holds, in the batch API", async () => {
  await using bench = await openBench();
  const { bed, ring } = bench;
  using area = Area.dmaBuf({ bytes: 4 * MIB });
  using receiver = bindReceive(bed, area);
  const memory = area.unsafeBytes();
  const data = pattern(8 * MIB, 5);
  using connection = await connect(bench);
  let received = 0;
  const kinds = new Set<string>();
  const reading = (async () => {
    while (true) {
      const length = receiver.each(connection.far, (kind, offset, length) => {
        kinds.add(kind);
        const piece = memory.subarray(offset, offset + length);
        assertEquals(piece, data.subarray(received, received + length));
        received += length;
      });
      if (length === 0) return;
      if (length === undefined) await inTime("data", ring.poll(connection.far, 1));
    }
  })();
  await Promise.all([reading, sendAll(ring, connection.near, data)]);
  assertEquals(received, data.length);
  assertEquals(kinds, new Set(["dma-buf"]));
  assertEquals(receiver.counts.returned, receiver.counts.pieces);
});

test("one area serves two queues, and one receiver several sockets", async () => {
  await using bench = await openBench();
  const { bed, nic, ring } = bench;
  await nic.steer({ port: STEERED + 10, queue: 2 });
  using area = Area.dmaBuf({ bytes: 8 * MIB });
  using receiver = bindReceive(bed, area, [1, 2]);
  assertEquals(receiver.queues, [1, 2]);
  using first = await connect(bench, STEERED);
  using second = await connect(bench, STEERED + 10);
  const data = [pattern(MIB, 1), pattern(MIB, 2)] as const;
  const [one, two] = await Promise.all([
    receiveAll(ring, receiver, first.far),
    receiveAll(ring, receiver, second.far),
    sendAll(ring, first.near, data[0]),
    sendAll(ring, second.near, data[1]),
  ]);
  assertEquals(one, data[0]);
  assertEquals(two, data[1]);
  const counters = await nic.counters();
  assert(counters.rx1_user_bytes! >= MIB && counters.rx2_user_bytes! >= MIB);
  await assertPlacedOnce(bed, counters.rx1_user_bytes! + counters.rx2_user_bytes!, 2 * MIB);
});

test("pieces are returned in any order, however many", async () => {
  await using bench = await openBench();
  const { bed, ring } = bench;
  using area = Area.dmaBuf({ bytes: 16 * MIB });
  using receiver = bindReceive(bed, area);
  using connection = await connect(bench);
  // More than the kernel takes back in one call: 1024 pieces, 128 runs of neighbours.
  const data = pattern(10 * MIB, 9);
  connection.far.setOption("SO_RCVBUFFORCE", 16 * MIB);
  const held: DeviceMemoryPiece[] = [];
  const reading = (async () => {
    for await (const piece of receiver.receive(connection.far, ring)) held.push(piece);
  })();
  await Promise.all([reading, sendAll(ring, connection.near, data)]);
  assert(held.length > 2 * 1024, `${held.length} pieces`);
  assertEquals(join(held.map(({ bytes }) => bytes)), data);
  assertEquals(receiver.held, held.length);
  assertEquals(new Set(held.map(({ token }) => token)).size, held.length);
  receiver.release(held.filter((_, index) => index % 2 === 0));
  assertEquals(receiver.held, Math.floor(held.length / 2));
  receiver.release(held.filter((_, index) => index % 2 === 1).reverse());
  assertEquals(receiver.held, 0);
  assertEquals(receiver.counts.returned, held.length);
  // The kernel has all of them again: what comes now needs every buffer twice.
  await transfer(bench, receiver, pattern(32 * MIB, 10));
});

test("an exhausted area holds the stream up, and loses nothing of it", async () => {
  await using bench = await openBench({ descriptors: 64 });
  const { bed, ring } = bench;
  using area = Area.dmaBuf({ bytes: 256 * 4096 });
  using receiver = bindReceive(bed, area);
  using connection = await connect(bench);
  connection.far.setOption("SO_RCVBUFFORCE", 16 * MIB);
  const data = pattern(2 * MIB, 11);
  const sending = sendAll(ring, connection.near, data);
  const parts: Uint8Array[] = [];
  const held: DeviceMemoryPiece[] = [];
  // Nothing is returned until nothing comes any more.
  for (let idle = 0; idle < 20;) {
    const pieces = receiver.tryReceive(connection.far);
    if (pieces === undefined) {
      idle++;
      await new Promise((resolve) => setTimeout(resolve, 20));
      continue;
    }
    idle = 0;
    held.push(...pieces);
  }
  const before = sum(held.map(({ length }) => length));
  assert(before > 0 && before < data.length, `${before} bytes in the first part`);
  for (const { bytes } of held) parts.push(bytes.slice());
  receiver.release(held);
  parts.push(await receiveAll(ring, receiver, connection.far));
  await sending;
  assertEquals(join(parts), data);
});

test("what comes in through another queue is copied, and counted as that", async () => {
  await using bench = await openBench();
  const { bed, nic, ring } = bench;
  using area = Area.dmaBuf({ bytes: 8 * MIB });
  using receiver = bindReceive(bed, area);
  using connection = await connect(bench, UNSTEERED);
  const data = pattern(MIB, 4);
  const kinds = new Set<string>();
  const parts: Uint8Array[] = [];
  const reading = (async () => {
    for await (const piece of receiver.receive(connection.far, ring)) {
      kinds.add(piece.kind);
      assertEquals([piece.token, piece.offset], [undefined, 0]);
      parts.push(piece.bytes);
      piece.release();
    }
  })();
  await Promise.all([reading, sendAll(ring, connection.near, data)]);
  assertEquals(join(parts), data);
  assertEquals(kinds, new Set(["readable"]));
  const { dmaBufBytes, readableBytes, linearBytes, pieces, returned } = receiver.counts;
  assertEquals([dmaBufBytes, readableBytes, linearBytes], [0, MIB, 0]);
  assertEquals([pieces, returned], [0, 0]);
  assertEquals((await nic.counters()).rx1_user_bytes, 0);
});

test("the batch API shows what was copied, too", async () => {
  await using bench = await openBench();
  const { bed, ring } = bench;
  using area = Area.dmaBuf({ bytes: 8 * MIB });
  using receiver = bindReceive(bed, area);
  using connection = await connect(bench, UNSTEERED);
  const data = pattern(100_000, 4);
  await sendAll(ring, connection.near, data);
  const parts: Uint8Array[] = [];
  for (let length: number | undefined = 1; length !== 0;) {
    length = receiver.each(connection.far, (kind, offset, length) => {
      assertEquals(kind, "readable");
      parts.push(receiver.copied.slice(offset, offset + length));
    });
    if (length === undefined) await ring.poll(connection.far, 1);
  }
  assertEquals(join(parts), data);
});

test("a flow into somebody else's dma-buf is refused, and returned", async () => {
  await using bench = await openBench();
  const { bed, nic, ring } = bench;
  await nic.steer({ port: STEERED + 10, queue: 2 });
  using area = Area.dmaBuf({ bytes: 8 * MIB });
  using other = Area.dmaBuf({ bytes: 8 * MIB });
  using receiver = bindReceive(bed, area, [1]);
  using wrong = bindReceive(bed, other, [2]);
  using connection = await connect(bench, STEERED + 10);
  await sendAll(ring, connection.near, pattern(4096));
  await ring.poll(connection.far, 1);
  const error = assertThrows(() => receiver.tryReceive(connection.far), UringError);
  assertEquals(error.operation, "recvmsg MSG_SOCK_DEVMEM");
  assertStringIncludes(error.meaning, `the dma-buf ${wrong.id} is bound to, not ${receiver.id}`);
  assertStringIncludes(error.advice, `ethtool -N ${bed.far.interface}`);
  assertEquals(receiver.counts.pieces, 0);
});

test("a plain receive of a flow in device memory fails with EFAULT", async () => {
  await using bench = await openBench();
  const { bed, ring } = bench;
  using area = Area.dmaBuf({ bytes: 8 * MIB });
  using receiver = bindReceive(bed, area);
  using plain = Area.map({ bytes: 4096 });
  using connection = await connect(bench);
  await sendAll(ring, connection.near, pattern(1000));
  await ring.poll(connection.far, 1);
  const error = assertThrows(() => connection.far.tryReceive(plain.slice()), UringError);
  assertEquals(error.code, "EFAULT");
  // Nothing is lost.
  const [piece] = receiver.tryReceive(connection.far)!;
  assertEquals(piece!.bytes, pattern(1000));
  piece!.release();
});

test("a receive without data says undefined, and one at the end nothing", async () => {
  await using bench = await openBench();
  using area = Area.dmaBuf({ bytes: 8 * MIB });
  using receiver = bindReceive(bench.bed, area);
  using connection = await connect(bench);
  assertEquals(receiver.tryReceive(connection.far), undefined);
  assertEquals(receiver.each(connection.far, () => {}), undefined);
  connection.near.shutdown("write");
  await bench.ring.poll(connection.far, 1);
  assertEquals(receiver.tryReceive(connection.far), []);
  assertEquals(receiver.each(connection.far, () => {}), 0);
  using fresh = Socket.tcp(bench.bed.far);
  const error = assertThrows(() => receiver.tryReceive(fresh), UringError);
  assertEquals(error.code, "ENOTCONN");
  connection.near.close();
});

// === Ownership ===

test("a piece is returned once, and read before that", async () => {
  await using bench = await openBench();
  const { bed, ring } = bench;
  using area = Area.dmaBuf({ bytes: 8 * MIB });
  using receiver = bindReceive(bed, area);
  using connection = await connect(bench);
  await sendAll(ring, connection.near, pattern(20_000));
  await ring.poll(connection.far, 1);
  const pieces = receiver.tryReceive(connection.far)!;
  assert(pieces.length > 2);
  const [first, second, third] = pieces as [
    DeviceMemoryPiece,
    DeviceMemoryPiece,
    DeviceMemoryPiece,
  ];
  assertEquals(first.state, "held");
  assertStringIncludes(Deno.inspect(first), `dma-buf, offset: ${first.offset}`);
  first.release();
  assertEquals(first.state, "released");
  assertThrows(() => first.release(), OwnershipError, "it was returned");
  assertThrows(() => first.bytes, OwnershipError, "The device has");
  // All or nothing.
  assertThrows(() => receiver.release([second, third, second]), OwnershipError, "is there twice");
  assertThrows(() => receiver.release([second, first]), OwnershipError, "it was returned");
  assertEquals([second.state, third.state], ["held", "held"]);
  using other = Area.dmaBuf({ bytes: 8 * MIB });
  using stranger = bindReceive(bed, other, [2]);
  assertThrows(() => stranger.release([second]), OwnershipError, "another receiver");
  receiver.release(pieces.slice(1));
  assertEquals(receiver.held, 0);
});

test("while an area is bound the device owns it", async () => {
  await using bench = await openBench();
  const { bed } = bench;
  const area = Area.dmaBuf({ bytes: 8 * MIB });
  const receiver = bindReceive(bed, area);
  const slice = area.slice(4096, 100);
  assertThrows(() => slice.bytes, OwnershipError, "NETDEV_CMD_BIND_RX");
  assertThrows(() => slice.write(Uint8Array.of(1)), OwnershipError);
  assertThrows(() => bindReceive(bed, area, [2]), OwnershipError, "The kernel owns");
  receiver.close();
  assertEquals(area.inFlight, 0);
  slice.write(Uint8Array.of(1));
  area.close();
});

test("closing returns what is held, and every method says that it is closed", async () => {
  await using bench = await openBench();
  const { bed, ring } = bench;
  const area = Area.dmaBuf({ bytes: 8 * MIB });
  const receiver = bindReceive(bed, area);
  using connection = await connect(bench);
  await sendAll(ring, connection.near, pattern(20_000));
  await ring.poll(connection.far, 1);
  const [piece] = receiver.tryReceive(connection.far)!;
  receiver.close();
  receiver.close();
  assertEquals(receiver.closed, true);
  assertEquals(Deno.inspect(receiver), "DeviceMemoryReceiver { closed }");
  assertEquals(piece!.state, "released");
  assertThrows(() => piece!.bytes, ClosedError);
  assertThrows(() => piece!.release(), ClosedError);
  assertThrows(() => receiver.tryReceive(connection.far), ClosedError);
  assertThrows(() => receiver.each(connection.far, () => {}), ClosedError);
  assertThrows(() => receiver.release([]), ClosedError);
  assertThrows(() => receiver.copied, ClosedError);
  area.close();
  // The queue is free at once, although the socket still has packets of the old binding.
  using again = Area.dmaBuf({ bytes: 8 * MIB });
  bindReceive(bed, again).close();
  connection.far.close();
  connection.near.close();
  await assertNoPoolLeft(bed);
});

test("closing a socket takes its pieces back", async () => {
  await using bench = await openBench();
  const { bed, ring } = bench;
  using area = Area.dmaBuf({ bytes: 8 * MIB });
  using receiver = bindReceive(bed, area);
  const connection = await connect(bench);
  await sendAll(ring, connection.near, pattern(20_000));
  await ring.poll(connection.far, 1);
  const pieces = receiver.tryReceive(connection.far)!;
  assertEquals(receiver.held, pieces.length);
  connection.far.close();
  connection.near.close();
  assertEquals(receiver.held, 0);
  assertEquals(pieces[0]!.state, "released");
  assertThrows(() => pieces[0]!.bytes, OwnershipError, "the socket was closed");
  // Somebody who returns what is returned already has done his duty.
  receiver.release(pieces);
  assertThrows(() => receiver.release(pieces), OwnershipError, "it was returned");
  await transfer(bench, receiver, pattern(MIB));
});

test("each() returns its pieces also when the callback fails, and does not nest", async () => {
  await using bench = await openBench();
  const { bed, ring } = bench;
  using area = Area.dmaBuf({ bytes: 8 * MIB });
  using receiver = bindReceive(bed, area);
  using connection = await connect(bench);
  await sendAll(ring, connection.near, pattern(20_000));
  await ring.poll(connection.far, 1);
  assertThrows(
    () => receiver.each(connection.far, () => receiver.tryReceive(connection.far)),
    Error,
    "inside of each()",
  );
  assertEquals(receiver.counts.returned, receiver.counts.pieces);
  assert(receiver.counts.pieces > 0);
  await transfer(bench, receiver, pattern(16 * MIB));
});

test("a killed receiver leaves its queue free and no pool behind", async () => {
  await using bench = await openBench();
  const { bed, nic, ring } = bench;
  for (let round = 0; round < 3; round++) {
    const child = new Deno.Command("nsenter", {
      args: [
        `--net=/proc/${Deno.pid}/fd/${bed.far.namespace.fd}`,
        Deno.execPath(),
        "eval",
        "--ext=ts",
        `
          import { Area, DeviceMemoryReceiver, Socket } from "zclab";
          const area = Area.dmaBuf({ bytes: 8 << 20 });
          const receiver = DeviceMemoryReceiver.open({
            area,
            interface: "${bed.far.interface}",
            queues: [1],
          });
          const listener = Socket.tcp().setOption("SO_REUSEADDR", true)
            .bind({ host: "${bed.far.address(0).host}", port: ${STEERED} }).listen();
          console.log("bound");
          setInterval(() => console.log(receiver.id, listener.fd), 60_000);
        `,
      ],
      stdout: "piped",
      stderr: "inherit",
      cwd: new URL("../../..", import.meta.url),
    }).spawn();
    const reader = child.stdout.getReader();
    const { value } = await reader.read();
    assertStringIncludes(new TextDecoder().decode(value), "bound");
    using netdev = Netdev.open(bed.far);
    assertEquals(netdev.queues(bed.far.interface)[1]!.provider, "dma-buf");
    // Packets for a connection that nobody accepts, in the dying process's dma-buf.
    using sender = Socket.tcp(bed.near).connectBlocking(bed.far.address(STEERED));
    using data = Area.map({ bytes: 1 << 16 });
    await ring.send(sender, data.slice());
    assert((await nic.counters()).rx1_user_bytes! > 0);
    child.kill("SIGKILL");
    await child.status;
    await reader.cancel();
    using area = Area.dmaBuf({ bytes: 8 * MIB });
    using receiver = bindReceive(bed, area);
    await transfer(bench, receiver, pattern(MIB, round));
  }
  await assertNoPoolLeft(bed);
});

test("a link that goes down and up again keeps its binding", async () => {
  await using bench = await openBench();
  const { bed } = bench;
  using area = Area.dmaBuf({ bytes: 8 * MIB });
  using receiver = bindReceive(bed, area);
  await transfer(bench, receiver, pattern(MIB, 1));
  const { interface: name, namespace } = bed.far;
  await runInNamespace(namespace, "ip", ["link", "set", name, "down"]);
  await runInNamespace(namespace, "ip", ["link", "set", name, "up"]);
  await runInNamespace(namespace, "ip", [
    ...["neigh", "replace", bed.near.address(0).host, "lladdr", "02:00:00:00:00:01"],
    ...["dev", name, "nud", "permanent"],
  ]);
  await transfer(bench, receiver, pattern(MIB, 2));
  assertEquals(receiver.counts.dmaBufBytes, 2 * MIB);
});

// Not so for sending: Linux 7.3 crashes when a dma-buf is unbound from a device that it could send
// through and that is gone (see DeviceMemoryTransmitter.open).
test("a device that goes away leaves what it has put into the dma-buf", async () => {
  await using bench = await openBench();
  const { bed, ring } = bench;
  using area = Area.dmaBuf({ bytes: 8 * MIB });
  using receiver = bindReceive(bed, area);
  using connection = await connect(bench);
  await sendAll(ring, connection.near, pattern(20_000));
  await ring.poll(connection.far, 1);
  const pieces = receiver.tryReceive(connection.far)!;
  assert(pieces.length > 0);
  await runInNamespace(bed.far.namespace, "ip", ["link", "del", bed.far.interface]);
  const got = join(pieces.map(({ bytes }) => bytes));
  assertEquals(got, pattern(20_000).subarray(0, got.length));
  receiver.release(pieces);
  assertEquals(receiver.held, 0);
  receiver.close();
  assertEquals(area.inFlight, 0);
  assertThrows(() => bindReceive(bed, area), UringError, "ENODEV");
});

// === Errors ===

test("every refused binding says why, and leaves the queue as it was", async () => {
  await using bench = await openBench({ headerSplit: false });
  const { bed } = bench;
  const { interface: name } = bed.far;
  using area = Area.dmaBuf({ bytes: 8 * MIB });
  using plain = Area.map({ bytes: 8 * MIB });
  using netdev = Netdev.open(bed.far);
  const refused = (bind: () => unknown): [string, string, string] => {
    const { code, meaning, advice } = assertThrows(bind, UringError);
    assertEquals(area.inFlight, 0);
    return [code, meaning, advice];
  };
  const place = bed.far;

  // Header split off, then on.
  const [code, meaning, advice] = refused(() => bindReceive(bed, area));
  assertEquals(code, "EINVAL");
  assertEquals(
    meaning,
    `${name} does not split headers from data; the kernel says: tcp-data-split is disabled`,
  );
  assertStringIncludes(advice, `ethtool -G ${name} tcp-data-split on`);
  await runInNamespace(bed.far.namespace, "ethtool", ["-G", name, "tcp-data-split", "on"]);

  // What is wrong with the request itself.
  assertThrows(() => bindReceive(bed, plain), TypeError, "no dma-buf");
  assertThrows(() => bindReceive(bed, area, []), RangeError, "at least one queue");
  assertThrows(() => bindReceive(bed, area, [1, 1]), RangeError, "given twice");
  assertThrows(() => bindReceive(bed, area, [-1]), RangeError, "whole number");
  assertThrows(() => bindReceive(bed, area, [0.5]), RangeError, "whole number");
  const [range, no] = refused(() => bindReceive(bed, area, [99]));
  assert(range === "EINVAL" || range === "ERANGE", range);
  assertStringIncludes(no, `queue 99 of ${name}: no such queue`);
  const missing = { area, interface: "nobody", queues: [1], place };
  assertEquals(refused(() => DeviceMemoryReceiver.open(missing))[0], "ENODEV");
  assertEquals(
    refused(() => netdev.bindReceive({ interface: name, queues: [1], dmaBufFd: 0 }))[1],
    "the file descriptor is not that of a dma-buf",
  );
  assertEquals(
    refused(() => netdev.bindReceive({ interface: name, queues: [1], dmaBufFd: 100_000 }))[0],
    "EBADF",
  );
  const odd = { area, interface: name, queues: [1], place, pageSize: 5000 };
  assertStringIncludes(refused(() => DeviceMemoryReceiver.open(odd))[1], "power of 2");
  const lo = { area, interface: "lo", queues: [0], place };
  assertEquals(refused(() => DeviceMemoryReceiver.open(lo))[0], "EOPNOTSUPP");

  // Two bindings of one queue; a queue that is free beside one that is not.
  {
    using other = Area.dmaBuf({ bytes: 8 * MIB });
    using receiver = bindReceive(bed, other, [1]);
    const [exists, said] = refused(() => bindReceive(bed, area, [2, 1]));
    assertEquals(exists, "EEXIST");
    assertStringIncludes(said, "somebody else's memory is bound to it");
    const providers = netdev.queues(name).slice(0, 4).map(({ provider }) => provider);
    assertEquals(providers, ["kernel", "dma-buf", "kernel", "kernel"]);
    // What is bound cannot be taken away from under the receiver.
    using last = Area.dmaBuf({ bytes: 8 * MIB });
    using lastReceiver = bindReceive(bed, last, [3]);
    for (const args of [["-G", name, "tcp-data-split", "off"], ["-L", name, "combined", "3"]]) {
      const said = await runInNamespace(bed.far.namespace, "ethtool", args).then(
        () => "done",
        (error: Error) => error.message,
      );
      assertStringIncludes(said, "memory provider", args.join(" "));
    }
    assertEquals([receiver.queues, lastReceiver.queues], [[1], [3]]);
  }
  const after = netdev.queues(name).map(({ provider }) => provider);
  assertEquals([...new Set(after)], ["kernel"]);
  area.close();
  assertThrows(() => bindReceive(bed, area), ClosedError);
});

test("a binding without any queue is refused by the kernel, too", async () => {
  await using bench = await openBench();
  const { bed } = bench;
  using area = Area.dmaBuf({ bytes: MIB });
  using netlink = GenericNetlink.open(bed.far);
  using netdev = Netdev.open(bed.far);
  const ifindex = attribute.u32(1, netdev.interfaceIndex(bed.far.interface));
  const fd = attribute.u32(3, area.dmaBufFd!);
  const family = netlink.family("netdev");
  for (const queues of [[], [attribute.nest(2, [])]]) {
    const error = assertThrows(() =>
      netlink.request(family, {
        operation: "NETDEV_CMD_BIND_RX",
        command: 13,
        attributes: [ifindex, fd, ...queues],
      }), UringError);
    assertEquals(error.code, "EINVAL");
    assertStringIncludes(error.meaning, "is missing");
  }
});

test("binding without CAP_NET_ADMIN says so", async () => {
  await using bench = await openBench();
  const { namespace, interface: name } = bench.bed.far;
  const { code, stdout, stderr } = runModule(
    `
      import { Netdev, UringError } from "zclab";
      try {
        using netdev = Netdev.open();
        netdev.bindReceive({ interface: "${name}", queues: [1], dmaBufFd: 0 });
      } catch (error) {
        if (!(error instanceof UringError)) throw error;
        console.log(error.code, error.meaning);
      }
    `,
    {
      prefix: [
        "nsenter",
        `--net=/proc/${Deno.pid}/fd/${namespace.fd}`,
        "setpriv",
        "--bounding-set=-net_admin",
        "--inh-caps=-net_admin",
      ],
    },
  );
  assertEquals(stderr, "");
  assertEquals(code, 0);
  assertStringIncludes(stdout, "EPERM CAP_NET_ADMIN is needed");
});

test("large buffers need contiguous memory, and give larger pieces", async () => {
  const setting = "/proc/sys/vm/nr_hugepages";
  const before = Deno.readTextFileSync(setting);
  // Not fewer: once memory is in pieces they would not come back.
  if (Number(before) < 8) Deno.writeTextFileSync(setting, "8\n");
  try {
    await using bench = await openBench();
    const { bed, ring } = bench;
    const options = { interface: bed.far.interface, queues: [1], place: bed.far, pageSize: 16384 };
    using area = Area.dmaBuf({ bytes: 16 * MIB, hugePages: "2MiB" });
    assertStringIncludes(Deno.inspect(area), "huge pages: 2MiB, dma-buf");
    using receiver = DeviceMemoryReceiver.open({ area, ...options });
    using connection = await connect(bench);
    const data = pattern(4 * MIB, 21);
    let largest = 0;
    const parts: Uint8Array[] = [];
    const reading = (async () => {
      for await (using piece of receiver.receive(connection.far, ring)) {
        parts.push(piece.bytes.slice());
        largest = Math.max(largest, piece.length);
      }
    })();
    await Promise.all([reading, sendAll(ring, connection.near, data)]);
    assertEquals(join(parts), data);
    assertEquals(receiver.counts.dmaBufBytes, data.length);
    assert(largest > 4096 && largest <= 16384, `${largest} bytes in the largest piece`);
  } finally {
    Deno.writeTextFileSync(setting, before);
  }
});

// === Sending ===

test("device memory sends without a copy, and its slices are in flight until then", async () => {
  await using bench = await openBench();
  const { bed, ring } = bench;
  const near = await Softnic.of(bed.near);
  using area = Area.dmaBuf({ bytes: 2 * MIB });
  const data = pattern(area.bytes, 31);
  area.slice().write(data);
  using transmitter = bindTransmit(bed, area);
  using connection = await connect(bench, UNSTEERED);
  using target = Area.map({ bytes: area.bytes });
  const receiving = receivePlain(ring, connection.far, target);

  const slices = area.chunks(100_000);
  const rest = area.slice(slices.length * 100_000);
  for (const slice of [...slices, rest]) await sendPart(transmitter, ring, connection.near, slice);
  assert(transmitter.outstanding > 0);
  assertEquals(area.inFlight > 0, true);
  connection.near.shutdown("write");
  await transmitter.drained(ring);
  assertEquals(await receiving, data.length);
  assertEquals(target.slice(0, data.length).bytes, data);
  assertEquals([transmitter.outstanding, area.inFlight], [0, 0]);
  const { sent, bytes, notified, copied } = transmitter.counts;
  assertEquals([bytes, notified, copied], [data.length, sent, 0]);
  const counters = await near.counters();
  const read = Object.entries(counters).filter(([name]) => /^tx\d+_user_bytes$/.test(name));
  await assertPlacedOnce(bed, sum(read.map(([, value]) => value)), data.length);
});

/** Sends a part, all of it, waiting for room without blocking. */
async function sendPart(
  transmitter: DeviceMemoryTransmitter,
  ring: Ring,
  socket: Socket,
  part: Slice,
): Promise<void> {
  for (let sent = 0; sent < part.length;) {
    const now = transmitter.trySend(socket, part.slice(sent));
    if (now === undefined) await inTime("room", ring.poll(socket, 4));
    else sent += now;
  }
}

async function receivePlain(ring: Ring, socket: Socket, area: Area): Promise<number> {
  let received = 0;
  while (true) {
    const room = area.slice(received, Math.min(1 << 16, area.bytes - received));
    // An empty receive would be taken for the end.
    if (room.length === 0) return received;
    const bytes = await inTime("data", ring.recv(socket, room));
    if (bytes === 0) return received;
    received += bytes;
  }
}

test("from device memory into device memory, over one link", async () => {
  await using bench = await openBench();
  const { bed, nic, ring } = bench;
  using source = Area.dmaBuf({ bytes: 4 * MIB });
  using target = Area.dmaBuf({ bytes: 8 * MIB });
  const data = pattern(source.bytes, 41);
  source.slice().write(data);
  using transmitter = bindTransmit(bed, source);
  using receiver = bindReceive(bed, target);
  using connection = await connect(bench);
  const sending = (async () => {
    for (const slice of source.chunks(1 << 17)) {
      await sendPart(transmitter, ring, connection.near, slice);
    }
    connection.near.shutdown("write");
    await transmitter.drained(ring);
  })();
  const [got] = await Promise.all([receiveAll(ring, receiver, connection.far), sending]);
  assertEquals(got, data);
  assertEquals(receiver.counts.dmaBufBytes, data.length);
  assertEquals([receiver.counts.linearBytes, receiver.counts.readableBytes], [0, 0]);
  await assertPlacedOnce(bed, (await nic.counters()).rx1_user_bytes!, data.length);
  assertEquals(source.inFlight, 0);
});

test("a slice that is being sent belongs to the kernel", async () => {
  await using bench = await openBench();
  const { bed, nic, ring } = bench;
  using area = Area.dmaBuf({ bytes: MIB });
  using transmitter = bindTransmit(bed, area);
  using connection = await connect(bench, UNSTEERED);
  // Nothing is acknowledged before that.
  await nic.setDelay(300_000);
  const slice = area.slice(0, 5000);
  assertEquals(transmitter.sendBlocking(connection.near, slice), 5000);
  assertEquals(slice.state, "in flight");
  assertThrows(() => slice.bytes, OwnershipError);
  assertThrows(() => bindReceive(bed, area), OwnershipError);
  assertEquals(transmitter.sendBlocking(connection.near, { offset: 8192, length: 100 }), 100);
  assertEquals([transmitter.outstanding, transmitter.reap()], [2, 0]);
  await transmitter.drained(ring);
  assertEquals([slice.state, transmitter.counts.notified], ["free", 2]);
  await nic.setDelay(0);
});

test("every refused send says why, and leaves its slice free", async () => {
  await using bench = await openBench();
  const { bed, ring } = bench;
  const { interface: name } = bed.near;
  using area = Area.dmaBuf({ bytes: MIB });
  using other = Area.dmaBuf({ bytes: MIB });
  using plain = Area.map({ bytes: MIB });
  const transmitter = bindTransmit(bed, area);
  assertStringIncludes(Deno.inspect(transmitter), `DeviceMemoryTransmitter { id: `);

  assertThrows(() => bindTransmit(bed, plain), TypeError, "no dma-buf");
  const nobody = { area, interface: "nobody", place: bed.near };
  assertEquals(assertThrows(() => DeviceMemoryTransmitter.open(nobody), UringError).code, "ENODEV");
  const lo = { area, interface: "lo", place: bed.near };
  const unable = assertThrows(() => DeviceMemoryTransmitter.open(lo), UringError);
  assertEquals(unable.code, "EOPNOTSUPP");
  assertStringIncludes(unable.meaning, "cannot send from a dma-buf");

  // A route that leads elsewhere.
  using listener = Socket.tcp(bed.near).bind({ host: "127.0.0.1", port: 0 }).listen();
  using local = Socket.tcp(bed.near).connectBlocking(listener.localAddress!);
  const slice = area.slice(0, 4096);
  const error = assertThrows(() => transmitter.sendBlocking(local, slice), UringError);
  assertEquals(error.code, "ENODEV");
  assertStringIncludes(error.meaning, `leaves through another device than ${name}`);
  assertStringIncludes(error.advice, "SO_BINDTODEVICE");
  assertEquals([slice.state, transmitter.outstanding], ["free", 0]);

  using connection = await connect(bench, UNSTEERED);
  const { near } = connection;
  assertThrows(() => transmitter.sendBlocking(near, other.slice(0, 10)), TypeError, "another area");
  assertThrows(() => transmitter.sendBlocking(near, { offset: MIB, length: 1 }), RangeError);
  assertThrows(
    () => transmitter.sendBlocking(near, area.slice(0, 0)),
    RangeError,
    "nothing to send",
  );
  using udp = Socket.udp(bed.near);
  assertThrows(() => transmitter.sendBlocking(udp, slice), TypeError, "over TCP");

  // Closed with a send in flight: it arrives all the same.
  transmitter.sendBlocking(near, slice.write(pattern(4096, 51)));
  transmitter.close();
  transmitter.close();
  assertEquals(Deno.inspect(transmitter), "DeviceMemoryTransmitter { closed }");
  assertThrows(() => transmitter.sendBlocking(near, slice), ClosedError);
  assertThrows(() => transmitter.trySend(near, slice), ClosedError);
  assertThrows(() => transmitter.reap(), ClosedError);
  near.shutdown("write");
  assertEquals(await receivePlain(ring, connection.far, plain), 4096);
  assertEquals(plain.slice(0, 4096).bytes, pattern(4096, 51));
});

test("what waits for a socket that was closed says so instead of waiting", async () => {
  await using bench = await openBench();
  const { bed, nic, ring } = bench;
  const area = Area.dmaBuf({ bytes: MIB });
  using transmitter = bindTransmit(bed, area);
  using connection = await connect(bench, UNSTEERED);
  await nic.setDelay(200_000);
  transmitter.sendBlocking(connection.near, { offset: 0, length: 1000 });
  connection.near.close();
  const said = await transmitter.drained(ring).then(() => "drained", (error: Error) => error);
  assert(said instanceof OwnershipError, String(said));
  assertStringIncludes(said.message, "closed with 1 sends in flight");
  area.close();
});
