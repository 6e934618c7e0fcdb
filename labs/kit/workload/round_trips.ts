/**
 * Round trips: a message, its echo, the next message.
 *
 * @module
 */
import { UringError } from "../../../ffi/kernel/errors.ts";
import { Area, type Slice } from "../../../ffi/memory/area.ts";
import type { Socket } from "../../../ffi/net/socket.ts";
import type { Ring } from "../../../ffi/ring/ring.ts";
import type { Durations } from "../statistics/durations.ts";
import { STOP_BYTES } from "./echo.ts";

/** How the requester waits for the reply: in a ring, or in a recv(2) that blocks. */
export type RoundTripWait = "ring" | "recv(2)";

/** Of round trips. */
export interface RoundTripOptions {
  /** How to wait for the reply. */
  readonly wait: RoundTripWait;
  /** Bytes of each message, more than 4. */
  readonly bytes: number;
}

/** Milliseconds after which a reply is lost. */
const PATIENCE = 5000;
/** So many round trips are made without a turn of the event loop. */
const UNINTERRUPTED = 10_000;

/** User data of what the requester prepares. */
const USER_DATA = { sent: 1, received: 2, timer: 3 } as const;
/** `ETIME` */
const TIMER_EXPIRED = 62;

/**
 * Sends a message, waits for its echo and compares every byte: again and again, one at a time. The
 * thread blocks meanwhile.
 *
 * @example
 * ```ts
 * import { Ring, Socket, Testbed } from "zclab";
 * import { Durations } from "zclab/experiment";
 * import { Echo, RoundTrips } from "zclab/lab";
 * import { assert, assertEquals } from "@std/assert";
 *
 * await using bed = await Testbed.loopback();
 * using near = Socket.udp(bed.near).bind(bed.near.address(9000));
 * using far = Socket.udp(bed.far).bind(bed.far.address(9001)).connect(near.localAddress!);
 * near.connect(far.localAddress!);
 * using echo = await Echo.start();
 * await using echoing = await echo.serve(far, { bytes: 64 });
 * using ring = Ring.open();
 * using trips = new RoundTrips(ring, near, { wait: "ring", bytes: 64 });
 * const durations = new Durations();
 * await trips.run(100, durations);
 * trips.stopEcho();
 * assertEquals((await echoing.report()).messages, 100);
 * assert(durations.percentile(50)! > 0);
 * ```
 */
export class RoundTrips implements Disposable {
  readonly #ring: Ring;
  readonly #socket: Socket;
  readonly #bytes: number;
  readonly #area: Area;
  readonly #outgoing: Slice;
  readonly #incoming: Slice;
  readonly #sentBytes: Uint8Array;
  readonly #receivedBytes: Uint8Array;
  readonly #trip: () => void;
  #sequence = 0;
  #received = 0;
  #isReceiving = false;
  #sequenceAtTimer = 0;

  /**
   * Makes ready.
   *
   * @param ring A ring of this thread that nothing else uses meanwhile.
   * @param socket A connected socket, at the other end of which there is an echo.
   * @param options What to send, and how to wait.
   */
  constructor(ring: Ring, socket: Socket, { wait, bytes }: RoundTripOptions) {
    this.#ring = ring;
    this.#socket = socket;
    this.#bytes = bytes;
    this.#area = Area.map({ bytes: 2 * bytes });
    this.#outgoing = this.#area.slice(0, bytes);
    this.#incoming = this.#area.slice(bytes, bytes);
    this.#sentBytes = this.#outgoing.bytes;
    this.#receivedBytes = this.#incoming.bytes;
    this.#trip = wait === "ring" ? () => this.#tripInRing() : () => this.#tripInRecv();
    if (wait === "ring") this.#startTimer();
  }

