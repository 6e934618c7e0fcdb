/**
 * A plain receive that blocks.
 *
 * @module
 */
import { checkKind } from "../kernel/arguments.ts";
import { unwrap } from "../kernel/errors.ts";
import { native } from "../kernel/native.ts";
import { addressHigh, addressLow, Slice } from "../memory/area.ts";
import { Socket } from "./socket.ts";

const EAGAIN = -11;
const LARGEST_INT = 0x7fff_ffff;
const SOL_SOCKET = 1;
const SO_RCVTIMEO = 20;

/**
 * Receives into a slice with `recv(2)` and blocks the thread until something has arrived: the kind
 * of receive for which `SO_BUSY_POLL` polls its whole time.
 *
 * @param socket The socket; its `SO_RCVTIMEO` is set.
 * @param slice Where to.
 * @param milliseconds How long to wait at most, from 1.
 * @returns Bytes received, or undefined if nothing arrived in time.
 * @throws {OwnershipError} If the kernel owns the slice.
 * @throws {UringError} If the connection failed.
 *
 * @example
 * ```ts
 * import { Area, receiveBlocking, Socket } from "zclab";
 * import { assertEquals } from "@std/assert";
 *
 * using area = Area.map({ bytes: 4096 });
 * using receiver = Socket.udp().bind({ host: "127.0.0.1", port: 0 });
 * using sender = Socket.udp().connect(receiver.localAddress!);
 * sender.send(area.slice(0, 5));
 * assertEquals(receiveBlocking(receiver, area.slice(100, 100), 1000), 5);
 * assertEquals(receiveBlocking(receiver, area.slice(100, 100), 1), undefined);
 * ```
 */
export function receiveBlocking(
  socket: Socket,
  slice: Slice,
  milliseconds: number,
): number | undefined {
  checkKind("socket", Socket, socket);
  checkKind("slice", Slice, slice);
  if (!(milliseconds >= 1 && milliseconds <= LARGEST_INT)) {
    throw new RangeError(`milliseconds is at least 1, got ${milliseconds}`);
  }
  void slice.bytes;
  const seconds = Math.floor(milliseconds / 1000);
  const microseconds = Math.floor((milliseconds % 1000) * 1000);
  const time = new BigInt64Array([BigInt(seconds), BigInt(microseconds)]).buffer;
  const { fd } = socket;
  unwrap(
    "setsockopt SO_RCVTIMEO",
    native().zclab_setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, time, time.byteLength),
  );
  const result = native().zclab_recv(
    fd,
    addressLow(slice) >>> 0,
    addressHigh(slice),
    slice.length,
    0,
  );
  return result === EAGAIN ? undefined : unwrap("recv", result);
}
