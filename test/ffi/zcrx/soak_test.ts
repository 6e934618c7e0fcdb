/**
 * The soak: whoever receives, sends or carries a stream ends at random moments. Afterwards the queue
 * belongs to the next receiver, what that receives is whole, and nothing of the dead is left.
 *
 * The moments come from a seed: a run can be repeated as far as a machine repeats itself.
 *
 * @module
 */
import { assert, assertEquals, assertMatch } from "@std/assert";
import {
  Area,
  Netdev,
  pinThread,
  type Place,
  Ring,
  Socket,
  Softnic,
  Testbed,
  ZcrxReceiver,
} from "zclab";
import { Random } from "zclab/experiment";
import { Program } from "../../../bench/program.ts";
import { runInNamespace } from "../../../labs/kit/testbed/namespace_command.ts";
import { kernelComplaints } from "../../../vm/kernel_log.ts";
import { deadline, eventually, inTime } from "../../until.ts";
import { bytesOf, pattern, sleep, textOf } from "../connections.ts";
import { testsNeeding } from "../../needs.ts";

const test = testsNeeding("softnic");

const SEED = 20_261_122;
const MIB = 1 << 20;
const QUEUE = 1;
/** Where those listen that are killed, and those that succeed them. */
const PORT = 9001;
const SHORT_PORT = 9002;

/** How many receivers are killed, and how many of them are ours: those take a while to start. */
const KILLS = 200;
const DENO_KILLS = 3;

/** How often each kind of disturbance happens. */
const DISTURBANCES_OF_A_KIND = 2;

/** Bytes of a stream that somebody ends before it does, or at least disturbs. */
const LONG = 64 * MIB;

/** Bytes that have arrived when a stream counts as flowing. */
const FLOWING = MIB / 4;

/** Bytes of the stream that must arrive whole. */
const SHORT = 50_000;

/** Seconds that a child may take to answer: it may have to be loaded first, or to receive a stream. */
const ANSWER_SECONDS = 300;

/** Milliseconds after which something that should happen by itself will not. */
const PATIENCE = 30_000;

/** The memory of a receiver that is killed; the queue posts fewer buffers than that in advance. */
const MEMORY = { area: 4 * MIB, refill: 1024, completions: 1024 } as const;
const DESCRIPTORS = 256;

/**
 * What a kill waits for: the receiver to begin, to listen, or to have received something. After that
 * it waits for a random time, in milliseconds at most.
 */
const MARKS = [
  { mark: "start", delay: 80 },
  { mark: "listening", delay: 10 },
  { mark: "stream", delay: 10 },
  { mark: "stream", delay: 10 },
] as const;

/** Microseconds after which TCP sends again; the testbed's own time suits other tests. */
const RTO = 200_000;

/** Bytes that a socket keeps for sending at most. */
const SEND_BUFFER = 1 << 18;

/** Our receiver: says when it begins and when it listens, as the C program does. */
const DENO_RECEIVER = `
  import { Area, Ring, Socket, ZcrxReceiver } from "zclab";
  console.log(JSON.stringify({ starting: true }));
  const ring = Ring.open({ completionSize: 32 });
  const area = Area.map({ bytes: ${MEMORY.area} });
  const receiver = ZcrxReceiver.open(ring, { area, interface: "zclab0", queue: ${QUEUE} });
  const listener = Socket.tcp().setOption("SO_REUSEADDR", true)
    .bind({ host: "0.0.0.0", port: ${PORT} }).listen();
  console.log(JSON.stringify({ listening: ${PORT} }));
  const socket = await ring.accept(listener);
  const held = [];
  for await (const piece of receiver.receive(socket)) {
    held.push(piece);
    if (held.length > 100) held.shift().release();
  }
`;

/** Stops the thread; timers are too coarse for random moments. */
function pause(milliseconds: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
}

/** The path of a namespace for programs of ours. */
function pathOf({ namespace }: Place): string {
  return `/proc/${Deno.pid}/fd/${namespace!.fd}`;
}

