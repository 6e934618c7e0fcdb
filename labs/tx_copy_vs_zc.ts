/**
 * The flagship: copying against zero-copy send, as in the table of the 2022 mail that proposed it.
 *
 * @module
 */
import {
  type Address,
  barPlot,
  compare,
  compareAll,
  cross,
  crossover,
  defineLab,
  describeFactors,
  describeOutliers,
  environment,
  experiment,
  explainOutlier,
  findOutliers,
  formatChange,
  formatSi,
  hostPortProblem,
  type LabContext,
  type LabOutcome,
  medianInterval,
  noiseFloor,
  OptionError,
  parseHostPort,
  pinThread,
  type Place,
  processorProblem,
  type Ratio,
  runDocument,
  Socket,
  table,
  Testbed,
  transmit,
  TRANSMIT_MODES,
  type TransmitMode,
  type Transmitted,
  type Trial,
  UringError,
  verdict,
} from "zclab";

/** What one trial is about. */
type TransmitFactors = {
  readonly sink: string;
  readonly payload: number;
  readonly mode: TransmitMode;
};

type TransmitTrial = Trial<TransmitFactors, Transmitted>;

/** One line of the table. */
type SummaryRow = {
  readonly payload: number;
  readonly mode: TransmitMode;
  /** Median over the rounds. */
  readonly requestsPerSecond: number;
  readonly requestsPerSecondInterval: { readonly low: number; readonly high: number };
  readonly datagramsPerSecond: number;
  /**
   * Datagrams per second against copying; for copying itself, its second runs against its first. Null
   * if the run was stopped before two rounds had both.
   */
  readonly versusCopy:
    | { readonly ratio: number; readonly low: number; readonly high: number }
    | null;
  /** Requests whose data was copied all the same; null for modes that have no way to say. */
  readonly copied: number | null;
  readonly sent: number;
  readonly notified: number | null;
  readonly cpuMicrosecondsPerRequest: number;
  readonly difference: "higher" | "lower" | "none" | "baseline" | null;
  readonly verdict: string;
  /** What the mail says of zero copy against copying at this payload, as a ratio. */
  readonly mail: number | null;
};

/** One that two rounds have together with copying. */
type ComparedRow = SummaryRow & { readonly versusCopy: NonNullable<SummaryRow["versusCopy"]> };

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

/** Where datagrams go, and what is behind it. */
interface Sink {
  readonly name: string;
  readonly place: Place;
  readonly address: Address;
  readonly settings: Awaited<ReturnType<Testbed["interfaceSettings"]>>;
  readonly [Symbol.asyncDispose]: () => Promise<void>;
}

const PORT = 9000;
const NAMED_SINKS = ["ifb", "veth", "loopback"] as const;

function isNamedSink(text: string): boolean {
  return NAMED_SINKS.some((name) => name === text);
}

function checkSink(text: string): string | undefined {
  const problem = isNamedSink(text) ? undefined : hostPortProblem(text);
  return problem && `${problem}; it is none of ${NAMED_SINKS.join(", ")} either`;
}

async function openSink(name: string): Promise<Sink> {
  if (isHost(name)) return openHost(name);
  await using stack = new AsyncDisposableStack();
  const bed = stack.use(await makeTestbed(name));
  if (name === "loopback" || name === "veth-receiver") {
    // Somebody must own the port, or the kernel answers each datagram that nobody does. It never
    // reads: what does not fit its buffer is dropped, after it was copied.
    stack.use(Socket.udp(bed.far).bind(bed.far.address(PORT)));
  }
  const settings = await bed.interfaceSettings();
  const held = stack.move();
  return {
    name,
    place: bed.near,
    address: bed.far.address(PORT),
    settings,
    [Symbol.asyncDispose]: () => held.disposeAsync(),
  };
}

/** Whether it is the address of a host, and no sink of our own. */
function isHost(sink: string): boolean {
  return sink.includes(":");
}

function openHost(name: string): Sink {
  const address = parseHostPort(name);
  const nothing = (): Promise<void> => Promise.resolve();
  const sink: Sink = { name, place: {}, address, settings: [], [Symbol.asyncDispose]: nothing };
  try {
    connectTo(sink).close();
    return sink;
  } catch (error) {
    // Nothing was made yet, and it is the address that is wrong, here.
    if (!(error instanceof UringError)) throw error;
    throw new OptionError(`--sink ${name}: ${error.message}`, { cause: error });
  }
}

