/**
 * What a payload costs that is in no cache: sends from memory of several sizes, from which requests take
 * their payloads in turn. The instructions are the same at each size, and the time is not.
 *
 * @module
 */
import { Area, CQE, Ring, type Slice, type Socket, threadCpuSeconds, UringError } from "zclab";
import { cross } from "zclab/experiment";
import { DatagramSink, defineLab } from "zclab/lab";

/** The ways of sending: copying, without copying, and without copying from registered memory. */
const MODES = ["send", "send-zc", "send-zc-fixed"] as const;

/** What one trial is about. */
type MemoryFactors = {
  readonly mode: typeof MODES[number];
  /** Size of the memory from which requests take their payloads in turn, in MiB. */
  readonly memory: number;
};

/** What one trial measured. */
type MemoryMeasures = {
  readonly cpuSecondsPerRequest: number;
  readonly sent: number;
  /** Requests that the kernel copied all the same; null for those that were to be copied. */
  readonly copied: number | null;
};

/** What all trials share. */
interface Bench {
  readonly sink: DatagramSink;
  /** By the sizes of the memory in MiB. */
  readonly areas: ReadonlyMap<number, Area>;
}

const MIB = 1 << 20;
const PAGE = 4096;
/**
 * What the kernel may make one page of, where memory of such a length begins at a multiple of it, as it
 * does since 6.7: then looking pages up is less work.
 */
const HUGE_PAGE = 2 * MIB;
/** What the caches of every processor hold, in MiB. */
const WARM = 1;
/** Requests in each submission. */
const BATCH = 8;
/** A completion that takes longer than this, in milliseconds, is lost. */
const PATIENCE = 10_000;

/** Sends from memory that caches hold, and from memory that they do not. */
export const txColdMemory = defineLab({
  name: "tx-cold-memory",
  title: "Sending from memory that is in a cache, and from memory that is in none",
  description:
    "Sends UDP datagrams into a sink, whose payloads are taken in turn from one memory: where it is " +
    "small the processor's caches hold it, and where it is larger than the last of them each payload " +
    "comes from main memory. A copying send reads the payload, a zero-copy send does not; without " +
    "registered memory that one looks its pages up. In a guest whose clock counts instructions all " +
    "sizes are the same, because a cache miss is no instruction.",
  needs: [
    ...["liburing", "shim", "io_uring", "IORING_OP_SEND_ZC"] as const,
    ...["namespaces", "ifb", "ip", "tc", "nsenter"] as const,
  ],
  options: {
    memory: {
      kind: "numbers",
      description:
        "sizes of the memory from which payloads are taken in turn, to compare with 1 MiB, which " +
        "always runs",
      default: [16, 256],
      quick: [256],
      minimum: 2,
      maximum: 1024,
      unit: "MiB",
    },
    mode: {
      kind: "strings",
      description: "the ways of sending",
      default: MODES,
      choices: MODES,
    },
    payload: {
      kind: "number",
      description: "bytes in each datagram",
      default: 60_000,
      minimum: 1,
      maximum: 65_000,
      unit: "bytes",
    },
    seconds: {
      kind: "number",
      description: "how long each trial sends",
      default: 0.06,
      quick: 0.04,
      counted: 0.004,
      minimum: 0.001,
      maximum: 3600,
      fraction: true,
      unit: "seconds",
    },
  },
  repeats: { default: 9, quick: 5, minimum: 2 },
  pinned: true,

  factors: ({ memory, mode: asked }): MemoryFactors[] =>
    cross({ mode: MODES.filter((mode) => asked.includes(mode)), memory: [WARM, ...memory] }),
  baseline: { memory: WARM },
  within: ["mode"],
  called: ({ memory }) => `from ${memory} MiB`,
  factorTitles: { memory: "memory,\nMiB" },

  async setUp({ factors }, use): Promise<Bench> {
    const sink = await use(DatagramSink.open("ifb"));
    const areas = new Map<number, Area>();
    for (const memory of new Set(factors.map(({ memory }) => memory))) {
      // A whole huge page, so that a small memory consists of the same pages as a large one.
      const bytes = Math.max(HUGE_PAGE, memory * MIB);
      const area = await use(Promise.resolve(Area.map({ bytes })));
      // Untouched memory is one page of zeros, which never leaves the cache.
      area.unsafeBytes().fill(0x7a);
      areas.set(memory, area);
    }
    return { sink, areas };
  },
  /** Registered memory counts against RLIMIT_MEMLOCK. */
  refusal({ mode, memory }, { areas }): string | undefined {
    if (mode !== "send-zc-fixed") return undefined;
    using ring = Ring.open({ entries: 8 });
    try {
      using _registered = register(ring, areas.get(memory)!);
    } catch (error) {
      if (!(error instanceof UringError) || error.code !== "ENOMEM") throw error;
      return error.message;
    }
  },
  trial(
    { mode, memory },
    { sink, areas },
    { options: { payload, seconds }, clock },
  ): MemoryMeasures {
    using ring = Ring.open({ entries: 4 * BATCH });
    using socket = sink.connect();
    const area = areas.get(memory)!;
    using _registered = mode === "send-zc-fixed" ? register(ring, area) : undefined;
    const stride = Math.ceil(payload / PAGE) * PAGE;
    const payloads = Array.from(
      { length: Math.floor(memory * MIB / stride) },
      (_, index) => area.slice(index * stride, payload),
    );
    const sender = new Sender(ring, socket, payloads, mode === "send" ? "send" : "sendZc");
    // Each payload once: the caches have what they can hold. Where instructions are counted there are none.
    const warming = clock === "time" ? payloads.length : BATCH;
    for (let i = 0; i < warming; i += BATCH) sender.sendBatch();
    const [sentBefore, copiedBefore] = [sender.sent, sender.copied];
    const before = threadCpuSeconds();
    const end = performance.now() + seconds * 1000;
    do sender.sendBatch(); while (performance.now() < end);
    const cpuSeconds = threadCpuSeconds() - before;
    const sent = sender.sent - sentBefore;
    return {
      cpuSecondsPerRequest: cpuSeconds / sent,
      sent,
      copied: mode === "send" ? null : sender.copied - copiedBefore,
    };
  },

  columns: {
    cpuSecondsPerRequest: {
      title: "CPU\n/request",
      unit: "s",
      better: "lower",
      verdict: true,
      words: { higher: "dearer", lower: "cheaper" },
    },
    copied: { title: "copied", over: "sum", evidence: true },
    sent: { title: "sent", over: "sum", evidence: true, shown: "where there is room" },
  },
  proof: ({ copied }) => copied === null ? null : copied === 0 ? "not copied" : "copied",
});

