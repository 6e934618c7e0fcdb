/**
 * Does zero-copy receive pay, and does it really not copy? Copying recv against zcrx.
 *
 * @module
 */
import { formatSi, hasFactors, type Trial } from "zclab/experiment";
import {
  defineLab,
  formatBytes,
  type ReceivedStream,
  receiveStream,
  type Row,
  STREAM_ENGINES,
  type StreamEngine,
  StreamLinks,
  StreamSender,
} from "zclab/lab";

/** What one trial is about. */
type ReceiveFactors = {
  readonly mtu: number;
  /** Whether NAPI, which takes the packets off the NIC, has the receiver's processor or another. */
  readonly cores: "other" | "same";
  readonly engine: StreamEngine;
  /** What it stands on: a queue of softnic, no device (the same, with copying), or a veth pair. */
  readonly device: "softnic" | "none" | "veth";
  /** Bytes of a receive buffer; null where there are none of a fixed size. */
  readonly buffer: number | null;
};

type ReceiveRow = Row<ReceiveFactors, ReceivedStream>;

/** What all trials share. */
interface Bench {
  readonly links: StreamLinks;
  readonly sender: StreamSender;
}

const MIB = 1 << 20;
/** What a plain recv takes at most. */
const RECV_BYTES = 256 << 10;
/** Buffers of multishot recv. */
const PROVIDED_BYTES = 16 << 10;
/**
 * Bytes in the receiver's queue, and on their way to it, at most. With less of the former TCP would come
 * to the end of its window and send short segments, which the kernel copies without counting them.
 */
const BUFFERS = { receiveBuffer: 4 * MIB, sendBuffer: MIB >> 1 } as const;
/** Length of the stream whose every byte and page is compared. */
const PROOF_BYTES = 4 * MIB;

/**
 * Published ratios of zcrx against copying: one TCP flow, EPYC 9454, BCM957508 at 200 Gbit/s; copying
 * was epoll. By MTU and by whether NAPI shared the receiver's core.
 * Source: "[PATCH v7 00/15] io_uring zero copy rx", David Wei, 2024-10 (116.2 against 82.2 Gbit/s, and
 * 80.9 against 62.6, at 4096); netdev 0x18, "io_uring zero copy rx" (+31.4 % at 1500).
 */
const PUBLISHED = [
  { mtu: 4148, cores: "other", ratio: 116.2 / 82.2 },
  { mtu: 4148, cores: "same", ratio: 80.9 / 62.6 },
  { mtu: 1500, cores: "other", ratio: 1.314 },
] as const;

/** Evidence in bytes, of all rounds that count together. */
const BYTES = { unit: "B", over: "sum", evidence: true } as const;

