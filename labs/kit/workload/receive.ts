/**
 * The receive workload: one TCP stream, received in one of several ways, as fast as it goes. Each way
 * blocks the thread and compares what it receives with the stream.
 *
 * @module
 */
import { ERRNO } from "../../../ffi/kernel/errno.ts";
import type { Area } from "../../../ffi/memory/area.ts";
import { BufferRing } from "../../../ffi/ring/buffer_ring.ts";
import { now } from "../../../ffi/kernel/clock.ts";
import { UringError } from "../../../ffi/kernel/errors.ts";
import type { Ring } from "../../../ffi/ring/ring.ts";
import type { Socket } from "../../../ffi/net/socket.ts";
import { threadCpuSeconds } from "../../../ffi/kernel/thread.ts";
import { CQE } from "../../../ffi/kernel/uapi.ts";
import type { ZcrxReceiver } from "../../../ffi/zcrx/receiver.ts";
import { matchesStream, matchesWhole } from "./stream.ts";

/** What to receive. */
export interface ReceiveOptions {
  /** Length of the stream in bytes, less than 2^31. */
  readonly bytes: number;
  /**
   * Whether to compare every byte, or of each piece the first and the last 8.
   *
   * @default {false}
   */
  readonly whole?: boolean;
  /** Called when everything is prepared and the time begins: lets the sender start. */
  readonly onReady?: () => void;
  /** Told of each piece: where it is in the memory, and its length. */
  readonly onPiece?: (offset: number, length: number) => void;
}

/** What came of it. */
export type Received = {
  /** Bytes received. */
  readonly bytes: number;
  /** Pieces that they came in. */
  readonly pieces: number;
  /** From the first request to the last byte, in seconds. */
  readonly seconds: number;
  /** Bytes for each second. */
  readonly bytesPerSecond: number;
  /** CPU time of the receiving thread in that time, in seconds. */
  readonly cpuSeconds: number;
  /** The same for each MiB received. */
  readonly cpuSecondsPerMiB: number;
  /** Bytes that the kernel says it copied to where they were received; null where it does not say. */
  readonly copiedBytes: number | null;
};

const MIB = 1 << 20;

/** Milliseconds without anything new after which a stream counts as stuck. */
const STUCK_MILLISECONDS = 30_000;

/** Follows one stream. */
class Tally {
  received = 0;
  pieces = 0;
  readonly #options: ReceiveOptions;
  readonly #matches: typeof matchesStream;
  #cpuStart = 0;
  #start = 0;

  constructor(options: ReceiveOptions) {
    this.#options = options;
    this.#matches = options.whole === true ? matchesWhole : matchesStream;
  }

  get complete(): boolean {
    return this.received >= this.#options.bytes;
  }

  begin(): void {
    this.#cpuStart = threadCpuSeconds();
    this.#start = now();
    this.#options.onReady?.();
  }

