/**
 * One small function for each operation: how its submission entry is filled.
 *
 * An entry is 16 words, whose first has a multiple of 16 as index, so that `at | 8` is its word 8, and
 * no sum that could be too large: opcode, flags and ioprio in word 0; fd 1; off (addr2) 2-3; addr 4-5;
 * len 6; operation flags 7; user_data 8-9; buf_index 10; file_index (addr_len) 11; addr3 and
 * padding 12-15.
 *
 * @module
 */
import { addressHigh, addressLow, type Slice } from "../memory/area.ts";
import { headerHigh, headerLow, type Message, vectorHigh, vectorLow } from "../net/message.ts";
import { ACCEPT_MULTISHOT, OP, RECVSEND, SQE } from "../kernel/uapi.ts";

/**
 * Fills an entry. Entries are used again and again, so no word may keep its old value; except that
 * the last four are zero from the beginning, because no operation here uses them.
 */
function fill(
  sqes: Int32Array,
  at: number,
  word0: number,
  fd: number,
  offLow: number,
  offHigh: number,
  addrLow: number,
  addrHigh: number,
  length: number,
  opFlags: number,
  bufIndex: number,
  fileIndex: number,
  userLow: number,
  userHigh: number,
): void {
  sqes[at] = word0;
  sqes[at + 1] = fd;
  sqes[at + 2] = offLow;
  sqes[at + 3] = offHigh;
  sqes[at + 4] = addrLow;
  sqes[at + 5] = addrHigh;
  sqes[at + 6] = length;
  sqes[at + 7] = opFlags;
  sqes[at + 8] = userLow;
  sqes[at + 9] = userHigh;
  sqes[at + 10] = bufIndex;
  sqes[at + 11] = fileIndex;
}

/**
 * Empties an entry but for word 0. Apart from what calls it, which V8 then finds short enough to compile
 * it into its own callers.
 */
