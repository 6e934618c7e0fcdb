/**
 * The batch API of a ring: prepare, submit, reap. It allocates nothing for a request.
 *
 * @module
 */
import { type Address, encodeAddress } from "../kernel/address.ts";
import { addressHigh, addressLow, areaRegistrations, Slice } from "../memory/area.ts";
import {
  badUserData,
  checkFlags,
  checkKind,
  checkObject,
  checkReceiveFlags,
  checkSendFlags,
  checkWhole,
  isUnsigned32,
  wrongKind,
} from "../kernel/arguments.ts";
import { type BufferRing, groupFor } from "./buffer_ring.ts";
import type { OnCompletion } from "./completion_queue.ts";
import type { Engine } from "./engine.ts";
import { openEngineOf, type RingHandle } from "./ring_handle.ts";
import { BATCH, POSTED, TARGET, ZERO_COPY } from "./user_data.ts";
import { checkDescriptor, type Descriptor, fdOf, indexIn } from "./descriptor.ts";
import { ensureUnowned } from "../kernel/descriptor.ts";
import { prepareRun } from "./entry_runs.ts";
import type { Generation } from "./generation.ts";
import { type Fact, showFacts } from "../kernel/inspection.ts";
import { addressOf, high, low } from "../kernel/memory.ts";
import { Message, prepareReceive, prepareSend } from "../net/message.ts";
import { currentOf, type Notifier } from "./notifier.ts";
import { AwaitedRequest } from "./operation.ts";
import { breakChain } from "./own_requests.ts";
import { piecesIn } from "../memory/pieces.ts";
import {
  head,
  prepareAccept,
  prepareCancel,
  prepareClose,
  prepareConnect,
  prepareMessage,
  prepareMessageRing,
  prepareNop,
  preparePoll,
  prepareReadWrite,
  prepareReceiveMultishot,
  prepareShutdown,
  prepareSlice,
  prepareSocket,
  prepareTimeout,
  prepareVectorized,
} from "./prepare.ts";
import type { Memory } from "./request_table.ts";
import { directionOf, domainOf, typeOf } from "../net/socket.ts";
import { noVectors, unsupported } from "./supported.ts";
import { timespecFor } from "./timespec.ts";
import {
  ASYNC_CANCEL,
  OP,
  type OperationName,
  RECVSEND,
  SOCK,
  SQE,
  TIMEOUT,
} from "../kernel/uapi.ts";

// Under names of this file these are compiled into the hot paths; what is imported is looked up, and
// looked at, at each use.
const isNumber32 = isUnsigned32;
const fillNop = prepareNop;

/** How to send a slice in pieces. */
export interface EachOptions {
  /**
   * From the start of one piece to the start of the next, in bytes. Less, or 0 for the same piece
   * again and again, only with a {@linkcode count}.
   *
   * @default {the length}
   */
  readonly stride?: number;
  /**
   * How many pieces.
   *
   * @default {all that the slice has}
   */
  readonly count?: number;
  /** `MSG_*` flags. */
  readonly flags?: number;
}

/** How a timeout counts. */
export interface TimeoutOptions {
  /**
   * Whether that the time ran out is a success, so that what is linked to the timeout starts
   * (`IORING_TIMEOUT_ETIME_SUCCESS`, 5.16). Otherwise it is cancelled then.
   *
   * @default {true}
   */
  readonly etimeSuccess?: boolean;
}

/**
 * Who is told of a request's completions: who reaps, by a number; a notifier; or who awaits it. The
 * public types do not tell of the last, which only the methods of a ring pass.
 */
type Recipient = number | Notifier | AwaitedRequest;

/**
 * The batch API of a {@linkcode Ring}. Each operation prepares one request; {@linkcode submit}
 * gives all that are prepared to the kernel in one call; {@linkcode reap} hands out completions.
 *
 * A request reports either to its `userData`, an unsigned 32-bit number that comes back with the
 * completion, or to a {@linkcode Notifier}, which counts it. A full submission queue submits by
 * itself. A full completion queue loses nothing.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { Ring } from "zclab";
 *
 * using ring = Ring.open({ entries: 8 });
 * for (let i = 0; i < 5; i++) ring.batch.nop(i);
 * ring.batch.submitAndWait(5);
 * const seen: number[] = [];
 * ring.batch.reap((userData) => seen.push(userData));
 * assertEquals(seen, [0, 1, 2, 3, 4]);
 * ```
 */