  take(view: DataView, at: number, length: number): void {
    if (!this.#matches(view, at, length, this.received)) throw wrongPiece(this.received);
    this.received += length;
    this.pieces++;
    this.#options.onPiece?.(at, length);
  }

  /** Takes the pieces that a receiver shows. */
  takeShown(receiver: ZcrxReceiver, view: DataView, count: number): void {
    const matches = this.#matches;
    const { onPiece } = this.#options;
    let { received } = this;
    for (let i = 0; i < count; i++) {
      const at = receiver.offsetAt(i);
      const length = receiver.lengthAt(i);
      if (!matches(view, at, length, received)) throw wrongPiece(received);
      received += length;
      if (onPiece !== undefined) onPiece(at, length);
    }
    this.received = received;
    this.pieces += count;
  }

  end(): Omit<Received, "copiedBytes"> {
    const seconds = (now() - this.#start) / 1000;
    const cpuSeconds = threadCpuSeconds() - this.#cpuStart;
    const { bytes } = this.#options;
    if (this.received !== bytes) {
      throw new Error(`The stream has ${this.received} bytes, not ${bytes}`);
    }
    return {
      bytes,
      pieces: this.pieces,
      seconds,
      bytesPerSecond: bytes / seconds,
      cpuSeconds,
      cpuSecondsPerMiB: cpuSeconds / (bytes / MIB),
    };
  }

  stuck(): Error {
    return new Error(`The stream is stuck after ${this.received} of ${this.#options.bytes} bytes`);
  }
}

/**
 * Receives by one request after another, into the same memory (RECV, 5.6). The kernel copies.
 *
 * @param ring The ring.
 * @param socket A connected TCP socket.
 * @param area Where to; each request takes as much as it has.
 * @param options The stream.
 * @returns What came of it.
 * @throws {UringError} If receiving failed.
 * @throws {Error} If what is received is not the stream.
 */
export function receiveCopying(
  ring: Ring,
  socket: Socket,
  area: Area,
  options: ReceiveOptions,
): Received {
  const { batch } = ring;
  const view = viewOf(area);
  const tally = new Tally(options);
  const slice = area.slice(0, area.bytes);
  let result = 0;
  const onCompletion = (_userData: number, value: number): void => {
    result = value;
  };
  tally.begin();
  while (!tally.complete) {
    batch.recv(socket, slice).submit();
    if (!batch.waitBlocking(1, STUCK_MILLISECONDS)) throw tally.stuck();
    batch.reap(onCompletion);
    if (result < 0) throw new UringError("RECV", -result);
    if (result === 0) break;
    tally.take(view, 0, result);
  }
  return { ...tally.end(), copiedBytes: null };
}

/**
 * Receives with one request into provided buffers (RECV_MULTISHOT, 6.0). The kernel copies.
 *
 * @param ring The ring.
 * @param socket A connected TCP socket.
 * @param buffers How many, a power of two, their bytes, and whether to write into them before.
 * @param options The stream.
 * @returns What came of it.
 * @throws {UringError} If receiving failed.
 * @throws {Error} If what is received is not the stream.
 */
export function receiveMultishot(
  ring: Ring,
  socket: Socket,
  buffers: { readonly count: number; readonly bytes: number; readonly touched?: boolean },
  options: ReceiveOptions,
): Received {
  using provided = BufferRing.open(ring, buffers);
  const { batch } = ring;
  const tally = new Tally(options);
  let armed = false;
  let failure = 0;
  let ended = false;
  let view: DataView | undefined;
  const onCompletion = (_userData: number, result: number, flags: number): void => {
    armed = (flags & CQE.MORE) !== 0;
    const slice = provided.take(flags, result);
    if (slice !== undefined) {
      view ??= viewOf(slice.area);
      tally.take(view, slice.offset, slice.length);
      provided.release(slice);
    }
    // Out of buffers it ends, and is started again.
    if (result < 0 && result !== -ERRNO.ENOBUFS) failure = result;
    if (result === 0) ended = true;
  };
  tally.begin();
  while (!tally.complete && !ended) {
    if (!armed) {
      batch.recvMultishot(socket, provided).submit();
      armed = true;
    }
    if (!batch.waitBlocking(1, STUCK_MILLISECONDS)) throw tally.stuck();
    batch.reap(onCompletion);
    if (failure !== 0) throw new UringError("RECV", -failure);
  }
  const received = { ...tally.end(), copiedBytes: null };
  if (armed) {
    batch.cancel(socket).submit();
    while (batch.inFlight > 0 && batch.waitBlocking(1, STUCK_MILLISECONDS)) batch.reap(() => {});
  }
  return received;
}

/**
 * Receives with zcrx (RECV_ZC, 6.15): each piece is read where the device put it, and given back.
 *
 * @param receiver The receiver; it has one area.
 * @param socket A connected TCP socket.
 * @param options The stream.
 * @returns What came of it; the copied bytes are the receiver's since it was opened.
 * @throws {UringError} If receiving failed.
 * @throws {Error} If what is received is not the stream.
 */
export function receiveZeroCopy(
  receiver: ZcrxReceiver,
  socket: Socket,
  options: ReceiveOptions,
): Received {
  const view = viewOf(receiver.areas[0]!);
  const tally = new Tally(options);
  let ended = false;
  let failure: unknown;
  const onEnd = (_userData: number, _bytes: number, error: unknown): void => {
    ended = true;
    failure = error;
  };
  receiver.start(socket, 0, { bytes: options.bytes });
  tally.begin();
  while (!tally.complete && !ended) {
    if (!receiver.waitBlocking(STUCK_MILLISECONDS)) throw tally.stuck();
    const count = receiver.peek(onEnd);
    tally.takeShown(receiver, view, count);
    receiver.consume(count);
  }
  if (failure !== undefined) throw failure;
  return { ...tally.end(), copiedBytes: receiver.statistics().copiedBytes ?? null };
}

function wrongPiece(received: number): Error {
  return new Error(`The piece at byte ${received} of the stream is not what was sent`);
}

/** The whole memory of an area, whoever owns its parts at the moment. */
function viewOf(area: Area): DataView {
  const bytes = area.unsafeBytes();
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
