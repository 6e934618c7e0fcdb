/**
 * Does zero-copy receive pay, and does it really not copy? Copying recv against zcrx.
 *
 * @module
 */
import {
  Area,
  compare,
  comparePages,
  defineLab,
  environment,
  experiment,
  formatChange,
  formatSi,
  type LabContext,
  type LabOutcome,
  medianInterval,
  noiseFloor,
  pinThread,
  probe,
  type Ratio,
  receiveCopying,
  type Received,
  receiveMultishot,
  type ReceiveOptions,
  receiveZeroCopy,
  Ring,
  type RunDocument,
  runDocument,
  Socket,
  Softnic,
  StreamSender,
  table,
  Testbed,
  type Trial,
  verdict,
  ZeroCopyReceiver,
} from "zclab";

/** The ways of receiving. */
const ENGINES = ["recv", "recv-multishot", "zcrx"] as const;
type Engine = typeof ENGINES[number];

/**
 * What the receiver stands on: a queue of softnic, no device (the same interface, with copying), or
 * a veth pair, where softnic is not to be had.
 */
type Device = "softnic" | "none" | "veth";

/** Whether NAPI, which takes the packets off the NIC, has the receiver's processor or another. */
type Cores = "other" | "same";

/** What one trial is about. */
type ReceiveFactors = {
  readonly engine: Engine;
  readonly device: Device;
  readonly mtu: number;
  /** Bytes of a receive buffer; null where there are none of a fixed size. */
  readonly buffer: number | null;
  readonly cores: Cores;
};

/** What one trial measured. */
type ReceiveMeasures = {
  readonly bytes: number;
  readonly bytesPerSecond: number;
  readonly seconds: number;
  readonly cpuSecondsPerMiB: number;
  readonly pieces: number;
  /** What the kernel says it copied, of what zcrx delivered; null for recv, which always copies. */
  readonly copiedBytes: number | null;
  /** What the NIC says it placed into user memory; null without softnic. */
  readonly placedBytes: number | null;
  /** Payload that the NIC left with the headers, which the kernel copies and does not count. */
  readonly linearPayloadBytes: number | null;
  /** Frames that found no receive descriptor. */
  readonly droppedFrames: number | null;
};

type ReceiveTrial = Trial<ReceiveFactors, ReceiveMeasures>;

/** What the physical pages of one configuration showed, over a stream that was compared whole. */
type Proof = ReceiveFactors & {
  readonly bytes: number;
  readonly pages: { readonly same: boolean; readonly read: number; readonly placed: number } | null;
};

/** One line of the table. */
type SummaryRow = ReceiveFactors & {
  readonly bytesPerSecond: number;
  readonly bytesPerSecondInterval: { readonly low: number; readonly high: number };
  readonly cpuMicrosecondsPerMiB: number;
  /**
   * Bytes per second against recv; for recv itself, its second runs against its first. Null if the run
   * was stopped before two rounds had both.
   */
  readonly versusRecv:
    | { readonly ratio: number; readonly low: number; readonly high: number }
    | null;
  readonly difference: "higher" | "lower" | "none" | "baseline" | null;
  readonly verdict: string;
  /** Of all rounds together: what was received, and the first two of the three signs. */
  readonly payloadBytes: number;
  readonly copiedBytes: number | null;
  readonly placedBytes: number | null;
  readonly linearPayloadBytes: number | null;
  /** The third sign: the pages that were read are those that the NIC wrote; null without softnic. */
  readonly samePages: boolean | null;
  readonly zeroCopy: "not copied" | "copied" | "unclear";
  /** What was published of zcrx against copying, as a ratio. */
  readonly published: number | null;
};

const PORT = 9000;
/** The receive queue that the stream is steered to; queue 0 has everything else. */
const QUEUE = 1;
/** The receiver's processor; the sender has the other one. */
const RECEIVER_CPU = 0;
const SENDER_CPU = 1;
const COMPLETIONS = 4096;
const MIB = 1 << 20;
/** What a plain recv takes at most, and what multishot receives in. */
const RECV_BYTES = 256 << 10;
const MULTISHOT = { count: 64, bytes: 16 << 10 } as const;
/**
 * Bytes in the receiver's queue, and on their way to it, at most. With less of the former TCP would come
 * to the end of its window and send short segments, which the kernel copies without counting them.
 */
