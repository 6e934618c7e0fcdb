/**
 * ZcrxReceiver on softnic: data lands in the area without a copy.
 *
 * @module
 */
import { assert, assertEquals, assertMatch, assertRejects, assertThrows } from "@std/assert";
import {
  Area,
  type AreaOptions,
  type CompletionSize,
  DeviceMemoryReceiver,
  Netdev,
  physicalPages,
  Ring,
  Socket,
  Softnic,
  type SoftnicOptions,
  Testbed,
  UringError,
  type ZcrxPiece,
  ZcrxReceiver,
  type ZcrxReceiverOptions,
} from "zclab";
import { attribute } from "../../../ffi/net/netlink/attributes.ts";
import { GenericNetlink } from "../../../ffi/net/netlink/generic.ts";
import { queueFacts } from "../../../ffi/net/queue_facts.ts";
import { runInNamespace } from "../../../labs/kit/testbed/namespace_command.ts";
import { sleep } from "../connections.ts";
import { reapAll, receiveAll, Stream } from "./streams.ts";
import { testsNeeding } from "../../needs.ts";
import { until } from "../../until.ts";

const test = testsNeeding("softnic");

const PAGE = 4096;
const MIB = 1 << 20;
/** The flows to these ports are steered to queues 1 and 2; that to any other goes to queue 0. */
const PORTS = [9001, 9002] as const;

interface BenchOptions {
  readonly softnic?: SoftnicOptions;
  readonly completionSize?: CompletionSize;
  readonly area?: AreaOptions & { readonly dmaBuf?: boolean };
  readonly receiver?: Partial<ZcrxReceiverOptions>;
}

/** A testbed whose flows are steered. */
async function openBed(options: SoftnicOptions = {}): Promise<{ bed: Testbed; nic: Softnic }> {
  const bed = await Testbed.softnic(options);
  const nic = await Softnic.of(bed.far);
  for (const [i, port] of PORTS.entries()) {
    for (const family of [4, 6] as const) await nic.steer({ port, queue: i + 1, family });
  }
  return { bed, nic };
}

/** A receiver on queue 1 of softnic, and what it stands on. */
class Bench implements AsyncDisposable {
  readonly bed: Testbed;
  readonly nic: Softnic;
  readonly ring: Ring;
  readonly area: Area;
  readonly receiver: ZcrxReceiver;

  private constructor(bed: Testbed, nic: Softnic, options: BenchOptions) {
    const { completionSize = 32, area = { bytes: 8 * MIB } } = options;
    this.bed = bed;
    this.nic = nic;
    this.ring = Ring.open({ completionSize, completionEntries: 4096 });
    this.area = area.dmaBuf ? Area.dmaBuf(area) : Area.map(area);
    this.receiver = openReceiver(bed, this.ring, this.area, options.receiver);
  }

  static async open(options: BenchOptions = {}): Promise<Bench> {
    const { bed, nic } = await openBed(options.softnic);
    return new Bench(bed, nic, options);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.receiver.close();
    this.area.close();
    await this.ring[Symbol.asyncDispose]();
    this.bed.close();
  }
}

function openReceiver(
  bed: Testbed,
  ring: Ring,
  area: Area,
  options: Partial<ZcrxReceiverOptions> = {},
): ZcrxReceiver {
  const { far } = bed;
  const where = { interface: far.interface, queue: 1, place: far };
  return ZcrxReceiver.open(ring, { area, ...where, ...options });
}

/** Bytes that the NIC put into user memory, on a queue. */
async function placedBytes(nic: Softnic, queue = 1): Promise<number> {
  return (await nic.counters())[`rx${queue}_user_bytes`] ?? 0;
}

async function transfer(bench: Bench, bytes: number, family: 4 | 6 = 4): Promise<number> {
  await using stream = await Stream.open(bench.bed, bytes, { port: PORTS[0], family });
  const sending = stream.sendAll();
  const pieces = await receiveAll(bench.receiver, stream);
  await sending;
  assertEquals(stream.compared, bytes);
  return pieces;
}

