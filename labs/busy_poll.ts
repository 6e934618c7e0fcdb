/**
 * Does it pay to busy poll? Round trips with and without, against the CPU time that they cost.
 *
 * @module
 */
import {
  BusyPoll,
  napiIdOf,
  networkCounters,
  Ring,
  Socket,
  Testbed,
  threadCpuSeconds,
  UnsupportedError,
  UringError,
} from "zclab";
import { type DurationMeasures, Durations } from "zclab/experiment";
import { connectEnds, defineLab, Echo, RoundTrips, type RoundTripWait } from "zclab/lab";

/** What busy polls while the requester waits. */
type Polling = "none" | "dynamic" | "dynamic, prefer" | "static" | "socket" | "socket, prefer";

/** What one trial is about. */
type BusyPollFactors = {
  /** A veth pair whose ends have NAPI, or loopback, which has none. */
  readonly link: "pair" | "loopback";
  /** Whether the requester and the echo have a processor each, as two hosts have, or share one. */
  readonly processors: "two" | "one";
  /** How the requester waits for the reply. */
  readonly wait: RoundTripWait;
  readonly polling: Polling;
};

/** What one trial measured. */
type BusyPollMeasures = DurationMeasures & {
  readonly roundTrips: number;
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
};

const PORT = 9000;
/** A part of the round trips goes before, uncounted. */
const WARM_UP = 0.1;
/** Columns of the table with times. */
const time = { unit: "s", prefix: "µ" } as const;
const spare = { ...time, shown: "where there is room" } as const;

/** Every way of polling where it may help, and the plainest one where it cannot. */
const COMBINATIONS: readonly BusyPollFactors[] = [
  ...combine("pair", "two", "ring", ["none", "dynamic", "dynamic, prefer", "static", "socket"]),
  ...combine("pair", "two", "recv(2)", ["none", "socket", "socket, prefer"]),
  ...combine("pair", "one", "ring", ["none", "dynamic"]),
  ...combine("loopback", "two", "ring", ["none", "dynamic"]),
];

function combine(
  link: BusyPollFactors["link"],
  processors: BusyPollFactors["processors"],
  wait: RoundTripWait,
  ways: readonly Polling[],
): BusyPollFactors[] {
  return ways.map((polling) => ({ link, processors, wait, polling }));
}

