/**
 * Does it pay to busy poll? Round trips with and without, against the CPU time that they cost.
 *
 * @module
 */
import * as hdr from "hdr-histogram-js";
import {
  allowedProcessors,
  Area,
  BusyPoll,
  compare,
  defineLab,
  environment,
  experiment,
  formatChange,
  type LabContext,
  type LabOutcome,
  medianInterval,
  napiIdOf,
  networkCounters,
  noiseFloor,
  percentilePlot,
  pinThread,
  processorProblem,
  type Ratio,
  receiveBlocking,
  Ring,
  runDocument,
  type Slice,
  Socket,
  table,
  Testbed,
  threadCpuSeconds,
  type Trial,
  UnsupportedError,
  UringError,
  verdict,
} from "zclab";
import type { EchoReport, EchoRequest } from "./busy_poll_echo.ts";

/** The links: a veth pair whose ends have NAPI, and loopback, which has none. */
type Link = "pair" | "loopback";

/** Whether the requester and the echo have a processor each, as two hosts have, or share one. */
type Processors = "two" | "one";

/** How the requester waits for the reply: in a ring, or in a recv(2) that blocks. */
type Wait = "ring" | "recv(2)";

/** What busy polls meanwhile. */
type Polling =
  | "none"
  | "dynamic"
  | "dynamic, prefer"
  | "static"
  | "socket"
  | "socket, prefer";

/** What one trial is about. */
type BusyPollFactors = {
  readonly link: Link;
  readonly processors: Processors;
  readonly wait: Wait;
  readonly polling: Polling;
};

/** What one trial measured. */
type BusyPollMeasures = {
  readonly roundTrips: number;
  readonly p50Seconds: number;
  readonly p90Seconds: number;
  readonly p99Seconds: number;
  /** Null where fewer than a thousand round trips would make it their maximum. */
  readonly p999Seconds: number | null;
  readonly maxSeconds: number;
  /** CPU time of the requesting thread, preparing and checking included. */
  readonly cpuSecondsPerRoundTrip: number;
  /** CPU time of the thread that echoes. */
  readonly echoCpuSecondsPerRoundTrip: number;
  /** The part of all replies that busy polling fetched, by the kernel's count. */
  readonly polledShare: number;
  /** `SO_INCOMING_NAPI_ID` of the requester's socket. */
  readonly napiId: number;
  /** Why that is 0. */
  readonly whyNoNapi: string | null;
  /** Every round trip in nanoseconds: an HdrHistogram, compressed, in base64. */
  readonly distribution: string;
};

type BusyPollTrial = Trial<BusyPollFactors, BusyPollMeasures>;

/** A comparison with not polling, and what it allows to say. */
type Comparison = {
  readonly ratio: number;
  readonly low: number;
  readonly high: number;
  readonly difference: "higher" | "lower" | "none" | "baseline";
  readonly verdict: string;
};

/** One line of the table. Times are in microseconds, over the round trips of all rounds. */
type SummaryRow = {
  readonly link: Link;
  readonly processors: Processors;
  readonly wait: Wait;
  readonly polling: Polling;
  readonly roundTrips: number;
  readonly p50Microseconds: number;
  readonly p90Microseconds: number;
  readonly p99Microseconds: number;
  readonly p999Microseconds: number | null;
  readonly maxMicroseconds: number;
  /** Median over the rounds, as the next two. */
  readonly cpuMicrosecondsPerRoundTrip: number;
  readonly echoCpuMicrosecondsPerRoundTrip: number;
  readonly polledShare: number;
  readonly napiId: number;
  readonly whyNoNapi: string | null;
  /**
   * The medians of the rounds; for not polling, its second runs against its first. Null if the run was
   * stopped before two rounds had both.
   */
  readonly versusNone: Comparison | null;
  readonly cpuVersusNone: Comparison | null;
};

/** One that two rounds have together with not polling. */
type ComparedRow = SummaryRow & {
  readonly versusNone: Comparison;
  readonly cpuVersusNone: Comparison;
};

/** A combination that this kernel or user does not have. */
type Refusal = { readonly polling: Polling; readonly why: string };