export class Batch {
  readonly #engine: Engine;
  readonly #owner: object;
  readonly #supported: Uint8Array;
  readonly #zeroCopyFlags: number;
  readonly #sendZc: number;
  readonly #sendZcFixed: number;

  /** Made by the ring. @internal */
  constructor(engine: Engine, owner: object, supported: Uint8Array) {
    this.#engine = engine;
    this.#owner = owner;
    this.#supported = supported;
    this.#zeroCopyFlags = engine.reportsUsage ? RECVSEND.SEND_ZC_REPORT_USAGE : 0;
    this.#sendZc = head(OP.SEND_ZC, 0, this.#zeroCopyFlags);
    this.#sendZcFixed = head(OP.SEND_ZC, 0, this.#zeroCopyFlags | RECVSEND.FIXED_BUF);
  }

  // === Submitting and reaping ===

  /** Requests prepared and not submitted yet. */
  get prepared(): number {
    return this.#engine.prepared;
  }

  /** Requests that have not had their last completion yet. */
  get inFlight(): number {
    return this.#engine.inFlight;
  }

  /**
   * Gives the prepared requests to the kernel, in one call. Never waits.
   *
   * @returns How many were submitted.
   * @throws {UringError} If the kernel refuses.
   * @throws {ClosedError} After close.
   */
  submit(): number {
    return this.#engine.submit(0);
  }

  /**
   * Gives the prepared requests to the kernel and blocks the thread until `count` completions are
   * there to be reaped.
   *
   * @param count How many; at most as many as there are requests in flight. The second completion
   *   of a zero-copy send is not counted upon before the first was reaped.
   * @returns How many requests were submitted.
   * @throws {RangeError} If so many completions may never come.
   * @throws {ClosedError} After close.
   */
  submitAndWait(count: number): number {
    if ((count | 0) !== count) checkCount("submitAndWait", count);
    const engine = this.#engine;
    const missing = count - engine.spilled;
    if (missing > engine.inFlight) ensureReady(engine, count);
    if (missing > engine.queues.cqRoom) return engine.submitAndCollect(missing);
    return engine.submit(missing > 0 ? missing : 0);
  }

  /**
   * Blocks the thread until `count` completions are there, or the time has run out.
   *
   * @returns Whether they are there.
   */
  waitBlocking(count: number, milliseconds: number): boolean {
    checkCount("waitBlocking", count);
    if (typeof milliseconds !== "number") {
      throw wrongKind("milliseconds", "a number", milliseconds);
    }
    const engine = this.#engine;
    engine.ensureOpen();
    const deadline = performance.now() + milliseconds;
    let missing = count - engine.spilled;
    // What the queue has no room for is set aside, or the kernel would be asked for ever.
    while (missing > engine.queues.cqRoom) {
      if (!engine.waitBlocking(engine.queues.cqRoom, deadline - performance.now())) return false;
      engine.settle();
      missing = count - engine.spilled;
    }
    return engine.waitBlocking(missing, deadline - performance.now());
  }

  /**
   * Hands out every completion that is there. Never waits.
   *
   * @param onCompletion Called with the request's user data, the result (bytes or -errno) and the
   *   flags (`IORING_CQE_F_*`). Requests that report to a notifier do not come here.
   * @returns How many completions were seen, those of notifiers included.
   * @throws {ClosedError} After close.
   */
  reap(onCompletion: OnCompletion): number {
    if (typeof onCompletion !== "function") {
      throw new TypeError("reap: the first argument must be a function");
    }
    return this.#engine.reap(onCompletion);
  }

