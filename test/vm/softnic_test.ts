/**
 * The software NIC by itself: plain TCP and UDP over it, its steering, its wire, its settings under
 * traffic, and its end. What memory providers make of it is tested with them.
 *
 * @module
 */
import { assert, assertEquals, assertMatch, assertNotEquals, assertRejects } from "@std/assert";
import { Area, NetworkNamespace, pinThread, Ring, Socket, Softnic, Testbed } from "zclab";
import { CommandError, runInNamespace } from "../../labs/kit/testbed/namespace_command.ts";
import { kernelComplaints } from "../../vm/kernel_log.ts";
import { eventually, inTime, PATIENCE, until } from "../until.ts";
import { Stream } from "../ffi/zcrx/streams.ts";
import { testsNeeding } from "../needs.ts";

const test = testsNeeding("softnic");

const PAGE = 4096;
const MIB = 1 << 20;
const CONTROL = "/sys/kernel/debug/softnic";

/** Bytes of the headers of a TCP frame with timestamps, by family. */
const HEADERS = { 4: 14 + 20 + 32, 6: 14 + 40 + 32 } as const;

type Counters = Record<string, number>;

/** A pair of softnics with what the tests need of both ends. */
class Pair implements Disposable {
  private constructor(readonly bed: Testbed, readonly near: Softnic, readonly far: Softnic) {}

  static async make(options: Parameters<typeof Testbed.softnic>[0] = {}): Promise<Pair> {
    const bed = await Testbed.softnic(options);
    return new Pair(bed, await Softnic.of(bed.near), await Softnic.of(bed.far));
  }

  ethtool(end: "near" | "far", option: string, line = ""): Promise<string> {
    const { namespace, interface: name } = this.bed[end];
    const args = line === "" ? [] : line.split(" ");
    return runInNamespace(namespace, "ethtool", [option, name, ...args]);
  }

  ip(end: "near" | "far", line: string): Promise<string> {
    return runInNamespace(this.bed[end].namespace, "ip", line.split(" "));
  }

  /** The counters, when everything that one end sent has come to the other. */
  settled(): Promise<{ near: Counters; far: Counters }> {
    return eventually("the wire to be empty", async () => {
      // What was sent is read before what came, so that nothing can be under way if they agree.
      const sentNear = total(await this.near.counters(), "tx", "frames");
      const far = await this.far.counters();
      const near = await this.near.counters();
      const quiet = arrived(far) === sentNear && total(near, "tx", "frames") === sentNear &&
        arrived(near) === total(far, "tx", "frames");
      return quiet ? { near, far } : undefined;
    });
  }

  [Symbol.dispose](): void {
    this.bed.close();
  }
}

/** The sum of a counter over all queues. */
function total(counters: Counters, direction: "rx" | "tx", name: string): number {
  let sum = 0;
  for (const [key, value] of Object.entries(counters)) {
    if (new RegExp(`^${direction}\\d+_${name}$`).test(key)) sum += value;
  }
  return sum;
}

/** Frames that came off the wire, whatever became of them. */
function arrived(counters: Counters): number {
  return ["frames", "wire_drops", "no_descriptor_drops", "oversize_drops", "allocation_drops"]
    .reduce((sum, name) => sum + total(counters, "rx", name), 0);
}

/** Sends a stream from near to far with plain receives, and compares every byte. */
async function transfer(
  bed: Testbed,
  length: number,
  options: { port?: number; family?: 4 | 6; between?: () => Promise<void> } = {},
): Promise<void> {
  await using stream = await Stream.open(bed, length, options);
  await using ring = Ring.open();
  using area = Area.map({ bytes: 1 << 18 });
  const sending = stream.sendAll();
  const slice = area.slice(0, 1 << 18);
  const between = options.between?.();
  for (;;) {
    const received = await inTime("data", ring.recv(stream.far, slice));
    if (received === 0) break;
    stream.compare(area.unsafeBytes(0, received));
  }
  await sending;
  await between;
  assertEquals(stream.compared, length);
}

