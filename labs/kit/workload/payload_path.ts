/**
 * One payload on one path, under the microscope: who copied it, and what the kernel and the NIC say of
 * the same.
 *
 * @module
 */
import { Area, type Slice } from "../../../ffi/memory/area.ts";
import type { Microscope } from "../../../ffi/microscope/microscope.ts";
import type { MicroscopeView } from "../../../ffi/microscope/view.ts";
import type { Socket } from "../../../ffi/net/socket.ts";
import { Ring } from "../../../ffi/ring/ring.ts";
import type { DatagramSink } from "../testbed/datagram_sink.ts";
import { NicWitness } from "../testbed/nic_witness.ts";
import type { StreamLink } from "../testbed/stream_links.ts";
import { roleOf } from "./copy_roles.ts";
import { type PayloadReceiver, PayloadReception } from "./payload_receivers.ts";
import { type PayloadSender, sendPayload } from "./payload_senders.ts";

/** What the kernel and the NIC report of a payload; null where there is nobody to say it. */
export interface CopyReports {
  /** Whether a notification of a zero-copy send has the copied bit. */
  readonly copiedBit: boolean | null;
  /** Bytes that zcrx says it copied. */
  readonly zcrxCopied: number | null;
  /** Payload that the NIC says it placed into memory of a user. */
  readonly placed: number | null;
}

/** A payload that has taken its path. */
export interface LookedAt {
  /** What the microscope saw. */
  readonly view: MicroscopeView;
  /** What was reported. */
  readonly reports: CopyReports;
  /** Where a report contradicts what was seen: a sentence each. */
  readonly contradictions: readonly string[];
}

/** What to look at. */
export interface PathOptions {
  /** How it is sent. */
  readonly send: PayloadSender;
  /** How it is received; `nobody` goes with a sink. */
  readonly receive: PayloadReceiver | "nobody";
  /** The payload's bytes. */
  readonly bytes: Uint8Array;
}

/** The payload begins where neither a page nor a word does. */
const OFFSET = 13;
/** Bytes on their way and in the queue at most: a payload fits. */
const BUFFERS = { sendBuffer: 1 << 20, receiveBuffer: 1 << 20 } as const;

/**
 * Sends one payload, receives it, and looks at it meanwhile.
 *
 * @param microscope What looks.
 * @param where A sink of datagrams, or a link for streams.
 * @param options How.
 * @throws {UringError} If sending or receiving failed.
 * @throws {Error} If what was received is not what was sent.
 */
export async function lookAtPath(
  microscope: Microscope,
  where: DatagramSink | StreamLink,
  options: PathOptions,
): Promise<LookedAt> {
  const { send, receive, bytes } = options;
  await using ring = Ring.open({ entries: 16 });
  using area = Area.map({ bytes: OFFSET + bytes.length });
  if (send === "send-zc-fixed") ring.register(area);
  const payload = area.slice(OFFSET, bytes.length).write(bytes);
  microscope.watch(payload);
  if (receive === "nobody") {
    using socket = (where as DatagramSink).connect();
    return await look(microscope, { send, ring, socket, payload });
  }
  const link = where as StreamLink;
  await using reception = new PayloadReception(receive, link);
  using wire = await link.connect(BUFFERS);
  // The last, short segment is not to wait for an acknowledgement.
  wire.near.setOption("TCP_NODELAY", true);
  const witness = await NicWitness.begin(link.nic?.far, link);
  const outgoing = { send, ring, socket: wire.near, payload };
  const found = await look(microscope, outgoing, { reception, socket: wire.far, witness });
  if (!reception.matches(bytes)) throw new Error("What was received is not what was sent");
  return found;
}

interface Sent {
  readonly send: PayloadSender;
  readonly ring: Ring;
  readonly socket: Socket;
  readonly payload: Slice;
}

interface Taken {
  readonly reception: PayloadReception;
  readonly socket: Socket;
  readonly witness: NicWitness;
}

async function look(microscope: Microscope, sent: Sent, taken?: Taken): Promise<LookedAt> {
  const { payload, send } = sent;
  let copiedBit: boolean | null = null;
  const view = await microscope.look(send, async () => {
    [copiedBit] = await Promise.all([
      sendPayload(send, sent),
      taken?.reception.receive(taken.socket, payload.length),
    ]);
  });
  const placed = (await taken?.witness.counts())?.placedBytes ?? null;
  const reports = { copiedBit, zcrxCopied: taken?.reception.copiedBytes ?? null, placed };
  return { view, reports, contradictions: contradictionsOf(view, reports) };
}

/** Where what was reported is not what was seen. */
function contradictionsOf(view: MicroscopeView, reports: CopyReports): string[] {
  const seenBy = (is: (touch: MicroscopeView["copies"][number]) => boolean): number =>
    view.copies.filter(is).reduce((sum, { copied }) => sum + copied, 0);
  const { copiedBit, zcrxCopied, placed } = reports;
  const found: string[] = [];
  // The NIC reads what it sends, copied or not.
  const lent = seenBy((touch) => touch.generation === 0 && roleOf(touch) !== "nic");
  if (copiedBit !== null && copiedBit !== lent > 0) {
    found.push(`the copied bit is ${copiedBit ? "set" : "not set"}, ${lent} bytes were copied`);
  }
  const byZcrx = seenBy(({ path }) => path.some((name) => name.startsWith("io_zcrx_")));
  if (zcrxCopied !== null && zcrxCopied !== byZcrx) {
    found.push(`zcrx counts ${zcrxCopied} bytes as copied, it copied ${byZcrx}`);
  }
  const byReceiver = seenBy((touch) => roleOf(touch) === "receiver");
  if (placed !== null && placed !== view.payloadBytes - byReceiver) {
    found.push(`the NIC says it placed ${placed} bytes, the receiver copied ${byReceiver}`);
  }
  return found;
}
