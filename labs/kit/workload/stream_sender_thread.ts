/**
 * The thread behind {@linkcode StreamSender}: a Worker's main module, which sends the stream.
 *
 * @module
 */
import { Area } from "../../../ffi/memory/area.ts";
import { physicalPages } from "../../../ffi/memory/physical_pages.ts";
import { UringError } from "../../../ffi/kernel/errors.ts";
import { Ring } from "../../../ffi/ring/ring.ts";
import { pinThread, threadCpuSeconds } from "../../../ffi/kernel/thread.ts";
import { CQE, MSG } from "../../../ffi/kernel/uapi.ts";
import { answerRequests } from "./peer.ts";
import { fillStream } from "./stream.ts";

/** What the thread is told: to send so much of the stream. */
export interface SendRequest {
  /** The socket's descriptor; descriptors belong to the process, so every thread can use it. */
  readonly fd: number;
  /** Bytes to send. */
  readonly bytes: number;
  /** The processor to send on, or undefined for any. */
  readonly cpu: number | undefined;
}

/** What the thread is told instead: to say where it has so much of the stream. */
export interface PagesRequest {
  /** Bytes that it will be told to send. */
  readonly pagesOf: number;
}

/** What the thread says: what came of sending, or the numbers of the physical pages. */
export type SenderAnswer = Sent | Float64Array;

/** What came of sending. */
export interface Sent {
  /** Bytes. */
  readonly bytes: number;
  /** CPU time of the thread, in seconds. */
  readonly cpuSeconds: number;
  /** Requests. */
  readonly requests: number;
  /** Requests whose data the kernel copied all the same. */
  readonly copied: number;
}

/** Bytes of one request: enough that its cost does not matter. */
const REQUEST_BYTES = 256 << 10;

/** The stream from its beginning, as much as was asked for so far; kept from request to request. */
class Stream implements Disposable {
  #area: Area | undefined;

  /** The memory that holds at least so much of the stream. */
  upTo(bytes: number): Area {
    if (this.#area === undefined || this.#area.bytes < bytes) {
      this.#area?.close();
      this.#area = Area.map({ bytes });
      fillStream(this.#area.unsafeBytes());
    }
    return this.#area;
  }

  [Symbol.dispose](): void {
    this.#area?.close();
  }
}

/** Sends, blocking the thread, until the kernel has released all memory; then ends the stream. */
function send(area: Area, { fd, bytes, cpu }: SendRequest, prepared: () => void): Sent {
  using _pinned = cpu === undefined ? undefined : pinThread(cpu);
  using ring = Ring.open({ entries: 8 });
  const { batch } = ring;
  let sent = 0;
  let requests = 0;
  let copied = 0;
  let failure = 0;
  const onCompletion = (_userData: number, result: number, flags: number): void => {
    if ((flags & CQE.NOTIF) !== 0) {
      if (result < 0) copied++;
    } else if (result < 0) failure = result;
    else sent += result;
  };
  prepared();
  const cpuBefore = threadCpuSeconds();
  while (sent < bytes) {
    const slice = area.slice(sent, Math.min(REQUEST_BYTES, bytes - sent));
    const before = sent;
    // That more follows keeps TCP from ending each request with a short segment.
    const more = sent + slice.length < bytes ? MSG.MORE : 0;
    batch.sendZc(fd, slice, 0, MSG.WAITALL | MSG.NOSIGNAL | more);
    requests++;
    // The notification of an earlier one may come first.
    while (sent === before && failure === 0) {
      batch.submitAndWait(1);
      batch.reap(onCompletion);
    }
    if (failure !== 0) throw new UringError("SEND_ZC", -failure);
  }
  while (batch.inFlight > 0) {
    batch.submitAndWait(1);
    batch.reap(onCompletion);
  }
  const cpuSeconds = threadCpuSeconds() - cpuBefore;
  batch.shutdown(fd, "write").submitAndWait(1);
  batch.reap(() => {});
  return { bytes: sent, cpuSeconds, requests, copied };
}

const stream = new Stream();
answerRequests<SendRequest | PagesRequest, SenderAnswer>((request, prepared) => {
  if ("fd" in request) return send(stream.upTo(request.bytes), request, prepared);
  prepared();
  return physicalPages(stream.upTo(request.pagesOf), 0, request.pagesOf);
});
