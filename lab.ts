/**
 * Labs: an experiment as a declaration, which runs on the command line, in the REPL and in notebooks,
 * is shown as a table and a page, and is written to a document that can be replayed; and what labs
 * send, receive and prove with. `deno task lab new NAME` writes one to start from.
 *
 * @example A lab, run
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { cross } from "zclab/experiment";
 * import { defineLab, runLab } from "zclab/lab";
 *
 * const lab = defineLab({
 *   name: "double",
 *   title: "Doubling a number",
 *   description: "Doubles a number by adding and by multiplying.",
 *   needs: [],
 *   options: { most: { kind: "number", description: "numbers", default: 100_000, quick: 1000 } },
 *   repeats: { default: 5, quick: 2, minimum: 2 },
 *   factors: () => cross({ way: ["add", "multiply"] }),
 *   baseline: { way: "add" },
 *   trial({ way }, _bench, { options: { most } }) {
 *     const started = performance.now();
 *     let sum = 0;
 *     for (let i = 0; i < most; i++) sum += way === "add" ? i + i : i * 2;
 *     return { sum, perSecond: most / Math.max(1e-6, (performance.now() - started) / 1000) };
 *   },
 *   columns: {
 *     perSecond: { title: "per second", unit: "1/s", better: "higher", verdict: true },
 *   },
 * });
 * const outcome = await runLab(lab, { quick: true, seed: 1 });
 * assertEquals(outcome.document.complete, true);
 * ```
 *
 * @module
 */

// A lab is a declaration, which the kit runs, shows, records and repeats.
export { defineLab } from "./labs/kit/lab/define_lab.ts";
export { runLab } from "./labs/kit/lab/lab.ts";
export { RunError } from "./labs/kit/run/run_error.ts";
export { replay } from "./labs/kit/commands/replay.ts";
export { OptionError } from "./labs/kit/options/options.ts";
export { formatBytes } from "./labs/kit/text/byte_size.ts";
export { Processors } from "./labs/kit/workload/processors.ts";

// Sending, by mode, and where to.
export { datagramsPerRequest, transmit, TRANSMIT_MODES } from "./labs/kit/workload/transmit.ts";
export { DatagramSink } from "./labs/kit/testbed/datagram_sink.ts";

// Streams from a sender to a receiver, and the evidence of the network device.
export { StreamLink, StreamLinks } from "./labs/kit/testbed/stream_links.ts";
export { StreamSender } from "./labs/kit/workload/stream_sender.ts";
export { receiveStream, STREAM_ENGINES } from "./labs/kit/workload/receive_stream.ts";
export { receiveCopying, receiveMultishot, receiveZeroCopy } from "./labs/kit/workload/receive.ts";
export { NicWitness } from "./labs/kit/testbed/nic_witness.ts";
export { fillStream, matchesStream, matchesWhole } from "./labs/kit/workload/stream.ts";
export { comparePages } from "./labs/kit/testbed/page_proof.ts";

// One payload on one path, under the microscope: who copied it.
export {
  copiersText,
  copiesByRole,
  copiesText,
  COPY_ROLES,
} from "./labs/kit/workload/copy_roles.ts";
export { reportsText } from "./labs/kit/workload/copy_reports.ts";
export { lookAtPath, PAYLOAD_WRITERS } from "./labs/kit/workload/payload_path.ts";
export {
  isPossiblePath,
  openPayloadLink,
  pathName,
  PAYLOAD_LINKS,
} from "./labs/kit/workload/payload_links.ts";
export { PAYLOAD_RECEIVERS } from "./labs/kit/workload/payload_receivers.ts";
export { PAYLOAD_SENDERS } from "./labs/kit/workload/payload_senders.ts";

// Streams into device memory and onto a disk.
export { DeviceMemoryStreams } from "./labs/kit/workload/device_memory_stream.ts";
export { DiskTarget } from "./labs/kit/testbed/disk_target.ts";
export { DirectWriter } from "./labs/kit/workload/direct_writer.ts";
export { copyToDisk } from "./labs/kit/workload/copy_to_disk.ts";
export { isStreamOnDisk } from "./labs/kit/workload/stream_on_disk.ts";