const PORT = 9000;
/** Bytes of the datagram that tells the echo to stop; no message is as short. */
const STOP_BYTES = 1;
/** Milliseconds after which a reply is lost. */
const PATIENCE = 5000;
/** So many round trips are made without a turn of the event loop. */
const UNINTERRUPTED = 10_000;
/** A part of the round trips goes before, uncounted. */
const WARM_UP = 0.1;
const NANOSECONDS = 1e9;
const PERCENTILES = [0, 10, 25, 50, 75, 90, 95, 99, 99.5, 99.9] as const;

/** Every way of polling where it may help, and the plainest one where it cannot. */
const COMBINATIONS: readonly BusyPollFactors[] = [
  ...combine("pair", "two", "ring", ["none", "dynamic", "dynamic, prefer", "static", "socket"]),
  ...combine("pair", "two", "recv(2)", ["none", "socket", "socket, prefer"]),
  ...combine("pair", "one", "ring", ["none", "dynamic"]),
  ...combine("loopback", "two", "ring", ["none", "dynamic"]),
];

function combine(
  link: Link,
  processors: Processors,
  wait: Wait,
  ways: readonly Polling[],
): BusyPollFactors[] {
  return ways.map((polling) => ({ link, processors, wait, polling }));
}

const options = {
  payload: {
    kind: "number",
    description: "bytes in each message",
    default: 64,
    minimum: 8,
    maximum: 60_000,
    unit: "bytes",
  },
  "round-trips": {
    kind: "number",
    description: "round trips in each trial",
    default: 5000,
    quick: 2000,
    minimum: 10,
    maximum: 10_000_000,
  },
  microseconds: {
    kind: "number",
    description: "how long a wait polls before it sleeps",
    default: 50,
    minimum: 1,
    maximum: 10_000,
    unit: "microseconds",
  },
  protocol: {
    kind: "string",
    description: "what carries the messages",
    choices: ["udp", "tcp"],
    default: "udp",
  },
  cpu: {
    kind: "number",
    description: "keeps the requesting thread on this processor, the echo on another",
    minimum: 0,
    maximum: 8191,
    check: processorProblem,
    local: () => true,
  },
} as const;

type Protocol = "udp" | "tcp";

/** What a trial needs to know beside its factors. */
interface Load {
  readonly protocol: Protocol;
  readonly payload: number;
  readonly roundTrips: number;
  readonly microseconds: number;
  /** The requester's processor, and another one for the echo where there is one. */
  readonly cpus: readonly [requester: number, echo: number | undefined];
}

/** Busy polling of rings and sockets against none. */
export const busyPoll = defineLab({
  name: "busy-poll",
  title: "NAPI busy polling: round-trip times against CPU time, and where it does not help",
  description:
    "Sends messages over a veth pair with NAPI to a thread that echoes them, and waits " +
    "for each in a ring or in recv(2), with and without busy polling, interleaved in random " +
    "order. Two cases where it cannot help are measured too: loopback, which has no NAPI, and " +
    "both threads on one processor. The kernel counts the packets that busy polling fetched; " +
    "that count stands in the table. Every reply is checked.",
  needs: ["io_uring", "IORING_REGISTER_NAPI", "namespaces", "veth", "ip", "ethtool", "nsenter"],
  options,
  repeats: { default: 9, quick: 3, minimum: 2 },
  rows: {
    keys: ["link", "processors", "wait", "polling"],
    measures: [
      { name: "p50Seconds", title: "median round trip", unit: "s", better: "lower" },
      { name: "cpuSecondsPerRoundTrip", title: "CPU time", unit: "s", better: "lower" },
    ],
    baseline: { polling: "none" },
    within: ["link", "processors", "wait"],
    proof: napiProof,
  },
  run,
});