/** Whether nothing is known that keeps busy polling from helping there. */
const isHopeful = ({ link, processors }: BusyPollFactors): boolean =>
  link === "pair" && processors === "two";

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
  needs: [
    ...["io_uring", "IORING_REGISTER_NAPI", "namespaces", "veth", "ip", "ethtool"] as const,
    ...["nsenter", "clock of time"] as const,
  ],
  options: {
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
      quick: 1200,
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
  },
  // Sixteen verdicts need rounds more than each round needs round trips.
  repeats: { default: 9, quick: 5, minimum: 2 },
  pinned: true,

  factors: (_, { processors }): BusyPollFactors[] =>
    COMBINATIONS.filter((one) => one.processors === "one" || processors.areTwo),
  baseline: { polling: "none" },
  within: ["link", "processors", "wait"],
  factorTitles: { processors: "CPUs", polling: "busy polling" },

  setUp: async (_, use) => ({
    pair: await use(Testbed.pair({ napi: true })),
    loopback: await use(Testbed.loopback()),
    echo: await use(Echo.start()),
  }),
  recorded: async ({ pair }, { processors }) => ({
    environment: { interfaces: JSON.parse(JSON.stringify(await pair.interfaceSettings())) },
    parameters: {
      cpu: processors.measuring,
      echoCpu: processors.areTwo ? processors.peer : null,
    },
  }),
  /** Which ways of polling this kernel and this user have. */
  refusal({ polling }, _, { options: { microseconds } }): string | undefined {
    try {
      using ring = Ring.open({ entries: 8 });
      using socket = Socket.udp();
      using _polling = startPolling(polling, ring, socket, microseconds, []);
    } catch (error) {
      const isRefusal = error instanceof UnsupportedError ||
        (error instanceof UringError && error.code === "EPERM");
      if (!isRefusal) throw error;
      return error.message;
    }
  },
  /** A connection of its own, so that nothing of the trial before is left in it. */
  async trial(
    { link, processors: where, wait, polling },
    kept,
    { options, processors, warmUp, signal },
  ): Promise<BusyPollMeasures> {
    const { payload, microseconds, protocol, "round-trips": asked } = options;
    const roundTrips = warmUp ? Math.ceil(asked / 4) : asked;
    const bed = kept[link];
    using ring = Ring.open({ entries: 8 });
    using sockets = await connectEnds(bed, ring, { protocol, port: PORT });
    const cpu = where === "two" ? processors.peer : processors.measuring;
    await using echoing = await kept.echo.serve(sockets.far, { bytes: payload, cpu });
    using trips = new RoundTrips(ring, sockets.near, { wait, bytes: payload });
    await trips.run(1);
    // The id is that of the last packet, so it is not known before the first reply.
    const { id, why } = napiIdOf(sockets.near);
    const before = await polledPackets(bed);
    using _polling = startPolling(polling, ring, sockets.near, microseconds, [id]);
    const uncounted = Math.ceil(roundTrips * WARM_UP);
    await trips.run(uncounted, new Durations(), signal);
    const durations = new Durations();
    const cpuBefore = threadCpuSeconds();
    await trips.run(roundTrips, durations, signal);
    const cpuSeconds = threadCpuSeconds() - cpuBefore;
    const polled = await polledPackets(bed) - before;
    trips.stopEcho();
    const echoed = await echoing.report();
    return {
      roundTrips,
      ...durations.measures(),
      cpuSecondsPerRoundTrip: cpuSeconds / roundTrips,
      echoCpuSecondsPerRoundTrip: echoed.cpuSeconds / echoed.messages,
      polledShare: polled / (uncounted + roundTrips),
      napiId: id,
      whyNoNapi: why ?? null,
    };
  },

  columns: {
    roundTrips: { title: "round trips", over: "sum", shown: "never" },
    p50Seconds: {
      title: "median\nround trip",
      ...time,
      better: "lower",
      verdict: true,
      words: { subject: "the median round trip", higher: "longer", lower: "shorter" },
    },
    p90Seconds: { title: "p90", ...time, of: "distribution", over: { percentile: 90 } },
    p99Seconds: { title: "p99", ...time, of: "distribution", over: { percentile: 99 } },
    p999Seconds: { title: "p99.9", ...spare, of: "distribution", over: { percentile: 99.9 } },
    maxSeconds: { title: "longest", ...spare, over: "maximum" },
    cpuSecondsPerRoundTrip: {
      title: "CPU\ntime",
      ...time,
      better: "lower",
      verdict: true,
      words: { subject: "its CPU time", higher: "more", lower: "less" },
    },
    echoCpuSecondsPerRoundTrip: { title: "echo's\nCPU", ...time, shown: "where there is room" },
    polledShare: { title: "replies\npolled", unit: "%", evidence: true },
    napiId: { title: "NAPI id", over: "minimum", evidence: true, shown: "never" },
    whyNoNapi: { title: "why no NAPI", evidence: true, shown: "never" },
  },
  // Without a NAPI nothing can be polled.
  proof: ({ napiId }) => napiId === null ? null : napiId > 0 ? "with NAPI" : "without NAPI",
  charts: (["ring", "recv(2)"] as const).map((wait) => ({
    kind: "percentiles" as const,
    title: `Round trips over the pair, waiting in ${wait}`,
    of: "distribution",
    where: (factors: BusyPollFactors) => isHopeful(factors) && factors.wait === wait,
  })),

  heading: ({ rows, context: { options, processors: { measuring, peer } } }) =>
    `${options.protocol.toUpperCase()} round trips of ${options.payload} bytes, ` +
    `${rows[0]!.row.roundTrips} of each kind; busy polling for up to ${options.microseconds} µs; ` +
    `every reply was checked\nRequester on processor ${measuring}, echo on processor ${peer}; ` +
    `with one, both on ${measuring}`,
  conclusions({ rows }): string[] {
    const polling = rows.filter(({ factors }) => factors.polling !== "none");
    const has = (is: (factors: BusyPollFactors) => boolean, ...lines: string[]): string[] =>
      polling.some(({ factors }) => is(factors)) ? lines : [];
    const unreachable = polling.find(({ row }) => row.whyNoNapi !== null);
    return [
      ...has(
        isHopeful,
        "Replies polled are counted by the kernel (BusyPollRxPackets). The others came by softirq, " +
          "as without polling.",
      ),
      ...has(
        ({ wait, polling }) => wait === "ring" && polling === "socket",
        "A ring receives without blocking, and then SO_BUSY_POLL polls only once, before the reply " +
          "can be there: a ring needs its own registration.",
      ),
      ...has(
        ({ polling }) => polling.endsWith("prefer"),
        "Preferring busy polling changes something only with napi_defer_hard_irqs and " +
          "gro_flush_timeout set, which they are not here.",
      ),
      ...has(
        ({ processors }) => processors === "one",
        "Where it cannot help, one processor: the kernel ends polling as soon as another thread " +
          "wants the processor, and here the other one is the thread that answers.",
      ),
      ...(unreachable === undefined ? [] : [
        `Where it cannot help, ${unreachable.factors.link}: the NAPI id is 0: ` +
        `${unreachable.row.whyNoNapi}.`,
      ]),
    ];
  },
});

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

/** Packets that the requester's namespace got by busy polling, ever. */
async function polledPackets(bed: Testbed): Promise<number> {
  const { "TcpExt.BusyPollRxPackets": packets } = await networkCounters(bed.near);
  if (packets === undefined) throw new UnsupportedError("The counter TcpExt.BusyPollRxPackets");
  return packets;
}
