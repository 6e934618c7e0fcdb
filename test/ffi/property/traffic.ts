/**
 * What the property test sends, and what it knows of it: content that tells where every byte
 * belongs, and the accounts of what was sent, confirmed and received.
 *
 * @module
 */
import { ERRNO } from "../../../ffi/kernel/errno.ts";
import type { Socket } from "../../../ffi/net/socket.ts";

/** Bytes at the start of each datagram: channel, datagram and length. */
export const HEADER = 12;

const EINTR = -ERRNO.EINTR;
const EAGAIN = -ERRNO.EAGAIN;
const EPIPE = -32;
const ECANCELED = -ERRNO.ECANCELED;

/** Fills bytes with the content that a stream or datagram has from a position on. */
export function fillContent(bytes: Uint8Array, id: number, position: number): void {
  const salt = Math.imul(id, 59);
  for (let i = 0; i < bytes.length; i++) bytes[i] = contentAt(salt, position + i);
}

/** Where bytes differ from the content that belongs there, or -1. */
export function firstDifference(bytes: Uint8Array, id: number, position: number): number {
  const salt = Math.imul(id, 59);
  for (let i = 0; i < bytes.length; i++) {
    if (bytes[i] !== (contentAt(salt, position + i) & 0xff)) return i;
  }
  return -1;
}

/** Differs between neighbours, between pages and between what lies 64 KiB apart. */
function contentAt(salt: number, position: number): number {
  return salt + Math.imul(position, 167) + Math.imul(position >>> 8, 13) +
    Math.imul(position >>> 16, 7);
}

/** A byte that arrived is not the one that was sent, or one that was confirmed did not arrive. */
export class DataError extends Error {
  override readonly name = "DataError";
}

/** What both kinds of channel count, in bytes. */
export interface Account {
  /** The kernel said that it sent them. */
  sent: number;
  /** Of these, the ones that a notification of a zero-copy send or a notifier confirmed. */
  notified: number;
  /** They arrived and were compared, byte by byte. */
  verified: number;
  /** They were sent into a channel that was torn down before they could be read. */
  abandoned: number;
}

/** One datagram. */
export interface Datagram {
  readonly id: number;
  readonly length: number;
  /** Undefined until the send has completed; "unknown" when its ring closed before. */
  outcome: "sent" | "failed" | "unknown" | undefined;
  arrived: boolean;
}

/** A pair of UDP sockets. */
export class DatagramChannel {
  readonly kind = "udp";
  /** Whether what arrives can still be read completely. */
  whole = true;
  /** The receive that is pending on a ring. */
  receiving: object | undefined;
  /** Bytes that may be in the receiver's buffer. */
  outstanding = 0;
  readonly #open = new Map<number, Datagram>();
  #next = 1;
  #abandoned = false;

  constructor(
    readonly id: number,
    readonly sender: Socket,
    readonly receiver: Socket,
    readonly account: Account,
    /** So many datagrams fit into the receiver's buffer, however long they are. */
    readonly most: number,
  ) {}

  /** Datagrams that may be in the receiver's buffer. */
  get unsettled(): number {
    return this.#open.size;
  }