for (
  const { name, family, options, bytes } of [
    { name: "IPv4", family: 4, options: {}, bytes: 4 * MIB + 12_345 },
    { name: "IPv6", family: 6, options: {}, bytes: MIB },
    { name: "mixed completions", family: 4, options: { completionSize: "mixed" }, bytes: 2 * MIB },
    { name: "MTU 9000", family: 4, options: { softnic: { mtu: 9000 } }, bytes: 4 * MIB },
    { name: "pages as payload", family: 4, options: { softnic: { mtu: 4096 + 52 } }, bytes: MIB },
    {
      name: "a dma-buf",
      family: 4,
      options: { area: { bytes: 8 * MIB, dmaBuf: true } },
      bytes: 2 * MIB,
    },
    {
      name: "buffers of 16 KiB in huge pages",
      family: 4,
      options: {
        softnic: { mtu: 9000 },
        area: { bytes: 8 * MIB, hugePages: "2MiB" },
        receiver: { bufferBytes: 16384 },
      },
      bytes: 4 * MIB,
    },
  ] as const
) {
  test(`softnic puts a stream into the area without a copy: ${name}`, async () => {
    await using bench = await Bench.open(options);
    const { receiver, nic, area } = bench;
    await nic.clearPlacements();
    await using stream = await Stream.open(bench.bed, bytes, { port: PORTS[0], family });
    const sending = stream.sendAll();
    let largest = 0;
    const starts = new Set<number>();
    for await (using piece of receiver.receive(stream.far)) {
      stream.compare(piece.bytes);
      largest = Math.max(largest, piece.length);
      starts.add(piece.offset % PAGE);
      assert(
        piece.offset % receiver.bufferBytes + piece.length <= receiver.bufferBytes,
        "a piece lies in one buffer",
      );
    }
    await sending;
    assertEquals(stream.compared, bytes);
    const { copiedChunks, copiedBytes, held } = receiver.statistics();
    assertEquals([copiedChunks, copiedBytes, held], [0, 0, 0]);
    assert(await placedBytes(nic) >= bytes);
    // The pages that the driver wrote to are those that the program reads from.
    const pages = new Set(physicalPages(area));
    const placements = await nic.placements();
    assert(placements.length > 0);
    for (const { queue, address } of placements) {
      assertEquals([queue, pages.has(Math.floor(address / PAGE))], [1, true]);
    }
    assert(receiver.napiId > 0);
    assertEquals([receiver.interface, receiver.queue], [bench.bed.far.interface, 1]);
    if (receiver.bufferBytes > PAGE) assert(largest > PAGE, `the largest piece has ${largest}`);
    assertEquals(bench.ring.inFlight, 0);
  });
}

test("The batch API receives two flows of a queue at once", async () => {
  await using bench = await Bench.open();
  await bench.nic.steer({ port: 9003, queue: 1 });
  await using first = await Stream.open(bench.bed, 2 * MIB, { port: PORTS[0] });
  await using second = await Stream.open(bench.bed, MIB, { port: 9003 });
  const sending = [first.sendAll(), second.sendAll()];
  const reaped = await reapAll(bench.receiver, [first, second], 50);
  await Promise.all(sending);
  assertEquals([reaped.bytes, reaped.errors], [{ 0: 2 * MIB, 1: MIB }, {}]);
  assertEquals([first.compared, second.compared], [2 * MIB, MIB]);
  assertEquals(bench.receiver.statistics().copiedBytes, 0);
});

test("A ring has receivers on several queues; each has its own number", async () => {
  await using bench = await Bench.open();
  const area = Area.map({ bytes: 4 * MIB });
  const other = openReceiver(bench.bed, bench.ring, area, { queue: 2 });
  assertEquals([bench.receiver.id, other.id], [0, 1]);
  await using first = await Stream.open(bench.bed, 2 * MIB, { port: PORTS[0] });
  await using second = await Stream.open(bench.bed, 2 * MIB, { port: PORTS[1] });
  const sending = [first.sendAll(), second.sendAll()];
  await Promise.all([receiveAll(bench.receiver, first), receiveAll(other, second)]);
  await Promise.all(sending);
  assertEquals([first.compared, second.compared], [2 * MIB, 2 * MIB]);
  assertEquals(other.statistics().copiedBytes, 0);
  assert(await placedBytes(bench.nic, 2) >= 2 * MIB);
  // A stream that is led into the memory of the other receiver is not for us.
  await using wrong = await Stream.open(bench.bed, PAGE, { port: PORTS[1] });
  wrong.sendNow();
  const error = await assertRejects(() => receiveAll(bench.receiver, wrong), UringError);
  assertEquals([error.operation, error.code], ["RECV_ZC", "EFAULT"]);
  assertMatch(error.message, /memory of another receiver.*ethtool -N/);
  other.close();
  bench.ring.close();
  area.close();
});

