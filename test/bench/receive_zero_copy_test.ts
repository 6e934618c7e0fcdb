import { assertEquals, assertGreaterOrEqual, assertRejects } from "@std/assert";
import { Area, Socket, Softnic, Testbed } from "zclab";
import { receiveZeroCopy } from "../../bench/receive.ts";
import { receiveTrials } from "../../bench/receive_trials.ts";
import { namespacesOf, Reference } from "../../bench/reference.ts";
import type { Received, ZcrxOptions } from "../../bench/stream.ts";
import { testsNeeding } from "../needs.ts";

const test = testsNeeding("softnic");

/** As little as the bench's own, but enough to go round more than once. */
const MEMORY = { area: 1 << 20, refill: 256, completions: 256 } as const;
const QUEUE = 1;
const PORT = 9100;

/** The C program as a sender, and as a receiver. */
class Programs implements AsyncDisposable {
  readonly sender: Reference;
  readonly reference: Reference;
  readonly #bed: Testbed;

  private constructor(bed: Testbed, sender: Reference, reference: Reference) {
    this.#bed = bed;
    this.sender = sender;
    this.reference = reference;
  }

  static async start(bed: Testbed): Promise<Programs> {
    const [sender, reference] = await Promise.all(
      [bed.near, bed.far].map((end) => Reference.start(namespacesOf(end))),
    );
    return new Programs(bed, sender!, reference!);
  }

  /** Both receive the same stream from the same sender, one after the other. */
  async receiveTwice(options: ZcrxOptions): Promise<{ c: Received; ours: Received }> {
    const { sender, reference } = this;
    const send = (port: number): Promise<void> => sender.stream({ ...options, port, cpu: 1 });
    const c = await reference.receiveZeroCopy(options, send);
    assertEquals((await sender.sent()).bytes, options.bytes);
    const ours = await receiveZeroCopy(this.#bed.far, options, send);
    assertEquals((await sender.sent()).bytes, options.bytes);
    return { c, ours };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.sender[Symbol.asyncDispose]();
    await this.reference[Symbol.asyncDispose]();
  }
}

test("C and ours receive the same streams without a device", async () => {
  await using bed = await Testbed.loopback();
  await using programs = await Programs.start(bed);
  for (const bytes of [1, 7, 4096, 100_003, 5 << 20]) {
    const { c, ours } = await programs.receiveTwice({
      ...bed.far.address(0),
      bytes,
      cpu: 0,
      interface: null,
      queue: 0,
      ...MEMORY,
    });
    for (const { bytes: received, copiedBytes, pieces } of [c, ours]) {
      assertEquals([received, copiedBytes], [bytes, bytes]);
      assertGreaterOrEqual(pieces, Math.ceil(bytes / 4096));
    }
  }
});

test("C and ours receive the same bytes from a queue, and the NIC placed them", async () => {
  await using bed = await Testbed.softnic();
  const nic = await Softnic.of(bed.far);
  await nic.steer({ port: PORT, queue: QUEUE });
  const before = await nic.counters();
  const bytes = (2 << 20) + 5;
  await using programs = await Programs.start(bed);
  const { c, ours } = await programs.receiveTwice({
    ...bed.far.address(PORT),
    bytes,
    cpu: 0,
    interface: bed.far.interface,
    queue: QUEUE,
    // Room for all that TCP may send before anything is given back.
    area: 16 << 20,
    refill: 4096,
    completions: 1024,
  });
  for (const { bytes: received, copiedBytes } of [c, ours]) {
    assertEquals([received, copiedBytes], [bytes, 0]);
  }
  const after = await nic.counters();
  const grown = (name: string): number => after[name]! - before[name]!;
  // TCP may have sent something twice.
  assertGreaterOrEqual(grown(`rx${QUEUE}_user_bytes`), 2 * bytes);
  assertEquals(grown(`rx${QUEUE}_linear_payload_bytes`), 0);
});

test("C and ours refuse a stream that is not what they expect", async () => {
  await using bed = await Testbed.loopback();
  await using reference = await Reference.start(namespacesOf(bed.far));
  using area = Area.map({ bytes: 4096 });
  const options = {
    ...bed.far.address(0),
    bytes: 64,
    cpu: 0,
    interface: null,
    queue: 0,
    ...MEMORY,
  };
  const wrong = (port: number): void => {
    using socket = Socket.tcp(bed.near).connectBlocking({ host: options.host, port });
    socket.sendBlocking(area.slice(0, 64));
  };
  for (
    const receive of [
      () => reference.receiveZeroCopy(options, wrong),
      () => receiveZeroCopy(bed.far, options, wrong),
    ]
  ) {
    await assertRejects(receive, Error, "not what was sent");
  }
});

test("Without its interface the C program says so, and goes on", async () => {
  await using bed = await Testbed.loopback();
  await using programs = await Programs.start(bed);
  const { sender, reference } = programs;
  const options = { ...bed.far.address(0), bytes: 10, cpu: 0, queue: 0, ...MEMORY };
  await assertRejects(
    () => reference.receiveZeroCopy({ ...options, interface: "nothing0" }, () => {}),
    Error,
    "the interface: No such device",
  );
  const { bytes } = await reference.receiveZeroCopy(
    { ...options, interface: null },
    (port) => sender.stream({ ...options, port }),
  );
  assertEquals(bytes, 10);
  await sender.sent();
});

test("The trials of the bench receive as often as they are told to, all of it placed", async () => {
  const bytes = 1 << 20;
  const labels: string[] = [];
  const progress = { update: (_done: number, _of: number, label?: string) => labels.push(label!) };
  const result = await receiveTrials({ rounds: 2, scale: 1 / 256, progress });
  assertEquals(result.bytes, bytes);
  assertEquals(result.rows.map(({ side }) => side), ["C, zcrx", "zclab, zcrx", "C, recv"]);
  for (const { ratio, noiseFloor } of [result.speed, result.cpu]) {
    assertEquals([ratio.rounds, noiseFloor.rounds], [2, 2]);
  }
  // Two rounds to warm up; in those that count, C with zcrx runs twice.
  assertEquals(result.trials.length, 2 * 3 + 2 * 4);
  assertEquals(labels.length, result.trials.length + 1);
  for (const { factors: { side }, measures: { placedBytes, copiedBytes } } of result.trials) {
    assertEquals(copiedBytes, 0);
    if (side === "C, recv") assertEquals(placedBytes, 0);
    else assertGreaterOrEqual(placedBytes, bytes);
  }
});