  /** Makes a datagram and its content. */
  make(length: number): { datagram: Datagram; content: Uint8Array } {
    const datagram: Datagram = { id: this.#next++, length, outcome: undefined, arrived: false };
    const content = new Uint8Array(length);
    fillContent(content, this.id + datagram.id * 31, 0);
    const header = new DataView(content.buffer);
    header.setUint32(0, this.id, true);
    header.setUint32(4, datagram.id, true);
    header.setUint32(8, length, true);
    this.#open.set(datagram.id, datagram);
    this.outstanding += length;
    return { datagram, content };
  }

  /** Notes what became of a send: bytes, -errno, or undefined when nobody can know any more. */
  settle(datagram: Datagram, result: number | undefined, notified: boolean): void {
    if (this.#abandoned) return;
    if (datagram.outcome !== undefined) {
      throw new DataError(`datagram ${this.id}.${datagram.id} completed twice`);
    }
    // Nothing but a cancellation keeps a datagram that fits from being sent.
    if (result !== undefined && result < 0 && result !== ECANCELED) {
      throw new DataError(`datagram ${this.id}.${datagram.id} failed: ${result}`);
    }
    datagram.outcome = result === undefined ? "unknown" : result < 0 ? "failed" : "sent";
    if (result !== undefined && result >= 0) {
      if (result !== datagram.length) {
        throw new DataError(
          `datagram ${this.id}.${datagram.id} of ${datagram.length} bytes: ${result} were sent`,
        );
      }
      this.account.sent += result;
      if (notified) this.account.notified += result;
    }
    if (datagram.arrived || datagram.outcome === "failed") this.#finish(datagram);
  }

  /** Compares a datagram that arrived. */
  receive(bytes: Uint8Array): void {
    if (this.#abandoned) return;
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    if (bytes.length < HEADER) throw new DataError(`a datagram of ${bytes.length} bytes arrived`);
    const [channel, id, length] = [0, 4, 8].map((at) => view.getUint32(at, true));
    const datagram = this.#open.get(id!);
    if (channel !== this.id || datagram === undefined || datagram.arrived) {
      throw new DataError(`channel ${this.id} got ${channel}.${id}, which is not expected there`);
    }
    if (length !== bytes.length || length !== datagram.length) {
      throw new DataError(`datagram ${this.id}.${id}: ${bytes.length} bytes of ${length} arrived`);
    }
    const at = firstDifference(bytes.subarray(HEADER), this.id + id! * 31, HEADER);
    if (at >= 0) {
      throw new DataError(`datagram ${this.id}.${id} differs at byte ${at + HEADER} of ${length}`);
    }
    datagram.arrived = true;
    this.account.verified += length;
    if (datagram.outcome !== undefined) this.#finish(datagram);
  }

  #finish(datagram: Datagram): void {
    if (datagram.outcome === "failed" && datagram.arrived) {
      throw new DataError(`datagram ${this.id}.${datagram.id} failed, and arrived`);
    }
    // What nobody confirmed counts as sent when it arrives, so that the sums agree.
    if (datagram.outcome === "unknown") this.account.sent += datagram.length;
    this.#open.delete(datagram.id);
    this.outstanding -= datagram.length;
  }

  /** Datagrams that were sent and have not arrived. */
  get missing(): number {
    let missing = 0;
    for (const { outcome, arrived } of this.#open.values()) {
      if (outcome === "sent" && !arrived) missing++;
    }
    return missing;
  }

  /** Forgets what has not arrived: the channel is torn down. */
  abandon(): void {
    for (const { outcome, arrived, length } of this.#open.values()) {
      if (outcome === "sent" && !arrived) this.account.abandoned += length;
      if (outcome === undefined && arrived) this.account.sent += length;
    }
    this.#open.clear();
    this.outstanding = 0;
    this.#abandoned = true;
  }
}

/** A TCP connection, one way. */
export class StreamChannel {
  readonly kind = "tcp";
  whole = true;
  receiving: object | undefined;
  /** Whether sends are pending: the next may start when they have completed. */
  busy = 0;
  /** Whether nothing can be sent any more. */
  dead = false;
  /** Whether it is being shut down with sends in flight. */
  ending = false;
  /** How far the kernel said it sent, how far it may have sent, and how far was received. */
  confirmed = 0;
  attempted = 0;
  received = 0;
  #abandoned = false;

  constructor(
    readonly id: number,
    readonly sender: Socket,
    readonly receiver: Socket,
    readonly account: Account,
  ) {}

  /** Bytes that may be on their way. */
  get outstanding(): number {
    return this.attempted - this.received;
  }

  /** Bytes that were sent and have not arrived. */
  get missing(): number {
    return Math.max(0, this.confirmed - this.received);
  }

  /** The content from where the last attempt will end, if it succeeds. */
  make(length: number): Uint8Array {
    const content = new Uint8Array(length);
    fillContent(content, this.id, this.attempted);
    this.attempted += length;
    this.busy++;
    return content;
  }

  /** Notes what became of a send. */
  settle(result: number | undefined, notified: boolean): void {
    if (this.#abandoned) return;
    this.busy--;
    if (result === undefined) this.dead = true;
    else if (result === EPIPE && this.ending) this.dead = true;
    else if (result < 0 && result !== ECANCELED && result !== EAGAIN && result !== EINTR) {
      throw new DataError(`a send over stream ${this.id} failed: ${result}`);
    } else if (result >= 0) {
      this.confirmed += result;
      this.account.sent += result;
      if (notified) this.account.notified += result;
    }
    if (this.busy === 0 && !this.dead) this.attempted = this.confirmed;
  }

  /** Compares what arrived. */
  receive(bytes: Uint8Array): void {
    // Behind bytes that were lost nobody knows the place of the others.
    if (this.#abandoned || !this.whole) return;
    const at = firstDifference(bytes, this.id, this.received);
    if (at >= 0) {
      throw new DataError(
        `stream ${this.id} differs at byte ${this.received + at} (piece of ${bytes.length} at ` +
          `${this.received}, confirmed ${this.confirmed}, attempted ${this.attempted})`,
      );
    }
    this.received += bytes.length;
    this.account.verified += bytes.length;
    if (this.received > this.attempted) {
      throw new DataError(`stream ${this.id}: ${this.received} arrived of ${this.attempted}`);
    }
  }

  abandon(): void {
    this.account.abandoned += this.missing;
    // What nobody confirmed counts as sent when it arrived, so that the sums agree.
    this.account.sent += Math.max(0, this.received - this.confirmed);
    this.confirmed = this.attempted = this.received;
    this.dead = this.#abandoned = true;
  }
}

/** Either kind. */
export type Channel = DatagramChannel | StreamChannel;
