/**
 * An io_uring instance.
 *
 * @module
 */
import type { Address } from "../kernel/address.ts";
import type { Area, Slice } from "../memory/area.ts";
import { checkObject, checkTime, checkWhole, wrongKind } from "../kernel/arguments.ts";
import { Batch, type TimeoutOptions } from "./batch.ts";
import { type BufferRing, emptySlice, providedAfter, providedIn } from "./buffer_ring.ts";
import { checkDescriptor, type Descriptor, fdOf } from "./descriptor.ts";
import { cancelRequestsOn, ensureUnowned } from "../kernel/descriptor.ts";
import { Engine } from "./engine.ts";
import { ENGINE, type RingHandle } from "./ring_handle.ts";
import { ERRNO } from "../kernel/errno.ts";
import { ClosedError, type Explanation } from "../kernel/errors.ts";
import { CLOSED, type Fact, showFacts } from "../kernel/inspection.ts";
import type { Message } from "../net/message.ts";
import { native } from "../kernel/native.ts";
import { currentOf, type Notifier } from "./notifier.ts";
import {
  CompletionStream,
  Operation,
  type OperationOptions,
  quietly,
  type SendZcResult,
  ZeroCopyOperation,
} from "./operation.ts";
import { breakChain } from "./own_requests.ts";
import { type CompletionSize, setUp, type SetupFlag, WANTED_FLAGS } from "./queues.ts";
import { ReceivedPiece } from "./received_piece.ts";
import { RegisteredResources } from "./registered_resources.ts";
import { explainSend } from "../net/send_limits.ts";
import { adopt, isStream, Socket, typeOf } from "../net/socket.ts";
import { supportedOperations } from "./supported.ts";
import { OP, type OperationName, SETUP, SOCK } from "../kernel/uapi.ts";

/** How to open a {@linkcode Ring}. */
export interface RingOptions {
  /**
   * Entries of the submission queue, 1 to 32768; rounded up to a power of two.
   *
   * @default {256}
   */
  readonly entries?: number;
  /**
   * Entries of the completion queue, `entries` to 65536.
   *
   * @default {twice entries}
   */
  readonly completionEntries?: number;
  /**
   * Bytes of a completion. A {@linkcode ZcrxReceiver} needs another.
   *
   * @default {16}
   */
  readonly completionSize?: CompletionSize;
  /** Set-up flags to do without, as if this kernel did not have them. */
  readonly without?: readonly SetupFlag[];
  /**
   * Room for registered areas, 1 to 16384.
   *
   * @default {64}
   */
  readonly registeredBuffers?: number;
  /**
   * Room for registered sockets, 1 to 32768.
   *
   * @default {64}
   */
  readonly registeredFiles?: number;
}

/** How to send. */
export interface SendOptions extends OperationOptions {
  /** `MSG_*` flags; `MSG_WAITALL` sends everything or fails. */
  readonly flags?: number;
}

/** How to send without copying. */
export interface SendZcOptions extends SendOptions {
  /** The notifier that counts the request as well. */
  readonly notifier?: Notifier;
}

const ENOBUFS = -ERRNO.ENOBUFS;
const ECANCELED = -ERRNO.ECANCELED;

/**
 * An io_uring instance with two APIs over one completion queue. {@linkcode Ring.batch}, the batch API,
 * prepares, submits and reaps many requests without allocating: for experiments. The methods of the
 * ring itself, the promise API, return a promise for each operation: for the REPL and notebooks. They
 * submit what one turn of the event loop prepares together, and never block the event loop. An
 * operation has the same name and takes the same arguments on both, except for the last.
 *
 * A ring belongs to the thread that opened it. Every method throws {@linkcode ClosedError} after
 * close; the promises are rejected with it.
 *
 * @example Send and receive
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { Area, Ring, Socket } from "zclab";
 *
 * await using ring = Ring.open();
 * using area = Area.map({ bytes: 8192 });
 * using receiver = Socket.udp().bind({ host: "127.0.0.1", port: 0 });
 * using sender = Socket.udp().connect(receiver.localAddress!);
 *
 * const [outgoing, incoming] = [area.slice(0, 5), area.slice(4096, 100)];
 * outgoing.write(new TextEncoder().encode("hello"));
 * const received = ring.recv(receiver, incoming);
 * assertEquals(await ring.send(sender, outgoing), 5);
 * assertEquals(await received, 5);
 * assertEquals(new TextDecoder().decode(incoming.bytes.subarray(0, 5)), "hello");
 * ```
 */
