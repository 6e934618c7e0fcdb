/**
 * MSG_ZEROCOPY: zero-copy send without io_uring, with notifications from the error queue.
 *
 * @module
 */
import {
  acquire,
  addressHigh,
  addressLow,
  type Holder,
  release,
  type Slice,
} from "../memory/area.ts";
import { now } from "../kernel/clock.ts";
import { ERRNO } from "../kernel/errno.ts";
import { type Explanation, unwrap, UringError } from "../kernel/errors.ts";
import { type Fact, showFacts } from "../kernel/inspection.ts";
import { high, low } from "../kernel/memory.ts";
import {
  type Group,
  MessageNumbers,
  type NumberedSocket,
  type Verdict,
} from "./message_numbers.ts";
import { native } from "../kernel/native.ts";
import { piecesIn } from "../memory/pieces.ts";
import { explainSend } from "./send_limits.ts";
import { claimZeroCopy, type Socket, wasCorked } from "./socket.ts";
import { SOL_SOCKET } from "./socket_options.ts";
import { MSG } from "../kernel/uapi.ts";

const EAGAIN = -ERRNO.EAGAIN;
const ENOBUFS = -ERRNO.ENOBUFS;
const FLAGS = MSG.ZEROCOPY | MSG.NOSIGNAL;

/** What the sockets layer has in use for a socket: 32-bit words, and which is the option memory. */
const SO_MEMINFO = 55;
const MEMINFO_WORDS = 9;
const SK_MEMINFO_OPTMEM = 6;

const QUEUE_IS_FULL: Explanation = {
  meaning: "a queue on the way is full, and dropped the packet",
  advice: "send more slowly, or give the interface a longer queue (tc qdisc); without IP_RECVERR " +
    "the kernel does not say that it drops",
};

/** Sends of a slice. */
interface Sends extends Group {
  readonly slice: Slice;
}

class ErrorQueue implements NumberedSocket {
  readonly #socket: Socket;
  readonly #memory = new Uint32Array(MEMINFO_WORDS);

  constructor(socket: Socket) {
    this.#socket = socket;
  }

