/**
 * zclab: a lab for Linux zero-copy networking that one can type into.
 *
 * The story in the order in which an experiment tells it: memory that the kernel may use
 * ({@linkcode Area}), a ring to give it requests ({@linkcode Ring}), somebody who knows when it has
 * let go ({@linkcode Notifier}), a place to send to ({@linkcode Testbed}, {@linkcode Socket}), and
 * a runner that makes a result of it ({@linkcode experiment}).
 *
 * @example Does this kernel copy?
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { Area, Notifier, Ring, Socket, Testbed } from "zclab";
 *
 * await using bed = await Testbed.sink(); // a wire that leads nowhere and copies nothing
 * using ring = Ring.open({ entries: 256 });
 * using area = Area.map({ bytes: 4 << 20 });
 * ring.register(area);
 * using socket = Socket.udp(bed.near).connect(bed.far.address(9000));
 * const slot = new Notifier(ring, { tag: 7 });
 * for (const chunk of area.chunks(4000)) ring.batch.sendZc(socket, chunk, slot);
 * ring.batch.submit();
 * const { requests, copied } = await slot.flush();
 * assertEquals({ requests, copied }, { requests: 1048, copied: 0 });
 * ```
 *
 * @module
 */

// Memory, and who owns it.
export { Area, type AreaOptions, Slice } from "./ffi/memory/area.ts";
export { BufferRing, type BufferRingOptions } from "./ffi/ring/buffer_ring.ts";
export { Message, type MessageOptions } from "./ffi/net/message.ts";

// Rings: the batch face, the await face.
export { Ring } from "./ffi/ring/ring.ts";
export { ReceivedPiece } from "./ffi/ring/received_piece.ts";
export type { RingOptions, SendOptions, SendZcOptions } from "./ffi/ring/ring.ts";
export { Batch, type Descriptor, type EachOptions, type TimeoutOptions } from "./ffi/ring/batch.ts";
export type { OnCompletion, RingHandle } from "./ffi/ring/engine.ts";
export type { OperationOptions, SendZcResult } from "./ffi/ring/operation.ts";
export type { CompletionSize, SetupFlag } from "./ffi/ring/queues.ts";
export { AF, CQE, MSG, OP, OP_SINCE, type OperationName, POLL, SOCK } from "./ffi/kernel/uapi.ts";

// The life of a buffer after a zero-copy send.
export { Notifier, type NotifierOptions } from "./ffi/ring/notifier.ts";
export { Notification, type NotificationFields } from "./ffi/ring/notification.ts";
export { MessageZeroCopy, type MessageZeroCopyCounts } from "./ffi/net/message_zerocopy.ts";

// Receiving without copying.
export { ZcrxReceiver } from "./ffi/zcrx/receiver.ts";
export type {
  OnEnd,
  OnPiece,
  ZcrxLoopOptions,
  ZcrxReceiveOptions,
  ZcrxStatistics,
} from "./ffi/zcrx/receiver.ts";
export { ZcrxPiece } from "./ffi/zcrx/piece.ts";
export { ZcrxHandle } from "./ffi/zcrx/handle.ts";
export type { ZcrxMemoryOptions, ZcrxReceiverOptions } from "./ffi/zcrx/opening.ts";
export { type ZcrxEvent, zcrxFeatures } from "./ffi/zcrx/query.ts";
export type { ZcrxFeatures } from "./ffi/zcrx/query.ts";
export { physicalPages } from "./ffi/memory/physical_pages.ts";

// Memory of a network device: devmem TCP.
export { DeviceMemory } from "./ffi/devmem/binding.ts";
export { type DeviceMemoryKind, DeviceMemoryPiece } from "./ffi/devmem/piece.ts";
export { DeviceMemoryReceiver } from "./ffi/devmem/receiver.ts";
export type {
  DeviceMemoryCounts,
  DeviceMemoryReceiveOptions,
  OnDeviceMemoryPiece,
} from "./ffi/devmem/receiver.ts";
export { DeviceMemoryTransmitter } from "./ffi/devmem/transmitter.ts";
export type {
  DeviceMemoryRange,
  DeviceMemoryTransmitCounts,
  DeviceMemoryTransmitOptions,
} from "./ffi/devmem/transmitter.ts";
export { type MemoryProvider, Netdev, type NetdevQueue, type PagePool } from "./ffi/net/netdev.ts";
export type { BindReceive, BindTransmit } from "./ffi/net/netdev.ts";