  /**
   * Links the request prepared last to the next one: the next starts when it has succeeded
   * (`IOSQE_IO_LINK`), and is cancelled when it has failed. A send that must not be short takes
   * `MSG_WAITALL` as well. For "wait, then do it" link to a {@linkcode timeout}, whose running out
   * counts as a success (`IORING_TIMEOUT_ETIME_SUCCESS`). When the next request is refused, the chain
   * ends here.
   *
   * The next finds its file when it starts, not when it is submitted: a socket must not be closed,
   * nor unregistered, before, because its descriptor or index may be another's by then.
   *
   * @throws {RangeError} If nothing is prepared that could be linked, or the submission queue is
   *   full: links go to the kernel in one submission.
   * @throws {ClosedError} After close.
   */
  link(): this {
    const { prepared } = this.#engine;
    if (prepared === 0 || prepared === this.#engine.queues.sqEntries) {
      this.#engine.ensureOpen();
      throw new RangeError(
        prepared === 0
          ? "link: no request is prepared that the next one could be linked to"
          : `link: the submission queue has no room for the next of ${prepared} requests, and ` +
            `links must be submitted together: submit before the first of them`,
      );
    }
    this.#engine.sqes[this.#engine.last]! |= SQE.IO_LINK << 8;
    this.#engine.runs.clear();
    return this;
  }

  // === Operations ===

  /**
   * Does nothing (NOP, 5.1).
   *
   * @throws {RangeError} If the user data is not an unsigned 32-bit number.
   */
  nop(userData = 0): this {
    const engine = this.#engine;
    if (isNumber32(userData)) fillNop(engine.sqes, engine.next(), userData, 0);
    else this.#nop(userData);
    return this;
  }

