/**
 * Device memory TCP: payload that the NIC puts into a dma-buf, and takes out of one, against the
 * receive and the send that copy.
 *
 * @module
 */
import { cross } from "zclab/experiment";
import {
  defineLab,
  type DeviceMemoryStreamed,
  DeviceMemoryStreams,
  formatBytes,
  type PayloadWay,
  type Row,
  StreamLinks,
} from "zclab/lab";

/** What one trial is about. */
type DevmemFactors = {
  readonly mtu: number;
  /** How one end sends, and how the other receives. */
  readonly send: PayloadWay;
  readonly receive: PayloadWay;
};

/** What all trials share. */
interface Bench {
  readonly links: StreamLinks;
  readonly streams: DeviceMemoryStreams;
}

const MIB = 1 << 20;
/** Bytes of the warm-up: softnic remembers the last 16384 placements. */
const PROOF_BYTES = 8 * MIB;
/** Bytes that the microscope follows. */
const WITNESS_BYTES = 64 << 10;

/** Evidence in bytes, of all rounds that count together. */
const BYTES = { unit: "B", over: "sum", evidence: true } as const;

/** Device memory against copying. */
export const rxDevmem = defineLab({
  name: "rx-devmem",
  title: "Device memory TCP: from dma-buf to dma-buf, without the kernel touching the payload",
  description:
    "Sends a TCP stream over softnic, the NIC in software, with and without copying at " +
    "either end, interleaved in random order. What was copied stands in the table: by the " +
    "kernel's word, by the driver's counters, and by the physical pages that the NIC wrote to. The " +
    "warm-up compares every byte, the rounds that count the ends of each piece.",
  needs: [
    "liburing",
    "shim",
    "io_uring",
    "namespaces",
    "ip",
    "nsenter",
    "ethtool",
    "softnic",
    "udmabuf",
  ],
  options: {
    bytes: {
      kind: "bytes",
      description: "length of the stream of each trial",
      default: 64 * MIB,
      quick: 8 * MIB,
      counted: 2 * MIB,
      minimum: MIB,
      maximum: 65_536 * MIB,
      formerly: { name: "stream", unit: MIB },
    },
    mtu: {
      kind: "numbers",
      description: "MTUs of the link; 4148 is 4096 bytes of payload with TCP's headers",
      default: [1500, 4148, 9000],
      quick: [1500],
      minimum: 1280,
      maximum: 65_535,
      unit: "bytes",
    },
    area: {
      kind: "bytes",
      description: "length of the dma-buf that is received into",
      default: 16 * MIB,
      minimum: 8 * MIB,
      maximum: 1024 * MIB,
      formerly: { unit: MIB },
    },
  },
  repeats: { default: 7, quick: 3, minimum: 2 },

  factors: ({ mtu }): DevmemFactors[] => {
    const ways = ["copy", "devmem"] as const;
    return cross({ mtu, send: ways, receive: ways });
  },
  baseline: { send: "copy", receive: "copy" },
  within: ["mtu"],
  called: (factors) => nameOf(factors),

  async setUp({ options: { mtu: mtus, area } }, use): Promise<Bench> {
    // The dma-bufs first: it is they that a machine may lack.
    const streams = await use(DeviceMemoryStreams.open({ targetBytes: area }));
    return { streams, links: await use(StreamLinks.open({ kind: "softnic", mtus })) };
  },
  recorded: async ({ links }) => ({
    environment: { interfaces: JSON.parse(JSON.stringify(await links.settings())) },
  }),
  trial(
    { mtu, send, receive },
    { links, streams },
    { options, warmUp, signal, look },
  ): Promise<DeviceMemoryStreamed> {
    const bytes = warmUp ? Math.min(options.bytes, PROOF_BYTES) : options.bytes;
    return streams.move(links.at(mtu), { send, receive, bytes, proof: warmUp, signal, look });
  },
  witness: {
    options: { bytes: WITNESS_BYTES },
    reports: ({ linearBytes, readableBytes, receivedBytes, placedBytes }) => ({
      receiveCopied: linearBytes + readableBytes + receivedBytes,
      placed: placedBytes,
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
    payloadBytes: { ...BYTES, title: "received", shown: "never" },
    dmaBufBytes: { ...BYTES, title: "in the\ndma-buf", shown: "never" },
    linearBytes: { ...BYTES, title: "linear", shown: "never" },
    readableBytes: { ...BYTES, title: "readable", shown: "never" },
    receivedBytes: { ...BYTES, title: "by recv", shown: "never" },
    copiedBytes: {
      title: "kernel:\ncopied",
      unit: "B",
      value: ({ linearBytes, readableBytes, receivedBytes }) =>
        linearBytes + readableBytes + receivedBytes,
      evidence: true,
    },
    placedBytes: { ...BYTES, title: "NIC:\nplaced" },
    readBytes: { ...BYTES, title: "NIC:\nread", shown: "where there is room" },
    linearPayloadBytes: { ...BYTES, title: "NIC:\nleft linear", shown: "never" },
    droppedFrames: { title: "frames\ndropped", over: "sum", evidence: true, shown: "never" },
    sentAgain: { title: "sent\nagain", over: "sum", evidence: true, shown: "never" },
    samePages: { title: "same\npages", rounds: "warm-up", over: "every", evidence: true },
  },
  /** recv(2), which always copies, needs no proof. */
  proof: (row) => row.receive === "copy" ? null : isCopied(row) ? "copied" : "not copied",

  heading: ({ context: { options } }) =>
    `TCP over softnic, ${formatBytes(options.bytes)} bytes in each trial`,
  conclusions: ({ rows }) => [
    "What was copied on the way to the program:",
    ...rows.map(({ row }) => `  ${evidenceOf(row)}`),
    "softnic is software: what the DMA of a NIC does, a processor does here. So the rates compare",
    "ways of receiving on this machine, and say nothing of a NIC.",
  ],
});

type DevmemRow = Row<DevmemFactors, DeviceMemoryStreamed>;

function nameOf({ send, receive }: Pick<DevmemFactors, "send" | "receive">): string {
  const [from, to] = [send, receive].map((way) => way === "copy" ? "" : "devmem ");
  return `${from}send to ${to}${receive === "copy" ? "recv" : "receive"}`;
}

/** Whether the kernel copied, by the sums over the rounds and by the pages of the warm-up. */
function isCopied(
  { linearBytes, readableBytes, receivedBytes, payloadBytes, dmaBufBytes, placedBytes, samePages }:
    DevmemRow,
): boolean {
  // What TCP sends twice is placed twice.
  return linearBytes + readableBytes + receivedBytes > 0 || dmaBufBytes < payloadBytes ||
    (placedBytes ?? 0) < payloadBytes || samePages !== true;
}

/** The verdict on copying, and the evidence that it rests on. */
function evidenceOf(row: DevmemRow): string {
  const { mtu, send, receive, payloadBytes, dmaBufBytes, placedBytes, readBytes } = row;
  const sent = send === "copy"
    ? "send copied it into the kernel"
    : `the sending NIC read ${(readBytes ?? 0) < payloadBytes ? "only " : ""}${readBytes} bytes ` +
      "out of the dma-buf";
  const evidence = receive === "copy"
    ? `recv(2) copied ${row.receivedBytes} of ${payloadBytes} bytes`
    : `${dmaBufBytes} of ${payloadBytes} bytes in the dma-buf (linear ${row.linearBytes}, ` +
      `readable ${row.readableBytes}), ${placedBytes} placed there by the NIC, physical pages ` +
      `${row.samePages ? "the same" : "not the same"}`;
  const verdict = isCopied(row) ? "copied" : "not copied";
  return `MTU ${mtu}, ${nameOf(row)}: ${verdict}: ${evidence}; ${sent}.`;
}