test("A flow that is not steered to the queue is copied, and it is said", async () => {
  await using bench = await Bench.open({
    softnic: { descriptors: 64 },
    area: { bytes: 512 * PAGE },
  });
  const { receiver } = bench;
  const event = receiver.nextEvent();
  await using stream = await Stream.open(bench.bed, 2 * MIB, { port: 9100 });
  const sending = stream.sendAll();
  await receiveAll(receiver, stream);
  await sending;
  assertEquals(stream.compared, 2 * MIB);
  assertEquals(await event, "COPY");
  const { copiedBytes, flushes } = receiver.statistics();
  assert(copiedBytes! > 0 && flushes > 0);
  assertEquals(await placedBytes(bench.nic), 0);
  // The queue still works, with what is left of the area.
  await transfer(bench, MIB);
});

test("A copy that finds no buffer because the NIC has them all fails, and says so", async () => {
  await using bench = await Bench.open({ area: { bytes: 256 * PAGE } });
  for (const face of ["await", "batch"]) {
    await using stream = await Stream.open(bench.bed, PAGE, { port: 9100 });
    stream.sendNow();
    const receiving = face === "await"
      ? receiveAll(bench.receiver, stream)
      : reapAll(bench.receiver, [stream]).then(({ errors }) => Promise.reject(errors[0]));
    const error = await assertRejects(() => receiving, UringError);
    assertEquals([error.operation, error.code], ["RECV_ZC", "ENOMEM"]);
    assertMatch(error.message, /every buffer of the area is with the NIC.*larger area/);
  }
  await transfer(bench, MIB);
});

test("Into a dma-buf the kernel cannot copy, and says so", async () => {
  await using bench = await Bench.open({ area: { bytes: MIB, dmaBuf: true } });
  await using stream = await Stream.open(bench.bed, PAGE, { port: 9100 });
  stream.sendNow();
  const error = await assertRejects(() => receiveAll(bench.receiver, stream), UringError);
  assertEquals([error.operation, error.code], ["RECV_ZC", "ENOMEM"]);
  assertMatch(error.message, /cannot copy into one.*steer/);
  const ends: unknown[] = [];
  bench.receiver.start(stream.far, 0);
  assert(bench.receiver.waitBlocking(10_000));
  bench.receiver.reap(() => {}, (_userData, _bytes, error) => ends.push(error));
  assertEquals((ends[0] as UringError).code, "ENOMEM");
  await transfer(bench, MIB);
});

test("Pieces that share a buffer are given back one by one", async () => {
  await using bench = await Bench.open({ area: { bytes: 512 * PAGE } });
  const pages = new Map<number, number>();
  for (let round = 0; round < 6; round++) {
    await using stream = await Stream.open(bench.bed, 2 * MIB, { port: PORTS[0] });
    const sending = stream.sendAll();
    const held: ZcrxPiece[] = [];
    for await (const piece of bench.receiver.receive(stream.far)) {
      const page = Math.floor(piece.offset / PAGE);
      pages.set(page, (pages.get(page) ?? 0) + 1);
      stream.compare(piece.bytes);
      held.push(piece);
      if (held.length === 20) { for (const old of held.splice(0)) old.release(); }
    }
    for (const piece of held) piece.release();
    await sending;
    assertEquals(stream.compared, 2 * MIB);
  }
  assertEquals([bench.receiver.held, bench.receiver.statistics().copiedBytes], [0, 0]);
});

test("A NIC that runs out of buffers drops, says so, and goes on", async () => {
  await using bench = await Bench.open({
    softnic: { descriptors: 64 },
    area: { bytes: 128 * PAGE },
  });
  const { receiver } = bench;
  await using stream = await Stream.open(bench.bed, 500_000, { port: PORTS[0] });
  const sending = stream.sendAll();
  const held: ZcrxPiece[] = [];
  const event = receiver.nextEvent();
  const receiving = (async () => {
    for await (const piece of receiver.receive(stream.far)) {
      stream.compare(piece.bytes);
      held.push(piece);
    }
  })();
  assertEquals(await event, "ALLOC_FAIL");
  // From now on everything comes back at once.
  const giving = setInterval(() => {
    for (const piece of held.splice(0)) piece.release();
  }, 1);
  await receiving;
  clearInterval(giving);
  await sending;
  for (const piece of held) piece.release();
  assertEquals(stream.compared, 500_000);
  assertEquals(receiver.events.ALLOC_FAIL, 1);
  receiver.arm("ALLOC_FAIL");
});