const QUEUED_BYTES = 4 * MIB;
const SENT_BYTES = MIB >> 1;
/** Length of the stream whose every byte and page is compared. */
const PROOF_BYTES = 4 * MIB;

/**
 * Published ratios of zcrx against copying: one TCP flow, EPYC 9454, BCM957508 at 200 Gbit/s; copying
 * was epoll. By MTU and by whether NAPI shared the receiver's core.
 * Source: "[PATCH v7 00/15] io_uring zero copy rx", David Wei, 2024-10 (116.2 against 82.2 Gbit/s, and
 * 80.9 against 62.6, at 4096); netdev 0x18, "io_uring zero copy rx" (+31.4 % at 1500).
 */
const PUBLISHED: readonly { mtu: number; cores: Cores; ratio: number }[] = [
  { mtu: 4148, cores: "other", ratio: 116.2 / 82.2 },
  { mtu: 4148, cores: "same", ratio: 80.9 / 62.6 },
  { mtu: 1500, cores: "other", ratio: 1.314 },
];

const options = {
  engine: {
    kind: "strings",
    description: "the ways of receiving to compare with recv, which always runs",
    default: ENGINES,
    choices: ENGINES,
  },
  mtu: {
    kind: "numbers",
    description: "MTUs of the link; 4148 is 4096 bytes of payload with TCP's headers",
    default: [1500, 4148, 9000],
    quick: [4148],
    minimum: 1280,
    maximum: 65535,
    unit: "bytes",
  },
  buffer: {
    kind: "numbers",
    description: "receive buffers of zcrx on softnic; more than 4096 takes huge pages",
    default: [4096, 16384],
    quick: [4096],
    minimum: 4096,
    maximum: 65536,
    unit: "bytes",
    check: (bytes: number): string | undefined =>
      (bytes & (bytes - 1)) === 0 ? undefined : `${bytes} is not a power of two`,
  },
  cores: {
    kind: "strings",
    description: "whether NAPI runs on the receiver's processor or on the sender's",
    default: ["other", "same"],
    quick: ["other"],
    choices: ["other", "same"],
  },
  bytes: {
    kind: "number",
    description: "length of the stream of each trial",
    default: 64 * MIB,
    quick: 16 * MIB,
    minimum: MIB,
    maximum: 1024 * MIB,
    unit: "bytes",
  },
  area: {
    kind: "number",
    description: "length of the area that zcrx receives into",
    default: 16 * MIB,
    minimum: MIB,
    maximum: 1024 * MIB,
    unit: "bytes",
  },
} as const;

/** Copying recv against zero-copy receive. */
export const rxZcrx = defineLab({
  name: "rx-zcrx",
  title: "Copying recv against zero-copy receive (zcrx), with three signs of who copied",
  description:
    "Receives a TCP stream with recv, with multishot recv into provided buffers, with zcrx " +
    "without a device (the real interface, with copying) and with zcrx on softnic, a NIC in software. " +
    "Whether bytes were copied is told by three witnesses: the kernel's statistics, the NIC's counters of " +
    "what it placed into user memory, and the physical pages. On softnic it is the NIC's own transfer " +
    "that a CPU does, so that speeds there say nothing about hardware. labs/rx_zcrx.md explains more.",
  needs: ["liburing", "shim", "io_uring", "namespaces", "ip", "nsenter", "zcrx", "two CPUs"],
  options,
  repeats: { default: 5, quick: 3, minimum: 2 },
  rows: {
    keys: ["mtu", "cores", "engine", "device", "buffer"],
    measures: [{ name: "bytesPerSecond", title: "bytes/s", better: "higher" }],
    baseline: { engine: "recv" },
    within: ["mtu", "cores"],
    proof: zeroCopyProof,
  },
  run,
});

