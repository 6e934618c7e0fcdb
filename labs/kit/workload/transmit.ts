/**
 * The transmit workload: one way of sending, for a time, as fast as it goes. bench/reference does
 * the same in C, request for request.
 *
 * @module
 */
import { ERRNO } from "../../../ffi/kernel/errno.ts";
import { Area, type Slice } from "../../../ffi/memory/area.ts";
import { now } from "../../../ffi/kernel/clock.ts";
import { UringError } from "../../../ffi/kernel/errors.ts";
import { MessageZeroCopy } from "../../../ffi/net/message_zerocopy.ts";
import type { Notification } from "../../../ffi/ring/notification.ts";
import { Notifier } from "../../../ffi/ring/notifier.ts";
import { Ring } from "../../../ffi/ring/ring.ts";
import type { Socket } from "../../../ffi/net/socket.ts";
import { threadCpuSeconds } from "../../../ffi/kernel/thread.ts";
import { POLL } from "../../../ffi/kernel/uapi.ts";
import { type Look, notLooking } from "../trials/look.ts";

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
 * registered buffers; `msg-zerocopy` is `sendmmsg(2)` with MSG_ZEROCOPY; `gso` puts up to
 * 64 datagrams into each request, as one GSO packet (UDP_SEGMENT).
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
  /**
   * Whether the requests of four batches each have memory of their own, or all send the same: the
   * processor's nearest cache holds it then, as in liburing's example program send-zerocopy.c.
   * Default: many.
   */
  readonly buffers?: "many" | "one";
  /** Looks at the requests that count, without what goes before. Default: nobody looks. */
  readonly look?: Look;
}

