/**
 * The flagship: copying against zero-copy send, as in the table of the 2022 mail that proposed it.
 *
 * @module
 */
import { UringError } from "zclab";
import { compare, cross, environment, noiseFloor, type Trial, verdict } from "zclab/experiment";
import {
  DatagramSink,
  defineLab,
  OptionError,
  transmit,
  TRANSMIT_MODES,
  type TransmitMode,
  type TransmitOptions,
  type Transmitted,
  type TrialRun,
} from "zclab/lab";

/** What one trial is about. */
type TransmitFactors = {
  readonly sink: string;
  readonly payload: number;
  readonly mode: TransmitMode;
};

const COPY = "non-zc";

/**
 * Requests per second as the mail printed them: non-zc, zc, zc + flush.
 * Source: "[PATCH net-next v3 00/25] io_uring zerocopy send", Pavel Begunkov, 2022-07-05.
 */
const MAIL = {
  dummy: {
    8000: [1299916, 2396600, 2224219],
    4000: [1869230, 2344146, 2170069],
    1200: [2071617, 2361960, 2203052],
    600: [2106794, 2381527, 2195295],
  },
  nic: {
    4000: [495134, 606420, 558971],
    1500: [551808, 577116, 565803],
    1000: [584677, 592088, 560885],
    600: [596292, 598550, 555366],
  },
} as const;

/** Opens the sink that was asked for: an address that cannot be reached is a wrong option. */
async function openSink(name: string): Promise<DatagramSink> {
  const sink = await DatagramSink.open(name);
  try {
    sink.connect().close();
    return sink;
  } catch (error) {
    await sink[Symbol.asyncDispose]();
    if (!(error instanceof UringError) || !DatagramSink.isHost(name)) throw error;
    throw new OptionError(`--sink ${name}: ${error.message}`, { cause: error });
  }
}

function sendTo(sink: DatagramSink, options: TransmitOptions): Transmitted {
  using socket = sink.connect();
  return transmit(socket, options);
}

/**
 * How long a trial sends: to warm up less, but where the clock counts instructions at first more, until
 * V8 has compiled what runs often.
 */
function secondsOf(
  { options: { seconds }, warmUp, round, clock }: TrialRun & {
    readonly options: { readonly seconds: number };
  },
): number {
  if (clock === "instructions") return round === 0 ? seconds * 3 : seconds;
  return warmUp ? seconds / 4 : seconds;
}

