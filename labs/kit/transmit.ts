/**
 * The transmit workload: one way of sending, for a time, as fast as it goes. bench/reference.c does
 * the same in C, request for request.
 *
 * @module
 */
import { Area, type Slice } from "../../ffi/area.ts";
import { UringError } from "../../ffi/errors.ts";
import { MessageZeroCopy } from "../../ffi/message_zerocopy.ts";
import { Notifier } from "../../ffi/notifier.ts";
import { Ring } from "../../ffi/ring.ts";
import type { Socket } from "../../ffi/socket.ts";
import { threadCpuSeconds } from "../../ffi/thread.ts";
import { POLL } from "../../ffi/uapi.ts";

/** The ways of sending. */
export const TRANSMIT_MODES = [
  "non-zc",
  "zc",
  "zc+flush",
  "zc-fixed",
  "zc-fixed+flush",
  "msg-zerocopy",
  "gso",
  "gso+zc-fixed",
] as const;

/**
 * A way of sending: `non-zc` copies (SEND); `zc` does not (SEND_ZC), with notifications reaped
 * lazily; `+flush` waits for all notifications of a batch before the next; `-fixed` sends from
 * registered buffers; `msg-zerocopy` is `send(2)` with MSG_ZEROCOPY; `gso` puts a train of
 * datagrams into each request (UDP_SEGMENT).
 */
export type TransmitMode = typeof TRANSMIT_MODES[number];

/** What to send. */
export interface TransmitOptions {
  /** How. */
  readonly mode: TransmitMode;
  /** Bytes in each datagram. */
  readonly payload: number;
  /** Requests in each submission. */
  readonly batch: number;
  /** For how long, in seconds. */
  readonly seconds: number;
}

/** What came of it. */
export type Transmitted = {
  /** Requests per second. */
  readonly requestsPerSecond: number;
  /** Datagrams per second; more than requests where a request carries a train of them. */
  readonly datagramsPerSecond: number;
  /** Requests sent. */
  readonly sent: number;
  /** Notifications that the kernel posted; null for ways of sending that have none. */
  readonly notified: number | null;
  /** Requests that the kernel copied all the same; null where it does not say. */
  readonly copied: number | null;
  /** CPU time of the sending thread for each request, in seconds. */
  readonly cpuSecondsPerRequest: number;
  /** How long it took, in seconds. */
  readonly seconds: number;
};

/** A UDP packet has 65535 bytes; 65000 leaves room for headers. */
const TRAIN_BYTES = 65_000;
/** `UDP_MAX_SEGMENTS` of kernels before 6.8; later ones take 128. */
const TRAIN_DATAGRAMS = 64;
/** Batches whose memory may be out at the same time. */
const BATCHES_OUT = 4;
const PAGE = 4096;
/** A notification that takes longer than this, in milliseconds, is lost. */
const PATIENCE = 10_000;

/** Datagrams in one request. */
export function datagramsPerRequest(mode: TransmitMode, payload: number): number {
  if (!mode.startsWith("gso")) return 1;
  return Math.min(TRAIN_DATAGRAMS, Math.max(1, Math.floor(TRAIN_BYTES / payload)));
}

/** Sends batches in one way; `settle` waits until nothing is out. */
interface Sender {
  sendBatch(): void;
  settle(): { notified: number | null; copied: number | null };
}

/**
 * Sends on a connected UDP socket, as fast as it goes, for a time. Blocks the thread meanwhile:
 * the event loop gets its turn between two of these.
 *
 * @param socket Connected; gets UDP_SEGMENT or SO_ZEROCOPY where the mode needs it, so use a fresh
 *   one each time.
 * @throws {UringError} If a send fails, or a notification does not come within ten seconds.
 */
