/**
 * Where is it copied? Each byte of a payload, from the program that sends it to the one that receives
 * it, followed by the microscope; and what the kernel says of the same.
 *
 * @module
 */
import { Microscope } from "zclab";
import { cross } from "zclab/experiment";
import {
  copiersText,
  copiesByRole,
  copiesText,
  type CopyReports,
  defineLab,
  fillStream,
  isPossiblePath,
  lookAtPath,
  openPayloadLink,
  pathName,
  PAYLOAD_LINKS,
  PAYLOAD_RECEIVERS,
  PAYLOAD_SENDERS,
  PAYLOAD_WRITERS,
  type PayloadEnd,
  type PayloadLink,
  type PayloadPath,
  reportsText,
  type Row,
} from "zclab/lab";

const SENDERS = [...PAYLOAD_SENDERS, ...PAYLOAD_WRITERS] as const;
const RECEIVERS = ["nobody", ...PAYLOAD_RECEIVERS] as const;
const FILLS = ["stream", "zeros"] as const;

/** What one trial is about: a path. */
type PathFactors = PayloadPath & {
  /** Length of the payload. */
  readonly bytes: number;
};

/** What one trial found. */
type PathMeasures = CopyReports & {
  /** Copies of each byte. */
  readonly sender: number;
  readonly nic: number;
  readonly receiver: number;
  readonly application: number;
  /** By somebody who has no column. */
  readonly elsewhere: number;
  /** The functions that made them, such as `sender: 1 _copy_from_iter`. */
  readonly by: string;
  /** Where reports contradict what was seen; empty if nowhere. */
  readonly contradiction: string;
};

type PathRow = Row<PathFactors, PathMeasures>;

/** What all trials share. */
interface Bench {
  readonly microscope: Microscope;
  /** What there is behind each link that was asked for. */
  readonly links: ReadonlyMap<PayloadLink, PayloadEnd>;
}

const PAGE = 4096;
const DISAGREES = "DISAGREES";

/** What all rounds must agree in. */
const SEEN = { over: "same", rounds: "all", evidence: true } as const;

