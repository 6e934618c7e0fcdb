/**
 * Receives from their start to their end: over how many requests, when one starts again, and where
 * its pieces go.
 *
 * @module
 */
import { ERRNO } from "../kernel/errno.ts";
import { ClosedError } from "../kernel/errors.ts";
import { SQE } from "../kernel/uapi.ts";
import { Socket } from "../net/socket.ts";
import { type Descriptor, fdOf, indexIn } from "../ring/descriptor.ts";
import type { Engine } from "../ring/engine.ts";
import { cancelRequest } from "../ring/own_requests.ts";
import { engineOf, type RingHandle } from "../ring/ring_handle.ts";
import { SLOT_MASK, TARGET } from "../ring/user_data.ts";
import { prepareReceiveZeroCopy } from "../ring/prepare.ts";
import type { Target } from "../ring/target.ts";
import type { ArrivalQueue } from "./arrival_queue.ts";
import type { PieceTable } from "./piece_table.ts";
import { explainEnd } from "./refusals.ts";
import type { SharedReceiver } from "./shared.ts";

const EINTR = -ERRNO.EINTR;
const EAGAIN = -ERRNO.EAGAIN;
const ENOMEM = -ERRNO.ENOMEM;
const ENOSPC = -ERRNO.ENOSPC;
const ECANCELED = -ERRNO.ECANCELED;
/** Bytes of one request at most; a longer limit takes several. */
const LARGEST_PART = 0xffff_f000;
/** Milliseconds after which a receive gives up that gets no buffer although the program holds none. */
const STARVED_FOR = 1000;

/** One receive: from its start to its end, over all requests that it takes. */
export class Reception {
  readonly number: number;
  readonly file: Descriptor;
  readonly userData: number;
  /** Pieces that the loop has not had yet, or undefined on the batch API. */
  readonly stream: number[] | undefined;
  /** Bytes that may still come, and those of them that the request may bring. */
  left: number;
  part = 0;
  received = 0;
  /** The upper word of the request that runs, and whether one runs. */
  upper = 0;
  armed = false;
  /** Whether the program has cancelled it; and whether its pieces interest nobody any more. */
  stopping = false;
  discarding = false;
  ended = false;
  error: unknown;
  /** When it ran out of buffers first, after how many bytes; and what had come back by then. */
  starved = false;
  starvedSince = 0;
  starvedAfter = -1;
  returned = -1;
  wake: (() => void) | undefined;

  constructor(number: number, file: Descriptor, userData: number, left: number, stream?: number[]) {
    this.number = number;
    this.file = file;
    this.userData = userData;
    this.left = left;
    this.stream = stream;
  }
}

/** What receives stand on: their registration and its number, and where pieces go. */
export interface ReceptionsOptions {
  readonly id: number;
  readonly shared: SharedReceiver;
  /** What the program holds: pieces for a loop are noted at once. */
  readonly pieces: PieceTable;
  /** What the batch API has not had yet: its pieces, and its ends. */
  readonly arrived: ArrivalQueue;
}