async function run(context: LabContext<typeof options>): Promise<LabOutcome> {
  const { options: chosen, seed, repeats, signal, progress } = context;
  const { payload, microseconds, protocol } = chosen;
  await using beds = new AsyncDisposableStack();
  const links = {
    pair: beds.use(await Testbed.pair({ napi: true })),
    loopback: beds.use(await Testbed.loopback()),
  };
  using echo = await EchoThread.start();
  const record = environment({
    interfaces: JSON.parse(JSON.stringify(await links.pair.interfaceSettings())),
  });
  const cpus = chooseProcessors(chosen.cpu);
  const load = { protocol, payload, roundTrips: chosen["round-trips"], microseconds, cpus };
  const { possible, refused } = sortOut(load);

  const { trials, complete } = await experiment<BusyPollFactors, BusyPollMeasures>({
    factors: possible,
    control: { polling: "none" },
    repeats,
    seed,
    signal,
    onProgress: (done, total, { link, wait, polling }) =>
      progress.update(done, total, `${link}, ${wait}, ${polling}`),
    trial: (factors, { warmUp, signal }) => {
      const roundTrips = warmUp ? Math.ceil(load.roundTrips / 4) : load.roundTrips;
      return measure(links[factors.link], factors, { ...load, roundTrips }, echo, signal);
    },
  });
  if (trials.length === 0) signal.throwIfAborted();

  // A run that was stopped may have come to no counted trial of some.
  const rows = possible.filter((factors) => ofCombination(trials, factors).length > 0)
    .map((factors) => summarize(trials, factors, seed));
  return {
    document: runDocument(context, {
      environment: record,
      parameters: { cpu: load.cpus[0], echoCpu: load.cpus[1] ?? null, refused },
      complete,
      trials,
      summary: rows,
    }),
    text: report(rows, trials, refused, load),
  };
}

/** Whether the requester's packets came through a NAPI at all: without one nothing can be polled. */
function napiProof(trials: readonly Trial[]): string | null {
  const own = (trials as readonly BusyPollTrial[]).filter(({ warmUp }) => !warmUp);
  const without = own.filter(({ measures }) => measures.napiId === 0).length;
  if (own.length === 0) return null;
  return without === 0 ? "with NAPI" : without === own.length ? "without NAPI" : null;
}

// === Measuring ===

/** Two processors of those on which this process may run. */
function chooseProcessors(wanted: number | undefined): Load["cpus"] {
  const all = allowedProcessors() ?? [0];
  const requester = wanted ?? all[0]!;
  return [requester, all.find((cpu) => cpu !== requester)];
}

/** Which ways of polling this kernel, this machine and this user have. */
function sortOut(
  { microseconds, cpus }: Load,
): { possible: BusyPollFactors[]; refused: Refusal[] } {
  const refused: Refusal[] = [];
  for (const polling of new Set(COMBINATIONS.map((factors) => factors.polling))) {
    try {
      using ring = Ring.open({ entries: 8 });
      using socket = Socket.udp();
      using _polling = startPolling(polling, ring, socket, microseconds, []);
    } catch (error) {
      const isRefusal = error instanceof UnsupportedError ||
        (error instanceof UringError && error.code === "EPERM");
      if (!isRefusal) throw error;
      refused.push({ polling, why: error.message });
    }
  }
  const isPossible = ({ polling, processors }: BusyPollFactors): boolean =>
    refused.every((refusal) => refusal.polling !== polling) &&
    (processors === "one" || cpus[1] !== undefined);
  return { possible: COMBINATIONS.filter(isPossible), refused };
}

function startPolling(
  polling: Polling,
  ring: Ring,
  socket: Socket,
  microseconds: number,
  ids: readonly number[],
): BusyPoll | undefined {
  const prefer = polling.endsWith("prefer");
  switch (polling) {
    case "none":
      return undefined;
    case "dynamic":
    case "dynamic, prefer":
      return BusyPoll.ofRing(ring, { microseconds, prefer });
    case "static":
      return BusyPoll.ofRing(ring, { microseconds, tracking: "static", ids });
    case "socket":
    case "socket, prefer":
      return BusyPoll.ofSocket(socket, { microseconds, ...(prefer ? { prefer } : {}) });
  }
}