function connectTo(sink: Sink): Socket {
  const family = sink.address.host.includes(":") ? 6 : 4;
  using stack = new DisposableStack();
  const socket = stack.use(Socket.udp(sink.place, { family })).connect(sink.address);
  stack.move();
  return socket;
}

function makeTestbed(name: string): Promise<Testbed> {
  switch (name) {
    case "ifb":
      return Testbed.sink();
    case "loopback":
      return Testbed.loopback();
    default:
      return Testbed.pair({ dropAtFar: name === "veth" });
  }
}

function sendTo(
  sink: Sink,
  mode: TransmitMode,
  payload: number,
  batch: number,
  seconds: number,
): Transmitted {
  using socket = connectTo(sink);
  return transmit(socket, { mode, payload, batch, seconds });
}

const options = {
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
    check: checkSink,
    placeholder: "ifb|veth|loopback|ADDRESS:PORT",
    local: (sink: string | number) => isHost(String(sink)),
  },
  cpu: {
    kind: "number",
    description: "keeps the sending thread on this processor",
    minimum: 0,
    maximum: 8191,
    check: processorProblem,
    local: () => true,
  },
} as const;

/** Copying against zero-copy send. */
export const txCopyVsZc = defineLab({
  name: "tx-copy-vs-zc",
  title: "Copying against zero-copy send: the table of the 2022 patch series, on this kernel",
  description: "Sends UDP datagrams of several sizes in several ways, interleaved in random " +
    "order, and compares each way with copying in the same round. The kernel reports for each " +
    "zero-copy request whether it copied after all; that count stands in the table.",
  needs: [
    "liburing",
    "shim",
    "io_uring",
    "IORING_OP_SEND_ZC",
    "namespaces",
    "ifb",
    "ip",
    "tc",
    "nsenter",
  ],
  options,
  repeats: { default: 9, quick: 5, minimum: 2 },
  rows: {
    keys: ["sink", "payload", "mode"],
    normalised: ({ sink, ...others }) => ({
      sink: isHost(String(sink)) ? "a host" : sink!,
      ...others,
    }),
    measures: [{ name: "datagramsPerSecond", title: "datagrams/s", better: "higher" }],
    baseline: { mode: COPY },
    within: ["sink", "payload"],
    proof: copyProof,
  },
  run,
});

async function run(context: LabContext<typeof options>): Promise<LabOutcome> {
  const { options: chosen, seed, repeats, signal, progress } = context;
  const { payload: payloads, batch, seconds } = chosen;
  await using sink = await openSink(chosen.sink);
  using _pinned = chosen.cpu === undefined ? undefined : pinThread(chosen.cpu);
  const asked = TRANSMIT_MODES.filter((mode) => mode === COPY || chosen.mode.includes(mode));
  const { possible, refused } = sortOut(sink, asked, Math.max(...payloads), batch);
  const record = environment({
    sink: sink.name,
    interfaces: JSON.parse(JSON.stringify(sink.settings)),
  });

  const { trials, complete } = await experiment<TransmitFactors, Transmitted>({
    factors: cross({ sink: [sink.name], payload: payloads, mode: possible }),
    control: { mode: COPY },
    repeats,
    seed,
    signal,
    onProgress: (done, total, { payload, mode }) =>
      progress.update(done, total, `${mode}, ${payload} B`),
    trial: ({ payload, mode }, { warmUp }) =>
      sendTo(sink, mode, payload, batch, warmUp ? seconds / 4 : seconds),
  });
  if (trials.length === 0) signal.throwIfAborted();
  const proof = await controls(sink, payloads, batch, seconds, seed, signal);

  const rows = summarize(trials, payloads, possible, sink.name, seed);
  return {
    document: runDocument(context, {
      environment: record,
      parameters: { refused },
      complete: complete && proof.complete,
      trials: [...trials, ...proof.trials],
      summary: rows,
    }),
    text: report(rows, trials, proof.trials, refused, sink.name),
  };
}