/** Registers an area until disposed, when the limit has its memory back. */
function register(ring: Ring, area: Area): Disposable {
  ring.register(area);
  return { [Symbol.dispose]: () => ring.unregister(area) };
}

/** Sends batches, and waits for all that each of them posts. */
class Sender {
  sent = 0;
  copied = 0;
  readonly #ring: Ring;
  readonly #socket: Socket;
  readonly #payloads: readonly Slice[];
  readonly #operation: "send" | "sendZc";
  /** Completions of a batch; a zero-copy send has a notification besides. */
  readonly #completions: number;
  #next = 0;

  constructor(
    ring: Ring,
    socket: Socket,
    payloads: readonly Slice[],
    operation: "send" | "sendZc",
  ) {
    this.#ring = ring;
    this.#socket = socket;
    this.#payloads = payloads;
    this.#operation = operation;
    this.#completions = operation === "send" ? BATCH : 2 * BATCH;
  }

  sendBatch(): void {
    const { batch } = this.#ring;
    for (let i = 0; i < BATCH; i++) {
      batch[this.#operation](this.#socket, this.#payloads[this.#next]!);
      this.#next = (this.#next + 1) % this.#payloads.length;
    }
    batch.submit();
    if (!batch.waitBlocking(this.#completions, PATIENCE)) {
      throw new Error(`Not all completions of a batch came within ${PATIENCE / 1000} s`);
    }
    batch.reap(this.#take);
  }

  readonly #take = (_userData: number, result: number, flags: number): void => {
    // A notification has no result: what is negative in it is the bit that says "copied".
    if ((flags & CQE.NOTIF) !== 0) this.copied += result < 0 ? 1 : 0;
    else if (result < 0) throw new UringError(this.#operation, -result);
    else this.sent++;
  };
}