// Round trips, and the peer in a thread of its own.
export { connectEnds } from "./labs/kit/workload/connected.ts";
export { Echo } from "./labs/kit/workload/echo.ts";
export { RoundTrips } from "./labs/kit/workload/round_trips.ts";
export { answerRequests, PeerError, WorkerPeer } from "./labs/kit/workload/peer.ts";

// The types of what these take and return.
export type {
  Column,
  ColumnBase,
  Columns,
  DerivedColumn,
  FactorColumn,
  MeasureColumn,
  Over,
  Row,
} from "./labs/kit/lab/columns.ts";
export type {
  AnyDeclaration,
  BarChart,
  Chart,
  Findings,
  LabDeclaration,
  PercentileChart,
  Recorded,
  RunContext,
  SetUpContext,
  TrialRun,
  Use,
} from "./labs/kit/lab/declaration.ts";
export type { CpuOption, DeclaredLab } from "./labs/kit/lab/define_lab.ts";
export type {
  Lab,
  LabContext,
  LabOutcome,
  LookOptions,
  ProgressReporter,
  Repeats,
  RunOptions,
  RunRecord,
} from "./labs/kit/lab/lab.ts";
export type {
  BytesOption,
  FlagOption,
  FormerOption,
  LabOption,
  LabOptions,
  NumberOption,
  NumbersOption,
  OptionDescription,
  OptionValue,
  OptionValues,
  StringOption,
  StringsOption,
} from "./labs/kit/options/options.ts";
export type { Look, LookedPart } from "./labs/kit/trials/look.ts";
export type { LabRow, RowComparison } from "./labs/kit/lab/rows.ts";
export type { Replayed, ReplayOptions } from "./labs/kit/commands/replay.ts";
export type { NicCounts, PlacedPiece } from "./labs/kit/testbed/nic_witness.ts";
export type { PageProof } from "./labs/kit/testbed/page_proof.ts";
export type {
  ConnectionOptions,
  StreamConnection,
  StreamLinkOptions,
} from "./labs/kit/testbed/stream_links.ts";
export type { ConnectedOptions, ConnectedSockets } from "./labs/kit/workload/connected.ts";
export type { CopyRole, RoleCopies } from "./labs/kit/workload/copy_roles.ts";
export type { CopyReports } from "./labs/kit/workload/copy_reports.ts";
export type { LookedAt, PathOptions, PayloadWriter } from "./labs/kit/workload/payload_path.ts";
export type { PayloadEnd, PayloadLink, PayloadPath } from "./labs/kit/workload/payload_links.ts";
export type { PayloadReceiver } from "./labs/kit/workload/payload_receivers.ts";
export type { PayloadSender } from "./labs/kit/workload/payload_senders.ts";
export type {
  DeviceMemoryStreamed,
  DeviceMemoryStreamOptions,
  PayloadWay,
} from "./labs/kit/workload/device_memory_stream.ts";
export type { DirectlyWritten } from "./labs/kit/workload/direct_writer.ts";
export type { Echoing, EchoOptions } from "./labs/kit/workload/echo.ts";
export type { Echoed } from "./labs/kit/workload/echo_thread.ts";
export type { Peer, Prepared } from "./labs/kit/workload/peer.ts";
export type { Received, ReceiveOptions } from "./labs/kit/workload/receive.ts";
export type {
  ReceivedStream,
  ReceiveStreamOptions,
  StreamEngine,
} from "./labs/kit/workload/receive_stream.ts";
export type { RoundTripOptions, RoundTripWait } from "./labs/kit/workload/round_trips.ts";
export type { StreamOptions } from "./labs/kit/workload/stream_sender.ts";
export type { Sent } from "./labs/kit/workload/stream_sender_thread.ts";
export type { TransmitMode, TransmitOptions, Transmitted } from "./labs/kit/workload/transmit.ts";