  takeRanges(ranges: Uint32Array<ArrayBuffer>, most: number): number {
    const count = native().zclab_recv_error_queue(this.#socket.fd, ranges.buffer, most);
    return count === EAGAIN ? 0 : count;
  }

  optionMemory(): number {
    const { buffer, byteLength } = this.#memory;
    unwrap(
      "getsockopt SO_MEMINFO",
      native().zclab_getsockopt(this.#socket.fd, SOL_SOCKET, SO_MEMINFO, buffer, byteLength),
    );
    return this.#memory[SK_MEMINFO_OPTMEM]!;
  }

  shares(): boolean {
    return wasCorked(this.#socket);
  }
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
export interface MessageZeroCopyCounts {
  /**
   * Sends that succeeded. A datagram without bytes is one of them; sending nothing over TCP is
   * nothing.
   */
  readonly sent: number;
  /** Those of them whose memory the kernel has released. */
  readonly notified: number;
  /** Those of these whose data the kernel copied all the same. */
  readonly copied: number;
  /** Messages of the error queue: the kernel merges neighbouring sends into one. */
  readonly ranges: number;
}

/**
 * Sends with `MSG_ZEROCOPY` on one socket, TCP or UDP (4.14, UDP 5.0). The kernel numbers the sends
 * of a socket and later says, through the socket's error queue, which numbers it has released: in
 * ranges, not always in order, and wrapping at 2^32.
 *
 * A send that fails may have used a number all the same, and the kernel may still read its memory:
 * when a queue refuses the last fragment of a datagram, say. Its slice is free again when it is
 * certain that the kernel does not have it: at once in nearly all cases.
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
 * zeroCopy.sendBlocking(area.slice(0, 1000));
 * while (zeroCopy.outstanding > 0) zeroCopy.reap();
 * assertEquals(zeroCopy.counts, { sent: 1, notified: 1, copied: 1, ranges: 1 });
 * ```
 */
export class MessageZeroCopy {
  readonly #socket: Socket;
  readonly #sendMany = native().zclab_send_each;
  readonly #numbers: MessageNumbers<Sends>;
  /** What became of the number of the last send that failed. */
  #verdict: Verdict = "unused";
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
   * @throws {OwnershipError} If there is a MessageZeroCopy for this socket: two cannot share its
   *   error queue.
   */
  constructor(socket: Socket) {
    claimZeroCopy(socket);
    this.#socket = socket;
    this.#numbers = new MessageNumbers(new ErrorQueue(socket), ({ slice }) => release(slice));
    const { zclab_send } = native();
    this.#sendOne = (slice) => {
      const lower = addressLow(slice) >>> 0;
      return zclab_send(socket.fd, lower, addressHigh(slice), slice.length, FLAGS);
    };
  }

  /** Sends whose memory the kernel still has, or may have. */
  get outstanding(): number {
    return this.#numbers.outstanding;
  }

  /** What the sends have come to so far. */
  get counts(): MessageZeroCopyCounts {
    const { sent, notified, copied, ranges } = this.#numbers;
    return { sent, notified, copied, ranges };
  }

  /**
   * Sends a slice without copying it; it is in flight until {@linkcode reap} has seen its number.
   * Blocks while the socket's buffer is full. When the memory for notifications is used up
   * (ENOBUFS) it reaps and tries again.
   *
   * @returns Bytes sent; TCP may send less than the slice.
   * @throws {UringError} If sending fails. ENOBUFS when `net.core.optmem_max` or RLIMIT_MEMLOCK does
   *   not allow even one, or with IP_RECVERR when a queue on the way is full.
   * @throws {OwnershipError} If the kernel is writing into the slice.
   */
  sendBlocking(slice: Slice): number {
    const result = this.#sendThrough(slice, this.#sendOne);
    if (result < 0) throw this.#refusal(result, slice.length);
    return result;
  }

  #sendThrough(slice: Slice, call: (slice: Slice) => number): number {
    while (true) {
      const sends = this.#acquire(slice, 1);
      let result = 0;
      try {
        result = call(slice);
      } catch (error) {
        release(slice);
        throw error;
      }
      if (result > 0) {
        this.#numbers.add(sends);
        return result;
      }
      this.#verdict = this.#withoutBytes(slice, result === 0);
      release(slice);
      if (result !== ENOBUFS || !this.#makeRoom()) return result;
    }
  }

  /**
   * Sends a slice in pieces, a datagram each, with `sendmmsg(2)` in one foreign call. The slice is
   * in flight until the last of them has been reaped.
   *
   * @param length Length of each piece in bytes.
   * @param stride From the start of one piece to the start of the next, in bytes; less than the length,
   *   or 0 for the same piece again and again, only with a count.
   * @param count How many pieces; all that the slice has by default.
   * @returns How many were sent.
   * @throws {TypeError} If the socket is not UDP: TCP may send less than a piece.
   * @throws {RangeError} If no piece fits.
   * @throws {UringError} If a send fails; those before it are out.
   */
  sendEachBlocking(slice: Slice, length: number, stride: number = length, count?: number): number {
    const { fd, protocol } = this.#socket;
    if (protocol !== "udp") throw new TypeError("sendEach takes a UDP socket");
    const pieces = piecesIn(slice, length, stride, count);
    const sends = this.#acquire(slice, pieces);
    let left = pieces;
    try {
      while (left > 0) {
        const address = slice.area.address + slice.offset + (pieces - left) * stride;
        const lower = low(address) >>> 0;
        const part = this.#numbers.learning ? 1 : left;
        const sent = this.#sendMany(fd, lower, high(address), length, stride, part, FLAGS);
        if (sent > 0) {
          this.#numbers.add(sends, sent);
          left -= sent;
          if (sent === part) continue;
        }
        // The next one failed: why is said only when no other was sent in the same call.
        this.#verdict = this.#withoutBytes(slice, false);
        if (sent > 0 || (sent === ENOBUFS && this.#makeRoom())) continue;
        throw this.#refusal(sent, length);
      }
    } finally {
      if (left > 0) {
        sends.left -= left;
        if (sends.left === 0) release(slice);
      }
    }
    return pieces;
  }

  #refusal(result: number, bytes: number): UringError {
    return new UringError(
      "send MSG_ZEROCOPY",
      -result,
      result === ENOBUFS && this.#verdict !== "unused"
        ? QUEUE_IS_FULL
        : explainSend(this.#socket, -result, bytes),
    );
  }

  #acquire(slice: Slice, count: number): Sends {
    if (this.#numbers.outstanding === 0) this.#busySince = now();
    this.#numbers.prepare();
    acquire(slice, "MSG_ZEROCOPY", false, this.#holder, 0);
    return { slice, left: count, counted: true };
  }

  /**
   * Notes a send that put no bytes out. TCP gives the number of such a send back, always
   * (`tcp_sendmsg_locked`); UDP only where it fails early, and counts a datagram without bytes.
   */
  #withoutBytes(slice: Slice, succeeded: boolean): Verdict {
    if (this.#socket.protocol === "tcp") return "unused";
    acquire(slice, "MSG_ZEROCOPY", false, this.#holder, 0);
    return this.#numbers.addPossible({ slice, left: 1, counted: succeeded });
  }

  /**
   * ENOBUFS: if the memory for notifications is used up, taking some frees some. A send that was
   * given a number had that memory: then it was a queue that had no room.
   */
  #makeRoom(): boolean {
    if (this.#verdict !== "unused" || this.outstanding === 0) return false;
    this.reap();
    return true;
  }

  /**
   * Takes what the error queue says now. Never waits: poll the socket for `POLLERR`.
   *
   * @returns How many sends were released.
   */
  reap(): number {
    return this.#numbers.reap();
  }

  static {
    showFacts(MessageZeroCopy, (shown) => shown.#facts());
  }

  #facts(): readonly Fact[] {
    return [
      ["sent", this.counts.sent],
      ["notified", this.counts.notified],
      ["copied", this.counts.copied],
      ["outstanding", this.outstanding],
    ];
  }
}
