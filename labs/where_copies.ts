/**
 * Where is it copied? Each byte of a payload, from the program that sends it to the one that receives
 * it, followed by the microscope; and what the kernel says of the same.
 *
 * @module
 */
import { Microscope } from "zclab";
import {
  copiesByRole,
  copiesText,
  type CopyReports,
  type CopyRole,
  DatagramSink,
  defineLab,
  fillStream,
  lookAtPath,
  PAYLOAD_RECEIVERS,
  PAYLOAD_SENDERS,
  type PayloadReceiver,
  type PayloadSender,
  type Row,
  StreamLink,
} from "zclab/lab";

const LINKS = ["ifb", "loopback", "veth", "softnic"] as const;
const RECEIVERS = ["nobody", ...PAYLOAD_RECEIVERS] as const;
const FILLS = ["stream", "zeros"] as const;

type Link = typeof LINKS[number];

/** What one trial is about: a path. */
type PathFactors = {
  /** Length of the payload. */
  readonly bytes: number;
  readonly link: Link;
  readonly send: PayloadSender;
  readonly receive: PayloadReceiver | "nobody";
};

/** Copies of each byte, and who made them, in words: `1 _copy_from_iter`, or `0`. */
type PathMeasures =
  & { readonly [Role in CopyRole]: string }
  & { readonly [Role in CopyRole as `${Role}Copies`]: number }
  & {
    readonly kernelSays: string;
    /** Where that contradicts what was seen; empty if nowhere. */
    readonly contradiction: string;
  };

/** What all trials share. */
interface Bench {
  readonly microscope: Microscope;
  /** What there is behind each link that was asked for. */
  readonly links: ReadonlyMap<Link, DatagramSink | StreamLink>;
}

/** 4096 bytes of payload with TCP's headers, so that each segment fills a page. */
const MTU = 4148;

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
    "notification, zcrx's statistics, the driver's counters. Where they agree, that is the proof; where " +
    "they do not, it is said first. softnic's DMA is a memcpy by a CPU, and is seen as the NIC's copy. " +
    "labs/where_copies.md says whose a copy is.",
  needs: [
    ...["liburing", "shim", "io_uring", "namespaces", "ip", "tc", "nsenter", "ifb"] as const,
    ...["IORING_OP_SEND_ZC", "zcrx", "softnic", "microscope"] as const,
  ],
  options: {
    link: {
      kind: "strings",
      description: "ifb drops UDP datagrams that nobody receives; the others carry TCP",
      default: LINKS,
      quick: ["ifb", "loopback", "softnic"],
      choices: LINKS,
    },
    send: {
      kind: "strings",
      description: "the ways of sending",
      default: PAYLOAD_SENDERS,
      quick: ["send", "send-zc", "send-zc-fixed", "msg-zerocopy"],
      choices: PAYLOAD_SENDERS,
    },
    receive: {
      kind: "strings",
      description: "the ways of receiving",
      default: PAYLOAD_RECEIVERS,
      quick: ["recv", "zcrx", "zcrx-no-device"],
      choices: PAYLOAD_RECEIVERS,
    },
    bytes: {
      kind: "numbers",
      description: "lengths of the payload",
      default: [8000],
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
    bytes.flatMap((bytes) =>
      LINKS.filter((link) => links.includes(link)).flatMap((link) =>
        RECEIVERS.filter((receive) => isPossible(link, receive))
          .filter((receive) => receive === "nobody" || receivers.includes(receive))
          .flatMap((receive) => senders.map((send) => ({ bytes, link, send, receive })))
      )
    ),
  baseline: { link: "ifb", send: "send" },
  within: ["bytes", "link"],

  async setUp({ factors }, use): Promise<Bench> {
    const links = new Map<Link, DatagramSink | StreamLink>();
    for (const link of new Set(factors.map(({ link }) => link))) {
      links.set(link, await use<DatagramSink | StreamLink>(open(link)));
    }
    return { links, microscope: await use(Promise.resolve(Microscope.open())) };
  },
  async trial(
    { bytes, link, send, receive },
    { links, microscope },
    { options: { fill } },
  ): Promise<PathMeasures> {
    const payload = payloadOf(bytes, fill === "zeros");
    const where = links.get(link)!;
    const seen = await lookAtPath(microscope, where, { send, receive, bytes: payload });
    const { sender, nic, receiver, application, elsewhere } = copiesByRole(seen.view);
    return {
      sender: copiesText(sender),
      nic: copiesText(nic),
      receiver: copiesText(receiver),
      application: copiesText(application),
      elsewhere: copiesText(elsewhere),
      senderCopies: sender.count,
      nicCopies: nic.count,
      receiverCopies: receiver.count,
      applicationCopies: application.count,
      elsewhereCopies: elsewhere.count,
      kernelSays: saidIn(seen.reports),
      contradiction: seen.contradictions.join("; "),
    };
  },

  columns: {
    path: {
      title: "path",
      value: ({ send, receive }) => receive === "nobody" ? send : `${send} + ${receive}`,
      shown: "never",
    },
    sender: { ...SEEN, title: "sender" },
    nic: { ...SEEN, title: "NIC" },
    receiver: { ...SEEN, title: "receiver" },
    application: { ...SEEN, title: "application" },
    elsewhere: { ...SEEN, title: "elsewhere", shown: "never" },
    copies: { title: "copies", value: (row) => countsOf(row), evidence: true, shown: "never" },
    kernelSays: { ...SEEN, title: "the kernel says" },
    contradiction: { ...SEEN, title: "contradiction", shown: "never" },
  },
  proof: (row) => judge(row),

  heading: ({ context: { options: { fill } } }) =>
    `Copies of each payload byte, and the function that makes them; payload of ${
      fill === "zeros" ? "zeros" : "a stream"
    }`,
  conclusions({ rows }): string[] {
    const open = rows.filter(({ row }) => judge(row) !== "agrees");
    return [
      ...open.map(({ row }) =>
        `DISAGREEMENT: ${row.bytes} bytes, ${row.link}, ${row["path"]}: ${
          row.contradiction || "rounds differ, or somebody copied who has no column"
        }.`
      ),
      open.length === 0
        ? `In all ${rows.length} rows the kernel and the NIC say what the microscope saw.`
        : `In ${
          rows.length - open.length
        } of ${rows.length} rows the kernel and the NIC say what ` +
          "the microscope saw.",
    ];
  },
});