function empty(sqes: Int32Array, at: number, word0: number): void {
  fill(sqes, at, word0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
}

/** Word 0 from its three parts: what to do, `IOSQE_*`, and what the operation takes in `ioprio`. */
export function head(opcode: number, sqeFlags: number, ioprio: number): number {
  return opcode | sqeFlags << 8 | ioprio << 16;
}

// === 5.1 ===

/** A NOP is all zeros but for its user data: most often there is nothing else to write. */
export function prepareNop(sqes: Int32Array, at: number, low: number, high: number): void {
  if (sqes[at] !== 0) empty(sqes, at, 0);
  sqes[at | 8] = low;
  sqes[at | 9] = high;
}

export function preparePoll(
  sqes: Int32Array,
  at: number,
  fd: number,
  sqeFlags: number,
  events: number,
  low: number,
  high: number,
): void {
  fill(sqes, at, head(OP.POLL_ADD, sqeFlags, 0), fd, 0, 0, 0, 0, 0, events, 0, 0, low, high);
}

// === 5.3 ===

/** SENDMSG, RECVMSG, and SENDMSG_ZC (6.1). */
export function prepareMessage(
  sqes: Int32Array,
  at: number,
  opcode: number,
  fd: number,
  sqeFlags: number,
  ioprio: number,
  message: Message,
  msgFlags: number,
  low: number,
  high: number,
): void {
  fill(
    sqes,
    at,
    head(opcode, sqeFlags, ioprio),
    fd,
    0,
    0,
    headerLow(message),
    headerHigh(message),
    1,
    msgFlags,
    0,
    0,
    low,
    high,
  );
}

// === 5.4 ===

export function prepareTimeout(
  sqes: Int32Array,
  at: number,
  timespecLow: number,
  timespecHigh: number,
  flags: number,
  low: number,
  high: number,
): void {
  fill(sqes, at, OP.TIMEOUT, -1, 0, 0, timespecLow, timespecHigh, 1, flags, 0, 0, low, high);
}

// === 5.5 ===

export function prepareAccept(
  sqes: Int32Array,
  at: number,
  fd: number,
  sqeFlags: number,
  multishot: boolean,
  socketFlags: number,
  low: number,
  high: number,
): void {
  const word0 = head(OP.ACCEPT, sqeFlags, multishot ? ACCEPT_MULTISHOT : 0);
  fill(sqes, at, word0, fd, 0, 0, 0, 0, 0, socketFlags, 0, 0, low, high);
}

/** ASYNC_CANCEL of requests on a file (5.19). */
export function prepareCancel(
  sqes: Int32Array,
  at: number,
  fd: number,
  cancelFlags: number,
  low: number,
  high: number,
): void {
  fill(sqes, at, OP.ASYNC_CANCEL, fd, 0, 0, 0, 0, 0, cancelFlags, 0, 0, low, high);
}

export function prepareConnect(
  sqes: Int32Array,
  at: number,
  fd: number,
  sqeFlags: number,
  addressLow: number,
  addressHigh: number,
  length: number,
  low: number,
  high: number,
): void {
  fill(
    sqes,
    at,
    head(OP.CONNECT, sqeFlags, 0),
    fd,
    length,
    0,
    addressLow,
    addressHigh,
    0,
    0,
    0,
    0,
    low,
    high,
  );
}

// === 5.6 ===

export function prepareClose(
  sqes: Int32Array,
  at: number,
  fd: number,
  low: number,
  high: number,
): void {
  fill(sqes, at, OP.CLOSE, fd, 0, 0, 0, 0, 0, 0, 0, 0, low, high);
}

/**
 * READ and WRITE, and from a registered buffer READ_FIXED and WRITE_FIXED. The offset -1 means the
 * file's own position.
 *
 * @param bufIndex The registered buffer, or -1.
 */
export function prepareReadWrite(
  sqes: Int32Array,
  at: number,
  name: "READ" | "WRITE",
  fd: number,
  sqeFlags: number,
  slice: Slice,
  offset: number,
  bufIndex: number,
  low: number,
  high: number,
): void {
  const offLow = offset < 0 ? -1 : (offset % 2 ** 32) | 0;
  const offHigh = offset < 0 ? -1 : Math.floor(offset / 2 ** 32);
  fill(
    sqes,
    at,
    head(bufIndex < 0 ? OP[name] : OP[`${name}_FIXED`], sqeFlags, 0),
    fd,
    offLow,
    offHigh,
    addressLow(slice),
    addressHigh(slice),
    slice.length,
    0,
    Math.max(0, bufIndex),
    0,
    low,
    high,
  );
}

/**
 * SEND, RECV, and SEND_ZC (6.0), whose `ioprio` may ask for a registered buffer.
 *
 * @param word0 See {@linkcode head}.
 */
export function prepareSlice(
  sqes: Int32Array,
  at: number,
  word0: number,
  fd: number,
  slice: Slice,
  msgFlags: number,
  bufIndex: number,
  userLow: number,
  userHigh: number,
): void {
  const low = addressLow(slice);
  const high = addressHigh(slice);
  const { length } = slice;
  preparePiece(sqes, at, word0, fd, low, high, length, msgFlags, bufIndex, userLow, userHigh);
}

/** Like {@linkcode prepareSlice}, for memory by its address. What experiments do most. */
export function preparePiece(
  sqes: Int32Array,
  at: number,
  word0: number,
  fd: number,
  addrLow: number,
  addrHigh: number,
  length: number,
  msgFlags: number,
  bufIndex: number,
  userLow: number,
  userHigh: number,
): void {
  // An entry that did the same before has zeros where this operation has nothing to say.
  if (sqes[at] !== word0) empty(sqes, at, word0);
  sqes[at | 1] = fd;
  sqes[at | 4] = addrLow;
  sqes[at | 5] = addrHigh;
  sqes[at | 6] = length;
  sqes[at | 7] = msgFlags;
  sqes[at | 8] = userLow;
  sqes[at | 9] = userHigh;
  sqes[at | 10] = bufIndex;
}

// === 5.11 ===

export function prepareShutdown(
  sqes: Int32Array,
  at: number,
  fd: number,
  sqeFlags: number,
  how: number,
  low: number,
  high: number,
): void {
  fill(sqes, at, head(OP.SHUTDOWN, sqeFlags, 0), fd, 0, 0, 0, 0, how, 0, 0, 0, low, high);
}

// === 5.18 ===

/** MSG_RING: posts a completion with this result and user_data into another ring. */
export function prepareMessageRing(
  sqes: Int32Array,
  at: number,
  ringFd: number,
  result: number,
  targetLow: number,
  targetHigh: number,
  low: number,
  high: number,
): void {
  fill(sqes, at, OP.MSG_RING, ringFd, targetLow, targetHigh, 0, 0, result, 0, 0, 0, low, high);
}

// === 5.19 ===

export function prepareSocket(
  sqes: Int32Array,
  at: number,
  domain: number,
  type: number,
  protocol: number,
  low: number,
  high: number,
): void {
  fill(sqes, at, OP.SOCKET, domain, type, 0, 0, 0, protocol, 0, 0, 0, low, high);
}

// === 6.0 ===

/** RECV, multishot, into buffers of a group. */
export function prepareReceiveMultishot(
  sqes: Int32Array,
  at: number,
  fd: number,
  sqeFlags: number,
  group: number,
  low: number,
  high: number,
): void {
  fill(
    sqes,
    at,
    head(OP.RECV, sqeFlags | SQE.BUFFER_SELECT, RECVSEND.RECV_MULTISHOT),
    fd,
    0,
    0,
    0,
    0,
    0,
    0,
    group,
    0,
    low,
    high,
  );
}

// === 6.17 ===

/** SEND or SEND_ZC of a vector of slices (`IORING_SEND_VECTORIZED`). */
export function prepareVectorized(
  sqes: Int32Array,
  at: number,
  opcode: number,
  fd: number,
  sqeFlags: number,
  ioprio: number,
  message: Message,
  msgFlags: number,
  low: number,
  high: number,
): void {
  fill(
    sqes,
    at,
    head(opcode, sqeFlags, ioprio | RECVSEND.SEND_VECTORIZED),
    fd,
    0,
    0,
    vectorLow(message),
    vectorHigh(message),
    message.slices,
    msgFlags,
    0,
    0,
    low,
    high,
  );
}

// === 6.15 ===

/**
 * RECV_ZC, which takes its memory from a receiver and is always a multishot.
 *
 * @param length Bytes after which it ends, or 0.
 * @param receiver The `zcrx_id` of the receiver.
 */
export function prepareReceiveZeroCopy(
  sqes: Int32Array,
  at: number,
  fd: number,
  sqeFlags: number,
  length: number,
  receiver: number,
  low: number,
  high: number,
): void {
  const word0 = head(OP.RECV_ZC, sqeFlags, RECVSEND.RECV_MULTISHOT);
  fill(sqes, at, word0, fd, 0, 0, 0, 0, length, 0, 0, receiver, low, high);
}