  /** A NOP that is awaited. */
  #nop(request: number | AwaitedRequest): void {
    const engine = this.#engine;
    try {
      const upper = this.#note("NOP", null, false, request);
      prepareNop(engine.sqes, engine.next(), 0, upper);
    } catch (error) {
      this.#refuse(error);
    }
  }

  /**
   * Sends a slice, which the kernel copies (SEND, 5.6).
   *
   * @param target User data, or the notifier that counts it.
   * @param flags `MSG_*`; not MSG_ZEROCOPY, with which the slice would not be free afterwards.
   * @throws {OwnershipError} If the kernel is writing into the slice, or for MSG_ZEROCOPY.
   */
  send(file: Descriptor, slice: Slice, target: Notifier | number = 0, flags = 0): this {
    return this.#slice("SEND", OP.SEND, file, slice, target, flags, 0, 0);
  }

  /**
   * Sends a slice without copying it (SEND_ZC, 6.0); from a registered buffer if the slice's area
   * is registered with this ring. Two completions come if and only if the first one's flags have
   * `IORING_CQE_F_MORE`; the slice is in flight until the last.
   *
   * @param target User data, or the notifier that counts it.
   * @param flags `MSG_*`.
   * @throws {OwnershipError} If the kernel is writing into the slice.
   * @throws {UnsupportedError} Before Linux 6.0.
   */
  sendZc(file: Descriptor, slice: Slice, target: Notifier | number = 0, flags = 0): this {
    this.#require("SEND_ZC");
    const buffer = this.#bufferOf(slice);
    return buffer < 0
      ? this.#slice("SEND_ZC", this.#sendZc, file, slice, target, flags, 0, ZERO_COPY)
      : this.#slice("SEND_ZC", this.#sendZcFixed, file, slice, target, flags, buffer, ZERO_COPY);
  }

  /**
   * Sends a slice in pieces, one request for each (SEND, 5.6), for less than as many calls of
   * {@linkcode send} would cost: the slice is tracked once, and in flight until the last piece is
   * done. What does not fill a piece is not sent.
   *
   * @param length Length of each piece in bytes.
   * @param target The user data of the first piece, which then counts up; or the notifier.
   * @param options Distance of the pieces, and `MSG_*`.
   * @returns How many requests were prepared.
   * @throws {RangeError} If no piece fits, or more than 65 536.
   * @throws {OwnershipError} If the kernel is writing into the slice.
   */
  sendEach(
    file: Descriptor,
    slice: Slice,
    length: number,
    target: Notifier | number = 0,
    options: EachOptions = {},
  ): number {
    return this.#each("SEND", OP.SEND, file, slice, length, target, options, 0, 0);
  }

  /**
   * Like {@linkcode sendEach}, without copying (SEND_ZC, 6.0). See {@linkcode sendZc}.
   *
   * @returns How many requests were prepared.
   */
  sendZcEach(
    file: Descriptor,
    slice: Slice,
    length: number,
    target: Notifier | number = 0,
    options: EachOptions = {},
  ): number {
    this.#require("SEND_ZC");
    const index = this.#bufferOf(slice);
    const word0 = index < 0 ? this.#sendZc : this.#sendZcFixed;
    const buffer = Math.max(0, index);
    return this.#each("SEND_ZC", word0, file, slice, length, target, options, buffer, ZERO_COPY);
  }

  /** Sends a message (SENDMSG, 5.3). */
  sendMsg(file: Descriptor, message: Message, target: Notifier | number = 0, flags = 0): this {
    return this.#message("SENDMSG", file, message, target, flags);
  }

  /** Sends a message without copying it (SENDMSG_ZC, 6.1). See {@linkcode sendZc}. */
  sendMsgZc(file: Descriptor, message: Message, target: Notifier | number = 0, flags = 0): this {
    return this.#message("SENDMSG_ZC", file, message, target, flags);
  }

  /** Sends the slices of a message, without its address (SEND with SEND_VECTORIZED, 6.17). */
  sendVectorized(
    file: Descriptor,
    message: Message,
    target: Notifier | number = 0,
    flags = 0,
  ): this {
    return this.#message("SEND", file, message, target, flags);
  }

  /** Like {@linkcode sendVectorized}, without copying (SEND_ZC with SEND_VECTORIZED, 6.17). */
  sendVectorizedZc(
    file: Descriptor,
    message: Message,
    target: Notifier | number = 0,
    flags = 0,
  ): this {
    return this.#message("SEND_ZC", file, message, target, flags);
  }

  /**
   * Receives into a slice (RECV, 5.6).
   *
   * @throws {OwnershipError} If the slice is in flight.
   */
  recv(file: Descriptor, slice: Slice, userData = 0, flags = 0): this {
    const engine = this.#engine;
    try {
      const fd = this.#find(file);
      if (flags !== 0) checkReceiveFlags("RECV", flags);
      checkKind("slice", Slice, slice);
      const upper = this.#note("RECV", slice, true, userData);
      const word0 = head(OP.RECV, this.#fileFlag(file), 0);
      const low = lowOf(userData);
      prepareSlice(engine.sqes, engine.next(), word0, fd, slice, flags, 0, low, upper);
    } catch (error) {
      this.#refuse(error);
    }
    return this;
  }

  /**
   * Receives a message, and who sent it (RECVMSG, 5.3).
   *
   * @throws {OwnershipError} If one of its slices is in flight.
   */
  recvMsg(file: Descriptor, message: Message, userData = 0, flags = 0): this {
    const { sqes } = this.#engine;
    try {
      const fd = this.#find(file);
      if (flags !== 0) checkReceiveFlags("RECVMSG", flags);
      checkKind("message", Message, message);
      const upper = this.#note("RECVMSG", message, true, userData);
      prepareReceive(message);
      const at = this.#engine.next();
      const flag = this.#fileFlag(file);
      const low = lowOf(userData);
      prepareMessage(sqes, at, OP.RECVMSG, fd, flag, 0, message, flags, low, upper);
    } catch (error) {
      this.#refuse(error);
    }
    return this;
  }

  /**
   * Receives again and again into provided buffers until it is cancelled, they run out (ENOBUFS), or
   * the completion queue is full (RECV with RECV_MULTISHOT, 6.0). It has ended when a completion
   * comes without `IORING_CQE_F_MORE`; who wants more prepares it again. {@linkcode BufferRing.take}
   * turns the flags of a completion into the slice that was filled.
   *
   * @throws {RangeError} If the buffers are another ring's.
   * @throws {ClosedError} If the ring or the buffers were closed.
   */
  recvMultishot(file: Descriptor, buffers: BufferRing, userData = 0): this {
    const { sqes } = this.#engine;
    try {
      const fd = this.#find(file);
      const group = groupFor(buffers, this.#engine);
      const upper = this.#note("RECV", null, false, userData);
      const at = this.#engine.next();
      const flag = this.#fileFlag(file);
      prepareReceiveMultishot(sqes, at, fd, flag, group, lowOf(userData), upper);
    } catch (error) {
      this.#refuse(error);
    }
    return this;
  }

  /**
   * Reads into a slice (READ, 5.6); as a registered buffer if its area is registered with this ring
   * (READ_FIXED, 5.1).
   *
   * @param offset Where in the file, in bytes; -1 is the file's own position.
   */
  read(file: Descriptor, slice: Slice, offset = -1, userData = 0): this {
    return this.#readWrite("READ", file, slice, offset, userData);
  }

  /**
   * Writes a slice (WRITE, 5.6); as a registered buffer if its area is registered with this ring
   * (WRITE_FIXED, 5.1).
   *
   * @param offset Where in the file, in bytes; -1 is the file's own position.
   */
  write(file: Descriptor, slice: Slice, offset = -1, userData = 0): this {
    return this.#readWrite("WRITE", file, slice, offset, userData);
  }

  /** Accepts a connection (ACCEPT, 5.5); the result is the new descriptor. */
  accept(listener: Descriptor, userData = 0): this {
    return this.#accept(listener, userData, false);
  }

  /**
   * Accepts connections until it is cancelled or the completion queue is full (ACCEPT with
   * ACCEPT_MULTISHOT, 5.19). It has ended when a completion comes without `IORING_CQE_F_MORE`, which
   * may be one with a descriptor; who wants more prepares it again.
   */
  acceptMultishot(listener: Descriptor, userData = 0): this {
    return this.#accept(listener, userData, true);
  }

  #accept(listener: Descriptor, userData: number, multishot: boolean): this {
    const { sqes } = this.#engine;
    try {
      const fd = this.#find(listener);
      const upper = this.#note("ACCEPT", null, false, userData);
      const at = this.#engine.next();
      const flag = this.#fileFlag(listener);
      const low = lowOf(userData);
      prepareAccept(sqes, at, fd, flag, multishot, SOCK.CLOEXEC, low, upper);
    } catch (error) {
      this.#refuse(error);
    }
    return this;
  }

  /** Connects a socket without blocking (CONNECT, 5.5). */
  connect(file: Descriptor, address: Address, userData = 0): this {
    const { sqes } = this.#engine;
    try {
      const fd = this.#find(file);
      const { buffer, length } = encodeAddress(address, () => fdOf(file));
      const upper = this.#note("CONNECT", buffer, false, userData);
      const at = this.#engine.next();
      const where = addressOf(buffer);
      const flag = this.#fileFlag(file);
      const data = lowOf(userData);
      prepareConnect(sqes, at, fd, flag, low(where), high(where), length, data, upper);
    } catch (error) {
      this.#refuse(error);
    }
    return this;
  }

  /** Makes a socket in the caller's namespace (SOCKET, 5.19); the result is its descriptor. */
  socket(protocol: "udp" | "tcp", family: 4 | 6 = 4, userData = 0): this {
    const { sqes } = this.#engine;
    try {
      this.#require("SOCKET");
      const type = typeOf(protocol) | SOCK.CLOEXEC;
      const domain = domainOf(family);
      const upper = this.#note("SOCKET", null, false, userData);
      prepareSocket(sqes, this.#engine.next(), domain, type, 0, lowOf(userData), upper);
    } catch (error) {
      this.#refuse(error);
    }
    return this;
  }

  /** Ends sending, receiving or both on a socket (SHUTDOWN, 5.11). */
  shutdown(file: Descriptor, how: "read" | "write" | "both" = "both", userData = 0): this {
    const { sqes } = this.#engine;
    try {
      const fd = this.#find(file);
      const direction = directionOf(how);
      const upper = this.#note("SHUTDOWN", null, false, userData);
      const at = this.#engine.next();
      const flag = this.#fileFlag(file);
      prepareShutdown(sqes, at, fd, flag, direction, lowOf(userData), upper);
    } catch (error) {
      this.#refuse(error);
    }
    return this;
  }

  /**
   * Closes a file descriptor (CLOSE, 5.6), such as the result of {@linkcode accept}. Requests that
   * are pending on it go on, and keep the file open: {@linkcode cancel} them first.
   *
   * @throws {OwnershipError} If it belongs to an object, such as a Socket, which closes it itself.
   */
  closeFile(fd: number, userData = 0): this {
    try {
      ensureUnowned(checkDescriptor(fd));
      const upper = this.#note("CLOSE", null, false, userData);
      prepareClose(this.#engine.sqes, this.#engine.next(), fd, lowOf(userData), upper);
    } catch (error) {
      this.#refuse(error);
    }
    return this;
  }

  /** Waits for events (POLL_ADD, 5.1): `POLLIN` and others; the result is what happened. */
  poll(file: Descriptor, events: number, userData = 0): this {
    const { sqes } = this.#engine;
    try {
      const fd = this.#find(file);
      checkWhole("POLL_ADD: events", events, 0, 0xffff_ffff);
      const upper = this.#note("POLL_ADD", null, false, userData);
      const at = this.#engine.next();
      preparePoll(sqes, at, fd, this.#fileFlag(file), events, lowOf(userData), upper);
    } catch (error) {
      this.#refuse(error);
    }
    return this;
  }

  /**
   * Completes with -ETIME after that many milliseconds (TIMEOUT, 5.4). What is linked to it starts
   * then: that the time ran out is a success (`IORING_TIMEOUT_ETIME_SUCCESS`, 5.16), unless the
   * options say otherwise.
   */
  timeout(milliseconds: number, userData = 0, options: TimeoutOptions = {}): this {
    const { sqes } = this.#engine;
    try {
      checkObject("options", options);
      const { etimeSuccess = this.#engine.timesOutSuccessfully } = options;
      const timespec = timespecFor(milliseconds);
      const upper = this.#note("TIMEOUT", timespec, false, userData);
      const at = this.#engine.next();
      const where = addressOf(timespec);
      const flags = etimeSuccess ? TIMEOUT.ETIME_SUCCESS : 0;
      prepareTimeout(sqes, at, low(where), high(where), flags, lowOf(userData), upper);
    } catch (error) {
      this.#refuse(error);
    }
    return this;
  }

  /**
   * Cancels every request on a file (ASYNC_CANCEL by file, 5.19); the result is how many. A receive
   * that waits for a buffer, and has no request meanwhile, ends at once and is not counted.
   */
  cancel(file: Descriptor, userData = 0): this {
    const { sqes } = this.#engine;
    try {
      const fd = this.#find(file);
      const flags = ASYNC_CANCEL.FD | ASYNC_CANCEL.ALL |
        (this.#fileFlag(file) === 0 ? 0 : ASYNC_CANCEL.FD_FIXED);
      const upper = this.#note("ASYNC_CANCEL", null, false, userData);
      prepareCancel(sqes, this.#engine.next(), fd, flags, lowOf(userData), upper);
      // Who awaits it ends these as well, and counts them.
      if (typeof userData === "number") this.#engine.waits.cancel(fdOf(file));
    } catch (error) {
      this.#refuse(error);
    }
    return this;
  }

  /**
   * Posts a completion into another ring of this process (MSG_RING, 5.18), where
   * {@linkcode reap} hands it out.
   *
   * @param ring The other ring.
   * @param theirUserData What its `reap` gets as user data.
   * @param theirResult What its `reap` gets as result.
   */
  msgRing(ring: RingHandle, theirUserData: number, theirResult: number, userData = 0): this {
    const { sqes } = this.#engine;
    try {
      this.#require("MSG_RING");
      checkWhole("MSG_RING: the other ring's userData", theirUserData, 0, 0xffff_ffff);
      checkWhole("MSG_RING: the other ring's result", theirResult, -0x8000_0000, 0x7fff_ffff);
      const { fd } = openEngineOf(ring);
      const upper = this.#note("MSG_RING", null, false, userData);
      const at = this.#engine.next();
      const low = lowOf(userData);
      prepareMessageRing(sqes, at, fd, theirResult, theirUserData, POSTED, low, upper);
    } catch (error) {
      this.#refuse(error);
    }
    return this;
  }

  static {
    showFacts(Batch, (shown) => shown.#facts());
  }

  #facts(): readonly Fact[] {
    return [["prepared", this.prepared], ["in flight", this.inFlight]];
  }

  // === What they share ===

  /** What is refused ends the chain that it would have belonged to: what comes next is no part of it. */
  #refuse(error: unknown): never {
    breakChain(this.#engine);
    throw error;
  }

  #require(operation: OperationName): void {
    if (this.#supported[OP[operation]] === 0) this.#refuse(unsupported(operation));
  }

  /** Where a file is found: its index in the ring's table, or its descriptor. */
  #find(file: Descriptor): number {
    const index = indexIn(this.#owner, file);
    return index < 0 ? fdOf(file) : index;
  }

  /** The flag that says where. */
  #fileFlag(file: Descriptor): number {
    return indexIn(this.#owner, file) < 0 ? 0 : SQE.FIXED_FILE;
  }

  /**
   * Notes a request with the memory that it uses, and makes room for its entry: what was noted is
   * prepared as well.
   *
   * @param mark {@linkcode ZERO_COPY} or 0.
   * @returns The upper word of its user_data.
   */
  #note(
    name: string,
    memory: Memory,
    writing: boolean,
    recipient: number | AwaitedRequest,
    mark = 0,
  ): number {
    const engine = this.#engine;
    if (typeof recipient === "number") {
      if (!isUnsigned32(recipient)) throw badUserData(recipient);
      return memory === null ? 0 : engine.track(name, memory, writing, BATCH, null) | mark;
    }
    if (!(recipient instanceof AwaitedRequest)) throw badUserData(recipient);
    engine.reserve(recipient.entries);
    return recipient.upper = engine.track(name, memory, writing, TARGET, recipient) | mark;
  }

  /** {@linkcode #note} for a send, which a notifier may count. */
  #noteSend(name: string, memory: Message, recipient: Recipient, mark: number): number {
    if (typeof recipient === "number" || recipient instanceof AwaitedRequest) {
      return this.#note(name, memory, false, recipient, mark);
    }
    // Ownership is checked first: a request that cannot be prepared must not count as attached.
    const generation = currentOf(recipient, this.#engine);
    const upper = this.#engine.track(name, memory, false, TARGET, generation) | mark;
    generation.attach();
    return upper;
  }

  /** The index of a slice's area among the registered ones, or -1. */
  #bufferOf(slice: Slice): number {
    if (!(slice instanceof Slice)) this.#refuse(wrongKind("slice", "a Slice", slice));
    return areaRegistrations(slice.area).indexIn(this.#owner);
  }

  #slice(
    name: string,
    word0: number,
    file: Descriptor,
    slice: Slice,
    target: Recipient,
    msgFlags: number,
    buffer: number,
    mark: number,
  ): this {
    const engine = this.#engine;
    const { sqes } = engine;
    try {
      let fd = indexIn(this.#owner, file);
      if (fd < 0) fd = fdOf(file);
      else word0 |= SQE.FIXED_FILE << 8;
      if (msgFlags !== 0) checkFlagsOf(mark, name, msgFlags);
      if (!(slice instanceof Slice)) throw wrongKind("slice", "a Slice", slice);
      // What experiments do most: #noteSend, written out.
      let upper: number;
      let low = 0;
      if (typeof target === "number") {
        if (!isUnsigned32(target)) throw badUserData(target);
        low = target;
        upper = engine.track(name, slice, false, BATCH, null) | mark;
      } else if (target instanceof AwaitedRequest) {
        upper = this.#note(name, slice, false, target, mark);
      } else {
        const generation = currentOf(target, engine);
        upper = engine.track(name, slice, false, TARGET, generation) | mark;
        generation.attach();
      }
      prepareSlice(sqes, engine.next(), word0, fd, slice, msgFlags, buffer, low, upper);
    } catch (error) {
      this.#refuse(error);
    }
    return this;
  }

  #each(
    name: string,
    word0: number,
    file: Descriptor,
    slice: Slice,
    length: number,
    target: Notifier | number,
    options: EachOptions,
    buffer: number,
    mark: number,
  ): number {
    const engine = this.#engine;
    const start = engine.tail;
    let count = 0;
    let upper = 0;
    let generation: Generation | null = null;
    try {
      checkObject("options", options);
      const { stride = length, flags = 0 } = options;
      count = piecesIn(slice, length, stride, options.count);
      let fd = indexIn(this.#owner, file);
      if (fd < 0) fd = fdOf(file);
      else word0 |= SQE.FIXED_FILE << 8;
      if (flags !== 0) checkFlagsOf(mark, name, flags);
      let userData = 0;
      if (typeof target === "number") {
        userData = target;
        if (!isUnsigned32(userData)) throw badUserData(userData);
        if (userData + count > 2 ** 32) {
          throw new RangeError(
            `${name}: the user data of ${count} requests from ${userData} on does not fit 32 bits`,
          );
        }
      } else generation = currentOf(target, engine);
      const kind = generation === null ? BATCH : TARGET;
      upper = engine.track(name, slice, false, kind, generation) | mark;
      engine.share(upper, count);
      generation?.attach(count);
      // deno-fmt-ignore
      prepareRun(engine, count, word0, fd, addressLow(slice) >>> 0, addressHigh(slice), length, stride,
        flags, buffer, userData, upper);
    } catch (error) {
      if (upper !== 0) {
        const missing = count - ((engine.tail - start) | 0);
        engine.unshare(upper, missing);
        generation?.attach(-missing);
      }
      this.#refuse(error);
    }
    return count;
  }

  /** SENDMSG and SENDMSG_ZC; SEND and SEND_ZC of a vector. */
  #message(
    name: "SENDMSG" | "SENDMSG_ZC" | "SEND" | "SEND_ZC",
    file: Descriptor,
    message: Message,
    target: Recipient,
    msgFlags: number,
  ): this {
    const { sqes } = this.#engine;
    try {
      this.#require(name);
      const isVector = name === "SEND" || name === "SEND_ZC";
      if (isVector && !this.#engine.sendsVectors) throw noVectors();
      const fd = this.#find(file);
      const mark = name === "SENDMSG_ZC" || name === "SEND_ZC" ? ZERO_COPY : 0;
      if (msgFlags !== 0) checkFlagsOf(mark, name, msgFlags);
      checkKind("message", Message, message);
      const upper = this.#noteSend(name, message, target, mark);
      if (!isVector) prepareSend(message);
      const at = this.#engine.next();
      const flag = this.#fileFlag(file);
      const ioprio = mark === 0 ? 0 : this.#zeroCopyFlags;
      const prepare = isVector ? prepareVectorized : prepareMessage;
      prepare(sqes, at, OP[name], fd, flag, ioprio, message, msgFlags, lowOf(target), upper);
    } catch (error) {
      this.#refuse(error);
    }
    return this;
  }

  #readWrite(
    name: "READ" | "WRITE",
    file: Descriptor,
    slice: Slice,
    offset: number,
    userData: number,
  ): this {
    const { sqes } = this.#engine;
    try {
      const fd = this.#find(file);
      checkWhole(`${name}: offset`, offset, -1, Number.MAX_SAFE_INTEGER);
      const buffer = this.#bufferOf(slice);
      const upper = this.#note(name, slice, name === "READ", userData);
      const at = this.#engine.next();
      const flag = this.#fileFlag(file);
      const low = lowOf(userData);
      prepareReadWrite(sqes, at, name, fd, flag, slice, offset, buffer, low, upper);
    } catch (error) {
      this.#refuse(error);
    }
    return this;
  }
}

function checkCount(operation: string, count: number): void {
  checkWhole(`${operation}: count`, count, -0x8000_0000, 0x7fff_ffff);
}

/** Makes sure that so many completions are there already: no more than are in flight will come. */
function ensureReady(engine: Engine, count: number): void {
  engine.ensureOpen();
  if (count <= engine.ready) return;
  throw new RangeError(
    `submitAndWait(${count}) would wait for ever: ${engine.inFlight} requests are in flight ` +
      `and ${engine.ready} completions are ready`,
  );
}

/** The lower word of a request's user_data, which is the caller's. */
function lowOf(recipient: Recipient): number {
  return typeof recipient === "number" ? recipient : 0;
}

/** A send without copying says itself when its memory is free; one that copies cannot. */
function checkFlagsOf(zeroCopy: number, operation: string, flags: number): void {
  if (zeroCopy !== 0) checkFlags(operation, flags);
  else checkSendFlags(operation, flags);
}