/** Who copies each byte of a payload, on every path. */
export const whereCopies = defineLab({
  name: "where-copies",
  title: "Where is it copied? Who copies each byte of a payload, seen from below the kernel",
  description:
    "Sends one payload on each path, while the microscope follows each of its bytes through every load " +
    "and store of the machine, and tells how often it was copied, by whom and in which function of the " +
    "kernel. Beside it stands what the kernel and the NIC say of the same: the copied bit of the " +
    "notification, zcrx's statistics, what TCP_ZEROCOPY_RECEIVE mapped, the driver's counters. Where they agree, that is the proof; where " +
    "they do not, it is said first. softnic's DMA is a memcpy by a CPU, and is seen as the NIC's copy. " +
    "labs/where_copies.md says whose a copy is.",
  needs: [
    "microscope",
    ...["liburing", "shim", "io_uring", "IORING_OP_SEND_ZC"] as const,
    ...["namespaces", "ip", "tc", "nsenter", "ifb"] as const,
  ],
  options: {
    link: {
      kind: "strings",
      description: "ifb drops UDP datagrams, disk is a file, the others carry TCP",
      default: PAYLOAD_LINKS,
      quick: ["ifb", "disk", "loopback", "softnic"],
      choices: PAYLOAD_LINKS,
    },
    send: {
      kind: "strings",
      description: "the ways of sending, and of writing to a file",
      default: SENDERS,
      quick: SENDERS.filter((send) => !["sendmsg-zc", "vmsplice", "devmem"].includes(send)),
      choices: SENDERS,
    },
    receive: {
      kind: "strings",
      description: "the ways of receiving",
      default: PAYLOAD_RECEIVERS,
      quick: ["recv", "tcp-zerocopy", "zcrx", "zcrx-no-device"],
      choices: PAYLOAD_RECEIVERS,
    },
    bytes: {
      kind: "numbers",
      description: "lengths of the payload",
      default: [8192],
      minimum: 1,
      // One datagram.
      maximum: 65_000,
      unit: "bytes",
    },
    fill: {
      kind: "string",
      description:
        "what the payload is made of: a stream of which no two words are the same, or zeros",
      default: "stream",
      choices: FILLS,
    },
  },
  repeats: { default: 3, quick: 2, minimum: 1 },
  warmUp: 0,

  factors: ({ bytes, link: links, send: senders, receive: receivers }): PathFactors[] =>
    cross({
      bytes,
      link: PAYLOAD_LINKS.filter((link) => links.includes(link)),
      receive: RECEIVERS.filter((one) => one === "nobody" || receivers.includes(one)),
      send: SENDERS.filter((one) => senders.includes(one)),
    }).filter(isPossiblePath).map(({ bytes, link, send, receive }) => ({
      bytes,
      link,
      send,
      receive,
    })),
  baseline: { link: "ifb", send: "send" },
  within: ["bytes", "link"],
  called: (factors) => pathName(factors),

  async setUp({ factors, has }, use): Promise<Bench> {
    const links = new Map<PayloadLink, PayloadEnd>();
    for (const link of new Set(factors.map(({ link }) => link))) {
      if (link !== "softnic" || has("softnic")) links.set(link, await use(openPayloadLink(link)));
    }
    return { links, microscope: await use(Promise.resolve(Microscope.open())) };
  },
  refusal({ bytes, link, send, receive }, { links }, { has }): string | undefined {
    if (!links.has(link)) return `${link} is not there: it is in the guest`;
    if (receive.startsWith("zcrx") && !has("zcrx")) return "this kernel has no zero-copy receive";
    if ([send, receive].includes("devmem") && !has("udmabuf")) {
      return "there is no /dev/udmabuf for a dma-buf";
    }
    if (send !== "write-direct" || bytes % PAGE === 0) return undefined;
    return `O_DIRECT writes whole pages, such as --bytes ${2 * PAGE}`;
  },
  async trial(
    factors,
    { links, microscope },
    { options: { fill }, saw },
  ): Promise<PathMeasures> {
    const { bytes, link, send, receive } = factors;
    const payload = payloadOf(bytes, fill === "zeros");
    const where = links.get(link)!;
    const seen = await lookAtPath(microscope, where, { send, receive, bytes: payload });
    saw(seen.view);
    const roles = copiesByRole(seen.view);
    return {
      sender: roles.sender.count,
      nic: roles.nic.count,
      receiver: roles.receiver.count,
      application: roles.application.count,
      elsewhere: roles.elsewhere.count,
      by: copiesText(roles),
      ...seen.reports,
      contradiction: seen.contradictions.join("; "),
    };
  },

  columns: {
    path: {
      title: "path",
      value: (row) => pathName(row),
      shown: "never",
    },
    sender: { ...SEEN, title: "sender" },
    nic: { ...SEEN, title: "NIC" },
    receiver: { ...SEEN, title: "receiver" },
    application: { ...SEEN, title: "appli-\ncation" },
    elsewhere: { ...SEEN, title: "elsewhere", shown: "never" },
    by: { ...SEEN, title: "copied by", shown: "where there is room" },
    copies: { title: "copies", value: (row) => countsOf(row), evidence: true, shown: "never" },
    copiedBit: { ...SEEN, title: "copied\nbit" },
    receiveCopied: { ...SEEN, title: "bytes\ncopied" },
    placed: { ...SEEN, title: "bytes\nplaced" },
    mapped: { ...SEEN, title: "bytes\nmapped", shown: "where there is room" },
    cached: { ...SEEN, title: "bytes\ncached", shown: "where there is room" },
    kernelSays: {
      title: "the kernel says",
      value: (row) => reportsText(row.receive, row),
      evidence: true,
      shown: "never",
    },
    contradiction: { ...SEEN, title: "contradiction", shown: "never" },
  },
  proof: (row) => judge(row),

  heading: ({ rows, context: { options: { fill } } }) => {
    const wrong = rows.filter(({ row }) => judge(row) === DISAGREES).length;
    return (wrong === 0 ? "" : `IN ${wrong} ROWS THE KERNEL SAYS SOMETHING ELSE THAN WAS SEEN. `) +
      `Copies of each payload byte; payload of ${fill === "zeros" ? "zeros" : "a stream"}`;
  },
  conclusions({ rows }): string[] {
    const wrong = rows.filter(({ row }) => judge(row) === DISAGREES);
    return [
      ...wrong.map(({ row }) =>
        `DISAGREEMENT: ${row.bytes} bytes, ${row.link}, ${row["path"]}: ` +
        `${
          row.contradiction ||
          `not all bytes as often, or no column for it: ${row.by ?? "rounds differ"}`
        }.`
      ),
      ...copiersText(rows.map(({ row }) => row.by)),
      `In ${
        rows.length - wrong.length
      } of ${rows.length} rows the kernel and the NIC say what the ` +
      "microscope saw.",
    ];
  },
});

function payloadOf(length: number, isZero: boolean): Uint8Array {
  const words = new Uint8Array(Math.ceil(length / 4) * 4);
  if (!isZero) fillStream(words);
  return words.subarray(0, length);
}

/** Copies of each byte by who made them. */
function countsOf({ sender, nic, receiver, application }: PathRow): Record<string, number | null> {
  return { sender, nic, receiver, application };
}

/** How often each byte was copied, if what was said is the same as what was seen in every round. */
function judge(row: PathRow): string {
  const counts = [row.sender, row.nic, row.receiver, row.application];
  const isWhole = counts.every(Number.isInteger) && row.elsewhere === 0;
  if (!isWhole || row.contradiction !== "") return DISAGREES;
  const sum = counts.reduce((sum, count) => sum + count, 0);
  return sum === 0 ? "no copy" : sum === 1 ? "1 copy" : `${sum} copies`;
}