/** One trial: a connection of its own, so that nothing of the one before is left in it. */
async function measure(
  bed: Testbed,
  { processors, wait, polling }: BusyPollFactors,
  load: Load,
  echo: EchoThread,
  signal: AbortSignal,
): Promise<BusyPollMeasures> {
  const [cpu, otherCpu] = load.cpus;
  using _pinned = pinThread(cpu);
  using ring = Ring.open({ entries: 8 });
  using sockets = await connect(bed, load.protocol, ring);
  const { requester, echoer } = sockets;
  const report = echo.serve({
    fd: echoer.fd,
    bytes: load.payload,
    stopBytes: load.protocol === "udp" ? STOP_BYTES : 0,
    cpu: processors === "two" ? otherCpu! : cpu,
  });
  const histogram = newHistogram();
  try {
    using trips = new RoundTrips(ring, requester, wait, load.payload);
    trips.run(1, newHistogram());
    // The id is that of the last packet, so it is not known before the first reply.
    const { id, why } = napiIdOf(requester);
    const before = await polledPackets(bed);
    using _polling = startPolling(polling, ring, requester, load.microseconds, [id]);
    const warmUp = Math.ceil(load.roundTrips * WARM_UP);
    const uncounted = newHistogram();
    await repeat(warmUp, (count) => trips.run(count, uncounted), signal);
    const cpuBefore = threadCpuSeconds();
    await repeat(load.roundTrips, (count) => trips.run(count, histogram), signal);
    const cpuSeconds = threadCpuSeconds() - cpuBefore;
    const polled = await polledPackets(bed) - before;
    trips.stopEcho();
    const { echoed, cpuSeconds: echoCpuSeconds } = await report();
    const seconds = (percentile: number): number =>
      histogram.getValueAtPercentile(percentile) / NANOSECONDS;
    return {
      roundTrips: load.roundTrips,
      p50Seconds: seconds(50),
      p90Seconds: seconds(90),
      p99Seconds: seconds(99),
      p999Seconds: load.roundTrips < 1000 ? null : seconds(99.9),
      maxSeconds: histogram.maxValue / NANOSECONDS,
      cpuSecondsPerRoundTrip: cpuSeconds / load.roundTrips,
      echoCpuSecondsPerRoundTrip: echoCpuSeconds / echoed,
      polledShare: polled / (warmUp + load.roundTrips),
      napiId: id,
      whyNoNapi: why ?? null,
      distribution: hdr.encodeIntoCompressedBase64(histogram),
    };
  } catch (error) {
    // The echo would wait for ever, in a thread that nothing else could end.
    try {
      echoer.shutdown();
    } catch {
      // The connection is gone, and the echo has been told so.
    }
    await report().catch(() => {});
    throw error;
  }
}

/** Does something so many times, with a turn of the event loop, which heeds signals, in between. */
async function repeat(
  times: number,
  run: (count: number) => void,
  signal: AbortSignal,
): Promise<void> {
  for (let left = times; left > 0; left -= UNINTERRUPTED) {
    if (left < times) await new Promise((resolve) => setTimeout(resolve, 0));
    signal.throwIfAborted();
    run(Math.min(left, UNINTERRUPTED));
  }
}

/** Packets that the requester's namespace got by busy polling, ever. */
async function polledPackets(bed: Testbed): Promise<number> {
  const { "TcpExt.BusyPollRxPackets": packets } = await networkCounters(bed.near);
  if (packets === undefined) throw new UnsupportedError("The counter TcpExt.BusyPollRxPackets");
  return packets;
}

interface Sockets extends Disposable {
  readonly requester: Socket;
  readonly echoer: Socket;
}

async function connect(bed: Testbed, protocol: Protocol, ring: Ring): Promise<Sockets> {
  using stack = new DisposableStack();
  let requester: Socket;
  let echoer: Socket;
  if (protocol === "udp") {
    requester = stack.use(Socket.udp(bed.near)).bind(bed.near.address(PORT));
    echoer = stack.use(Socket.udp(bed.far)).bind(bed.far.address(PORT + 1));
    echoer.connect(requester.localAddress!);
    requester.connect(echoer.localAddress!);
  } else {
    using listener = Socket.tcp(bed.far).setOption("SO_REUSEADDR", true)
      .bind(bed.far.address(PORT)).listen();
    requester = stack.use(Socket.tcp(bed.near)).connect(listener.localAddress!);
    echoer = stack.use(await ring.accept(listener));
    for (const socket of [requester, echoer]) socket.setOption("TCP_NODELAY", true);
  }
  const held = stack.move();
  return { requester, echoer, [Symbol.dispose]: () => held.dispose() };
}

function newHistogram(): hdr.Histogram {
  return hdr.build({
    lowestDiscernibleValue: 1,
    highestTrackableValue: 2 * PATIENCE * 1e6,
    numberOfSignificantValueDigits: 3,
    bitBucketSize: 32,
  });
}

/** User data of what the requester prepares. */
const USER_DATA = { sent: 1, received: 2, timer: 3 } as const;