/** What the kernel said of the requests of one row. */
function copyProof(trials: readonly Trial[]): string | null {
  const own = (trials as readonly TransmitTrial[]).filter(({ warmUp }) => !warmUp)
    .map(({ measures }) => measures);
  const copied = total(own.map((measures) => measures.copied));
  if (copied === null || own.length === 0) return null;
  if (copied === 0) return "not copied";
  return copied === total(own.map((measures) => measures.sent)) ? "copied" : "partly copied";
}

/** Which ways of sending this user may use: registered memory counts against RLIMIT_MEMLOCK. */
function sortOut(
  sink: Sink,
  modes: readonly TransmitMode[],
  payload: number,
  batch: number,
): { possible: TransmitMode[]; refused: { mode: TransmitMode; why: string }[] } {
  const possible: TransmitMode[] = [];
  const refused: { mode: TransmitMode; why: string }[] = [];
  for (const mode of modes) {
    try {
      sendTo(sink, mode, payload, batch, 0);
      possible.push(mode);
    } catch (error) {
      const limited = error instanceof UringError && ["ENOMEM", "ENOBUFS"].includes(error.code);
      if (!limited || mode === COPY) throw error;
      refused.push({ mode, why: error.message });
    }
  }
  return { possible, refused };
}

/** Sends the same way where a local receiver makes the kernel copy: the check of the copied count. */
async function controls(
  main: Sink,
  payloads: readonly number[],
  batch: number,
  seconds: number,
  seed: number,
  signal: AbortSignal,
): Promise<{ readonly trials: TransmitTrial[]; readonly complete: boolean }> {
  const trials: TransmitTrial[] = [];
  for (const name of ["loopback", "veth-receiver"]) {
    if (name === main.name) continue;
    if (signal.aborted) return { trials, complete: false };
    await using sink = await openSink(name);
    const result = await experiment<TransmitFactors, Transmitted>({
      factors: [{ sink: name, payload: payloads[payloads.length >> 1]!, mode: "zc" }],
      repeats: 1,
      warmUp: 0,
      seed,
      signal,
      trial: ({ payload, mode }) => sendTo(sink, mode, payload, batch, Math.min(0.1, seconds)),
    });
    trials.push(...result.trials);
    if (!result.complete) return { trials, complete: false };
  }
  return { trials, complete: true };
}

function summarize(
  trials: readonly TransmitTrial[],
  payloads: readonly number[],
  modes: readonly TransmitMode[],
  sink: string,
  seed: number,
): SummaryRow[] {
  const measure = "datagramsPerSecond";
  const against = { mode: COPY } as const;
  // Each payload is a question of its own: its modes are corrected for, not the whole table.
  const compared = compareAll(trials, { measure, against, within: ["payload"], seed });
  return payloads.flatMap((payload) => {
    const floor = noiseFloor(trials, { measure, at: { payload, mode: COPY }, seed });
    return modes.flatMap((mode): SummaryRow[] => {
      const own = trials.filter((trial) =>
        !trial.warmUp && !trial.control && trial.factors.payload === payload &&
        trial.factors.mode === mode
      ).map((trial) => trial.measures);
      // A run that was stopped may have come to no counted trial of it.
      if (own.length === 0) return [];
      const row = compared.find(({ factors }) =>
        factors.payload === payload && factors.mode === mode
      );
      const ratio = mode === COPY ? floor : row?.comparison;
      const rate = medianInterval(own.map((measures) => measures.requestsPerSecond), { seed });
      const median = (of: (measures: Transmitted) => number): number =>
        medianInterval(own.map(of)).median;
      return [{
        payload,
        mode,
        requestsPerSecond: rate.median,
        requestsPerSecondInterval: { low: rate.low, high: rate.high },
        datagramsPerSecond: median((measures) => measures.datagramsPerSecond),
        versusCopy: ratio === undefined
          ? null
          : { ratio: ratio.ratio, low: ratio.low, high: ratio.high },
        copied: total(own.map((measures) => measures.copied)),
        sent: total(own.map((measures) => measures.sent))!,
        notified: total(own.map((measures) => measures.notified)),
        cpuMicrosecondsPerRequest: median((measures) => measures.cpuSecondsPerRequest) * 1e6,
        difference: mode === COPY ? "baseline" : row?.verdict.difference ?? null,
        verdict: ratio === undefined
          ? "not compared: fewer than two rounds"
          : row?.verdict.text ?? `the baseline; against itself ${interval(ratio)}`,
        mail: fromMail(sink, payload, mode),
      }];
    });
  });
}