  /**
   * Makes round trips, with a turn of the event loop after every ten thousand.
   *
   * @param count How many.
   * @param durations Where each is counted; nowhere unless given.
   * @param signal Stops between two turns.
   * @throws {UringError} If a reply does not come within 5 seconds, or a request fails.
   * @throws The signal's reason, if it is aborted.
   */
  async run(count: number, durations?: Durations, signal?: AbortSignal): Promise<void> {
    for (let left = count; left > 0; left -= UNINTERRUPTED) {
      if (left < count) await new Promise((resolve) => setTimeout(resolve, 0));
      signal?.throwIfAborted();
      for (let i = Math.min(left, UNINTERRUPTED); i > 0; i--) {
        this.#fill();
        const started = performance.now();
        this.#trip();
        const milliseconds = performance.now() - started;
        this.#check();
        durations?.record(milliseconds);
      }
    }
  }

  /** Tells the echo that this was all. */
  stopEcho(): void {
    if (this.#socket.protocol === "udp") {
      this.#socket.sendBlocking(this.#outgoing.slice(0, STOP_BYTES));
    } else this.#socket.shutdown("write");
  }

  #tripInRing(): void {
    const { batch } = this.#ring;
    this.#received = 0;
    this.#isReceiving = true;
    batch.send(this.#socket, this.#outgoing, USER_DATA.sent)
      .recv(this.#socket, this.#incoming, USER_DATA.received)
      .submitAndWait(2);
    batch.reap(this.#onCompletion);
    // A stream may bring the reply in pieces, and the timer is a completion too.
    while (this.#received < this.#bytes) {
      if (!this.#isReceiving) {
        this.#isReceiving = true;
        batch.recv(this.#socket, this.#incoming.slice(this.#received), USER_DATA.received);
      }
      batch.submitAndWait(1);
      batch.reap(this.#onCompletion);
    }
  }

  readonly #onCompletion = (userData: number, result: number): void => {
    if (userData === USER_DATA.timer) {
      if (this.#sequence === this.#sequenceAtTimer) throw lost();
      this.#startTimer();
    } else if (userData === USER_DATA.sent) {
      if (result < 0) throw new UringError("SEND", -result);
    } else {
      if (result < 0) throw new UringError("RECV", -result);
      this.#count(result);
      this.#isReceiving = false;
    }
  };

  /** A timer in the ring ends a wait for a reply that does not come, at no cost for the others. */
  #startTimer(): void {
    this.#sequenceAtTimer = this.#sequence;
    this.#ring.batch.timeout(PATIENCE, USER_DATA.timer);
  }

  #count(bytes: number): void {
    if (bytes === 0) throw new Error("The echo has closed the connection");
    this.#received += bytes;
  }

  #tripInRecv(): void {
    this.#socket.sendBlocking(this.#outgoing);
    this.#received = 0;
    while (this.#received < this.#bytes) {
      const rest = this.#received === 0 ? this.#incoming : this.#incoming.slice(this.#received);
      const result = this.#socket.receiveBlocking(rest, PATIENCE);
      if (result === undefined) throw lost();
      this.#count(result);
    }
  }

  /** Bytes that no other message of this connection had in the same places. */
  #fill(): void {
    const sequence = ++this.#sequence;
    const bytes = this.#sentBytes;
    for (let i = 0; i < 4; i++) bytes[i] = sequence >>> (8 * i);
    for (let i = 4; i < bytes.length; i++) bytes[i] = sequence * 37 + i * 11;
  }

  #check(): void {
    const [sent, received] = [this.#sentBytes, this.#receivedBytes];
    for (let i = 0; i < sent.length; i++) {
      if (sent[i] !== received[i]) {
        throw new Error(
          `Reply ${this.#sequence} is not what was sent: byte ${i} is ${received[i]}, not ${
            sent[i]
          }`,
        );
      }
    }
  }

  /** Gives its memory back. The ring and the socket stay open. */
  [Symbol.dispose](): void {
    this.#area.close();
  }
}

function lost(): Error {
  return new UringError("round trip", TIMER_EXPIRED, {
    meaning: `no reply came within ${PATIENCE / 1000} seconds`,
    advice: "run it again; if it happens again, look at the interfaces with deno task doctor",
  });
}