/** A process that sends or receives, and can be killed at any moment. */
class Child implements AsyncDisposable {
  readonly #process: Deno.ChildProcess;
  readonly #input: WritableStreamDefaultWriter<Uint8Array>;
  readonly #output: ReadableStreamDefaultReader<Uint8Array>;
  #text = "";

  constructor(program: string, args: readonly string[]) {
    this.#process = new Deno.Command(program, {
      args: [...args],
      stdin: "piped",
      stdout: "piped",
    }).spawn();
    this.#input = this.#process.stdin.getWriter();
    this.#output = this.#process.stdout.getReader();
  }

  /** Gives it a command. */
  async order(...words: readonly (string | number)[]): Promise<void> {
    await this.#input.write(bytesOf(`${words.join(" ")}\n`));
  }

  /** The next line that it says. */
  async answer(): Promise<Record<string, unknown>> {
    let end: number;
    while ((end = this.#text.indexOf("\n")) < 0) {
      const { value } = await inTime("an answer", this.#output.read(), ANSWER_SECONDS);
      assert(value !== undefined, "a child ended by itself");
      this.#text += textOf(value);
    }
    const line = this.#text.slice(0, end);
    this.#text = this.#text.slice(end + 1);
    return JSON.parse(line);
  }

  /** Bytes that have come to its namespace's interface so far. */
  arrivedBytes(): number {
    const devices = Deno.readTextFileSync(`/proc/${this.#process.pid}/net/dev`);
    return Number(/^\s*zclab0:\s*(\d+)/m.exec(devices)![1]);
  }

  /** Kills it and waits until the kernel has seen to that. Idempotent. */
  async kill(): Promise<void> {
    try {
      this.#process.kill("SIGKILL");
    } catch (error) {
      // It has ended.
      if (!(error instanceof TypeError)) throw error;
    }
    await this.#process.status;
    await this.#output.cancel();
    await this.#input.close().catch(() => {});
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.kill();
  }
}

function untilFlowing(arrived: () => number): void {
  const check = deadline("the stream flows");
  while (arrived() < FLOWING) {
    check();
    pause(1);
  }
}

/** A softnic whose queue is being fought over, and the programs that do it. */
class Arena implements Disposable {
  readonly bed: Testbed;
  readonly #netdev: Netdev;
  readonly #program: Program;
  readonly #kernelPools: number;
  readonly #listener: Socket;
  /** Memory of the receiver that succeeds the dead. */
  readonly #area = Area.map({ bytes: 2 * MIB });
  readonly #data = Area.map({ bytes: MIB });
  readonly #expected = pattern(SHORT);

  private constructor(bed: Testbed, program: Program) {
    this.bed = bed;
    this.#netdev = Netdev.open(bed.far);
    this.#program = program;
    this.#kernelPools = this.#netdev.pagePools().length;
    this.#listener = Socket.tcp(bed.far).bind(bed.far.address(SHORT_PORT)).listen();
    this.#data.unsafeBytes(0, SHORT).set(this.#expected);
  }

  /** @param program Where the C programs come from: nothing of them is left on disk. */
  static async open(program: Program): Promise<Arena> {
    const bed = await Testbed.softnic({ descriptors: DESCRIPTORS });
    const nic = await Softnic.of(bed.far);
    for (const port of [PORT, SHORT_PORT]) await nic.steer({ port, queue: QUEUE });
    return new Arena(bed, program);
  }

  /** A program that sends when it is told to. */
  sender(): Promise<Child> {
    return this.#child(this.bed.near, 1);
  }

  /** The C program in a place, on a processor. */
  async #child(place: Place, cpu: number): Promise<Child> {
    const child = new Child(`/proc/${this.#program.pid}/exe`, [pathOf(place)]);
    await child.order("pin", cpu);
    assertEquals(await child.answer(), { cpu });
    return child;
  }

  /** The C program as a receiver that has just been told to begin. */
  async receiver(): Promise<Child> {
    const child = await this.#child(this.bed.far, 0);
    const { interface: name } = this.bed.far;
    const { area, refill, completions } = MEMORY;
    const { host } = this.bed.far.address(PORT);
    await child.order("zcrx", host, PORT, LONG, name, QUEUE, area, refill, completions);
    return child;
  }

  /** Our own receiver, which has just begun. */
  async denoReceiver(): Promise<Child> {
    const deno = [Deno.execPath(), "eval", "--ext=ts", DENO_RECEIVER];
    const child = new Child("nsenter", [`--net=${pathOf(this.bed.far)}`, ...deno]);
    assertEquals(await child.answer(), { starting: true });
    return child;
  }

  /**
   * Has a stream sent to a receiver.
   *
   * @returns What tells how many bytes have arrived since.
   */
  async begin(sender: Child, receiver: Child): Promise<() => number> {
    const { listening, error } = await receiver.answer();
    assertEquals([listening, error], [PORT, undefined]);
    const before = receiver.arrivedBytes();
    await sender.order("stream", this.bed.far.address(PORT).host, PORT, LONG);
    return () => receiver.arrivedBytes() - before;
  }

  /** Whether somebody has registered the queue. */
  isTaken(): boolean {
    const queues = this.#netdev.queues(this.bed.far.interface);
    const queue = queues.find(({ type, id }) => type === "rx" && id === QUEUE);
    return queue?.provider === "io_uring";
  }

  /**
   * Registers the queue anew, with the time limit that everybody has by default, as the kernel closes
   * the ring of a dead process in a thread of its own; and receives a stream.
   */
  async receiveWhole(): Promise<void> {
    const { near, far } = this.bed;
    const ring = Ring.open({ completionSize: 32, completionEntries: 256 });
    try {
      const where = { interface: far.interface, queue: QUEUE, place: far };
      const receiver = ZcrxReceiver.open(ring, { area: this.#area, ...where });
      using sender = Socket.tcp(near).connectBlocking(this.#listener.localAddress!);
      assertEquals(sender.sendBlocking(this.#data.slice(0, SHORT)), SHORT);
      sender.shutdown("write");
      using socket = await ring.accept(this.#listener);
      assertEquals(receiveAll(receiver, socket), this.#expected);
      assertEquals(receiver.statistics().copiedBytes, 0);
    } finally {
      ring.close();
    }
  }

  /**
   * Has TCP send again soon what got lost, and keep so little that a sender has to wait: only then it
   * dies at once when it is killed.
   */
  async hurry(): Promise<void> {
    const lines = [
      `echo ${RTO} >/proc/sys/net/ipv4/tcp_rto_min_us`,
      `echo 4096 ${SEND_BUFFER} ${SEND_BUFFER} >/proc/sys/net/ipv4/tcp_wmem`,
    ];
    await runInNamespace(this.bed.near.namespace, "sh", ["-ec", lines.join("\n")]);
  }

  /** Waits until the page pools of all former receivers are gone. */
  async assertNoPoolIsLeft(): Promise<void> {
    await eventually("the page pools of dead receivers to go", () => {
      // What the network stack has put aside on a processor stays there until something arrives.
      interruptEveryProcessor();
      const pools = this.#netdev.pagePools();
      const left = pools.filter(({ detachedSeconds, provider }) =>
        detachedSeconds !== undefined || provider !== "kernel"
      );
      return left.length === 0 && pools.length <= this.#kernelPools ? true : undefined;
    });
  }

  [Symbol.dispose](): void {
    this.#netdev.close();
    this.#listener.close();
    this.#area.close();
    this.#data.close();
    this.bed.close();
  }
}

/** Receives a stream to its end, and returns it. */
function receiveAll(receiver: ZcrxReceiver, socket: Socket): Uint8Array {
  const received = new Uint8Array(SHORT);
  let count = 0;
  const ends: unknown[] = [];
  receiver.start(socket);
  while (ends.length === 0) {
    assert(receiver.waitBlocking(PATIENCE), `the stream is stuck after ${count} bytes`);
    receiver.reap((_userData, piece, offset, length) => {
      received.set(receiver.areaOf(piece).unsafeBytes(offset, length), count);
      count += length;
      receiver.release(piece);
    }, (_userData, bytes, error) => ends.push(bytes, error));
  }
  assertEquals(ends, [SHORT, undefined]);
  return received;
}

/** Has a packet arrive on every processor. */
function interruptEveryProcessor(): void {
  using receiver = Socket.udp().bind({ host: "127.0.0.1", port: 0 });
  using sender = Socket.udp().connect(receiver.localAddress!);
  using area = Area.map({ bytes: 4096 });
  for (let cpu = 0; cpu < navigator.hardwareConcurrency; cpu++) {
    using _pin = pinThread(cpu);
    sender.sendBlocking(area.slice(0, 1));
  }
}

/** Pages that the kernel has pinned for somebody's direct access: areas, above all. */
function pinnedPages(): number {
  const text = Deno.readTextFileSync("/proc/vmstat");
  const read = (name: string): number => Number(new RegExp(`^${name} (\\d+)$`, "m").exec(text)![1]);
  return read("nr_foll_pin_acquired") - read("nr_foll_pin_released");
}

/** The same, once the kernel has released what tests before this one have closed. */
async function pinnedPagesAtRest(): Promise<number> {
  let before = pinnedPages();
  return await eventually("pinned pages that stay the same for a second", async () => {
    await sleep(1000);
    const now = pinnedPages();
    if (now === before) return now;
    before = now;
  });
}

function assertNothingStaysPinned(before: number): Promise<true> {
  return eventually(
    "the memory of dead receivers to be released",
    () => pinnedPages() <= before ? true : undefined,
  );
}

async function killReceivers(program: Program): Promise<void> {
  const pinned = await pinnedPagesAtRest();
  using arena = await Arena.open(program);
  const random = new Random(SEED);
  const rounds = Array.from({ length: KILLS }, (_, round) => round);
  const deno = new Set(random.shuffled(rounds).slice(0, DENO_KILLS));
  /** How far the receivers had got. */
  const killed = { unregistered: 0, registered: 0, flowing: 0 };
  {
    await using sender = await arena.sender();
    for (const round of rounds) {
      const { mark, delay } = MARKS[random.below(MARKS.length)]!;
      const moment = random.next() * delay;
      await using receiver = await (deno.has(round) ? arena.denoReceiver() : arena.receiver());
      const arrived = mark === "start" ? () => 0 : await arena.begin(sender, receiver);
      if (mark === "stream") untilFlowing(arrived);
      pause(moment);
      const state = !arena.isTaken() ? "unregistered" : arrived() > 0 ? "flowing" : "registered";
      killed[state]++;
      await receiver.kill();
      if (mark !== "start") await assertSenderFails(sender);
      await arena.receiveWhole();
    }
  }
  await arena.assertNoPoolIsLeft();
  assert(!arena.isTaken());
  await assertNothingStaysPinned(pinned);
  // Otherwise the moments were not those that this is about.
  for (const [state, count] of Object.entries(killed)) assert(count > 0, `none was ${state}`);
}

async function assertSenderFails(sender: Child): Promise<void> {
  const { error } = await sender.answer();
  assertMatch(String(error), /^send: (Connection reset by peer|Connection refused|Broken pipe)$/);
}

/** A stream that flows, to be disturbed. */
interface Fight {
  readonly arena: Arena;
  readonly sender: Child;
  readonly receiver: Child;
  /** How many bytes have arrived. */
  readonly arrived: () => number;
  /** For disturbances that take a time, in milliseconds. */
  readonly length: number;
}

/** What happens to a stream; resolves to whether it cost the arena. */
type Disturbance = (fight: Fight) => Promise<boolean>;

function setLink(arena: Arena, end: "near" | "far", ...words: string[]): Promise<string> {
  const { namespace, interface: name } = arena.bed[end];
  return runInNamespace(namespace, "ip", ["link", words[0]!, name, ...words.slice(1)]);
}

/** The stream stops as long as the link is down, and then comes to its end. */
function linkGoesDown(end: "near" | "far"): Disturbance {
  return async ({ arena, sender, receiver, arrived, length }) => {
    await setLink(arena, end, "set", "down");
    assert(arrived() < LONG, "the stream was over before the link went down");
    pause(length);
    await setLink(arena, end, "set", "up");
    const [received, sent] = [await receiver.answer(), await sender.answer()];
    assertEquals([received.error, received.bytes], [undefined, LONG]);
    assertEquals([sent.error, sent.bytes], [undefined, LONG]);
    return false;
  };
}

/** Nothing comes any more; and nobody tells those who wait. */
function deviceGoes(end: "near" | "far"): Disturbance {
  return async ({ arena, sender, receiver }) => {
    await setLink(arena, end, "delete");
    await receiver.kill();
    await sender.kill();
    return true;
  };
}

const DISTURBANCES: Readonly<Record<string, Disturbance>> = {
  "the receiver is killed": async ({ sender, receiver }) => {
    await receiver.kill();
    await assertSenderFails(sender);
    return false;
  },
  "the sender is killed": async ({ sender, receiver }) => {
    await sender.kill();
    const { error } = await receiver.answer();
    assertEquals(error, "the stream ended at another length: Bad message");
    return false;
  },
  "both are killed": async ({ sender, receiver }) => {
    await Promise.all([sender.kill(), receiver.kill()]);
    return false;
  },
  "the receiver's link goes down and up": linkGoesDown("far"),
  "the sender's link goes down and up": linkGoesDown("near"),
  "the receiver's device goes": deviceGoes("far"),
  "the sender's device goes": deviceGoes("near"),
};

/** Arenas in a row: when one is lost, the next is made, and the lost one must have left nothing. */
class Arenas implements AsyncDisposable {
  readonly #program: Program;
  #current: Arena | undefined;

  constructor(program: Program) {
    this.#program = program;
  }

  async current(): Promise<Arena> {
    if (this.#current === undefined) {
      const arena = this.#current = await Arena.open(this.#program);
      await arena.hurry();
    }
    return this.#current;
  }

  async leave(): Promise<void> {
    using arena = this.#current;
    this.#current = undefined;
    await arena?.assertNoPoolIsLeft();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.leave();
  }
}

async function disturb(program: Program): Promise<void> {
  const pinned = await pinnedPagesAtRest();
  const random = new Random(SEED);
  const kinds = Object.keys(DISTURBANCES);
  const order = random.shuffled(
    Array.from({ length: DISTURBANCES_OF_A_KIND }, () => kinds).flat(),
  );
  {
    await using arenas = new Arenas(program);
    for (const kind of order) {
      const arena = await arenas.current();
      await using sender = await arena.sender();
      await using receiver = await arena.receiver();
      const arrived = await arena.begin(sender, receiver);
      untilFlowing(arrived);
      pause(random.next() * 10);
      const fight = { arena, sender, receiver, arrived, length: random.next() * 50 };
      if (await DISTURBANCES[kind]!(fight)) await arenas.leave();
      await receiver.kill();
      await (await arenas.current()).receiveWhole();
    }
  }
  await assertNothingStaysPinned(pinned);
}

test("The queue of a receiver that goes belongs to the next one at once", async (t) => {
  // Compiled once: that takes as long as many a kill.
  await using program = await Program.start();
  await t.step(`${KILLS} receivers are killed`, () => killReceivers(program));
  await t.step("receivers, senders, links and devices go", () => disturb(program));
});

test("None of this made the kernel complain", async () => {
  const { stdout } = await new Deno.Command("dmesg", { stdout: "piped" }).output();
  assertEquals(kernelComplaints(textOf(stdout)), []);
});