/** Copying against zero-copy send. */
export const txCopyVsZc = defineLab({
  name: "tx-copy-vs-zc",
  title: "Copying against zero-copy send: the table of the 2022 patch series, on this kernel",
  description: "Sends UDP datagrams of several sizes in several ways, interleaved in random " +
    "order, and compares each way with copying in the same round. The kernel reports for each " +
    "zero-copy request whether it copied after all; that count stands in the table.",
  needs: [
    ...["liburing", "shim", "io_uring", "IORING_OP_SEND_ZC"] as const,
    ...["namespaces", "ifb", "ip", "tc", "nsenter"] as const,
  ],
  options: {
    payload: {
      kind: "numbers",
      description: "bytes in each datagram",
      default: [600, 1000, 1200, 1500, 4000, 8000],
      minimum: 1,
      maximum: 65_000,
      unit: "bytes",
    },
    mode: {
      kind: "strings",
      description: "the ways of sending to compare with non-zc, which always runs",
      default: TRANSMIT_MODES,
      choices: TRANSMIT_MODES,
    },
    batch: {
      kind: "number",
      description: "requests in each submission",
      default: 32,
      minimum: 1,
      maximum: 256,
    },
    seconds: {
      kind: "number",
      description: "how long each trial sends",
      default: 0.09,
      quick: 0.06,
      // Two ticks of the kernel's timer.
      counted: 0.008,
      minimum: 0.001,
      maximum: 3600,
      fraction: true,
      unit: "seconds",
    },
    sink: {
      kind: "string",
      description: "where datagrams go: ifb drops them uncopied; veth is a pair whose far end " +
        "drops them at ingress, uncopied too; loopback has a receiver and always copies",
      default: "ifb",
      check: DatagramSink.problem,
      placeholder: "ifb|veth|loopback|ADDRESS:PORT",
      local: (sink: string | number) => DatagramSink.isHost(String(sink)),
    },
  },
  repeats: { default: 9, quick: 5, minimum: 2 },

  factors: ({ sink, payload, mode: asked }): TransmitFactors[] =>
    cross({
      sink: [sink],
      payload,
      mode: TRANSMIT_MODES.filter((mode) => mode === COPY || asked.includes(mode)),
    }),
  baseline: { mode: COPY },
  within: ["sink", "payload"],
  factorTitles: { payload: "bytes" },
  normalised: ({ sink, ...others }) => ({
    sink: DatagramSink.isHost(String(sink)) ? "a host" : sink!,
    ...others,
  }),

  setUp: ({ options }, use) => use(openSink(options.sink)),
  recorded: (sink) => ({
    environment: { sink: sink.name, interfaces: JSON.parse(JSON.stringify(sink.settings)) },
  }),
  /** Registered memory counts against RLIMIT_MEMLOCK. */
  refusal({ mode, payload }, sink, { options: { batch } }): string | undefined {
    try {
      sendTo(sink, { mode, payload, batch, seconds: 0 });
    } catch (error) {
      const isLimit = error instanceof UringError && ["ENOMEM", "ENOBUFS"].includes(error.code);
      if (!isLimit || mode === COPY) throw error;
      return error.message;
    }
  },
  trial: ({ mode, payload }, sink, run) => {
    const { options: { batch }, look } = run;
    return sendTo(sink, { mode, payload, batch, seconds: secondsOf(run), look });
  },
  witness: {
    options: { seconds: 0, batch: 2 },
    reports: ({ copied }) => ({ copiedBit: copied === null ? null : copied > 0 }),
  },
  checks: {
    /** A local receiver makes the kernel copy: the copied count must say so. */
    factors: ({ sink, payload }) =>
      ["loopback", "veth-receiver"].filter((name) => name !== sink)
        .map((name) => ({
          sink: name,
          payload: payload[payload.length >> 1]!,
          mode: "zc" as const,
        })),
    async trial(
      { sink: name, payload, mode },
      { options: { batch, seconds } },
    ): Promise<Transmitted> {
      await using sink = await DatagramSink.open(name);
      return sendTo(sink, { mode, payload, batch, seconds: Math.min(0.1, seconds) });
    },
    text: ({ factors: { sink }, measures: { copied, sent } }) =>
      `zc to a receiver over ${sink === "loopback" ? "loopback" : "veth"}: ` +
      `copied ${copied} of ${sent}, as it must be.`,
  },

  columns: {
    requestsPerSecond: { title: "requests/s", unit: "/s", better: "higher" },
    datagramsPerSecond: {
      title: "datagrams/s",
      unit: "/s",
      better: "higher",
      verdict: true,
      shown: "where there is room",
    },
    copied: { title: "copied", over: "sum", evidence: true },
    sent: { title: "sent", over: "sum", evidence: true, shown: "where there is room" },
    notified: { title: "notified", over: "sum", evidence: true, shown: "never" },
    cpuSecondsPerRequest: { title: "CPU\n/request", unit: "s", better: "lower" },
    mail: {
      title: "2022\nmail",
      value: ({ sink, payload, mode }) => fromMail(sink, payload, mode),
      unit: "/s",
      isRatio: true,
    },
  },
  proof: ({ copied, sent }) =>
    copied === null
      ? null
      : copied === 0
      ? "not copied"
      : copied === sent
      ? "copied"
      : "partly copied",
  // A GSO packet is up to 64 datagrams: bars beside it would be too short to see.
  charts: [
    {
      title: "Requests per second, median and 95 % interval",
      where: ({ mode }) => !mode.startsWith("gso"),
    },
    {
      title: "GSO packets: datagrams per second, one request for each packet",
      where: ({ mode }) => mode.startsWith("gso"),
    },
  ],
  conclusions({ rows, trials, context: { options: { sink } } }): string[] {
    const counted = rows.filter(({ row }) => row.copied !== null);
    const sum = (name: "copied" | "sent"): number =>
      counted.reduce((sum, { row }) => sum + Number(row[name]), 0);
    return [
      ...trainLines(trials),
      ...(counted.length === 0 ? [] : [
        `Proof: the kernel reported ${sum("copied")} of ${sum("sent")} zero-copy requests into ` +
        `${sink} as copied.`,
      ]),
      "The mail's zc posted no notification, by an API that never shipped; mainline posts one for " +
      "each request,",
      "so the mail's zc+flush is the fair neighbour. One GSO packet is mainline's way to share one.",
      clearingLine(environment().kernel.clearsOnAllocation ?? null),
    ];
  },
});

/**
 * What a copy pays for beside the copy, and how to see it.
 *
 * @param clears Whether this kernel clears memory on allocation; null if that is not known.
 */
export function clearingLine(clears: boolean | null): string {
  const found = clears === null
    ? "Whether this kernel clears memory on allocation, which a copy's buffer pays for, is not known"
    : clears
    ? "This kernel clears memory on allocation: a copy pays for its buffer's, too"
    : "This kernel does not clear memory on allocation, which a copy would pay for, too";
  return `${found}. With the other: deno task vm --clock instructions ` +
    `--kernel-option init_on_alloc=${clears === false ? 1 : 0} -- ` +
    "deno task lab tx-copy-vs-zc --payload 8000";
}

/** What not copying gives a GSO packet, apart from what being one gives. */
function trainLines(trials: readonly Trial<TransmitFactors, Transmitted>[]): string[] {
  const payloadsOf = (mode: TransmitMode): number[] =>
    trials.filter(({ factors }) => factors.mode === mode).map(({ factors }) => factors.payload);
  // The largest may be more than this user may lock.
  const copied = new Set(payloadsOf("gso"));
  const payload = Math.max(...payloadsOf("gso+zc-fixed").filter((one) => copied.has(one)));
  if (payload === -Infinity) return [];
  const measure = "datagramsPerSecond";
  const found = compare(trials, {
    measure,
    of: { payload, mode: "gso+zc-fixed" },
    against: { payload, mode: "gso" },
  });
  if (found === undefined) return [];
  const floor = noiseFloor(trials, { measure, at: { payload, mode: COPY } });
  const { text } = verdict(found, floor, { subject: "gso+zc-fixed" });
  return [`  of two GSO packets at ${payload} bytes, against gso that copies: ${text}`];
}

/** The mail's dummy device stands beside every sink of ours, its NIC beside a real address. */
function fromMail(sink: string, payload: number, mode: TransmitMode): number | null {
  const column = mode === "zc" ? 1 : mode === "zc+flush" ? 2 : undefined;
  const rows: Readonly<Record<number, readonly number[]>> =
    MAIL[DatagramSink.isHost(sink) ? "nic" : "dummy"];
  const row = rows[payload];
  return row === undefined || column === undefined ? null : row[column]! / row[0]!;
}