/** Sends a message, waits for its echo, checks it: again and again, one at a time. */
class RoundTrips implements Disposable {
  readonly #ring: Ring;
  readonly #socket: Socket;
  readonly #payload: number;
  readonly #area: Area;
  readonly #outgoing: Slice;
  readonly #incoming: Slice;
  readonly #sentBytes: Uint8Array;
  readonly #receivedBytes: Uint8Array;
  readonly #trip: () => void;
  #sequence = 0;
  #received = 0;
  #isReceiving = false;
  #sequenceAtTimer = 0;

  constructor(ring: Ring, socket: Socket, wait: Wait, payload: number) {
    this.#ring = ring;
    this.#socket = socket;
    this.#payload = payload;
    this.#area = Area.map({ bytes: 2 * payload });
    this.#outgoing = this.#area.slice(0, payload);
    this.#incoming = this.#area.slice(payload, payload);
    this.#sentBytes = this.#outgoing.bytes;
    this.#receivedBytes = this.#incoming.bytes;
    this.#trip = wait === "ring" ? () => this.#tripInRing() : () => this.#tripInRecv();
    if (wait === "ring") this.#startTimer();
  }

  /** Makes round trips, and records how long each took, in nanoseconds. */
  run(count: number, histogram: hdr.Histogram): void {
    for (let i = 0; i < count; i++) {
      this.#fill();
      const started = performance.now();
      this.#trip();
      const milliseconds = performance.now() - started;
      this.#check();
      histogram.recordValue(Math.round(milliseconds * 1e6));
    }
  }

  /** Tells the echo that this was all. */
  stopEcho(): void {
    if (this.#socket.protocol === "udp") this.#socket.send(this.#outgoing.slice(0, STOP_BYTES));
    else this.#socket.shutdown("write");
  }

  #tripInRing(): void {
    const { batch } = this.#ring;
    this.#received = 0;
    this.#isReceiving = true;
    batch.send(this.#socket, this.#outgoing, USER_DATA.sent)
      .recv(this.#socket, this.#incoming, USER_DATA.received)
      .submitAndWait(2);
    batch.reap(this.#onCompletion);
    // A stream may bring the reply in pieces, and the timer is a completion too.
    while (this.#received < this.#payload) {
      if (!this.#isReceiving) {
        this.#isReceiving = true;
        batch.recv(this.#socket, this.#incoming.slice(this.#received), USER_DATA.received);
      }
      batch.submitAndWait(1);
      batch.reap(this.#onCompletion);
    }
  }

  readonly #onCompletion = (userData: number, result: number): void => {
    if (userData === USER_DATA.timer) {
      if (this.#sequence === this.#sequenceAtTimer) throw lost();
      this.#startTimer();
    } else if (userData === USER_DATA.sent) {
      if (result < 0) throw new UringError("SEND", -result);
    } else {
      if (result < 0) throw new UringError("RECV", -result);
      this.#count(result);
      this.#isReceiving = false;
    }
  };

  /** A timer in the ring ends a wait for a reply that does not come, at no cost for the others. */
  #startTimer(): void {
    this.#sequenceAtTimer = this.#sequence;
    this.#ring.batch.timeout(PATIENCE, USER_DATA.timer);
  }

  #count(bytes: number): void {
    if (bytes === 0) throw new Error("The echo has closed the connection");
    this.#received += bytes;
  }

  #tripInRecv(): void {
    this.#socket.send(this.#outgoing);
    this.#received = 0;
    while (this.#received < this.#payload) {
      const rest = this.#received === 0 ? this.#incoming : this.#incoming.slice(this.#received);
      const result = receiveBlocking(this.#socket, rest, PATIENCE);
      if (result === undefined) throw lost();
      this.#count(result);
    }
  }

  /** Bytes that no other message of this trial had in the same places. */
  #fill(): void {
    const sequence = ++this.#sequence;
    const bytes = this.#sentBytes;
    for (let i = 0; i < 4; i++) bytes[i] = sequence >>> (8 * i);
    for (let i = 4; i < bytes.length; i++) bytes[i] = sequence * 37 + i * 11;
  }

  #check(): void {
    const [sent, received] = [this.#sentBytes, this.#receivedBytes];
    for (let i = 0; i < sent.length; i++) {
      if (sent[i] !== received[i]) {
        throw new Error(
          `Reply ${this.#sequence} is not what was sent: byte ${i} is ${received[i]}, not ${
            sent[i]
          }`,
        );
      }
    }
  }

  [Symbol.dispose](): void {
    this.#area.close();
  }
}

function lost(): Error {
  return new UringError("round trip", 62, {
    meaning: `no reply came within ${PATIENCE / 1000} seconds`,
    advice: "run it again; if it happens again, look at the interfaces with deno task doctor",
  });
}

/** The thread at the far end. It serves one socket after another. */
class EchoThread implements Disposable {
  readonly #worker = new Worker(new URL("./busy_poll_echo.ts", import.meta.url), {
    type: "module",
  });
  #next = this.#listen();

