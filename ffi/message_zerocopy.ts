/**
 * MSG_ZEROCOPY: zero-copy send without io_uring, with notifications from the error queue.
 *
 * @module
 */
import { acquire, addressHigh, addressLow, type Holder, release, type Slice } from "./area.ts";
import { now } from "./clock.ts";
import { unwrap, UringError } from "./errors.ts";
import { type Display, type Fact, inLine, inTable } from "./inspection.ts";
import { high, low } from "./memory.ts";
import { native } from "./native.ts";
import { Numbered } from "./numbered.ts";
import { piecesIn } from "./pieces.ts";
import type { Socket } from "./socket.ts";
import { MSG } from "./uapi.ts";

const EAGAIN = -11;
const ENOBUFS = -105;
const FLAGS = MSG.ZEROCOPY | MSG.NOSIGNAL;

/** Ranges that one look at the error queue takes at most. */
const RANGES = 64;
/** Words of one range: first, last, code, origin. */
const WORDS = 4;
/** `SO_EE_CODE_ZEROCOPY_COPIED` */
const COPIED = 1;

/** A slice, and how many of its sends the kernel still has. */
interface Group {
  readonly slice: Slice;
  left: number;
}

// Other calls that send with MSG_ZEROCOPY on the same socket. Only ffi/ uses this.
/**
 * Sends a slice by another call, and counts it with the socket's others. The result is the call's:
 * bytes, or a negative errno.
 */
export let sendThrough: (
  zeroCopy: MessageZeroCopy,
  slice: Slice,
  call: (slice: Slice) => number,
) => number;

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
  readonly #sendMany = native().zclab_send_each;
  readonly #ranges = new Uint32Array(RANGES * WORDS);
  /** What is out, by the number of its send. */
  readonly #out = new Numbered<Group>();
  #sent = 0;
  #notified = 0;
  #copied = 0;
  #messages = 0;
  #busySince = 0;
  /** Sends are not timed one by one: "since" is when the first of those outstanding went out. */
  readonly #holder: Holder = { submittedAt: () => this.#busySince };
  readonly #sendOne: (slice: Slice) => number;

  static {
    sendThrough = (zeroCopy, slice, call) => zeroCopy.#sendThrough(slice, call);
  }

  /**
   * Prepares a socket.
   *
   * @param socket A socket that has not sent with MSG_ZEROCOPY before; sets SO_ZEROCOPY on it.
   * @throws {UringError} If this kind of socket cannot do it.
   */
  constructor(socket: Socket) {
    this.#socket = socket.setOption("SO_ZEROCOPY", true);
    const { zclab_send } = native();
    this.#sendOne = (slice) => {
      const lower = addressLow(slice) >>> 0;
      return zclab_send(socket.fd, lower, addressHigh(slice), slice.length, FLAGS);
    };
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
    return unwrap("send MSG_ZEROCOPY", this.#sendThrough(slice, this.#sendOne));
  }

  #sendThrough(slice: Slice, call: (slice: Slice) => number): number {
    const group = this.#begin(slice, 1);
    let result = -1;
    try {
      do {
        result = call(slice);
      } while (result === ENOBUFS && this.#makeRoom());
    } finally {
      // Only a send that put something out has a number.
      this.#end(group, result > 0 ? 1 : 0, 1);
    }
    return result;
  }

  /**
   * Sends a slice in pieces, a datagram each, with `sendmmsg(2)` in one foreign call. The slice is
   * in flight until the last of them has been reaped.
   *
   * @param length Length of each piece in bytes.
   * @param stride From the start of one piece to the start of the next, in bytes.
   * @returns How many were sent.
   * @throws {TypeError} If the socket is not UDP: TCP may send less than a piece.
   * @throws {RangeError} If no piece fits.
   * @throws {UringError} If a send fails; those before it are out.
   */
  sendEach(slice: Slice, length: number, stride: number = length): number {
    const { fd, protocol } = this.#socket;
    if (protocol !== "udp") throw new TypeError("sendEach takes a UDP socket");
    const count = piecesIn(slice, length, stride);
    const group = this.#begin(slice, count);
    let left = count;
    try {
      while (left > 0) {
        const address = slice.area.address + slice.offset + (count - left) * stride;
        const lower = low(address) >>> 0;
        const sent = this.#sendMany(fd, lower, high(address), length, stride, left, FLAGS);
        if (sent === ENOBUFS && this.#makeRoom()) continue;
        left -= unwrap("send MSG_ZEROCOPY", sent);
        this.#out.add(group, sent);
        this.#sent += sent;
      }
    } finally {
      this.#end(group, 0, left);
    }
    return count;
  }

  #begin(slice: Slice, count: number): Group {
    if (this.#sent === this.#notified) this.#busySince = now();
    acquire(slice, "MSG_ZEROCOPY", false, this.#holder, this.#out.next);
    return { slice, left: count };
  }

  /** Notes what was sent last, and takes back what was planned and not sent. */
  #end(group: Group, sent: number, planned: number): void {
    if (sent > 0) this.#out.add(group);
    this.#sent += sent;
    group.left -= planned - sent;
    if (group.left === 0) release(group.slice);
  }

  /** ENOBUFS: the memory for notifications is used up, and taking some frees some. */
  #makeRoom(): boolean {
    if (this.outstanding === 0) return false;
    this.reap();
    return true;
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

  /** The range may wrap past 2^32. */
  #letGo(first: number, last: number, copied: boolean): void {
    this.#messages++;
    let left = ((last - first) >>> 0) + 1;
    for (let number = first; left > 0;) {
      const count = this.#out.takeRun(number, left);
      const group = this.#out.taken;
      if (group === undefined) {
        throw new UringError("recvmsg MSG_ERRQUEUE", 53, {
          meaning: `send ${number} was let go of, but is not out`,
          advice: "send with MSG_ZEROCOPY on this socket only through one MessageZeroCopy",
        });
      }
      group.left -= count;
      if (group.left === 0) release(group.slice);
      this.#notified += count;
      if (copied) this.#copied += count;
      left -= count;
      number = (number + count) >>> 0;
    }
  }

  /** One line for the REPL. */
  [Symbol.for("Deno.customInspect")](): string {
    return inLine("MessageZeroCopy", this.#facts());
  }

  /** A small table for notebooks. */
  [Symbol.for("Jupyter.display")](): Display {
    return inTable("MessageZeroCopy", this.#facts());
  }

  #facts(): readonly Fact[] {
    return [
      ["sent", this.#sent],
      ["notified", this.#notified],
      ["copied", this.#copied],
      ["outstanding", this.outstanding],
    ];
  }
}