async function run(context: LabContext<typeof options>): Promise<LabOutcome> {
  const { options: chosen, seed, repeats, signal, progress } = context;
  const softnic = (await probe()).item("softnic").state === "real";
  await using links = await Links.open(chosen.mtu, softnic);
  using sender = await StreamSender.start();
  const factors = plan(chosen, softnic);
  const record = environment({
    link: softnic ? "softnic" : "veth",
    interfaces: JSON.parse(JSON.stringify(await links.settings())),
  });

  const proofs: Proof[] = [];
  for (const [index, one] of factors.filter(({ engine }) => engine === "zcrx").entries()) {
    signal.throwIfAborted();
    progress.update(index, factors.length * (repeats + 2), `proof: ${describe(one)}`);
    proofs.push(await prove(links, sender, one, chosen.area));
  }
  const { trials, complete } = await experiment<ReceiveFactors, ReceiveMeasures>({
    factors,
    control: { engine: "recv" },
    repeats,
    seed,
    signal,
    onProgress: (done, total, one) => progress.update(done, total, describe(one)),
    trial: (one) => measure(links, sender, one, chosen.bytes, chosen.area),
  });
  if (trials.length === 0) signal.throwIfAborted();

  const rows = summarize(trials, proofs, factors, seed);
  return {
    document: runDocument(context, {
      environment: record,
      parameters: { proofs },
      complete,
      trials,
      summary: rows,
    }),
    text: report(rows, chosen.bytes, softnic),
  };
}

/** Every way on every link, baseline first; what needs softnic is left out where there is none. */
function plan(
  chosen: {
    readonly engine: readonly Engine[];
    readonly mtu: readonly number[];
    readonly buffer: readonly number[];
    readonly cores: readonly Cores[];
  },
  softnic: boolean,
): ReceiveFactors[] {
  const link = softnic ? "softnic" : "veth";
  // Without softnic nobody can say which processor takes the packets.
  const cores = softnic ? chosen.cores : ["other"] as const;
  return chosen.mtu.flatMap((mtu) =>
    cores.flatMap((cores): ReceiveFactors[] => {
      const rows: ReceiveFactors[] = [{ engine: "recv", device: link, mtu, buffer: null, cores }];
      if (chosen.engine.includes("recv-multishot")) {
        const buffer = MULTISHOT.bytes;
        rows.push({ engine: "recv-multishot", device: link, mtu, buffer, cores });
      }
      if (!chosen.engine.includes("zcrx")) return rows;
      rows.push({ engine: "zcrx", device: "none", mtu, buffer: 4096, cores });
      if (!softnic) return rows;
      for (const buffer of chosen.buffer) {
        rows.push({ engine: "zcrx", device: "softnic", mtu, buffer, cores });
      }
      return rows;
    })
  );
}

function describe({ engine, device, mtu, buffer, cores }: ReceiveFactors): string {
  const on = engine === "zcrx" ? `zcrx on ${device}, buffers of ${buffer}` : engine;
  return `${on}, MTU ${mtu}, ${cores} core`;
}

/** A link for each MTU: making one takes longer than a trial. */
class Links implements AsyncDisposable {
  readonly #beds = new Map<number, { readonly bed: Testbed; readonly nic: Softnic | undefined }>();

  private constructor() {}

  static async open(mtus: readonly number[], softnic: boolean): Promise<Links> {
    const links = new Links();
    try {
      for (const mtu of new Set(mtus)) {
        const bed = await (softnic ? Testbed.softnic({ mtu }) : Testbed.pair({ mtu }));
        links.#beds.set(mtu, { bed, nic: undefined });
        if (!softnic) continue;
        const nic = await Softnic.of(bed.far);
        links.#beds.set(mtu, { bed, nic });
        await nic.steer({ port: PORT, queue: QUEUE });
      }
      return links;
    } catch (error) {
      await links[Symbol.asyncDispose]();
      throw error;
    }
  }

  of(mtu: number): { readonly bed: Testbed; readonly nic: Softnic | undefined } {
    return this.#beds.get(mtu)!;
  }

