/**
 * Receiving a TCP stream without copying, as the C program does (reference/zcrx.c).
 *
 * @module
 */
import { Area, pinThread, type Place, Ring, Socket, ZcrxReceiver } from "zclab";
import { receiveZeroCopy as receiveStreamZeroCopy } from "zclab/lab";
import type { OnListening, Received, ZcrxOptions } from "./stream.ts";

/** How long to wait for a queue that was another's a moment ago. */
const QUEUE_MILLISECONDS = 5000;

/** Entries of the submission queue: one request is all there is. */
const RING_ENTRIES = 8;

/**
 * Receives a stream without copying, with the batch API, as reference/zcrx.c does. Blocks the thread from
 * the first request to the end.
 *
 * @param place Where the interface is, and where to listen.
 * @param options The same as the C program's.
 * @param onListening Told the port.
 * @returns What it took.
 * @throws {UringError} If registering or receiving failed.
 * @throws {Error} If a piece is not what was sent, or the stream is of another length.
 */
export async function receiveZeroCopy(
  place: Place,
  options: ZcrxOptions,
  onListening: OnListening,
): Promise<Received> {
  const { host, port, completions, cpu } = options;
  await using ring = Ring.open({
    entries: RING_ENTRIES,
    completionEntries: completions,
    completionSize: 32,
  });
  using area = Area.map({ bytes: options.area });
  using receiver = openReceiver(ring, area, place, options);
  using listener = Socket.tcp(place).setOption("SO_REUSEADDR", true).bind({ host, port }).listen(1);
  await onListening(listener.localAddress!.port);
  using socket = await ring.accept(listener);
  using _pin = pinThread(cpu);
  return receiveStream(receiver, socket, options.bytes);
}

function openReceiver(
  ring: Ring,
  area: Area,
  place: Place,
  options: ZcrxOptions,
): ZcrxReceiver {
  const { queue, refill } = options;
  if (options.interface === null) {
    return ZcrxReceiver.withoutDevice(ring, { area, refillEntries: refill });
  }
  return ZcrxReceiver.open(ring, {
    area,
    interface: options.interface,
    queue,
    place,
    refillEntries: refill,
    timeout: QUEUE_MILLISECONDS,
  });
}

function receiveStream(receiver: ZcrxReceiver, socket: Socket, bytes: number): Received {
  const { pieces, seconds, cpuSeconds, copiedBytes } = receiveStreamZeroCopy(receiver, socket, {
    bytes,
  });
  const { queueFull, starved } = receiver.statistics();
  return {
    bytes,
    pieces,
    seconds,
    cpuSeconds,
    copiedBytes: copiedBytes ?? NaN,
    armed: 1 + queueFull + starved,
  };
}