  private constructor() {}

  /** Resolves when the thread can serve. */
  static async start(): Promise<EchoThread> {
    const thread = new EchoThread();
    try {
      await thread.#next;
      return thread;
    } catch (error) {
      thread[Symbol.dispose]();
      throw error;
    }
  }

  /**
   * Echoes on a socket.
   *
   * @returns What waits for the report, once the echo was told to stop.
   */
  serve(request: EchoRequest): () => Promise<EchoReport> {
    const report = this.#next = this.#listen();
    this.#worker.postMessage(request);
    return async () => {
      let timer: ReturnType<typeof setTimeout> | undefined;
      const tooLate = new Promise<never>((_, reject) => {
        timer = setTimeout(() => reject(new Error("The echo does not stop")), PATIENCE);
      });
      try {
        return await Promise.race([report, tooLate]);
      } finally {
        clearTimeout(timer);
      }
    };
  }

  /** The next thing that the thread says. */
  #listen(): Promise<EchoReport> {
    const { promise, resolve, reject } = Promise.withResolvers<EchoReport>();
    this.#worker.onmessage = ({ data }: MessageEvent<EchoReport>): void => {
      if (data.error === undefined) resolve(data);
      else reject(new Error(`The echo failed: ${data.error}`));
    };
    this.#worker.onerror = (event): void => {
      event.preventDefault();
      reject(new Error(`The echo failed: ${event.message}`));
    };
    // Whoever waits for it gets the error; until then nobody may be waiting.
    promise.catch(() => {});
    return promise;
  }

  [Symbol.dispose](): void {
    this.#worker.terminate();
  }
}

// === Saying what was measured ===

function ofCombination(
  trials: readonly BusyPollTrial[],
  { link, processors, wait, polling }: BusyPollFactors,
): BusyPollMeasures[] {
  return trials.filter(({ warmUp, control, factors }) =>
    !warmUp && !control && factors.link === link && factors.processors === processors &&
    factors.wait === wait && factors.polling === polling
  ).map(({ measures }) => measures);
}

/** The round trips of all rounds. */
function merged(measures: readonly BusyPollMeasures[]): hdr.Histogram {
  const histogram = newHistogram();
  for (const { distribution } of measures) {
    histogram.add(hdr.decodeFromCompressedBase64(distribution));
  }
  return histogram;
}

function summarize(
  trials: readonly BusyPollTrial[],
  factors: BusyPollFactors,
  seed: number,
): SummaryRow {
  const own = ofCombination(trials, factors);
  const histogram = merged(own);
  const microseconds = (percentile: number): number =>
    histogram.getValueAtPercentile(percentile) / 1000;
  const median = (of: (measures: BusyPollMeasures) => number): number =>
    medianInterval(own.map(of)).median;
  return {
    ...factors,
    roundTrips: histogram.totalCount,
    p50Microseconds: microseconds(50),
    p90Microseconds: microseconds(90),
    p99Microseconds: microseconds(99),
    p999Microseconds: histogram.totalCount < 1000 ? null : microseconds(99.9),
    maxMicroseconds: histogram.maxValue / 1000,
    cpuMicrosecondsPerRoundTrip: median((measures) => measures.cpuSecondsPerRoundTrip) * 1e6,
    echoCpuMicrosecondsPerRoundTrip: median((measures) => measures.echoCpuSecondsPerRoundTrip) *
      1e6,
    polledShare: median((measures) => measures.polledShare),
    napiId: own[0]!.napiId,
    whyNoNapi: own[0]!.whyNoNapi,
    versusNone: versusNone(trials, factors, "p50Seconds", ["longer", "shorter"], seed),
    cpuVersusNone: versusNone(trials, factors, "cpuSecondsPerRoundTrip", ["more", "less"], seed),
  };
}