/** UDP datagrams that carry a number, from near to far. */
class Datagrams implements Disposable {
  readonly #sender: Socket;
  readonly receiver: Socket;
  readonly #area: Area;
  readonly #length: number;

  constructor(
    bed: Testbed,
    { port = 7000, family = 4, length = 64 }: { port?: number; family?: 4 | 6; length?: number } =
      {},
  ) {
    this.receiver = Socket.udp(bed.far, { family }).setOption("SO_RCVBUF", 8 * MIB)
      .bind(bed.far.address(port, family));
    this.#sender = Socket.udp(bed.near, { family }).setOption("SO_SNDBUF", 8 * MIB)
      .connect(bed.far.address(port, family));
    this.#area = Area.map({ bytes: 2 << 16 });
    this.#length = length;
  }

  send(number: number): void {
    const slice = this.#area.slice(0, this.#length);
    const bytes = this.#area.unsafeBytes(0, this.#length);
    bytes.fill(number & 0xff);
    new DataView(bytes.buffer, bytes.byteOffset).setUint32(0, number);
    assertEquals(this.#sender.sendBlocking(slice), this.#length);
  }

  /** The number of the next datagram, or undefined if none is there now. */
  receive(): number | undefined {
    const slice = this.#area.slice(1 << 16, 1 << 16);
    const length = this.receiver.tryReceive(slice);
    if (length === undefined) return undefined;
    assertEquals(length, this.#length);
    const bytes = this.#area.unsafeBytes(1 << 16, length);
    const number = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0);
    assert(bytes.subarray(4).every((byte) => byte === (number & 0xff)), "a byte changed");
    return number;
  }

  receiveSoon(): Promise<number> {
    return eventually("a datagram", () => this.receive());
  }

  receiveAll(): number[] {
    const numbers = [];
    for (let number = this.receive(); number !== undefined; number = this.receive()) {
      numbers.push(number);
    }
    return numbers;
  }

  [Symbol.dispose](): void {
    this.#sender.close();
    this.receiver.close();
    this.#area.close();
  }
}

/** Sends a stream, and looks at what the counters of both ends say of it. Returns the far ones. */
async function checkTransfer(
  pair: Pair,
  family: 4 | 6,
  split: boolean,
  before: Counters,
): Promise<Counters> {
  const length = MIB + 12345;
  await transfer(pair.bed, length, { family });
  const { near, far } = await pair.settled();

  const grown = (counter: string): number =>
    total(far, "rx", counter) - total(before, "rx", counter);
  // TCP may send something twice.
  const payload = grown("kernel_bytes") + grown("linear_payload_bytes");
  assert(payload >= length, `${payload} bytes of payload`);
  assertEquals(grown("user_bytes"), 0);
  if (split) assertEquals(grown("linear_payload_bytes"), 0);
  else assert(grown("linear_payload_bytes") > 0);
  const segment = pair.bed.near.mtu + 14 - HEADERS[family];
  assert(grown("frames") >= length / segment, "segments are counted as they are on the wire");
  for (const drops of ["no_descriptor", "wire", "oversize", "allocation"]) {
    assertEquals(total(far, "rx", `${drops}_drops`), 0, drops);
  }
  assertEquals(total(near, "tx", "bytes"), total(far, "rx", "bytes"));
  assertEquals(total(far, "tx", "bytes"), total(near, "rx", "bytes"));
  return far;
}

for (const mtu of [1500, PAGE + 52, 9000, 65535]) {
  test(`TCP, MTU ${mtu}: every byte arrives, every counter adds up`, async () => {
    using pair = await Pair.make({ mtu });
    let { far } = await pair.settled();
    for (const split of [true, false]) {
      await pair.ethtool("far", "-G", `tcp-data-split ${split ? "on" : "off"}`);
      for (const merging of [true, false]) {
        await pair.ethtool("far", "-K", `rx-gro-hw ${merging ? "on" : "off"}`);
        for (const family of [4, 6] as const) far = await checkTransfer(pair, family, split, far);
      }
    }
  });
}

test("With the senders' offloads off every byte arrives too", async () => {
  using pair = await Pair.make();
  await pair.ethtool("near", "-K", "tso off");
  await transfer(pair.bed, MIB + 1);
  await pair.ethtool("near", "-K", "tx off");
  await transfer(pair.bed, MIB + 1);
  await transfer(pair.bed, MIB + 1, { family: 6 });
});

test("ARP, neighbour discovery, fragments: also after a move to another namespace", async () => {
  const [near, far] = NetworkNamespace.createMany(2) as [NetworkNamespace, NetworkNamespace];
  using _near = near;
  using _far = far;
  const ip = (namespace: NetworkNamespace, line: string): Promise<string> =>
    runInNamespace(namespace, "ip", line.split(" "), { descriptor3: far });
  await ip(near, "link add name a type softnic");
  await ip(near, "link add link a name b type softnic");
  await ip(near, "link set dev b netns /proc/self/fd/3");
  for (const [namespace, name, number] of [[near, "a", 1], [far, "b", 2]] as const) {
    await ip(namespace, `addr add 10.9.0.${number}/24 dev ${name}`);
    await ip(namespace, `addr add fd09::${number}/64 dev ${name} nodad`);
    await ip(namespace, `link set dev ${name} up`);
  }
  for (const [namespace, name] of [[near, "a"], [far, "b"]] as const) {
    await eventually(
      "the carrier",
      async () => /state UP/.test(await ip(namespace, `link show ${name}`)) ? true : undefined,
    );
  }
  using area = Area.map({ bytes: 1 << 18 });
  for (const [family, host] of [[4, "10.9.0.2"], [6, "fd09::2"]] as const) {
    for (const length of [1, 1400, 60_000]) {
      using receiver = Socket.udp({ namespace: far }, { family }).setOption("SO_RCVBUF", MIB)
        .bind({ host, port: 7000 });
      using sender = Socket.udp({ namespace: near }, { family }).setOption("SO_SNDBUF", MIB)
        .connect({ host, port: 7000 });
      area.unsafeBytes(0, length).forEach((_, i, bytes) => bytes[i] = i * 7);
      assertEquals(sender.sendBlocking(area.slice(0, length)), length);
      const room = area.slice(1 << 17, 1 << 17);
      assertEquals(await eventually("a datagram", () => receiver.tryReceive(room)), length);
      assertEquals(area.unsafeBytes(1 << 17, length), area.unsafeBytes(0, length));
    }
  }
});

test("A rule leads a flow to its queue, and no other", async () => {
  using pair = await Pair.make();
  await pair.far.steer({ port: 5004, queue: 2 });
  await pair.far.steer({ port: 5006, queue: 3, family: 6 });
  const payloads = async (): Promise<number[]> => {
    const { far } = await pair.settled();
    return [0, 1, 2, 3].map((queue) => far[`rx${queue}_kernel_bytes`]!);
  };
  await transfer(pair.bed, 100_000, { port: 5004 });
  assertEquals(await payloads(), [0, 0, 100_000, 0]);
  await transfer(pair.bed, 50_000, { port: 5006, family: 6 });
  assertEquals(await payloads(), [0, 0, 100_000, 50_000]);
  await transfer(pair.bed, 30_000, { port: 5006, family: 4 });
  assertEquals(await payloads(), [30_000, 0, 100_000, 50_000]);

  assertMatch(await pair.ethtool("far", "-n"), /Total 2 rules/);
  await pair.ethtool("far", "-K", "ntuple off");
  await pair.ethtool("far", "-K", "ntuple on");
  assertMatch(await pair.ethtool("far", "-n"), /Total 0 rules/);
  await transfer(pair.bed, 1000, { port: 5004 });
  assertEquals(await payloads(), [31_000, 0, 100_000, 50_000]);
});

test("UDP rules match addresses and ports; the first place wins", async () => {
  using pair = await Pair.make();
  const { host } = pair.bed.far.address(0);
  await pair.ethtool("far", "-N", `flow-type udp4 dst-ip ${host} action 1 loc 5`);
  await pair.ethtool("far", "-N", "flow-type udp4 dst-port 7001 action 2 loc 4");
  await pair.ethtool("far", "-N", "flow-type udp6 dst-port 7001 action 3");
  for (const [port, family, count] of [[7000, 4, 3], [7001, 4, 5], [7001, 6, 7]] as const) {
    using datagrams = new Datagrams(pair.bed, { port, family });
    for (let i = 0; i < count; i++) datagrams.send(i);
    for (let i = 0; i < count; i++) assertEquals(await datagrams.receiveSoon(), i);
  }
  const { far } = await pair.settled();
  assertEquals([1, 2, 3].map((queue) => far[`rx${queue}_frames`]), [3, 5, 7]);
});

/** The hash of the RSS specification. */
function toeplitz(key: Uint8Array, input: Uint8Array): number {
  const bit = (bytes: Uint8Array, at: number): number => (bytes[at >> 3]! >> (7 - at % 8)) & 1;
  let hash = 0;
  for (let i = 0; i < input.length * 8; i++) {
    if (bit(input, i) === 0) continue;
    let window = 0;
    for (let j = 0; j < 32; j++) window = window << 1 | bit(key, i + j);
    hash ^= window;
  }
  return hash >>> 0;
}

/** What is hashed of an IPv4 flow. */
function flowBytes(source: string, sourcePort: number, to: string, toPort: number): Uint8Array {
  const bytes = [source, to].flatMap((address) => address.split(".").map(Number));
  return Uint8Array.from([...bytes, ...[sourcePort, toPort].flatMap((p) => [p >> 8, p & 0xff])]);
}

test("The hash is Toeplitz's: each flow comes to the queue that it says", async () => {
  // From the verification suite of the RSS specification.
  const key = "6d:5a:56:da:25:5b:0e:c2:41:67:25:3d:43:a3:8f:b0:" +
    "d0:ca:2b:cb:ae:7b:30:b4:77:cb:2d:a3:80:30:f2:0c:6a:42:b7:3b:be:ac:01:fa";
  const keyBytes = Uint8Array.from(key.split(":"), (byte) => Number.parseInt(byte, 16));
  const known = flowBytes("66.9.149.187", 2794, "161.142.100.80", 1766);
  assertEquals(toeplitz(keyBytes, known), 0x51ccc178);

  using pair = await Pair.make();
  await pair.ethtool("far", "-X", `equal 4 hkey ${key}`);
  const before = (await pair.settled()).far;
  const near = pair.bed.near.address(0).host;
  const far = pair.bed.far.address(0).host;
  const expected = [0, 0, 0, 0];
  using area = Area.map({ bytes: PAGE });
  for (let port = 8000; port < 8064; port++) {
    using receiver = Socket.udp(pair.bed.far).bind({ host: far, port });
    using sender = Socket.udp(pair.bed.near).bind({ host: near, port: port * 3 }).connect(
      receiver.localAddress!,
    );
    sender.sendBlocking(area.slice(0, 64));
    expected[toeplitz(keyBytes, flowBytes(near, port * 3, far, port)) % 128 % 4]!++;
  }
  const after = (await pair.settled()).far;
  const frames = [0, 1, 2, 3].map((q) => after[`rx${q}_frames`]! - before[`rx${q}_frames`]!);
  assertEquals(frames, expected);
  assert(expected.every((count) => count > 0), "flows are spread over all queues");
});

test("An indirection table with weights is followed", async () => {
  using pair = await Pair.make();
  await pair.ethtool("far", "-X", "weight 0 0 1 0");
  const before = (await pair.settled()).far;
  await transfer(pair.bed, 10_000);
  const after = (await pair.settled()).far;
  assertEquals(after.rx2_kernel_bytes! - before.rx2_kernel_bytes!, 10_000);
  await pair.ethtool("far", "-X", "default");
  assertMatch(await pair.ethtool("far", "-x"), /^\s+0:\s+0\s+1\s+2\s+3\s/m);
});

test("Rings and channels change under traffic", async () => {
  using pair = await Pair.make();
  await pair.ethtool("far", "-X", "default");
  await transfer(pair.bed, 16 * MIB, {
    between: async () => {
      for (
        const [end, option, line] of [
          ["far", "-G", "rx 64"],
          ["near", "-G", "tx 64"],
          ["far", "-L", "combined 1"],
          ["near", "-L", "combined 2"],
          ["far", "-G", "rx 8192"],
          ["far", "-L", "combined 4"],
          ["near", "-G", "tx 8192"],
          ["near", "-L", "combined 4"],
          ["far", "-G", "tcp-data-split off"],
          ["far", "-G", "tcp-data-split on"],
        ] as const
      ) await pair.ethtool(end, option, line);
    },
  });
  assertMatch(await pair.ethtool("far", "-g"), /Current[^]*RX:\s+8192\n[^]*split:\s+on/);
  assertMatch(await pair.ethtool("near", "-l"), /Current[^]*Combined:\s+4\n/);
});

test("The link goes down and comes up under traffic", async () => {
  using pair = await Pair.make();
  await transfer(pair.bed, 8 * MIB, {
    between: async () => {
      for (const end of ["far", "near"] as const) {
        const { interface: name } = pair.bed[end];
        await pair.ip(end, `link set ${name} down`);
        await pair.ip(end, `link set ${name} up`);
        // IPv6 loses its addresses and IPv4 its permanent neighbours with the link.
        const other = end === "far" ? "near" : "far";
        const address = pair.bed[other].address(0).host;
        const link = /link\/ether (\S+)/.exec(
          await pair.ip(other, `link show ${pair.bed[other].interface}`),
        )![1];
        await pair.ip(end, `neigh replace ${address} lladdr ${link} dev ${name} nud permanent`);
      }
    },
  });
});

test("A transmitter with a small ring waits, and loses nothing", async () => {
  using pair = await Pair.make();
  await pair.ethtool("near", "-G", "tx 64");
  using datagrams = new Datagrams(pair.bed);
  const before = (await pair.settled()).far;
  for (let i = 0; i < 2000; i++) datagrams.send(i);
  for (let i = 0; i < 2000; i++) assertEquals(await datagrams.receiveSoon(), i);
  const { far } = await pair.settled();
  assertEquals(total(far, "rx", "frames") - total(before, "rx", "frames"), 2000);
});

test("A frame under way arrives when its delay is over, and not before", async () => {
  using pair = await Pair.make();
  using datagrams = new Datagrams(pair.bed);
  await pair.far.setDelay(300_000);
  const sent = performance.now();
  datagrams.send(1);
  datagrams.send(2);
  assertEquals(datagrams.receive(), undefined);
  assertEquals(await datagrams.receiveSoon(), 1);
  assert(performance.now() - sent >= 300, "it was too early");
  await pair.far.setDelay(0);
  datagrams.send(3);
  assertEquals([await datagrams.receiveSoon(), await datagrams.receiveSoon()], [2, 3]);
});

test("TCP fills a long wire", async () => {
  using pair = await Pair.make();
  await pair.far.setDelay(20_000);
  await pair.near.setDelay(20_000);
  await transfer(pair.bed, 2 * MIB);
});

test("Loss repeats with its seed, and is counted", async () => {
  using pair = await Pair.make();
  using datagrams = new Datagrams(pair.bed);
  // Each receive queue has a loss of its own, so nothing else may come to this one; and datagrams of
  // several transmit queues might overtake each other.
  await pair.ethtool("far", "-N", "flow-type udp4 dst-port 7000 action 1");
  using _pinned = pinThread(0);
  const round = async (seed: number): Promise<number[]> => {
    await pair.far.setLoss(200_000, seed);
    const before = (await pair.settled()).far;
    for (let i = 0; i < 300; i++) datagrams.send(i);
    const { far } = await pair.settled();
    const lost = total(far, "rx", "wire_drops") - total(before, "rx", "wire_drops");
    const received = datagrams.receiveAll();
    assertEquals(received.length + lost, 300);
    return received;
  };
  const first = await round(7);
  // One in five, and with 300 trials hardly ever less than half or more than twice of that.
  assert(first.length > 180 && first.length < 270, `${first.length} of 300 arrived`);
  assertEquals(await round(7), first);
  assertNotEquals(await round(8), first);

  await pair.far.setLoss(1_000_000);
  for (let i = 0; i < 10; i++) datagrams.send(i);
  await pair.settled();
  assertEquals(datagrams.receiveAll(), []);
});

test("TCP gets over loss, of single segments of what it sent as one", async () => {
  for (const merging of ["on", "off"]) {
    using pair = await Pair.make();
    await pair.ethtool("far", "-K", `rx-gro-hw ${merging}`);
    await pair.far.setLoss(10_000, 3);
    await transfer(pair.bed, 3 * MIB);
    const { far } = await pair.settled();
    assert(total(far, "rx", "wire_drops") > 5, "nothing got lost");
  }
});

test("The interrupt fires on the CPU that was chosen", async () => {
  using pair = await Pair.make();
  const receiving = async (): Promise<number[]> => {
    const text = await Deno.readTextFile("/proc/softirqs");
    return /NET_RX:(.*)/.exec(text)![1]!.trim().split(/\s+/).map(Number);
  };
  using datagrams = new Datagrams(pair.bed);
  for (const cpu of [0, 1]) {
    await pair.far.setInterruptCpu(0, cpu);
    datagrams.send(0);
    await datagrams.receiveSoon();
    const before = await receiving();
    for (let i = 0; i < 50; i++) {
      datagrams.send(i);
      assertEquals(await datagrams.receiveSoon(), i);
    }
    const after = await receiving();
    // One softirq may do the work of two interrupts.
    assert(after[cpu]! - before[cpu]! >= 40, `CPU ${cpu}: ${before} became ${after}`);
  }
  await pair.far.setInterruptCpu(0, undefined);
  datagrams.send(9);
  assertEquals(await datagrams.receiveSoon(), 9);
});

test("A frame that is longer than the receiver's MTU is dropped and counted", async () => {
  using pair = await Pair.make({ mtu: 3000 });
  await pair.ip("far", `link set ${pair.bed.far.interface} mtu 1500`);
  using datagrams = new Datagrams(pair.bed, { length: 2000 });
  datagrams.send(1);
  const { far } = await pair.settled();
  assertEquals(total(far, "rx", "oversize_drops"), 1);
  assertEquals(datagrams.receive(), undefined);
});

test("The device's own statistics and those of its queues agree", async () => {
  using pair = await Pair.make();
  await transfer(pair.bed, 100_000);
  for (const end of ["near", "far"] as const) {
    const ofQueues = async (): Promise<number[]> => {
      const counters = (await pair.settled())[end];
      return (["rx", "tx"] as const).flatMap((way) =>
        ["frames", "bytes"].map((unit) => total(counters, way, unit))
      );
    };
    // The kernel may send something of its own between two looks.
    const { shown, expected } = await eventually("nothing to be sent meanwhile", async () => {
      const before = await ofQueues();
      const text = await pair.ip(end, `-json -s link show ${pair.bed[end].interface}`);
      const after = await ofQueues();
      const { rx, tx } = JSON.parse(text)[0].stats64;
      const same = before.every((count, index) => count === after[index]);
      const shown: number[] = [rx.packets, rx.bytes, tx.packets, tx.bytes];
      return same ? { shown, expected: after } : undefined;
    });
    assertEquals(shown, expected);
  }
});

test("What cannot be is refused, with a reason", async () => {
  using pair = await Pair.make();
  const name = pair.bed.near.interface;
  const refused = (work: Promise<unknown>, reason: RegExp): Promise<Error> =>
    assertRejects(() => work, CommandError).then((error) => {
      assertMatch((error as CommandError).stderr, reason);
      return error as Error;
    });
  await refused(pair.ip("near", `link add link ${name} name x type softnic`), /wired to another/);
  await refused(pair.ip("near", "link add link lo name x type softnic"), /another softnic only/);
  await refused(
    pair.ip("near", "link add name x numrxqueues 17 numtxqueues 17 type softnic"),
    /at most 16 queues/,
  );
  await refused(pair.ethtool("near", "-G", "rx 63"), /at least 64/);
  await refused(pair.ethtool("near", "-G", "tx 8193"), /exceeds maximum/);
  await refused(pair.ethtool("near", "-L", "combined 5"), /exceeds maximum/);
  await refused(pair.ethtool("near", "-X", "hfunc xor"), /not supported/);
  await refused(pair.ethtool("near", "-N", "flow-type tcp4 action 4"), /Invalid argument/);
  await refused(pair.ethtool("near", "-N", "flow-type ether action 1"), /not supported/);
  await refused(pair.ethtool("near", "-N", "delete 3"), /No such file/);
  await pair.ethtool("far", "-N", "flow-type tcp4 dst-port 1 action 3");
  await refused(pair.ethtool("far", "-L", "combined 3"), /ntuple/);
  await assertRejects(() => pair.near.setLoss(1_000_001), Error);
  await assertRejects(() => pair.near.setDelay(10_000_001), Error);
  await assertRejects(() => pair.near.setInterruptCpu(0, 4096), Error);
  // Nothing of it changed anything.
  await transfer(pair.bed, 10_000);
});

test("As many queues as there can be", async () => {
  using pair = await Pair.make({ queues: 16 });
  assertMatch(await pair.ethtool("far", "-l"), /Combined:\s+16\n[^]*Combined:\s+16\n/);
  await pair.far.steer({ port: 5000, queue: 15 });
  await transfer(pair.bed, 10_000, { port: 5000 });
  assertEquals((await pair.settled()).far.rx15_kernel_bytes, 10_000);
});

test("A port that loses its other end has no carrier until it is wired again", async () => {
  using pair = await Pair.make();
  const { interface: name } = pair.bed.near;
  const carrier = async (): Promise<boolean> =>
    /LOWER_UP/.test(await pair.ip("near", `link show ${name}`));
  assert(await carrier());
  await using stream = await Stream.open(pair.bed, 64 * MIB);
  const sending = stream.send().then(() => "sent", () => "failed");
  await pair.ip("far", `link del ${pair.bed.far.interface}`);
  assert(!await carrier());
  await pair.ip("near", `link add link ${name} name other type softnic`);
  await pair.ip("near", "link set other up");
  assert(await carrier());
  await pair.ip("near", "link del other");
  assert(!await carrier());
  stream.near.shutdown();
  assertEquals(await sending, "failed");
});

test("Ports go with their namespaces, also under traffic", async () => {
  const pair = await Pair.make();
  const ports = [`${CONTROL}/${pair.near.port}`, `${CONTROL}/${pair.far.port}`];
  for (const port of ports) assert(Deno.statSync(port).isDirectory);
  {
    await using stream = await Stream.open(pair.bed, 64 * MIB);
    const sending = stream.send().then(() => "sent", () => "failed");
    // The sockets hold their namespaces until the end of this block.
    pair.bed.close();
    stream.near.shutdown();
    assertEquals(await sending, "failed");
  }
  const exists = (path: string): boolean => {
    try {
      Deno.statSync(path);
      return true;
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return false;
      throw error;
    }
  };
  // A socket that still has data to send holds its namespace until TCP has given up or got through,
  // and this link's TCP waits 3 s, then 6 s, and so on.
  await until("the ports are gone", () => !ports.some(exists), 4 * PATIENCE);
});

test("Numbers of ports are not used twice", async () => {
  let last = 0;
  for (let i = 0; i < 3; i++) {
    using pair = await Pair.make();
    assert(pair.near.port > last && pair.far.port > pair.near.port);
    last = pair.far.port;
  }
});

test("None of this made the kernel complain", async () => {
  const { stdout } = await new Deno.Command("dmesg", { stdout: "piped" }).output();
  assertEquals(kernelComplaints(new TextDecoder().decode(stdout)), []);
});