/** What came of it. */
export type Transmitted = {
  /** Requests per second. */
  readonly requestsPerSecond: number;
  /** Datagrams per second; more than requests where a request is a GSO packet of many. */
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
  const { mode, payload, batch, seconds, buffers = "many", look = notLooking } = options;
  const datagrams = datagramsPerRequest(mode, payload);
  const length = payload * datagrams;
  const room = Math.ceil(length / PAGE) * PAGE;
  const one = buffers === "one";
  using ring = Ring.open({ entries: 256 });
  using area = Area.map({ bytes: one ? room : BATCHES_OUT * batch * room });
  // Untouched memory is one page of zeros, which never leaves the cache.
  area.unsafeBytes().fill(0x7a);
  const regions = area.chunks(one ? room : batch * room);
  ring.register(socket);
  using _registered = mode.includes("fixed") ? register(ring, area) : undefined;
  if (mode.startsWith("gso")) socket.setOption("UDP_SEGMENT", payload);
  const stride = one ? 0 : room;
  const work = { ring, socket, regions, batch, length, stride, count: batch };
  const sender = senderFor(mode, work);

  for (let i = 0; i < BATCHES_OUT; i++) sender.sendBatch();
  const before = sender.settle();
  let batches = 0;
  // With no seconds only one batch is sent.
  const looked = seconds === 0 ? regions.slice(0, 1) : regions;
  const watch = looked.flatMap((region) => piecesOf(region, work));
  const part = { watch, unit: "request", count: (): number => batches * batch };
  const { after, elapsed, cpu } = look(part, () => {
    // Not before: opening a window takes a while.
    const cpuBefore = threadCpuSeconds();
    const start = now();
    const end = start + seconds * 1000;
    do {
      sender.sendBatch();
      batches++;
    } while (now() < end);
    const after = sender.settle();
    const elapsed = (now() - start) / 1000;
    return { after, elapsed, cpu: threadCpuSeconds() - cpuBefore };
  });

  const sent = batches * batch;
  const since = (later: number | null, earlier: number | null): number | null =>
    later === null || earlier === null ? null : later - earlier;
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

/**
 * Registers an area until disposed. The kernel lets go of a closed ring's locked memory only a little
 * later, and would refuse the same amount to the next ring of a user whose limit it is.
 */
function register(ring: Ring, area: Area): Disposable {
  ring.register(area);
  return { [Symbol.dispose]: () => ring.unregister(area) };
}

/** What a sender sends, and from where: each batch from the next region, in pieces. */
interface Work {
  readonly ring: Ring;
  readonly socket: Socket;
  readonly regions: readonly Slice[];
  readonly batch: number;
  /** Of each piece, in bytes. */
  readonly length: number;
  /** From one piece to the next, in bytes; 0 if all are the same. */
  readonly stride: number;
  /** Pieces of a batch. */
  readonly count: number;
}

/** What a batch sends of a region. */
function piecesOf(region: Slice, { length, stride, count }: Work): Slice[] {
  return Array.from(
    { length: stride === 0 ? 1 : count },
    (_, i) => region.slice(i * stride, length),
  );
}

function senderFor(mode: TransmitMode, work: Work): Sender {
  if (mode === "msg-zerocopy") return new MessageSender(work);
  if (mode === "non-zc" || mode === "gso") return new CopySender(work);
  return new ZeroCopySender(work, mode.endsWith("+flush"));
}

/** Which region is next: round robin. */
class Regions {
  readonly #regions: readonly Slice[];
  #next = 0;

  constructor(regions: readonly Slice[]) {
    this.#regions = regions;
  }

  next(): Slice {
    const region = this.#regions[this.#next]!;
    this.#next = (this.#next + 1) % this.#regions.length;
    return region;
  }
}

class CopySender implements Sender {
  readonly #work: Work;
  readonly #regions: Regions;
  /** Counts requests without a call for each. */
  readonly #notifier: Notifier;
  readonly #nothing = (): void => {};

  constructor(work: Work) {
    this.#work = work;
    this.#regions = new Regions(work.regions);
    this.#notifier = new Notifier(work.ring);
  }

  sendBatch(): void {
    const { ring: { batch }, socket, length } = this.#work;
    batch.sendEach(socket, this.#regions.next(), length, this.#notifier, this.#work);
    batch.submitAndWait(this.#work.batch);
    batch.reap(this.#nothing);
    if (this.#notifier.outstanding > 0) this.settle();
  }

  settle(): { notified: null; copied: null } {
    flush(this.#notifier, "SEND", this.#work.length);
    return { notified: null, copied: null };
  }
}

class ZeroCopySender implements Sender {
  readonly #work: Work;
  readonly #regions: Regions;
  readonly #flush: boolean;
  readonly #notifier: Notifier;
  #notified = 0;
  #copied: number | null = 0;
  readonly #nothing = (): void => {};

  constructor(work: Work, flush: boolean) {
    this.#work = work;
    this.#regions = new Regions(work.regions);
    this.#flush = flush;
    this.#notifier = new Notifier(work.ring);
  }

  sendBatch(): void {
    const { ring, socket, length } = this.#work;
    const { batch } = ring;
    const room = (BATCHES_OUT - 1) * this.#work.batch;
    if (this.#notifier.outstanding > room) this.#waitUntil(room);
    batch.sendZcEach(socket, this.#regions.next(), length, this.#notifier, this.#work);
    batch.submitAndWait(this.#work.batch);
    batch.reap(this.#nothing);
    if (this.#flush) this.settle();
  }

  #waitUntil(room: number): void {
    const { batch } = this.#work.ring;
    while (this.#notifier.outstanding > room) {
      const excess = this.#notifier.outstanding - room;
      if (!batch.waitBlocking(excess, PATIENCE)) throw overdue("SEND_ZC", excess);
      batch.reap(this.#nothing);
    }
  }

  settle(): { notified: number; copied: number | null } {
    const report = flush(this.#notifier, "SEND_ZC", this.#work.length);
    this.#notified += report.notified;
    this.#copied = report.copied === undefined || this.#copied === null
      ? null
      : this.#copied + report.copied;
    return { notified: this.#notified, copied: this.#copied };
  }
}

/** Waits for the requests of a notifier, which must have sent all that they were to send. */
function flush(notifier: Notifier, operation: string, length: number): Notification {
  const { requests } = notifier;
  const report = notifier.flushBlocking(PATIENCE);
  if (report.error !== undefined) throw sendError(operation, -report.error.errno, length);
  if (report.bytes !== requests * length) {
    throw sendError(operation, Math.floor(report.bytes / requests), length);
  }
  return report;
}

class MessageSender implements Sender {
  readonly #work: Work;
  readonly #regions: Regions;
  readonly #sender: MessageZeroCopy;

  constructor(work: Work) {
    this.#work = work;
    this.#regions = new Regions(work.regions);
    this.#sender = new MessageZeroCopy(work.socket);
  }

  sendBatch(): void {
    const { batch, length, stride, count } = this.#work;
    this.#waitUntil((BATCHES_OUT - 1) * batch);
    this.#sender.sendEachBlocking(this.#regions.next(), length, stride, count);
    this.#sender.reap();
  }

  #waitUntil(room: number): void {
    const { ring: { batch }, socket } = this.#work;
    while (this.#sender.outstanding > room) {
      if (this.#sender.reap() > 0) continue;
      // POLLERR comes without being asked for.
      batch.poll(socket, POLL.ERR);
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
  return new UringError(operation, ERRNO.ETIME, {
    meaning: `${missing} completions did not come within ${PATIENCE / 1000} s`,
    advice: "check the link and its queueing discipline",
  });
}

function sendError(operation: string, result: number, length: number): Error {
  if (result < 0) return new UringError(operation, -result);
  return new Error(`${operation}: ${result} of ${length} bytes were sent. The workload wants all`);
}