test("A small refill ring is flushed when it is full", async () => {
  await using bench = await Bench.open({ receiver: { refillEntries: 4 } });
  await transfer(bench, 2 * MIB);
  assert(bench.receiver.statistics().flushes > 0);
  assertEquals(bench.receiver.statistics().copiedBytes, 0);
});

test("Leaving the loop in the middle of a stream leaks no buffer", async () => {
  await using bench = await Bench.open({
    softnic: { descriptors: 64 },
    area: { bytes: 256 * PAGE },
  });
  for (let round = 0; round < 5; round++) {
    await using stream = await Stream.open(bench.bed, MIB, { port: PORTS[0] });
    const sending = stream.sendAll().catch(() => {});
    let pieces = 0;
    for await (using piece of bench.receiver.receive(stream.far)) {
      stream.compare(piece.bytes);
      if (++pieces === 20 + 30 * round) break;
    }
    assertEquals([bench.receiver.held, bench.ring.inFlight], [0, 0]);
    stream.far.close();
    await sending;
  }
  await transfer(bench, 2 * MIB);
});

test("Areas can be added to a queue that receives", async () => {
  await using bench = await Bench.open({
    softnic: { descriptors: 64 },
    area: { bytes: 128 * PAGE },
  });
  using area = Area.map({ bytes: 512 * PAGE });
  await transfer(bench, MIB);
  bench.receiver.addArea(area);
  const seen = new Set<Area>();
  const held: ZcrxPiece[] = [];
  await using stream = await Stream.open(bench.bed, MIB, { port: PORTS[0] });
  const sending = stream.sendAll();
  for await (const piece of bench.receiver.receive(stream.far)) {
    stream.compare(piece.bytes);
    seen.add(piece.area);
    held.push(piece);
    if (held.length > 200) held.shift()!.release();
  }
  await sending;
  for (const piece of held) piece.release();
  assertEquals(stream.compared, MIB);
  assertEquals(seen, new Set([bench.area, area]));
  bench.receiver.close();
  bench.ring.close();
});

test("Two rings share a queue", async () => {
  await using bench = await Bench.open();
  await bench.nic.steer({ port: 9003, queue: 1 });
  await using other = Ring.open({ completionSize: 32 });
  using handle = bench.receiver.export();
  using imported = ZcrxReceiver.import(other, handle);
  await using first = await Stream.open(bench.bed, MIB, { port: PORTS[0] });
  await using second = await Stream.open(bench.bed, MIB, { port: 9003 });
  const sending = [first.sendAll(), second.sendAll()];
  await Promise.all([receiveAll(bench.receiver, first), receiveAll(imported, second)]);
  await Promise.all(sending);
  assertEquals([first.compared, second.compared], [MIB, MIB]);
  assertEquals(imported.statistics().copiedBytes, 0);
});

// === Registering ===

test("A queue is free again at once when its ring is closed", async () => {
  const { bed } = await openBed();
  for (let round = 0; round < 10; round++) {
    const ring = Ring.open({ completionSize: round % 2 === 0 ? 32 : "mixed" });
    const area = Area.map({ bytes: 2 * MIB });
    const receiver = openReceiver(bed, ring, area);
    await using stream = await Stream.open(bed, 20 * PAGE, { port: PORTS[0] });
    stream.sendNow();
    if (round % 3 === 0) receiver.start(stream.far);
    else for await (const _ of receiver.receive(stream.far)) break;
    ring.close();
    area.close();
  }
  bed.close();
});

/** What refuses a registration, and how that is put right. */
interface Refusal {
  readonly name: string;
  readonly code: string;
  readonly message: RegExp;
  readonly receiver?: Partial<ZcrxReceiverOptions>;
  /** Brings it about; returns what undoes it. */
  readonly cause?: (bed: Testbed) => Promise<() => Promise<void>>;
}

function ethtool(bed: Testbed, ...args: string[]): Promise<string> {
  const [option, ...rest] = args;
  return runInNamespace(bed.far.namespace, "ethtool", [option!, bed.far.interface, ...rest]);
}