export class Ring implements Disposable, AsyncDisposable {
  /** The batch API. */
  readonly batch: Batch;
  readonly #engine: Engine;
  readonly #flags: number;
  readonly #supported: Uint8Array;
  readonly #registered: RegisteredResources;

  private constructor(options: RingOptions) {
    checkObject("options", options);
    const { entries = 256, completionEntries, without = [] } = options;
    const { registeredBuffers = 64, registeredFiles = 64, completionSize = 16 } = options;
    if (completionSize !== 16 && completionSize !== 32 && completionSize !== "mixed") {
      throw new RangeError(
        `Ring.open: completionSize must be 16, 32 or "mixed", got ${completionSize}`,
      );
    }
    check("entries", entries, 1, 32768);
    if (completionEntries !== undefined) {
      check("completionEntries", completionEntries, entries, 65536);
    }
    if (!Array.isArray(without)) throw wrongKind("without", "an array of set-up flags", without);
    for (const flag of without) {
      if (!WANTED_FLAGS.some(([name]) => name === flag) && flag !== "COOP_TASKRUN") {
        throw new RangeError(
          `Ring.open: without takes names of set-up flags, got ${Deno.inspect(flag)}`,
        );
      }
    }
    check("registeredBuffers", registeredBuffers, 1, 16384);
    check("registeredFiles", registeredFiles, 1, 32768);
    const wanted = WANTED_FLAGS.map(([name]) => name).filter((name) =>
      !without.includes(name as SetupFlag)
    ) as SetupFlag[];
    const setup = setUp(entries, completionEntries, wanted, completionSize);
    this.#flags = setup.flags;
    try {
      this.#engine = new Engine(setup);
    } catch (error) {
      native().zclab_close(setup.fd);
      throw error;
    }
    this.#supported = supportedOperations(this.#engine);
    this.#registered = new RegisteredResources(
      this.#engine,
      this,
      registeredBuffers,
      registeredFiles,
    );
    this.batch = new Batch(this.#engine, this, this.#supported);
  }

  /**
   * Opens a ring. It asks for SINGLE_ISSUER, DEFER_TASKRUN, NO_SQARRAY, TASKRUN_FLAG and
   * SUBMIT_ALL, and does without what the kernel lacks; {@linkcode flags} says what it got.
   *
   * @throws {RangeError} If a number is out of range.
   * @throws {UringError} If the kernel refuses: EPERM when `kernel.io_uring_disabled` forbids it.
   * @throws {UnsupportedError} If liburing, a compiler for the shim, or Linux 5.11 is missing; or
   *   the kernel lacks the completion size.
   */
  static open(options: RingOptions = {}): Ring {
    return new Ring(options);
  }

  /** The engine under both APIs. @internal */
  get [ENGINE](): object {
    return this.#engine;
  }