/** The receives of a receiver. */
export class Receptions {
  /** The socket that was received from last. */
  socket: Socket | undefined;
  /** Pieces received, and their bytes. */
  count = 0;
  bytes = 0;
  /** Receives that were started again because the completion queue was full. */
  queueFull = 0;
  /** Receives that were started again because no buffer was free to copy into. */
  starved = 0;
  readonly #ring: RingHandle;
  readonly #engine: Engine;
  readonly #shared: SharedReceiver;
  readonly #id: number;
  readonly #pieces: PieceTable;
  readonly #arrived: ArrivalQueue;
  /** The ring's memory, where the offsets of completions are. */
  readonly #words: Int32Array;
  /** Who is told of the completions of our requests. */
  readonly #target: Target = {
    complete: (result, _flags, slot, final) => this.#complete(result, slot, final),
    completeRun: (first, end, upper) => this.#completeRun(first, end, upper),
    fail: (error) => this.fail(error),
  };
  /** Receives by the slots of their requests, and all that have not ended. */
  readonly #bySlot: (Reception | undefined)[] = [];
  readonly #live = new Map<number, Reception>();
  /** Receives of the batch API that must be started again. */
  #again: Reception[] = [];
  #numbers = 0;
  #closed = false;

  constructor(ring: RingHandle, { id, shared, pieces, arrived }: ReceptionsOptions) {
    this.#ring = ring;
    this.#engine = engineOf(ring);
    this.#shared = shared;
    this.#id = id;
    this.#pieces = pieces;
    this.#arrived = arrived;
    this.#words = this.#engine.queues.ring;
  }

  /** How many receives of the batch API must be started again: {@linkcode resumeAll}. */
  get waiting(): number {
    return this.#again.length;
  }

  // === Starting and stopping ===

  /**
   * Starts one.
   *
   * @param bytes Its limit, if it has one.
   * @param stream Where its pieces go; without it they go to the batch API.
   * @throws {RangeError} If the limit is not a positive whole number.
   */
  begin(
    file: Descriptor,
    userData: number,
    bytes: number | undefined,
    stream?: number[],
  ): Reception {
    if (bytes !== undefined && (!Number.isSafeInteger(bytes) || bytes <= 0)) {
      throw new RangeError(`A limit of bytes is a positive whole number, got ${bytes}`);
    }
    const number = this.#numbers = (this.#numbers + 1) & 0x7fff_ffff;
    const reception = new Reception(number, file, userData, bytes ?? Infinity, stream);
    this.#arm(reception);
    this.#live.set(number, reception);
    if (file instanceof Socket) this.socket = file;
    return reception;
  }

  #arm(reception: Reception): void {
    const { file } = reception;
    const engine = this.#engine;
    const fixed = indexIn(this.#ring, file);
    const fd = fixed < 0 ? fdOf(file) : fixed;
    const flag = fixed < 0 ? 0 : SQE.FIXED_FILE;
    const upper = engine.track("RECV_ZC", null, false, TARGET, this.#target);
    reception.part = Math.min(
      reception.left,
      reception.left === Infinity ? Infinity : LARGEST_PART,
    );
    reception.upper = upper;
    reception.armed = true;
    reception.starved = false;
    this.#bySlot[upper & SLOT_MASK] = reception;
    const limit = reception.part === Infinity ? 0 : reception.part;
    const at = engine.next();
    prepareReceiveZeroCopy(engine.sqes, at, fd, flag, limit, this.#id, 0, upper);
  }

  /** Cancels one. Pieces may still come; it ends without error. */
  stop(reception: Reception): void {
    if (reception.ended) return;
    reception.stopping = true;
    if (reception.armed) cancelRequest(this.#engine, reception.upper);
    else this.#finish(reception, undefined);
  }

  /** The receive of a number that has not ended. */
  live(number: number): Reception | undefined {
    return this.#live.get(number);
  }

  /** Forgets a receive of the batch API, whose end has come out of the queue. */
  takeEnd(number: number): Reception {
    const reception = this.#live.get(number)!;
    this.#live.delete(number);
    return reception;
  }

  // === Completions ===

  /** A completion of one of our requests. */
  #complete(result: number, slot: number, final: boolean): void {
    const reception = this.#bySlot[slot]!;
    if (final) {
      this.#bySlot[slot] = undefined;
      reception.armed = false;
      this.#ended(reception, result);
      return;
    }
    const at = this.#engine.extra;
    const low = this.#words[at]!;
    const high = this.#words[at + 1]!;
    this.#took(reception, 1, result);
    if (this.#closed || reception.discarding) this.#shared.releasePiece(low, high, result);
    else if (reception.stream === undefined) {
      this.#arrived.push(low, high, result, reception.userData);
    } else {
      reception.stream.push(this.#pieces.take(low, high, result));
      reception.wake?.();
    }
  }

  /** Completions of one of our requests that are pieces; returns how many. */
  #completeRun(first: number, end: number, upper: number): number {
    const { completions, cqEntries } = this.#engine.queues;
    const mask = cqEntries - 1;
    const slot = upper & SLOT_MASK;
    const reception = this.#bySlot[slot]!;
    if (this.#closed || reception.discarding || reception.stream !== undefined) {
      this.#complete(completions[(first & mask) << 3 | 2]!, slot, false);
      return 1;
    }
    const { userData } = reception;
    const count = this.#arrived.pushRun(completions, mask, first, end, upper, userData);
    this.#took(reception, count, this.#arrived.runBytes);
    return count;
  }

  /** Counts pieces. */
  #took(reception: Reception, count: number, bytes: number): void {
    reception.received += bytes;
    reception.left -= bytes;
    reception.part -= bytes;
    this.count += count;
    this.bytes += bytes;
    this.#shared.taken += count;
  }

  /** A request has had its last completion: it is over, or has to be started again. */
  #ended(reception: Reception, result: number): void {
    if (this.#closed || reception.discarding || reception.stopping) {
      this.#finish(reception, undefined);
      return;
    }
    switch (result) {
      case 0:
        // Only the limit of this request, or the end of the stream?
        if (reception.part > 0 || reception.left === 0) this.#finish(reception, undefined);
        else this.#startAgain(reception);
        return;
      case ENOSPC:
        this.queueFull++;
        this.#startAgain(reception);
        return;
      case ENOMEM:
        // Into a dma-buf the kernel cannot copy: this data will never find a place.
        if (this.#shared.isDmaBuf) break;
        this.#starve(reception);
        return;
      case EINTR:
      case EAGAIN:
        this.#startAgain(reception);
        return;
      case ECANCELED:
        break;
    }
    this.#finish(reception, explainEnd(-result, this.#shared.isDmaBuf));
  }

  #starve(reception: Reception): void {
    this.starved++;
    this.#shared.flushEarly();
    reception.starved = true;
    reception.returned = this.#shared.returned;
    if (reception.starvedAfter !== reception.received) {
      reception.starvedAfter = reception.received;
      reception.starvedSince = performance.now();
    }
    this.#startAgain(reception);
  }

  #startAgain(reception: Reception): void {
    if (reception.stream === undefined) this.#again.push(reception);
    else reception.wake?.();
  }

  #finish(reception: Reception, error: unknown): void {
    if (reception.ended) return;
    reception.ended = true;
    reception.error = error;
    if (reception.stream === undefined) this.#arrived.pushEnd(reception.number);
    else {
      this.#live.delete(reception.number);
      reception.wake?.();
    }
  }

  /** Starts again what was interrupted, as far as it would find a buffer. */
  resumeAll(): void {
    const waiting = this.#again;
    this.#again = [];
    for (const reception of waiting) {
      if (!reception.ended && !this.resume(reception)) this.#again.push(reception);
    }
    if (this.#engine.prepared > 0) this.#engine.submit(0);
  }

  /** Starts a receive again, unless it would find no buffer; returns whether anything changed. */
  resume(reception: Reception): boolean {
    try {
      this.#shared.drain();
      if (reception.starved && !this.#mayFindBuffer(reception)) return reception.ended;
      this.#arm(reception);
    } catch (error) {
      this.#finish(reception, error);
    }
    return true;
  }

  #mayFindBuffer(reception: Reception): boolean {
    const shared = this.#shared;
    const freed = shared.flush() > 0;
    if (freed || shared.returned !== reception.returned) return true;
    if (shared.held > 0) return false;
    if (performance.now() - reception.starvedSince < STARVED_FOR) return true;
    this.#finish(reception, explainEnd(-ENOMEM, false));
    return false;
  }

  /** The ring failed or was closed. */
  fail(error: unknown): void {
    for (const reception of this.#live.values()) {
      reception.armed = false;
      this.#finish(reception, error);
    }
  }

  // === Waiting in a loop ===

  /** Waits for the next completion of a receive. */
  async arrival(reception: Reception): Promise<void> {
    this.#engine.watch();
    try {
      await new Promise<void>((resolve) => reception.wake = resolve);
    } finally {
      reception.wake = undefined;
      this.#engine.unwatch();
    }
  }

  /** Waits until a receive that ran out of buffers may find one, or ends. */
  async mayResume(reception: Reception): Promise<void> {
    // While the program holds pieces only those can help; else the NIC may let go of some.
    const chance = this.#shared.held > 0
      ? this.#shared.whenReturned()
      : new Promise((resolve) => setTimeout(resolve, 1));
    try {
      await Promise.race([chance, new Promise<void>((resolve) => reception.wake = resolve)]);
    } finally {
      reception.wake = undefined;
    }
  }

  /** Cancels a receive whose loop was left, and waits for its end. */
  async abandon(reception: Reception): Promise<void> {
    reception.discarding = true;
    this.stop(reception);
    while (reception.armed && !this.#closed) await this.arrival(reception);
  }

  // === Closing ===

  /**
   * Cancels all and blocks the thread until they have ended, or the time has run out.
   *
   * @param timeout In milliseconds.
   */
  close(timeout: number): void {
    const receptions = [...this.#live.values()];
    this.#closed = true;
    try {
      this.#cancelAll(receptions, timeout);
    } finally {
      for (const reception of receptions) {
        this.#finish(reception, new ClosedError("ZcrxReceiver"));
      }
    }
  }

  #cancelAll(receptions: readonly Reception[], timeout: number): void {
    const engine = this.#engine;
    const deadline = performance.now() + timeout;
    for (const reception of receptions) {
      reception.discarding = true;
      if (reception.armed) cancelRequest(engine, reception.upper);
    }
    if (engine.prepared > 0) engine.submit(0);
    engine.settle();
    while (receptions.some(({ armed }) => armed) && !engine.closed) {
      const left = deadline - performance.now();
      if (left <= 0 || !engine.waitBlocking(1, left)) return;
      engine.settle();
    }
  }

  /** The ring was closed: nothing comes any more. */
  afterRing(error: unknown): void {
    this.#closed = true;
    this.fail(error);
  }

  /** Forgets all of them. */
  clear(): void {
    this.#live.clear();
    this.#again = [];
  }
}