function total(values: readonly (number | null)[]): number | null {
  return values.reduce((sum, value) => sum === null || value === null ? null : sum + value, 0);
}

/** The mail's dummy device stands beside every sink of ours, its NIC beside a real address. */
function fromMail(sink: string, payload: number, mode: TransmitMode): number | null {
  const column = mode === "zc" ? 1 : mode === "zc+flush" ? 2 : undefined;
  const rows: Readonly<Record<number, readonly number[]>> = MAIL[isHost(sink) ? "nic" : "dummy"];
  const row = rows[payload];
  return row === undefined || column === undefined ? null : row[column]! / row[0]!;
}

function interval({ low, high }: { low: number; high: number }): string {
  return `${formatChange(low)} to ${formatChange(high)}`;
}

function report(
  rows: readonly SummaryRow[],
  trials: readonly TransmitTrial[],
  proof: readonly TransmitTrial[],
  refused: readonly { mode: string; why: string }[],
  sink: string,
): string {
  if (rows.length === 0) return "";
  const lines = [
    `UDP into ${sink}, ${Math.max(...trials.map((trial) => trial.round))} rounds, ` +
    `requests per second; percent is datagrams per second against non-zc`,
    "",
    resultTable(rows),
    plots(rows),
    ...conclusions(rows, trials, sink),
    ...proof.map(({ factors, measures }) =>
      `Control: zc to a receiver over ${factors.sink === "loopback" ? "loopback" : "veth"}: ` +
      `copied ${measures.copied} of ${measures.sent}, as it must be.`
    ),
    ...outlierLine(trials),
    ...refused.map(({ mode, why }) => `Not possible for this user: ${mode}: ${why}`),
  ];
  return lines.join("\n") + "\n";
}

/** How many trials were far off, and what the machine did in the farthest. */
function outlierLine(trials: readonly TransmitTrial[]): string[] {
  const found = findOutliers(trials, { measure: "datagramsPerSecond" });
  const [farthest] = found.toSorted((a, b) => Math.abs(b.deviations) - Math.abs(a.deviations));
  if (farthest === undefined) return [];
  const { trial, ratio } = farthest;
  return [
    `${describeOutliers(found.length)}; the farthest (${describeFactors(trial.factors)}, ` +
    `${formatChange(ratio)}): ${
      explainOutlier(trial, trials) ?? "nothing that was read explains it"
    }`,
  ];
}

function resultTable(rows: readonly SummaryRow[]): string {
  return table<SummaryRow>(
    [
      { title: "bytes", value: (row) => row.payload },
      { title: "mode", value: (row) => row.mode },
      {
        title: "requests/s",
        value: (row) => row.requestsPerSecond,
        format: (value) => formatSi(Number(value)),
      },
      {
        title: "against\nnon-zc",
        value: (row) =>
          row.mode === COPY || row.versusCopy === null ? null : formatChange(row.versusCopy.ratio),
        align: "right",
        style: (row) =>
          row.difference === "higher" ? "green" : row.difference === "lower" ? "red" : undefined,
      },
      {
        title: "95 % interval",
        value: (row) => row.versusCopy === null ? null : interval(row.versusCopy),
        align: "right",
        style: (row) => row.mode === COPY ? "dim" : undefined,
      },
      { title: "copied", value: (row) => row.copied },
      { title: "sent", value: (row) => row.sent, dispensable: true },
      {
        title: "CPU µs\n/request",
        value: (row) => row.cpuMicrosecondsPerRequest,
        format: (value) => Number(value).toFixed(2),
      },
      {
        title: "2022\nmail",
        value: (row) => row.mail === null ? null : formatChange(row.mail),
        align: "right",
      },
    ],
    rows,
    { groupBy: (row) => row.payload },
  );
}