  /** The set-up flags that the kernel granted, under their names without `IORING_SETUP_`. */
  get flags(): string[] {
    return Object.entries(SETUP).filter(([, bit]) => (this.#flags & bit) !== 0).map(([name]) =>
      name
    );
  }

  /** Entries of the submission queue. */
  get entries(): number {
    return this.#engine.queues.sqEntries;
  }

  /** Entries of the completion queue; a large completion takes two of them in a mixed one. */
  get completionEntries(): number {
    return this.#engine.queues.cqEntries;
  }

  /** Requests that have not had their last completion yet. */
  get inFlight(): number {
    return this.#engine.inFlight;
  }

  /** Whether {@linkcode close} was called. */
  get closed(): boolean {
    return this.#engine.closed;
  }

  /** Whether this kernel has an operation. */
  supports(operation: OperationName): boolean {
    return this.#supported[OP[operation]] !== 0;
  }

  // === Registering ===

  /**
   * Registers an area as a fixed buffer (its pages are pinned once instead of for each request) or
   * a socket as a fixed file (its look-up is skipped). From then on requests of this ring use it.
   *
   * @returns The index in the ring's table.
   * @throws {UringError} ENOMEM when `RLIMIT_MEMLOCK` does not allow pinning the area.
   * @throws {RangeError} If the table is full, or it is registered already.
   */
  register(what: Area | Socket): number {
    return this.#registered.add(what);
  }

  /**
   * Undoes {@linkcode register}. Submits what is prepared. Requests that have started keep what they
   * use; one that is linked and has not started does not. An area can be unregistered after it was
   * closed; a socket that is closed was unregistered by that.
   *
   * @throws {RangeError} If it is not registered with this ring.
   */
  unregister(what: Area | Socket): void {
    this.#registered.delete(what);
  }

  // === Awaiting ===

  /** Does nothing (NOP, 5.1). */
  nop(options: OperationOptions = {}): Promise<number> {
    return this.#start("NOP", options, asItIs, (to) => this.batch.nop(to));
  }

  /**
   * Sends a slice, which the kernel copies (SEND, 5.6).
   *
   * @returns Bytes sent.
   * @throws {UringError} If sending fails: ECONNREFUSED, ECONNRESET, EPIPE, ...
   * @throws {OwnershipError} If the kernel is writing into the slice.
   */
  send(file: Descriptor, slice: Slice, options: SendOptions = {}): Promise<number> {
    return this.#startSend("SEND", file, slice, options, (to) => {
      this.batch.send(file, slice, to, options.flags ?? 0);
    });
  }

  /**
   * Sends a slice without copying it (SEND_ZC, 6.0). The promise resolves when the kernel has
   * accepted the data; the slice stays in flight until `released` resolves, which for TCP is when
   * the peer has acknowledged it. Do not wait for that before the next send.
   *
   * @throws {UringError} If sending fails.
   * @throws {OwnershipError} If the kernel is writing into the slice.
   * @throws {UnsupportedError} Before Linux 6.0.
   */
  sendZc(file: Descriptor, slice: Slice, options: SendZcOptions = {}): Promise<SendZcResult> {
    return this.#startZeroCopy("SEND_ZC", file, slice, options, (to) => {
      this.batch.sendZc(file, slice, to, options.flags ?? 0);
    });
  }

  /** Sends a message (SENDMSG, 5.3). See {@linkcode send}. */
  sendMsg(file: Descriptor, message: Message, options: SendOptions = {}): Promise<number> {
    return this.#startSend("SENDMSG", file, message, options, (to) => {
      this.batch.sendMsg(file, message, to, options.flags ?? 0);
    });
  }

  /** Sends a message without copying it (SENDMSG_ZC, 6.1). See {@linkcode sendZc}. */
  sendMsgZc(
    file: Descriptor,
    message: Message,
    options: SendZcOptions = {},
  ): Promise<SendZcResult> {
    return this.#startZeroCopy("SENDMSG_ZC", file, message, options, (to) => {
      this.batch.sendMsgZc(file, message, to, options.flags ?? 0);
    });
  }

  /** Sends the slices of a message, without its address (SEND_VECTORIZED, 6.17). */
  sendVectorized(file: Descriptor, message: Message, options: SendOptions = {}): Promise<number> {
    return this.#startSend("SEND", file, message, options, (to) => {
      this.batch.sendVectorized(file, message, to, options.flags ?? 0);
    });
  }

  /** Like {@linkcode sendVectorized}, without copying (6.17). See {@linkcode sendZc}. */
  sendVectorizedZc(
    file: Descriptor,
    message: Message,
    options: SendZcOptions = {},
  ): Promise<SendZcResult> {
    return this.#startZeroCopy("SEND_ZC", file, message, options, (to) => {
      this.batch.sendVectorizedZc(file, message, to, options.flags ?? 0);
    });
  }

  /**
   * Receives into a slice (RECV, 5.6). What of a datagram does not fit is lost; with `MSG.TRUNC` the
   * result is the datagram's whole length.
   *
   * @returns Bytes received; 0 at the end of a TCP stream, and for a datagram without content.
   * @throws {UringError} If the connection failed: ECONNRESET, ...
   * @throws {OwnershipError} If the slice is in flight.
   */
  recv(file: Descriptor, slice: Slice, options: SendOptions = {}): Promise<number> {
    return this.#start("RECV", options, asItIs, (to) => {
      this.batch.recv(file, slice, to, options.flags ?? 0);
    });
  }

  /** Receives a message, who sent it, and whether it was cut (RECVMSG, 5.3). */
  recvMsg(file: Descriptor, message: Message, options: SendOptions = {}): Promise<number> {
    return this.#start("RECVMSG", options, asItIs, (to) => {
      this.batch.recvMsg(file, message, to, options.flags ?? 0);
    });
  }

  /**
   * Receives piece after piece into provided buffers with one request (RECV with RECV_MULTISHOT,
   * 6.0), until the end of a TCP stream or until the loop is left. When no buffer is free it waits
   * until one is released. A datagram without content
   * is a piece of 0 bytes, and of one that is longer than a buffer the rest is lost.
   *
   * @throws {UringError} If the connection failed; ECANCELED if the socket was closed, or what is
   *   pending on it cancelled.
   * @throws {RangeError} If the buffers are another ring's.
   * @throws {ClosedError} If the ring or the buffers were closed.
   */
  async *recvMultishot(file: Descriptor, buffers: BufferRing): AsyncGenerator<ReceivedPiece> {
    while (true) {
      const stream = this.#stream("RECV", (to) => this.batch.recvMultishot(file, buffers, to));
      const provided = providedIn(buffers);
      let isExhausted = false;
      try {
        for (
          let completion = await stream.next();
          completion !== undefined;
          completion = await stream.next()
        ) {
          const { result, flags } = completion;
          if (result === ENOBUFS) {
            isExhausted = true;
            break;
          }
          if (result < 0) throw stream.error(result);
          const slice = buffers.take(flags, result);
          if (buffers.closed) throw new ClosedError("BufferRing");
          if (result === 0 && isStream(fdOf(file))) {
            if (slice !== undefined) buffers.release(slice);
            return;
          }
          yield slice === undefined
            ? new ReceivedPiece(emptySlice(buffers))
            : new ReceivedPiece(slice, buffers);
        }
      } finally {
        await stream.cancel((result, flags) => {
          const slice = buffers.take(flags, result);
          if (slice !== undefined) buffers.release(slice);
        });
      }
      // It has ended otherwise when the completion queue was full, or after an empty datagram.
      if (!isExhausted) continue;
      const { waits } = this.#engine;
      const isCancelled = await waits.waitFor(providedAfter(buffers, provided), fdOf(file));
      if (isCancelled) throw stream.error(ECANCELED);
    }
  }

  /** Reads into a slice (READ, 5.6; READ_FIXED if registered); -1 is the file's own position. */
  read(
    file: Descriptor,
    slice: Slice,
    offset = -1,
    options: OperationOptions = {},
  ): Promise<number> {
    return this.#start("READ", options, asItIs, (to) => this.batch.read(file, slice, offset, to));
  }

  /** Writes a slice (WRITE, 5.6; WRITE_FIXED if registered); -1 is the file's own position. */
  write(
    file: Descriptor,
    slice: Slice,
    offset = -1,
    options: OperationOptions = {},
  ): Promise<number> {
    return this.#start("WRITE", options, asItIs, (to) => this.batch.write(file, slice, offset, to));
  }

  /** Accepts a connection (ACCEPT, 5.5). */
  accept(listener: Socket, options: OperationOptions = {}): Promise<Socket> {
    const socketOf = (fd: number): Socket => adopt(fd, SOCK.STREAM, listener.family);
    return this.#start("ACCEPT", options, socketOf, (to) => this.batch.accept(listener, to));
  }

  /**
   * Accepts connection after connection with one request (ACCEPT_MULTISHOT, 5.19), until the loop is
   * left.
   *
   * @throws {UringError} ECANCELED if the listener was closed; EMFILE when the process has no
   *   descriptor left.
   * @throws {ClosedError} If the ring was closed.
   */
  async *acceptMultishot(listener: Socket): AsyncGenerator<Socket> {
    while (true) {
      const stream = this.#stream("ACCEPT", (to) => this.batch.acceptMultishot(listener, to));
      try {
        // It ends without an error when the completion queue was full.
        for (
          let completion = await stream.next();
          completion !== undefined;
          completion = await stream.next()
        ) {
          if (completion.result < 0) throw stream.error(completion.result);
          yield adopt(completion.result, SOCK.STREAM, listener.family);
        }
      } finally {
        await stream.cancel((result) => {
          if (result >= 0) native().zclab_close(result);
        });
      }
    }
  }

  /** Connects a socket without blocking (CONNECT, 5.5). */
  connect(file: Descriptor, address: Address, options: OperationOptions = {}): Promise<void> {
    return this.#start("CONNECT", options, asNothing, (to) => {
      this.batch.connect(file, address, to);
    });
  }

  /** Makes a socket in the caller's namespace (SOCKET, 5.19). */
  socket(
    protocol: "udp" | "tcp",
    family: 4 | 6 = 4,
    options: OperationOptions = {},
  ): Promise<Socket> {
    const socketOf = (fd: number): Socket => adopt(fd, typeOf(protocol), family);
    return this.#start("SOCKET", options, socketOf, (to) => {
      this.batch.socket(protocol, family, to);
    });
  }

  /** Ends sending, receiving or both on a socket (SHUTDOWN, 5.11). */
  shutdown(
    file: Descriptor,
    how: "read" | "write" | "both" = "both",
    options: OperationOptions = {},
  ): Promise<void> {
    return this.#start("SHUTDOWN", options, asNothing, (to) => this.batch.shutdown(file, how, to));
  }

  /**
   * Closes a file descriptor (CLOSE, 5.6). What this thread's rings have pending on it is cancelled.
   *
   * @throws {OwnershipError} If it belongs to an object, such as a {@linkcode Socket}, which closes it
   *   itself.
   */
  closeFile(fd: number, options: OperationOptions = {}): Promise<void> {
    return this.#start("CLOSE", options, asNothing, (to) => {
      this.#engine.ensureOpen();
      ensureUnowned(checkDescriptor(fd));
      cancelRequestsOn(fd);
      this.batch.closeFile(fd, to);
    });
  }

  /** Waits for events (POLL_ADD, 5.1): `POLLIN` and others. Resolves to what happened. */
  poll(file: Descriptor, events: number, options: OperationOptions = {}): Promise<number> {
    return this.#start("POLL_ADD", options, asItIs, (to) => this.batch.poll(file, events, to));
  }

  /**
   * Resolves after that many milliseconds (TIMEOUT, 5.4). What is linked to it starts then, unless the
   * options say otherwise.
   */
  timeout(milliseconds: number, options: OperationOptions & TimeoutOptions = {}): Promise<void> {
    return this.#start("TIMEOUT", options, asNothing, (to) => {
      this.batch.timeout(milliseconds, to, options);
    });
  }

  /**
   * Cancels every request on a file (ASYNC_CANCEL by file, 5.19), and multishot receives that wait
   * for a buffer. Resolves to how many.
   */
  cancel(file: Descriptor, options: OperationOptions = {}): Promise<number> {
    let waiting = 0;
    return this.#start("ASYNC_CANCEL", options, (cancelled) => cancelled + waiting, (to) => {
      this.batch.cancel(file, to);
      waiting = this.#engine.waits.cancel(fdOf(file));
    });
  }

  /**
   * Posts a completion into another ring of this process (MSG_RING, 5.18), where `batch.reap` hands
   * it out.
   *
   * @param ring The other ring.
   * @param theirUserData What its `reap` gets as user data.
   * @param theirResult What its `reap` gets as result.
   */
  msgRing(
    ring: RingHandle,
    theirUserData: number,
    theirResult: number,
    options: OperationOptions = {},
  ): Promise<void> {
    return this.#start("MSG_RING", options, asNothing, (to) => {
      this.batch.msgRing(ring, theirUserData, theirResult, to);
    });
  }

  #start<T>(
    name: OperationName,
    options: OperationOptions,
    convert: (result: number) => T,
    prepare: (to: number) => void,
  ): Promise<T> {
    return this.#begin(() => new Operation(this.#engine, name, options, convert), prepare);
  }

  #startSend(
    name: "SEND" | "SENDMSG",
    file: Descriptor,
    memory: Slice | Message,
    options: SendOptions,
    prepare: (to: number) => void,
  ): Promise<number> {
    return this.#begin(() => {
      const operation = new Operation(this.#engine, name, options, asItIs);
      operation.explain = (errno) => explain(file, errno, memory);
      return operation;
    }, prepare);
  }

  #startZeroCopy(
    name: "SEND_ZC" | "SENDMSG_ZC",
    file: Descriptor,
    memory: Slice | Message,
    options: SendZcOptions,
    prepare: (to: number) => void,
  ): Promise<SendZcResult> {
    return this.#begin(() => {
      const operation = new ZeroCopyOperation(this.#engine, name, options);
      const { notifier } = options;
      if (notifier !== undefined) operation.generation = currentOf(notifier, this.#engine);
      operation.explain = (errno) => explain(file, errno, memory);
      return operation;
    }, prepare);
  }

  /**
   * Starts an operation. A method of the batch prepares its request, and takes the operation in place
   * of user data.
   */
  #begin<T>(make: () => Operation<T>, prepare: (to: number) => void): Promise<T> {
    try {
      const operation = make();
      prepare(operation as never);
      operation.start();
      return operation.promise;
    } catch (error) {
      breakChain(this.#engine);
      return quietly(() => Promise.reject(error));
    }
  }

  /** Starts a request with many completions, as {@linkcode #begin} does. */
  #stream(name: OperationName, prepare: (to: number) => void): CompletionStream {
    const stream = new CompletionStream(this.#engine, name);
    prepare(stream as never);
    this.#engine.submitSoon();
    return stream;
  }

  // === Closing ===

  /**
   * Cancels what can be cancelled, waits for what is in flight, and gives everything back. Blocks
   * the thread; `await using` waits without blocking. Idempotent.
   *
   * @param timeout How long to wait at most, in milliseconds; 1000 by default.
   * @returns How many requests the kernel still had: their memory stays mapped and in flight.
   */
  close(timeout = 1000): number {
    checkTime("Ring.close: timeout", timeout);
    return this.#engine.close(timeout);
  }

  /** Closes the ring. */
  [Symbol.dispose](): void {
    this.close();
  }

  /** Closes the ring; waits for what is in flight without blocking the event loop. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#engine.drain(1000);
    this.close(0);
  }

  static {
    showFacts(Ring, (shown) => shown.#facts(), (shown) => shown.#more());
  }

  #facts(): readonly Fact[] {
    if (this.closed) return CLOSED;
    return [
      ["entries", this.entries],
      ["completion entries", this.completionEntries],
      ["flags", this.flags.join(" | ")],
      ["in flight", this.inFlight],
    ];
  }

  /** What only a table has room for. */
  #more(): readonly Fact[] {
    return this.closed ? [] : [["prepared", this.batch.prepared]];
  }
}

function check(name: string, value: number, least: number, most: number): void {
  checkWhole(`Ring.open: ${name}`, value, least, most);
}

/** Why a send failed, where the limits of its socket explain it. */
function explain(file: Descriptor, errno: number, memory: Slice | Message): Partial<Explanation> {
  return file instanceof Socket && !file.closed ? explainSend(file, errno, memory.length) : {};
}

/** The result of the kernel, for who wants it as it is. */
function asItIs(result: number): number {
  return result;
}

/** For who wants to know only that it has succeeded. */
function asNothing(): void {}
