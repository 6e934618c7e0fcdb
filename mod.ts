/**
 * zclab: a lab for Linux zero-copy networking that one can type into.
 *
 * The story in the order in which an experiment tells it: memory that the kernel may use
 * ({@linkcode Area}), a ring to give it requests ({@linkcode Ring}), a notifier that knows when the
 * kernel has released the memory ({@linkcode Notifier}), and a network to send into
 * ({@linkcode Testbed}, {@linkcode Socket}).
 *
 * What makes a result of it is in `zclab/experiment`; what labs are made of in `zclab/lab`; what
 * notebooks show and ask in `zclab/notebook`. Each has the types of
 * what it takes and returns.
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

// Memory that the kernel may use, and who owns it.
export { Area, Slice } from "./ffi/memory/area.ts";
export { Message } from "./ffi/net/message.ts";
export { DiskFile } from "./ffi/memory/disk_file.ts";
export { physicalPages } from "./ffi/memory/physical_pages.ts";

// Rings. A batch asks for many things in one system call; the ring itself gives a promise for each.
export { Ring } from "./ffi/ring/ring.ts";
export { Batch } from "./ffi/ring/batch.ts";
export { BufferRing } from "./ffi/ring/buffer_ring.ts";
export { ReceivedPiece } from "./ffi/ring/received_piece.ts";
export { CQE, MSG, OP, POLL } from "./ffi/kernel/uapi.ts";

// When the kernel has released the memory of a zero-copy send, and whether it copied.
export { Notifier } from "./ffi/ring/notifier.ts";
export { Notification } from "./ffi/ring/notification.ts";
export { MessageZeroCopy } from "./ffi/net/message_zerocopy.ts";

// Pages of a file, or lent through a pipe.
export { Pipe, sendFileBlocking } from "./ffi/net/splice.ts";

// Receiving without copying: into memory of this process or of a device, or by having pages mapped.
export { ZcrxReceiver } from "./ffi/zcrx/receiver.ts";
export { ZcrxPiece } from "./ffi/zcrx/piece.ts";
export { ZcrxHandle } from "./ffi/zcrx/handle.ts";
export { zcrxFeatures } from "./ffi/zcrx/query.ts";
export { DeviceMemory } from "./ffi/devmem/binding.ts";
export { DeviceMemoryReceiver } from "./ffi/devmem/receiver.ts";
export { DeviceMemoryPiece } from "./ffi/devmem/piece.ts";
export { DeviceMemoryTransmitter } from "./ffi/devmem/transmitter.ts";
export { TcpZeroCopyReceiver } from "./ffi/net/tcp_zerocopy_receiver.ts";
export { TcpZeroCopyPiece } from "./ffi/net/tcp_zerocopy_piece.ts";
export { Netdev } from "./ffi/net/netdev.ts";

// Sockets, and the networks to try them in.
export { Socket } from "./ffi/net/socket.ts";
export { SOCKET_OPTIONS } from "./ffi/net/socket_options.ts";
export { NetworkNamespace } from "./ffi/net/namespace.ts";
export { Testbed } from "./labs/kit/testbed/testbed.ts";
export { Softnic } from "./labs/kit/testbed/softnic.ts";
export { networkCounters } from "./labs/kit/testbed/network_counters.ts";

// Busy polling, and the thread that measures.
export { BusyPoll } from "./ffi/ring/busy_poll.ts";
export { napiIdOf } from "./ffi/net/napi.ts";
export { pinThread, threadCpuSeconds } from "./ffi/kernel/thread.ts";
export { allowedProcessors } from "./labs/kit/workload/processors.ts";

// What every load and store of the guest's processor does to a payload.
export { Microscope } from "./ffi/microscope/microscope.ts";
export { MicroscopeView } from "./ffi/microscope/view.ts";

// What is possible here, and what went wrong.
export { Probe, probe } from "./labs/kit/probe/probe.ts";
export { REQUIREMENTS } from "./labs/kit/probe/requirements.ts";
export {
  ClosedError,
  describeErrno,
  ExplainedError,
  kernelIsAtLeast,
  OwnershipError,
  UnsupportedError,
  UringError,
} from "./ffi/kernel/errors.ts";

// The types of what these take and return.
export type { DeviceMemoryKind } from "./ffi/devmem/piece.ts";
export type {
  DeviceMemoryCounts,
  DeviceMemoryReceiveOptions,
  OnDeviceMemoryPiece,
} from "./ffi/devmem/receiver.ts";
export type {
  DeviceMemoryRange,
  DeviceMemoryTransmitCounts,
  DeviceMemoryTransmitOptions,
} from "./ffi/devmem/transmitter.ts";
export type { Address } from "./ffi/kernel/address.ts";
export type { Remedy } from "./ffi/kernel/errors.ts";
export type { OperationName } from "./ffi/kernel/uapi.ts";
export type { AreaOptions } from "./ffi/memory/area.ts";
export type { DiskFileOptions } from "./ffi/memory/disk_file.ts";
export type { MicroscopePayload } from "./ffi/microscope/microscope.ts";
export type { CallPath, MicroscopePlace, PayloadTouch, PerByte } from "./ffi/microscope/view.ts";
export type { MessageOptions } from "./ffi/net/message.ts";
export type { MessageZeroCopyCounts } from "./ffi/net/message_zerocopy.ts";
export type { IncomingNapi } from "./ffi/net/napi.ts";
export type {
  BindReceive,
  BindTransmit,
  MemoryProvider,
  NetdevQueue,
  PagePool,
} from "./ffi/net/netdev.ts";
export type { NamespaceHandle, Place } from "./ffi/net/place.ts";
export type { ConnectOptions, SocketOptions, SocketReceiveOptions } from "./ffi/net/socket.ts";
export type { SocketOption } from "./ffi/net/socket_options.ts";
export type { SocketBusyPollOptions } from "./ffi/net/socket_polling.ts";
export type { TcpZeroCopyKind } from "./ffi/net/tcp_zerocopy_piece.ts";
export type {
  SocketPoller,
  TcpZeroCopyCounts,
  TcpZeroCopyReceiveOptions,
} from "./ffi/net/tcp_zerocopy_receiver.ts";
export type { EachOptions, TimeoutOptions } from "./ffi/ring/batch.ts";
export type { BufferRingOptions } from "./ffi/ring/buffer_ring.ts";
export type { Descriptor } from "./ffi/ring/descriptor.ts";
export type { OnCompletion } from "./ffi/ring/completion_queue.ts";
export type { NotificationFields } from "./ffi/ring/notification.ts";
export type { NotifierOptions } from "./ffi/ring/notifier.ts";
export type { OperationOptions, SendZcResult } from "./ffi/ring/operation.ts";
export type { CompletionSize, SetupFlag } from "./ffi/ring/queues.ts";
export type { RingOptions, SendOptions, SendZcOptions } from "./ffi/ring/ring.ts";
export type { RingHandle } from "./ffi/ring/ring_handle.ts";
export type { NapiTracking, RingBusyPollOptions } from "./ffi/ring/ring_polling.ts";
export type { OnEnd, OnPiece } from "./ffi/zcrx/delivery.ts";
export type { ZcrxLoopOptions, ZcrxReceiveOptions } from "./ffi/zcrx/loop.ts";
export type { ZcrxMemoryOptions, ZcrxReceiverOptions } from "./ffi/zcrx/opening.ts";
export type { ZcrxEvent, ZcrxFeatures } from "./ffi/zcrx/query.ts";
export type { ZcrxStatistics } from "./ffi/zcrx/receiver.ts";
export type { Machine, ProbeItem, ProbeState, Requirement } from "./labs/kit/probe/requirements.ts";
export type { InterfaceSettings } from "./labs/kit/testbed/interface_settings.ts";
export type { NetworkCounters } from "./labs/kit/testbed/network_counters.ts";
export type { Placement, SteeredFlow } from "./labs/kit/testbed/softnic.ts";
export type {
  PairOptions,
  SinkOptions,
  SoftnicOptions,
  TestbedKind,
} from "./labs/kit/testbed/testbed.ts";
export type { TestbedAddress, TestbedEnd } from "./labs/kit/testbed/testbed_end.ts";
