/**
 * The soak: whoever receives, sends or carries a stream ends at random moments. Afterwards the queue
 * belongs to the next receiver, what that receives is whole, and nothing of the dead is left.
 *
 * The moments come from a seed: a run can be repeated as far as a machine repeats itself.
 *
 * @module
 */
import { assert, assertEquals, assertMatch, assertStrictEquals } from "@std/assert";
import {
  Area,
  Netdev,
  pinThread,
  type Place,
  Random,
  Ring,
  Socket,
  Softnic,
  Testbed,
  ZeroCopyReceiver,
} from "zclab";
import { Program } from "../../bench/program.ts";
import { runInNamespace } from "../../labs/kit/namespace_command.ts";
import { kernelComplaints } from "../../vm/kernel_log.ts";
import { bytesOf, sleep, textOf } from "../ffi/connections.ts";
import { reapAll, Stream } from "./streams.ts";

const SEED = 20_261_122;
const MIB = 1 << 20;
const QUEUE = 1;
const PORT = 9001;

/** How many receivers are killed, and how many of them are ours: those take a second to start. */
const KILLS = 30;
const DENO_KILLS = 2;

/** How often each kind of disturbance happens. */
const DISTURBANCES_OF_A_KIND = 3;

/** The longest time from the mark that a disturbance waits for to the disturbance, in milliseconds. */
const LONGEST_DELAY = 16;

/** Bytes of a stream that does not end before somebody ends it; and of one that may come to its end. */
const ENDLESS = 128 * MIB;
const FINITE = 48 * MIB;

/** Bytes that have arrived when a stream counts as flowing. */
const FLOWING = MIB;

/** Bytes of the stream that must arrive whole. */
const SHORT = 50_000;

/** Milliseconds after which something that should happen by itself will not. */
const PATIENCE = 30_000;

/** The memory of a receiver that is killed; the queue posts fewer buffers than that in advance. */
const MEMORY = { area: 4 * MIB, refill: 1024, completions: 1024 } as const;
const DESCRIPTORS = 256;

/** What a disturbance waits for: the receiver to begin, to listen, or to have received something. */
const MARKS = ["start", "listening", "stream", "stream"] as const;

/** Our receiver: says when it begins and when it listens, as the C program does. */
const DENO_RECEIVER = `
  import { Area, Ring, Socket, ZeroCopyReceiver } from "zclab";
  console.log(JSON.stringify({ starting: true }));
  const ring = Ring.open({ completionSize: 32 });
  const area = Area.map({ bytes: ${MEMORY.area} });
  const receiver = ZeroCopyReceiver.open(ring, { area, interface: "zclab0", queue: ${QUEUE} });
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

/** Looks again and again until there is something; fails when it should have been there long since. */
async function eventually<T>(what: string, look: () => T | undefined): Promise<T> {
  const deadline = performance.now() + PATIENCE;
  while (performance.now() < deadline) {
    const found = look();
    if (found !== undefined) return found;
    await sleep(50);
  }
  throw new Error(`Waited in vain for ${what}`);
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
      const { value } = await this.#output.read();
      assert(value !== undefined, "a child ended by itself");
      this.#text += textOf(value);
    }
    const line = this.#text.slice(0, end);
    this.#text = this.#text.slice(end + 1);
    return JSON.parse(line);
  }

  /** Waits until it listens. */
  async listening(): Promise<void> {
    const { listening, error } = await this.answer();
    assertEquals([listening, error], [PORT, undefined]);
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

/** A softnic whose queue is being fought over, and the programs that do it. */
class Arena {
  readonly bed: Testbed;
  readonly #netdev: Netdev;
  readonly #program: Program;
  readonly #kernelPools: number;

  private constructor(bed: Testbed, netdev: Netdev, program: Program) {
    this.bed = bed;
    this.#netdev = netdev;
    this.#program = program;
    this.#kernelPools = netdev.pagePools().length;
  }

  /** @param program Where the C programs come from: nothing of them is left on disk. */
  static async open(program: Program): Promise<Arena> {
    const bed = await Testbed.softnic({ descriptors: DESCRIPTORS });
    await (await Softnic.of(bed.far)).steer({ port: PORT, queue: QUEUE });
    return new Arena(bed, Netdev.open(bed.far), program);
  }

  /** A program that sends when it is told to. */
  sender(): Child {
    return new Child(`/proc/${this.#program.pid}/exe`, [pathOf(this.bed.near)]);
  }

  /** A receiver that has just been told to begin: the C program, */
  async receiver(bytes: number): Promise<Child> {
    const child = new Child(`/proc/${this.#program.pid}/exe`, [pathOf(this.bed.far)]);
    const { interface: name } = this.bed.far;
    const { area, refill, completions } = MEMORY;
    const { host } = this.bed.far.address(PORT);
    await child.order("zcrx", 0, host, PORT, bytes, name, QUEUE, area, refill, completions);
    return child;
  }

  /** or ours. */
  async denoReceiver(): Promise<Child> {
    const deno = [Deno.execPath(), "eval", "--ext=ts", DENO_RECEIVER];
    const child = new Child("nsenter", [`--net=${pathOf(this.bed.far)}`, ...deno]);
    assertEquals(await child.answer(), { starting: true });
    return child;
  }

  /** Has a stream sent. */
  async send(sender: Child, bytes: number): Promise<void> {
    await sender.order("send", 1, this.bed.far.address(PORT).host, PORT, bytes);
  }

  /** Whether somebody has registered the queue. */
  isTaken(): boolean {
    const queues = this.#netdev.queues(this.bed.far.interface);
    const queue = queues.find(({ type, id }) => type === "rx" && id === QUEUE);
    return queue?.provider === "io_uring";
  }

  /** Registers the queue anew, without more patience than anybody has, and receives a stream. */
  async receiveWhole(): Promise<void> {
    const { far } = this.bed;
    const ring = Ring.open({ completionSize: 32, completionEntries: 256 });
    const area = Area.map({ bytes: 2 * MIB });
    try {
      const where = { interface: far.interface, queue: QUEUE, place: far };
      const o = performance.now(); const receiver = ZeroCopyReceiver.open(ring, { area, ...where }); const opened = (performance.now()-o).toFixed(1);
      await using stream = await Stream.open(this.bed, SHORT, { port: PORT });
      stream.sendNow();
      stream.near.shutdown("write");
      const { bytes, errors } = await reapAll(receiver, [stream]);
      assertEquals([bytes, errors], [{ 0: SHORT }, {}]);
      assertEquals(stream.compared, SHORT);
      assertEquals(receiver.statistics().copiedBytes, 0); return opened as any;
    } finally {
      ring.close();
      area.close();
    }
  }

  /** Waits until the page pools of all former receivers are gone. */
  async assertNoPoolIsLeft(): Promise<void> {
    await eventually("the page pools of dead receivers to go", () => {
      // What the network stack has put aside on a processor stays there until something arrives.
      interruptEveryProcessor();
      const pools = this.#netdev.pagePools();
      const left = pools.filter((pool) =>
        pool.detachedSeconds !== undefined || pool.provider !== "kernel"
      );
      return left.length === 0 && pools.length <= this.#kernelPools ? true : undefined;
    });
  }

  close(): void {
    this.#netdev.close();
    this.bed.close();
  }
}