/** Copying recv against zero-copy receive. */
export const rxZcrx = defineLab({
  name: "rx-zcrx",
  title: "Copying recv against zero-copy receive (zcrx), with three witnesses of who copied",
  description:
    "Receives a TCP stream with recv, with multishot recv into provided buffers, with zcrx " +
    "without a device (the real interface, with copying) and with zcrx on softnic, a NIC in software. " +
    "Whether bytes were copied is told by three witnesses: the kernel's statistics, the NIC's counters of " +
    "what it placed into user memory, and the physical pages. labs/rx_zcrx.md explains more.",
  needs: ["liburing", "shim", "io_uring", "namespaces", "ip", "nsenter", "zcrx", "two CPUs"],
  options: {
    engine: {
      kind: "strings",
      description: "the ways of receiving to compare with recv, which always runs",
      default: STREAM_ENGINES,
      choices: STREAM_ENGINES,
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
      kind: "bytes",
      description: "length of the stream of each trial",
      default: 64 * MIB,
      quick: 16 * MIB,
      counted: 4 * MIB,
      minimum: MIB,
      maximum: 1024 * MIB,
    },
    area: {
      kind: "bytes",
      description: "length of the area that zcrx receives into",
      default: 16 * MIB,
      minimum: MIB,
      maximum: 1024 * MIB,
    },
    memory: {
      kind: "string",
      description: "what recv copies into: memory that is there, as zcrx's is, or fresh memory",
      default: "touched",
      choices: ["touched", "fresh"],
    },
  },
  repeats: { default: 5, quick: 3, minimum: 2 },
  pinned: true,

  factors(
    { engine: engines, mtu: mtus, buffer: buffers, cores: asked },
    { has, processors },
  ): ReceiveFactors[] {
    const link = has("softnic") ? "softnic" : "veth";
    // Without softnic nobody can say which processor takes the packets; one processor takes all.
    const possible = !has("softnic")
      ? ["other" as const]
      : processors.areTwo
      ? asked
      : ["same" as const];
    return mtus.flatMap((mtu) =>
      possible.flatMap((cores): ReceiveFactors[] => {
        const zcrx = (device: "none" | "softnic", buffer: number): ReceiveFactors => {
          return { mtu, cores, engine: "zcrx", device, buffer };
        };
        const all: ReceiveFactors[] = [
          { mtu, cores, engine: "recv", device: link, buffer: null },
          { mtu, cores, engine: "recv-multishot", device: link, buffer: PROVIDED_BYTES },
          zcrx("none", 4096),
          ...(has("softnic") ? buffers.map((bytes) => zcrx("softnic", bytes)) : []),
        ];
        return all.filter(({ engine }) => engine === "recv" || engines.includes(engine));
      })
    );
  },
  baseline: { engine: "recv" },
  within: ["mtu", "cores"],
  factorTitles: {
    cores: "NAPI\ncore",
    engine: {
      value: ({ engine, device }) =>
        engine === "zcrx" ? `zcrx, ${device === "none" ? "no device" : device}` : engine,
    },
    device: { shown: "never" },
    buffer: { shown: "where there is room" },
  },

  async setUp({ options: { mtu }, has }, use): Promise<Bench> {
    const links = await use(
      StreamLinks.open({ kind: has("softnic") ? "softnic" : "veth", mtus: mtu }),
    );
    return { links, sender: await use(StreamSender.start()) };
  },
  recorded: async ({ links }) => ({
    environment: {
      link: links.kind,
      interfaces: JSON.parse(JSON.stringify(await links.settings())),
    },
  }),
  async trial(factors, { links, sender }, run): Promise<ReceivedStream> {
    const { options, processors, round, clock, look } = run;
    const { engine, device, mtu, buffer, cores } = factors;
    const link = links.at(mtu);
    await link.interruptOn(cores === "same" ? processors.measuring : processors.interrupt);
    const receive = (bytes: number, proof: boolean): Promise<ReceivedStream> =>
      receiveStream(link, sender, {
        engine,
        bytes,
        area: engine === "zcrx" ? options.area : RECV_BYTES,
        device: device === "none" ? "none" : "softnic",
        buffer: buffer ?? undefined,
        touched: options.memory === "touched",
        sendOn: processors.peer,
        connection: BUFFERS,
        proof,
        look,
      });
    const isFirst = round === 0;
    const { samePages } = isFirst && engine === "zcrx"
      ? await receive(PROOF_BYTES, true)
      : { samePages: null };
    // Where instructions are counted, V8 shall have compiled what runs often before two rounds agree.
    const bytes = isFirst && clock === "instructions" ? 4 * options.bytes : options.bytes;
    return { ...await receive(bytes, false), samePages };
  },
  witness: {
    options: { bytes: 64 << 10 },
    reports: ({ copiedBytes, placedBytes: placed }) => ({ receiveCopied: copiedBytes, placed }),
  },
  /** Until there was a declaration the pages stood among the parameters. */
  earlier(trials, { parameters: { proofs } }): readonly Trial[] {
    if (!Array.isArray(proofs)) return trials;
    return trials.map((trial) => {
      const proof = proofs.find((one) => trial.warmUp && hasFactors(one, trial.factors));
      return { ...trial, measures: { ...trial.measures, samePages: proof?.pages?.same ?? null } };
    });
  },

  columns: {
    bytesPerSecond: {
      title: "bytes/s",
      unit: "B/s",
      better: "higher",
      verdict: true,
      interval: "where there is room",
    },
    published: {
      title: "published",
      unit: "/s",
      value: ({ engine, mtu, cores }) =>
        engine !== "zcrx"
          ? null
          : PUBLISHED.find((one) => one.mtu === mtu && one.cores === cores)?.ratio ?? null,
      isRatio: true,
      shown: "where there is room",
    },
    cpuSecondsPerMiB: { title: "CPU\n/MiB", unit: "s", better: "lower" },
    payloadBytes: { ...BYTES, title: "received", of: "bytes", shown: "never" },
    copiedBytes: { ...BYTES, title: "kernel:\ncopied" },
    placedBytes: { ...BYTES, title: "NIC:\nplaced" },
    linearPayloadBytes: { ...BYTES, title: "NIC:\nleft linear", shown: "never" },
    droppedFrames: { title: "frames\ndropped", over: "sum", evidence: true, shown: "never" },
    samePages: { title: "same\npages", rounds: "warm-up", over: "every", evidence: true },
    zeroCopy: { title: "verdict", value: (row) => judge(row), evidence: true, shown: "never" },
  },
  proof: (row) => row.engine === "zcrx" ? judge(row) : null,

  heading: ({ context: { options, has } }) =>
    `TCP over ${has("softnic") ? "softnic" : "veth"}, one flow, ` +
    `${formatBytes(options.bytes)} bytes in each trial`,
  conclusions: ({ rows, context: { has } }) => [
    ...(["softnic", "none"] as const).flatMap((device) => {
      const own = rows.filter(({ row }) => row.engine === "zcrx" && row.device === device);
      return own.length === 0 ? [] : [witnessed(device, own.map(({ row }) => row))];
    }),
    ...(has("softnic")
      ? [
        "A CPU does the work of softnic's DMA, so speeds against recv say nothing about hardware; what is",
        "published was measured on a 200 Gbit/s NIC. What counts here is who copied, and how the pieces lie.",
      ]
      : [
        "softnic is not here, so nothing received without copying: deno task vm -- deno task lab rx-zcrx",
      ]),
  ],
});