  async settings(): Promise<unknown[]> {
    return (await Promise.all([...this.#beds.values()].map(({ bed }) => bed.interfaceSettings())))
      .flat();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { bed } of this.#beds.values()) await bed[Symbol.asyncDispose]();
    this.#beds.clear();
  }
}

/** Receives one stream over a connection of its own. */
async function receive(
  links: Links,
  sender: StreamSender,
  { engine, device, mtu, buffer, cores }: ReceiveFactors,
  areaBytes: number,
  stream: Omit<ReceiveOptions, "onReady">,
  after: (area: Area) => Promise<void> | void = () => {},
): Promise<Received> {
  const { bed, nic } = links.of(mtu);
  await nic?.setInterruptCpu(QUEUE, cores === "same" ? RECEIVER_CPU : SENDER_CPU);
  const bytes = engine === "zcrx" ? areaBytes : RECV_BYTES;
  using area = Area.map(
    engine === "zcrx" && buffer! > 4096 ? { bytes, hugePages: "2MiB" } : { bytes },
  );
  await using ring = Ring.open({
    entries: 64,
    completionEntries: COMPLETIONS,
    completionSize: engine === "zcrx" ? 32 : 16,
  });
  using receiver = engine === "zcrx" ? open(ring, area, device, buffer!, bed) : undefined;
  using listener = Socket.tcp(bed.far).setOption("SO_REUSEADDR", true)
    .setOption("SO_RCVBUF", QUEUED_BYTES).bind(bed.far.address(PORT)).listen(1);
  using client = Socket.tcp(bed.near).setOption("SO_SNDBUF", SENT_BYTES)
    .connect(bed.far.address(PORT));
  using server = await ring.accept(listener);
  const { begin, sent } = await sender.prepare(client, { bytes: stream.bytes, cpu: SENDER_CPU });
  const whole: ReceiveOptions = { ...stream, onReady: begin };
  const received = blocking(() =>
    receiver !== undefined
      ? receiveZeroCopy(receiver, server, whole)
      : engine === "recv"
      ? receiveCopying(ring, server, area, whole)
      : receiveMultishot(ring, server, MULTISHOT, whole)
  );
  await sent;
  await after(area);
  return received;
}

function blocking<T>(work: () => T): T {
  using _pinned = pinThread(RECEIVER_CPU);
  return work();
}

function open(
  ring: Ring,
  area: Area,
  device: Device,
  buffer: number,
  bed: Testbed,
): ZeroCopyReceiver {
  if (device !== "softnic") return ZeroCopyReceiver.withoutDevice(ring, { area });
  return ZeroCopyReceiver.open(ring, {
    area,
    interface: bed.far.interface,
    queue: QUEUE,
    place: bed.far,
    ...(buffer > 4096 ? { bufferBytes: buffer } : {}),
  });
}

async function measure(
  links: Links,
  sender: StreamSender,
  factors: ReceiveFactors,
  bytes: number,
  areaBytes: number,
): Promise<ReceiveMeasures> {
  const { nic } = links.of(factors.mtu);
  const before = await nic?.counters();
  const received = await receive(links, sender, factors, areaBytes, { bytes });
  const after = await nic?.counters();
  const grown = (name: string): number | null =>
    before === undefined ? null : after![`rx${QUEUE}_${name}`]! - before[`rx${QUEUE}_${name}`]!;
  return {
    bytes: received.bytes,
    bytesPerSecond: received.bytesPerSecond,
    seconds: received.seconds,
    cpuSecondsPerMiB: received.cpuSeconds / (received.bytes / MIB),
    pieces: received.pieces,
    copiedBytes: received.copiedBytes,
    placedBytes: grown("user_bytes"),
    linearPayloadBytes: grown("linear_payload_bytes"),
    droppedFrames: grown("no_descriptor_drops"),
  };
}

/** Compares every byte of a stream, and the pages in which it was found with those of the NIC. */
async function prove(
  links: Links,
  sender: StreamSender,
  factors: ReceiveFactors,
  areaBytes: number,
): Promise<Proof> {
  const { nic } = links.of(factors.mtu);
  await nic?.clearPlacements();
  const pieces: { offset: number; length: number }[] = [];
  let pages: Proof["pages"] = null;
  const { bytes } = await receive(
    links,
    sender,
    factors,
    areaBytes,
    {
      bytes: PROOF_BYTES,
      whole: true,
      onPiece: (offset, length) => pieces.push({ offset, length }),
    },
    async (area) => {
      if (nic === undefined || factors.device !== "softnic") return;
      pages = comparePages(area, pieces, await nic.placements());
    },
  );
  return { ...factors, bytes, pages };
}

function summarize(
  trials: readonly ReceiveTrial[],
  proofs: readonly Proof[],
  factors: readonly ReceiveFactors[],
  seed: number,
): SummaryRow[] {
  return factors.flatMap((of): SummaryRow[] => {
    const against = factors.find(({ engine, mtu, cores }) =>
      engine === "recv" && mtu === of.mtu && cores === of.cores
    )!;
    const floor = noiseFloor(trials, { measure: "bytesPerSecond", at: against, seed });
    const own = trials.filter((trial) =>
      !trial.warmUp && !trial.control && isSame(trial.factors, of)
    ).map(({ measures }) => measures);
    // A run that was stopped may have come to no counted trial of it.
    if (own.length === 0) return [];
    const baseline = of === against;
    const ratio: Ratio | undefined = baseline
      ? floor
      : compare(trials, { measure: "bytesPerSecond", of, against, seed });
    const said = ratio && verdict(ratio, floor, { subject: describe(of) });
    const rate = medianInterval(own.map((measures) => measures.bytesPerSecond), { seed });
    const cpu = medianInterval(own.map((measures) => measures.cpuSecondsPerMiB), { seed });
    const total = (measure: keyof ReceiveMeasures): number | null => sumOf(own, measure);
    const signs = {
      payloadBytes: total("bytes")!,
      copiedBytes: total("copiedBytes"),
      placedBytes: total("placedBytes"),
      linearPayloadBytes: total("linearPayloadBytes"),
      samePages: proofs.find((proof) => isSame(proof, of))?.pages?.same ?? null,
    };
    return [{
      ...of,
      bytesPerSecond: rate.median,
      bytesPerSecondInterval: { low: rate.low, high: rate.high },
      cpuMicrosecondsPerMiB: cpu.median * 1e6,
      versusRecv: ratio === undefined
        ? null
        : { ratio: ratio.ratio, low: ratio.low, high: ratio.high },
      difference: baseline ? "baseline" : said?.difference ?? null,
      verdict: baseline ? "the baseline" : said?.text ?? "not compared: fewer than two rounds",
      ...signs,
      zeroCopy: of.engine === "zcrx" ? judge(signs) : "copied",
      published: of.engine !== "zcrx"
        ? null
        : PUBLISHED.find(({ mtu, cores }) => mtu === of.mtu && cores === of.cores)?.ratio ?? null,
    }];
  });
}

function isSame(one: ReceiveFactors, other: ReceiveFactors): boolean {
  return one.engine === other.engine && one.device === other.device && one.mtu === other.mtu &&
    one.buffer === other.buffer && one.cores === other.cores;
}

/**
 * Zero copy is what all three witnesses agree on; the kernel alone does not count all copies. Without a
 * device there is only the kernel, and nothing but copying that it could have done.
 */
function judge(
  { payloadBytes, copiedBytes, placedBytes, samePages }: {
    payloadBytes: number;
    copiedBytes: number | null;
    placedBytes: number | null;
    samePages: boolean | null;
  },
): SummaryRow["zeroCopy"] {
  if (copiedBytes !== null && copiedBytes > 0 && !placedBytes) return "copied";
  if (copiedBytes === 0 && placedBytes === payloadBytes && samePages === true) return "not copied";
  return "unclear";
}

/** The verdict of the three witnesses on one row; what always copies needs none. */
function zeroCopyProof(trials: readonly Trial[], { parameters }: RunDocument): string | null {
  const own = trials as readonly ReceiveTrial[];
  const counted = own.filter(({ warmUp }) => !warmUp).map(({ measures }) => measures);
  const of = own[0]!.factors;
  if (of.engine !== "zcrx" || counted.length === 0) return null;
  const proofs = (parameters["proofs"] ?? []) as readonly Proof[];
  const verdict = judge({
    payloadBytes: sumOf(counted, "bytes")!,
    copiedBytes: sumOf(counted, "copiedBytes"),
    placedBytes: sumOf(counted, "placedBytes"),
    samePages: proofs.find((proof) => isSame(proof, of))?.pages?.same ?? null,
  });
  return verdict === "unclear" ? null : verdict;
}

/** A measure over all rounds; null if it was not to be had in one of them. */
function sumOf(
  trials: readonly ReceiveMeasures[],
  measure: keyof ReceiveMeasures,
): number | null {
  return trials.reduce<number | null>(
    (sum, measures) =>
      sum === null || measures[measure] === null ? null : sum + Number(measures[measure]),
    0,
  );
}

function report(rows: readonly SummaryRow[], bytes: number, softnic: boolean): string {
  if (rows.length === 0) return "";
  const lines = [
    `TCP over ${softnic ? "softnic" : "veth"}, one flow, ${
      bytes / MIB
    } MiB in each trial; percent is ` +
    "bytes per second against recv",
    "",
    resultTable(rows),
    ...conclusions(rows, softnic),
  ];
  return lines.join("\n") + "\n";
}

function resultTable(rows: readonly SummaryRow[]): string {
  return table<SummaryRow>(
    [
      { title: "MTU", value: (row) => row.mtu },
      { title: "NAPI\ncore", value: (row) => row.cores },
      {
        title: "engine",
        value: (row) => row.engine === "zcrx" ? `zcrx, ${device(row.device)}` : row.engine,
      },
      { title: "buffer", value: (row) => row.buffer, dispensable: true },
      {
        title: "bytes/s",
        value: (row) => row.bytesPerSecond,
        format: (value) => formatSi(Number(value)),
      },
      {
        title: "against\nrecv",
        value: (row) =>
          row.difference === "baseline" || row.versusRecv === null
            ? null
            : formatChange(row.versusRecv.ratio),
        align: "right",
        style: (row) =>
          row.difference === "higher" ? "green" : row.difference === "lower" ? "red" : undefined,
      },
      {
        title: "published",
        value: (row) => row.published === null ? null : formatChange(row.published),
        align: "right",
        dispensable: true,
      },
      {
        title: "CPU µs\n/MiB",
        value: (row) => row.cpuMicrosecondsPerMiB,
        format: (value) => Number(value).toFixed(0),
      },
      {
        title: "kernel:\ncopied",
        value: (row) => row.copiedBytes,
        format: (value) => formatSi(Number(value)),
      },
      {
        title: "NIC:\nplaced",
        value: (row) => row.engine === "zcrx" ? row.placedBytes : null,
        format: (value) => formatSi(Number(value)),
      },
      {
        title: "same\npages",
        value: (row) => row.samePages === null ? null : row.samePages ? "yes" : "no",
      },
      {
        title: "verdict",
        value: (row) => row.zeroCopy,
        style: (row) => row.zeroCopy === "not copied" ? "green" : undefined,
      },
    ],
    rows,
    { groupBy: (row) => `${row.mtu} ${row.cores}` },
  );
}

function device(name: Device): string {
  return name === "none" ? "no device" : name;
}

function conclusions(rows: readonly SummaryRow[], softnic: boolean): string[] {
  const lines: string[] = [];
  const zcrx = rows.filter(({ engine }) => engine === "zcrx");
  for (const name of ["softnic", "none"] as const) {
    const own = zcrx.filter((row) => row.device === name);
    if (own.length === 0) continue;
    const payload = own.reduce((sum, row) => sum + row.payloadBytes, 0);
    const copied = own.reduce((sum, row) => sum + (row.copiedBytes ?? NaN), 0);
    const said = Number.isNaN(copied)
      ? "the kernel does not say what it copied (before Linux 7.2)"
      : `the kernel copied ${formatSi(copied)} of ${formatSi(payload)} bytes`;
    const placed = own.reduce((sum, row) => sum + (row.placedBytes ?? 0), 0);
    const same = own.every((row) => row.samePages === true);
    lines.push(
      name === "none"
        ? `Control: without a device ${said}, as it must.`
        : `Proof: on softnic ${said}, the NIC placed ${
          formatSi(placed)
        } into user memory, and the ` +
          `pages that were read are ${same ? "those" : "NOT all those"} that it wrote.`,
    );
  }
  if (softnic) {
    lines.push(
      "A CPU does the work of softnic's DMA, so speeds against recv say nothing about hardware; what is",
      "published was measured on a 200 Gbit/s NIC. What counts here is who copied, and how the pieces lie.",
    );
  } else {
    lines.push(
      "softnic is not here, so nothing received without copying: deno task vm -- deno task lab rx-zcrx",
    );
  }
  return lines;
}