/** Whether payload can be received so at the end of a link. */
function isPossible(link: Link, receive: PathFactors["receive"]): boolean {
  if (link === "ifb" || receive === "nobody") return link === "ifb" && receive === "nobody";
  return receive !== "zcrx" || link === "softnic";
}

function open(link: Link): Promise<DatagramSink | StreamLink> {
  switch (link) {
    case "ifb":
      return DatagramSink.open(link);
    case "loopback":
      return StreamLink.open({ kind: link });
    default:
      return StreamLink.open({ kind: link, mtu: MTU });
  }
}

function payloadOf(length: number, isZero: boolean): Uint8Array {
  const words = new Uint8Array(Math.ceil(length / 4) * 4);
  if (!isZero) fillStream(words);
  return words.subarray(0, length);
}

/** Copies of each byte by who made them. */
function countsOf(row: Row<PathFactors, PathMeasures>): Record<string, number | null> {
  return {
    sender: row.senderCopies,
    nic: row.nicCopies,
    receiver: row.receiverCopies,
    application: row.applicationCopies,
  };
}

/** Whether what was seen and what was said is the same, in every round. */
function judge(row: Row<PathFactors, PathMeasures>): string {
  return row.contradiction === "" && row.elsewhere === "0" && row.sender !== null &&
      row.nic !== null && row.receiver !== null && row.application !== null
    ? "agrees"
    : "DISAGREES";
}

/** What was reported, in words. */
function saidIn({ copiedBit, zcrxCopied, placed }: CopyReports): string {
  const said = [
    ...(copiedBit === null ? [] : [copiedBit ? "send: copied" : "send: not copied"]),
    ...(zcrxCopied === null ? [] : [`zcrx: copied ${zcrxCopied} B`]),
    ...(placed === null ? [] : [`NIC: placed ${placed} B`]),
  ];
  return said.length === 0 ? "nothing" : said.join(", ");
}