export function transmit(socket: Socket, options: TransmitOptions): Transmitted {
  const { mode, payload, batch, seconds } = options;
  const datagrams = datagramsPerRequest(mode, payload);
  const length = payload * datagrams;
  const count = BATCHES_OUT * batch;
  const stride = Math.ceil(length / PAGE) * PAGE;
  using ring = Ring.open({ entries: 256 });
  using area = Area.map({ bytes: count * stride });
  // Untouched memory is one page of zeros, which never leaves the cache.
  area.unsafeBytes().fill(0x7a);
  const chunks = Array.from({ length: count }, (_, i) => area.slice(i * stride, length));
  ring.register(socket);
  if (mode.includes("fixed")) ring.register(area);
  if (mode.startsWith("gso")) socket.setOption("UDP_SEGMENT", payload);
  const sender = senderFor(mode, ring, socket, chunks, batch);

  for (let i = 0; i < BATCHES_OUT; i++) sender.sendBatch();
  const before = sender.settle();
  let batches = 0;
  const cpuBefore = threadCpuSeconds();
  const start = performance.now();
  const end = start + seconds * 1000;
  do {
    sender.sendBatch();
    batches++;
  } while (performance.now() < end);
  const after = sender.settle();
  const elapsed = (performance.now() - start) / 1000;
  const cpu = threadCpuSeconds() - cpuBefore;

  const sent = batches * batch;
  const since = (now: number | null, then: number | null): number | null =>
    now === null || then === null ? null : now - then;
  return {
    requestsPerSecond: sent / elapsed,
    datagramsPerSecond: sent * datagrams / elapsed,
    sent,
    notified: since(after.notified, before.notified),
    copied: since(after.copied, before.copied),
    cpuSecondsPerRequest: cpu / sent,
    seconds: elapsed,
  };
}

function senderFor(
  mode: TransmitMode,
  ring: Ring,
  socket: Socket,
  chunks: readonly Slice[],
  batch: number,
): Sender {
  if (mode === "msg-zerocopy") return new MessageSender(ring, socket, chunks, batch);
  if (mode === "non-zc" || mode === "gso") return new CopySender(ring, socket, chunks, batch);
  return new ZeroCopySender(ring, socket, chunks, batch, mode.endsWith("+flush"));
}

/** Which chunk is next: round robin. */
class Chunks {
  readonly #chunks: readonly Slice[];
  #next = 0;

  constructor(chunks: readonly Slice[]) {
    this.#chunks = chunks;
  }

  next(): Slice {
    const chunk = this.#chunks[this.#next]!;
    this.#next = this.#next + 1 === this.#chunks.length ? 0 : this.#next + 1;
    return chunk;
  }
}

class CopySender implements Sender {
  readonly #ring: Ring;
  readonly #socket: Socket;
  readonly #chunks: Chunks;
  readonly #batch: number;
  readonly #length: number;
  #pending = 0;
  #wrong = 0;
  readonly #onCompletion = (_userData: number, result: number): void => {
    this.#pending--;
    if (result !== this.#length) this.#wrong = result;
  };

  constructor(ring: Ring, socket: Socket, chunks: readonly Slice[], batch: number) {
    this.#ring = ring;
    this.#socket = socket;
    this.#chunks = new Chunks(chunks);
    this.#batch = batch;
    this.#length = chunks[0]!.length;
  }

