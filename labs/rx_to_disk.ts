/**
 * From the NIC to the disk without the CPU touching the payload: zero-copy receive into an area whose
 * pieces are written with O_DIRECT, against the usual ways.
 *
 * @module
 */
import { Area, Ring, threadCpuSeconds } from "zclab";
import { formatSi } from "zclab/experiment";
import {
  copyToDisk,
  defineLab,
  DirectWriter,
  DiskTarget,
  formatBytes,
  isStreamOnDisk,
  NicWitness,
  type OptionValues,
  type Row,
  StreamLink,
  StreamSender,
} from "zclab/lab";

/** The ways from the socket to the disk. */
const PATHS = ["recv+write", "recv+direct", "zcrx+direct"] as const;

/** What one trial is about. */
type DiskFactors = {
  readonly path: typeof PATHS[number];
  /** What zcrx stands on; for recv, the link. */
  readonly device: "softnic" | "none" | "veth";
};

/** What one trial measured. */
type DiskMeasures = {
  readonly bytes: number;
  readonly bytesPerSecond: number;
  readonly seconds: number;
  readonly cpuSecondsPerMiB: number;
  /** Bytes that lay so in the area that they could be written from there; null for recv. */
  readonly directBytes: number | null;
  /** Bytes that this program copied because they did not; null for recv. */
  readonly bouncedBytes: number | null;
  /** What the kernel says it copied on receive; null for recv, which always copies. */
  readonly copiedBytes: number | null;
  /** What the NIC says it placed into user memory; null without softnic. */
  readonly placedBytes: number | null;
  /** How much of the file was in the page cache afterwards. */
  readonly cachedBytes: number;
  /** Whether every byte was read back from the disk and was right. */
  readonly verified: boolean;
};

/** What all trials share. */
interface Bench {
  readonly link: StreamLink;
  readonly sender: StreamSender;
  readonly target: DiskTarget;
}

const MIB = 1 << 20;
const PAGE = 4096;
/** 4096 bytes of payload with TCP's headers, so that each segment fills a page. */
const MTU = 4148;
/** What a plain recv takes, and what is written at once. */
const CHUNK = 256 << 10;
/**
 * Bytes in the socket's queue at most, which lie in the area as well; and bytes on their way to it. With
 * more of these TCP comes to the end of the receiver's window, and cuts a segment there: what follows
 * then lies across pages.
 */
const BUFFERS = { receiveBuffer: 2 * MIB, sendBuffer: 256 << 10 } as const;
/** Bytes that the microscope follows. */
const WITNESS_BYTES = 64 << 10;
/** Length of the area: what is being written, what is asked for, what is queued, what the NIC posts. */
const AREA_BYTES = 32 * MIB;

const options = {
  path: {
    kind: "strings",
    description: "the ways to compare with recv+write, which always runs",
    default: PATHS,
    choices: PATHS,
  },
  bytes: {
    kind: "bytes",
    description: "length of the stream of each trial, rounded down to pages",
    default: 64 * MIB,
    quick: 16 * MIB,
    counted: 4 * MIB,
    minimum: MIB,
    maximum: 1024 * MIB,
  },
  file: {
    kind: "string",
    description:
      "the file or block device to write, which is overwritten; in the guest its scratch disk, " +
      "otherwise a file without a name in this folder",
    placeholder: "PATH",
    check: DiskTarget.problem,
    local: () => true,
  },
} as const;

/** Evidence in bytes, of all rounds that count together. */
const BYTES = { unit: "B", over: "sum", evidence: true } as const;