function versusNone(
  trials: readonly BusyPollTrial[],
  factors: BusyPollFactors,
  measure: keyof BusyPollMeasures,
  [higher, lower]: readonly [higher: string, lower: string],
  seed: number,
): Comparison | null {
  const { link, processors, wait, polling } = factors;
  const of = { link, processors, wait, polling };
  const against = { ...of, polling: "none" } as const;
  const floor = noiseFloor(trials, { measure, at: against, seed });
  const bare = ({ ratio, low, high }: Ratio): Pick<Ratio, "ratio" | "low" | "high"> => ({
    ratio,
    low,
    high,
  });
  if (polling === "none") {
    if (floor === undefined) return null;
    const said = `the baseline; against itself ${formatChange(floor.low)} to ${
      formatChange(floor.high)
    }`;
    return { ...bare(floor), difference: "baseline", verdict: said };
  }
  const ratio = compare(trials, { measure, of, against, seed });
  if (ratio === undefined) return null;
  const subject = measure === "p50Seconds" ? "the median round trip" : "its CPU time";
  const { difference, text } = verdict(ratio, floor, { subject, higher, lower });
  return { ...bare(ratio), difference, verdict: text };
}

function report(
  rows: readonly SummaryRow[],
  trials: readonly BusyPollTrial[],
  refused: readonly Refusal[],
  { protocol, payload, roundTrips, microseconds, cpus }: Load,
): string {
  if (rows.length === 0) return "";
  const rounds = new Set(trials.filter((trial) => !trial.warmUp).map((trial) => trial.round)).size;
  const lines = [
    `${protocol.toUpperCase()} round trips of ${payload} bytes, ${roundTrips} in each of ` +
    `${rounds} rounds; busy polling for up to ${microseconds} µs; every reply was checked`,
    cpus[1] === undefined
      ? `Both threads on processor ${cpus[0]}, the only one`
      : `Requester on processor ${cpus[0]}, echo on processor ${cpus[1]}; with one, both on ${
        cpus[0]
      }`,
    "",
    resultTable(rows),
    ...plots(trials, rows),
    ...conclusions(rows),
    ...refused.map(({ polling, why }) => `Not possible here: ${polling}: ${why}`),
  ];
  return lines.join("\n") + "\n";
}

function resultTable(rows: readonly SummaryRow[]): string {
  const time = (value: string | number | boolean): string => Number(value).toFixed(1);
  const versus = (comparison: Comparison | null): string | null => {
    if (comparison === null || comparison.difference === "baseline") return null;
    const { ratio, difference } = comparison;
    return formatChange(ratio) + (difference === "none" ? " ≈" : "");
  };
  return table<SummaryRow>(
    [
      { title: "link", value: (row) => row.link },
      { title: "CPUs", value: (row) => row.processors },
      { title: "wait", value: (row) => row.wait },
      { title: "busy polling", value: (row) => row.polling },
      { title: "p50\nµs", value: (row) => row.p50Microseconds, format: time },
      {
        title: "against\nnone",
        value: (row) => versus(row.versusNone),
        align: "right",
      },
      { title: "p90\nµs", value: (row) => row.p90Microseconds, format: time },
      { title: "p99\nµs", value: (row) => row.p99Microseconds, format: time },
      { title: "p99.9\nµs", value: (row) => row.p999Microseconds, format: time, align: "right" },
      { title: "max\nµs", value: (row) => row.maxMicroseconds, format: time, dispensable: true },
      { title: "CPU\nµs", value: (row) => row.cpuMicrosecondsPerRoundTrip, format: time },
      {
        title: "against\nnone",
        value: (row) => versus(row.cpuVersusNone),
        align: "right",
      },
      {
        title: "echo's\nCPU µs",
        value: (row) => row.echoCpuMicrosecondsPerRoundTrip,
        format: time,
        dispensable: true,
      },
      {
        title: "replies\npolled",
        value: (row) => `${(row.polledShare * 100).toFixed(0)} %`,
        align: "right",
      },
    ],
    rows,
    { groupBy: (row) => `${row.link} ${row.processors} ${row.wait}` },
  );
}