// Sockets, and where they are made.
export { type ConnectOptions, Socket } from "./ffi/net/socket.ts";
export type { NamespaceHandle, Place } from "./ffi/net/place.ts";
export type { SocketOptions, SocketReceiveOptions } from "./ffi/net/socket.ts";
export {
  SOCKET_OPTIONS,
  type SocketOption,
  type SocketOptionKind,
} from "./ffi/net/socket_options.ts";
export type { Address } from "./ffi/kernel/address.ts";
export { NetworkNamespace } from "./ffi/net/namespace.ts";
export { Testbed } from "./labs/kit/testbed/testbed.ts";
export type {
  InterfaceSettings,
  PairOptions,
  SinkOptions,
  SoftnicOptions,
  TestbedAddress,
  TestbedEnd,
  TestbedKind,
} from "./labs/kit/testbed/testbed.ts";
export { DatagramSink } from "./labs/kit/testbed/datagram_sink.ts";
export { hostPortProblem, parseHostPort } from "./labs/kit/testbed/host_port.ts";
export { type Placement, Softnic, type SteeredFlow } from "./labs/kit/testbed/softnic.ts";
export { DiskTarget, diskTargetProblem } from "./labs/kit/testbed/disk_target.ts";
export { type NicCounts, NicWitness, type PlacedPiece } from "./labs/kit/testbed/nic_witness.ts";
export {
  type ConnectionOptions,
  type StreamConnection,
  StreamLink,
  type StreamLinkOptions,
  StreamLinks,
} from "./labs/kit/testbed/stream_links.ts";

// A real NIC, made ready for zero-copy receive and set back.
export { AppliedNicPlan, CutOffError, Nic, NicApplyError } from "./labs/kit/nic/nic.ts";
export type { NicApplyOptions, NicOptions } from "./labs/kit/nic/nic.ts";
export type { NicPlace } from "./labs/kit/nic/commands.ts";
export { NicBusyError, pendingNics } from "./labs/kit/nic/journal.ts";
export type { NicChange, NicIdentity, PendingNic } from "./labs/kit/nic/journal.ts";
export type { NicLack } from "./labs/kit/nic/missing.ts";
export { NicPlan } from "./labs/kit/nic/plan.ts";
export type { NicBefore, NicFlow, NicRequest, NicStep } from "./labs/kit/nic/plan.ts";
export { type NicRestored, NicRestoreError, type OnNicCommand } from "./labs/kit/nic/restore.ts";
export type {
  EthtoolFeatures,
  NicChannels,
  NicCount,
  NicHeaderSplit,
  NicRule,
  NicSettings,
} from "./labs/kit/nic/settings.ts";

// Files, for what comes off the network.
export { DiskFile, type DiskFileOptions } from "./ffi/memory/disk_file.ts";

// Busy polling.
export { BusyPoll } from "./ffi/ring/busy_poll.ts";
export type { NapiTracking, RingBusyPollOptions } from "./ffi/ring/ring_polling.ts";
export type { SocketBusyPollOptions } from "./ffi/net/socket_polling.ts";
export { type IncomingNapi, napiIdOf } from "./ffi/net/napi.ts";
export { type NetworkCounters, networkCounters } from "./labs/kit/testbed/network_counters.ts";

// The thread that measures.
export { pinThread, threadCpuSeconds } from "./ffi/kernel/thread.ts";
export { allowedProcessors, processorProblem } from "./labs/kit/workload/processors.ts";

// What goes wrong, and what to do about it.
export {
  ClosedError,
  describeErrno,
  type Explanation,
  kernelIsAtLeast,
  OwnershipError,
  UnsupportedError,
  UringError,
} from "./ffi/kernel/errors.ts";

