/**
 * MSG_ZEROCOPY: zero-copy send without io_uring, with notifications from the error queue.
 *
 * @module
 */
import { acquire, addressHigh, addressLow, type Holder, release, type Slice } from "./area.ts";
import { unwrap, UringError } from "./errors.ts";
import { native } from "./native.ts";
import { Numbered } from "./numbered.ts";
import type { Socket } from "./socket.ts";
import { MSG } from "./uapi.ts";

const EAGAIN = -11;

/** Ranges that one look at the error queue takes at most. */
const RANGES = 64;
/** Words of one range: first, last, code, origin. */
const WORDS = 4;
/** `SO_EE_CODE_ZEROCOPY_COPIED` */
const COPIED = 1;

/** What the sends of a socket have come to. */
export interface ZeroCopyCounts {
  /** Sends that succeeded. */
  readonly sent: number;
  /** Sends whose memory the kernel has let go of. */
  readonly notified: number;
  /** Those of them whose data the kernel copied all the same. */
  readonly copied: number;
  /** Messages of the error queue: the kernel merges neighbouring sends into one. */
  readonly ranges: number;
}

/**
 * Sends with `MSG_ZEROCOPY` on one socket, TCP or UDP (4.14, UDP 5.0). The kernel numbers the sends
 * of a socket and later says, through the socket's error queue, which numbers it has let go of: in
 * ranges, not always in order, and wrapping at 2^32.
 *
 * @see https://docs.kernel.org/networking/msg_zerocopy.html
 *
 * @example Loopback always copies
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { Area, MessageZeroCopy, Socket, Testbed } from "zclab";
 *
 * await using bed = await Testbed.loopback();
 * using area = Area.map({ bytes: 4096 });
 * using receiver = Socket.udp(bed.far).bind(bed.far.address(9000));
 * using sender = Socket.udp(bed.near).connect(bed.far.address(9000));
 * const zeroCopy = new MessageZeroCopy(sender);
 * zeroCopy.send(area.slice(0, 1000));
 * while (zeroCopy.outstanding > 0) zeroCopy.reap();
 * assertEquals(zeroCopy.counts, { sent: 1, notified: 1, copied: 1, ranges: 1 });
 * ```
 */
export class MessageZeroCopy {
  readonly #socket: Socket;
  readonly #send = native().zclab_send;
  readonly #ranges = new Uint32Array(RANGES * WORDS);
  /** The slices that are out, by the number of their send. */
  readonly #slices = new Numbered<Slice>();
  #sent = 0;
  #notified = 0;
  #copied = 0;
  #messages = 0;
  #busySince = 0;
  /** Sends are not timed one by one: "since" is when the first of those outstanding went out. */
  readonly #holder: Holder = { submittedAt: () => this.#busySince };

  /**
   * Prepares a socket.
   *
   * @param socket A socket that has not sent with MSG_ZEROCOPY before; sets SO_ZEROCOPY on it.
   * @throws {UringError} If this kind of socket cannot do it.
   */
  constructor(socket: Socket) {
    this.#socket = socket.setOption("SO_ZEROCOPY", true);
  }

  /** Sends whose memory the kernel still has. */
  get outstanding(): number {
    return this.#sent - this.#notified;
  }

  /** What the sends have come to so far. */
  get counts(): ZeroCopyCounts {
    return {
      sent: this.#sent,
      notified: this.#notified,
      copied: this.#copied,
      ranges: this.#messages,
    };
  }

  /**
   * Sends a slice without copying it; it is in flight until {@linkcode reap} has seen its number.
   * Blocks while the socket's buffer is full. When the memory for notifications is used up
   * (ENOBUFS) it reaps and tries again.
   *
   * @returns Bytes sent; TCP may send less than the slice.
   * @throws {UringError} If sending fails; ENOBUFS when `net.core.optmem_max` or RLIMIT_MEMLOCK
   *   does not allow even one.
   * @throws {OwnershipError} If the kernel is writing into the slice.
   */
  send(slice: Slice): number {
    const fd = this.#socket.fd;
    if (this.#sent === this.#notified) this.#busySince = performance.now();
    acquire(slice, "MSG_ZEROCOPY", false, this.#holder, this.#slices.next);
    let result = 0;
    try {
      const low = addressLow(slice) >>> 0;
      const high = addressHigh(slice);
      const flags = MSG.ZEROCOPY | MSG.NOSIGNAL;
      result = this.#send(fd, low, high, slice.length, flags);
      while (result === -105 && this.outstanding > 0) {
        this.reap();
        result = this.#send(fd, low, high, slice.length, flags);
      }
      unwrap("send MSG_ZEROCOPY", result);
    } finally {
      // Only a send that put something out has a number.
      if (result <= 0) release(slice);
    }
    if (result > 0) {
      this.#slices.add(slice);
      this.#sent++;
    }
    return result;
  }

  /**
   * Takes what the error queue says now. Never waits: poll the socket for `POLLERR`.
   *
   * @returns How many sends were let go of.
   */
  reap(): number {
    const before = this.#notified;
    const ranges = this.#ranges;
    while (true) {
      const count = native().zclab_recv_error_queue(this.#socket.fd, ranges.buffer, RANGES);
      if (count !== EAGAIN) unwrap("recvmsg MSG_ERRQUEUE", count);
      for (let i = 0; i < count; i++) {
        const at = i * WORDS;
        this.#letGo(ranges[at]!, ranges[at + 1]!, ranges[at + 2] === COPIED);
      }
      if (count < RANGES) return this.#notified - before;
    }
  }

  /** Ends once the last number was let go of: the range may wrap past 2^32. */
  #letGo(first: number, last: number, copied: boolean): void {
    this.#messages++;
    for (let number = first;; number = (number + 1) >>> 0) {
      const slice = this.#slices.take(number);
      if (slice === undefined) {
        throw new UringError("recvmsg MSG_ERRQUEUE", 53, {
          meaning: `send ${number} was let go of, but is not out`,
          advice: "send with MSG_ZEROCOPY on this socket only through one MessageZeroCopy",
        });
      }
      release(slice);
      this.#notified++;
      if (copied) this.#copied++;
      if (number === last) return;
    }
  }

  /** One line for the REPL. */
  [Symbol.for("Deno.customInspect")](): string {
    return `MessageZeroCopy { sent: ${this.#sent}, notified: ${this.#notified}, copied: ` +
      `${this.#copied}, outstanding: ${this.outstanding} }`;
  }
}