/**
 * Zero copy is what all three witnesses agree on; the kernel alone does not count all copies. Without a
 * device there is only the kernel, and nothing but copying that it could have done.
 */
function judge(row: ReceiveRow): "not copied" | "copied" | "unclear" {
  const { engine, payloadBytes, copiedBytes, placedBytes, samePages } = row;
  if (engine !== "zcrx") return "copied";
  if (copiedBytes !== null && copiedBytes > 0 && !placedBytes) return "copied";
  if (copiedBytes === 0 && placedBytes === payloadBytes && samePages === true) return "not copied";
  return "unclear";
}

/** What the witnesses say of all rows of one device together. */
function witnessed(device: "none" | "softnic", rows: readonly ReceiveRow[]): string {
  const sum = (name: string): number =>
    rows.reduce((sum, row) => sum + Number(row[name] ?? NaN), 0);
  const copied = sum("copiedBytes");
  const said = Number.isNaN(copied)
    ? "the kernel does not say what it copied (before Linux 7.2)"
    : `the kernel copied ${formatSi(copied, "B")} of ${formatSi(sum("payloadBytes"), "B")}`;
  const same = rows.every((row) => row.samePages === true);
  return device === "none"
    ? `Control: without a device ${said}, as it must.`
    : `Proof: on softnic ${said}, the NIC placed ${formatSi(sum("placedBytes"), "B")} into user ` +
      `memory, and the pages that were read are ${same ? "those" : "NOT all those"} that it wrote.`;
}