/** Requests and trains are plotted apart: a train is up to 64 datagrams. */
function plots(rows: readonly SummaryRow[]): string {
  const bars = (chosen: readonly SummaryRow[], unit: string, title: string): string =>
    barPlot(
      chosen.map((row) => {
        const scale = row.datagramsPerSecond / row.requestsPerSecond;
        return {
          group: `${row.payload} bytes`,
          label: row.mode,
          value: row.datagramsPerSecond,
          low: Math.min(row.datagramsPerSecond, row.requestsPerSecondInterval.low * scale),
          high: Math.max(row.datagramsPerSecond, row.requestsPerSecondInterval.high * scale),
          note: row.mode === COPY || row.versusCopy === null
            ? ""
            : formatChange(row.versusCopy.ratio),
          style: row.mode === COPY || row.mode === "gso" ? "yellow" : "cyan",
        } as const;
      }),
      { title, unit },
    );
  const single = rows.filter((row) => !row.mode.startsWith("gso"));
  const trains = rows.filter((row) => row.mode.startsWith("gso"));
  const parts = [bars(single, "/s", "Requests per second, median and 95 % interval")];
  if (trains.length > 0) {
    parts.push(bars(trains, "/s", "GSO trains: datagrams per second, one request for each train"));
  }
  return parts.join("\n");
}

/** What not copying gives a train, apart from what being a train gives. */
function compareTrains(trials: readonly TransmitTrial[], payload: number): Ratio | undefined {
  const modes = new Set(trials.map((trial) => trial.factors.mode));
  if (!modes.has("gso") || !modes.has("gso+zc-fixed")) return undefined;
  return compare(trials, {
    measure: "datagramsPerSecond",
    of: { payload, mode: "gso+zc-fixed" },
    against: { payload, mode: "gso" },
  });
}

function conclusions(
  rows: readonly SummaryRow[],
  trials: readonly TransmitTrial[],
  sink: string,
): string[] {
  const compared = rows.filter((row): row is ComparedRow => row.versusCopy !== null);
  if (compared.length === 0) return ["Verdict: none, without two rounds of anything."];
  const modes = [...new Set(compared.map((row) => row.mode))].filter((mode) => mode !== COPY);
  const floors = new Map(
    compared.filter((row) => row.mode === COPY).map((row) => [row.payload, row.versusCopy]),
  );
  const largest = Math.max(...compared.map((row) => row.payload));
  const lines = [`Verdict, at ${largest} bytes and where the crossover is:`];
  for (const mode of modes) {
    const own = compared.filter((row) => row.mode === mode);
    const found = crossover(own.map((row) => ({
      payload: row.payload,
      comparison: { ...row.versusCopy, rounds: 0 },
      difference: row.difference === "baseline" ? undefined : row.difference ?? undefined,
    })));
    const where = found === undefined
      ? "no crossover up to the largest payload"
      : found.above === undefined
      ? `faster from ${found.payload} bytes, the smallest payload, on`
      : `faster from ${found.payload} bytes on` +
        (found.estimate === undefined
          ? ` (not seen at ${found.above})`
          : ` (about ${Math.round(found.estimate)} by interpolation)`);
    const at = own.find((row) => row.payload === largest);
    if (at === undefined) {
      lines.push(`  ${mode}: not compared at ${largest} bytes; ${where}`);
      continue;
    }
    const said = at.verdict.startsWith(mode) ? at.verdict : `${mode}: ${at.verdict}`;
    lines.push(`  ${said}; ${where}`);
  }
  const [trainRatio, floor] = [compareTrains(trials, largest), floors.get(largest)];
  if (trainRatio !== undefined) {
    const noise = floor && { ...floor, rounds: 0 };
    const said = verdict(trainRatio, noise, { subject: "gso+zc-fixed" });
    lines.push(`  of two trains, against gso that copies: ${said.text}`);
  }
  const counted = rows.filter((row) => row.copied !== null);
  const copied = counted.reduce((sum, row) => sum + row.copied!, 0);
  const sent = counted.reduce((sum, row) => sum + row.sent, 0);
  if (sent > 0) {
    lines.push(
      `Proof: the kernel reported ${copied} of ${sent} zero-copy requests into ${sink} as copied.`,
    );
  }
  lines.push(
    "The mail's zc posted no notification, by an API that never shipped; mainline posts one for " +
      "each request,",
    "so the mail's zc+flush is the fair neighbour. One GSO train is mainline's way to share one.",
  );
  return lines;
}