/** Has a packet arrive on every processor. */
function interruptEveryProcessor(): void {
  using receiver = Socket.udp().bind({ host: "127.0.0.1", port: 0 });
  using sender = Socket.udp().connect(receiver.localAddress!);
  using area = Area.map({ bytes: 4096 });
  for (let cpu = 0; cpu < navigator.hardwareConcurrency; cpu++) {
    using _pin = pinThread(cpu);
    sender.send(area.slice(0, 1));
  }
}

/** Pages that the kernel has pinned for somebody's direct access: areas, above all. */
function pinnedPages(): number {
  const text = Deno.readTextFileSync("/proc/vmstat");
  const read = (name: string): number => Number(new RegExp(`^${name} (\\d+)$`, "m").exec(text)![1]);
  return read("nr_foll_pin_acquired") - read("nr_foll_pin_released");
}

function assertNothingStaysPinned(before: number): Promise<true> {
  return eventually(
    "the memory of dead receivers to be let go of",
    () => pinnedPages() === before ? true : undefined,
  );
}

function compileReceivers(): Promise<Program> {
  return Program.start(new URL("../../bench/receive.c", import.meta.url));
}

Deno.test(`${KILLS} receivers are killed at random moments: the next one has the queue`, async () => {
  await using program = await compileReceivers();
  const pinned = pinnedPages();
  const arena = await Arena.open(program);
  const random = new Random(SEED);
  const rounds = Array.from({ length: KILLS }, (_, round) => round);
  const deno = new Set(random.shuffled(rounds).slice(0, DENO_KILLS));
  /** How far the receivers had got. */
  const killed = { unregistered: 0, registered: 0, flowing: 0 };
  {
    await using sender = arena.sender();
    await arena.receiveWhole();
    for (const round of rounds) { const tr = performance.now();
      const mark = MARKS[random.below(MARKS.length)]!;
      const delay = random.next() * LONGEST_DELAY;
      await using receiver = deno.has(round)
        ? await arena.denoReceiver()
        : await arena.receiver(ENDLESS);
      const arrivedBefore = receiver.arrivedBytes();
      if (mark !== "start") {
        await receiver.listening();
        await arena.send(sender, ENDLESS);
      }
      const flows = (): boolean => receiver.arrivedBytes() - arrivedBefore >= FLOWING;
      if (mark === "stream") {
        const deadline = performance.now() + PATIENCE;
        while (!flows() && performance.now() < deadline) pause(0.2);
      }
      pause(delay);
      killed[!arena.isTaken() ? "unregistered" : flows() ? "flowing" : "registered"]++;
      const t0 = performance.now(); await receiver.kill(); const t1 = performance.now();
      if (mark !== "start") {
        const { error } = await sender.answer();
        assertMatch(String(error), /^send: Connection (reset|refused)|^send: Broken pipe/);
      }
      const t2 = performance.now(); const opened = await arena.receiveWhole(); console.log(round, mark, delay.toFixed(1), JSON.stringify(killed), "kill", (t1-t0).toFixed(1), "sender", (t2-t1).toFixed(1), "open", opened, "whole", (performance.now()-t2).toFixed(1), "round", (performance.now()-tr).toFixed(0));
    }
  }
  await arena.assertNoPoolIsLeft();
  assert(!arena.isTaken());
  arena.close();
  await assertNothingStaysPinned(pinned);
  // Otherwise the moments were not those that this is about.
  for (const [state, count] of Object.entries(killed)) assert(count > 0, `none was ${state}`);
});