function setSplitThreshold(bed: Testbed, bytes: number): void {
  using netdev = Netdev.open(bed.far);
  using netlink = GenericNetlink.open(bed.far);
  const index = netdev.interfaceIndex(bed.far.interface);
  netlink.request(netlink.family("ethtool"), {
    operation: "ETHTOOL_MSG_RINGS_SET",
    command: 16,
    attributes: [attribute.nest(1, [attribute.u32(1, index)]), attribute.u32(17, bytes)],
  });
}

const REFUSALS: readonly Refusal[] = [
  {
    name: "data split off",
    code: "EINVAL",
    message: /tcp-data-split is off, and must be on.*ethtool -G zclab0 tcp-data-split on/,
    cause: async (bed) => {
      await ethtool(bed, "-G", "tcp-data-split", "off");
      return async () => void await ethtool(bed, "-G", "tcp-data-split", "on");
    },
  },
  {
    name: "hds-thresh",
    code: "EINVAL",
    message: /packets of up to 256 bytes unsplit.*hds-thresh 0/,
    cause: (bed) => {
      setSplitThreshold(bed, 256);
      return Promise.resolve(() => Promise.resolve(setSplitThreshold(bed, 0)));
    },
  },
  {
    name: "queue out of range",
    code: "ERANGE",
    message: /zclab0 has no queue 4: it receives on 4.*from 0 to 3/,
    receiver: { queue: 4 },
  },
  {
    name: "interface index that nobody has",
    code: "ENODEV",
    message: /interface 4711 is gone/,
    receiver: { interface: 4711 },
  },
  {
    name: "interface name that nobody has",
    code: "ENODEV",
    message: /no interface nobody0/,
    receiver: { interface: "nobody0" },
  },
  {
    name: "another namespace",
    code: "ENODEV",
    message: /no interface zclab0 in that namespace.*pass place/,
    receiver: { place: {} },
  },
  {
    name: "memory that is not contiguous",
    code: "ERANGE",
    message: /not contiguous.*4194304.*hugePages: "2MiB"/,
    receiver: { bufferBytes: 4 * MIB },
  },
  {
    name: "another receiver on the queue",
    code: "EEXIST",
    message: /another receiver has queue 1 of zclab0.*close its ring/,
    receiver: { timeout: 0 },
    cause: (bed) => {
      const ring = Ring.open({ completionSize: 32 });
      const area = Area.map({ bytes: MIB });
      const receiver = openReceiver(bed, ring, area);
      // Closing the receiver is not enough.
      receiver.close();
      return Promise.resolve(() => {
        ring.close();
        area.close();
        return sleep(200);
      });
    },
  },
  {
    name: "a dma-buf on the queue",
    code: "EEXIST",
    message: /a dma-buf is bound to queue 1 of zclab0/,
    receiver: { timeout: 0 },
    cause: (bed) => {
      const area = Area.dmaBuf({ bytes: 8 * MIB });
      const receiver = DeviceMemoryReceiver.open({
        area,
        interface: bed.far.interface,
        queues: [1],
        place: bed.far,
      });
      return Promise.resolve(() => {
        receiver.close();
        area.close();
        return Promise.resolve();
      });
    },
  },
];

for (const { name, code, message, receiver, cause } of REFUSALS) {
  test(`A registration that is refused says why: ${name}`, async () => {
    const { bed } = await openBed();
    const ring = Ring.open({ completionSize: 32 });
    const area = Area.map({ bytes: 8 * MIB });
    const undo = await cause?.(bed);
    const error = assertThrows(() => openReceiver(bed, ring, area, receiver), UringError);
    assertEquals([error.operation, error.code], ["IORING_REGISTER_ZCRX_IFQ", code], error.message);
    assertMatch(error.message, message);
    assertEquals(area.inFlight, 0);
    await undo?.();
    // Without the cause it works, with the same ring and the same area.
    openReceiver(bed, ring, area, { timeout: 0 }).close();
    ring.close();
    area.close();
    bed.close();
  });
}

test("Header split that was never asked for is not enough", async () => {
  await using bed = await Testbed.softnic({ headerSplit: false });
  await using ring = Ring.open({ completionSize: 32 });
  using area = Area.map({ bytes: MIB });
  const error = assertThrows(() => openReceiver(bed, ring, area), UringError, "tcp-data-split");
  assertEquals(error.code, "EINVAL");
});

