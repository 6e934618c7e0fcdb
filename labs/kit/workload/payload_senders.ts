/**
 * The ways of sending one payload, each as a program would that awaits it.
 *
 * @module
 */
import type { DeviceMemoryTransmitter } from "../../../ffi/devmem/transmitter.ts";
import type { Slice } from "../../../ffi/memory/area.ts";
import { Message } from "../../../ffi/net/message.ts";
import { MessageZeroCopy } from "../../../ffi/net/message_zerocopy.ts";
import type { Socket } from "../../../ffi/net/socket.ts";
import { Pipe, sendFileBlocking } from "../../../ffi/net/splice.ts";
import type { SendZcResult } from "../../../ffi/ring/operation.ts";
import type { Ring } from "../../../ffi/ring/ring.ts";
import { POLL } from "../../../ffi/kernel/uapi.ts";

/**
 * The ways: SEND; SEND_ZC, the same from a registered buffer, and SENDMSG_ZC; `send(2)` with
 * MSG_ZEROCOPY; the pages of a file by `sendfile(2)`, or by `splice(2)` through a pipe; those of
 * memory, lent to a pipe by `vmsplice(2)`; and devmem, a dma-buf that the NIC reads.
 */
export const PAYLOAD_SENDERS = [
  "send",
  "send-zc",
  "send-zc-fixed",
  "sendmsg-zc",
  "msg-zerocopy",
  "sendfile",
  "splice",
  "vmsplice",
  "devmem",
] as const;

/** A way of sending one payload. */
export type PayloadSender = typeof PAYLOAD_SENDERS[number];

/** A payload on its way out. */
export interface Outgoing {
  readonly ring: Ring;
  /** Connected. */
  readonly socket: Socket;
  readonly payload: Slice;
  /** What `devmem` sends with, made for the payload's area. */
  readonly transmitter?: DeviceMemoryTransmitter | undefined;
}

/**
 * Sends a payload, and waits until the kernel has released its memory, where it says that it has.
 *
 * @param way How. `send-zc-fixed` wants the payload's area registered with the ring, the others not;
 *   `sendfile` and `splice` want one that is a file, `devmem` a dma-buf and its transmitter.
 * @param outgoing What, and where.
 * @returns Whether the kernel reports that it copied: true if it did for any part; null where it does
 *   not say.
 * @throws {UringError} If sending failed.
 */
export async function sendPayload(way: PayloadSender, outgoing: Outgoing): Promise<boolean | null> {
  const { ring, socket, payload } = outgoing;
  switch (way) {
    case "send":
      await eachPart(payload, (part) => ring.send(socket, part));
      return null;
    case "send-zc":
    case "send-zc-fixed":
      return await sendLent(payload, (part) => ring.sendZc(socket, part));
    case "sendmsg-zc":
      return await sendLent(payload, (part) => ring.sendMsgZc(socket, new Message([part])));
    case "msg-zerocopy":
      return await sendMessages(outgoing);
    case "sendfile":
      await eachPart(payload, (part) => Promise.resolve(sendFileBlocking(socket, part)));
      return null;
    case "splice":
      await sendThroughPipe(outgoing, (pipe, part) => pipe.splice(part));
      return null;
    case "vmsplice":
      await sendThroughPipe(outgoing, (pipe, part) => pipe.lend(part));
      return null;
    case "devmem":
      return await sendDeviceMemory(outgoing);
  }
}

async function sendDeviceMemory(
  { ring, socket, payload, transmitter }: Outgoing,
): Promise<boolean> {
  if (transmitter === undefined) throw new TypeError("devmem is sent with a transmitter");
  await eachPart(payload, (part) => Promise.resolve(transmitter.sendBlocking(socket, part)));
  await transmitter.drained(ring);
  return transmitter.counts.copied > 0;
}

async function sendThroughPipe(
  { socket, payload }: Outgoing,
  fill: (pipe: Pipe, part: Slice) => number,
): Promise<void> {
  using pipe = Pipe.open();
  await eachPart(payload, (part) => {
    const held = fill(pipe, part);
    for (let sent = 0; sent < held;) sent += pipe.send(socket, held - sent);
    return Promise.resolve(held);
  });
}

/** TCP may take less than it is given. */
async function eachPart(payload: Slice, send: (part: Slice) => Promise<number>): Promise<void> {
  for (let sent = 0; sent < payload.length;) sent += await send(payload.slice(sent));
}

async function sendLent(
  payload: Slice,
  send: (part: Slice) => Promise<SendZcResult>,
): Promise<boolean | null> {
  const released: SendZcResult["released"][] = [];
  await eachPart(payload, async (part) => {
    const result = await send(part);
    released.push(result.released);
    return result.bytes;
  });
  const reports = await Promise.all(released);
  if (reports.some(({ copied }) => copied === undefined)) return null;
  return reports.some(({ copied }) => copied === true);
}

async function sendMessages({ ring, socket, payload }: Outgoing): Promise<boolean> {
  const zeroCopy = new MessageZeroCopy(socket);
  await eachPart(payload, (part) => Promise.resolve(zeroCopy.sendBlocking(part)));
  while (zeroCopy.outstanding > 0) {
    // POLLERR comes without being asked for.
    if (zeroCopy.reap() === 0) await ring.poll(socket, POLL.ERR);
  }
  return zeroCopy.counts.copied > 0;
}