/** From the NIC to the disk. */
export const rxToDisk = defineLab({
  name: "rx-to-disk",
  title: "From the NIC to the disk: does the CPU touch the payload?",
  description:
    "Receives a TCP stream and writes it to a file in three ways: recv and write, recv and " +
    "direct write, and zero-copy receive into an area that is a registered buffer as well, from which " +
    "pieces are written with O_DIRECT. Data that is not page-aligned is copied through a bounce page, " +
    "and counted. Every byte is read back and compared.",
  needs: ["liburing", "shim", "io_uring", "namespaces", "ip", "nsenter", "zcrx", "two CPUs"],
  options,
  repeats: { default: 5, quick: 3, minimum: 2 },
  pinned: true,

  factors: ({ path: asked }, { has }): DiskFactors[] =>
    PATHS.filter((path) => path === "recv+write" || asked.includes(path)).map((path) => ({
      path,
      device: has("softnic") ? "softnic" : path === "zcrx+direct" ? "none" : "veth",
    })),
  baseline: { path: "recv+write" },
  factorTitles: { device: { shown: "where there is room" } },

  async setUp({ options: { file }, processors, has }, use): Promise<Bench> {
    const target = await use(DiskTarget.open(file));
    const kind = has("softnic") ? "softnic" : "veth";
    const link = await use(StreamLink.open({ kind, mtu: MTU }));
    await link.interruptOn(processors.interrupt);
    return { link, target, sender: await use(StreamSender.start()) };
  },
  recorded: ({ link, target: { name: file } }, { options }) => ({
    environment: { file, link: link.nic === undefined ? "veth" : "softnic" },
    parameters: { file, bytes: wholePages(options) },
  }),
  async trial(
    { path },
    { link, sender, target },
    { options, processors, look },
  ): Promise<DiskMeasures> {
    const bytes = wholePages(options);
    using file = target.file({ direct: path !== "recv+write" });
    await target.dropCached();
    const isZeroCopy = path === "zcrx+direct";
    using area = Area.map({ bytes: isZeroCopy ? AREA_BYTES : 2 * CHUNK });
    await using ring = Ring.open({ entries: 256, completionEntries: 16384, completionSize: 32 });
    if (path !== "recv+write") ring.register(area);
    using receiver = isZeroCopy ? link.openReceiver(ring, { area }) : undefined;
    using writer = receiver && new DirectWriter(receiver, file, { ring, bytes });
    using wire = await link.connect(BUFFERS);
    const witness = await NicWitness.begin(link.nic?.far, link);

    const stream = { bytes, cpu: processors.peer, look };
    const moved = await sender.stream(wire.near, stream, async (begin) => {
      const cpuBefore = threadCpuSeconds();
      const started = performance.now();
      begin();
      const written = writer?.run(wire.far) ?? copyToDisk(ring, wire.far, area, file, bytes);
      const cpuSeconds = threadCpuSeconds() - cpuBefore;
      await file.sync();
      return { ...written, cpuSeconds, seconds: (performance.now() - started) / 1000 };
    });

    const { seconds, cpuSeconds, directBytes = null, bouncedBytes = null } = moved;
    const { placedBytes } = await witness.counts();
    const cachedBytes = file.cachedBytes(bytes);
    using written = target.file();
    return {
      bytes,
      bytesPerSecond: bytes / seconds,
      seconds,
      cpuSecondsPerMiB: cpuSeconds / (bytes / MIB),
      directBytes,
      bouncedBytes,
      copiedBytes: receiver?.statistics().copiedBytes ?? null,
      placedBytes,
      cachedBytes,
      verified: await isStreamOnDisk(written, bytes),
    };
  },
  witness: {
    options: { bytes: WITNESS_BYTES },
    reports: ({ copiedBytes, placedBytes, cachedBytes }) => ({
      receiveCopied: copiedBytes,
      placed: placedBytes,
      cached: cachedBytes,
    }),
  },

  columns: {
    bytesPerSecond: {
      title: "bytes/s",
      unit: "B/s",
      better: "higher",
      verdict: true,
      interval: "where there is room",
    },
    cpuSecondsPerMiB: { title: "CPU\n/MiB", unit: "s", better: "lower" },
    payloadBytes: { ...BYTES, title: "received", of: "bytes", shown: "never" },
    directBytes: { ...BYTES, title: "direct", shown: "never" },
    copiedBytes: { ...BYTES, title: "kernel:\ncopied" },
    placedBytes: { ...BYTES, title: "NIC:\nplaced" },
    bouncedBytes: { ...BYTES, title: "bounced" },
    cachedBytes: { ...BYTES, title: "in page\ncache" },
    verified: {
      title: "verified",
      over: "every",
      rounds: "all",
      evidence: true,
      shown: "where there is room",
    },
    untouched: {
      title: "untouched",
      value: (row) => isUntouched(row),
      evidence: true,
      shown: "never",
    },
  },
  proof: (row) =>
    row.path !== "zcrx+direct" ? null : isUntouched(row) ? "untouched" : "touched by a CPU",

  heading: ({ context: { options }, recorded: { parameters } }) =>
    `TCP to ${parameters?.["file"]}, ${formatBytes(wholePages(options))} bytes in each trial`,
  conclusions({ rows }): string[] {
    const zcrx = rows.find(({ factors }) => factors.path === "zcrx+direct");
    return [
      ...(zcrx === undefined ? [] : touchedLines(zcrx.row)),
      rows.some(({ row }) => row.verified !== true)
        ? "WRONG: what was read back is not what was sent."
        : "Every byte was read back from the disk and compared.",
    ];
  },
});

/** O_DIRECT writes whole pages. */
function wholePages({ bytes }: OptionValues<typeof options>): number {
  return bytes - bytes % PAGE;
}

function isUntouched(
  { payloadBytes, bouncedBytes, copiedBytes, placedBytes, cachedBytes }: Row<
    DiskFactors,
    DiskMeasures
  >,
): boolean {
  return copiedBytes === 0 && placedBytes === payloadBytes && bouncedBytes === 0 &&
    cachedBytes === 0;
}

/** How zero-copy receive got the stream to the disk, and what that proves. */
function touchedLines(row: Row<DiskFactors, DiskMeasures>): string[] {
  const percent = (100 * row.directBytes! / Number(row["payloadBytes"])).toFixed(1);
  return [
    `${percent} % of the bytes were written from where they were received; ` +
    `${
      formatSi(row.bouncedBytes!, "B")
    } did not lie on whole pages and were copied by this program.`,
    isUntouched(row)
      ? "Proof: the kernel copied nothing on receive, the NIC placed every byte into the area, and " +
        "nothing of the file was in the page cache: no CPU touched the payload between NIC and disk."
      : row.device === "none"
      ? "Without a device the kernel copies every byte once, into the area: softnic is in the guest."
      : "Not every byte went untouched: see the columns copied, bounced and cached.",
  ];
}