test("What is known of a queue", async () => {
  await using bench = await Bench.open();
  using netdev = Netdev.open(bench.bed.far);
  const name = bench.bed.far.interface;
  const index = netdev.interfaceIndex(name);
  const facts = (queue: number): unknown =>
    queueFacts({ place: bench.bed.far, name, index, queue });
  const all = { queues: 4, dataSplit: "on", splitThreshold: 0, xdp: false, up: true };
  assertEquals(facts(0), { ...all, provider: "kernel" });
  assertEquals(facts(1), { ...all, provider: "io_uring" });
});

/** Whether a port is free: a request of a process that was killed may keep its listener for a moment. */
function isFree({ far }: Testbed, port: number): boolean {
  using socket = Socket.tcp(far).setOption("SO_REUSEADDR", true);
  try {
    socket.bind(far.address(port));
    return true;
  } catch (error) {
    if (error instanceof UringError && error.code === "EADDRINUSE") return false;
    throw error;
  }
}

test("A receiver that is killed leaves the queue to the next at once", async () => {
  const { bed } = await openBed();
  const source = `
    import { Area, Ring, Socket, ZcrxReceiver } from "zclab";
    const ring = Ring.open({ completionSize: 32 });
    const area = Area.map({ bytes: 4 << 20 });
    const receiver = ZcrxReceiver.open(ring, { area, interface: "zclab0", queue: 1 });
    const listener = Socket.tcp().setOption("SO_REUSEADDR", true)
      .bind({ host: "0.0.0.0", port: ${PORTS[0]} }).listen();
    console.log("listening");
    const socket = await ring.accept(listener);
    const held = [];
    for await (const piece of receiver.receive(socket)) {
      held.push(piece);
      if (held.length > 100) held.shift().release();
    }
  `;
  for (let round = 0; round < 2; round++) {
    const child = new Deno.Command("nsenter", {
      args: [
        `--net=/proc/${Deno.pid}/fd/${bed.far.namespace.fd}`,
        Deno.execPath(),
        ...["eval", "--ext=ts", source],
      ],
      stdout: "piped",
      stdin: "null",
    }).spawn();
    const reader = child.stdout.getReader();
    assertMatch(new TextDecoder().decode((await reader.read()).value), /^listening/);
    reader.releaseLock();
    using socket = Socket.tcp(bed.near).connectBlocking(bed.far.address(PORTS[0]));
    using data = Area.map({ bytes: 1 << 20 });
    await using sender = Ring.open();
    const sending = (async () => {
      while (true) await sender.send(socket, data.slice());
    })();
    sending.catch(() => {});
    await sleep(20 + 80 * round);
    child.kill("SIGKILL");
    await child.status;
    await child.stdout.cancel();
    const ring = Ring.open({ completionSize: 32 });
    const area = Area.map({ bytes: 4 * MIB });
    const receiver = openReceiver(bed, ring, area);
    await until("nobody listens", () => isFree(bed, PORTS[0]));
    await using stream = await Stream.open(bed, MIB, { port: PORTS[0] });
    const sent = stream.sendAll();
    await receiveAll(receiver, stream);
    await sent;
    assertEquals(stream.compared, MIB);
    ring.close();
    area.close();
    await assertRejects(() => sending);
  }
  bed.close();
});

test("The device may go while a receiver has its queue", async () => {
  const bench = await Bench.open();
  await using stream = await Stream.open(bench.bed, 10 * PAGE, { port: PORTS[0] });
  stream.sendNow();
  const held: ZcrxPiece[] = [];
  for await (const piece of bench.receiver.receive(stream.far, { bytes: 5 * PAGE })) {
    held.push(piece);
    stream.compare(piece.bytes);
  }
  await runInNamespace(bench.bed.far.namespace, "ip", ["link", "del", bench.bed.far.interface]);
  for (const piece of held) {
    assertEquals(piece.bytes.length, piece.length);
    piece.release();
  }
  using more = Area.map({ bytes: MIB });
  const error = assertThrows(() => bench.receiver.addArea(more), UringError);
  assertEquals(error.code, "EFAULT");
  assertMatch(error.message, /device is gone/);
  await bench[Symbol.asyncDispose]();
});