  sendBatch(): void {
    const { batch } = this.#ring;
    for (let i = 0; i < this.#batch; i++) batch.send(this.#socket, this.#chunks.next(), i);
    this.#pending += this.#batch;
    batch.submitAndWait(this.#batch);
    batch.reap(this.#onCompletion);
    if (this.#pending > 0 || this.#wrong !== 0) this.settle();
  }

  settle(): { notified: null; copied: null } {
    const { batch } = this.#ring;
    while (this.#pending > 0) {
      if (!batch.waitBlocking(this.#pending, PATIENCE)) throw overdue("SEND", this.#pending);
      batch.reap(this.#onCompletion);
    }
    if (this.#wrong !== 0) throw sendError("SEND", this.#wrong, this.#length);
    return { notified: null, copied: null };
  }
}

class ZeroCopySender implements Sender {
  readonly #ring: Ring;
  readonly #socket: Socket;
  readonly #chunks: Chunks;
  readonly #batch: number;
  readonly #length: number;
  readonly #flush: boolean;
  readonly #notifier: Notifier;
  #notified = 0;
  #copied: number | null = 0;
  readonly #nothing = (): void => {};

  constructor(
    ring: Ring,
    socket: Socket,
    chunks: readonly Slice[],
    batch: number,
    flush: boolean,
  ) {
    this.#ring = ring;
    this.#socket = socket;
    this.#chunks = new Chunks(chunks);
    this.#batch = batch;
    this.#length = chunks[0]!.length;
    this.#flush = flush;
    this.#notifier = new Notifier(ring);
  }

  sendBatch(): void {
    const { batch } = this.#ring;
    const room = (BATCHES_OUT - 1) * this.#batch;
    if (this.#notifier.outstanding > room) this.#waitUntil(room);
    for (let i = 0; i < this.#batch; i++) {
      batch.sendZc(this.#socket, this.#chunks.next(), this.#notifier);
    }
    batch.submitAndWait(this.#batch);
    batch.reap(this.#nothing);
    if (this.#flush) this.settle();
  }

  #waitUntil(room: number): void {
    const { batch } = this.#ring;
    while (this.#notifier.outstanding > room) {
      const excess = this.#notifier.outstanding - room;
      if (!batch.waitBlocking(excess, PATIENCE)) throw overdue("SEND_ZC", excess);
      batch.reap(this.#nothing);
    }
  }

  settle(): { notified: number; copied: number | null } {
    const requests = this.#notifier.requests;
    const report = this.#notifier.flushBlocking(PATIENCE);
    if (report.error !== undefined) throw report.error;
    if (report.bytes !== requests * this.#length) {
      throw sendError("SEND_ZC", Math.floor(report.bytes / requests), this.#length);
    }
    this.#notified += report.notified;
    this.#copied = report.copied === undefined || this.#copied === null
      ? null
      : this.#copied + report.copied;
    return { notified: this.#notified, copied: this.#copied };
  }
}

class MessageSender implements Sender {
  readonly #ring: Ring;
  readonly #socket: Socket;
  readonly #chunks: Chunks;
  readonly #batch: number;
  readonly #length: number;
  readonly #sender: MessageZeroCopy;

  constructor(ring: Ring, socket: Socket, chunks: readonly Slice[], batch: number) {
    this.#ring = ring;
    this.#socket = socket;
    this.#chunks = new Chunks(chunks);
    this.#batch = batch;
    this.#length = chunks[0]!.length;
    this.#sender = new MessageZeroCopy(socket);
  }

  sendBatch(): void {
    this.#waitUntil((BATCHES_OUT - 1) * this.#batch);
    for (let i = 0; i < this.#batch; i++) {
      const result = this.#sender.send(this.#chunks.next());
      if (result !== this.#length) throw sendError("send", result, this.#length);
    }
    this.#sender.reap();
  }

  #waitUntil(room: number): void {
    while (this.#sender.outstanding > room) {
      if (this.#sender.reap() > 0) continue;
      // POLLERR comes without being asked for.
      const { batch } = this.#ring;
      batch.poll(this.#socket, POLL.ERR);
      batch.submit();
      if (!batch.waitBlocking(1, PATIENCE)) {
        throw overdue("send MSG_ZEROCOPY", this.#sender.outstanding);
      }
      batch.reap(() => {});
    }
  }

  settle(): { notified: number; copied: number } {
    this.#waitUntil(0);
    return this.#sender.counts;
  }
}

function overdue(operation: string, missing: number): UringError {
  return new UringError(operation, 62, {
    meaning: `${missing} completions did not come within ${PATIENCE / 1000} s`,
    advice: "check the link and its queueing discipline",
  });
}

function sendError(operation: string, result: number, length: number): Error {
  if (result < 0) return new UringError(operation, -result);
  return new Error(`${operation}: ${result} of ${length} bytes were sent. The workload wants all`);
}
