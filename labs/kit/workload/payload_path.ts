/**
 * One payload on one path, under the microscope: who copied it, and what the kernel and the NIC say of
 * the same.
 *
 * @module
 */
import { DeviceMemoryTransmitter } from "../../../ffi/devmem/transmitter.ts";
import { Area, type Slice } from "../../../ffi/memory/area.ts";
import type { Microscope } from "../../../ffi/microscope/microscope.ts";
import type { MicroscopeView } from "../../../ffi/microscope/view.ts";
import { Ring } from "../../../ffi/ring/ring.ts";
import { DatagramSink } from "../testbed/datagram_sink.ts";
import { DiskTarget } from "../testbed/disk_target.ts";
import { NicWitness } from "../testbed/nic_witness.ts";
import type { StreamLink } from "../testbed/stream_links.ts";
import { contradictionsOf, type CopyReports, NO_REPORTS } from "./copy_reports.ts";
import { type PayloadReceiver, PayloadReception } from "./payload_receivers.ts";
import { type PayloadSender, sendPayload } from "./payload_senders.ts";

/** The ways of writing a payload to a file: through the page cache, or past it (O_DIRECT). */
export const PAYLOAD_WRITERS = ["write", "write-direct"] as const;

/** A way of writing a payload to a file. */
export type PayloadWriter = typeof PAYLOAD_WRITERS[number];

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
  /** How it is sent, or written to a file. */
  readonly send: PayloadSender | PayloadWriter;
  /** How it is received; `nobody` goes with a sink and with a file. */
  readonly receive: PayloadReceiver | "nobody";
  /** The payload's bytes; for `write-direct` whole pages. */
  readonly bytes: Uint8Array;
}

/** A payload that is sent begins where neither a page nor a word does. */
const OFFSET = 13;
/** Bytes on their way and in the queue at most: a payload fits. */
const BUFFERS = { sendBuffer: 1 << 20, receiveBuffer: 1 << 20 } as const;

/** A payload in memory, the ring that sends it, and what looks meanwhile. */
interface Prepared {
  readonly microscope: Microscope;
  readonly ring: Ring;
  readonly payload: Slice;
}

/** What was seen, and what was reported. */
type Seen = Omit<LookedAt, "contradictions">;

/**
 * Sends one payload, receives it, and looks at it meanwhile; or writes it to a file.
 *
 * @param microscope What looks.
 * @param where A sink of datagrams, a link for streams, or a file.
 * @param options How.
 * @throws {UringError} If sending or receiving failed.
 * @throws {Error} If what was received is not what was sent.
 */
export async function lookAtPath(
  microscope: Microscope,
  where: DatagramSink | StreamLink | DiskTarget,
  options: PathOptions,
): Promise<LookedAt> {
  const { send, bytes } = options;
  const offset = send === "write-direct" ? 0 : OFFSET;
  await using ring = Ring.open({ entries: 16 });
  using area = Area[kindOfMemory(send)]({ bytes: offset + bytes.length });
  if (send === "send-zc-fixed") ring.register(area);
  const payload = area.slice(offset, bytes.length).write(bytes);
  microscope.watch(payload);
  const prepared = { microscope, ring, payload };
  const seen = where instanceof DiskTarget
    ? await write(prepared, where, send)
    : where instanceof DatagramSink
    ? await sendAway(prepared, where, send as PayloadSender)
    : await sendAcross(prepared, where, options);
  return { ...seen, contradictions: contradictionsOf(seen) };
}

/** What a way of sending wants its payload in. */
function kindOfMemory(send: PathOptions["send"]): "map" | "file" | "dmaBuf" {
  if (send === "devmem") return "dmaBuf";
  return send === "sendfile" || send === "splice" ? "file" : "map";
}

async function write(
  { microscope, ring, payload }: Prepared,
  target: DiskTarget,
  send: string,
): Promise<Seen> {
  await target.dropCached();
  using file = target.file({ direct: send === "write-direct" });
  let written = 0;
  const view = await microscope.look(send, async () => {
    written = await ring.write(file, payload, 0);
  });
  if (written !== payload.length) {
    throw new Error(`${written} of ${payload.length} bytes were written`);
  }
  return { view, reports: { ...NO_REPORTS, cached: file.cachedBytes(payload.length) } };
}

async function sendAway(
  { microscope, ring, payload }: Prepared,
  sink: DatagramSink,
  send: PayloadSender,
): Promise<Seen> {
  using socket = sink.connect();
  const report: { copiedBit: boolean | null } = { copiedBit: null };
  const view = await microscope.look(send, async () => {
    report.copiedBit = await sendPayload(send, { ring, socket, payload });
  });
  return { view, reports: { ...NO_REPORTS, ...report } };
}

async function sendAcross(
  { microscope, ring, payload }: Prepared,
  link: StreamLink,
  { send, receive, bytes }: PathOptions,
): Promise<Seen> {
  const { near } = link.bed;
  await using reception = new PayloadReception(receive as PayloadReceiver, link);
  using transmitter = send !== "devmem" ? undefined : DeviceMemoryTransmitter.open({
    area: payload.area,
    interface: near.interface,
    place: near,
  });
  using wire = await link.connect(BUFFERS);
  // The last, short segment is not to wait for an acknowledgement.
  wire.near.setOption("TCP_NODELAY", true);
  const witness = await NicWitness.begin(link.nic?.far, link);
  const outgoing = { ring, socket: wire.near, payload, transmitter };
  const report: { copiedBit: boolean | null } = { copiedBit: null };
  const view = await microscope.look(`${send} + ${receive}`, async () => {
    [report.copiedBit] = await Promise.all([
      sendPayload(send as PayloadSender, outgoing),
      reception.receive(wire.far, payload.length),
    ]);
  });
  if (!reception.matches(bytes)) throw new Error("What was received is not what was sent");
  const { placedBytes: placed } = await witness.counts();
  const { copiedBytes: receiveCopied, mappedBytes: mapped } = reception;
  return { view, reports: { ...NO_REPORTS, ...report, receiveCopied, mapped, placed } };
}