// Experiments, and what their numbers allow one to say.
export * from "./labs/kit/experiment/experiment.ts";
export * from "./labs/kit/experiment/covariates.ts";
export * from "./labs/kit/statistics/statistics.ts";
export { type DurationMeasures, Durations } from "./labs/kit/statistics/durations.ts";
export * from "./labs/kit/experiment/random.ts";

// Runs that someone else can repeat: the file, what repeats it, what compares two of them.
export * from "./labs/kit/run/run_document.ts";
export * from "./labs/kit/experiment/environment.ts";
export * from "./labs/kit/experiment/code_version.ts";
export * from "./labs/kit/run/replay.ts";
export * from "./labs/kit/run/compare_runs.ts";
export * from "./labs/kit/run/run_differences.ts";
export * from "./labs/kit/run/comparison_text.ts";
export * from "./labs/kit/run/csv.ts";
export * from "./labs/kit/run/whole_file.ts";

// Pictures and pages of a run.
export * from "./labs/kit/plot/mod.ts";
export * from "./labs/kit/report/report.ts";
export * from "./labs/kit/terminal/table.ts";

// What labs send, receive and prove with.
export {
  datagramsPerRequest,
  transmit,
  TRANSMIT_MODES,
  type TransmitMode,
  type TransmitOptions,
  type Transmitted,
} from "./labs/kit/workload/transmit.ts";
export {
  receiveCopying,
  type Received,
  receiveMultishot,
  type ReceiveOptions,
  receiveZeroCopy,
} from "./labs/kit/workload/receive.ts";
export {
  type DeviceMemoryStreamed,
  type DeviceMemoryStreamOptions,
  DeviceMemoryStreams,
  type PayloadWay,
} from "./labs/kit/workload/device_memory_stream.ts";
export { copyToDisk } from "./labs/kit/workload/copy_to_disk.ts";
export { type DirectlyWritten, DirectWriter } from "./labs/kit/workload/direct_writer.ts";
export { isStreamOnDisk } from "./labs/kit/workload/stream_on_disk.ts";
export {
  type ReceivedStream,
  receiveStream,
  type ReceiveStreamOptions,
  STREAM_ENGINES,
  type StreamEngine,
} from "./labs/kit/workload/receive_stream.ts";
export { fillStream, matchesStream, matchesWhole } from "./labs/kit/workload/stream.ts";
export { type Sent, type StreamOptions, StreamSender } from "./labs/kit/workload/stream_sender.ts";
export { Echo, type Echoed, type Echoing, type EchoOptions } from "./labs/kit/workload/echo.ts";
export {
  type ConnectedOptions,
  type ConnectedSockets,
  connectEnds,
} from "./labs/kit/workload/connected.ts";
export {
  type RoundTripOptions,
  RoundTrips,
  type RoundTripWait,
} from "./labs/kit/workload/round_trips.ts";
export {
  answerRequests,
  type Peer,
  PeerError,
  type Prepared,
  WorkerPeer,
} from "./labs/kit/workload/peer.ts";
export { comparePages, type PageProof } from "./labs/kit/testbed/page_proof.ts";

// Labs, and what is possible here.
export * from "./labs/kit/lab/lab.ts";
export { type CpuOption, type DeclaredLab, defineLab } from "./labs/kit/lab/define_lab.ts";
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
export type { ComparedRow as LabRow, RowComparison } from "./labs/kit/lab/rows.ts";
export { formatBytes, parseBytes } from "./labs/kit/lab/byte_size.ts";
export { Processors } from "./labs/kit/lab/processors.ts";
export * from "./labs/kit/lab/probe.ts";
export * from "./labs/kit/terminal/progress.ts";

// Notebooks: what they show, what they ask, and what was recorded elsewhere.
export { show } from "./labs/kit/notebook/show.ts";
export * from "./labs/kit/notebook/exercise.ts";
export * from "./labs/kit/run/recorded_run.ts";