function plots(trials: readonly BusyPollTrial[], rows: readonly SummaryRow[]): string[] {
  const groups = Map.groupBy(
    rows.filter(isHopeful),
    (row) => row.wait,
  );
  return [...groups].map(([wait, group]) =>
    percentilePlot(
      group.map((row) => {
        const histogram = merged(ofCombination(trials, row));
        const points = PERCENTILES.map((percentile) => ({
          percentile,
          value: histogram.getValueAtPercentile(percentile) / NANOSECONDS,
        }));
        return { label: row.polling, points };
      }),
      { title: `Round trips over the pair, waiting in ${wait}`, unit: "s" },
    )
  );
}

/** Whether nothing is known that keeps busy polling from helping there. */
function isHopeful({ link, processors }: SummaryRow): boolean {
  return link === "pair" && processors === "two";
}

/** The verdict in words, first the answer and then what it rests on. */
function conclusions(all: readonly SummaryRow[]): string[] {
  const rows = all.filter((row): row is ComparedRow =>
    row.versusNone !== null && row.cpuVersusNone !== null
  );
  if (rows.length === 0) return ["Verdict: none, without two rounds of anything."];
  const polling = rows.filter((row) => isHopeful(row) && row.polling !== "none");
  const shorter = polling.filter((row) => row.versusNone.difference === "lower")
    .toSorted((a, b) => a.versusNone.ratio - b.versusNone.ratio);
  const longer = polling.filter((row) => row.versusNone.difference === "higher");
  const lines = [
    polling.length === 0
      ? "Verdict: none; nothing was compared that busy polling could improve."
      : shorter.length === 0
      ? "Verdict: no way of busy polling made the median round trip shorter here."
      : `Verdict: ${shorter.length} of ${polling.length} ways of busy polling made the median ` +
        `round trip shorter here, ${nameOf(shorter[0]!)} the most.`,
  ];
  if (longer.length > 0) lines.push(`It made it longer: ${longer.map(nameOf).join(", ")}.`);
  const others = polling.filter((row) => !shorter.includes(row));
  for (const row of [...shorter, ...others]) lines.push(`  ${nameOf(row)}: ${said(row)}`);
  lines.push("(≈ in the table: no difference seen)");
  if (polling.length > 0) lines.push(...evidence(polling));
  for (const row of rows.filter((row) => !isHopeful(row) && row.polling !== "none")) {
    const why = row.whyNoNapi ?? "the kernel ends polling as soon as another thread wants the " +
        "processor, and here the other one is the thread that answers";
    lines.push(
      row.processors === "one"
        ? `Where it cannot help, one processor: ${why}: ${said(row)}.`
        : `Where it cannot help, ${row.link}: the NAPI id is ${row.napiId}: ${why}: ${said(row)}.`,
    );
  }
  return lines;
}

function nameOf({ wait, polling }: SummaryRow): string {
  return `${polling} in ${wait}`;
}

function said({ versusNone, cpuVersusNone }: ComparedRow): string {
  const phrase = ({ difference, verdict }: Comparison, what: string): string =>
    difference === "none" ? `${what}: ${verdict}` : verdict;
  return `${phrase(versusNone, "median round trip")}; ${phrase(cpuVersusNone, "CPU time")}`;
}

/** Whether the kernel says that packets really came by polling. */
function evidence(polling: readonly SummaryRow[]): string[] {
  const ways = polling.map((row) => `${nameOf(row)} ${(row.polledShare * 100).toFixed(0)} %`);
  const lines = [
    `Replies that polling fetched, by the kernel's count (BusyPollRxPackets): ${
      ways.join(", ")
    }. ` +
    "The others came by softirq, as without it.",
  ];
  if (polling.some((row) => row.wait === "ring" && row.polling === "socket")) {
    lines.push(
      "A ring receives without blocking, and then SO_BUSY_POLL polls only once, before the reply " +
        "can be there: a ring needs its own registration.",
    );
  }
  if (polling.some((row) => row.polling.endsWith("prefer"))) {
    lines.push(
      "Preferring busy polling changes something only with napi_defer_hard_irqs and " +
        "gro_flush_timeout set, which they are not here.",
    );
  }
  return lines;
}
